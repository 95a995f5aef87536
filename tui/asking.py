"""What a person asks of the register, done on a thread of its own; what comes of it is posted.

Nothing heavy is imported here before it is needed: the first paint waits for this module.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from register.provisional import is_provisional
from tui.door import Post
from tui.hands import Hands
from tui.keeping import Keeper
from tui.messages import Done, Refused, RequestShown
from tui.session import Session

if TYPE_CHECKING:
    from textual.message import Message

    from register.core import Command
    from register.store import Store

LEAVE_WITHIN: Final = 12.0
"""Seconds for which leaving waits for a command that is under way: longer than for any lock."""
AWAY: Final = "The register does not answer."
_UNSURE: Final = "It may be on record or not: look before you repeat it."


class Asker:
    """One after another. All methods but `stop` return at once."""

    def __init__(self, session: Session, post: Post, keeper: Keeper, answered: Callable[[], object]) -> None:
        """answered: called whenever the register has answered."""
        self.away = False  # it does not answer: what can wait goes into the spool at once
        self._session = session
        self._post = post
        self._keeper = keeper
        self._answered = answered
        self._hands = Hands("muster-register", lambda error: post(Refused("", "", _failed(error))))
        self._store: Store | None = None  # of the hands alone
        self._under_way: dict[str, Command] = {}  # by the word each was asked with

    def stop(self) -> None:
        """Wait for what is under way; what the register does not take then is kept."""
        self._hands.stop(LEAVE_WITHIN if self._under_way and not self.away else 1.0)
        self.give_up()

    def ask(
        self,
        work: Callable[[Store], object],
        failed: Callable[[str], object],
        away: Callable[[str], object] | None = None,
    ) -> None:
        """Do this with the register; where it cannot be used, `failed` gets a sentence.

        away: gets it instead where nobody answers.
        """
        self._hands.give(lambda: self._carefully(work, failed, away or failed))

    def _carefully(
        self,
        work: Callable[[Store], object],
        failed: Callable[[str], object],
        away: Callable[[str], object],
    ) -> None:
        from register.store import RegisterAway, RegisterUnavailable, open_store

        try:
            if self._store is None:
                self._store = open_store(self._session.register_url)
            work(self._store)
            self._answered()
        except RegisterUnavailable as error:
            self._store = None
            (away if isinstance(error, RegisterAway) else failed)(str(error))
        except Exception as error:
            failed(_failed(error))

    def do(self, command: Any, asked: str) -> None:
        """Carry out a command; what can wait is kept where nobody answers. Done or Refused arrives."""
        if self.away and command.keeps:
            self._keeper.keep(command, asked, AWAY)
            return
        self._under_way[asked] = command

        def answer(message: Message) -> None:
            if self._under_way.pop(asked, None) is not None:  # else it was given up meanwhile
                self._post(message)

        def away(why: str) -> None:
            if self._under_way.pop(asked, None) is not None:
                self._keeper.keep(command, asked, why)

        self.ask(
            lambda store: answer(self._done(store, command, asked)),
            lambda why: answer(Refused(asked, command.verb, why)),
            away,
        )

    def _done(self, store: Store, command: Any, asked: str) -> Message:
        from register.core import Refused as RuleSaidNo
        from register.desk import ServiceDesk
        from tui.who import policy, principal

        target = command.target if command.on_incident else ""
        if is_provisional(target) and (number := self._keeper.meant(target)) is not None:
            command = command.model_copy(update={"target": number})
        desk = ServiceDesk(store, policy(store, self._session, "board"))
        try:
            receipt = desk.do(principal(store, self._session, "board"), command)
        except RuleSaidNo as no:
            return Refused(asked, command.verb, no.sentence, no.ask)
        said = "" if command.of_one else " ".join(receipt.remarks)
        return Done(asked, command.verb, receipt.number, said)

    def rehearse(self, command: Any, asked: str) -> None:
        """Show what a command would make go to a supplier; do nothing. RequestShown or Refused arrives."""
        self.ask(
            lambda store: self._post(self._rehearsed(store, command, asked)),
            lambda why: self._post(Refused(asked, command.verb, why)),
        )

    def _rehearsed(self, store: Store, command: Any, asked: str) -> Message:
        from integrations.policy_files import vendors_now
        from register.core import Refused as RuleSaidNo
        from register.desk import ServiceDesk
        from register.toml_file import FileFaults
        from tui.rehearsing import goes, lines
        from tui.who import env_of, policy, principal

        desk = ServiceDesk(store, policy(store, self._session, "board"))
        try:
            receipt = desk.would(principal(store, self._session, "board"), command)
            told = goes(receipt, store, lambda: vendors_now(store, env_of(self._session)))
        except RuleSaidNo as no:
            return Refused(asked, command.verb, no.sentence, no.ask)
        except FileFaults as error:
            return Refused(asked, command.verb, error.faults[0])
        return RequestShown(asked, (*(line for one in told for line in lines(one)), *receipt.remarks))

    def give_up(self) -> None:
        """Wait no longer for what is under way: it is kept under the id it was sent with, or told."""
        for asked in list(self._under_way):
            command = self._under_way.pop(asked, None)
            if command is not None:
                self._keeper.keep(command, asked, AWAY if command.keeps else f"{AWAY} {_UNSURE}")


def _failed(error: Exception) -> str:
    return f"Muster itself failed at this ({type(error).__name__}: {error}). Look before you repeat it."
