"""The worker's tick comes when something falls due, not only when it would come anyway."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

from page_kit import engage_urgently

from integrations.hand import Hand
from integrations.ticking import Ticker
from register.core import Policy, VendorFacts
from register.desk import ServiceDesk, kinds
from register.matrix_toml import read_matrix
from register.store import Store
from register.topics.calling import CONFIRM_WITHIN
from register.watch import next_after
from tests.register.escalating import MATRIX, urgent


async def test_what_falls_due_between_two_ticks_is_done_then(own_store: Store) -> None:
    store = own_store
    policy = Policy(vendors={"acme": VendorFacts("acme", "Acme (sample)", production=True)})
    began = datetime.now(UTC)
    ahead = CONFIRM_WITHIN - timedelta(seconds=1)  # so that two minutes are over in a moment

    def clock() -> datetime:
        return datetime.now(UTC) + shift

    shift = timedelta(0)
    hand = Hand(ServiceDesk(store, policy, clock), clock)
    number, _ = engage_urgently(hand.desk)
    due = next_after(store, clock())
    assert due is not None
    assert CONFIRM_WITHIN <= due - began <= CONFIRM_WITHIN + timedelta(seconds=30)
    assert next_after(store, due) is None
    shift = ahead
    ticking = asyncio.create_task(Ticker(hand, print, every=3_600).run())
    async with asyncio.timeout(30):
        while kinds(store.timeline(number))[-1] != "call_due":
            await asyncio.sleep(0.05)
    ticking.cancel()
    await asyncio.gather(ticking, return_exceptions=True)
    hand.close()


async def test_what_is_due_as_it_is_committed_is_done_at_once(own_store: Store) -> None:
    """An incident asks for somebody when it is logged, not when it would be looked at anyway."""
    store = own_store
    desk = ServiceDesk(store, Policy(matrix=read_matrix(MATRIX), version=1))
    hand = Hand(desk)
    ticker = Ticker(hand, print, every=3_600)
    ticking = asyncio.create_task(ticker.run())
    await asyncio.sleep(0.5)  # it has looked, and found nothing
    number = await hand.call(lambda: urgent(desk))
    ticker.wake()
    async with asyncio.timeout(30):
        while "step_fired" not in kinds(store.timeline(number)):
            await asyncio.sleep(0.05)
    ticking.cancel()
    await asyncio.gather(ticking, return_exceptions=True)
    hand.close()
