"""One incident: its timeline, and the conversation with its suppliers."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, Final

from textual.app import ComposeResult
from textual.events import Key, Resize
from textual.screen import Screen

from register.pressing import hidden
from tui import actions
from tui.actions import Action
from tui.detail import Detail
from tui.messages import DetailRead, IncidentsChanged
from tui.model import Model
from tui.requests import ActionAsked, DetailWanted, Opened
from tui.story import conversation, heading, suppliers, timeline
from tui.widgets.foot import Foot
from tui.widgets.lines import Line, Lines

_TAB: Final = Action("other", "tab", "pages", "The next page: timeline, suppliers, clocks", shown=True)


def _clocks(detail: Detail, model: Model, width: int) -> list[Line]:
    from tui.ticking import page  # clocks are not imported for the first paint

    return page(detail.clocks, model, width)


_PAGES: Final[tuple[Callable[[Detail, Model, int], list[Line]], ...]] = (timeline, conversation, _clocks)


class IncidentScreen(Screen[None]):
    """What happened, in order, and what may be done about it."""

    AUTO_FOCUS: ClassVar[str] = ""
    CSS_PATH = "../styles/incident.tcss"

    def __init__(
        self,
        number: str,
        model: Model,
        detail: Detail | None,
        verbs: tuple[Action, ...],
        vendor: str = "",
    ) -> None:
        """vendor: open on the conversation, and show that of this supplier alone."""
        super().__init__()
        self._vendor = vendor
        self.number = number
        self.model = model
        self.detail = detail
        self.actions: tuple[Action, ...] = ()
        self._keys: dict[str, Action] = {}
        self._take(verbs)
        self._page = 1 if vendor else 0  # of _PAGES
        self._row = model.live.row(number)
        self._secret = False  # the register gives nothing of it to this reader

    def _take(self, verbs: tuple[Action, ...]) -> None:
        self.actions = (*verbs, *actions.INCIDENT[:-1], _TAB, actions.INCIDENT[-1])
        self._keys = actions.by_key(self.actions)

    def offer(self, verbs: tuple[Action, ...]) -> None:
        """Take over the verbs that work from now on."""
        self._take(verbs)
        self.draw_foot()

    def compose(self) -> ComposeResult:
        self.top = Lines(id="incident-head")
        self.tabs = Lines(id="incident-tabs", classes="line")
        self.body = Lines(id="incident-body")
        self.foot = Foot(id="incident-foot", classes="line")
        yield self.top
        yield self.tabs
        yield self.body
        yield self.foot

    def on_mount(self) -> None:
        self.post_message(DetailWanted(self.number))
        self.call_after_refresh(self._first)

    def _first(self) -> None:
        self.redraw()
        self._to_newest()
        self.post_message(Opened())

    def on_resize(self, event: Resize) -> None:
        self.call_after_refresh(self.redraw)

    @property
    def opening_keys(self) -> frozenset[str]:
        """Keys after which the next ones are meant for what opens."""
        return frozenset(key for key, action in self._keys.items() if action.opens)

    def redraw(self) -> None:
        """Put all lines; only those that differ are painted."""
        width = self.app.size.width
        if self._secret or (self._row is not None and hidden(self._row)):
            self._draw_nothing()
            return
        self.top.put(heading(self.number, self._row, self.detail, self.model, width))
        self.tabs.put([self._tab_line()])
        self._draw_body(width)
        self.draw_foot()

    def _draw_nothing(self) -> None:
        """It was restricted while it was looked at, and not to this reader."""
        self.top.put([((f" {self.number}  restricted", "strong"),), ()])
        self.tabs.put([()])
        told = " It is not for you to see any more. Ask one of those who work on it, or an admin."
        self.body.put([((told, "dim"),)])
        self.draw_foot()

    def _tab_line(self) -> tuple[tuple[str, str], ...]:
        count = len(self._row["bonds"]) if self._row else 0
        told, clocks = (len(self.detail.told), len(self.detail.clocks)) if self.detail else ("", "")
        names = (f" Timeline {told}", f" Suppliers {count}", f" Clocks {clocks}")
        tabs = tuple((f"{name} ", "cursor" if at == self._page else "") for at, name in enumerate(names))
        return (*tabs, *suppliers(self._row, self.model))

    def _draw_body(self, width: int) -> None:
        if self.detail is None:
            self.body.put([((" reading…", "dim"),)])
            return
        at_end = self.body.top >= self.body.bottom
        page = _PAGES[self._page]
        if page is conversation:
            self.body.put(conversation(self.detail, self.model, width - 1, self._vendor))
        else:
            self.body.put(page(self.detail, self.model, width - 1))
        if at_end:
            self._to_newest()

    def _to_newest(self) -> None:
        self.body.scroll_lines(self.body.bottom)

    def draw_foot(self) -> None:
        self.foot.draw(self.actions, self.app.size.width)

    def say(self, text: str, pen: str = "") -> None:
        """Show a sentence in place of the keys until the next key."""
        self.foot.say(text, pen)
        self.draw_foot()

    # What is told

    def on_incidents_changed(self, event: IncidentsChanged) -> None:
        if self.number in event.numbers:
            self._row = self.model.live.row(self.number) or self._row
            self.post_message(DetailWanted(self.number))
            self.redraw()

    def on_detail_read(self, event: DetailRead) -> None:
        if event.number == self.number:
            self.detail, self._secret = event.detail, event.detail is None
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
        handler = getattr(self, f"do_{action.id}", None)
        if handler is not None:
            handler()
        else:
            self.post_message(ActionAsked(action, self.number))

    def do_down(self) -> None:
        self.body.scroll_lines(1)

    def do_up(self) -> None:
        self.body.scroll_lines(-1)

    def do_page_down(self) -> None:
        self.body.scroll_lines(self.body.size.height // 2)

    def do_page_up(self) -> None:
        self.body.scroll_lines(-(self.body.size.height // 2))

    def do_home(self) -> None:
        self.body.scroll_lines(-self.body.top)

    def do_end(self) -> None:
        self._to_newest()

    def do_other(self) -> None:
        self._page = (self._page + 1) % len(_PAGES)
        self.body.top = 0
        self.redraw()
        if self._page != _PAGES.index(_clocks):
            self._to_newest()

    def do_back(self) -> None:
        self.dismiss()
