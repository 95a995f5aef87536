"""The worker's tick comes when something falls due, not only when it would come anyway."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

from page_kit import engage_urgently

from integrations.hand import Hand
from integrations.ticking import keep_ticking
from register.core import Policy, VendorFacts
from register.desk import ServiceDesk, kinds
from register.store import Store
from register.topics.calling import CONFIRM_WITHIN
from register.watch import next_after


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
    ticking = asyncio.create_task(keep_ticking(hand, print, every=3_600))
    async with asyncio.timeout(30):
        while kinds(store.timeline(number))[-1] != "call_due":
            await asyncio.sleep(0.05)
    ticking.cancel()
    await asyncio.gather(ticking, return_exceptions=True)
    hand.close()
