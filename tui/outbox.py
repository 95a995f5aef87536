"""The outbox as a table of lines. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from register.plain import one_line
from tui.format import duration, fit
from tui.signs import Signs
from tui.widgets.lines import Line


@dataclass(frozen=True, slots=True)
class Sent:
    """One sending. `next_at` is an epoch, None for none; `why` is a sentence."""

    row_id: str
    vendor: str
    number: str
    what: str
    state: str
    tries: int
    next_at: float | None
    why: str
    message: str = ""
    person: bool = False  # nothing happens until somebody says what to do
    paused: bool = False  # nothing is sent to that supplier until somebody has done something
    by_hand: bool = False  # a person hands it over: `message` is the card with what to say


PENS: Final = {"dead": "bad", "ambiguous": "warn", "waiting": "warn"}
_WIDTHS: Final = ((100, (12, 11, 11, 13, 6, 8)), (0, (10, 10, 9, 12, 4, 6)))
_TITLES: Final = ("Supplier", "For", "What", "State", "Try", "Next", "Why")


def heading(width: int, signs: Signs) -> Line:
    """Return the titles of the columns."""
    return (("  " + _columns(_TITLES, width, signs), "strong"),)


def lines(rows: Sequence[Sent], now: float, width: int, signs: Signs) -> list[Line]:
    """Return one line a sending, those that wait for a person first."""
    return [((_columns(_cells(row, now, signs), width, signs), _pen(row)),) for row in rows]


def _pen(row: Sent) -> str:
    return "bad" if row.person else PENS.get(row.state, "")


def _cells(row: Sent, now: float, signs: Signs) -> tuple[str, ...]:
    due = signs.none if row.next_at is None else duration(max(0, row.next_at - now))
    if row.next_at is not None and row.next_at - now < 60:
        due = f"{max(0, int(row.next_at - now))}s"
    mark = f"{signs.alarm} " if row.person else f"{signs.unsure} " if row.state == "ambiguous" else ""
    return (row.vendor, row.number, row.what, f"{mark}{row.state}", str(row.tries), due, row.why)


def _columns(cells: Sequence[str], width: int, signs: Signs) -> str:
    widths = next(some for least, some in _WIDTHS if width >= least)
    fixed = "".join(
        fit(one_line(cell), size - 1, signs) + " " for cell, size in zip(cells, widths, strict=False)
    )
    return fixed + fit(one_line(cells[-1]), max(1, width - 2 - sum(widths)), signs)


def in_order(rows: Sequence[Sent]) -> list[Sent]:
    """Return what waits for a person first, then what is in doubt, then the rest as it was."""
    weight = {"ambiguous": 1, "waiting": 2}
    return sorted(rows, key=lambda row: 0 if row.person else weight.get(row.state, 3))
