"""What a worker does as long as it is up: a fault of ours in one of these must not end it without a word."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

BEFORE_AGAIN: Final = 5.0
"""Seconds until what has failed is begun anew."""


async def keep(
    what: str, work: Callable[[], Awaitable[None]], tell: Callable[[str], object], again: float = BEFORE_AGAIN
) -> None:
    """Do it until it ends or is cancelled; what fails unforeseen is told, and begun anew."""
    while True:
        try:
            return await work()
        except Exception as error:
            tell(f"{what} stopped by a fault of Muster: {type(error).__name__}. It is begun anew.")
            await asyncio.sleep(again)
