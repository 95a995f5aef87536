"""The worker's tick: what falls due in the register is done then; every few seconds it is looked at anew."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from integrations.hand import Hand
from register.closing import warn_of_closing
from register.core import Refused
from register.store import RegisterUnavailable
from register.watch import next_after, tick

EVERY: Final = 5.0
"""Seconds between two ticks, at the most."""
_AFTER: Final = 0.05
"""Seconds by which a tick for something that falls due comes after it: clocks are read twice."""


async def keep_ticking(hand: Hand, tell: Callable[[str], object], every: float = EVERY) -> None:
    """Tick until cancelled. A register that is away is tried again: what is due stays due."""
    while True:
        try:
            await hand.call(lambda: tick(hand.desk, hand.now()))
            await hand.call(lambda: warn_of_closing(hand.desk, hand.now()))
        except (RegisterUnavailable, Refused) as error:
            tell(f"What is due could not be looked at: {error}")
        await asyncio.sleep(await _until_next(hand, every))


async def _until_next(hand: Hand, every: float) -> float:
    """Seconds until the next tick: when something falls due before the usual time, then."""
    try:
        due = await hand.call(lambda: next_after(hand.store, hand.now()))
    except RegisterUnavailable:  # the tick tells of it
        return every
    return every if due is None else min(every, max(0.0, (due - hand.now()).total_seconds()) + _AFTER)
