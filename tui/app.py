"""The terminal application: wires the live set, the screens and the door to the register together."""

from __future__ import annotations

import gc
import time
from typing import ClassVar

from textual.events import Paste
from textual.message import Message
from textual.screen import Screen

from register.live import SAVE_EVERY, Live
from tui.actions import Action
from tui.door import Door
from tui.frugal import FrugalApp
from tui.messages import FeedMoved, FreshnessChanged, IncidentsChanged, RegisterOpened
from tui.model import MINUTE, Model
from tui.requests import ActionAsked, DetailWanted
from tui.screens.board import BoardScreen
from tui.session import Session
from tui.signs import UNICODE, Signs


class MusterApp(FrugalApp):
    """The board and what opens from it."""

    ENABLE_COMMAND_PALETTE = False
    CSS_PATH = "styles/app.tcss"
    TITLE = "Muster"
    BINDINGS: ClassVar = []

    def __init__(self, session: Session, live: Live, door: Door, signs: Signs = UNICODE) -> None:
        super().__init__()
        self.model = Model(session, live, signs)
        self.door = door
        self.verbs: tuple[Action, ...] = ()
        self.board = BoardScreen(self.model)

    def get_default_screen(self) -> Screen[None]:
        return self.board

    def on_mount(self) -> None:
        self.call_after_refresh(self._painted)

    def _painted(self) -> None:
        """The first screen stands: now the heavy part may begin."""
        self.board.redraw()
        gc.freeze()
        gc.enable()
        self.call_later(self._open)

    def _open(self) -> None:
        live = self.model.live
        self.door.start(self.post_message, live.seq, live.register_id)
        self._wait_for_the_minute()
        self.set_interval(SAVE_EVERY, self._save)

    def _wait_for_the_minute(self) -> None:
        self.set_timer(MINUTE - time.time() % MINUTE + 0.02, self._minute)

    def _minute(self) -> None:
        self._wait_for_the_minute()
        self.model.tick()
        for screen in self.screen_stack:
            if (minute := getattr(screen, "minute", None)) is not None:
                minute()

    # What the register tells

    def on_feed_moved(self, event: FeedMoved) -> None:
        numbers = self.model.take(event.changed, event.gone, dict(event.people), event.seq)
        if numbers:
            self._tell(IncidentsChanged, numbers)
        elif event.people:
            self.board.board.repaint()
            self.board.redraw()

    def on_register_opened(self, event: RegisterOpened) -> None:
        gone = self.model.live.belongs_to(event.register_id)
        self.model.role = event.role
        self.model.register_name = event.name or self.model.register_name
        self.model.is_me(event.me)
        if gone:
            self._tell(IncidentsChanged, gone)
        self.board.board.repaint()
        self.board.redraw()

    def on_freshness_changed(self, event: FreshnessChanged) -> None:
        self.model.freshness = event.freshness
        self._tell(FreshnessChanged, event.freshness)

    def _tell(self, kind: type[Message], *args: object) -> None:
        """Tell every screen of the stack."""
        for screen in self.screen_stack:
            screen.post_message(kind(*args))

    # What a person asks

    def on_detail_wanted(self, event: DetailWanted) -> None:
        self.door.read_detail(event.number)

    async def on_action_asked(self, event: ActionAsked) -> None:
        handler = getattr(self, f"do_{event.action.id}", None)
        if handler is not None:
            handler()

    def do_zone(self) -> None:
        self.model.utc = not self.model.utc
        for screen in self.screen_stack:
            if (minute := getattr(screen, "minute", None)) is not None:
                minute()

    def do_quit(self) -> None:
        self.exit()

    def on_paste(self, event: Paste) -> None:
        """A paste into the wrong pane is not a row of keys."""
        event.stop()

    # At the end

    def _save(self) -> None:
        try:
            self.model.live.save_if_due()
        except OSError as error:
            self.board.say(f"The copy for the next start could not be written: {error.strerror}.", "warn")

    def on_unmount(self) -> None:
        self.door.stop()
        if self.model.live.register_id:
            try:
                self.model.live.save()
            except OSError as error:
                self._exit_renderables.append(
                    f"The copy for the next start was not written: {error.strerror}."
                )
