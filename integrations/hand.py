"""The engine's hand on the register: every call runs on the one writer thread, never on the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TypeVar

from register.core import Command, Principal, Role
from register.desk import Receipt, ServiceDesk
from register.store import Store

T = TypeVar("T")

COURIER = Principal("muster", Role.ENGINE, "courier")
COLLECTOR = Principal("muster", Role.ENGINE, "collector")


class Hand:
    """Reads and writes for the engine. Raises what the desk and the store raise."""

    def __init__(self, desk: ServiceDesk, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.desk = desk
        self.now = clock
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="register")

    @property
    def store(self) -> Store:
        return self.desk.store

    async def call(self, work: Callable[[], T]) -> T:
        """Run blocking work on the writer thread."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    async def do(self, principal: Principal, command: Command) -> Receipt:
        return await self.call(lambda: self.desk.do(principal, command))

    def close(self) -> None:
        self._thread.shutdown(wait=True)
