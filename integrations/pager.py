"""From the outbox to our own people: who is asked for something is told it now, wherever they are.

Just before a page is sent it is looked at once more: what is over is not sent, and what is late never is. The
channels of a person are tried in their order until one takes it; where none does, all are tried again until
the page expires, and then the incident says that nobody was reached.

A page may come twice where a worker was killed between sending it and writing that down, or where a service
gave no answer in time: rather twice than not at all. Otherwise it comes once. None waits for a supplier, and
nobody waits long for somebody else's pages.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic
from typing import Final, NamedTuple

from tenacity import wait_exponential_jitter
from tenacity.wait import wait_base

from integrations.acks.key import Keys
from integrations.acks.offer import Offers
from integrations.at_once import AtOnce
from integrations.hand import Hand
from integrations.outcomes import Timing
from integrations.page_look import Ready, Seen, are_answered, look
from integrations.page_text import Words
from integrations.paging import send
from register.core import Command, Principal, Refused, Role
from register.store import RegisterUnavailable, pages
from register.store.pages import PageRow
from register.topics.paging import (
    ConfirmPage,
    MissPage,
    Tried,
    went_wrong,
)

PAGER: Final = Principal("muster", Role.ENGINE, "pager")
SELDOM: Final = 0.2
"""Seconds between two looks while nothing is in the air: suppliers' answers are committed by the hundred."""
JOINING: Final = 0.02
"""Seconds that room is left free for more of it to come: what is claimed together shares a commit."""
Send = Callable[[str, str, Words, float, Mapping[str, str]], Awaitable[Tried]]


RETRY: Final = wait_exponential_jitter(multiplier=5, max=60, jitter=2)


@dataclass(frozen=True, slots=True)
class Patience:
    """The pager's waits, injectable so that tests need not wait. Seconds.

    channel: for one channel. whole: for all of a person's. margin: how much longer others leave it alone.
    retry: after a try that reached nobody. most, each: pages in the air, in all and of one person. What is
    there longer than `slow` hangs and takes nobody's place, up to `utmost` in all. away, again: how long, and
    how often, what became of one is tried to be written down while the register is away.
    """

    channel: float = 20.0
    whole: float = 60.0
    margin: float = 10.0
    retry: wait_base = RETRY
    most: int = 128
    each: int = 4
    slow: float = 2.0
    utmost: int = 128
    away: float = 1_800.0
    again: float = 2.0


class Flying(NamedTuple):
    """A page in the air. since: monotonic."""

    row: PageRow
    since: float


