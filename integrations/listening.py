"""When a supplier is asked for news: its collector, driven at a pace that follows what goes on there."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from integrations.collector import Collector
from integrations.hand import Hand
from integrations.pacing import LONGEST, RINGING_FOR, Pace, Scene, Why, is_working, pace_of
from integrations.vendor import Vendor
from register.core import Refused
from register.store import RegisterUnavailable, hooks, vendors
from register.store.adopted import adopted
from register.store.listening import Listening, has_open_bonds, has_urgent, listening, put_listening

SPREAD: Final = timedelta(milliseconds=100)
"""What lies between the first polls of two suppliers that are all overdue, as after a restart."""
MARK: Final = timedelta(minutes=1)
"""How far what is kept of the last activity may lie behind."""
AT_MOST: Final = timedelta(seconds=1)
"""Between two polls that are asked for: of a hundred webhooks that come at once each may be the last."""


class Listener:
    """One supplier's. place: its place among all suppliers of this process, for their first polls."""

    def __init__(
        self,
        hand: Hand,
        vendor: Vendor,
        collector: Collector,
        tell: Callable[[str], object],
        place: int = 0,
    ) -> None:
        self._hand = hand
        self._vendor = vendor
        self._collector = collector
        self._tell = tell
        self._place = place
        self._fastest = timedelta(seconds=vendor.poll_seconds)
        self._last: datetime | None = None
        self._active: datetime | None = None
        self._kept = Listening()
        self._failures = 0
        self._woken = asyncio.Event()
        self._asked = False
        self._rung_at: datetime | None = None
        self._missed = False  # news came of which no webhook had told
        self._once_more: datetime | None = None  # when a feed that lags tells what a webhook told of

    def stir(self) -> None:
        """Something was sent there: an answer may come soon."""
        self._active = self._hand.now()
        self._woken.set()

    def ask(self) -> None:
        """Somebody says that there is news: poll at once."""
        self._asked = True
        self._woken.set()

    async def run(self) -> None:
        """Poll for ever. What fails for our own fault is told, and goes on."""
        due = await self.begin()
        while True:
            await self._until(due)
            due = await self.turn()

    async def begin(self) -> datetime:
        """When to poll first: when it was due before a restart; what is overdue, one by one."""
        store, name, now = self._hand.store, self._vendor.name, self._hand.now()
        kept = self._kept = await self._hand.call(lambda: listening(store, name))
        self._active = kept.active_at
        first = now + self._place * SPREAD
        bell = await self._hand.call(lambda: hooks.bell(store, name))
        if kept.polled_at is None or bell.waits:
            return first
        longest = max(LONGEST, self._fastest)
        return max(first, min(kept.polled_at + timedelta(seconds=kept.every), now + longest))

    async def turn(self) -> datetime:
        """Poll once; return when to poll again."""
        self._asked = False
        self._last = self._hand.now()
        try:
            await self._poll()
            return await self._next()
        except (RegisterUnavailable, Refused) as error:
            self._tell(str(error))
        except Exception as error:  # a fault of ours must not make a supplier unheard without a word
            why = f"Listening failed by a fault of Muster: {type(error).__name__}. It goes on trying."
            self._tell(f"{self._vendor.name}: {why}")
            await self._note(why)
        return self._hand.now() + self._fastest

    async def _poll(self) -> None:
        """Ask for news. Webhooks that came before are answered by it, even if it fails: polling goes on."""
        store, name = self._hand.store, self._vendor.name
        bell = await self._hand.call(lambda: hooks.bell(store, name))
        news = await self._collector.poll()
        if news:
            self._active = self._hand.now()
        self._failures = self._failures + 1 if self._collector.failure is not None else 0
        self._rung_at = bell.rung_at
        self._once_more = None
        if bell.waits:
            await self._hand.call(lambda: hooks.answered(store, name, bell.rung))
            lag = self._vendor.info.feed_lag
            self._once_more = self._hand.now() + lag if lag and not news else None
        self._missed = not bell.waits and (self._missed or news > 0)

    async def _next(self) -> datetime:
        pace = await self.pace()
        due = (self._last or self._hand.now()) + pace.every
        due = due if self._once_more is None else min(due, self._once_more)
        await self._keep(pace)
        wait = await self._collector.asked_until()
        return due if wait is None else max(due, wait)

    async def pace(self) -> Pace:
        """How often to ask, as things stand now. What costs a question is asked only where it decides."""
        now = self._hand.now()
        rings = self._rung_at is not None and now - self._rung_at < RINGING_FOR and not self._missed
        scene = Scene(self._active, failures=self._failures, rings=rings)
        busy = pace_of(scene, self._fastest, now)
        if busy.why in (Why.HOT, Why.WARM) or scene.failures:
            return busy
        return pace_of(await self._hand.call(lambda: self._whole(scene, now)), self._fastest, now)

    def _whole(self, scene: Scene, now: datetime) -> Scene:
        store, name = self._hand.store, self._vendor.name
        policy = adopted(store, self._hand.desk.policy).policy
        return replace(
            scene,
            open_bonds=has_open_bonds(store, name),
            urgent=has_urgent(store, name),
            working=is_working(policy.matrix, name, now),
        )

    async def _keep(self, pace: Pace) -> None:
        """Have the register know how often it is, where that is another than it knows."""
        now = Listening(None, round(pace.every.total_seconds()), pace.why, self._active)
        before = self._kept
        aged = now.active_at is not None and (
            before.active_at is None or now.active_at - before.active_at > MARK
        )
        if aged or (now.every, now.why) != (before.every, before.why):
            store, name = self._hand.store, self._vendor.name
            await self._hand.call(lambda: put_listening(store, name, now))
            self._kept = now

    async def _until(self, due: datetime) -> None:
        """Wait until then; what is sent meanwhile brings it nearer, what somebody says makes it now."""
        while True:
            now = self._hand.now()
            due = min(due, self._soonest()) if self._asked else due
            if due <= now:
                return
            self._woken.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), (due - now).total_seconds())
                due = await self._nearer(due)

    def _soonest(self) -> datetime:
        """When it may be asked again because somebody says so; one in trouble no sooner than otherwise."""
        last = self._last or self._hand.now()
        return last + (self._fastest if self._failures else min(AT_MOST, self._fastest))

    async def _nearer(self, due: datetime) -> datetime:
        soon = max(self._hand.now(), (self._last or self._hand.now()) + self._fastest)
        wait = await self._collector.asked_until()
        return min(due, soon) if wait is None else max(wait, min(due, soon))

    async def _note(self, why: str) -> None:
        store, name, now = self._hand.store, self._vendor.name, self._hand.now()
        with contextlib.suppress(RegisterUnavailable):
            await self._hand.call(lambda: vendors.heard_from(store, name, now, why))
