"""One incident: its timeline, and the conversation with its suppliers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, Final

from textual.app import ComposeResult
from textual.events import Key, Resize
from textual.screen import Screen

from register.pressing import hidden
from tui import actions
from tui.actions import CARD, Action
from tui.detail import Detail
from tui.messages import DetailRead, IncidentsChanged
from tui.model import Model
from tui.requests import ActionAsked, CardAsked, DetailWanted, Opened
from tui.story import conversation, heading, suppliers, timeline
from tui.widgets.foot import Foot
from tui.widgets.lines import Line, Lines

if TYPE_CHECKING:
    from tui.cards import Card

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
        self._cards: list[Card] = []
        self._front = ""  # the mark of the card whose keys work

    def _take(self, verbs: tuple[Action, ...], of_card: tuple[Action, ...] = ()) -> None:
        """The keys from now on. A card's comes before a verb's that has the same: it knows more."""
        self._verbs = verbs
        taken = {action.key for action in of_card}
        own = (*verbs, *actions.INCIDENT[:-1], _TAB, actions.INCIDENT[-1])
        self.actions = (*of_card, *(action for action in own if action.key not in taken))
        self._keys = actions.by_key(self.actions)

    def offer(self, verbs: tuple[Action, ...]) -> None:
        """Take over the verbs that work from now on."""
        self._verbs = verbs
        self._draw_cards(self.app.size.width)
        self.draw_foot()

    def compose(self) -> ComposeResult:
        self.top = Lines(id="incident-head")
        self.tabs = Lines(id="incident-tabs", classes="line")
        self.cards = Lines(id="incident-cards")
        self.body = Lines(id="incident-body")
        self.foot = Foot(id="incident-foot", classes="line")
        yield self.top
        yield self.tabs
        yield self.cards
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
        self._draw_cards(width)
        self._draw_body(width)
        self.draw_foot()

    def _draw_nothing(self) -> None:
        """It was restricted while it was looked at, and not to this reader."""
        self.top.put([((f" {self.number}  restricted", "strong"),), ()])
        self.tabs.put([()])
        self.detail = None
        self._draw_cards(self.app.size.width)
        told = " It is not for you to see any more. Ask one of those who work on it, or an admin."
        self.body.put([((told, "dim"),)])
        self.draw_foot()

    def _tab_line(self) -> tuple[tuple[str, str], ...]:
        count = len(self._row["bonds"]) if self._row else 0
        told, clocks = (len(self.detail.told), len(self.detail.clocks)) if self.detail else ("", "")
        names = (f" Timeline {told}", f" Suppliers {count}", f" Clocks {clocks}")
        tabs = tuple((f"{name} ", "cursor" if at == self._page else "") for at, name in enumerate(names))
        return (*tabs, *suppliers(self._row, self.model))

    def _draw_cards(self, width: int) -> None:
        """What waits for a person, over every page; the keys are those of the card in front."""
        if self.detail is not None and self.detail.incident is not None:
            from tui.cards import actions_for, cards_of, lines_of  # heavy: not for the first paint

            self._cards = cards_of(self.detail, self.model)
            at = self._at()
            front = self._cards[at] if self._cards else None
            self._front = front.mark if front is not None else ""
            lines = lines_of(self._cards, at, self.model, width)
            self._take(self._verbs, actions_for(front, len(self._cards) > 1))
        else:
            self._cards, lines = [], []
            self._take(self._verbs)
        if len(lines) != len(self.cards.lines):
            self.cards.styles.height = len(lines)
        self.cards.put(lines)

    def _at(self) -> int:
        """Which card is in front: the same one as long as it is there."""
        return next((at for at, card in enumerate(self._cards) if card.mark == self._front), 0)

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
            self._bring(event.key)
            return
        event.stop()
        event.prevent_default()
        if self.foot.saying:
            self.say("")
        handler = getattr(self, f"do_{action.id}", None)
        if handler is not None:
            handler()
        elif action.id.startswith(CARD):
            self._decide(action)
        else:
            self.post_message(ActionAsked(action, self.number))

    def _decide(self, action: Action) -> None:
        """A key of the card in front."""
        from tui.cards import LATER, repair_words

        card = self._cards[self._at()]
        way = next(way for way in card.ways if CARD + way.key == action.id)
        if way.does == "later":
            self.model.put_off[card.mark] = self.model.eyes.now + LATER
            self.redraw()
            self.say("Put off at this terminal for 15 minutes; it stays for all others.")
        elif way.does == "repair":
            self.say(repair_words(card.facts["vendor"]))
        elif way.does:
            self.post_message(ActionAsked(replace(action, id=way.does), self.number))
        else:
            self.post_message(CardAsked(self.number, card, way))

    def _bring(self, key: str) -> None:
        """A key of a card behind the front one: bring that card, and let it be read before it is decided."""
        card = next((card for card in self._cards for way in card.ways if way.key == key), None)
        if card is not None:
            self._front = card.mark
            self.redraw()
            self.say("That key is for the card that stands in front now: look, then press it again.")

    def do_next_card(self) -> None:
        self._front = self._cards[(self._at() + 1) % len(self._cards)].mark
        self.redraw()

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

    def do_board(self) -> None:
        self.app.screen_stack[0].pop_until_active()

    def do_back(self) -> None:
        self.dismiss()