class Pager:
    """Sends what is due. `fault` is called at each point at which a test may kill the process."""

    def __init__(
        self,
        hand: Hand,
        env: Mapping[str, str],
        holder: str,
        *,
        patience: Patience | None = None,
        fault: Callable[[str], None] = lambda point: None,
        tell: Callable[[str], object] = print,
        busy: Callable[[], object] = lambda: None,
        through: Send = send,
        now: Callable[[], datetime] | None = None,
    ) -> None:
        self._hand = hand
        self._now = now or hand.now
        self._env = env
        self._holder = holder
        self._patience = patience or Patience()
        self._timing = Timing(retry=self._patience.retry)
        self._fault = fault
        self._tell = tell
        self._busy = busy
        self._through = through
        self._offers = Offers(Keys(env, tell, hand.now))
        self._looks: AtOnce[PageRow, Seen] = AtOnce(self._look)
        self._news = asyncio.Event()
        self._flying: dict[asyncio.Task[None], Flying] = {}
        self._ending = False
        self._due: datetime | None = None  # when the next one is, as of the last look

    def wake(self) -> None:
        """Something was committed: perhaps somebody is to be paged."""
        self._news.set()

    async def run(self, *, sole: bool, stop: asyncio.Event) -> None:
        """Send until told to stop; then wait for what is in the air. sole: no other worker can be alive."""
        lost = timedelta(days=1) if sole else timedelta(0)
        try:
            while not stop.is_set():
                self._news.clear()
                try:
                    some = await self.step(lost)
                    lost = timedelta(0)
                except RegisterUnavailable as error:
                    self._tell(str(error))
                    some, self._due = False, self._now() + timedelta(seconds=2)
                if not some:
                    await self._rest(stop)
                    if not stop.is_set():
                        await asyncio.sleep(JOINING if self._flying else SELDOM)
        finally:
            self._ending = True
            await self.landed()
            self._ending = False

    async def step(self, lost: timedelta = timedelta(0)) -> bool:
        """Take what is due and send it off; whether there was anything. lost: see `pages.claim`."""
        room = self._room()
        if room <= 0:
            return False
        claimed, deadline = await self._hand.call(lambda: self._claim(room, lost))
        for row in claimed:
            self._busy()
            task = asyncio.create_task(self.deliver(row, deadline), name=f"page {row.row_id}")
            self._flying[task] = Flying(row, monotonic())
            task.add_done_callback(self._landed)
        return bool(claimed)

    def _room(self) -> int:
        """How many more may go into the air."""
        edge = monotonic() - self._patience.slow
        quick = sum(one.since > edge for one in self._flying.values())
        return min(self._patience.most - quick, self._patience.utmost - len(self._flying))

    def _claim(self, room: int, lost: timedelta) -> tuple[list[PageRow], datetime]:
        """What is to be sent now, and until when. Its times are of the moment when it is asked."""
        patience, store, now = self._patience, self._hand.store, self._now()
        deadline = now + timedelta(seconds=patience.whole)
        due = self._due = pages.next_due(store)
        if due is None or due > now + lost:
            return [], deadline
        until = deadline + timedelta(seconds=patience.margin)
        self._offers.wanted = are_answered(store, self._hand.desk.policy)
        busy = Counter(one.row.person for one in list(self._flying.values()))
        found = pages.claim(store, self._holder, now, deadline, until, now + lost, room, patience.each, busy)
        return found, deadline

    async def landed(self) -> None:
        """Wait until nothing is in the air."""
        await asyncio.gather(*self._flying, return_exceptions=True)

    async def until_quiet(self) -> None:
        """Step until nothing is due and nothing is in the air (for tests and one-off runs)."""
        while await self.step() or self._flying:
            await self.landed()

    async def deliver(self, row: PageRow, deadline: datetime) -> None:
        """One try of one page, by each channel in turn; what came of it is committed before this returns."""
        self._fault("page claimed")
        tried: list[Tried] = []
        while True:
            ready = await self._looks.ask(row)
            if not isinstance(ready, Ready):
                await self._write(ready)
                return
            left = (deadline - self._now()).total_seconds()
            channel = next(iter(ready.reach[len(tried) :]), None)
            if channel is None or left <= 0:
                break
            seconds = min(left, self._patience.channel)
            tried.append(await self._through(ready.person, channel, ready.words, seconds, self._env))
            if tried[-1].ok:
                self._fault("page sent")
                arrived = ConfirmPage(row_id=row.row_id, tries=row.tries, tried=tuple(tried))
                await self._write(arrived)
                self._fault("page settled")
                return
        await self._missed(row, ready, tuple(tried))

    async def _missed(self, row: PageRow, ready: Ready, tried: tuple[Tried, ...]) -> None:
        """Nobody was reached: try again before it expires. The story tells what is new, and the end of it."""
        if not ready.reach:
            why = f"matrix.toml has nothing that {ready.name} can be reached by: give them a `reach`"
            await self._write(MissPage(row_id=row.row_id, tries=row.tries, why=why))
            return
        now, why = self._now(), went_wrong(tried)
        again = min(now + self._timing.backoff(row.tries), row.expires_at)
        if why != row.why:
            missed = MissPage(row_id=row.row_id, tries=row.tries, tried=tried, next_at=again)
            await self._write(missed)
            return
        await self._hand.call(lambda: pages.wait(self._hand.store, row, again, why, now))

    async def _write(self, command: Command) -> None:
        """Have it on record. While the register is away it is tried again: what was sent was sent."""
        until = self._now() + timedelta(seconds=self._patience.away)
        while True:
            try:
                await self._hand.do(PAGER, command)
            except RegisterUnavailable as error:
                if self._ending or self._now() >= until:
                    raise
                self._tell(f"What became of a page is not written down yet: {error}")
                await asyncio.sleep(self._patience.again)
            else:
                return

    async def _look(self, rows: list[PageRow]) -> list[Seen | Exception]:
        """Look at pages once more, as things stand when the register is asked."""
        hand, offers = self._hand, self._offers
        await offers.prepare()
        return await hand.call(lambda: look(hand.store, hand.desk.policy, rows, self._now(), offers))

    def _landed(self, task: asyncio.Task[None]) -> None:
        row = self._flying.pop(task).row
        self._offers.forget(row)
        self._news.set()  # there is room again
        error = None if task.cancelled() else task.exception()
        if isinstance(error, RegisterUnavailable | Refused):
            self._tell(f"A page for {row.incident} is not written down yet: {error}")
        elif error is not None:
            self._tell(
                f"A page for {row.incident} stopped by a fault of Muster: {type(error).__name__}."
                " It is tried again."
            )

    async def _rest(self, stop: asyncio.Event) -> None:
        """Wait for news, or until something falls due; five seconds at most."""
        left = 5.0 if self._due is None else (self._due - self._now()).total_seconds()
        full = left <= 0  # it is due and has no room: an end makes some, and is news
        waits = {asyncio.create_task(self._news.wait()), asyncio.create_task(stop.wait())}
        seconds = 1.0 if full else min(5.0, left)
        try:
            await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
