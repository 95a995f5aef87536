"""The connections to one supplier, against a real socket: how many stand, which is used, when they end."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import httpx
import pytest

from integrations.lines import Lines

NOBODY = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
PATIENCE = 30.0


class Server:
    """Counts connections; answers when it is let to."""

    def __init__(self) -> None:
        self.taken = self.standing = self.asked = 0
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.taken += 1
        self.standing += 1
        try:
            while True:
                await reader.readuntil(b"\r\n\r\n")
                self.asked += 1
                await self.may_answer.wait()
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self.standing -= 1
            writer.close()


@asynccontextmanager
async def served(most: int = 4, kept: float = 60.0) -> AsyncIterator[tuple[Server, httpx.AsyncClient]]:
    server = Server()
    listening = await asyncio.start_server(server, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    client = httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{port}", transport=Lines(NOBODY, most, kept), timeout=PATIENCE
    )
    async with client:
        yield server, client
    listening.close()


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not holds():
            await asyncio.sleep(0.005)


async def together(client: httpx.AsyncClient, many: int) -> None:
    for answer in await asyncio.gather(*(client.get("/") for _ in range(many))):
        assert answer.text == "ok"


async def test_one_after_the_other_goes_over_one_connection() -> None:
    async with served() as (server, client):
        for _ in range(5):
            await together(client, 1)
        assert server.taken == 1


async def test_as_many_at_once_as_there_may_be_and_the_others_wait_their_turn() -> None:
    async with served(most=3) as (server, client):
        server.may_answer.clear()
        asking = asyncio.ensure_future(together(client, 9))
        await until(lambda: server.asked == 3)
        server.may_answer.set()
        await asking
        assert (server.taken, server.asked) == (3, 9)


async def test_who_waits_too_long_for_a_connection_has_sent_nothing() -> None:
    async with served(most=1) as (server, client):
        server.may_answer.clear()
        first = asyncio.ensure_future(together(client, 1))
        await until(lambda: server.asked == 1)
        with pytest.raises(httpx.PoolTimeout):
            await client.get("/", timeout=httpx.Timeout(PATIENCE, pool=0.01))
        server.may_answer.set()
        await first
        assert server.asked == 1


async def test_what_a_burst_opened_is_closed_by_the_next_request_after_its_time() -> None:
    async with served(kept=0.05) as (server, client):
        server.may_answer.clear()
        burst = asyncio.ensure_future(together(client, 4))
        await until(lambda: server.asked == 4)
        server.may_answer.set()
        await burst
        assert server.standing == 4
        await asyncio.sleep(0.06)  # their time passes
        await together(client, 1)
        await until(lambda: server.standing == 1)
        assert server.taken == 5


Ends = Callable[[httpx.AsyncClient, Server], Awaitable[None]]


async def cancelled(client: httpx.AsyncClient, server: Server) -> None:
    server.may_answer.clear()
    asked, asking = server.asked, asyncio.ensure_future(client.get("/"))
    await until(lambda: server.asked == asked + 1)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    server.may_answer.set()


async def cancelled_twice(client: httpx.AsyncClient, server: Server) -> None:
    """As by two deadlines at the same moment: the second comes while the first is cleared up."""
    for turns in range(8):
        server.may_answer.clear()
        asked, asking = server.asked, asyncio.ensure_future(client.get("/"))
        await until(lambda asked=asked: server.asked == asked + 1)  # type: ignore[misc] - a loop's lambda
        asking.cancel()
        for _ in range(turns):
            await asyncio.sleep(0)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        server.may_answer.set()


async def unread(client: httpx.AsyncClient, server: Server) -> None:
    async with client.stream("GET", "/"):
        pass


async def timed_out(client: httpx.AsyncClient, server: Server) -> None:
    server.may_answer.clear()
    with pytest.raises(httpx.ReadTimeout):
        await client.get("/", timeout=httpx.Timeout(PATIENCE, read=0.01))
    server.may_answer.set()


@pytest.mark.parametrize("ends", [cancelled, cancelled_twice, unread, timed_out])
async def test_a_request_gives_its_place_back_however_it_ends(ends: Ends) -> None:
    async with served(most=2) as (server, client):
        for _ in range(3):
            await ends(client, server)
        async with asyncio.timeout(PATIENCE):
            await together(client, 4)


async def test_nothing_stands_once_it_is_closed() -> None:
    async with served() as (server, client):
        await together(client, 4)
    await until(lambda: server.standing == 0)
