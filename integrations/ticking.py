"""The worker's tick: what falls due in the register is done then; every few seconds it is looked at anew.

Waiting is by the monotonic clock, and so is what is due while the system's clock is set back
(`integrations.steady_clock`): no step is taken twice, and none waits for the clock to come round again.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from functools import partial
from typing import Final

from integrations.hand import Hand
from integrations.one_engine import OneEngine
from integrations.steady_clock import SteadyClock
from register.closing import warn_of_closing
from register.core import Refused
from register.store import RegisterUnavailable
from register.watch import due, fell_due_since, newest, next_after, parts, wake

EVERY: Final = 5.0
"""Seconds between two ticks, at the most."""
SELDOM: Final = 0.25
"""Seconds between two looks for what falls due next: commits come by the hundred."""
_AFTER: Final = 0.05
"""Seconds by which a tick for something that falls due comes after it: clocks are read twice."""


class Ticker:
    """Ticks when something is due. `wake`: something was committed, and may fall due before the next look."""

    def __init__(
        self,
        hand: Hand,
        tell: Callable[[str], object],
        every: float = EVERY,
        engine: OneEngine | None = None,
        now: SteadyClock | None = None,
    ) -> None:
        """engine: where there may be others, it ticks only while it is the one."""
        self._hand = hand
        self._now = now or SteadyClock(hand.now)
        self._desk = hand.desk.by(self._now)  # what it takes is of that time, too
        self._engine = engine
        self._tell = tell
        self._every = every
        self._news = asyncio.Event()

    def wake(self) -> None:
        self._news.set()

    async def run(self) -> None:
        """Tick until cancelled. A register that is away is tried again: what is due stays due."""
        loop = asyncio.get_running_loop()
        again, seq, begun = 0.0, 0, False
        while True:
            self._news.clear()
            try:
                if not begun:
                    self._now.not_before(await self._hand.call(partial(newest, self._hand.store)))
                    begun = True
                if self._engine is not None and not await self._engine.is_mine():
                    await asyncio.sleep(self._engine.look)
                    again = 0.0
                    continue
                if loop.time() >= again or await self._hand.call(partial(self._is_new, seq)):
                    again = loop.time() + self._every
                    seq = await self._hand.call(self._hand.store.seq)
                    await self._tick()
                again = min(again, loop.time() + await self._until_next())
            except (RegisterUnavailable, Refused) as error:
                self._tell(f"What is due could not be looked at: {error}")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), max(0.0, again - loop.time()))
                await asyncio.sleep(SELDOM)

    def _is_new(self, seq: int) -> bool:
        return fell_due_since(self._hand.store, self._now(), seq)

    async def _tick(self) -> None:
        """Wake what is due, a few at a time: whoever sends meanwhile is not kept waiting for all of it."""
        hand, why = self._hand, None
        for some in parts(await hand.call(lambda: due(hand.store, self._now()))):
            _, error = await hand.call(partial(wake, self._desk, some))
            why = why or error
        await hand.call(lambda: warn_of_closing(self._desk, self._now()))
        if why is not None:
            raise why

    async def _until_next(self) -> float:
        """Seconds until the next tick: when something falls due before the usual time, then."""
        hand = self._hand

        def left() -> float | None:
            now = self._now()
            at = next_after(hand.store, now)
            return None if at is None else (at - now).total_seconds()

        seconds = await hand.call(left)
        return self._every if seconds is None else max(0.0, seconds) + _AFTER
