"""Picking one line out of a few, by ↑ ↓ and letters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Unpack

from textual.events import Key
from textual.geometry import Region, Size
from textual.message import Message
from textual.strip import Strip

from tui.signs import Signs
from tui.widgets.lines import Line, Names, Painted

MOST: Final = 1_000
"""Cells: more than a line has."""


def _picked(pieces: Sequence[tuple[str, str]], shown: int) -> list[tuple[str, str]]:
    """The pieces of a line, its first cells in the pen of the cursor."""
    found = []
    for text, pen in pieces:
        room = max(0, shown)
        found += [(text[:room], "cursor"), (text[room:], pen)]
        shown -= len(text)
    return [(text, pen) for text, pen in found if text]


class Picker(Painted, can_focus=True):
    """Lines of which one is picked; `top` follows the pick when they do not all fit."""

    @dataclass
    class Picked(Message):
        """Another line was picked."""

        at: int

    def __init__(self, lines: Sequence[Line], signs: Signs, **names: Unpack[Names]) -> None:
        super().__init__(**names)
        self._lines = list(lines)
        self._signs = signs
        self.at = 0
        self.top = 0
        self.shown = MOST  # cells of the picked line that are in the pen of the cursor

    def put(self, lines: Sequence[Line]) -> None:
        """Take other lines; the pick stays where it is, as far as there is such a line."""
        old, self._lines = self._lines, list(lines)
        at = max(0, min(self.at, len(self._lines) - 1))
        if at != self.at or len(old) != len(self._lines):
            self.at = at
            self.refresh(layout=True)
            return
        for y, (before, after) in enumerate(zip(old, self._lines, strict=True)):
            if before != after:
                self._refresh_line(y)

    def pick(self, at: int) -> None:
        """Put the pick on that line."""
        at = max(0, min(at, len(self._lines) - 1))
        if at == self.at:
            return
        old, self.at = self.at, at
        top = min(max(self.top, at - max(1, self.size.height) + 1), at)
        if top != self.top:
            self.top = top
            self.refresh()
        else:
            self._refresh_line(old)
            self._refresh_line(at)
        self.post_message(self.Picked(at))

    def _refresh_line(self, at: int) -> None:
        self.refresh(Region(0, at - self.top, self.size.width, 1))

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return max(1, len(self._lines))

    def render_line(self, y: int) -> Strip:
        at = self.top + y
        if at >= len(self._lines):
            return self.strip_of((), self.size.width)
        here = at == self.at
        mark = f"{self._signs.pick} " if here else "  "
        pieces = [(mark, ""), *self._lines[at]]
        if here and self.has_focus:
            pieces = _picked(pieces, self.shown)
        return self.strip_of(tuple(pieces), self.size.width)

    def on_focus(self) -> None:
        self._refresh_line(self.at)

    def on_blur(self) -> None:
        self._refresh_line(self.at)

    def on_key(self, event: Key) -> None:
        by = {"down": 1, "j": 1, "up": -1, "k": -1, "pagedown": 10, "pageup": -10}.get(event.key)
        if event.key in ("g", "home"):
            by = -len(self._lines)
        elif event.key in ("G", "end"):
            by = len(self._lines)
        if by is None:
            return
        at = max(0, min(self.at + by, len(self._lines) - 1))
        if at == self.at and abs(by) == 1:
            return  # at the edge: the form moves on
        event.stop()
        event.prevent_default()
        self.pick(at)
