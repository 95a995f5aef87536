"""A supplier's requests a minute: counted in the register, so that all processes share them.

Kept as one moment, up to which requests would have been made had they been made evenly: whoever makes one
moves it by one request's share of the minute. A request that is under way is never held back, for half an
operation is worse than a request too many; what was too many is waited for before the next one begins.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Final

from integrations.hand import Hand
from integrations.vendor import Vendor, Wired
from register.store import vendors

MINUTE: Final = timedelta(minutes=1)
MOST_AHEAD: Final = timedelta(minutes=15)
"""How far the minute can be spent: what is kept beyond, a clock wrote that ran ahead, and it holds nobody."""
Sleep = Callable[[float], Awaitable[object]]


def at_once(requests: int) -> int:
    """How many of a minute's requests may be made in one go."""
    return max(1, requests // 10)


def share(requests: int) -> timedelta:
    """How long one request takes of the minute: with what goes at once, no minute has more than allowed."""
    return MINUTE / max(1, requests - at_once(requests))


def room_left(requests: int, spent_until: datetime | None, now: datetime) -> int:
    """How many requests may be begun now."""
    ahead = _from(spent_until, now) - now
    return max(0, int((at_once(requests) * share(requests) - ahead) / share(requests)))


def room_at(requests: int, spent_until: datetime) -> datetime:
    """When there is room for the next one."""
    return spent_until - (at_once(requests) - 1) * share(requests)


def after_spending(requests: int, spent_until: datetime | None, count: int, now: datetime) -> datetime:
    """How far the minute is spent, after so many requests more."""
    return min(_from(spent_until, now) + count * share(requests), now + MOST_AHEAD)


def _from(spent_until: datetime | None, now: datetime) -> datetime:
    if spent_until is None or spent_until > now + MOST_AHEAD:
        return now
    return max(spent_until, now)


class Budget:
    """One process' share in a supplier's requests a minute; without a limit in vendors.toml, no limit."""

    def __init__(self, hand: Hand, vendor: Vendor, connector: Wired, sleep: Sleep = asyncio.sleep) -> None:
        self._hand = hand
        self._name = vendor.name
        self._allowed = vendor.requests_a_minute
        self._http = connector.http
        self._sleep = sleep
        self._paid = 0  # of the requests that this client has made, and of those that it was given room for
        self.until: datetime | None = None  # when there is room again, where there was none

    async def room(self, wanted: int) -> int:
        """How many of so many operations may begin now; each is taken for one request."""
        allowed = self._allowed
        if allowed is None or wanted <= 0:
            return max(0, wanted)
        now = self._hand.now()
        spent = await self._pay(0)
        room = min(wanted, room_left(allowed, spent, now))
        self.until = None if room or spent is None else room_at(allowed, spent)
        return room

    async def begin(self, count: int) -> None:
        """So many operations begin: take room for one request of each."""
        if self._allowed is not None and count:
            await self._pay(count)

    async def wait(self) -> None:
        """Wait until an operation may begin, and begin it."""
        while not await self.room(1):
            ahead = (self.until or self._hand.now()) - self._hand.now()
            await self._sleep(max(0.01, ahead.total_seconds()))
        await self.begin(1)

    async def _pay(self, count: int) -> datetime | None:
        """Take room for these and for what operations before took beyond theirs; return what is spent."""
        store, name, now, allowed = self._hand.store, self._name, self._hand.now(), self._allowed
        owed = count + max(0, self._http.asked - self._paid)
        if not owed or allowed is None:
            return await self._hand.call(lambda: vendors.spent_until(store, name))
        self._paid += owed
        return await self._hand.call(
            lambda: vendors.spend(store, name, lambda spent: after_spending(allowed, spent, owed, now))
        )
