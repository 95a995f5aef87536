"""A line to an HTTP server that breaks before, in the middle of and after requests and answers, by a seed."""

from __future__ import annotations

import asyncio
import contextlib
import random
import re
import threading
from collections import Counter
from collections.abc import Iterator
from enum import StrEnum
from typing import Final
from urllib.parse import urlsplit


class Cut(StrEnum):
    """Where a line breaks."""

    BEFORE = "before"  # no byte of the request arrives
    REQUEST = "in the request"  # half of it arrives
    LATE = "while the server works"  # all of it arrives, and nobody waits for the answer
    AFTER = "after the work"  # the server has answered, no byte comes back
    ANSWER = "in the answer"  # half of it comes back


_LENGTH: Final = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_KEEP: Final = re.compile(rb"\r\nconnection: *[^\r]*", re.IGNORECASE)


class Cutter:
    """Passes one request a connection on to `url`, and breaks a `share` of them. `url` leads through it."""

    def __init__(self, url: str, seed: int, share: float) -> None:
        parts = urlsplit(url)
        self._there = (parts.hostname or "127.0.0.1", parts.port or 80)
        self._random = random.Random(seed)
        self.share = share
        self.cuts: Counter[Cut] = Counter()
        self.passed = 0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        made = asyncio.run_coroutine_threadsafe(
            asyncio.start_server(self._let_in, "127.0.0.1", 0), self._loop
        )
        self._server = made.result(10)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    def close(self) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    async def _end(self) -> None:
        self._server.close()
        open_ = asyncio.all_tasks() - {asyncio.current_task()}
        for task in open_:
            task.cancel()
        await asyncio.gather(*open_, return_exceptions=True)

    async def _let_in(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            await self._one(reader, writer)
        writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = _LENGTH.search(head)
        body = await reader.readexactly(int(length[1])) if length else b""
        request = _KEEP.sub(b"", head[:-4]) + b"\r\nConnection: close\r\n\r\n" + body
        cut = self._random.choice(list(Cut)) if self._random.random() < self.share else None
        if cut is None:
            self.passed += 1
        else:
            self.cuts[cut] += 1
        if cut is Cut.BEFORE:
            writer.transport.abort()
            return
        there, thither = await asyncio.open_connection(*self._there)
        try:
            thither.write(request[: len(request) // 2] if cut is Cut.REQUEST else request)
            await thither.drain()
            if cut in (Cut.REQUEST, Cut.LATE):
                writer.transport.abort()
            answer = b"" if cut is Cut.REQUEST else await there.read(-1)
            if cut in (Cut.LATE, Cut.AFTER):
                writer.transport.abort()
            elif cut is not Cut.REQUEST:
                writer.write(answer[: len(answer) // 2] if cut is Cut.ANSWER else answer)
                await writer.drain()
        finally:
            thither.close()


@contextlib.contextmanager
def cutting(url: str, seed: int, share: float) -> Iterator[Cutter]:
    made = Cutter(url, seed, share)
    try:
        yield made
    finally:
        made.close()
