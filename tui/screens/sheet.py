"""A sheet of lines to be read: who is told when of an incident, what the policy's check says."""

from __future__ import annotations

import time
from typing import ClassVar, Final

from textual.app import ComposeResult
from textual.events import Key, Resize
from textual.screen import Screen

from register.plain import one_line
from tui import actions
from tui.actions import COMMON, MOVE, Action
from tui.context import header
from tui.detail import wrapped
from tui.messages import FreshnessChanged, SheetRead
from tui.model import Model
from tui.requests import ActionAsked, Opened, SheetWanted
from tui.signs import plain
from tui.widgets.foot import Foot
from tui.widgets.lines import Line, Lines

SHEET: Final = (
    *MOVE,
    Action("again", "r", "read again", "Read it again: it is as of when it was read", shown=True),
    *COMMON[:1],
    Action("back", "escape", "back", "Back to where you came from", also=("q",), shown=True),
    COMMON[2],
)


_IN: Final = 4


class SheetScreen(Screen[None]):
    """Lines that a function of the register gave, to be scrolled."""

    AUTO_FOCUS: ClassVar[str] = ""
    CSS_PATH = "../styles/sheet.tcss"
    actions = SHEET

    def __init__(self, kind: str, title: str, model: Model, number: str = "") -> None:
        """kind: of tui.sheets.SHEETS. number: the incident it is about."""
        super().__init__()
        self.kind = kind
        self.number = number
        self.model = model
        self._title = title
        self._told: tuple[str, ...] | None = None
        self._keys = actions.by_key(SHEET)

    def compose(self) -> ComposeResult:
        self.head = Lines(id="sheet-head", classes="line")
        self.top = Lines(id="sheet-title", classes="line")
        self.body = Lines(id="sheet-body")
        self.foot = Foot(id="sheet-foot", classes="line")
        yield self.head
        yield self.top
        yield self.body
        yield self.foot

    def on_mount(self) -> None:
        self.post_message(SheetWanted(self.kind, self.number))
        self.call_after_refresh(self._first)

    def _first(self) -> None:
        self.redraw()
        self.post_message(Opened())

    def on_resize(self, event: Resize) -> None:
        self.call_after_refresh(self.redraw)

    def redraw(self) -> None:
        """Put all lines; only those that differ are painted."""
        width = self.app.size.width
        self.head.put([header(self.model, "matrix", width, time.time())])
        self.top.put([((f" {self._title}", "strong"),)])
        self.body.put(self._lines(width))
        self.draw_foot()

    def _lines(self, width: int) -> list[Line]:
        if self._told is None:
            return [((" reading…", "dim"),)]
        return [line for text in self._told for line in self._broken(text, width)]

    def _broken(self, text: str, width: int) -> list[Line]:
        """One sentence; what goes on of it is set in."""
        first, *more = wrapped(plain(one_line(text), self.model.signs), width - _IN, "") or [()]
        return [first, *((((" " * _IN), ""), *line) for line in more)]

    def draw_foot(self) -> None:
        self.foot.draw(self.actions, self.app.size.width)

    def say(self, text: str, pen: str = "") -> None:
        """Show a sentence in place of the keys until the next key."""
        self.foot.say(text, pen)
        self.draw_foot()

    def on_sheet_read(self, event: SheetRead) -> None:
        if (event.sheet, event.number) == (self.kind, self.number):
            self._told = event.lines
            self.redraw()

    def on_freshness_changed(self, event: FreshnessChanged) -> None:
        self.redraw()

    def minute(self) -> None:
        """A minute has gone by."""
        self.redraw()

    # Keys

    def on_key(self, event: Key) -> None:
        action = self._keys.get(event.key)
        if action is None:
            return
        event.stop()
        event.prevent_default()
        if self.foot.saying:
            self.say("")
        if self.body.scrolled(action.id):
            return
        if action.id == "again":
            self.post_message(SheetWanted(self.kind, self.number))
        elif action.id == "back":
            self.dismiss()
        else:
            self.post_message(ActionAsked(action, self.number or None))
