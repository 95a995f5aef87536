"""The worker's tick: every few seconds what has fallen due in the register is done."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from integrations.hand import Hand
from register.closing import warn_of_closing
from register.core import Refused
from register.store import RegisterUnavailable
from register.watch import tick

EVERY: Final = 5.0
"""Seconds between two ticks."""


async def keep_ticking(hand: Hand, tell: Callable[[str], object], every: float = EVERY) -> None:
    """Tick until cancelled. A register that is away is tried again: what is due stays due."""
    while True:
        try:
            await hand.call(lambda: tick(hand.desk, hand.now()))
            await hand.call(lambda: warn_of_closing(hand.desk, hand.now()))
        except (RegisterUnavailable, Refused) as error:
            tell(f"What is due could not be looked at: {error}")
        await asyncio.sleep(every)
