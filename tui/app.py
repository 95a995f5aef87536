"""The terminal application: wires the live set, the screens and the door to the register together."""

from __future__ import annotations

import asyncio
import gc
import signal
import time
from dataclasses import replace
from typing import ClassVar, Final

from textual.screen import Screen

from register.live import SAVE_EVERY, Live
from tui.actions import VERB
from tui.copy_on_disk import Copy
from tui.doing import Doing
from tui.door import Door
from tui.handing import Handing
from tui.hangup import watch_terminal
from tui.messages import (
    Done,
    FeedMoved,
    FreshnessChanged,
    HandedToMe,
    HandsRead,
    IncidentsChanged,
    Logged,
    Reach,
    Refused,
    RegisterMoved,
    RegisterOpened,
    SpoolMoved,
    SuppliersRead,
    VerbsLearned,
)
from tui.model import MINUTE, Model
from tui.opening import Opening
from tui.passing import PassingApp
from tui.requests import (
    ActionAsked,
    AnswerAsked,
    CardAsked,
    CommandGiven,
    OverrideAsked,
    PauseAsked,
    SendingAsked,
    SheetAsked,
    TicketAsked,
    VendorAsked,
)
from tui.screens.board import BoardScreen
from tui.session import Session
from tui.signs import UNICODE, Signs

LEAVE_WITHIN: Final = 5.0
"""Seconds in which a second q leaves."""


