"""Practice Desk's REST API: what a real ticketing system's looks like from outside."""

from __future__ import annotations

import base64
import binascii
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Final

from pydantic import BaseModel, Field, ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from integrations.practice.desk import MAY, PRIORITIES, QUEUES, Desk, DeskRefused, PdChange, PdTicket
from integrations.practice.hooks import HookTo, Sender
from integrations.practice.moods import Misbehaving, Moods

if TYPE_CHECKING:
    from integrations.practice.oauth import Tokens

ACCOUNT: Final = "muster"
"""The account that every caller of the API is, as real systems know an integration's user."""
MAX_LIMIT: Final = 100
TOKEN_PATH: Final = "/oauth/token"  # noqa: S105 - an address
_OPEN: Final = ("/practice", TOKEN_PATH)

Handler = Callable[[Request], Awaitable[Response]]
_Count = Annotated[int, Field(ge=0, le=2**53)]


class _NewTicket(BaseModel, extra="forbid"):
    title: str
    body: str = ""
    reference: str = ""
    priority: str = "Normal"
    queue: str = "Support"


class _NewComment(BaseModel, extra="forbid"):
    body: str
    public: bool = True


class _NewState(BaseModel, extra="forbid"):
    state: str


class _NewPriority(BaseModel, extra="forbid"):
    priority: str


class _NewFile(BaseModel, extra="forbid"):
    name: str
    content: Annotated[bytes, Field(description="in base64")]


class _After(BaseModel, extra="forbid"):
    after: _Count | None = None
    limit: Annotated[int, Field(ge=1, le=MAX_LIMIT)] = MAX_LIMIT


class _Reference(BaseModel, extra="forbid"):
    reference: Annotated[str, Field(min_length=1)]


class _Act(BaseModel, extra="forbid"):
    """Something that the desk's own people do; a door that no real supplier has."""

    ticket: str
    author: str = "practice agent"
    comment: str = ""
    public: bool = True
    times: Annotated[int, Field(ge=1, le=1_000, description="comments, all of one instant")] = 1
    state: str = ""
    merge: Annotated[bool, Field(description="into another ticket, made for it")] = False
    split: Annotated[str, Field(description="the title of a ticket that takes over a part of it")] = ""
    priority: str = ""


def practice_app(
    desk: Desk,
    moods: Moods | None = None,
    token: str | None = None,
    hooks: Sender | None = None,
    oauth: Tokens | None = None,
) -> ASGIApp:
    """The whole supplier as an ASGI app; with `token`, callers must bear it. /practice/* is for us alone.

    oauth: gives tokens out, of which callers must bear one.
    """
    routes = _Api(desk)
    moods = moods or Moods()
    real = Starlette(
        routes=[
            Route("/whoami", routes.whoami, name="whoami"),
            Route("/about", routes.about, name="about"),
            Route("/tickets", routes.create, methods=["POST"]),
            Route("/tickets", routes.find, methods=["GET"]),
            Route("/tickets/{name}", routes.get, methods=["GET"]),
            Route("/tickets/{name}/comments", routes.comment, methods=["POST"]),
            Route("/tickets/{name}/state", routes.set_state, methods=["PUT"]),
            Route("/tickets/{name}/priority", routes.set_priority, methods=["PUT"]),
            Route("/tickets/{name}/files", routes.attach, methods=["POST"]),
            Route("/tickets/{name}/files/{seq:int}", routes.file, methods=["GET"]),
            Route("/tickets/{name}/changes", routes.history, methods=["GET"]),
            Route("/changes", routes.changes, methods=["GET"]),
            Route("/practice/mood", _mood_route(moods), methods=["GET", "POST"]),
            Route("/practice/webhook", _hook_route(hooks), methods=["POST"]),
            Route("/practice/act", routes.act, methods=["POST"]),
            Route("/practice", routes.all_tickets, methods=["GET"]),
            *([Route(TOKEN_PATH, oauth.answer, methods=["POST"])] if oauth is not None else []),
        ],
        exception_handlers={
            DeskRefused: _refused,
            ValidationError: _misread,
        },
    )
    return Misbehaving(_Guarded(real, token, oauth), moods)


