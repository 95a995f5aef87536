"""The suppliers, and one supplier's tickets, as tables of lines. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from rich.cells import cell_len

from register.plain import one_line
from register.pressing import hidden, our_turn
from tui.format import bond_short, bond_words, day_and_wall, due_text, duration, fit, wall
from tui.messages import Row
from tui.model import Model
from tui.widgets.lines import Line

_WIDE: Final = 100


class Health(Enum):
    """How it stands with a supplier: its sign (a name of `tui.signs.Signs`), pen and words."""

    UP = ("live", "", "up")
    BY_HAND = ("live", "", "by hand")
    UNUSED = ("stale", "dim", "not used yet")
    ENDS = ("unsure", "warn", "login ends")
    TROUBLE = ("unsure", "warn", "in trouble")
    WAITS = ("unsure", "warn", "waits")
    PAUSED = ("alarm", "bad", "paused")

    @property
    def pen(self) -> str:
        return self.value[1]

    def words(self, model: Model) -> str:
        return f"{getattr(model.signs, self.value[0])} {self.value[2]}"


@dataclass(frozen=True, slots=True)
class Contract:
    """What a supplier breaks first: `fix` of `number`, due at an epoch that may be past."""

    clock: str
    number: str
    due: float


@dataclass(frozen=True, slots=True)
class Standing:
    """One supplier. why: a sentence, or empty; until, heard: epochs; dead: with what could not be read."""

    name: str
    title: str
    system: str
    production: bool
    health: Health
    why: str = ""
    until: float | None = None
    heard: float | None = None
    unsent: int = 0
    doubtful: int = 0
    dead: int = 0
    unread: int = 0
    open: int = 0
    contract: Contract | None = None
    call: tuple[str, ...] = ()
    todo: str = ""  # what to do next
    held_back: bool = False  # it is paused by a person, not by its credential


@dataclass(frozen=True, slots=True)
class Ticket:
    """One ticket of an open incident at one supplier; `bond` as the board's rows have it."""

    row: Row
    bond: Sequence[Any]

    @property
    def key(self) -> tuple[str, str]:
        return self.row["number"], str(self.bond[4])


_TITLES: Final = ("Supplier", "By", "Env", "Health", "Heard", "Unsent", "?", "!", "Open", "Ball")
_AT: Final[Mapping[bool, tuple[int, ...]]] = {
    True: (15, 13, 5, 14, 7, 7, 3, 3, 5, 10),
    False: (11, 0, 5, 14, 6, 7, 2, 2, 5, 9),
}
_CALL: Final = 17


def heading(width: int, model: Model) -> Line:
    """Return the titles of the suppliers' columns."""
    return (("  " + _columns((*_TITLES, "Nearest contract", "Call"), width, model), "strong"),)


def lines(rows: Sequence[Standing], model: Model, width: int) -> list[Line]:
    """Return one line a supplier."""
    return [((_columns(_cells(row, model), width, model), row.health.pen),) for row in rows]


def _cells(row: Standing, model: Model) -> tuple[str, ...]:
    none = model.signs.none
    health = row.health.words(model)
    if row.health is Health.WAITS and row.until is not None:
        health += f" {wall(row.until, model.zone).partition(' ')[0]}"
    return (
        row.title,
        row.system,
        "PROD" if row.production else "test",
        health,
        none if row.heard is None else _age(model.eyes.now - row.heard),
        *(str(count or none) for count in (row.unsent, row.doubtful, row.dead + row.unread, row.open)),
        ball_of(tickets_of(model.live.rows, row.name), model),
        none if row.contract is None else contract_words(row.contract, model),
        row.call[0] if row.call else none,
    )


def _age(seconds: float) -> str:
    return duration(seconds) if seconds >= 60 else "<1m"


def contract_words(contract: Contract, model: Model) -> str:
    """Return `fix 58m INC-1042`, or `fix 4m over ! INC-1042`."""
    due = due_text(contract.due, model.eyes.now, model.signs)
    return f"{contract.clock} {due} {contract.number}"


