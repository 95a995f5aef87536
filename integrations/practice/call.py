"""One request to the practice supplier, held in the hand, and all the ways in which it can end."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final

import orjson
from starlette.responses import Response

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

CUT: Final = "muster.cut"
"""Key of scope["state"]: a function that closes the TCP connection at once, answer or no answer."""


class Call:
    """One request with its whole body read, and the ways in which it can end."""

    def __init__(self, app: App, scope: Scope, receive: Receive, send: Send, late: Late) -> None:
        self._app, self._scope, self._receive, self._send, self._late = app, scope, receive, send, late
        self._body = b""

    @property
    def method(self) -> str:
        return str(self._scope["method"])

    @property
    def path(self) -> str:
        return str(self._scope["path"])

    @property
    def query(self) -> str:
        """What stands after the question mark; setting it asks for something else."""
        return bytes(self._scope["query_string"]).decode()

    @query.setter
    def query(self, query: str) -> None:
        self._scope["query_string"] = query.encode()

    async def read(self) -> None:
        more = True
        while more:
            message = await self._receive()
            self._body += message.get("body", b"")
            more = bool(message.get("more_body", False))

    async def answer(self) -> None:
        """Do what was asked and answer it."""
        await self._app(self._scope, self._again(), self._send)

    async def commit(self) -> tuple[int, bytes]:
        """Do what was asked and keep the answer back: its status and body."""
        return await self._kept(self._scope, self._again())

    async def act(self, **what: object) -> None:
        """Have the desk's own people do something, by the door that is theirs alone."""
        body = orjson.dumps(what)

        async def told() -> Message:
            return {"type": "http.request", "body": body, "more_body": False}

        scope = {**self._scope, "method": "POST", "path": "/practice/act", "raw_path": b"/practice/act"}
        await self._kept(scope, told)

    async def _kept(self, scope: Scope, receive: Receive) -> tuple[int, bytes]:
        sent: list[Message] = []

        async def keep(message: Message) -> None:
            sent.append(message)

        await self._app(scope, receive, keep)
        status = next((m["status"] for m in sent if m["type"] == "http.response.start"), 500)
        return status, b"".join(m.get("body", b"") for m in sent)

    def commit_later(self, seconds: float) -> None:
        """Do what was asked after a while, with nobody to answer."""
        self._late.start(seconds, self.commit)

    async def reply(self, response: Response) -> None:
        await response(self._scope, self._receive, self._send)

    async def cut(self) -> None:
        """Close the TCP connection, without a word."""
        self._scope["state"][CUT]()
        await self.until_gone()

    async def until_gone(self) -> None:
        """Wait until the caller has hung up."""
        while (await self._receive())["type"] != "http.disconnect":
            pass

    def _again(self) -> Receive:
        """The request as it came; after it, whatever its caller does next."""
        left = [self._body]

        async def receive() -> Message:
            if left:
                return {"type": "http.request", "body": left.pop(), "more_body": False}
            return await self._receive()

        return receive


class Late:
    """What is still to be done for callers who are gone."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, seconds: float, do: Callable[[], Awaitable[object]]) -> None:
        async def later() -> None:
            await asyncio.sleep(seconds)
            await do()

        task = asyncio.create_task(later())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
