"""A step whose row no longer wakes the engine is found, fired and told of; of two workers one does it."""

from __future__ import annotations

import asyncio

from integrations.hand import Hand
from integrations.one_engine import OneEngine
from integrations.self_audit import keep_watch
from register.overdue import forgotten
from register.store import Store
from register.store import tables as t
from tests.register.escalating import escalating, fired, ticks, urgent


async def test_a_step_that_nothing_wakes_is_fired_by_the_watchman(own_store: Store) -> None:
    desk, clock = escalating(own_store)
    number = urgent(desk)
    ticks(desk, clock, seconds=1)
    with own_store.rows_only() as connection:  # a broken projection: the tick never sees it
        connection.execute(t.incident.update().values(wake_at=None))
    assert ticks(desk, clock, minutes=9) == 0
    assert forgotten(own_store, clock.now) == []
    clock.passes(minutes=2)
    (found,) = forgotten(own_store, clock.now)
    assert found.says(clock.now) == "a step of INC-1 was due 6 min ago and nobody fired it"
    said: list[str] = []
    hand = Hand(desk, clock)
    watching = asyncio.create_task(keep_watch(hand, OneEngine(hand, "me"), said.append))
    async with asyncio.timeout(30):
        while not said:
            await asyncio.sleep(0.02)
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)
    hand.close()
    assert said == ["‼ a step of INC-1 was due 6 min ago and nobody fired it: it is fired now."]
    assert [who for _, _, who in fired(desk, number)] == ["ana", "ben carl"]
    assert forgotten(own_store, clock.now) == []
