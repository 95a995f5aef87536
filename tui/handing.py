"""From the key to a handover: what is offered to whoever sits here comes first, then what they offer."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from tui.doing import Doing, why_not
from tui.messages import HandsRead
from tui.model import Model
from tui.requests import AnswerAsked

if TYPE_CHECKING:
    from textual.screen import Screen


class Handing:
    """Opens the screens of handovers. What was filled in and not offered is kept."""

    def __init__(
        self,
        model: Model,
        push: Callable[[Screen[None]], object],
        say: Callable[[str, str], object],
        doing: Doing,
    ) -> None:
        self._model, self._push, self._say, self._doing = model, push, say, doing
        self._drafts: dict[str, dict[str, Any]] = {}
        self._count = itertools.count(1)

    def may(self) -> bool:
        """Whether anything is handed over here; else it is said why not."""
        may = self._model.as_of is None and self._doing.has("handover-offer")
        if not may:
            self._say(why_not("handover-offer", self._model), "warn")
        return may

    def read(self, event: HandsRead) -> None:
        """It was read: show what waits for an answer, or else what would be handed over."""
        hands, now = event.hands, datetime.now(UTC)
        to_me, mine = hands.to_me(now), hands.mine(now)
        if to_me or mine is not None:
            from tui.screens.handed import HandedScreen

            self._push(HandedScreen(to_me[0] if to_me else mine, self._model, others=len(to_me[1:])))
        else:
            from tui.screens.handover import HandoverScreen

            asked = self._asked("handover-offer")
            self._push(HandoverScreen(hands, event.logins, asked, self._draft(""), self._model))

    def answer(self, event: AnswerAsked) -> None:
        """A key was pressed about a handover: it is accepted at once, all else is asked for in a form."""
        from register.core import VERBS
        from tui.screens.form import Form, FormScreen
        from tui.verbs import Verb

        verb, given = Verb(VERBS[event.verb]), {"handover": event.handover}
        asked = self._asked(verb.name)
        if verb.name == "handover-accept":
            self._doing.give(verb.command.model_validate(given), asked)
            return
        ground = ((f" {verb.help}", "dim"),)
        form = Form(asked, verb.title(None), verb.command, given, "Yes", ground)
        self._push(FormScreen(form, self._draft(event.handover), self._model.signs))

    def _asked(self, name: str) -> str:
        return f"{name}:h{next(self._count)}"

    def _draft(self, about: str) -> dict[str, Any]:
        return self._drafts.setdefault(about, {})
