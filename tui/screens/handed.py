"""One handover, to be answered: what somebody hands over, and what whoever sits here has offered."""

from __future__ import annotations

import time
from typing import Any, ClassVar, Final

from textual.app import ComposeResult
from textual.events import Key, Resize
from textual.screen import Screen

from register.plain import one_line
from tui import actions
from tui.actions import COMMON, MOVE, Action
from tui.context import header
from tui.detail import wrapped
from tui.handing_words import Eye, head_of, offered_words, under
from tui.messages import Done, FreshnessChanged, Refused
from tui.model import Model
from tui.requests import ActionAsked, AnswerAsked, Opened
from tui.signs import plain
from tui.widgets.foot import Foot
from tui.widgets.lines import Line, Lines

TO_ME: Final = (
    Action(
        "accept", "f2", "accept", "Accept it: what is in it is yours from now on", shown=True, writes=True
    ),
    Action("decline", "d", "decline", "Say no, with the reason", shown=True, writes=True, opens=True),
)
MINE: Final = (
    Action(
        "withdraw",
        "w",
        "take it back",
        "Take it back: all stays with you",
        shown=True,
        writes=True,
        opens=True,
    ),
)
ANSWERS: Final = ("handover-accept", "handover-decline", "handover-withdraw")
REST: Final = (
    *MOVE,
    *COMMON[:1],
    Action("back", "escape", "back", "Back to where you came from", also=("q",), shown=True),
    *COMMON[1:],
)


class HandedScreen(Screen[None]):
    """Until it is accepted nothing has changed: whoever was paged is paged."""

    AUTO_FOCUS: ClassVar[str] = ""
    CSS_PATH = "../styles/sheet.tcss"

    def __init__(self, picture: Any, model: Model, others: int = 0) -> None:
        """picture: a register.store.handing.Picture of one that is open. others: that wait behind it."""
        super().__init__()
        self._picture, self.model, self._others = picture, model, others
        self._to_me = picture.handover.to == model.eyes.me
        self.actions = (*(TO_ME if self._to_me else MINE), *REST)
        self._keys = actions.by_key(self.actions)

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
        self.call_after_refresh(self._first)

    def _first(self) -> None:
        self.redraw()
        self.post_message(Opened())

    def on_resize(self, event: Resize) -> None:
        self.call_after_refresh(self.redraw)

    @property
    def opening_keys(self) -> frozenset[str]:
        """Keys after which the next ones are meant for what opens."""
        return frozenset(key for key, action in self._keys.items() if action.opens)

    def redraw(self) -> None:
        """Put all lines; only those that differ are painted."""
        width, eye = self.app.size.width, Eye.of(self.model)
        self.head.put([header(self.model, "board", width, time.time())])
        told = offered_words(self._picture.handover, eye)
        self.top.put([((f" {plain(told[:1].upper() + told[1:], self.model.signs)}", "strong"),)])
        self.body.put([line for text, pen in self._told(eye) for line in self._wrapped(text, pen, width)])
        self.draw_foot()

    def _wrapped(self, text: str, pen: str, width: int) -> list[Line]:
        bare = text.lstrip(" ")
        indent = " " * (len(text) - len(bare))
        lines = wrapped(plain(one_line(bare), self.model.signs), width - len(indent), pen)
        return [((indent, pen), *line) for line in lines] or [()]

    def _told(self, eye: Eye) -> list[tuple[str, str]]:
        handover, lines = self._picture.handover, self._picture.lines
        until = f"It lapses {eye.when(handover.lapses_at)}. Until it is accepted, pages go where they went."
        told = [(until, "dim")]
        if self._others:
            told.append((f"{self._others} more wait behind it.", "dim"))
        told += [(part, "") for part in handover.note.splitlines() if part.strip()]
        for given, title in ((True, ""), (False, "Of the team, to be told of; they stay where they are:")):
            some = [one for one in lines if one.given is given]
            told += [("", ""), *([(title, "dim")] if title else [])] if some else []
            for one in some:
                told.append((head_of(one, eye), "strong" if one.line is not None else "dim"))
                told += [(f"  {text}", "") for text in under(one, eye, handover.to)]
                told += [(f"  > {part}", "warn") for part in one.words.splitlines() if part.strip()]
        return told

    def draw_foot(self) -> None:
        self.foot.draw(self.actions, self.app.size.width)

    def _tell(self, text: str, pen: str = "") -> None:
        """Show a sentence in place of the keys until the next key. What came of an answer is told behind."""
        self.foot.say(text, pen)
        self.draw_foot()

    def on_freshness_changed(self, event: FreshnessChanged) -> None:
        self.redraw()

    def on_done(self, event: Done) -> None:
        """It is answered: what came of it is told on the screen behind."""
        if event.verb in ANSWERS:
            self.dismiss()

    def on_refused(self, event: Refused) -> None:
        if event.verb in ANSWERS:
            self._tell(event.why, "bad")

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
            self._tell("")
        if self.body.scrolled(action.id):
            return
        if action.id in ("accept", "decline", "withdraw"):
            self.post_message(AnswerAsked(f"handover-{action.id}", self._picture.handover.id))
        elif action.id == "back":
            self.dismiss()
        else:
            self.post_message(ActionAsked(action, None))
