"""One supplier, served: its courier and its collector, as long as it may be spoken to.

Each has its own, with its own end, so that none waits for what another one does or fails to do.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from time import monotonic
from typing import Final

from integrations.budget import Budget
from integrations.collector import Collector
from integrations.courier import Courier
from integrations.errors import AuthFailed
from integrations.hand import COURIER, Hand
from integrations.leasing import Leasing
from integrations.listening import Listener
from integrations.outcomes import Timing
from integrations.pins import look
from integrations.secrets import resolve
from integrations.vendor import Vendor
from integrations.vendors import connector_for
from register.core import Refused
from register.store import RegisterUnavailable, outbox, vendors
from register.topics.pausing import ResumeVendor

TOGETHER: Final = 0.001
"""Seconds to wait for other answers when one has come: one step then fills all their places."""

ONCE_MORE: Final = 60.0
"""Seconds until a credential is tried once more of which the supplier could not say whether it is right."""


@dataclass(frozen=True, slots=True)
class Means:
    """What serving any supplier takes. busy: to be called when there was something to send."""

    hand: Hand
    leasing: Leasing
    env: Mapping[str, str]
    timing: Timing | None
    fault: Callable[[str], None]
    tell: Callable[[str], object]
    busy: Callable[[], object]
    sole: bool  # no other worker can be alive


class Speaking:
    """Begins at once, after the one before it has ended. place: among all suppliers of this process."""

    def __init__(self, means: Means, vendor: Vendor, place: int, after: Speaking | None = None) -> None:
        self.vendor = vendor
        self._means = means
        self._place = place
        self._stop = asyncio.Event()
        self._news = asyncio.Event()
        self._listener: Listener | None = None
        self._not_before = 0.0  # of the monotonic clock: until then no other credential is tried
        self._used = ""  # digest of the credential that was used last: it is not tried once more
        self.task = asyncio.create_task(self._run(after), name=vendor.name)

    @property
    def stopped(self) -> bool:
        """Whether it has ended, or is about to."""
        return self._stop.is_set() or self.task.done()

    def stop(self) -> None:
        """End soon: claim nothing more, wait for what is in the air."""
        self._stop.set()
        self._news.set()

    def wake(self) -> None:
        """Something was committed: perhaps there is something to send."""
        self._news.set()

    def ask(self) -> None:
        """Somebody says that the supplier has news: listen now."""
        if self._listener is not None:
            self._listener.ask()

    async def _run(self, after: Speaking | None) -> None:
        """Wait until it may be spoken to, speak, begin anew when its credential is mended."""
        if after is not None:
            await asyncio.wait({after.task})
        name, means = self.vendor.name, self._means
        first = means.sole
        while not self._stop.is_set():
            try:
                leads = await means.leasing.has(name, means.sole)
                if leads and (not await self._paused() or await self._mended()):
                    await self._speak(take_over=first)
                    first = False
                    continue
            except AuthFailed as failure:
                await self._note(failure.why)
            except (RegisterUnavailable, Refused) as error:
                means.tell(str(error))
            except Exception as error:
                why = f"Sending stopped by a fault of Muster: {type(error).__name__}. It goes on trying."
                means.tell(f"{name}: {why}")
                await self._note(why)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stop.wait(), 2)

    async def _speak(self, *, take_over: bool) -> None:
        means, vendor = self._means, self.vendor
        connector = connector_for(vendor, self._secret, env=means.env)
        budget = Budget(means.hand, vendor, connector)

        def pin_of(vendor: str, name: str) -> str | None:
            return look(vendor, name, means.env)

        courier = Courier(
            means.hand, vendor, connector, means.leasing.holder, means.timing, means.fault, budget, pin_of
        )
        collector = Collector(means.hand, vendor, connector, budget)
        self._listener = Listener(means.hand, vendor, collector, means.tell, self._place)
        try:
            if take_over:
                await courier.take_over()
            listening = asyncio.create_task(self._listener.run(), name=f"listen {vendor.name}")
            try:
                await self._send(courier, self._listener)
            finally:
                listening.cancel()
                await asyncio.gather(listening, return_exceptions=True)
                await asyncio.gather(*courier.flying, return_exceptions=True)
        finally:
            self._listener = None
            await connector.http.aclose()

    async def _send(self, courier: Courier, listener: Listener) -> None:
        vendor, means = self.vendor, self._means
        next_due = partial(outbox.next_due, means.hand.store, vendor.name)
        while not self._stop.is_set():
            self._news.clear()
            courier.has_room.clear()
            if await courier.step():
                means.busy()
                listener.stir()
            if courier.standing.paused or not await means.leasing.keeps(vendor.name):
                return
            due = courier.next_at(await means.hand.call(next_due))
            # while all places are taken only an end makes room, and no news does
            await _any_of(
                courier.has_room,
                *([self._news] if courier.room > 0 else []),
                seconds=_until(due, flying=bool(courier.flying)),
            )
            if courier.flying:
                await asyncio.sleep(TOGETHER)

    async def _paused(self) -> bool:
        store, name = self._means.hand.store, self.vendor.name
        return (await self._means.hand.call(lambda: vendors.standing(store, name))).paused

    def _secret(self, name: str) -> str:
        found = resolve(name, self._means.env)
        self._used = _digest(found)
        return found

    async def _mended(self) -> bool:
        """Whether it is paused for a credential that we used, and another one is here that works."""
        means, vendor, before = self._means, self.vendor, self._used
        hand = means.hand
        if not before or monotonic() < self._not_before:
            return False
        if await self._held_back():
            return False
        if _digest(await asyncio.to_thread(resolve, vendor.name, means.env)) == before:
            return False
        connector = connector_for(vendor, self._secret, env=means.env)
        try:
            health = await connector.check()
        finally:
            await connector.http.aclose()
        if health.ok:  # a person may hold it back since it was asked
            why = "another credential is here, and its check passes"
            resume = ResumeVendor(vendor=vendor.name, why=why)
            return bool((await hand.do(COURIER, resume)).events)
        if any(check.passing for check in health.checks):  # that says nothing of the credential
            self._used, self._not_before = before, monotonic() + ONCE_MORE
        return False

    async def _held_back(self) -> bool:
        """Whether a person holds it back: then a person lets it go on. False where nothing does any more."""
        hand, name = self._means.hand, self.vendor.name
        paused = await hand.call(lambda: vendors.paused(hand.store))
        return name in paused and paused[name][1]

    async def _note(self, why: str) -> None:
        hand, name = self._means.hand, self.vendor.name
        store, now = hand.store, hand.now()
        with contextlib.suppress(RegisterUnavailable):
            await hand.call(lambda: vendors.heard_from(store, name, now, why))


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _until(due: datetime | None, *, flying: bool) -> float:
    """Seconds to wait before looking again: until something falls due, five at most.

    flying: something is in the air, whose end wakes anyway; what is due may be waiting for room.
    """
    if due is None:
        return 5.0
    return min(5.0, max(1.0 if flying else 0.05, (due - datetime.now(UTC)).total_seconds()))


async def _any_of(*events: asyncio.Event, seconds: float) -> None:
    """Wait until one of these is set, or for so long."""
    waits = [asyncio.create_task(event.wait()) for event in events]
    await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    for wait in waits:
        wait.cancel()
