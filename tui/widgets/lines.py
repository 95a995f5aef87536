"""Lines of text that send only what differs: header, counts, pane, timeline and footer are made of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final, TypedDict, Unpack

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region, Size
from textual.strip import Strip
from textual.widget import Widget

Line = tuple[tuple[str, str], ...]
"""Pieces of one line, each a text and the name of its pen (`""` is the plain one)."""

PENS: Final = ("strong", "dim", "bad", "warn", "good", "cursor", "bar", "bar-bad")


class Names(TypedDict, total=False):
    """How a widget is found by queries and style sheets."""

    id: str
    classes: str


class Painted(Widget):
    """A widget that paints its own lines with pens that the style sheets name `.pen--NAME`."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {f"pen--{name}" for name in PENS}

    def __init__(self, **names: Unpack[Names]) -> None:
        super().__init__(**names)
        self._pens: dict[str, Style] = {}

    def pen(self, name: str) -> Style:
        """Return the style of a pen on this widget's ground."""
        style = self._pens.get(name)
        if style is None:
            style = self.rich_style
            if name:
                style += self.get_component_rich_style(f"pen--{name}", partial=True)
            self._pens[name] = style
        return style

    def notify_style_update(self) -> None:
        self._pens = {}
        super().notify_style_update()

    def strip_of(self, line: Line, width: int) -> Strip:
        """Return one line as exactly `width` cells."""
        segments = [Segment(text, self.pen(pen)) for text, pen in line if text]
        return Strip(segments).adjust_cell_length(width, self.pen(line[-1][1] if line else ""))


class Lines(Painted):
    """A block of lines, compared one by one when new ones come; `top` is the first one shown."""

    def __init__(self, lines: Sequence[Line] = (), **names: Unpack[Names]) -> None:
        super().__init__(**names)
        self._lines: list[Line] = list(lines)
        self.top = 0

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """Where the style sheet says `height: auto`: as many as there are lines."""
        return len(self._lines)

    @property
    def lines(self) -> Sequence[Line]:
        return self._lines

    def put(self, lines: Sequence[Line]) -> None:
        """Show these lines; only those that differ are painted."""
        old, self._lines = self._lines, list(lines)
        top = min(self.top, self.bottom)
        if top != self.top:
            self.top = top
            self.refresh()
            return
        if not self.size:
            return  # not laid out yet: the first paint will show them
        for y in range(self.top, min(max(len(old), len(self._lines)), self.top + self.size.height)):
            before = old[y] if y < len(old) else ()
            after = self._lines[y] if y < len(self._lines) else ()
            if before != after:
                self.refresh(Region(0, y - self.top, self.size.width, 1))

    @property
    def bottom(self) -> int:
        """The greatest sensible `top`."""
        return max(0, len(self._lines) - max(1, self.size.height))

    def scroll_lines(self, by: int) -> None:
        """Move what is shown by so many lines, as far as there are any."""
        top = max(0, min(self.bottom, self.top + by))
        if top != self.top:
            self.top = top
            self.refresh()

    def scrolled(self, action: str) -> bool:
        """Do what an action of that name means where lines are read: scroll; whether it is one of these."""
        page = max(1, self.size.height // 2)
        by = {"down": 1, "up": -1, "page_down": page, "page_up": -page}.get(action)
        by = {"home": -self.top, "end": self.bottom}.get(action, by)
        if by is not None:
            self.scroll_lines(by)
        return by is not None

    def render_line(self, y: int) -> Strip:
        at = self.top + y
        return self.strip_of(self._lines[at] if at < len(self._lines) else (), self.size.width)


class Notices(Lines):
    """Lines that take no place while there are none."""

    def on_mount(self) -> None:
        self.display = bool(self._lines)

    def show(self, lines: Sequence[Line]) -> None:
        other = len(lines) != len(self._lines)
        self.put(lines)
        if other:
            self.display = bool(lines)
            self.refresh(layout=True)
