"""How the board's incidents are counted. Pure: the time is an argument."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from register.pressing import hidden, needs_a_person, our_turn
from tui.columns import quiet_until

Row = dict[str, Any]

COUNTED: Final = (
    "p1",
    "p2",
    "p3",
    "mine",
    "unassigned",
    "overdue",
    "our_turn",
    "suppliers",
    "needs_you",
    "quiet",
)
_NOTHING: Final = (0,) * len(COUNTED)


def tally(row: Mapping[str, Any], me: str | None, now: float) -> tuple[int, ...]:
    """What one row adds to each figure of COUNTED; one that may not be seen adds nothing."""
    if hidden(row):
        return _NOTHING
    due, bonds, owner = row["due"], row["bonds"], row["owner"]
    return (
        row["p"] == 1,
        row["p"] == 2,
        row["p"] == 3,
        owner is not None and owner == me,
        owner is None,
        due is not None and due < now,
        any(our_turn(bond) for bond in bonds),
        bool(bonds),
        any(needs_a_person(bond) for bond in bonds),
        quiet_until(row) is not None,
    )


class Counts:
    """The figures of the counts line, kept up row by row instead of counted anew."""

    def __init__(self) -> None:
        self._parts: dict[str, tuple[int, ...]] = {}
        self._sums = [0] * len(COUNTED)

    def recount(self, rows: Iterable[Row], me: str | None, now: float) -> None:
        """Count everything: at the start, and when a minute has gone by."""
        self._parts = {row["number"]: tally(row, me, now) for row in rows}
        self._sums = [sum(column) for column in zip(*self._parts.values(), strict=True)] or [0] * len(COUNTED)

    def put(self, number: str, row: Row | None, me: str | None, now: float) -> None:
        """Take over one changed row; None when it is gone."""
        old = self._parts.pop(number, None)
        new = None if row is None else tally(row, me, now)
        if new is not None:
            self._parts[number] = new
        for at in range(len(COUNTED)):
            self._sums[at] += (new[at] if new else 0) - (old[at] if old else 0)

    def __getitem__(self, name: str) -> int:
        return self._sums[COUNTED.index(name)]

    def __len__(self) -> int:
        return len(self._parts)
