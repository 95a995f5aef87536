"""Which open incident belongs to which line of the matrix, kept as the live set moves."""

from __future__ import annotations

from collections.abc import Iterable
from heapq import nsmallest
from typing import Final

from tui.matrix_reading import Grid
from tui.messages import Row
from tui.run_words import urgency

MOST: Final = 20
"""Incidents of a line that can be walked through; of more it is told how many."""


class Chips:
    """The open incidents by line, the most urgent first. Costs what changed, not what there is."""

    def __init__(self, grid: Grid, rows: Iterable[Row]) -> None:
        self._grid = grid
        self._lines: list[dict[str, Row]] = [{} for _ in grid.places]
        self._at: dict[str, int] = {}  # line by number
        self._known: dict[tuple[str, str], int] = {}  # line by service and category
        self._first: dict[int, tuple[Row, ...]] = {}
        for row in rows:
            self.put(row["number"], row)

    def put(self, number: str, row: Row | None) -> None:
        """An incident is so now; None: it is not open any more."""
        was = self._at.pop(number, None)
        if was is not None:
            del self._lines[was][number]
            self._first.pop(was, None)
        if row is not None and self._lines:
            at = self._at[number] = self._line(row)
            self._lines[at][number] = row
            self._first.pop(at, None)

    def count(self, line: int) -> int:
        """How many open incidents belong to that line."""
        return len(self._lines[line])

    def first(self, line: int) -> tuple[Row, ...]:
        """The most urgent of them, at most `MOST`."""
        if line not in self._first:
            self._first[line] = tuple(nsmallest(MOST, self._lines[line].values(), key=urgency))
        return self._first[line]

    def _line(self, row: Row) -> int:
        pair = row["service"], row["category"]
        if pair not in self._known:
            self._known[pair] = self._grid.place_of(*pair)
        return self._known[pair]
