"""The board: a window over the open incidents that paints what is seen and moves nothing by itself.

Rows are patched by number. The cursor belongs to an incident, not to a line. A row keeps its place when
its incident changes; `settle` puts all into order again.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from typing import Final, Unpack

from textual.geometry import Region
from textual.strip import Strip

from register.pressing import Rank, rank
from tui.columns import Eyes
from tui.messages import CursorMoved, NewAbove, Row
from tui.widgets.lines import Names, Painted
from tui.widgets.row_lines import RowLines

MERGE_FROM: Final = 32
"""So many new rows in one tick are merged by one sort instead of one insertion each."""


class Board(Painted, can_focus=True):
    """Open incidents, one a line, what needs a hand first."""

    def __init__(self, eyes: Eyes, **names: Unpack[Names]) -> None:
        super().__init__(**names)
        self.eyes = eyes
        self.empty_text = "No open incidents."
        self._rows: list[Row] = []
        self._ranks: list[Rank] = []  # as they were when each row was placed, so always sorted
        self._places: dict[str, int] | None = None
        self._cursor = 0
        self._top = 0
        self._above: set[str] = set()
        self._lines = RowLines(eyes, self.pen)

    # What stands where

    @property
    def cursor_number(self) -> str | None:
        return self._rows[self._cursor]["number"] if self._rows else None

    @property
    def cursor_row(self) -> Row | None:
        return self._rows[self._cursor] if self._rows else None

    @property
    def numbers(self) -> list[str]:
        """The numbers from top to bottom, seen or not."""
        return [row["number"] for row in self._rows]

    @property
    def page(self) -> int:
        """How many incidents fit below the heading."""
        return max(1, self.size.height - 1)

    @property
    def new_above(self) -> int:
        return len(self._above)

    def _place(self, number: str) -> int | None:
        if self._places is None:
            self._places = {row["number"]: at for at, row in enumerate(self._rows)}
        return self._places.get(number)

    # What comes in

    def show(self, rows: Iterable[Row]) -> None:
        """Show exactly these rows in order; the cursor stays on its incident and its line."""
        kept, line = self.cursor_number, self._cursor - self._top
        now = self.eyes.now
        ranked = sorted(((rank(row, now), row) for row in rows), key=lambda pair: pair[0])
        self._ranks = [pair[0] for pair in ranked]
        self._rows = [pair[1] for pair in ranked]
        self._places = None
        self._lines.forget()
        self._above.clear()
        self._lines.fit_numbers(self._rows)
        found = self._place(kept) if kept else None
        self._cursor = 0 if found is None else found
        self._top = self._held(self._cursor - line if found is not None else 0)
        self.refresh()
        self._tell()

    def settle(self) -> None:
        """Put the rows into order as of now, if they are not."""
        now = self.eyes.now
        if [rank(row, now) for row in self._rows] != self._ranks:
            self.show(self._rows)

    def patch(self, changes: Mapping[str, Row | None]) -> None:
        """Take over one tick: rows as they are now, None for those that left the board."""
        before = self.cursor_number
        gone = {n for n, row in changes.items() if row is None and self._place(n) is not None}
        new = [row for n, row in changes.items() if row is not None and self._place(n) is None]
        for number, row in changes.items():
            at = self._place(number)
            if row is not None and at is not None:
                self._rows[at] = row
                self._refresh_if_changed(at)
        if gone:
            self._take_out(gone)
        if new:
            self._put_in(new)
        if before != self.cursor_number or before in changes:
            self.post_message(CursorMoved(self.cursor_number))

    def retime(self) -> None:
        """A minute has gone by: paint the lines whose times read differently now."""
        for at in range(self._top, min(len(self._rows), self._top + self.page)):
            self._refresh_if_changed(at)

    def _take_out(self, gone: set[str]) -> None:
        places = sorted(self._place(number) or 0 for number in gone)
        above = bisect_left(places, self._top)
        before_cursor = bisect_left(places, self._cursor)
        keep = [at for at, row in enumerate(self._rows) if row["number"] not in gone]
        self._rows = [self._rows[at] for at in keep]
        self._ranks = [self._ranks[at] for at in keep]
        self._places = None
        for number in gone:
            self._lines.drop(number)
        self._cursor = max(0, min(self._cursor - before_cursor, len(self._rows) - 1))
        self._top = self._held(self._top - above)
        if self._above & gone:
            self._above -= gone
            self.post_message(NewAbove(len(self._above)))
        if len(places) != above or self._top == 0:
            self.refresh()

    def _put_in(self, new: list[Row]) -> None:
        now = self.eyes.now
        first = self._rows[self._top]["number"] if self._rows else None
        kept, had = self.cursor_number, len(self._rows)
        if len(new) < MERGE_FROM:
            for row in new:
                key = rank(row, now)
                at = bisect_left(self._ranks, key)
                self._ranks.insert(at, key)
                self._rows.insert(at, row)
        else:
            pairs = sorted(
                [*zip(self._ranks, self._rows, strict=True), *((rank(row, now), row) for row in new)],
                key=lambda pair: pair[0],
            )
            self._ranks = [pair[0] for pair in pairs]
            self._rows = [pair[1] for pair in pairs]
        self._places = None
        wider = self._lines.fit_numbers(self._rows)
        top, self._cursor = self._top, (self._place(kept) or 0) if kept else 0
        self._top = self._held((self._place(first) or 0) if first else 0)
        if had <= self.page and len(self._rows) <= self.page:
            self._top = 0  # all can be seen: hiding the new ones would be worse than moving a line
        self._count_above(new)
        last_seen = self._top + self.page
        visible = any(self._top <= (self._place(row["number"]) or 0) < last_seen for row in new)
        if wider or visible or (self._top == top and top == 0):
            self.refresh()

    def _count_above(self, new: list[Row]) -> None:
        count = len(self._above)
        self._above.update(row["number"] for row in new if (self._place(row["number"]) or 0) < self._top)
        if len(self._above) != count:
            self.post_message(NewAbove(len(self._above)))

    # Moving

    def move(self, by: int) -> None:
        """Move the cursor by so many incidents; at the edge the window goes on by half a page."""
        old = self._cursor
        self._cursor = max(0, min(len(self._rows) - 1, old + by)) if self._rows else 0
        if self._cursor == old:
            return
        self._follow(old)

    def move_to(self, number: str) -> bool:
        """Put the cursor on that incident; say whether it is on the board."""
        at = self._place(number)
        if at is None:
            return False
        old, self._cursor = self._cursor, at
        if at != old:
            self._follow(old)
        return True

    def home(self) -> None:
        """Go to what needs a hand first, in an order that is true now."""
        self.settle()
        self.move(-len(self._rows))
        if self._above:
            self._above.clear()
            self.post_message(NewAbove(0))

    def end(self) -> None:
        self.move(len(self._rows))

    def _follow(self, old: int) -> None:
        if self._top <= self._cursor < self._top + self.page:
            self._refresh_line(old)
            self._refresh_line(self._cursor)
        else:
            self._top = self._held(self._cursor - self.page // 2)
            self.refresh()
        if self._above:
            seen = {row["number"] for row in self._rows[self._top : self._top + self.page]}
            if self._above & seen:
                self._above -= seen
                self.post_message(NewAbove(len(self._above)))
        self._tell()

    def _held(self, top: int) -> int:
        """Return the nearest top line that shows no void and keeps the cursor in sight."""
        top = min(max(top, self._cursor - self.page + 1), self._cursor)
        return max(0, min(top, len(self._rows) - self.page))

    def _tell(self) -> None:
        self.post_message(CursorMoved(self.cursor_number))

    # Painting

    def on_resize(self) -> None:
        self._top = self._held(self._top)

    def notify_style_update(self) -> None:
        self._lines.forget()
        super().notify_style_update()

    def repaint(self) -> None:
        """Paint all that is seen again: the zone, the names or the signs have changed."""
        self._lines.forget()
        self.refresh()

    def _refresh_line(self, at: int) -> None:
        if self._top <= at < self._top + self.page:
            self.refresh(Region(0, at - self._top + 1, self.size.width, 1))

    def _refresh_if_changed(self, at: int) -> None:
        if not self._top <= at < self._top + self.page:
            return
        if self._lines.reads_differently(self._rows[at], self.size.width):
            self._refresh_line(at)

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        if y == 0:
            return self.strip_of(((self._lines.heading(width), "strong"),), width)
        at = self._top + y - 1
        if at < len(self._rows):
            return self._lines.strip(self._rows[at], at == self._cursor, width)
        return self.strip_of(((f"  {self.empty_text}", "dim"),) if not self._rows and y == 2 else (), width)
