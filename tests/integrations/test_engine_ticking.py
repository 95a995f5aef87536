"""The worker's tick comes when something falls due, not only when it would come anyway."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

from page_kit import engage_urgently

from integrations.hand import Hand
from integrations.steady_clock import SteadyClock
from integrations.ticking import Ticker
from register.core import Policy, VendorFacts
from register.desk import ServiceDesk, kinds
from register.matrix_toml import read_matrix
from register.store import Store
from register.topics.calling import CONFIRM_WITHIN
from register.watch import next_after
from tests.register.escalating import MATRIX, run_of, urgent


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


def test_a_steady_clock_goes_on_where_the_wall_clock_is_set_back() -> None:
    wall, steady = [datetime(2026, 3, 9, 9, 0, tzinfo=UTC)], [0.0]
    clock = SteadyClock(lambda: wall[0], lambda: steady[0])

    def passes(seconds: float, by: timedelta = timedelta()) -> datetime:
        steady[0] += seconds
        wall[0] += timedelta(seconds=seconds) + by
        return clock()

    begin = wall[0]
    assert passes(60) == begin + timedelta(minutes=1)
    assert passes(60, -timedelta(hours=2)) == begin + timedelta(minutes=2)
    assert passes(60) == begin + timedelta(minutes=3)
    assert clock.behind == timedelta(hours=2)
    assert passes(60, timedelta(hours=2)) == begin + timedelta(minutes=4)
    assert clock.behind == timedelta()
    assert passes(60, timedelta(hours=1)) == begin + timedelta(hours=1, minutes=5)  # it was suspended
    clock.not_before(begin + timedelta(hours=3))
    assert passes(60) == begin + timedelta(hours=3, minutes=1)


async def test_a_step_is_not_kept_waiting_by_a_clock_that_is_set_back(own_store: Store) -> None:
    """The wall clock says two hours ago: what is due in a minute comes in a minute."""
    store, shift = own_store, [timedelta()]

    def wall() -> datetime:
        return datetime.now(UTC) + shift[0]

    policy = Policy(matrix=read_matrix(MATRIX), version=1)
    hand = Hand(ServiceDesk(store, policy, wall), wall)
    ticker = Ticker(hand, print, every=0.2)
    ticking = asyncio.create_task(ticker.run())
    number = await hand.call(lambda: urgent(hand.desk))
    ticker.wake()

    async def fired(times: int) -> None:
        async with asyncio.timeout(30):
            while kinds(store.timeline(number)).count("step_fired") < times:
                await asyncio.sleep(0.05)

    await fired(1)
    shift[0] = -timedelta(hours=2)
    await asyncio.sleep(0.5)
    run = run_of(hand.desk, number)
    assert run.next_at is not None
    passed = ticker._now() - datetime.now(UTC)
    assert abs(passed) < timedelta(seconds=9)
    ticker._now._last += timedelta(minutes=5)  # five minutes go by
    ticker._now.behind += timedelta(minutes=5)
    await fired(2)
    ticking.cancel()
    await asyncio.gather(ticking, return_exceptions=True)
    hand.close()
