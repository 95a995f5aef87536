"""The practice supplier's webhooks: signed by Standard Webhooks, sent when its desk changes, misbehaving.

Each says which ticket changed and no more. What is not answered with 2xx is sent twice more.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Final

import httpx
import orjson
from pydantic import BaseModel, Field

from integrations.practice.desk import Desk, PdChange
from integrations.signing import sign_standard

SECRET: Final = "whsec_cHJhY3RpY2UtZGVzay1mb3ItdGVzdHMtb25seQ=="  # noqa: S105 - of a supplier that is made up
"""What it signs with unless told otherwise. Everybody knows it."""
TRIES: Final = 3


class HookMood(StrEnum):
    """How the next webhooks go; each has been seen with real systems, or is what a forger does."""

    CALM = "calm"
    LOST = "lost"  # never sent
    TWICE = "twice"  # the same delivery two times
    REPLAYED = "replayed"  # with it, one that was sent before
    REORDERED = "reordered"  # kept back, and sent after the next one
    FORGED = "forged"  # signed with another secret
    OLD = "old"  # signed an hour ago
    EARLY = "early"  # signed an hour from now


_SIGNED: Final = {HookMood.OLD: timedelta(hours=-1), HookMood.EARLY: timedelta(hours=1)}


class HookTo(BaseModel, extra="forbid"):
    """Where webhooks go; an empty url: nowhere."""

    url: str
    secret: Annotated[str, Field(min_length=1)] = SECRET
    mood: HookMood = HookMood.CALM


class Sender:
    """Sends them. `sent` counts what was answered with 2xx, `refused` what was answered otherwise."""

    def __init__(self, desk: Desk, clock: Callable[[], datetime]) -> None:
        self._desk = desk
        self._clock = clock
        self._changed = asyncio.Event()
        self._last: tuple[dict[str, str], bytes] | None = None
        self._kept: list[tuple[dict[str, str], bytes]] = []
        self.to = HookTo(url="")
        self.told = 0  # up to which change
        self.sent = 0
        self.refused = 0

    async def work(self) -> None:
        """Send what happens from now on, until cancelled."""
        loop = asyncio.get_running_loop()
        self._desk.changed = lambda: loop.call_soon_threadsafe(self._changed.set)
        async with httpx.AsyncClient(timeout=5, trust_env=False) as client:
            while True:
                await self._changed.wait()
                self._changed.clear()
                for change in self._desk.after(self.told, limit=1_000):
                    if self.to.url:
                        for headers, body in self._deliveries(change):
                            await self._send(client, headers, body)
                    self.told = change.seq

    def _deliveries(self, change: PdChange) -> list[tuple[dict[str, str], bytes]]:
        """What is sent for one change, as the mood is."""
        mood, before = self.to.mood, self._last
        at = self._clock() + _SIGNED.get(mood, timedelta())
        body = orjson.dumps({"type": "ticket.changed", "ticket": change.ticket, "seq": change.seq})
        secret = "a forger's secret" if mood is HookMood.FORGED else self.to.secret
        own = (sign_standard(secret, f"msg_{secrets.token_hex(8)}", at, body), body)
        if mood is HookMood.LOST:
            return []
        if mood is HookMood.REORDERED and not self._kept:
            self._kept.append(own)
            return []
        self._last, kept, self._kept = own, self._kept, []
        if mood is HookMood.TWICE:
            return [own, own]
        return [own, *([before] if mood is HookMood.REPLAYED and before else []), *kept]

    async def _send(self, client: httpx.AsyncClient, headers: dict[str, str], body: bytes) -> None:
        for _ in range(TRIES):
            try:
                told = {**headers, "content-type": "application/json"}
                answer = await client.post(self.to.url, content=body, headers=told)
            except httpx.HTTPError:
                self.refused += 1
                continue
            if answer.is_success:
                self.sent += 1
                return
            self.refused += 1
