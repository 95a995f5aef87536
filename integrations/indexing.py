"""The worker keeps the full-text index up with the events, so that a search finds little left to take in."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Final

from integrations.hand import Hand
from register.store import RegisterUnavailable
from register.store.fulltext import catch_up

EVERY: Final = 5.0
"""Seconds between two looks for texts that the index lacks."""
BETWEEN: Final = 0.1
"""Seconds in which others use the register, between two batches of a long way to go."""


async def keep_indexed(hand: Hand) -> None:
    """Take in what was written, a batch at a time, for ever."""
    while True:
        taken = 0
        with contextlib.suppress(RegisterUnavailable):  # the next search takes it in
            taken = await hand.call(lambda: catch_up(hand.store, 1))
        await asyncio.sleep(BETWEEN if taken else EVERY)
