"""PagerDuty as its documentation describes it, in memory, and the world that the rules see it as."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import httpx
import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from integrations.conformance.world import Said, World
from integrations.connector import Ref, Theirs
from integrations.pagerduty.config import PagerDutyConfig
from integrations.systems.pagerduty import PagerDuty
from register.incident import Priority

USER, TOKEN, SERVICE = "muster@customer.example", "y_NbAkKc66ryYTWUXYEu", "PWIXJZS"
WE, LENA = ("PXPGF42", "Muster"), ("PLENA01", "Lena")
RANKS = {f"PRANK{number}": f"P{number}" for number in range(1, 6)}
STATUSES = ("triggered", "acknowledged", "resolved")
KINDS = {"acknowledged": "acknowledge_log_entry", "resolved": "resolve_log_entry"}
Json = dict[str, Any]


class PlayedPagerDuty:
    """The account: incidents, their log, and the token that counts."""

    def __init__(self) -> None:
        self.incidents: dict[str, Json] = {}
        self.log: list[Json] = []
        self.token = TOKEN
        self.now = datetime(2026, 1, 5, 8, tzinfo=UTC)
        self._number = 0
        self.app = Starlette(
            routes=[
                self._route("/users/me", self.me, "GET"),
                self._route("/services", self.services, "GET"),
                self._route("/priorities", self.priorities, "GET"),
                self._route("/log_entries", self.entries, "GET"),
                self._route("/incidents", self.listed, "GET"),
                self._route("/incidents", self.create, "POST"),
                self._route("/incidents/{id}", self.one, "GET"),
                self._route("/incidents/{id}", self.update, "PUT"),
                self._route("/incidents/{id}/notes", self.note, "POST"),
                self._route("/incidents/{id}/log_entries", self.entries, "GET"),
            ]
        )

    def _route(self, path: str, handler: Callable[[Request], Awaitable[Response]], method: str) -> Route:
        async def guarded(request: Request) -> Response:
            self.now += timedelta(seconds=1)
            if request.headers.get("authorization") != f"Token token={self.token}":
                return JSONResponse({"error": {"message": "Unauthorized", "code": 2006}}, 401)
            if method != "GET" and request.headers.get("from") != USER:
                return _refused("Requester User Not Found", 1008)
            found = request.path_params.get("id")
            if found is not None and found not in self.incidents:
                return JSONResponse({"error": {"message": "Not Found", "code": 2100}}, 404)
            return await handler(request)

        return Route(path, guarded, methods=[method])

    def number(self) -> int:
        self._number += 1
        return self._number

    def write(self, incident: Json, who: tuple[str, str], kind: str, **channel: Any) -> None:
        """An entry of the log; what happened is there at once."""
        self.now += timedelta(seconds=0 if channel.pop("at_once", False) else 1)
        incident["updated_at"] = _stamp(self.now)
        self.log.append(
            {
                "id": f"R{self.number():012d}",
                "type": kind,
                "created_at": _stamp(self.now),
                "agent": {"id": who[0], "type": "user_reference", "summary": who[1]},
                "channel": {"type": "api", **channel},
                "incident": _reference(incident),
                "service": {"id": incident["service"]["id"], "type": "service_reference"},
            }
        )

    def sets(self, incident: Json, who: tuple[str, str], status: str) -> None:
        if incident["status"] != status:
            incident["status"] = status
            self.write(incident, who, KINDS.get(status, "unacknowledge_log_entry"))

    def ranks(self, incident: Json, who: tuple[str, str], number: str) -> None:
        before, after = (
            incident["priority"],
            {"id": number, "type": "priority_reference", "summary": RANKS[number]},
        )
        if before != after:
            incident["priority"] = after
            self.write(incident, who, "priority_change_log_entry", old_priority=before, new_priority=after)

    def merges(self, incident: Json, who: tuple[str, str], into: Json) -> None:
        """It is resolved, and the other one is its reason. The log tells the first, and not the second."""
        incident["resolve_reason"] = {"type": "merge_resolve_reason", "incident": _reference(into)}
        self.sets(incident, who, "resolved")

    async def me(self, request: Request) -> Response:
        return JSONResponse({"user": {"id": WE[0], "name": WE[1], "email": USER}})

    async def services(self, request: Request) -> Response:
        return JSONResponse({"services": [{"id": SERVICE, "name": "Database", "status": "active"}]})

    async def priorities(self, request: Request) -> Response:
        return JSONResponse({"priorities": [{"id": number, "name": name} for number, name in RANKS.items()]})

    async def entries(self, request: Request) -> Response:
        """Newest first, by offset; of channels only a reference unless they are asked for."""
        asked, found = request.query_params, request.path_params.get("id")
        since, until = asked.get("since", ""), asked.get("until", "9")
        rows = [row for row in self.log if since <= row["created_at"] < until]
        rows = [row for row in reversed(rows) if found is None or row["incident"]["id"] == found]
        first, size = int(asked.get("offset", 0)), min(int(asked.get("limit", 25)), 100)
        if first + size > 10_000:
            return _refused("Offset must be less than 10000", 2001)
        page = rows[first : first + size]
        if asked.get("include[]") != "channels":
            page = [row | {"channel": {"type": row["channel"]["type"]}} for row in page]
        return JSONResponse(
            {"log_entries": page, "more": len(rows) > first + size, "offset": first, "limit": size}
        )

    async def listed(self, request: Request) -> Response:
        """Those made in the last month, unless all are asked for."""
        asked = request.query_params
        key, since = asked.get("incident_key"), _stamp(self.now - timedelta(days=30))
        rows = [row for row in self.incidents.values() if key in (None, row["incident_key"])]
        rows = [row for row in rows if asked.get("date_range") == "all" or row["created_at"] >= since]
        return JSONResponse({"incidents": rows[:100], "more": False})

    async def create(self, request: Request) -> Response:
        told = orjson.loads(await request.body())["incident"]
        if told.get("type") != "incident" or not told.get("title") or told["service"]["id"] != SERVICE:
            return _refused("Invalid Incident", 2001)
        key = told.get("incident_key")
        if any(row["incident_key"] == key and row["status"] != "resolved" for row in self.incidents.values()):
            return _refused("Open incident with matching dedup key already exists on this service", 2002)
        return JSONResponse({"incident": self.made(told, WE)}, 201)

    def made(self, told: Json, who: tuple[str, str]) -> Json:
        number = self.number()
        rank = told.get("priority")
        incident = {
            "id": f"PT{number:05d}",
            "incident_number": number,
            "title": told["title"],
            "summary": f"[#{number}] {told['title']}",
            "html_url": f"https://acme.pagerduty.com/incidents/PT{number:05d}",
            "status": "triggered",
            "created_at": _stamp(self.now),
            "urgency": told.get("urgency", "high"),
            "incident_key": told.get("incident_key"),
            "service": {"id": SERVICE, "type": "service_reference"},
            "resolve_reason": None,
            "priority": None if rank is None else {"id": rank["id"], "summary": RANKS[rank["id"]]},
            "details": told["body"]["details"],
            "assignments": [],
        }
        self.incidents[incident["id"]] = incident
        self.write(incident, who, "trigger_log_entry")
        return incident

    async def one(self, request: Request) -> Response:
        return JSONResponse({"incident": self.incidents[request.path_params["id"]]})

    async def update(self, request: Request) -> Response:
        incident = self.incidents[request.path_params["id"]]
        told = orjson.loads(await request.body())["incident"]
        if (
            told.get("type") not in ("incident", "incident_reference")
            or told.get("status", "resolved") not in STATUSES
        ):
            return _refused("Incident is invalid", 2001)
        if incident["resolve_reason"]:
            return _refused("Incident Already Merged", 1019)
        if "status" in told:
            self.sets(incident, WE, told["status"])
        if "priority" in told:
            self.ranks(incident, WE, told["priority"]["id"])
        incident["urgency"] = told.get("urgency", incident["urgency"])
        return JSONResponse({"incident": incident})

    async def note(self, request: Request) -> Response:
        incident = self.incidents[request.path_params["id"]]
        content = orjson.loads(await request.body())["note"]["content"]
        self.write(incident, WE, "annotate_log_entry", content=content)
        note = {"id": f"PN{self.number():05d}", "content": content, "created_at": _stamp(self.now)}
        return JSONResponse({"note": note}, 201)


def _reference(incident: Json) -> Json:
    named = {name: incident[name] for name in ("id", "summary", "html_url")}
    return {**named, "type": "incident_reference"}


def _stamp(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def _refused(says: str, code: int) -> Response:
    return JSONResponse({"error": {"message": "Arguments Caused Error", "code": code, "errors": [says]}}, 400)


class PagerDutyWorld(World):
    """The played account: ours is a user in it, and Lena one of their people."""

    system: ClassVar[Any] = PagerDuty
    url = "https://api.pagerduty.com"
    patience = 2.0

    def __init__(self) -> None:
        self.desk = PlayedPagerDuty()
        self.config = PagerDutyConfig(service=SERVICE, user=USER)
        self.secret = TOKEN

    def transport(self) -> httpx.AsyncBaseTransport:
        return httpx.ASGITransport(self.desk.app)

    def _of(self, ref: Ref) -> Json:
        return self.desk.incidents[ref.id]

    async def tickets(self, op_id: str) -> int:
        return sum(one["incident_key"] == op_id for one in self.desk.incidents.values())

    async def said(self, ref: Ref) -> list[Said]:
        notes = [
            row for row in self.desk.log if row["incident"]["id"] == ref.id and "content" in row["channel"]
        ]
        return [Said(self._of(ref)["details"]), *(Said(row["channel"]["content"]) for row in notes)]

    async def says(self, ref: Ref, text: str) -> None:
        self.desk.write(self._of(ref), LENA, "annotate_log_entry", content=text)

    async def sets(self, ref: Ref, to: Theirs) -> None:
        raw = next(raw for raw, means in self.config.states.items() if means is to)
        self.desk.sets(self._of(ref), LENA, raw)

    async def types_as_us(self, ref: Ref, text: str) -> None:
        self.desk.write(self._of(ref), WE, "annotate_log_entry", content=text)

    async def crowds(self, ref: Ref, count: int) -> None:
        for number in range(count):
            self.desk.write(
                self._of(ref), LENA, "annotate_log_entry", content=str(number), at_once=number > 0
            )

    async def merges(self, ref: Ref) -> Ref:
        told = {"title": "The pump again", "body": {"details": "By phone."}}
        into = self.desk.made(told, LENA)
        self.desk.merges(self._of(ref), LENA, into)
        return Ref(id=into["id"], key=f"#{into['incident_number']}", url=into["html_url"])

    async def urges(self, ref: Ref, to: Priority) -> None:
        self.desk.ranks(self._of(ref), LENA, f"PRANK{to.value}")

    async def expires(self) -> None:
        self.desk.token = "another"
