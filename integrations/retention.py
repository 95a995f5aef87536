"""Once a day the worker takes texts and people out of what is old enough by the adopted matrix."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Final

from integrations.hand import Hand
from register.core import Principal, Role
from register.store import RegisterUnavailable, hooks
from register.store.retiring import retire

WHO: Final = Principal("muster", Role.ENGINE, "retention")
EVERY: Final = 24 * 3600.0
"""Seconds between two looks; the first is when the worker has been up for as long as `FIRST`."""
FIRST: Final = 60.0
AT_ONCE: Final = 20
"""Incidents that are done before others get their turn with the register."""
BETWEEN: Final = 1.0
DELIVERIES: Final = timedelta(days=30)
"""How long a webhook is known again by its name."""


async def keep_retired(
    hand: Hand, tell: Callable[[str], object], first: float = FIRST, every: float = EVERY
) -> None:
    """Look each day, until cancelled. The file is not written anew: `muster retention run` does that."""
    await asyncio.sleep(first)
    while True:
        try:
            await _all_that_is_due(hand, tell)
            await _deliveries(hand)
        except RegisterUnavailable as error:
            tell(f"What is old enough to lose its texts could not be looked at: {error}")
        await asyncio.sleep(every)


async def _deliveries(hand: Hand) -> None:
    """Webhooks that came long ago need not be known again."""
    store, before = hand.store, hand.now() - DELIVERIES
    await hand.call(lambda: hooks.forget_deliveries(store, before))


async def _all_that_is_due(hand: Hand, tell: Callable[[str], object]) -> None:
    done = 0
    while True:  # once at least: a run that was interrupted may have left people
        found = await hand.call(lambda: retire(hand.desk, WHO, hand.now(), most=AT_ONCE, whole_file=False))
        done += len(found.done)
        if not found.done:  # the others wait for something: tomorrow again
            break
        await asyncio.sleep(BETWEEN)
    if done:
        tell(f"By the rules of retention, texts and people are gone from {done:,} incidents.")
