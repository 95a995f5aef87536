"""Replies to mailed pages: who says in one that they have it, has it; what else they say is noted.

Each reply is dealt with once, whatever dies meanwhile, and whoever wrote it is told what came of it, by a
channel of theirs. Of several workers one looks into the mailbox, in which nothing is changed.
"""

from __future__ import annotations

import asyncio
import imaplib
import ssl
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from functools import partial
from typing import Final

from integrations import secrets
from integrations.acks.answering import answer_of
from integrations.acks.inbox import Found, Inbox
from integrations.acks.key import Keys
from integrations.acks.taking import Taking
from integrations.errors import AuthFailed, Failure
from integrations.hand import Hand
from integrations.leasing import Leasing
from integrations.page_text import Words
from integrations.paging import in_thread, send
from register.page_settings import Replies
from register.policy import Matrix
from register.store import RegisterUnavailable, replies
from register.store.adopted import adopted
from register.store.replies import Replied
from register.topics.paging import Tried

EVERY: Final = 10.0
"""Seconds between two looks into the mailbox."""
TROUBLED: Final = 60.0
"""Seconds until it is tried again where it could not be looked into."""
UNUSED: Final = 30.0
"""Seconds between two looks whether there is a mailbox to look into."""
LEASE: Final = "page.replies"
"""Of several workers one looks; no supplier's name has a dot."""
TRIES: Final = 8
"""So often somebody is tried to be told; at first after half a minute, then each time twice as long."""
_NETWORK: Final = (OSError, imaplib.IMAP4.error, ValueError, TimeoutError)
Send = Callable[[str, str, Words, float, Mapping[str, str]], Awaitable[Tried]]


class ReplyReader:
    """Reads the mailbox of a register, and answers."""

    def __init__(
        self,
        hand: Hand,
        env: Mapping[str, str],
        leasing: Leasing,
        tell: Callable[[str], object],
        *,
        tls: ssl.SSLContext | None = None,
        through: Send = send,
    ) -> None:
        self._hand, self._env, self._leasing, self._tell = hand, env, leasing, tell
        self._tls = tls
        self._through = through
        self._taking = Taking(hand, env, Keys(env, tell, hand.now), tell)
        self._inbox: Inbox | None = None

    async def keep(self, *, sole: bool) -> None:
        """Look again and again, for ever."""
        try:
            while True:
                try:
                    wait = await self.step(sole=sole)
                except RegisterUnavailable as error:
                    self._tell(f"Replies to pages are not taken in now: {error}")
                    wait = TROUBLED
                await asyncio.sleep(wait)
        finally:
            self._close()

    async def step(self, *, sole: bool) -> float:
        """Look once, deal with what came, tell whom there is to tell; seconds until the next look."""
        matrix = await self._hand.call(self._matrix)
        settings = matrix.pages.replies
        if settings is None:
            self._close()
            return UNUSED
        if not sole and not await self._leasing.keeps(LEASE):
            self._close()
            return UNUSED
        wait = await self._read(settings)
        for one in await self._hand.call(lambda: replies.unanswered(self._hand.store, self._hand.now())):
            await self._answer(one)
        return wait

    def _matrix(self) -> Matrix:
        return adopted(self._hand.store, self._hand.desk.policy).policy.matrix

    def _close(self) -> None:
        inbox, self._inbox = self._inbox, None
        if inbox is not None:
            inbox.close()

    async def _read(self, settings: Replies) -> float:
        store, name = self._hand.store, f"{settings.imap} {settings.user} {settings.folder}"
        try:
            inbox = await self._opened(settings)
            place = await self._hand.call(lambda: replies.place(store, name))
            found = await self._looked(inbox, place)
        except (Failure, *_NETWORK) as error:
            why = _why(error)
            self._close()
            self._tell(
                f"Replies to pages cannot be read: {why} Pages are acknowledged by link or `muster ack`."
            )
            return TROUBLED
        for raw in found.mails:
            await self._taking.take(raw)
        if place != (found.validity, found.uid):
            await self._hand.call(lambda: replies.put_place(store, name, found.validity, found.uid))
        return 0.0 if found.more else EVERY

    async def _opened(self, settings: Replies) -> Inbox:
        secret = await in_thread(partial(secrets.look, secrets.PAGE_REPLIES, self._env), 10)
        if secret is None:
            raise AuthFailed("its password is not stored where Muster serves: `muster page replies login`.")
        kept = self._inbox
        if kept is None or (kept.settings, kept.secret) != (settings, secret):
            from integrations.trust import trusted

            self._close()
            kept = self._inbox = Inbox(settings, secret, self._tls or trusted())
        return kept

    async def _looked(self, inbox: Inbox, place: tuple[int, int] | None) -> Found:
        """In a thread; where nobody waits any more, what waits there ends."""
        try:
            return await in_thread(partial(inbox.look, place, self._hand.now()), 60)
        except (asyncio.CancelledError, TimeoutError):
            inbox.close()
            raise

    # What they are told

    async def _answer(self, one: Replied) -> None:
        """Tell somebody what came of their reply: by mail first, for so they wrote."""
        words = await self._hand.call(lambda: answer_of(self._hand.desk, one))
        key, reach = await self._hand.call(lambda: self._taking.reach(one.person))
        mails = set((await self._taking.addresses(one.person)).values())
        told = words is None
        for channel in sorted(reach, key=lambda name: name not in mails):
            if words is not None and (await self._through(key, channel, words, 20.0, self._env)).ok:
                told = True
                break
        again = None if told or one.tries + 1 >= TRIES else self._hand.now() + _later(one.tries)
        if not told and again is None:
            self._tell(f"Somebody could not be told what came of their reply about {one.incident}.")
        await self._hand.call(lambda: replies.tried(self._hand.store, one, again))


def _later(tries: int) -> timedelta:
    return timedelta(seconds=30 * 2**tries)


def _why(error: Exception) -> str:
    if isinstance(error, AuthFailed):
        return secrets.cause(error)
    if isinstance(error, Failure):
        return error.why
    return f"the mailbox cannot be reached ({type(error).__name__})."
