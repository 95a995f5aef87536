"""One incident as one line of the board, kept until it reads differently."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from tui.columns import Cells, Column, Eyes, cells_of, columns_for, heading
from tui.format import fit
from tui.messages import Row

KEPT: Final = 500
"""Lines kept; more were scrolled through, and are made again when they are seen again."""


@dataclass(slots=True)
class _Seen:
    """What a line shows: compared before it is painted again."""

    here: bool
    cells: Cells
    strip: Strip


class RowLines:
    """Makes the board's lines at one width, with the pens of the widget they are for."""

    def __init__(self, eyes: Eyes, pen: Callable[[str], Style]) -> None:
        self._eyes = eyes
        self._pen = pen
        self._seen: dict[str, _Seen] = {}
        self._number_width = 9
        self._at = (0, 0)
        self._columns: tuple[Column, ...] = ()

    def forget(self) -> None:
        """Everything is to be made again."""
        self._seen.clear()

    def drop(self, number: str) -> None:
        self._seen.pop(number, None)

    def fit_numbers(self, rows: Sequence[Row]) -> bool:
        """Widen the first column to the longest number; say whether that moved the others."""
        width = max(9, 1 + max((len(row["number"]) for row in rows), default=0))
        moved = width != self._number_width
        self._number_width = width
        return moved

    def columns(self, width: int) -> tuple[Column, ...]:
        at = (width, self._number_width)
        if self._at != at:
            self._at, self._columns = at, columns_for(*at)
            self._seen.clear()
        return self._columns

    def heading(self, width: int) -> str:
        return heading(self.columns(width), self._eyes.signs)

    def reads_differently(self, row: Row, width: int) -> bool:
        """Whether the line that was made last for this incident is out of date."""
        seen = self._seen.get(row["number"])
        return seen is None or seen.cells != cells_of(row, self._eyes, self.columns(width))

    def strip(self, row: Row, here: bool, width: int) -> Strip:
        """Return the line; `here` is the one under the cursor, all in one pen."""
        columns = self.columns(width)
        cells = cells_of(row, self._eyes, columns)
        seen = self._seen.get(row["number"])
        if seen is not None and seen.here == here and seen.cells == cells:
            return seen.strip
        signs = self._eyes.signs
        segments = [Segment(f"{signs.cursor if here else ' '} ", self._pen("cursor" if here else ""))]
        for column, (text, pen) in zip(columns, cells, strict=True):
            words = fit(text, column.width - 1, signs) + " "
            segments.append(Segment(words, self._pen("cursor" if here else pen)))
        strip = Strip(segments).adjust_cell_length(width, self._pen("cursor" if here else ""))
        if len(self._seen) > KEPT:
            self._seen.clear()
        self._seen[row["number"]] = _Seen(here, cells, strip)
        return strip