def ball_of(tickets: Sequence[Ticket], model: Model) -> str:
    """Return whose turn it is: `OURS 3m` if it is ours anywhere, by the oldest."""
    if not tickets:
        return model.signs.none
    first = tickets[0].bond
    if not our_turn(list(first)):
        return "theirs"
    return f"OURS {duration(max(0, model.eyes.now - first[3]))}"


def _columns(cells: Sequence[str], width: int, model: Model) -> str:
    wide = width >= _WIDE
    sizes = _AT[wide]
    fixed = "".join(
        fit(one_line(cell), size - 1, model.signs) + " "
        for cell, size in zip(cells, sizes, strict=False)
        if size
    )
    room = width - 2 - sum(sizes) - (_CALL if wide else 0)
    last = fit(one_line(cells[-2]), max(1, room - 1), model.signs) + " "
    return fixed + last + (fit(one_line(cells[-1]), _CALL - 1, model.signs) if wide else "")


def told_of(row: Standing, model: Model) -> list[tuple[str, str]]:
    """Return sentences on one supplier with their pens: what is wrong, what to do, whom to call."""
    where = "PRODUCTION" if row.production else "test"
    told = [(f"{row.title}  ({row.name})  {row.system}  {where}", "strong")]
    why = row.why
    if row.health is Health.WAITS and row.until is not None:
        why = f"Nothing is sent until {day_and_wall(row.until, model.zone)}: {why}"
    if row.health is Health.PAUSED:
        why = f"Nothing is sent: {why}"
    told += [(text, pen) for text, pen in ((why, row.health.pen), (row.todo, "")) if text]
    counts = (
        (row.doubtful, "not known to have arrived (4 Outbox)"),
        (row.dead, "given up, for a person to decide (4 Outbox)"),
        (row.unread, "of their changes could not be read and are kept as they came"),
    )
    told += [(f"{count} {what}", "warn") for count, what in counts if count]
    if row.contract is not None:
        told.append((f"nearest contract: {contract_words(row.contract, model)}", ""))
    told += [(f"call {contact}", "") for contact in row.call]
    return told


# One supplier's tickets

_TICKET: Final = ((_WIDE, (16, 11, 4, 15, 34)), (0, (13, 10, 4, 12, 21)))
_TICKET_TITLES: Final = ("Ticket", "For", "P", "State", "Turn", "Title")


def tickets_of(rows: Iterable[Row], vendor: str) -> list[Ticket]:
    """Return this supplier's tickets of open incidents: ours to act on first, the oldest turn first."""
    found = [
        Ticket(row, bond) for row in rows if not hidden(row) for bond in row["bonds"] if bond[0] == vendor
    ]
    return sorted(found, key=lambda one: (not our_turn(list(one.bond)), one.bond[3]))


def ticket_heading(width: int, model: Model) -> Line:
    """Return the titles of the tickets' columns."""
    return (("  " + _ticket_columns(_TICKET_TITLES, width, model), "strong"),)


def ticket_lines(tickets: Sequence[Ticket], model: Model, width: int) -> list[Line]:
    """Return one line a ticket."""
    return [
        (
            (
                _ticket_columns(_ticket(one, model, width), width, model),
                "warn" if our_turn(list(one.bond)) else "",
            ),
        )
        for one in tickets
    ]


def _ticket(one: Ticket, model: Model, width: int) -> tuple[str, ...]:
    row, bond = one.row, list(one.bond)
    words = bond_words(bond, model.eyes.now, model.signs)
    if cell_len(words) >= _ticket_sizes(width)[4]:
        words = bond_short(bond, model.eyes.now, model.signs)
    major = model.signs.major if row["p"] == 1 else ""
    return bond[4] or model.signs.none, row["number"], f"{major}{row['p']}", row["state"], words, row["title"]


def _ticket_sizes(width: int) -> tuple[int, ...]:
    return next(some for least, some in _TICKET if width >= least)


def _ticket_columns(cells: Sequence[str], width: int, model: Model) -> str:
    sizes = _ticket_sizes(width)
    fixed = "".join(
        fit(one_line(str(cell)), size - 1, model.signs) + " "
        for cell, size in zip(cells, sizes, strict=False)
    )
    return fixed + fit(one_line(cells[-1]), max(1, width - 2 - sum(sizes)), model.signs)
