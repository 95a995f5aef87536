"""The board screen: context, figures, the open incidents, the pane of the one under the cursor, the keys."""

from __future__ import annotations

import time
from typing import ClassVar, Final

from textual.app import ComposeResult
from textual.containers import Container
from textual.events import Key, Resize
from textual.screen import Screen
from textual.timer import Timer

from register.pressing import hidden
from tui import actions
from tui.actions import Action
from tui.context import counts, header
from tui.detail import Detail, one_line_latest, pane
from tui.messages import CursorMoved, DetailRead, FreshnessChanged, IncidentsChanged, Logged, NewAbove
from tui.model import Model
from tui.quiet import notices
from tui.requests import ActionAsked, DetailWanted
from tui.typing_filter import typing
from tui.widgets.board import Board
from tui.widgets.foot import Foot
from tui.widgets.lines import Lines, Notices

WIDE: Final = 100
"""From so many cells on the pane stands beside the board."""
PANE_WIDTH: Final = 38
AROUND: Final = 3
"""Lines above and below the board when the pane is there."""
READ_AFTER: Final = 0.08
"""Seconds the cursor rests on an incident before its timeline is read."""
DETAILS_KEPT: Final = 64


class BoardScreen(Screen[None]):
    """What is burning, is it mine, what next: one key each."""

    AUTO_FOCUS: ClassVar[str] = "Board"

    def __init__(self, model: Model, verbs: tuple[Action, ...] = ()) -> None:
        super().__init__()
        self.model = model
        self.verbs: tuple[Action, ...] = verbs
        self._keys = actions.by_key((*verbs, *actions.BOARD))
        self._typing = False  # the filter
        self._details: dict[str, Detail] = {}
        self._reading: Timer | None = None
        self.moved_by_itself = 0.0  # when the incident under the cursor left by itself

    def compose(self) -> ComposeResult:
        self.head = Lines(id="head", classes="line")
        self.figures = Lines(id="figures", classes="line")
        self.board = Board(self.model.eyes, id="board")
        self.pane = Lines(id="pane")
        self.latest = Lines(id="latest")
        self.foot = Foot(id="foot", classes="line")
        yield self.head
        yield self.figures
        yield Notices()
        yield Container(self.board, self.pane, id="middle")
        yield self.latest
        yield self.foot

    def on_mount(self) -> None:
        self._set_wide(self.app.size.width)
        self.board.show(self.model.shown())
        self.redraw()

    def on_resize(self, event: Resize) -> None:
        self._set_wide(event.size.width)
        self.call_after_refresh(self.redraw)

    def _set_wide(self, width: int) -> None:
        self.set_class(width >= WIDE, "-wide")

    @property
    def actions(self) -> tuple[Action, ...]:
        """All that a key does here."""
        return (*self.verbs, *actions.BOARD)

    @property
    def filter_keys(self) -> frozenset[str]:
        """Keys after which the next ones are a filter's words."""
        return frozenset(key for key, action in self._keys.items() if action.id == "filter")

    @property
    def typing(self) -> bool:
        """Whether keys are letters now: of a filter."""
        return self._typing

    @property
    def opening_keys(self) -> frozenset[str]:
        """Keys after which the next ones are meant for what opens."""
        if self._typing:
            return frozenset()
        return frozenset(key for key, action in self._keys.items() if action.opens)

    def detail(self, number: str) -> Detail | None:
        """What was read of that incident, if it was."""
        return self._details.get(number)

    # Lines around the board

    def redraw(self) -> None:
        """Put all lines around the board; only those that differ are painted."""
        self.draw_head()
        self.draw_figures()
        self.draw_pane()
        self.draw_foot()

    def draw_head(self) -> None:
        self.head.put([header(self.model, "board", self.app.size.width, time.time())])
        self.query_one(Notices).show(notices(self.model, self.app.size.width))

    def draw_figures(self) -> None:
        shown = len(self.board.numbers)
        self.figures.put([counts(self.model, self.app.size.width, self.board.new_above, shown)])

    def draw_pane(self) -> None:
        row, model = self.board.cursor_row, self.model
        detail = self._details.get(row["number"]) if row else None
        if self.has_class("-wide"):
            width, height = self.pane.size
            if not width:  # not laid out yet: the first paint shall not wait for a second one
                width, height = PANE_WIDTH, self.app.size.height - AROUND
            self.pane.put(pane(row, detail, model, width, height))
        else:
            secret = row is None or hidden(row)
            self.latest.put([() if secret else one_line_latest(detail, model, self.app.size.width)])

    def draw_foot(self) -> None:
        if self._typing:
            self.foot.put_lines(typing(self.model, self.app.size.width))
        else:
            self.foot.draw(self.actions, self.app.size.width)

    def say(self, text: str, pen: str = "") -> None:
        """Show a sentence in place of the keys until the next key."""
        self.foot.say(text, pen)
        self.draw_foot()

    def offer(self, verbs: tuple[Action, ...]) -> None:
        """Take over the verbs that work from now on."""
        self.verbs = verbs
        self._keys = actions.by_key(self.actions)
        self.draw_foot()

    # What is told

    def on_incidents_changed(self, event: IncidentsChanged) -> None:
        """Patch those rows; nothing else repaints."""
        model, here = self.model, self.board.cursor_number
        rows = {number: model.live.row(number) for number in event.numbers}
        self.board.patch(
            {n: row if row is not None and model.passes(row) else None for n, row in rows.items()}
        )
        for number in event.numbers:
            self._details.pop(number, None)
        if here in event.numbers and self.board.cursor_number != here:
            self.moved_by_itself = time.monotonic()
        self.draw_figures()

    def on_logged(self, event: Logged) -> None:
        self.board.move_to(event.number)

    def on_freshness_changed(self, event: FreshnessChanged) -> None:
        self.draw_head()

    def on_cursor_moved(self, event: CursorMoved) -> None:
        self.draw_pane()
        if event.number is not None and event.number not in self._details:
            if self._reading is not None:
                self._reading.stop()
            self._reading = self.set_timer(READ_AFTER, self._read)

    def _read(self) -> None:
        self._reading = None
        row = self.board.cursor_row
        if row is not None and not hidden(row) and row["number"] not in self._details:
            self.post_message(DetailWanted(row["number"]))

    def on_detail_read(self, event: DetailRead) -> None:
        if event.detail is None:
            return
        while len(self._details) >= DETAILS_KEPT:
            self._details.pop(next(iter(self._details)))
        self._details[event.number] = event.detail
        if event.number == self.board.cursor_number:
            self.draw_pane()

    def on_new_above(self, event: NewAbove) -> None:
        self.draw_figures()

    def minute(self) -> None:
        """A minute has gone by."""
        if self.model.sieve:  # which incidents it means depends on the time
            self.board.show(self.model.shown())
        self.board.retime()
        self.redraw()

    # Keys

    def on_key(self, event: Key) -> None:
        if self._typing:
            event.stop()
            event.prevent_default()
            self._type(event)
            return
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
            self.post_message(ActionAsked(action, self.board.cursor_number))

    def do_down(self) -> None:
        self.board.move(1)

    def do_up(self) -> None:
        self.board.move(-1)

    def do_page_down(self) -> None:
        self.board.move(self.board.page)

    def do_page_up(self) -> None:
        self.board.move(-self.board.page)

    def do_home(self) -> None:
        self.board.home()

    def do_end(self) -> None:
        self.board.end()

    def do_board(self) -> None:
        self.board.settle()

    def do_filter(self) -> None:
        self._typing = True
        self.draw_foot()

    def do_clear(self) -> None:
        if self.model.needle:
            self._search("")

    def _type(self, event: Key) -> None:
        needle = self.model.needle
        if event.key == "enter" and self.model.sieve.wrong is None:
            self._typing = False
            self.draw_foot()
            return
        if event.key == "escape":
            self._typing = False
            self._search("")
            self.draw_foot()
            return
        if event.key == "backspace":
            needle = needle[:-1]
        elif event.key == "ctrl+u":
            needle = ""
        elif event.is_printable and event.character:
            needle += event.character.casefold()
        self._search(needle)
        self.draw_foot()

    def _search(self, needle: str) -> None:
        if needle == self.model.needle:
            return
        before = self.model.sieve.good
        self.model.filter(needle)
        if self.model.sieve.good == before:
            return
        self.board.empty_text = (
            "No open incident passes this filter. Esc shows all."
            if self.model.sieve
            else "No open incidents."
        )
        self.board.show(self.model.shown())
        self.draw_figures()
