"""Freshservice as its documentation (api.freshservice.com) describes it, in memory, and strict.

What is not in its documentation is refused as it refuses: 400, `{description, errors: [{field, message,
code}]}`. Times are told to the second. The list leaves out what is spam or in the bin, what is in another
workspace, and what is older than 30 days unless it is asked for by `updated_since`. Its clock is its own.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from html import escape
from typing import Any, Final
from urllib.parse import quote

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.played.hosts import FilesHost

KEY: Final = "fresh-key-0123456789"
OURS: Final = "muster@customer.example"
WE, LENA, REQUESTER, OTHER = 71, 72, 91, 92
FIELD: Final = "muster_ref"
Json = dict[str, Any]
Handler = Callable[[Request], Awaitable[Response]]
_NUMBERS: Final = ("status", "priority", "impact", "urgency", "source", "group_id", "department_id")
_WRITABLE: Final = {
    *("subject", "description", "email", "requester_id", "custom_fields", "type", "tags", "workspace_id"),
    *("category", "sub_category", "item_category", "resolution_notes", *_NUMBERS),
}
_LISTED: Final = {
    *("updated_since", "page", "per_page", "order_type", "workspace_id", "email", "requester_id", "filter"),
    "include",
}


class PlayedFreshservice:
    """The account: its tickets and what was said on them.

    mandatory: fields without which no ticket is resolved or closed. rule: an automation of theirs, after each
    update. What is in the bin or marked as spam is shown, and changed by nobody (405).
    """

    def __init__(self) -> None:
        self.tickets: dict[int, Json] = {}
        self.said: dict[int, list[Json]] = {}
        self.files: dict[int, bytes] = {}
        self.with_ticket: dict[int, list[Json]] = {}
        self.cdn = FilesHost("acme.attachments.freshservice.com", lambda: self.now, timedelta(days=1))
        self.known = {OURS: REQUESTER, "someone@supplier.example": OTHER}
        self.key = KEY
        self.statuses = {2: "Open", 3: "Pending", 4: "Resolved", 5: "Closed"}
        self.custom = {FIELD, "cause"}
        self.mandatory: set[str] = set()
        self.rule: Callable[[Json], None] | None = None
        self.matrix = False  # priorities are worked out of impact and urgency, whatever is asked for
        self.hidden: set[int] = set()  # where our account may not look
        self.retired = False  # our agent is one no more
        self.workspace = 2
        self.now = datetime(2026, 1, 5, 8, tzinfo=UTC)
        self.inclusive = True  # whether `updated_since` takes its own second in: nobody says
        self.after_page: Callable[[], None] | None = None
        self._number = 1_000
        self.app = Starlette(
            routes=[
                self._route("/agents/me", self.me, "GET"),
                self._route("/requesters", self.requesters, "GET"),
                self._route("/ticket_form_fields", self.form_fields, "GET"),
                self._route("/tickets", self.listed, "GET"),
                self._route("/tickets", self.create, "POST"),
                self._route("/tickets/{id:int}", self.show, "GET"),
                self._route("/tickets/{id:int}", self.update, "PUT"),
                self._route("/tickets/{id:int}/conversations", self.conversations, "GET"),
                self._route("/tickets/{id:int}/reply", self.reply, "POST"),
                self._route("/tickets/{id:int}/notes", self.note, "POST"),
            ]
        )

    # What happens there

    def number(self) -> int:
        self._number += 1
        return self._number

    def tick(self, seconds: int = 1) -> str:
        self.now += timedelta(seconds=seconds)
        return at_second(self.now)

    def make(self, requester: int, told: Json) -> Json:
        number, at = self.number(), self.tick()
        ticket = {
            "id": number,
            "workspace_id": self.workspace,
            "subject": told["subject"],
            "description": told["description"],
            "description_text": told["description"],
            "status": told["status"],
            "priority": told["priority"],
            "impact": told.get("impact", 1),
            "urgency": told.get("urgency", 1),
            "source": told.get("source", 2),
            "type": "Incident",
            "requester_id": requester,
            "responder_id": None,
            "group_id": told.get("group_id"),
            "department_id": told.get("department_id"),
            "category": told.get("category"),
            "spam": False,
            "deleted": False,
            "custom_fields": dict.fromkeys(sorted(self.custom)) | told.get("custom_fields", {}),
            "created_at": at,
            "updated_at": at,
        }
        self.tickets[number], self.said[number] = ticket, []
        return ticket

    def change(self, ticket: Json, **told: Any) -> None:
        ticket |= {**told, "updated_at": self.tick()}

    def say(self, number: int, user: int, html: str, at: str | None = None, **more: Any) -> Json:
        """A reply or a note, which touches its ticket."""
        at = at or self.tick()
        files: list[tuple[str, bytes]] = more.pop("files", [])
        one = {
            "id": self.number(),
            "user_id": user,
            "ticket_id": number,
            "body": f"<div>{html}</div>",
            "body_text": html,
            "incoming": user == REQUESTER,
            "private": more.get("private", False),
            "source": more.get("source", 0),
            "to_emails": [],
            "support_email": None,
            "created_at": at,
            "updated_at": at,
            "attachments": [self.kept(name, content) for name, content in files],
        }
        self.said[number].append(one)
        self.tickets[number]["updated_at"] = at
        return one

    def merge(self, number: int, into: int) -> None:
        """As their button does it in Freshdesk, its sister: closed, with a private note."""
        says = f'This ticket is closed and merged into ticket <a href="{into}">{into}</a>'
        self.say(number, LENA, says, private=True)
        self.change(self.tickets[number], status=5)

    def kept(self, name: str, content: bytes) -> Json:
        number = self.number()
        self.files[number] = content
        path = (
            f"/data/helpdesk/attachments/production/{number}/original/{re.sub(r'[^a-zA-Z0-9.]', ' ', name)}"
        )
        self.cdn.put(path, content)
        return {
            "id": number,
            "name": name,
            "content_type": "application/octet-stream",
            "size": len(content),
            "attachment_url": path,
            "canonical_url": f"https://acme.freshservice.com/helpdesk/attachments/{number}",
        }

    def _signed(self, told: Json) -> Json:
        """Words or a ticket, with addresses of their files that are good from now on."""
        return {**told, "attachments": [self._one_signed(file) for file in told.get("attachments", ())]}

    def _one_signed(self, file: Json) -> Json:
        path = file["attachment_url"]
        until, proof = self.cdn.signature(path)
        asked = f"response-content-type=application/pdf&Expires={until}&Signature={proof}&Key-Pair-Id=APKAI"
        return {**file, "attachment_url": f"https://{self.cdn.host}{quote(path)}?{asked}"}

    # What is asked of it

    def _route(self, path: str, handler: Handler, method: str) -> Route:
        async def guarded(request: Request) -> Response:
            self.tick()
            pair = base64.b64encode(f"{self.key}:X".encode()).decode()
            number = request.path_params.get("id")
            if request.headers.get("authorization") != f"Basic {pair}":
                says = "You have to be logged in to perform this action."
                answer: Response = JSONResponse({"code": "invalid_credentials", "message": says}, 401)
            elif self.retired or number in self.hidden:
                says = "You are not authorized to perform this action."
                answer = JSONResponse({"code": "access_denied", "message": says}, 403)
            elif number is not None and number not in self.tickets:
                answer = Response(status_code=404)
            elif number is not None and method != "GET" and self._is_over(number):
                answer = Response(status_code=405, headers={"Allow": "GET"})
            else:
                answer = await handler(request)
            answer.headers["Date"] = format_datetime(self.now, usegmt=True)
            answer.headers["X-Ratelimit-Total"] = "100"
            answer.headers["X-Ratelimit-Remaining"] = "99"
            answer.headers["X-Ratelimit-Used-CurrentRequest"] = "1"
            return answer

        return Route("/api/v2" + path, guarded, methods=[method])

    def _is_over(self, number: int) -> bool:
        return bool(self.tickets[number]["deleted"] or self.tickets[number]["spam"])

    async def me(self, request: Request) -> Response:
        return JSONResponse({"agent": {"id": WE, "first_name": "Muster", "email": OURS, "role_ids": [7]}})

    async def requesters(self, request: Request) -> Response:
        asked = request.query_params.get("email", "").casefold()
        rows = [
            {"id": number, "primary_email": address, "secondary_emails": []}
            for address, number in self.known.items()
            if address.casefold() == asked
        ]
        return JSONResponse({"requesters": rows})

    async def form_fields(self, request: Request) -> Response:
        choices = [{"id": number, "value": word} for number, word in self.statuses.items()]
        rows: list[Json] = [{"id": 1, "name": "status", "choices": choices}]
        rows += [{"id": 10 + n, "name": name, "choices": []} for n, name in enumerate(sorted(self.custom))]
        return JSONResponse({"ticket_fields": rows})

    async def listed(self, request: Request) -> Response:
        asked = request.query_params
        if strange := sorted(set(asked) - _LISTED):
            return _invalid(
                [(name, "Unexpected/invalid field in request", "invalid_field") for name in strange]
            )
        size, page = int(asked.get("per_page", 30)), int(asked.get("page", 1))
        if not 1 <= size <= 100:
            return _invalid([("per_page", "It should be a Positive Integer less than or equal to 100", _BAD)])
        workspace = int(asked.get("workspace_id", 2))
        since = asked.get("updated_since")
        rows = [
            one
            for one in self.tickets.values()
            if not one["spam"] and not one["deleted"] and one["workspace_id"] == workspace
            if (self._fresh(one) if since is None else self._since(one, datetime.fromisoformat(since)))
        ]
        rows.sort(key=lambda one: (one["created_at"], one["id"]), reverse=asked.get("order_type") != "asc")
        told = rows[(page - 1) * size : page * size]
        if self.after_page is not None:
            after, self.after_page = self.after_page, None
            answer = JSONResponse({"tickets": told})
            after()
            return answer
        return JSONResponse({"tickets": told})

    def _fresh(self, ticket: Json) -> bool:
        return datetime.fromisoformat(ticket["created_at"]) >= self.now - timedelta(days=30)

    def _since(self, ticket: Json, asked: datetime) -> bool:
        at = datetime.fromisoformat(ticket["updated_at"])
        return at > asked or (at == asked and self.inclusive)

    async def create(self, request: Request) -> Response:
        told = orjson.loads(await request.body())
        if fault := self._fault(told, ("email", "subject", "description", "status", "priority")):
            return fault
        address = told["email"].casefold()
        if address not in self.known:
            self.known[address] = self.number()
        ticket = self.make(self.known[address], told)
        ticket["workspace_id"] = told.get("workspace_id", 2)
        return JSONResponse({"ticket": ticket}, 201)

    async def show(self, request: Request) -> Response:
        """Also what is spam or in the bin."""
        number = request.path_params["id"]
        files = self.with_ticket.get(number, [])
        return JSONResponse({"ticket": self._signed({**self.tickets[number], "attachments": files})})

    async def update(self, request: Request) -> Response:
        told, ticket = orjson.loads(await request.body()), self.tickets[request.path_params["id"]]
        if fault := self._fault(told):
            return fault
        if told.get("status") in (4, 5):
            given = {**ticket, **ticket["custom_fields"], **told, **told.get("custom_fields", {})}
            lacks = sorted(name for name in self.mandatory if not given.get(name))
            if lacks:
                return _invalid([(name, "It should be filled", "missing_field") for name in lacks])
        custom = ticket["custom_fields"] | told.pop("custom_fields", {})
        if self.matrix:
            told.pop("priority", None)
        self.change(ticket, **told, custom_fields=custom)
        if self.rule is not None:
            self.rule(ticket)
        return JSONResponse({"ticket": ticket})

    async def conversations(self, request: Request) -> Response:
        asked = request.query_params
        size, page = int(asked.get("per_page", 30)), int(asked.get("page", 1))
        if not 1 <= size <= 100:
            return _invalid([("per_page", "It should be a Positive Integer less than or equal to 100", _BAD)])
        rows = self.said[request.path_params["id"]]
        told = rows[(page - 1) * size : page * size]
        return JSONResponse({"conversations": [self._signed(one) for one in told]})

    async def reply(self, request: Request) -> Response:
        return await self._write(request, {"body"}, private=False)

    async def note(self, request: Request) -> Response:
        return await self._write(request, {"body", "private", "incoming", "notify_emails"}, private=True)

    async def _write(self, request: Request, known: set[str], *, private: bool) -> Response:
        files: list[tuple[str, bytes]] = []
        if request.headers["content-type"].startswith("multipart/form-data"):
            told, files = parts_of(request.headers["content-type"], await request.body())
            if "private" in told:
                told["private"] = told["private"] == "true"
        else:
            told = orjson.loads(await request.body())
        if strange := sorted(set(told) - known):
            return _invalid(
                [(name, "Unexpected/invalid field in request", "invalid_field") for name in strange]
            )
        if not told.get("body"):
            return _invalid([("body", "It should be a/an String", "missing_field")])
        hidden = told.get("private", private)
        one = self.say(request.path_params["id"], WE, told["body"], private=hidden, files=files)
        return JSONResponse({"conversation": self._signed(one)}, 201)

    def _fault(self, told: Json, needed: tuple[str, ...] = ()) -> Response | None:
        faults = [(name, "It should be filled", "missing_field") for name in needed if not told.get(name)]
        faults += [(n, "Unexpected/invalid field in request", "invalid_field") for n in set(told) - _WRITABLE]
        faults += [
            (name, "It should be a/an Positive Integer", "datatype_mismatch")
            for name in _NUMBERS
            if name in told and type(told[name]) is not int
        ]
        if told.get("status", 2) not in self.statuses or told.get("priority", 1) not in (1, 2, 3, 4):
            faults.append(("status", "It should be one of these values: '2,3,4,5'", _BAD))
        strange = set(told.get("custom_fields", {})) - self.custom
        faults += [(name, "Unexpected/invalid field in request", "invalid_field") for name in sorted(strange)]
        return _invalid(faults) if faults else None


_BAD: Final = "invalid_value"


def _invalid(faults: list[tuple[str, str, str]]) -> Response:
    errors = [{"field": field, "message": says, "code": code} for field, says, code in faults]
    return JSONResponse({"description": "Validation failed", "errors": errors}, 400)


def parts_of(kind: str, body: bytes) -> tuple[Json, list[tuple[str, bytes]]]:
    """The fields and the files of a form (RFC 7578)."""
    border = b"--" + kind.partition("boundary=")[2].encode()
    fields: Json = {}
    files: list[tuple[str, bytes]] = []
    first, *parts, last = body.split(border)
    assert (first, last) == (b"", b"--\r\n")
    for part in parts:
        head, _, rest = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        assert rest.endswith(b"\r\n")
        named = dict(re.findall(r'(name|filename)="([^"]*)"', head.decode()))
        if "filename" in named:
            assert named["name"] == "attachments[]"
            files.append((named["filename"], rest[:-2]))
        else:
            fields[named["name"]] = rest[:-2].decode()
    return fields, files


def at_second(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def as_html(text: str) -> str:
    return escape(text).replace("\n", "<br>")
