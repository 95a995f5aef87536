"""The exact request and answer of one sending, to be scrolled."""

from __future__ import annotations

from typing import ClassVar, Final

from textual.app import ComposeResult
from textual.events import Key, Resize
from textual.screen import Screen

from tui import actions
from tui.actions import COMMON, MOVE, Action
from tui.detail import wrapped
from tui.exchange import NONE, Exchange, spoken
from tui.format import day_and_wall
from tui.messages import ExchangeRead
from tui.model import Model
from tui.outbox import Sent
from tui.requests import ActionAsked, ExchangeWanted, Opened
from tui.widgets.foot import Foot
from tui.widgets.lines import Line, Lines

EXCHANGE: Final = (
    *MOVE,
    *COMMON,
    Action("back", "escape", "back", "Back to the outbox", also=("q",), shown=True),
)


class ExchangeScreen(Screen[None]):
    """What was asked last, and what came back; secrets were taken out before it was kept."""

    AUTO_FOCUS: ClassVar[str] = ""
    CSS_PATH = "../styles/exchange.tcss"

    def __init__(self, row: Sent, model: Model) -> None:
        super().__init__()
        self._row, self._model = row, model
        self._read: Exchange | None = None
        self._refused = False
        self.actions = EXCHANGE
        self._keys = actions.by_key(EXCHANGE)

    def compose(self) -> ComposeResult:
        self.head = Lines(id="exchange-head")
        self.body = Lines(id="exchange-body")
        self.foot = Foot(id="exchange-foot", classes="line")
        yield self.head
        yield self.body
        yield self.foot

    def on_mount(self) -> None:
        self.post_message(ExchangeWanted(self._row.row_id))
        self.redraw()
        self.call_after_refresh(self.post_message, Opened())

    def on_resize(self, event: Resize) -> None:
        self.call_after_refresh(self.redraw)

    def redraw(self) -> None:
        """Put all lines; only those that differ are painted."""
        width, row, read = self.app.size.width, self._row, self._read
        title = f" {row.what} for {row.number} to {row.vendor}   {row.state}"
        at = "" if read is None or read.at is None else f" ended {day_and_wall(read.at, self._model.zone)}"
        self.head.put([((title, "strong"),), ((at, "dim"),)])
        self.body.put([line for text, pen in self._told() for line in _wrapped(text, width, pen)])
        self.foot.draw(self.actions, width)

    def _told(self) -> list[tuple[str, str]]:
        if self._refused:
            return [("It is not for you to see: the incident is restricted.", "dim")]
        if self._read is None:
            return [("reading…", "dim")]
        return spoken(self._read.said) or [(NONE, "dim")]

    def minute(self) -> None:
        """A minute has gone by, or times are shown in another zone."""
        self.redraw()

    def say(self, text: str, pen: str = "") -> None:
        """Show a sentence in place of the keys until the next key."""
        self.foot.say(text, pen)
        self.foot.draw(self.actions, self.app.size.width)

    def on_exchange_read(self, event: ExchangeRead) -> None:
        if event.row_id == self._row.row_id:
            self._read, self._refused = event.exchange, event.exchange is None
            self.redraw()

    def on_key(self, event: Key) -> None:
        action = self._keys.get(event.key)
        if action is None:
            return
        event.stop()
        event.prevent_default()
        if self.foot.saying:
            self.say("")
        height = max(1, self.body.size.height)
        by = {"down": 1, "up": -1, "page_down": height // 2, "page_up": -(height // 2)} | {
            "home": -self.body.top,
            "end": self.body.bottom,
        }
        if action.id in by:
            self.body.scroll_lines(by[action.id])
        elif action.id == "back":
            self.dismiss()
        else:
            self.post_message(ActionAsked(action, None))


def _wrapped(text: str, width: int, pen: str) -> list[Line]:
    return wrapped(text, width, pen) or [()]
