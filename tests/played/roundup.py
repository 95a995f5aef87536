"""As much of a Roundup (2.6, classic template) as tests/described/roundup.toml asks for, in memory, strict.

A message is seen by nobody until an issue names it. Whoever changes an issue says by its etag which version
was seen. The real one is asked with the same block in tests/peers/test_roundup_conformance.py.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar, Final

import httpx
import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from integrations.conformance.world import Said, World
from integrations.connector import Ref, Theirs
from integrations.systems.rest import Rest
from integrations.vendors import read_vendors

BLOCK: Final = Path(__file__).parent.parent / "described" / "roundup.toml"
US, LENA = "3", "4"
SECRET: Final = "muster:muster-secret-1"
STATUSES: Final = (
    "unread",
    "chatting",
    "in-progress",
    "testing",
    "deferred",
    "need-eg",
    "done-cbb",
    "resolved",
)
PRIORITIES: Final = ("critical", "urgent", "bug", "feature", "wish")
_FORMAT: Final = "%Y-%m-%d.%H:%M:%S"
_SHAPE: Final = {"@fields", "@verbose", "@sort", "@page_size", "@page_index"}
_FIELDS: Final = {"title", "status", "priority", "messages"}
Json = dict[str, Any]


class Fault(Exception):
    """An error as Roundup answers it."""

    def __init__(self, status: int, says: str) -> None:
        super().__init__(says)
        self.status, self.says = status, says


class PlayedRoundup:
    """The tracker: messages, and the issues that name them."""

    def __init__(self) -> None:
        self.messages: dict[str, Json] = {}
        self.issues: dict[str, Json] = {}
        self.app = Starlette(
            routes=[
                self._route("user", self.users, "GET"),
                self._route("msg", self.listed_messages, "GET"),
                self._route("msg", self.make_message, "POST"),
                self._route("issue", self.listed_issues, "GET"),
                self._route("issue", self.make_issue, "POST"),
                self._route("issue/{id}", self.issue, "GET"),
                self._route("issue/{id}", self.change, "PATCH"),
            ]
        )

    def _route(self, path: str, handler: Callable[[Request], Awaitable[Response]], method: str) -> Route:
        async def guarded(request: Request) -> Response:
            pair = base64.b64encode(SECRET.encode()).decode()
            if request.headers.get("authorization") != f"Basic {pair}":
                return _error(Fault(401, "Invalid Login"))
            if method != "GET" and not {"x-requested-with", "origin"} <= set(request.headers):
                return _error(Fault(400, "Required Header Missing"))
            try:
                return await handler(request)
            except Fault as fault:
                return _error(fault)

        return Route("/rest/data/" + path, guarded, methods=[method])

    # What happens there

    def say(self, issue: str, author: str, text: str) -> None:
        number = self._message({"content": text, "messageid": "", "author": author})
        self.issues[issue]["messages"].append(number)
        self.touch(issue)

    def touch(self, issue: str) -> None:
        self.issues[issue]["activity"] = datetime.now(UTC)

    def _message(self, told: Json) -> str:
        number = str(len(self.messages) + 1)
        self.messages[number] = {**told, "id": number, "date": datetime.now(UTC)}
        return number

    # What is asked of it

    async def users(self, request: Request) -> Response:
        _asks(request, {"username:"})
        found = (
            [{"id": US, "username": "muster"}] if request.query_params.get("username:") == "muster" else []
        )
        return _collection(found)

    async def listed_messages(self, request: Request) -> Response:
        _asks(request, {"messageid:", "id"})
        asked, ids = request.query_params.get("messageid:"), request.query_params.getlist("id")
        found = [
            {
                "id": one["id"],
                "author": {"id": one["author"]},
                "date": one["date"].strftime(_FORMAT),
                "content": one["content"],
            }
            for one in self.messages.values()
            if (asked is None or one["messageid"] == asked) and (not ids or one["id"] in ids)
        ]
        return _collection(found)

    async def make_message(self, request: Request) -> Response:
        told = orjson.loads(await request.body())
        if set(told) != {"content", "messageid", "author", "date"} or told["author"] != US:
            raise Fault(400, "KeyError: no such property")
        return _made(self._message(told))

    async def listed_issues(self, request: Request) -> Response:
        _asks(request, {"messages", "activity"})
        message, since = request.query_params.get("messages"), request.query_params.get("activity", ";")
        rows = [
            {"id": number, **self._attributes(one)}
            for number, one in sorted(self.issues.items(), key=lambda pair: pair[1]["activity"])
            if message is None or message in one["messages"]
            if one["activity"].strftime(_FORMAT) >= since.rstrip(";")
        ]
        size, page = (int(request.query_params.get(f"@page_{n}", d)) for n, d in (("size", 50), ("index", 1)))
        return _collection(rows[(page - 1) * size : page * size])

    async def make_issue(self, request: Request) -> Response:
        told = self._fields(orjson.loads(await request.body()))
        number = str(len(self.issues) + 1)
        self.issues[number] = {"messages": [], "priority": "bug", **told}
        self.touch(number)
        return _made(number)

    async def issue(self, request: Request) -> Response:
        _asks(request, set())
        number, one = self._of(request)
        about = {"id": number, "type": "issue", "attributes": self._attributes(one), "@etag": _etag(one)}
        return JSONResponse({"data": about})

    async def change(self, request: Request) -> Response:
        number, one = self._of(request)
        if request.headers.get("if-match") != _etag(one):
            raise Fault(412, "PreconditionFailed: If-Match is missing or does not match")
        told = orjson.loads(await request.body())
        adds = told.pop("@op", "replace") == "add"
        told = self._fields(told)
        if adds:
            told["messages"] = [*one["messages"], *told["messages"]]
        one |= told
        self.touch(number)
        return JSONResponse({"data": {"id": number, "type": "issue", "attribute": sorted(told)}})

    def _of(self, request: Request) -> tuple[str, Json]:
        number = request.path_params["id"]
        if number not in self.issues:
            raise Fault(404, "Not Found")
        return number, self.issues[number]

    def _fields(self, told: Json) -> Json:
        strange = set(told) - _FIELDS
        if (
            strange
            or told.get("status", STATUSES[0]) not in STATUSES
            or told.get("priority", PRIORITIES[0]) not in PRIORITIES
            or any(one not in self.messages for one in told.get("messages", ()))
        ):
            raise Fault(409, f"no such thing: {sorted(strange)}")
        return told

    def _attributes(self, one: Json) -> Json:
        return {
            "title": one["title"],
            "status": {"id": str(STATUSES.index(one["status"]) + 1), "name": one["status"]},
            "priority": {"id": str(PRIORITIES.index(one["priority"]) + 1), "name": one["priority"]},
            "assignedto": None,
            "messages": [{"id": number} for number in one["messages"]],
            "files": [],
            "activity": one["activity"].strftime(_FORMAT),
        }


def _error(fault: Fault) -> Response:
    return JSONResponse({"error": {"status": fault.status, "msg": fault.says}}, fault.status)


def _asks(request: Request, filters: set[str]) -> None:
    if strange := set(request.query_params) - _SHAPE - filters:
        raise Fault(400, f"no such filter: {sorted(strange)}")


def _collection(rows: list[Json]) -> Response:
    return JSONResponse({"data": {"collection": rows, "@total_size": len(rows)}})


def _made(number: str) -> Response:
    return JSONResponse({"data": {"id": number, "link": f"/{number}"}}, 201)


def _etag(issue: Json) -> str:
    seen = orjson.dumps({name: str(value) for name, value in issue.items()}, option=orjson.OPT_SORT_KEYS)
    return f'"{hashlib.sha256(seen).hexdigest()[:32]}"'


class RoundupWorld(World):
    """The played tracker as the block describes it."""

    system: ClassVar[Any] = Rest
    url = "https://tracker.example/rest"
    zone = "UTC"
    secret = SECRET

    def __init__(self) -> None:
        self.played = PlayedRoundup()
        self.config = read_vendors(BLOCK.read_text())["roundup"].config

    def transport(self) -> httpx.AsyncBaseTransport:
        return httpx.ASGITransport(self.played.app)

    async def tickets(self, op_id: str) -> int:
        ours = {number for number, one in self.played.messages.items() if one["messageid"] == op_id}
        return sum(any(number in ours for number in one["messages"]) for one in self.played.issues.values())

    async def said(self, ref: Ref) -> list[Said]:
        named = self.played.issues[ref.id]["messages"]
        return [Said(self.played.messages[number]["content"]) for number in named]

    async def says(self, ref: Ref, text: str) -> None:
        self.played.say(ref.id, LENA, text)

    async def sets(self, ref: Ref, to: Theirs) -> None:
        self.played.issues[ref.id]["status"] = self.config.raw_state(to)
        self.played.touch(ref.id)
