"""Which process serves a supplier, and the sign that a worker is there: leases, kept while it lives."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from integrations.hand import Hand
from register.core import new_id
from register.store import RegisterUnavailable, leases

LEASE: Final = timedelta(seconds=20)
BEAT: Final = 5.0
"""Seconds between two signs of life."""


class Leasing:
    """One process' leases. Each is renewed when half of it has gone, so that asking costs nothing."""

    def __init__(self, hand: Hand) -> None:
        self.holder = new_id()
        self._hand = hand
        self._until: dict[str, datetime] = {}

    async def has(self, vendor: str, sole: bool) -> bool:
        """Take or renew a supplier's. sole: no other worker can be alive, so none is waited for."""
        store, now = self._hand.store, self._hand.now()
        until, name = now + LEASE, f"vendor:{vendor}"
        held = await self._hand.call(
            lambda: leases.take(store, name, self.holder, now, until, from_anyone=sole)
        )
        self._until[vendor] = until if held else now
        return held

    async def keeps(self, vendor: str) -> bool:
        """Whether a supplier's is still ours."""
        now = self._hand.now()
        return self._until.get(vendor, now) - now > LEASE / 2 or await self.has(vendor, sole=False)

    async def beat(self) -> None:
        """Show that a worker is there, for ever."""
        store = self._hand.store
        while True:
            now = self._hand.now()
            with contextlib.suppress(RegisterUnavailable):
                await self._hand.call(
                    partial(
                        leases.take, store, leases.WORKER, self.holder, now, now + LEASE, from_anyone=True
                    )
                )
            await asyncio.sleep(BEAT)

    async def release(self) -> None:
        """Let go of all."""
        with contextlib.suppress(RegisterUnavailable):
            await self._hand.call(lambda: leases.release(self._hand.store, self.holder))
