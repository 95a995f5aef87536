"""Little Desk, a ticketing system that there is not, for the worked example of a connector of one's own."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, ClassVar

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from integrations.conformance.world import Said, World
from integrations.connector import Ref, Theirs
from integrations.mapping import Mapping
from tests.example_connector.little import LittleDesk

KEY = "little-sample-key"


class LittleWorld(World):
    """Little Desk, reached in this process."""

    system: ClassVar[Any] = LittleDesk
    url = "https://little.example"
    secret = KEY

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []
        self.key = KEY
        self.config = Mapping(states={"open": Theirs.NEW, "done": Theirs.FIXED})

    def transport(self) -> httpx.AsyncBaseTransport:
        routes = [
            Route("/tickets", self._made, methods=["POST"]),
            Route("/tickets", self._listed),
            Route("/tickets/{number:int}", self._one),
        ]
        return httpx.ASGITransport(Starlette(routes=routes))

    async def _made(self, request: Request) -> Response:
        if not self._signed(request):
            return JSONResponse({"error": "who are you?"}, 401)
        told = await request.json()
        assert set(told) == {"reference", "subject", "text"}
        changed = datetime.now(UTC).isoformat()
        row = {"number": len(self.rows) + 1, "state": "open", "changed": changed, **told}
        self.rows.append(row)
        return JSONResponse(row, 201)

    async def _listed(self, request: Request) -> Response:
        if not self._signed(request):
            return JSONResponse({"error": "who are you?"}, 401)
        asked = request.query_params["reference"]
        return JSONResponse({"tickets": [row for row in self.rows if row["reference"] == asked]})

    async def _one(self, request: Request) -> Response:
        found = [row for row in self.rows if row["number"] == request.path_params["number"]]
        if not self._signed(request) or not found:
            return JSONResponse({"error": "not there"}, 404 if self._signed(request) else 401)
        return JSONResponse(found[0])

    def _signed(self, request: Request) -> bool:
        return request.headers.get("authorization") == f"Bearer {self.key}"

    async def tickets(self, op_id: str) -> int:
        return sum(row["reference"] == op_id for row in self.rows)

    async def said(self, ref: Ref) -> list[Said]:
        return [Said(row["text"]) for row in self.rows if str(row["number"]) == ref.id]

    async def says(self, ref: Ref, text: str) -> None:
        raise AssertionError("it has no comments")

    async def sets(self, ref: Ref, to: Theirs) -> None:
        raise AssertionError("nobody asks")

    async def expires(self) -> None:
        self.key = "another"