class _Guarded:
    """Lets nobody in without the token, when there is one, or one of those that are given out."""

    def __init__(self, app: ASGIApp, token: str | None, oauth: Tokens | None) -> None:
        self.app = app
        self.token = token
        self.oauth = oauth

    def _lets_in(self, given: bytes) -> bool:
        if self.oauth is not None:
            return self.oauth.holds_now(given.decode("latin-1").removeprefix("Bearer "))
        return self.token is None or secrets.compare_digest(given, b"Bearer " + self.token.encode())

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        given = dict(scope["headers"]).get(b"authorization", b"") if scope["type"] == "http" else b""
        if scope["type"] == "http" and not scope["path"].startswith(_OPEN) and not self._lets_in(given):
            body = {"errors": {"authorization": "unknown or missing token"}}
            refusal = JSONResponse(body, 401, {"WWW-Authenticate": "Bearer"})
            await refusal(scope, receive, send)
            return
        await self.app(scope, receive, send)


class _Api:
    """The routes; each answers JSON, and refuses with `{"errors": {field: why}}`."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    async def whoami(self, _: Request) -> Response:
        return JSONResponse(
            {"account": ACCOUNT, "may": ["create", "comment", "state", "priority", "attach", "read"]}
        )

    async def about(self, _: Request) -> Response:
        return JSONResponse({"states": list(MAY), "priorities": list(PRIORITIES), "queues": list(QUEUES)})

    async def create(self, request: Request) -> Response:
        asked = _NewTicket.model_validate_json(await request.body())
        ticket = self.desk.create(
            ACCOUNT,
            asked.title,
            asked.body,
            reference=asked.reference,
            priority=asked.priority,
            queue=asked.queue,
        )
        answer = _ticket(request, ticket)
        return JSONResponse(answer, 201, {"Location": answer["url"]})

    async def find(self, request: Request) -> Response:
        asked = _Reference.model_validate(dict(request.query_params))
        found = self.desk.with_reference(asked.reference)
        return JSONResponse({"tickets": [_ticket(request, t) for t in found]})

    async def get(self, request: Request) -> Response:
        return JSONResponse(_ticket(request, self.desk.ticket(request.path_params["name"])))

    async def comment(self, request: Request) -> Response:
        asked = _NewComment.model_validate_json(await request.body())
        change = self.desk.comment(
            request.path_params["name"], ACCOUNT, asked.body, public=asked.public, version=_if_match(request)
        )
        return JSONResponse(_change(change), 201)

    async def set_state(self, request: Request) -> Response:
        asked = _NewState.model_validate_json(await request.body())
        name = request.path_params["name"]
        change = self.desk.set_state(name, ACCOUNT, asked.state, version=_if_match(request))
        ticket = _ticket(request, self.desk.ticket(name))
        return JSONResponse({"ticket": ticket, "change": _change(change) if change else None})

    async def set_priority(self, request: Request) -> Response:
        asked = _NewPriority.model_validate_json(await request.body())
        name = request.path_params["name"]
        change = self.desk.set_priority(name, ACCOUNT, asked.priority, version=_if_match(request))
        ticket = _ticket(request, self.desk.ticket(name))
        return JSONResponse({"ticket": ticket, "change": _change(change) if change else None})

    async def attach(self, request: Request) -> Response:
        asked = _NewFile.model_validate_json(await request.body())
        try:
            content = base64.b64decode(asked.content, validate=True)
        except binascii.Error:
            raise DeskRefused(422, {"content": "is not base64"}) from None
        change = self.desk.attach(request.path_params["name"], ACCOUNT, asked.name, content)
        return JSONResponse(_change(change), 201)

    async def file(self, request: Request) -> Response:
        content = self.desk.file(request.path_params["seq"])
        return Response(content, media_type="application/octet-stream")

    async def history(self, request: Request) -> Response:
        changes = self.desk.history(request.path_params["name"])
        return JSONResponse({"changes": [_change(c) for c in changes]})

    async def changes(self, request: Request) -> Response:
        """Changes after a seq, in order; without `after`, none, and where the end is."""
        asked = _After.model_validate(dict(request.query_params))
        last = self.desk.last_seq
        changes = self.desk.after(last if asked.after is None else asked.after, asked.limit)
        return JSONResponse({"changes": [_change(c) for c in changes], "last": last, "desk": self.desk.name})

    async def act(self, request: Request) -> Response:
        asked = _Act.model_validate_json(await request.body())
        ticket = self.desk.ticket(asked.ticket)
        if asked.comment:
            self.desk.burst(ticket.id, asked.author, [asked.comment] * asked.times, public=asked.public)
        if asked.state:
            self.desk.set_state(ticket.id, asked.author, asked.state)
        if asked.priority:
            self.desk.set_priority(ticket.id, asked.author, asked.priority)
        if asked.split:
            self.desk.split(ticket.id, asked.author, asked.split)
        if asked.merge:
            self.desk.merge(ticket.id, self._other(ticket.id, asked.author), asked.author)
        return JSONResponse(_ticket(request, self.desk.ticket(ticket.id)))

    def _other(self, ticket: str, author: str) -> str:
        """The id of a ticket that another one can be merged into: made now, and as far as that one is."""
        now = self.desk.ticket(ticket)
        other = self.desk.create(author, f"Collected: {now.key}").id
        self.desk.set_state(other, author, now.state)
        return other

    async def all_tickets(self, request: Request) -> Response:
        return JSONResponse({"tickets": [_ticket(request, t) for t in self.desk.tickets]})


def _mood_route(moods: Moods) -> Handler:
    async def mood(request: Request) -> Response:
        if request.method == "POST":
            try:
                moods.set_from(await request.json())
            except ValueError as error:
                return JSONResponse({"errors": {"mood": str(error)}}, 422)
        return JSONResponse({"moods": moods.describe()})

    return mood


def _hook_route(hooks: Sender | None) -> Handler:
    async def webhook(request: Request) -> Response:
        if hooks is None:
            raise DeskRefused(404, {"webhook": "nobody sends any here"})
        hooks.to = HookTo.model_validate_json(await request.body())
        return JSONResponse({"url": hooks.to.url, "mood": hooks.to.mood})

    return webhook


def _ticket(request: Request, ticket: PdTicket) -> dict[str, Any]:
    times = {"opened_at": _time(ticket.opened_at), "updated_at": _time(ticket.updated_at)}
    return {**asdict(ticket), **times, "url": f"{request.base_url}tickets/{ticket.id}"}


def _change(change: PdChange) -> dict[str, Any]:
    return {**asdict(change), "at": _time(change.at)}


def _time(at: datetime) -> str:
    return at.isoformat(timespec="microseconds").replace("+00:00", "Z")


def _if_match(request: Request) -> int | None:
    given = request.headers.get("if-match")
    if given is None:
        return None
    if not given.strip('"').isdecimal():
        raise DeskRefused(412, {"version": "If-Match must be a ticket's version"})
    return int(given.strip('"'))


async def _refused(_: Request, error: Exception) -> Response:
    if not isinstance(error, DeskRefused):
        raise error
    return JSONResponse({"errors": error.errors}, error.status)


async def _misread(_: Request, error: Exception) -> Response:
    if not isinstance(error, ValidationError):
        raise error
    errors = {".".join(map(str, e["loc"])) or "body": e["msg"] for e in error.errors(include_url=False)}
    return JSONResponse({"errors": errors}, 422)
