"""The outbox: what is on its way to suppliers, and what waits for a person's word."""

from __future__ import annotations

import time
from typing import ClassVar, Final

from textual.app import ComposeResult
from textual.events import Key, Resize
from textual.screen import Screen

from tui import actions
from tui.actions import COMMON, Action
from tui.context import header
from tui.detail import wrapped
from tui.messages import FreshnessChanged, IncidentsChanged, OutboxRead
from tui.model import Model
from tui.outbox import Sent, heading, in_order, lines
from tui.requests import ActionAsked, Opened, OutboxWanted, SendingAsked
from tui.widgets.foot import Foot
from tui.widgets.lines import Line, Lines
from tui.widgets.picker import Picker

READ_EVERY: Final = 5.0
"""Seconds: tries and waits of a sending are not in the feed."""

OUTBOX: Final = (
    Action(
        "retry",
        "exclamation_mark",
        "try now",
        "Send again, under the same operation",
        shown=True,
        writes=True,
    ),
    Action(
        "adopt",
        "equals_sign",
        "it is there as…",
        "It arrived: give its number; by hand: they have it",
        shown=True,
        writes=True,
        opens=True,
    ),
    Action("drop", "x", "drop", "Never send it", shown=True, writes=True, opens=True),
    Action("open", "enter", "open", "Open the incident it is for", opens=True),
    Action("board", "1", "Board", "The board: open incidents"),
    *COMMON[:1],
    Action("back", "escape", "back", "Back to the board", also=("q",), shown=True),
    *COMMON[1:],
)


class OutboxScreen(Screen[None]):
    """One line a sending; the one under the cursor is told in full below."""

    AUTO_FOCUS: ClassVar[str] = "Picker"
    CSS_PATH = "../styles/outbox.tcss"

    def __init__(self, model: Model, writes: bool) -> None:
        super().__init__()
        self.model = model
        self.actions: tuple[Action, ...] = ()
        self._keys: dict[str, Action] = {}
        self._take(writes)
        self._rows: list[Sent] | None = None

    def _take(self, writes: bool) -> None:
        self.actions = tuple(action for action in OUTBOX if writes or not action.writes)
        self._keys = actions.by_key(self.actions)

    def may_write(self, writes: bool) -> None:
        """Whoever may not send again, by another policy, may look on."""
        self._take(writes)
        self.draw_foot()

    def compose(self) -> ComposeResult:
        yield Lines(id="outbox-head", classes="line")
        yield Lines(id="outbox-titles", classes="line")
        yield Picker([], self.model.signs, id="outbox-rows")
        yield Lines(id="outbox-detail")
        yield Foot(id="outbox-foot", classes="line")

    def on_mount(self) -> None:
        self.redraw()
        self.post_message(OutboxWanted())
        self.call_after_refresh(self.post_message, Opened())
        self.set_interval(READ_EVERY, lambda: self.post_message(OutboxWanted()))

    def on_resize(self, event: Resize) -> None:
        self.call_after_refresh(self.redraw)

    @property
    def here(self) -> Sent | None:
        """The sending under the cursor."""
        return self._rows[self.query_one(Picker).at] if self._rows else None

    @property
    def opening_keys(self) -> frozenset[str]:
        """Keys after which the next ones are meant for what opens."""
        return frozenset(key for key, action in self._keys.items() if action.opens)

    def redraw(self) -> None:
        """Put all lines; only those that differ are painted."""
        width, now, signs = self.app.size.width, time.time(), self.model.signs
        self.query_one("#outbox-head", Lines).put([header(self.model, "outbox", width, now)])
        self.query_one("#outbox-titles", Lines).put([heading(width, signs)])
        picker = self.query_one(Picker)
        if self._rows:
            picker.put(lines(self._rows, now, width, signs))
        else:
            empty = "reading…" if self._rows is None else "Nothing is on its way, and nothing waits for you."
            picker.put([((empty, "dim"),)])
        self._draw_detail(width)
        self.draw_foot()

    def _draw_detail(self, width: int) -> None:
        row = self.here
        told: list[Line] = []
        if row is not None:
            told = [((f" {row.what} for {row.number} to {row.vendor}", "strong"),)]
            told += wrapped(row.why, width, "")
            for part in row.message.split("\n"):
                told += wrapped(part, width, "" if row.by_hand else "dim") or [()]
        detail = self.query_one("#outbox-detail", Lines)
        detail.set_class(row is not None and row.by_hand, "-card")
        detail.put(told)

    def draw_foot(self) -> None:
        self.query_one(Foot).draw(self.actions, self.app.size.width)

    def say(self, text: str, pen: str = "") -> None:
        """Show a sentence in place of the keys until the next key."""
        self.query_one(Foot).say(text, pen)
        self.draw_foot()

    # What is told

    def on_outbox_read(self, event: OutboxRead) -> None:
        here = self.here
        self._rows = in_order(event.rows)
        if here is not None:
            again = next((at for at, row in enumerate(self._rows) if row.row_id == here.row_id), None)
            if again is not None:
                self.redraw()
                self.query_one(Picker).pick(again)
        self.redraw()

    def on_incidents_changed(self, event: IncidentsChanged) -> None:
        self.post_message(OutboxWanted())

    def on_freshness_changed(self, event: FreshnessChanged) -> None:
        self.redraw()

    def on_picker_picked(self, event: Picker.Picked) -> None:
        self._draw_detail(self.app.size.width)

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
        if self.query_one(Foot).saying:
            self.say("")
        row = self.here
        if action.id == "back":
            self.dismiss()
        elif action.id == "board":
            self.app.screen_stack[0].pop_until_active()
        elif action.id in ("retry", "adopt", "drop"):
            if row is not None:
                self.post_message(SendingAsked(action, row))
        else:
            self.post_message(ActionAsked(action, row.number if row is not None else None))
