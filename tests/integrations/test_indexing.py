"""The worker takes what was written into the full-text index, so that a search finds nothing left to do."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from integrations import indexing
from integrations.hand import Hand
from register.desk import ServiceDesk
from register.store.fulltext import is_behind
from tests.register.saying import log


async def test_the_worker_indexes_what_is_written(desk: ServiceDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(indexing, "EVERY", 0.02)
    hand = Hand(desk)
    task = asyncio.create_task(indexing.keep_indexed(hand))
    try:
        for title in ("Mail is late", "Mail is later"):
            log(desk, title)
            assert is_behind(desk.store)
            async with asyncio.timeout(5):
                while is_behind(desk.store):
                    await asyncio.sleep(0.02)
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        hand.close()
