"""A screen that is one table: context line, titles, a line a thing, the one under the cursor told below."""

from __future__ import annotations

import time
from typing import Any, ClassVar, Final

from textual.app import ComposeResult
from textual.events import Key, Resize
from textual.screen import Screen

from tui import actions
from tui.actions import COMMON, Action
from tui.context import header
from tui.detail import wrapped
from tui.messages import FreshnessChanged
from tui.model import Model
from tui.requests import Opened
from tui.widgets.foot import Foot
from tui.widgets.lines import Line, Lines
from tui.widgets.picker import MOST, Picker

WIDE: Final = 100
NAME: Final = 11
"""Cells of the picked line in the pen of the cursor where it is narrower: whole lines are many bytes."""
ENDS = (
    *COMMON[:1],
    Action("back", "escape", "back", "Back to where you came from", also=("q",), shown=True),
    *COMMON[1:],
)


class TableScreen(Screen[None]):
    """What a table of things needs. A subclass says what its lines are and what its keys do."""

    AUTO_FOCUS: ClassVar[str] = "Picker"
    CSS_PATH = "../styles/table.tcss"
    actions: tuple[Action, ...] = ()
    mode: ClassVar[str] = "vendors"

    def __init__(self, model: Model) -> None:
        super().__init__()
        self.model = model
        self._keys: dict[str, Action] = {}
        self.set_keys(self.actions)

    def set_keys(self, some: tuple[Action, ...]) -> None:
        """These are the keys from now on."""
        self.actions = some
        self._keys = actions.by_key(some)

    # What a subclass says

    @property
    def titles(self) -> Line:
        """The titles of the columns."""
        raise NotImplementedError

    def table(self, width: int) -> list[Line]:
        """The lines of the table; none where `empty` stands."""
        raise NotImplementedError

    @property
    def empty(self) -> str:
        """What stands there when there is nothing."""
        raise NotImplementedError

    def told(self) -> list[tuple[str, str]]:
        """Sentences on what is under the cursor, with their pens."""
        raise NotImplementedError

    def key_of(self, at: int) -> object:
        """What that line is about: the cursor stays with it."""
        raise NotImplementedError

    def act(self, action: Action) -> None:
        """Do what that key does here."""
        raise NotImplementedError

    # What all have

    def compose(self) -> ComposeResult:
        yield Lines(id="table-head", classes="line")
        yield Lines(id="table-titles", classes="line")
        yield Picker([], self.model.signs, id="table-rows")
        yield Lines(id="table-detail")
        yield Foot(id="table-foot", classes="line")

    def on_mount(self) -> None:
        self.redraw()
        self.call_after_refresh(self.post_message, Opened())

    def on_resize(self, event: Resize) -> None:
        self.call_after_refresh(self.redraw)

    @property
    def at(self) -> int:
        """The line under the cursor."""
        return self.query_one(Picker).at

    @property
    def opening_keys(self) -> frozenset[str]:
        """Keys after which the next ones are meant for what opens."""
        return frozenset(key for key, action in self._keys.items() if action.opens)

    def redraw(self) -> None:
        """Put all lines; only those that differ are painted."""
        width = self.app.size.width
        self.query_one("#table-head", Lines).put([header(self.model, self.mode, width, time.time())])
        self.query_one("#table-titles", Lines).put([self.titles])
        self.query_one(Picker).shown = MOST if width >= WIDE else NAME
        self.query_one(Picker).put(self.table(width) or [((self.empty, "dim"),)])
        self.draw_detail()
        self.draw_foot()

    def follow(self, count: int, was: object) -> None:
        """The lines are others now: stay on what was under the cursor."""
        again = next((at for at in range(count) if self.key_of(at) == was), None)
        self.redraw()
        if again is not None:
            self.query_one(Picker).pick(again)

    def draw_detail(self) -> None:
        width = self.app.size.width
        lines = [line for text, pen in self.told() for line in wrapped(text, width, pen) or [()]]
        self.query_one("#table-detail", Lines).put(lines)

    def draw_foot(self) -> None:
        self.query_one(Foot).draw(self.actions, self.app.size.width)

    def say(self, text: str, pen: str = "") -> None:
        """Show a sentence in place of the keys until the next key."""
        self.query_one(Foot).say(text, pen)
        self.draw_foot()

    def on_freshness_changed(self, event: FreshnessChanged) -> None:
        self.redraw()

    def on_picker_picked(self, event: Any) -> None:
        self.draw_detail()

    def minute(self) -> None:
        """A minute has gone by."""
        self.redraw()

    def on_key(self, event: Key) -> None:
        action = self._keys.get(event.key)
        if action is None:
            return
        event.stop()
        event.prevent_default()
        if self.query_one(Foot).saying:
            self.say("")
        if action.id == "back":
            self.dismiss()
        elif action.id == "board":
            self.app.screen_stack[0].pop_until_active()
        else:
            self.act(action)
