"""Moods in which the supplier answers well-formed and in time, and what it tells is not how things are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, Final
from urllib.parse import parse_qsl, urlencode

import orjson
from pydantic import Field
from pydantic.dataclasses import dataclass
from starlette.responses import JSONResponse, Response

from integrations.practice.call import Call
from integrations.practice.mood import CONFIG, Mood, On, operation_of

Told = dict[str, Any]
_TIMES: Final = ("at", "opened_at", "updated_at")
_REFUSED: Final = {"errors": {"authorization": "your token has expired"}}
_EMPTY: Final[Mapping[str, Told]] = {"find": {"tickets": []}, "history": {"changes": []}}


async def _retold(call: Call, change: Callable[[Told], Told]) -> None:
    """Do what was asked, and answer what `change` makes of the answer."""
    status, body = await call.commit()
    told = orjson.dumps(change(orjson.loads(body))) if status < 300 else body
    await call.reply(Response(told, status, media_type="application/json"))


@dataclass(frozen=True, config=CONFIG)
class DelayedIndex(Mood):
    """Finds by reference only what was made `seconds` ago or earlier."""

    name: ClassVar[str] = "delayed_index"
    seconds: float = 1.0
    on: On = Field(default="find", kw_only=True)

    async def do(self, call: Call) -> None:
        edge = datetime.now(UTC) - timedelta(seconds=self.seconds)

        def indexed(told: Told) -> Told:
            old = [t for t in told.get("tickets", ()) if datetime.fromisoformat(t["opened_at"]) <= edge]
            return {**told, "tickets": old}

        await _retold(call, indexed)


@dataclass(frozen=True, config=CONFIG)
class ExpiredToken(Mood):
    """Our token ran out, and we are anybody: lists are empty, nothing is found, writes are refused."""

    name: ClassVar[str] = "expired_token"

    async def do(self, call: Call) -> None:
        asked = operation_of(call.method, call.path)
        if asked in _EMPTY:
            await call.reply(JSONResponse(_EMPTY[asked]))
        elif asked == "changes":
            await _retold(call, lambda told: {**told, "changes": [], "last": 0})
        elif asked == "get":
            await call.reply(JSONResponse({"errors": {"ticket": "there is none"}}, 404))
        else:
            await call.reply(JSONResponse(_REFUSED, 401))


@dataclass(frozen=True, config=CONFIG)
class ClockSkew(Mood):
    """Every time that it tells is `seconds` off: its clock goes before ours, or behind."""

    name: ClassVar[str] = "clock_skew"
    seconds: float = 3600.0

    async def do(self, call: Call) -> None:
        await _retold(call, self._skewed)

    def _skewed(self, told: Any) -> Any:
        if isinstance(told, list):
            return [self._skewed(one) for one in told]
        if not isinstance(told, dict):
            return told
        return {key: self._time(one) if key in _TIMES else self._skewed(one) for key, one in told.items()}

    def _time(self, at: str) -> str:
        return (datetime.fromisoformat(at) + timedelta(seconds=self.seconds)).isoformat()


@dataclass(frozen=True, config=CONFIG)
class Duplicated(Mood):
    """Tells every change twice."""

    name: ClassVar[str] = "duplicated"
    on: On = Field(default="changes", kw_only=True)

    async def do(self, call: Call) -> None:
        await _retold(call, lambda told: {**told, "changes": [c for c in told["changes"] for _ in "12"]})


@dataclass(frozen=True, config=CONFIG)
class Reordered(Mood):
    """Tells the changes of a page with the newest first."""

    name: ClassVar[str] = "reordered"
    on: On = Field(default="changes", kw_only=True)

    async def do(self, call: Call) -> None:
        await _retold(call, lambda told: {**told, "changes": told["changes"][::-1]})


@dataclass(frozen=True, config=CONFIG)
class Replayed(Mood):
    """Tells changes again that were told before: of the last `back`."""

    name: ClassVar[str] = "replayed"
    back: int = 10
    on: On = Field(default="changes", kw_only=True)

    async def do(self, call: Call) -> None:
        asked = dict(parse_qsl(call.query))
        if "after" in asked:
            call.query = urlencode({**asked, "after": max(0, int(asked["after"]) - self.back)})
        await call.answer()
