"""Moods in which what was asked is done, and the answer is one that no program can read, or may follow."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import ClassVar, Final

import orjson
from pydantic.dataclasses import dataclass
from starlette.responses import JSONResponse, Response, StreamingResponse

from integrations.practice.call import Call
from integrations.practice.mood import CONFIG, Mood

_JSON: Final = "application/json"


@dataclass(frozen=True, config=CONFIG)
class WrongCharset(Mood):
    """Does what was asked; the answer comes in UTF-16, which JSON may not be."""

    name: ClassVar[str] = "wrong_charset"

    async def do(self, call: Call) -> None:
        status, body = await call.commit()
        told = body.decode().encode("utf-16")
        await call.reply(Response(told, status, media_type=f"{_JSON}; charset=utf-16"))


@dataclass(frozen=True, config=CONFIG)
class HugeAnswer(Mood):
    """Does what was asked; the answer is right, and `megabytes` long."""

    name: ClassVar[str] = "huge_answer"
    megabytes: int = 10

    async def do(self, call: Call) -> None:
        status, body = await call.commit()
        told = {**orjson.loads(body), "padding": "x" * (self.megabytes * 2**20)}
        await call.reply(Response(orjson.dumps(told), status, media_type=_JSON))


@dataclass(frozen=True, config=CONFIG)
class Drip(Mood):
    """Does what was asked; the answer comes a byte at a time, one each `seconds`."""

    name: ClassVar[str] = "drip"
    seconds: float = 0.2

    async def do(self, call: Call) -> None:
        status, body = await call.commit()

        async def drops() -> AsyncIterator[bytes]:
            for place in range(len(body)):
                yield body[place : place + 1]
                await asyncio.sleep(self.seconds)

        await call.reply(StreamingResponse(drops(), status, media_type=_JSON))


@dataclass(frozen=True, config=CONFIG)
class Redirect(Mood):
    """Sends the caller to another origin, having done what was asked (`commits`) or not."""

    name: ClassVar[str] = "redirect"
    to: str = "http://127.0.0.1:9/elsewhere"
    status: int = 302
    commits: bool = False

    async def do(self, call: Call) -> None:
        if self.commits:
            await call.commit()
        await call.reply(JSONResponse({}, self.status, {"Location": self.to}))
