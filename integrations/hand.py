"""The engine's hand on the register: every call runs on the one writer thread, never on the event loop.

Commands that are asked for while the thread is busy share a commit: outcomes of many deliveries cost one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from typing import Final, TypeVar

from register.core import Command, Principal, Role
from register.desk import Receipt, ServiceDesk
from register.store import RegisterUnavailable, Store

T = TypeVar("T")

COURIER = Principal("muster", Role.ENGINE, "courier")
COLLECTOR = Principal("muster", Role.ENGINE, "collector")
MOST_TOGETHER: Final = 32
"""Commands that share a commit: others wait for the head for so long."""
JOINING: Final = 0.004
"""Seconds that a commit waits for others to join it, where there are several already."""

_Asked = tuple[Principal, Command, "asyncio.Future[Receipt]"]


class Hand:
    """Reads and writes for the engine. Raises what the desk and the store raise."""

    def __init__(self, desk: ServiceDesk, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.desk = desk
        self.now = clock
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="register")
        self._asked: list[_Asked] = []
        self._writing: asyncio.Task[None] | None = None

    @property
    def store(self) -> Store:
        return self.desk.store

    async def call(self, work: Callable[[], T]) -> T:
        """Run blocking work on the writer thread."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    async def do(self, principal: Principal, command: Command) -> Receipt:
        """Carry a command out; what others asked for meanwhile goes with it, each with its own answer."""
        answer: asyncio.Future[Receipt] = asyncio.get_running_loop().create_future()
        self._asked.append((principal, command, answer))
        if self._writing is None:
            self._writing = asyncio.create_task(self._write(), name="write")
        return await asyncio.shield(answer)

    async def _write(self) -> None:
        some: list[_Asked] = []
        try:
            while self._asked:
                await self._for_others()
                some, self._asked = self._asked[:MOST_TOGETHER], self._asked[MOST_TOGETHER:]
                outcomes = await self.call(partial(self._together, some))
                for (_, _, answer), outcome in zip(some, outcomes, strict=True):
                    if answer.cancelled():
                        continue
                    if isinstance(outcome, Receipt):
                        answer.set_result(outcome)
                    else:
                        answer.set_exception(outcome)
        except Exception as error:  # the thread takes no work any more: nobody is left waiting
            left, self._asked = [*some, *self._asked], []
            for _, _, answer in left:
                if not answer.done():
                    answer.set_exception(error)
        finally:
            self._writing = None

    async def _for_others(self) -> None:
        """Where several ask at once, more are about to: what is to be sent next need not wait for each."""
        await asyncio.sleep(0)
        if 1 < len(self._asked) < MOST_TOGETHER:
            await asyncio.sleep(JOINING)

    def _together(self, some: list[_Asked]) -> list[Receipt | Exception]:
        """All in one transaction; where one of them cannot be carried out, each in its own."""
        try:
            return list(self.desk.do_all([(principal, command) for principal, command, _ in some]))
        except RegisterUnavailable as away:  # for all of them
            return [away] * len(some)
        except Exception as error:  # whoever asked for it is told, and nobody else
            if len(some) == 1:
                return [error]
        return [outcome for one in some for outcome in self._together([one])]

    def close(self) -> None:
        self._thread.shutdown(wait=True)
