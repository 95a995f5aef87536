"""The worker takes texts out of what is old enough, and goes on past what has to wait."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import pytest

from integrations import retention
from integrations.hand import Hand
from register.desk import ServiceDesk
from register.topics.ending import WithTheirs
from register.topics.resolution import Close
from register.verify import verify
from tests.register.saying import ANA, engaged, fixed, log, look
from tests.register.test_erasing import adopt


async def test_the_worker_retires_what_is_due_and_goes_on_past_what_waits(
    desk: ServiceDesk, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "AT_ONCE", 2)
    monkeypatch.setattr(retention, "BETWEEN", 0)
    adopt(desk)
    waits, _ = engaged(desk)
    numbers = [waits, *(log(desk, f"Old {n}") for n in range(5))]
    for number in numbers:
        desk.do(ANA, fixed(number).model_copy(update={"theirs": WithTheirs.LEAVE}))
        desk.do(ANA, Close(target=number))
    young = log(desk, "Young")
    clock.passes(days=31)
    hand, told = Hand(desk, clock), list[str]()
    task = asyncio.create_task(retention.keep_retired(hand, told.append, first=0))
    try:
        async with asyncio.timeout(20):
            while not told:
                await asyncio.sleep(0.02)
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        hand.close()
    assert "from 5 incidents" in told[0]
    assert [look(desk, number).retired for number in (*numbers, young)] == [False, *[True] * 5, False]
    assert verify(desk.store).faults == []
