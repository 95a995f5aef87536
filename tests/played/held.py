"""Answers that are held for a random time, before and after what was asked is done: over HTTP, and over SMTP.

So whoever asks can be killed at either. What was asked whole is then done all the same, or given up, for real
suppliers do the one and the other.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

from tests.played.email import Imap, PlayedMail, Smtp

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


class Hold:
    """How long answers are held, and what is on its way. most: seconds before, and again after.

    under_way: writes that came and are not answered yet. stops: method and a part of the path of the request
    that is stopped next, before it is looked at; goes_on: whether it is then done, or never arrived.
    """

    def __init__(self, seed: int, most: float) -> None:
        self._most, self._dice = most, random.Random(seed)
        self.under_way = 0
        self.stops: tuple[str, str] | None = None
        self.stopped = False
        self.goes_on: asyncio.Future[bool] | None = None

    async def a_while(self) -> None:
        await asyncio.sleep(self._dice.uniform(0, self._most))

    def gives_up(self) -> bool:
        """Whether what nobody waits for any more is left undone."""
        return self._dice.random() < 0.5

    async def stopped_at(self, method: str, path: str) -> bool | None:
        """Wait where this is the request that is to be stopped: whether it then arrives. None: it is not."""
        if self.stops is None or method != self.stops[0] or self.stops[1] not in path:
            return None
        self.stops, self.stopped = None, True
        self.goes_on = asyncio.get_running_loop().create_future()
        return await self.goes_on


class HeldApp:
    """Stands before a played supplier's app."""

    def __init__(self, app: App, hold: Hold) -> None:
        self._app, self._hold = app, hold

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        hold, whole = self._hold, await _whole(receive)
        if whole is None:
            return  # cut off: it never came
        writes, told = _writes(scope), list[Message]()
        hung_up = asyncio.ensure_future(receive())
        hold.under_way += writes
        try:
            arrives = await hold.stopped_at(scope["method"], scope["path"])
            await hold.a_while()
            if arrives is False or (arrives is None and hung_up.done() and hold.gives_up()):
                return
            await self._app(scope, _once(whole), _kept(told))
            await hold.a_while()
        finally:
            hold.under_way -= writes
            hung_up.cancel()
        for one in told:
            await send(one)


def _writes(scope: Mapping[str, Any]) -> bool:
    asked = dict(scope["headers"]).get(b"x-amz-target", b"").partition(b".")[2]
    return scope["method"] != "GET" and not asked.startswith(b"Describe")


async def _whole(receive: Receive) -> bytes | None:
    body = b""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += message.get("body", b"")
        if not message.get("more_body"):
            return body


def _once(body: bytes) -> Receive:
    messages = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Message:
        return messages.pop() if messages else await asyncio.Future()

    return receive


def _kept(told: list[Message]) -> Send:
    async def send(message: Message) -> None:
        told.append(message)

    return send


class _HeldSmtp(Smtp):
    """Holds the end of a mail's text: before the mail is taken over, and before that is said."""

    mail: HeldMail

    async def _ends(self, raw: bytes) -> bool:
        hold, (writer, self.writer) = self.mail.hold, (self.writer, _Later())  # type: ignore[assignment] # writes
        hold.under_way += 1
        try:
            await hold.a_while()
            over = await super()._ends(raw)
            await hold.a_while()
        finally:
            hold.under_way -= 1
            (said, self.writer) = (self.writer, writer)
        writer.write(said.told)  # type: ignore[attr-defined] # a _Later
        return over


class _Later:
    """What is written to it is kept."""

    def __init__(self) -> None:
        self.told = b""

    def write(self, said: bytes) -> None:
        self.told += said

    async def drain(self) -> None:
        """It is not on its way yet."""


class HeldMail(PlayedMail):
    """A mail server that holds its answers."""

    def __init__(self, hold: Hold) -> None:
        super().__init__()
        self.hold = hold

    async def start(self) -> None:
        for talk in (_HeldSmtp, Imap):
            self._servers.append(await asyncio.start_server(self.served(talk), "127.0.0.1", 0, limit=2**26))
        self.smtp, self.imap = (one.sockets[0].getsockname()[1] for one in self._servers)
