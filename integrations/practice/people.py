"""Moods in which the supplier's people act in the very moment of a request of ours."""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar, Final

import orjson
from pydantic import Field
from pydantic.dataclasses import dataclass
from starlette.responses import Response

from integrations.practice.call import Call
from integrations.practice.mood import CONFIG, Mood, On

WE: Final = "muster"
"""The account that every caller of the API is."""


@dataclass(frozen=True, config=CONFIG)
class AnswersFirst(Mood):
    """Does what was asked, and its people answer it before its machine does, `seconds` later."""

    name: ClassVar[str] = "answers_first"
    seconds: float = 0.1
    times: int | None = Field(default=1, kw_only=True)
    on: On = Field(default="writes", kw_only=True)

    async def do(self, call: Call) -> None:
        status, body = await call.commit()
        await call.act(ticket=_ticket_of(call, body), author="Lena", comment="That was quick: I have it.")
        await asyncio.sleep(self.seconds)
        await _reply(call, status, body)


@dataclass(frozen=True, config=CONFIG)
class TypedAsUs(Mood):
    """Does what was asked; then somebody who is signed in with our account writes there by hand."""

    name: ClassVar[str] = "typed_as_us"
    times: int | None = Field(default=1, kw_only=True)
    on: On = Field(default="writes", kw_only=True)

    async def do(self, call: Call) -> None:
        status, body = await call.commit()
        await call.act(ticket=_ticket_of(call, body), author=WE, comment="Typed by hand, with your login.")
        await _reply(call, status, body)


@dataclass(frozen=True, config=CONFIG)
class MergedAway(Mood):
    """Its people have merged the ticket into another one when the request comes; a new one, after it."""

    name: ClassVar[str] = "merged_away"
    times: int | None = Field(default=1, kw_only=True)
    on: On = Field(default="writes", kw_only=True)

    async def do(self, call: Call) -> None:
        if call.path == "/tickets":
            status, body = await call.commit()
            await call.act(ticket=_ticket_of(call, body), merge=True)
        else:
            await call.act(ticket=_ticket_of(call, b""), merge=True)
            status, body = await call.commit()
        await _reply(call, status, body)


@dataclass(frozen=True, config=CONFIG)
class Meanwhile(Mood):
    """Its people do something with the ticket in the moment before: write, raise or lower it, split it."""

    name: ClassVar[str] = "meanwhile"
    comment: str = ""
    priority: str = ""
    split: str = ""
    times: int | None = Field(default=1, kw_only=True)
    on: On = Field(default="state", kw_only=True)

    async def do(self, call: Call) -> None:
        done = {name: said for name in ("comment", "priority", "split") if (said := getattr(self, name))}
        if call.path != "/tickets":  # there is none yet to do it with
            await call.act(ticket=_ticket_of(call, b""), author="Lena", **done)
        await call.answer()


def _ticket_of(call: Call, body: bytes) -> str:
    """Which ticket a request was about; the one that it made, where it made one."""
    if call.path != "/tickets":
        return call.path.split("/")[2]
    told: dict[str, Any] = orjson.loads(body)
    return str(told.get("id", ""))


async def _reply(call: Call, status: int, body: bytes) -> None:
    await call.reply(Response(body, status, media_type="application/json"))
