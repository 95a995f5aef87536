"""The connections to one supplier: a bounded stack, the one that was used last is used first.

httpx's own pool asks every connection that it holds, twice a request, whether it still stands: with sixteen
of them that was a third of all the CPU that a delivery took. Here each line is a transport of httpx's with
one connection, so that a request asks after its own alone.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack
from functools import partial

import httpx


class Lines(httpx.AsyncBaseTransport):
    """At most `most` connections, kept for `kept` seconds after their last request.

    A line is used again only after an answer that was read to its end: a request that is cancelled while its
    own cancellation is cleared up leaves httpx's pool believing for ever that it is at work.

    tls: whom to trust; one for all lines, for making one takes longer than a request.
    """

    def __init__(self, tls: ssl.SSLContext, most: int, kept: float) -> None:
        one = httpx.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=kept)
        self._open = partial(httpx.AsyncHTTPTransport, verify=tls, trust_env=False, limits=one)
        self._kept = kept
        self._room = asyncio.Semaphore(most)
        self._idle: deque[tuple[float, httpx.AsyncHTTPTransport]] = deque()  # since when, oldest first
        self._closing: set[asyncio.Task[None]] = set()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await self._wait(request.extensions["timeout"]["pool"])
        with ExitStack() as held:
            held.callback(self._room.release)
            now = asyncio.get_running_loop().time()
            while self._idle and self._idle[0][0] < now - self._kept:
                self._hang_up(self._idle.popleft()[1])
            line = self._idle.pop()[1] if self._idle else self._open()
            with ExitStack() as failing:
                failing.callback(self._hang_up, line)
                response = await line.handle_async_request(request)
                failing.pop_all()
            assert isinstance(response.stream, httpx.AsyncByteStream)  # noqa: S101 - httpx says so elsewhere
            response.stream = _Held(response.stream, partial(self._ended, line, held.pop_all()))
        return response

    async def _wait(self, seconds: float | None) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._room.acquire()
        except TimeoutError:
            raise httpx.PoolTimeout("all connections are in use") from None

    def _ended(self, line: httpx.AsyncHTTPTransport, held: ExitStack, whole: bool) -> None:
        with held:
            if whole:
                self._idle.append((asyncio.get_running_loop().time(), line))
            else:
                self._hang_up(line)

    def _hang_up(self, line: httpx.AsyncHTTPTransport) -> None:
        """Close it beside: nobody waits for that, and no cancellation reaches it."""
        closing = asyncio.create_task(_close(line))
        self._closing.add(closing)
        closing.add_done_callback(self._closing.discard)

    async def aclose(self) -> None:
        while self._idle:
            self._hang_up(self._idle.pop()[1])
        await asyncio.gather(*self._closing)


async def _close(line: httpx.AsyncHTTPTransport) -> None:
    with contextlib.suppress(httpx.HTTPError, OSError):  # it is not used any more, whatever it says
        await line.aclose()


class _Held(httpx.AsyncByteStream):
    """An answer's body and its line. ended: told once, whether it was read to its end."""

    def __init__(self, stream: httpx.AsyncByteStream, ended: Callable[[bool], None]) -> None:
        self._stream = stream
        self._ended = ended
        self._whole = False
        self._open = True

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self._stream:
            yield chunk
        self._whole = True

    async def aclose(self) -> None:
        closed = False
        try:
            await self._stream.aclose()
            closed = True
        finally:
            if self._open:
                self._open = False
                self._ended(self._whole and closed)
