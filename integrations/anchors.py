"""Heads written down outside the register: who rewrites the log cannot rewrite the journal as well."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from integrations.hand import Hand
from register.store import RegisterUnavailable

EVERY: Final = 3600.0
"""Seconds between two anchors."""


async def keep_anchors(hand: Hand, tell: Callable[[str], object], every: float = EVERY) -> None:
    """Tell the head now and every hour, until cancelled; for `muster verify --since`."""
    while True:
        await anchor(hand, tell)
        await asyncio.sleep(every)


async def anchor(hand: Hand, tell: Callable[[str], object]) -> None:
    """Tell the head as it is."""
    try:
        seq, digest = await hand.call(hand.store.head)
    except RegisterUnavailable as error:
        tell(f"The head could not be read: {error}")
    else:
        tell(f"Head {seq}:{digest}")
