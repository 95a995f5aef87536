"""The engine's own watchman: a step that was due for minutes and that nobody fired is fired, and told of."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from typing import Final

from integrations.hand import Hand
from integrations.one_engine import OneEngine
from register.overdue import Forgotten, forgotten
from register.store import RegisterUnavailable
from register.watch import wake

EVERY: Final = 60.0
"""Seconds between two looks."""
SOON: Final = 3.0
"""Seconds until the first look: what fell due while no worker ran, the tick does first."""
MOST: Final = 5
"""So often one step is tried anew; then a person has to look."""


async def keep_watch(
    hand: Hand, engine: OneEngine, tell: Callable[[str], object], now: Callable[[], datetime] | None = None
) -> None:
    """Look soon and every minute, for ever, while this process is the engine."""
    tried: Counter[Forgotten] = Counter()
    await asyncio.sleep(SOON)
    while True:
        try:
            if await engine.is_mine():
                await _mend(hand, tried, tell, now or hand.now)
        except RegisterUnavailable as error:
            tell(f"Whether a step was forgotten could not be looked at: {error}")
        await asyncio.sleep(EVERY)


async def _mend(
    hand: Hand, tried: Counter[Forgotten], tell: Callable[[str], object], now: Callable[[], datetime]
) -> None:
    """Decided by what its events say, not by the row that should have woken the engine."""
    desk = hand.desk.by(now)
    found = await hand.call(lambda: forgotten(hand.store, now()))
    for one in [known for known in tried if known not in found]:
        del tried[one]
    for one in found:
        tried[one] += 1
        if tried[one] > MOST:
            tell(f"‼ {one.says(now())}, {MOST} tries over. Call them, then `muster rebuild`.")
            continue
        done, why = await hand.call(lambda one=one: wake(desk, [one.number]))  # type: ignore[misc]
        if not done and why is None and one not in await hand.call(lambda: forgotten(hand.store, now())):
            continue  # the tick was first
        so = "it is fired now" if done else f"it could not be fired: {why or 'nothing is due by its events'}"
        tell(f"‼ {one.says(now())}: {so}.")
