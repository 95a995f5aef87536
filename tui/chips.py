"""Which open incident belongs to which line of the matrix, kept as the live set moves."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable
from typing import Final

from tui.matrix_reading import Grid
from tui.messages import Row
from tui.run_words import urgency

MOST: Final = 20
"""Incidents of a line that can be walked through; of more it is told how many."""


_Ranked = tuple[int, float, int, str]
"""How urgent an incident is, and its number."""


class Chips:
    """The open incidents by line, the most urgent first. Costs what changed, not what there is."""

    def __init__(self, grid: Grid, rows: Iterable[Row]) -> None:
        self._grid = grid
        self._rows: dict[str, Row] = {}
        self._lines: list[list[_Ranked]] = [[] for _ in grid.places]  # sorted
        self._at: dict[str, tuple[int, _Ranked]] = {}  # by number
        self._known: dict[tuple[str, str], int] = {}  # line by service and category
        for row in rows if self._lines else ():
            at, ranked = self._known_at(row)
            self._lines[at].append(ranked)
        for line in self._lines:
            line.sort()

    def put(self, number: str, row: Row | None) -> None:
        """An incident is so now; None: it is not open any more."""
        was = self._at.pop(number, None)
        if was is not None:
            line = self._lines[was[0]]
            del line[bisect_left(line, was[1])]
            del self._rows[number]
        if row is not None and self._lines:
            at, ranked = self._known_at(row)
            insort(self._lines[at], ranked)

    def _known_at(self, row: Row) -> tuple[int, _Ranked]:
        """Note an incident: in which line, and where in it."""
        number = row["number"]
        self._rows[number] = row
        self._at[number] = self._line(row), (*urgency(row), number)
        return self._at[number]

    def count(self, line: int) -> int:
        """How many open incidents belong to that line."""
        return len(self._lines[line])

    def first(self, line: int) -> tuple[Row, ...]:
        """The most urgent of them, at most `MOST`."""
        return tuple(self._rows[ranked[-1]] for ranked in self._lines[line][:MOST])

    def _line(self, row: Row) -> int:
        pair = row["service"], row["category"]
        if pair not in self._known:
            self._known[pair] = self._grid.place_of(*pair)
        return self._known[pair]
