"""One mail that came into the mailbox: is it a reply to a page, whose is it, and what does it say?

The token in what they quote proves which page it was, and for whom; and as whoever has a mail may pass it on,
the reply must come from an address that their pages go to. What nobody wrote never acknowledges.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Final

from sqlalchemy import Connection

from integrations import secrets
from integrations.acks.answering import ELSEWHERE, EMPTY, NOTED
from integrations.acks.key import Keys
from integrations.acks.reply_text import Said, candidates, is_by_itself, said_in
from integrations.acks.tokens import digest
from integrations.acks.using import Became, Outcome, Standing, acknowledge, login_of, standing_of
from integrations.errors import AuthFailed
from integrations.hand import Hand
from integrations.mail.opened import Opened, Unopened, opened
from integrations.paging import in_thread, mailed_to
from integrations.persons import person_of, principal_of
from register.core import Refused
from register.page_settings import BY_MAIL
from register.policy import Matrix
from register.store import ack_links, replies
from register.store.ack_links import AckLink
from register.store.adopted import adopted
from register.store.replies import Replied
from register.store.transaction import Transaction
from register.topics.engagement import derived_id
from register.topics.notes import Note

MOST: Final = 30
"""Replies of one person about one incident in an hour: more than that is no person."""


class Taking:
    """Deals with mails, one after the other."""

    def __init__(self, hand: Hand, env: Mapping[str, str], keys: Keys, tell: Callable[[str], object]) -> None:
        self._hand, self._env, self._keys, self._tell = hand, env, keys, tell

    async def take(self, raw: bytes) -> None:
        """Deal with a mail, if it is a reply to a page of ours that somebody wrote."""
        try:
            mail = await asyncio.to_thread(opened, raw)
        except Unopened:
            return
        if is_by_itself(mail):
            return
        token = await self._token(mail)
        if token is None:
            return
        known = await self._hand.call(lambda: self._known(mail, token))
        if known is None:
            return
        link, id_ = known
        theirs = await self.addresses(link.person)
        said = said_in(mail)
        if mail.sender not in theirs:
            note = Replied(id_, link.incident, link.person, ELSEWHERE, self._hand.now())
            await self._hand.call(lambda: self._put(note))
            return
        await self._hand.call(lambda: self._carry_out(link, id_, said))

    async def _token(self, mail: Opened) -> str | None:
        """The first token in it that is ours."""
        register = self._hand.store.register_id
        for one in candidates(mail):
            if await self._keys.proves(one, register):
                return one
        return None

    def _known(self, mail: Opened, token: str) -> tuple[AckLink, str] | None:
        """The token's row, and what this reply is known by; None where there is nothing to do for it."""
        store, sha256 = self._hand.store, digest(token)
        link = ack_links.find(store, sha256)
        if link is None:
            return None
        id_ = hashlib.sha256(f"{mail.message_id}\0{sha256}".encode("utf-8", "replace")).hexdigest()
        if replies.is_known(store, id_):
            return None
        since = self._hand.now() - timedelta(hours=1)
        if replies.how_many(store, link.incident, link.person, since) >= MOST:
            self._tell(
                f"Over {MOST} replies to pages about {link.incident} came within an hour: is it a robot?"
            )
            return None
        return link, id_

    async def addresses(self, person: str) -> dict[str, str]:
        """The mail addresses that somebody's pages go to, each with its channel."""
        key, reach = await self._hand.call(lambda: self.reach(person))
        found: dict[str, str] = {}
        for channel in reach:
            for address in await self._mailed_to(key, channel):
                found.setdefault(address, channel)
        return found

    async def _mailed_to(self, key: str, channel: str) -> frozenset[str]:
        def look() -> frozenset[str]:
            address = secrets.look(secrets.slot(key, channel), self._env)
            return frozenset() if address is None else mailed_to(address)

        try:
            return await in_thread(look, 20)
        except (AuthFailed, TimeoutError):
            return frozenset()

    def reach(self, person: str) -> tuple[str, tuple[str, ...]]:
        """Their key in matrix.toml and the names of their channels; blocking. Empty for nobody."""
        matrix, login = _matrix(self._hand), login_of(self._hand.store, person)
        key = None if login is None else person_of(matrix, login)
        return ("", ()) if key is None else (key, matrix.people[key].reach)

    def _carry_out(self, link: AckLink, id_: str, said: Said) -> None:
        """Do what they say; on the register's thread."""
        desk, now = self._hand.desk, self._hand.now()
        stands = standing_of(desk, link, now)

        def dealt(became: str) -> Replied:
            return Replied(id_, link.incident, link.person, became, now)

        if isinstance(stands, Outcome):
            self._put(dealt(stands.became))
            return
        if not said.words:
            self._put(dealt(EMPTY))
            return
        if said.more or not said.yes:
            noted = self._note(stands, id_, said.words, None if said.yes else dealt(NOTED))
            if not noted and not said.yes:
                self._put(dealt(Became.REFUSED))
        if said.yes:

            def also(connection: Connection, outcome: Outcome) -> None:
                replies.put(connection, dealt(f"{outcome.became} {outcome.by}".rstrip()))

            done = acknowledge(desk, stands, BY_MAIL, now, also)
            self._put(dealt(done.became))  # where it was refused; else it is there already

    def _note(self, stands: Standing, id_: str, words: str, dealt: Replied | None) -> bool:
        """Note what they say, once, in their name; False where a rule says no."""
        link, desk = stands.link, self._hand.desk
        note = Note(command_id=derived_id(link.page, f"reply {id_}"), target=link.incident, text=words)

        def still(transaction: Transaction) -> bool:
            return dealt is None or replies.put(transaction.connection, dealt)

        try:
            desk.do_if(principal_of(desk.store, stands.login, BY_MAIL), note, still)
        except Refused:
            return False
        return True

    def _put(self, one: Replied) -> None:
        with self._hand.store.rows_only() as connection:
            replies.put(connection, one)


def _matrix(hand: Hand) -> Matrix:
    return adopted(hand.store, hand.desk.policy).policy.matrix
