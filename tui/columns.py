"""The board's columns: which there are at which width, and what a row says in each. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Any, Final

from rich.cells import cell_len

from register.plain import one_line
from register.pressing import FOR_A_PERSON, hidden, our_turn
from tui.format import ahead, bond_text, fit, is_over, person, promise_text, state_text
from tui.signs import UNICODE, Signs

Row = dict[str, Any]
Cell = tuple[str, str]
"""A text and the name of its pen."""
Cells = tuple[Cell, ...]


@dataclass(slots=True)
class Eyes:
    """With whose eyes and at what time the rows are read."""

    now: float = 0.0
    me: str | None = None
    people: Mapping[str, str] = field(default_factory=dict)
    signs: Signs = UNICODE
    zone: tzinfo | None = None  # the zone times are shown in; None is the host's own


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its heading, how many cells it takes with the gap behind it, and what it says."""

    title: str
    width: int
    cell: Callable[[Row, Eyes], Cell]


def _number(row: Row, eyes: Eyes) -> Cell:
    return one_line(row["number"]), "warn" if row.get("spool") else ""


def _priority(row: Row, eyes: Eyes) -> Cell:
    return (f"{eyes.signs.major}1", "bad") if row["p"] == 1 else (f" {row['p']}", "")


def _state(row: Row, eyes: Eyes) -> Cell:
    return one_line(state_text(row)), ""


def _owner(row: Row, eyes: Eyes) -> Cell:
    text = person(row["owner"], eyes.people, eyes.me, eyes.signs)
    return text.split(" ")[0], "warn" if row["owner"] is None else ""


def _due(row: Row, eyes: Eyes) -> Cell:
    text = promise_text(row, eyes.now, eyes.signs)
    return text, "bad" if is_over(row, eyes.now) else ""


def _supplier(row: Row, eyes: Eyes, variants: Sequence[Mapping[str, bool]], width: int) -> Cell:
    """Return the longest of these variants that fits, and failing that the shortest."""
    for variant in variants:
        text = bond_text(row["bonds"], eyes.now, eyes.signs, **variant)
        if cell_len(text) < width:
            break
    else:  # the name gives way, never whose turn it is
        text = bond_text(row["bonds"], eyes.now, eyes.signs, over=cell_len(text) - width + 1, **variants[-1])
    if any(bond[5] in FOR_A_PERSON for bond in row["bonds"]):
        return text, "bad"
    return text, "warn" if any(our_turn(b) or b[5] == "?" for b in row["bonds"]) else ""


_NARROW: Final = {"wide": False}
_WIDE: Final = {"wide": True}
_WITH_KEY: Final = {"wide": True, "key": True}


def _supplier_column(width: int, *variants: Mapping[str, bool]) -> Column:
    return Column("Supplier", width, lambda row, eyes: _supplier(row, eyes, variants, width))


def quiet_until(row: Mapping[str, Any]) -> float | None:
    """Until when nobody is paged for it, as far as the row knows; None where whoever it tells is paged."""
    run = row.get("run") or ()
    times = (row.get("mute"), run[4] if run and run[0] == "suppressed" else None)
    return max((at for at in times if at is not None), default=None)


def _title(row: Row, eyes: Eyes) -> Cell:
    mark = f"{eyes.signs.live} " if row.get("firing") else ""
    if (row.get("run") or ("",))[0] == "exhausted":
        mark += f"{eyes.signs.alarm} "
    quiet = quiet_until(row)
    if quiet is not None:
        mark += f"{eyes.signs.mute} {ahead(quiet, eyes.now, eyes.zone)} "
    if row.get("spool") == "refused":
        mark = "refused: "
    return mark + one_line(row["title"]), ""


NARROW: Final = 80
"""Up to this width the state has no column and the supplier is told in short."""
WITH_KEY_FROM: Final = 110
_CURSOR: Final = 2
_TITLE_AT_LEAST: Final = 8


def columns_for(width: int, number: int) -> tuple[Column, ...]:
    """Return the columns of a board `width` cells wide whose numbers take `number` cells."""
    narrow = width <= NARROW
    columns = [Column("Number", number, _number), Column(" P", 3, _priority)]
    if not narrow:
        columns.append(Column("State", 14 if width >= WITH_KEY_FROM else 12, _state))
    columns.append(Column("Owner", 6, _owner))
    columns.append(Column("Due", 12, _due))
    if narrow:
        columns.append(_supplier_column(18, _NARROW))
    elif width < WITH_KEY_FROM:
        columns.append(_supplier_column(19, _WIDE, _NARROW))
    else:
        columns.append(_supplier_column(30, _WITH_KEY, _WIDE, _NARROW))
    rest = width - _CURSOR - sum(column.width for column in columns)
    columns.append(Column("Title", max(_TITLE_AT_LEAST, rest + 1), _title))
    return tuple(columns)


def heading(columns: tuple[Column, ...], signs: Signs) -> str:
    return "  " + "".join(fit(column.title, column.width - 1, signs) + " " for column in columns)


def cells_of(row: Row, eyes: Eyes, columns: tuple[Column, ...]) -> Cells:
    """Return what the row says in each column; two equal results paint the same line."""
    if hidden(row):
        blank = (("", ""),) * (len(columns) - 2)
        return (_number(row, eyes), *blank, ("restricted", "dim"))
    return tuple(column.cell(row, eyes) for column in columns)
