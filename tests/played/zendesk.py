"""Zendesk Support as its documentation describes it, in memory.

It keeps to what developer.zendesk.com says: keys of two hours, external_id, safe_update, closed for ever,
audits that tell everything, lists in pages of 100, the export without its last minute, ten asks a minute.
Its clock is its own, and goes on by what happens.
"""

from __future__ import annotations

import base64
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from html import escape
from typing import Any

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from integrations.markup.html import text_of_html
from tests.played.hosts import FilesHost
from tests.played.zendesk_files import attachment, cdn_path, file_routes

USER = "muster@customer.example"
TOKEN = "token-0123456789abcdef"
WE, LENA = 101, 202
NAMES = {WE: "Muster", LENA: "Lena"}
STATUSES = ("new", "open", "pending", "hold", "solved", "closed")
PRIORITIES = ("urgent", "high", "normal", "low")
WRITABLE = {"subject", "comment", "external_id", "priority", "status", "group_id", "custom_fields", "tags"}
FIELDS = {27642, 27648}
Json = dict[str, Any]
Handler = Callable[[Request], Awaitable[Response]]
HOME = "https://acme.zendesk.com"


class PlayedZendesk:
    """The account: tickets, their audits, what was uploaded, the keys that count."""

    def __init__(self) -> None:
        self.tickets: dict[int, Json] = {}
        self.audits: dict[int, list[Json]] = {}
        self.uploads: dict[str, Json] = {}
        self.files: dict[int, bytes] = {}
        self.attachments: dict[int, Json] = {}
        self.secure = True  # files are for whoever is signed in alone
        self.hides = False  # our account, too, is sent to sign in for them
        self.cdn = FilesHost("p18.zdusercontent.com", lambda: self.now, timedelta(minutes=15))
        self.keys: dict[str, tuple[datetime, bytes, Json]] = {}
        self.token = TOKEN
        self.role = "admin"
        self.restriction: str | None = None
        self.rule: Callable[[Json], None] | None = None  # a trigger of theirs, after each update
        self.reopens = False  # a word of ours sets what waits for us to open, in the same audit
        self.light = False  # our account is a light agent: it writes notes alone
        self.now = datetime(2026, 1, 5, 8, tzinfo=UTC)
        self.exports: list[datetime] = []
        self.hurry = True  # a minute goes by before each export
        self._number = 1_000
        self.app = Starlette(
            routes=[
                self._route("/users/me", self.me, "GET", anybody=True),
                self._route("/tickets", self.listed, "GET"),
                self._route("/tickets", self.create, "POST"),
                self._route("/tickets/{id:int}", self.show, "GET"),
                self._route("/tickets/{id:int}", self.update, "PUT"),
                self._route("/tickets/{id:int}/comments", self.comments, "GET"),
                self._route("/tickets/{id:int}/audits", self.told, "GET"),
                self._route("/uploads", self.upload, "POST"),
                self._route("/ticket_fields", self.fields, "GET"),
                self._route("/incremental/tickets/cursor", self.export, "GET"),
                *file_routes(self, self._route),
            ]
        )

    # What happens there

    def number(self) -> int:
        self._number += 1
        return self._number

    def tick(self, seconds: int = 1) -> str:
        self.now += timedelta(seconds=seconds)
        return at_second(self.now)

    def audit(self, ticket: Json, author: int, events: list[Json], *, at: str | None = None) -> Json:
        """One update, told by its events; the ticket is as new as it."""
        stamp = at or self.tick()
        told = {
            "id": self.number(),
            "ticket_id": ticket["id"],
            "created_at": stamp,
            "author_id": author,
            "metadata": {"system": {}, "custom": {}},
            "via": {
                "channel": "api" if author == WE else "web",
                "source": {"from": {}, "to": {}, "rel": None},
            },
            "events": events,
        }
        self.audits[ticket["id"]].append(told)
        ticket["updated_at"] = stamp
        ticket["generated_timestamp"] = int(self.now.timestamp())
        return told

    def comment(
        self, author: int, html: str, *, public: bool = True, files: list[Json] | None = None
    ) -> Json:
        html = f'<div class="zd-comment" dir="auto">{html}</div>'
        plain = text_of_html(html).replace("\n", "&nbsp;\n")
        return {
            "id": self.number(),
            "type": "Comment",
            "author_id": author,
            "body": text_of_html(html),
            "html_body": html,
            "plain_body": plain,
            "public": public,
            "attachments": files or [],
            "audit_id": None,
        }

    def change(self, ticket: Json, field: str, value: Any) -> Json:
        before, ticket[field] = ticket[field], value
        return {
            "id": self.number(),
            "type": "Change",
            "field_name": field,
            "value": value,
            "previous_value": before,
        }

    def made(self, author: int, subject: str, comment: Json, **more: Any) -> Json:
        number = self.number()
        ticket = {
            "id": number,
            "url": f"https://acme.zendesk.com/api/v2/tickets/{number}.json",
            "external_id": None,
            "subject": subject,
            "raw_subject": subject,
            "description": comment["body"],
            "priority": None,
            "status": "new",
            "requester_id": author,
            "submitter_id": author,
            "assignee_id": None,
            "organization_id": None,
            "group_id": None,
            "collaborator_ids": [],
            "follower_ids": [],
            "email_cc_ids": [],
            "tags": [],
            "custom_fields": [{"id": field, "value": None} for field in sorted(FIELDS)],
            "via": {"channel": "api", "source": {"from": {}, "to": {}, "rel": None}},
            "created_at": "",
            "updated_at": "",
            **more,
        }
        self.tickets[number], self.audits[number] = ticket, []
        created = [
            {"id": self.number(), "type": "Create", "field_name": field, "value": ticket[field]}
            for field in ("subject", "status", "priority", "requester_id")
        ]
        self.audit(ticket, author, [comment, *created])
        ticket["created_at"] = ticket["updated_at"]
        return ticket

    # What is asked of it

    def _route(self, path: str, handler: Handler, method: str, *, anybody: bool = False) -> Route:
        async def guarded(request: Request) -> Response:
            self.tick()
            if not anybody and not self.knows(request):
                answer: Response = JSONResponse({"error": "Couldn't authenticate you"}, 401)
            else:
                answer = await handler(request)
            answer.headers["Date"] = format_datetime(self.now, usegmt=True)
            answer.headers["X-Rate-Limit"] = "700"
            return answer

        return Route("/api/v2" + path, guarded, methods=[method])

    def knows(self, request: Request) -> bool:
        pair = base64.b64encode(f"{USER}/token:{self.token}".encode()).decode()
        return request.headers.get("authorization") == f"Basic {pair}"

    async def me(self, request: Request) -> Response:
        """Anonymous users may ask, too: they are told to be nobody, with 200."""
        if not self.knows(request):
            return JSONResponse(
                {"user": {"id": None, "name": "Anonymous user", "email": "invalid@example.com"}}
            )
        user = {"id": WE, "name": "Muster", "email": USER, "role": self.role, "suspended": False}
        return JSONResponse({"user": user | {"ticket_restriction": self.restriction}})

    async def fields(self, request: Request) -> Response:
        rows = [{"id": field, "title": f"Field {field}", "active": True} for field in sorted(FIELDS)]
        return JSONResponse({"ticket_fields": rows})

    async def listed(self, request: Request) -> Response:
        wanted = request.query_params.get("external_id")
        rows = [t for t in self.tickets.values() if wanted is None or t["external_id"] == wanted]
        return JSONResponse({"tickets": rows[:100], "count": len(rows), "next_page": None})

    async def create(self, request: Request) -> Response:
        raw, key = await request.body(), request.headers.get("idempotency-key")
        if key is not None and key in self.keys and self.now - self.keys[key][0] < timedelta(hours=2):
            _, before, answer = self.keys[key]
            if before != raw:
                says = "Request parameters don't match the given idempotency key"
                return JSONResponse({"error": "IdempotentRequestError", "description": says}, 400)
            return JSONResponse(answer, 201, {"x-idempotency-lookup": "hit"})
        told = orjson.loads(raw)["ticket"]
        if fault := self._fault(told, needs_comment=True):
            return fault
        comment = self._comment(told["comment"])
        asked = {name: told[name] for name in ("external_id", "priority", "group_id", "tags") if name in told}
        subject = told.get("subject") or comment["body"][:80]
        ticket = self.made(WE, subject, comment, **asked)
        self._custom(ticket, told)
        answer = {"ticket": ticket, "audit": self.audits[ticket["id"]][-1]}
        answer = orjson.loads(orjson.dumps(answer))
        if key is not None:
            self.keys[key] = (self.now, raw, answer)
        warn = ", ".join(sorted(set(told) - WRITABLE))
        warned = {"X-Zendesk-API-Warn": f"Removed restricted keys [{warn}] from parameters"} if warn else {}
        return JSONResponse(answer, 201, {"x-idempotency-lookup": "miss"} | warned)

    async def show(self, request: Request) -> Response:
        ticket = self.tickets.get(request.path_params["id"])
        return missing() if ticket is None else JSONResponse({"ticket": ticket})

    async def update(self, request: Request) -> Response:
        ticket = self.tickets.get(request.path_params["id"])
        if ticket is None:
            return missing()
        told = orjson.loads(await request.body())["ticket"]
        if told.get("safe_update") and told.get("updated_stamp") != ticket["updated_at"]:
            says = "Safe Update prevented the update due to outdated ticket data."
            return JSONResponse({"error": "UpdateConflict", "description": says}, 409)
        if ticket["status"] == "closed":
            return _invalid("status", "Status: closed prevents ticket update")
        if fault := self._fault(told):
            return fault
        events = [self._comment(told["comment"])] if "comment" in told else []
        fields = [name for name in ("status", "priority") if name in told and told[name] != ticket[name]]
        events += [self.change(ticket, name, told[name]) for name in fields]
        if self.reopens and "comment" in told and ticket["status"] == "pending" and "status" not in told:
            events.append(self.change(ticket, "status", "open"))
        self._custom(ticket, told)
        audit = self.audit(ticket, WE, events) if events else None
        if self.rule is not None:
            self.rule(ticket)
        return JSONResponse({"ticket": ticket, "audit": audit})

    async def comments(self, request: Request) -> Response:
        rows = [
            {**event, "audit_id": audit["id"], "created_at": audit["created_at"]}
            for audit in self.audits.get(request.path_params["id"], [])
            for event in audit["events"]
            if event["type"] == "Comment"
        ]
        return self._paged(request, "comments", rows)

    async def told(self, request: Request) -> Response:
        return self._paged(request, "audits", self.audits.get(request.path_params["id"], []))

    async def upload(self, request: Request) -> Response:
        content, name = await request.body(), request.query_params.get("filename")
        if not name:
            return _invalid("filename", "filename: cannot be blank")
        file = self.kept(name, content, request.headers.get("content-type"))
        self.uploads[f"token{file['id']}"] = file
        return JSONResponse({"upload": {"token": f"token{file['id']}", "attachment": file}}, 201)

    def kept(self, name: str, content: bytes, kind: str | None = "application/octet-stream") -> Json:
        """A file that is there, as an attachment tells it."""
        number = self.number()
        self.files[number] = content
        self.cdn.put(cdn_path(number), content)
        self.attachments[number] = attachment(HOME, number, name, kind, len(content))
        return self.attachments[number]

    async def export(self, request: Request) -> Response:
        if self.role != "admin":
            says = {"title": "Forbidden", "message": "You do not have access to this page."}
            return JSONResponse({"error": says}, 403)
        if self.hurry:
            self.tick(61)
        self.exports = [at for at in self.exports if self.now - at < timedelta(minutes=1)]
        if len(self.exports) >= 10:
            wait = 60 - int((self.now - self.exports[0]).total_seconds())
            says = "Number of allowed incremental ticket export API requests per minute exceeded"
            return JSONResponse({"error": says}, 429, {"Retry-After": str(wait)})
        self.exports.append(self.now)
        horizon = int(self.now.timestamp()) - 60
        asked = request.query_params
        if "cursor" in asked:
            at, number = orjson.loads(base64.b64decode(asked["cursor"]))
        elif int(asked["start_time"]) > horizon:
            says = {
                "error": "StartTimeTooRecent",
                "description": "Too recent start_time. Use a start_time older than 60 seconds",
            }
            return JSONResponse(says, 422)
        else:
            at, number = int(asked["start_time"]), 0
        size = min(int(asked.get("per_page", 1_000)), 1_000)
        rows = sorted(self.tickets.values(), key=lambda one: (one["generated_timestamp"], one["id"]))
        left = [
            t
            for t in rows
            if (at, number) < (t["generated_timestamp"], t["id"]) and t["generated_timestamp"] <= horizon
        ]
        page = left[:size]
        last = [page[-1]["generated_timestamp"], page[-1]["id"]] if page else [at, number]
        after = base64.b64encode(orjson.dumps(last)).decode()
        return JSONResponse(
            {
                "tickets": page,
                "after_cursor": after,
                "after_url": f"https://acme.zendesk.com/api/v2/incremental/tickets/cursor.json?cursor={after}",
                "before_cursor": None,
                "before_url": None,
                "end_of_stream": len(left) <= size,
            }
        )

    def _paged(self, request: Request, what: str, rows: list[Json]) -> Response:
        if request.path_params["id"] not in self.tickets:
            return missing()
        asked = request.query_params
        size = min(int(asked.get("page[size]", 100)), 100)
        first = int(asked.get("page[after]", 0))
        told: Json = {what: rows[first : first + size]}
        if "page[size]" in asked:
            told["meta"] = {"has_more": len(rows) > first + size, "after_cursor": str(first + size)}
        if asked.get("include") == "users":
            told["users"] = [{"id": number, "name": name} for number, name in NAMES.items()]
        return JSONResponse(told)

    def _comment(self, told: Json) -> Json:
        html = told.get("html_body") or "<p>" + escape(told["body"]) + "</p>"
        files = [self.uploads.pop(token) for token in told.get("uploads", ())]
        return self.comment(WE, html, public=told.get("public", True) and not self.light, files=files)

    def _custom(self, ticket: Json, told: Json) -> None:
        """What it does not know is dropped without a word."""
        asked = {one["id"]: one["value"] for one in told.get("custom_fields", ())}
        for field in ticket["custom_fields"]:
            field["value"] = asked.get(field["id"], field["value"])

    def _fault(self, told: Json, *, needs_comment: bool = False) -> Response | None:
        comment = told.get("comment") or {}
        if needs_comment and not (comment.get("html_body") or comment.get("body")):
            return _invalid("base", "Description: cannot be blank")
        if told.get("status", "new") not in STATUSES:
            return _invalid("status", "Status: is invalid")
        if told.get("priority", "low") not in PRIORITIES:
            return _invalid("priority", "Priority: is invalid")
        if any(token not in self.uploads for token in comment.get("uploads", ())):
            return _invalid("base", "Uploads: is invalid")
        return None


def at_second(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def missing() -> Response:
    return JSONResponse({"error": "RecordNotFound", "description": "Not found"}, 404)


def _invalid(field: str, says: str) -> Response:
    told = {"error": "RecordInvalid", "description": "Record validation errors"}
    return JSONResponse(told | {"details": {field: [{"description": says}]}}, 422)
