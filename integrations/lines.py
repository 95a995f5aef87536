"""The connections to one supplier: a bounded stack, the one that was used last is used first.

httpx's own pool asks every connection that it holds, twice a request, whether it still stands: with sixteen
of them that was a third of all the CPU that a delivery took. Here each line is a transport of httpx's with
one connection, so that a request asks after its own alone.
"""

from __future__ import annotations

import asyncio
import ssl
from collections import deque
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, ExitStack
from functools import partial

import httpx


class Lines(httpx.AsyncBaseTransport):
    """At most `most` connections, kept for `kept` seconds after their last request.

    tls: whom to trust; one for all lines, for making one takes longer than a request.
    """

    def __init__(self, tls: ssl.SSLContext, most: int, kept: float) -> None:
        one = httpx.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=kept)
        self._open = partial(httpx.AsyncHTTPTransport, verify=tls, trust_env=False, limits=one)
        self._kept = kept
        self._room = asyncio.Semaphore(most)
        self._idle: deque[tuple[float, httpx.AsyncHTTPTransport]] = deque()  # since when, oldest first

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await self._wait(request.extensions["timeout"]["pool"])
        with ExitStack() as held:
            held.callback(self._room.release)
            await self._hang_up(before=asyncio.get_running_loop().time() - self._kept)
            line = self._idle.pop()[1] if self._idle else self._open()
            held.callback(self._lay_down, line)
            response = await line.handle_async_request(request)
            assert isinstance(response.stream, httpx.AsyncByteStream)  # noqa: S101 - httpx says so elsewhere
            response.stream = _Held(response.stream, held.pop_all())
        return response

    async def _wait(self, seconds: float | None) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._room.acquire()
        except TimeoutError:
            raise httpx.PoolTimeout("all connections are in use") from None

    def _lay_down(self, line: httpx.AsyncHTTPTransport) -> None:
        self._idle.append((asyncio.get_running_loop().time(), line))

    async def _hang_up(self, before: float) -> None:
        while self._idle and self._idle[0][0] < before:
            await self._idle.popleft()[1].aclose()

    async def aclose(self) -> None:
        async with AsyncExitStack() as closing:
            for _, line in self._idle:
                closing.push_async_callback(line.aclose)
        self._idle.clear()


class _Held(httpx.AsyncByteStream):
    """An answer's body, with the line that it comes over: it is free when this is closed."""

    def __init__(self, stream: httpx.AsyncByteStream, held: ExitStack) -> None:
        self._stream = stream
        self._held = held

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self._stream:
            yield chunk

    async def aclose(self) -> None:
        with self._held:
            await self._stream.aclose()
