"""A Redmine as 5.0.4 answers what the connector asks for, in memory: enough to count by.

The real one is in tests/peers, with the conformance suite; this one makes tickets, tells them on its lists
and by themselves, with their journals, and takes notes. Its clock is its own: each thing takes a second.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any, ClassVar

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from integrations.conformance.world import Said, World
from integrations.connector import Ref, Theirs
from integrations.redmine.config import RedmineConfig
from integrations.systems.redmine import Redmine

KEY = "redmine-key-0123456789"
PROJECT = "supplier"
US, LENA = {"id": 5, "name": "Bridge Connector"}, {"id": 6, "name": "Lena Desk"}
STATUSES = {1: "New", 2: "In Progress", 3: "Resolved", 4: "Feedback", 5: "Closed", 6: "Rejected"}
PRIORITIES = {1: "Low", 2: "Normal", 3: "High", 4: "Urgent", 5: "Immediate"}
Json = dict[str, Any]


class PlayedRedmine:
    """Issues by number, each with its journals."""

    def __init__(self) -> None:
        self.issues: dict[int, Json] = {}
        self.journals: dict[int, list[Json]] = {}
        self.key = KEY
        self.now = datetime(2026, 1, 5, 8, tzinfo=UTC)
        self._journals = 0
        self.app = Starlette(
            routes=[
                Route("/users/current.json", self._signed(self.me)),
                Route(f"/projects/{PROJECT}.json", self._signed(self.project)),
                Route("/issue_statuses.json", self._signed(self.statuses)),
                Route("/enumerations/issue_priorities.json", self._signed(self.priorities)),
                Route("/issues.json", self._signed(self.create), methods=["POST"]),
                Route("/issues.json", self._signed(self.listed)),
                Route(f"/projects/{PROJECT}/issues.json", self._signed(self.listed)),
                Route("/issues/{id:int}.json", self._signed(self.one)),
                Route("/issues/{id:int}.json", self._signed(self.update), methods=["PUT"]),
            ]
        )

    def tick(self) -> str:
        self.now += timedelta(seconds=1)
        return f"{self.now:%Y-%m-%dT%H:%M:%SZ}"

    def note(self, number: int, who: Json, notes: str = "", details: list[Json] | None = None) -> None:
        self._journals += 1
        at = self.tick()
        told = {"id": self._journals, "user": who, "notes": notes, "created_on": at, "private_notes": False}
        self.journals[number].append({**told, "details": details or []})
        self.issues[number]["updated_on"] = at

    def sets(self, number: int, who: Json, status: int) -> None:
        before = self.issues[number]["status"]["id"]
        self.issues[number]["status"] = {"id": status, "name": STATUSES[status]}
        told = {"property": "attr", "name": "status_id", "old_value": str(before), "new_value": str(status)}
        self.note(number, who, details=[told])

    def _signed(self, answer: Any) -> Any:
        async def signed(request: Request) -> Response:
            if request.headers.get("x-redmine-api-key") != self.key:
                return Response(status_code=401)
            told: Response = await answer(request)
            told.headers["Date"] = format_datetime(self.now, usegmt=True)
            return told

        return signed

    async def me(self, request: Request) -> Response:
        return JSONResponse({"user": {"id": US["id"], "login": "connector", "admin": False}})

    async def project(self, request: Request) -> Response:
        trackers = [{"id": 1, "name": "Bug"}, {"id": 3, "name": "Support"}]
        project = {"id": 1, "name": "Supplier desk", "identifier": PROJECT, "status": 1, "trackers": trackers}
        return JSONResponse({"project": project})

    async def statuses(self, request: Request) -> Response:
        return JSONResponse({"issue_statuses": _named(STATUSES)})

    async def priorities(self, request: Request) -> Response:
        return JSONResponse({"issue_priorities": _named(PRIORITIES)})

    async def create(self, request: Request) -> Response:
        told = (await request.json())["issue"]
        number, at = len(self.issues) + 1, self.tick()
        self.issues[number] = {
            "id": number,
            "project": {"id": 1, "name": "Supplier desk"},
            "tracker": {"id": 3, "name": "Support"},
            "status": {"id": 1, "name": "New"},
            "priority": {"id": told["priority_id"], "name": PRIORITIES[told["priority_id"]]},
            "author": US,
            "subject": told["subject"],
            "description": told["description"],
            "start_date": f"{self.now:%Y-%m-%d}",
            "due_date": None,
            "done_ratio": 0,
            "is_private": False,
            "estimated_hours": None,
            "total_estimated_hours": None,
            "custom_fields": [{"name": "External ref", **one} for one in told["custom_fields"]],
            "created_on": at,
            "updated_on": at,
            "closed_on": None,
        }
        self.journals[number] = []
        return JSONResponse({"issue": self.issues[number]}, 201)

    async def listed(self, request: Request) -> Response:
        """Without `status_id` the closed ones are left out; a filter that it has not is ignored."""
        asked = request.query_params
        assert asked["status_id"] == "*"
        rows = sorted(self.issues.values(), key=lambda one: int(one["id"]))
        if "updated_on" in asked:
            rows = [one for one in rows if one["updated_on"] >= asked["updated_on"].removeprefix(">=")]
        rows = [one for one in rows if one["id"] >= int(asked.get("issue_id", ">=0")[2:])]
        if asked.get("sort") in ("updated_on:desc", "updated_on"):
            rows.sort(key=lambda one: str(one["updated_on"]), reverse=asked["sort"].endswith("desc"))
        first, size = int(asked.get("offset", 0)), min(int(asked.get("limit", 25)), 100)
        page = {"total_count": len(rows), "offset": first, "limit": size}
        return JSONResponse({"issues": rows[first : first + size], **page})

    async def one(self, request: Request) -> Response:
        number = request.path_params["id"]
        if number not in self.issues:
            return Response(status_code=404)
        with_ = request.query_params.get("include", "").split(",")
        more: Json = {"journals": self.journals[number]} if "journals" in with_ else {}
        more |= {"attachments": []} if "attachments" in with_ else {}
        more |= {"allowed_statuses": _named(STATUSES)} if "allowed_statuses" in with_ else {}
        return JSONResponse({"issue": {**self.issues[number], **more}})

    async def update(self, request: Request) -> Response:
        number, told = request.path_params["id"], (await request.json())["issue"]
        if told.get("notes"):
            self.note(number, US, told["notes"])
        if "status_id" in told:
            self.sets(number, US, told["status_id"])
        return Response(status_code=204)


def _named(names: dict[int, str]) -> list[Json]:
    return [{"id": number, "name": name} for number, name in names.items()]


class RedmineWorld(World):
    """The played Redmine: ours is an account in it, and Lena one of their people."""

    system: ClassVar[Any] = Redmine
    url = "https://redmine.supplier.example"
    secret = KEY

    def __init__(self) -> None:
        self.desk = PlayedRedmine()
        self.config = RedmineConfig(project=PROJECT, reference_field=1)

    def transport(self) -> httpx.AsyncBaseTransport:
        return httpx.ASGITransport(self.desk.app)

    async def tickets(self, op_id: str) -> int:
        return sum(one["custom_fields"][0]["value"] == op_id for one in self.desk.issues.values())

    async def said(self, ref: Ref) -> list[Said]:
        number = int(ref.id)
        notes = [one["notes"] for one in self.desk.journals[number] if one["notes"]]
        return [Said(text) for text in (self.desk.issues[number]["description"], *notes)]

    async def says(self, ref: Ref, text: str) -> None:
        self.desk.note(int(ref.id), LENA, text)

    async def sets(self, ref: Ref, to: Theirs) -> None:
        raw = self.config.raw_state(to)
        self.desk.sets(int(ref.id), LENA, next(n for n, name in STATUSES.items() if name == raw))
