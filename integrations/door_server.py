"""uvicorn as the door uses it: beside a worker in one loop, for callers who may mean harm. Imported late."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

import uvicorn
from uvicorn.protocols.http.h11_impl import RequestResponseCycle

from integrations import door, quiet_server

if TYPE_CHECKING:
    from starlette.types import ASGIApp


class _Protocol(quiet_server.Protocol):
    """HTTP/1.1 as uvicorn speaks it, to whom a caller who never says what it wants is none."""

    def connected(self, transport: asyncio.Transport) -> None:
        self._expect_a_request()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._expect_a_request()

    def _expect_a_request(self) -> None:
        """The next one, too: uvicorn's own patience with it ends at its first byte."""
        self.loop.call_later(door.SILENT, self._hang_up_on_the_silent, self.cycle)

    def _hang_up_on_the_silent(self, before: RequestResponseCycle | None) -> None:
        if self.cycle is before and not self.transport.is_closing():
            self.transport.abort()


class Server(uvicorn.Server):
    """uvicorn's, which leaves signals to the worker, and is at rest while nobody calls."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._ending = asyncio.Event()

    def end(self) -> None:
        """End soon: what is being answered is answered."""
        self.should_exit = True
        self._ending.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def main_loop(self) -> None:
        """Tick once a second, for the answers' date: by itself it would look ten times whether to end."""
        while not await self.on_tick(0):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._ending.wait(), 1.0)


def server_of(app: ASGIApp) -> Server:
    """Make one for this app. It logs nothing: the app tells what there is to tell."""
    return Server(
        quiet_server.config_of(
            app,
            _Protocol,
            limit_concurrency=door.MOST,
            timeout_keep_alive=5,
            timeout_graceful_shutdown=2,
        )
    )