class MusterApp(PassingApp):
    """The board and what opens from it."""

    ENABLE_COMMAND_PALETTE = False
    CSS_PATH = "styles/app.tcss"
    TITLE = "Muster"
    BINDINGS: ClassVar = []

    def __init__(
        self,
        session: Session,
        live: Live,
        door: Door,
        signs: Signs = UNICODE,
        as_of: float | None = None,
    ) -> None:
        super().__init__()
        self.model = Model(session, live, signs, as_of)
        self.door = door
        self.doing = Doing(self.model, door, self.push_screen, self.say)
        self.handing = Handing(self.model, self.push_screen, self.say, self.doing)
        self._asked_to_leave = -LEAVE_WITHIN
        self._mine = ""  # the incident that was logged here last
        self.board = BoardScreen(self.model)
        self.opening = Opening(self.model, self.push_screen, self.say, self.board.detail, self.back_to)
        self._copy = Copy(self.model, lambda why: self.board.say(why, "warn"))

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
        self.set_interval(SAVE_EVERY, self._copy.save_if_due)
        for number in (signal.SIGTERM, signal.SIGHUP):  # a dropped line: leave in good order
            asyncio.get_running_loop().add_signal_handler(number, self.exit)
        watch_terminal(self.exit)

    def _wait_for_the_minute(self) -> None:
        self.set_timer(MINUTE - time.time() % MINUTE + 0.02, self._minute)

    def _minute(self) -> None:
        self._wait_for_the_minute()
        self.model.tick()
        self._minute_on_screens()

    def _minute_on_screens(self) -> None:
        for screen in self.screen_stack:
            if (minute := getattr(screen, "minute", None)) is not None:
                minute()

    # What the register tells

    def on_feed_moved(self, event: FeedMoved) -> None:
        gone = set(event.gone)
        if event.whole:
            open_now = {row["number"] for row in event.changed}
            gone.update(row["number"] for row in self.model.live.rows if row["number"] not in open_now)
        numbers = self.model.take(event.changed, gone, dict(event.people), event.seq)
        if event.me is not None and event.me != self.model.eyes.me:
            self.model.is_me(event.me)
            self.board.board.repaint()
        if event.forget:
            self._copy.save()
        if numbers:
            self.tell(IncidentsChanged, numbers)
            self._show_mine(numbers)
        elif event.people:
            self.board.board.repaint()
            self.board.redraw()
        self.tell(RegisterMoved)

    def on_spool_moved(self, event: SpoolMoved) -> None:
        here = self.board.board.cursor_number
        numbers = self.model.take_waiting(event.rows)
        if numbers:
            self.tell(IncidentsChanged, numbers)
            self._show_mine(numbers)
        if here is not None and here in event.entered:
            self._mine = event.entered[here]
            self._show_mine(frozenset({self._mine}))
        if event.said:
            self.say(event.said, event.pen)

    def on_register_opened(self, event: RegisterOpened) -> None:
        first = self.model.live.register_id != event.register_id
        gone = self.model.live.belongs_to(event.register_id)
        if first:
            self._copy.save()  # from now on this host knows which register it is: the spool asks for that
        self.model.role, self.model.timeline, self.model.named = event.role, event.timeline, event.named
        self.model.register_name = event.name or self.model.register_name
        self.model.live.seen_as = event.seen_as
        self.model.is_me(event.me)
        if gone:
            self.tell(IncidentsChanged, gone)
        self.board.board.repaint()
        self.board.redraw()

    def on_freshness_changed(self, event: FreshnessChanged) -> None:
        before, now = self.model.freshness, event.freshness
        if not now.since:  # not heard since this board was opened: what is shown is as old as its copy
            now = replace(now, since=before.since)
        self.model.freshness = now
        if now.reach is Reach.STALE and before.reach is not Reach.STALE and now.why:
            self.say(now.why, "warn")
        self.tell(FreshnessChanged, now)

    def on_verbs_learned(self, event: VerbsLearned) -> None:
        from tui.verbs import actions_of, on_board

        self.doing.offer(event.verbs)
        self.model.may = frozenset(verb.name for verb in event.verbs)
        verbs = self.opening.verbs = actions_of(event.verbs)
        self.opening.writes = self.doing.has("retry")
        self.board.offer(on_board(verbs))
        for screen in self.screen_stack[1:]:
            if (offer := getattr(screen, "offer", None)) is not None:
                offer(verbs)
            elif (may_write := getattr(screen, "may_write", None)) is not None:
                may_write(self.opening.writes)

    def on_suppliers_read(self, event: SuppliersRead) -> None:
        self.doing.suppliers_read(event)

    def on_hands_read(self, event: HandsRead) -> None:
        self.handing.read(event)

    def on_handed_to_me(self, event: HandedToMe) -> None:
        self.model.handed = event.handovers
        self.board.draw_head()

    def on_done(self, event: Done) -> None:
        self.tell(Done, event.asked, event.verb, event.number, event.said)
        if event.verb == "log" and event.number:
            self._mine = event.number
            self._show_mine(frozenset({event.number}))
        self.doing.done(event)

    def on_refused(self, event: Refused) -> None:
        self.tell(Refused, event.asked, event.verb, event.why, event.ask)
        self.doing.refused(event)

    def _show_mine(self, numbers: frozenset[str]) -> None:
        """Put the cursor on the incident that was just logged here, once it is on the board."""
        if self._mine in numbers:
            self.tell(Logged, self._mine)

    # What a person asks

    def on_vendor_asked(self, event: VendorAsked) -> None:
        self.opening.tickets(event.vendor)

    def on_ticket_asked(self, event: TicketAsked) -> None:
        self.opening.do_open(event.number, event.vendor)

    def on_action_asked(self, event: ActionAsked) -> None:
        name = event.action.id
        if name.startswith(VERB):
            self.doing.ask(name.removeprefix(VERB), event.number, self.board.moved_by_itself)
            return
        for somebody in (self, self.opening):
            if (handler := getattr(somebody, f"do_{name}", None)) is not None:
                handler(event.number)

    def on_sending_asked(self, event: SendingAsked) -> None:
        if event.action.id == "exchange":
            self.opening.exchange(event.row)
        else:
            self.doing.about_sending(event.action.id, event.row)

    def on_sheet_asked(self, event: SheetAsked) -> None:
        self.opening.sheet(event.sheet, event.number)

    def on_override_asked(self, event: OverrideAsked) -> None:
        self.doing.override(event.rota)

    def on_pause_asked(self, event: PauseAsked) -> None:
        self.doing.pause(event.vendor, paused=event.paused)

    def on_card_asked(self, event: CardAsked) -> None:
        self.doing.about_card(event.number, event.card, event.way)

    def on_command_given(self, event: CommandGiven) -> None:
        self.doing.give(event.command, event.asked)

    def on_answer_asked(self, event: AnswerAsked) -> None:
        self.handing.answer(event)

    def do_handover(self, number: str | None) -> None:
        if self.handing.may():
            self.door.read_hands()

    def do_help(self, number: str | None) -> None:
        from tui.screens.help import HelpScreen

        screen = self.screen
        actions = getattr(screen, "actions", ())
        self.push_screen(HelpScreen("What each key does", actions, self.model.signs))

    def do_zone(self, number: str | None) -> None:
        self.model.utc = not self.model.utc
        self._minute_on_screens()

    def do_redraw(self, number: str | None) -> None:
        self.redraw_all()

    def do_quit(self, number: str | None) -> None:
        """Ask, and leave at the second press."""
        if time.monotonic() - self._asked_to_leave < LEAVE_WITHIN:
            self.exit()
            return
        self._asked_to_leave = time.monotonic()
        if self.doing.under_way:
            self.say(
                "Not all that you gave is on record yet. Wait a moment, or press q again to leave.", "warn"
            )
        else:
            self.say("Press q again to leave.")

    def say(self, text: str, pen: str = "") -> None:
        """Show a sentence on the screen that is in front, or on the board behind a form."""
        self.call_later(self.release_keys)  # what was being opened is not: the keys are for what there is
        for screen in reversed(self.screen_stack):
            if (say := getattr(screen, "say", None)) is not None:
                say(text, pen)
                return

    # At the end

    def on_unmount(self) -> None:
        if (told := self._copy.at_the_end()) is not None:
            self._exit_renderables.append(told)
        self.door.stop()
