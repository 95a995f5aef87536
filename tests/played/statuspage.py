"""Statuspage as its documentation describes it, in memory, and the world that the rules see it as."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from integrations.conformance.world import Said, World
from integrations.connector import Ref, Theirs
from integrations.statuspage.config import StatuspageConfig
from integrations.systems.statuspage import Statuspage
from register.incident import Priority

PAGE = "2vp47kp8vp10"
TOKEN = "page-token-0123456789"
STATUSES = ("investigating", "identified", "monitoring", "resolved")
IMPACTS = ("none", "maintenance", "minor", "major", "critical")
KNOWN = {
    "name",
    "status",
    "impact_override",
    "metadata",
    "deliver_notifications",
    "body",
    "components",
    "component_ids",
}


class PlayedStatuspage:
    """The page: its incidents by id, its components, and whether a credential still counts."""

    def __init__(self) -> None:
        self.incidents: dict[str, dict[str, Any]] = {}
        self.components = {"gcvfrw2r8w36": "operational"}
        self.token = TOKEN
        self._ticks = 0
        where = f"/v1/pages/{PAGE}/incidents"
        self.app = Starlette(
            routes=[
                Route("/v1/pages", self.pages),
                Route(where, self.create, methods=["POST"]),
                Route(where, self.list),
                Route(where + "/{id}", self.one, methods=["GET", "PATCH"]),
            ]
        )

    def now(self) -> str:
        self._ticks += 1
        at = datetime(2026, 1, 5, 8, tzinfo=UTC) + timedelta(milliseconds=self._ticks)
        return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def _refused(self, request: Request) -> Response | None:
        if request.headers.get("authorization") == f"OAuth {self.token}":
            return None
        return JSONResponse({"error": "Could not authenticate"}, 401)

    async def pages(self, request: Request) -> Response:
        return self._refused(request) or JSONResponse([{"id": PAGE, "name": "Sample status"}])

    async def create(self, request: Request) -> Response:
        if refused := self._refused(request):
            return refused
        told = (await request.json())["incident"]
        if fault := self._fault(told, needs_name=True):
            return JSONResponse({"error": [fault]}, 422)
        number = f"p31zjtct{len(self.incidents):04d}"
        incident = {
            "id": number,
            "page_id": PAGE,
            "status": "investigating",
            "impact": "minor",
            "impact_override": None,
            "metadata": {},
            "components": [],
            "created_at": self.now(),
            "shortlink": f"http://stspg.io/{number}",
            "incident_updates": [],
        }
        self.incidents[number] = incident
        self._change(incident, told)
        return JSONResponse(incident, 201)

    async def list(self, request: Request) -> Response:
        if refused := self._refused(request):
            return refused
        limit, page = int(request.query_params.get("limit", 100)), int(request.query_params.get("page", 1))
        rows = list(reversed(self.incidents.values()))
        return JSONResponse(rows[(page - 1) * limit : page * limit])

    async def one(self, request: Request) -> Response:
        if refused := self._refused(request):
            return refused
        incident = self.incidents.get(request.path_params["id"])
        if incident is None:
            return JSONResponse({"error": "not found"}, 404)
        if request.method == "PATCH":
            told = (await request.json())["incident"]
            if fault := self._fault(told):
                return JSONResponse({"error": [fault]}, 422)
            self._change(incident, told)
        return JSONResponse(incident)

    def _fault(self, told: dict[str, Any], *, needs_name: bool = False) -> str:
        if strange := set(told) - KNOWN:
            return f"{sorted(strange)} unknown"
        if needs_name and not told.get("name"):
            return "Name can't be blank"
        if len(told.get("name", "")) > 255 or len(told.get("body", "")) > 25_000:
            return "is too long"
        if (
            told.get("status", "resolved") not in STATUSES
            or told.get("impact_override", "none") not in IMPACTS
        ):
            return "is not included in the list"
        if not all(isinstance(value, dict) for value in told.get("metadata", {}).values()):
            return "Metadata must be objects"
        if not {*told.get("component_ids", ()), *told.get("components", {})} <= set(self.components):
            return "Component not found"
        return ""

    def _change(self, incident: dict[str, Any], told: dict[str, Any]) -> None:
        """An update is made where there are words, or another status."""
        moved = told.get("status", incident["status"]) != incident["status"]
        for name in ("name", "status", "impact_override", "metadata"):
            if name in told:
                incident[name] = told[name]
        self.components.update(told.get("components", {}))
        incident["components"] += [{"id": one} for one in told.get("component_ids", ())]
        incident["updated_at"] = self.now()
        if told.get("body") or moved:
            update = {"body": told.get("body", ""), "status": incident["status"], "created_at": self.now()}
            incident["incident_updates"].insert(0, update)


class StatuspageWorld(World):
    """The page, reached in this process."""

    system: ClassVar[Any] = Statuspage
    url = "https://api.statuspage.example"
    secret = TOKEN

    def __init__(self, config: StatuspageConfig | None = None) -> None:
        self.played = PlayedStatuspage()
        self.config = config or StatuspageConfig(page=PAGE)

    def transport(self) -> httpx.AsyncBaseTransport:
        return httpx.ASGITransport(self.played.app)

    async def tickets(self, op_id: str) -> int:
        return sum(one["metadata"]["muster"]["op"] == op_id for one in self.played.incidents.values())

    async def said(self, ref: Ref) -> list[Said]:
        updates = reversed(self.played.incidents[ref.id]["incident_updates"])
        return [Said(update["body"]) for update in updates if update["body"]]

    async def says(self, ref: Ref, text: str) -> None:
        self.played._change(self.played.incidents[ref.id], {"body": text})

    async def sets(self, ref: Ref, to: Theirs) -> None:
        self.played._change(self.played.incidents[ref.id], {"status": self.config.raw_state(to)})

    async def urges(self, ref: Ref, to: Priority) -> None:
        self.played._change(self.played.incidents[ref.id], {"impact_override": self.config.priorities[to]})

    async def expires(self) -> None:
        self.played.token = "another-token"
