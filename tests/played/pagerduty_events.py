"""PagerDuty's Events API v2 as its documentation describes it, in memory, and the world that rules see it as.

What it took is an alert by its `dedup_key`: the key is free again once the alert is resolved.
"""

from __future__ import annotations

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

KEY = "e93facc04764012d7bfb002500d5d1a6"
ACTIONS = ("trigger", "acknowledge", "resolve")
FIELDS = {"routing_key", "event_action", "dedup_key", "payload", "client", "client_url", "links", "images"}
TEXTS = {"summary", "source", "component", "group", "class", "timestamp"}
Json = dict[str, Any]


class PlayedEvents:
    """One integration. alerts: each with its key, its status and the events that it came from."""

    def __init__(self) -> None:
        self.alerts: list[Json] = []
        self.dropped: list[Json] = []
        self.key = KEY
        self.app = Starlette(routes=[Route("/v2/enqueue", self.enqueue, methods=["POST"])])

    async def enqueue(self, request: Request) -> Response:
        raw = await request.body()
        if len(raw) > 512_000:
            return Response(status_code=413)
        try:
            event = orjson.loads(raw)
        except orjson.JSONDecodeError:
            return _refused("Unrecognized object", "JSON parse error")
        if fault := self._fault(event):
            return _refused("invalid event", fault)
        self._take(event)
        told = {"status": "success", "message": "Event processed", "dedup_key": event["dedup_key"]}
        return JSONResponse(told, 202)

    def _fault(self, event: Json) -> str:
        if strange := set(event) - FIELDS:
            return f"{sorted(strange)} is unknown"
        if len(event.get("routing_key", "")) != 32:
            return "Length of 'routing_key' is incorrect (should be 32 characters)"
        if event["routing_key"] != self.key:
            return "Invalid routing key"
        if event.get("event_action") not in ACTIONS:
            return "'event_action' is invalid"
        if not 1 <= len(event.get("dedup_key", "")) <= 255:
            return "'dedup_key' is missing or too long"
        payload = event.get("payload")
        if payload is None:
            return "'payload' is missing or blank" if event["event_action"] == "trigger" else ""
        if payload.get("severity") not in ("critical", "error", "warning", "info"):
            return "'payload.severity' is invalid"
        if not payload.get("source") or not 1 <= len(payload.get("summary", "")) <= 1_024:
            return "'payload.summary' or 'payload.source' is missing or too long"
        if set(payload) - TEXTS - {"severity", "custom_details"}:
            return "'payload' has unknown fields"
        return "" if isinstance(payload.get("custom_details", {}), dict) else "'custom_details' is no object"

    def _take(self, event: Json) -> None:
        action, key = event["event_action"], event["dedup_key"]
        there = next((one for one in self.alerts if one["key"] == key and one["status"] != "resolved"), None)
        if there is None and action == "trigger":
            self.alerts.append({"key": key, "status": "triggered", "events": [event]})
        elif there is None:
            self.dropped.append(event)
        else:
            there["events"].append(event)
            there["status"] = {"acknowledge": "acknowledged", "resolve": "resolved"}.get(
                action, there["status"]
            )


def _refused(status: str, why: str) -> Response:
    told = {"status": status, "message": "Event object is invalid", "errors": [why]}
    return JSONResponse(told, 400)


class EventsWorld(World):
    """The integration, reached in this process. Nothing is heard from it."""

    system: ClassVar[Any] = PagerDuty
    url = "https://events.pagerduty.com"
    secret = KEY
    patience = 2.0

    def __init__(self, config: PagerDutyConfig | None = None) -> None:
        self.desk = PlayedEvents()
        self.config = config or PagerDutyConfig.model_validate({"api": "events"})

    def transport(self) -> httpx.AsyncBaseTransport:
        return httpx.ASGITransport(self.desk.app)

    async def tickets(self, op_id: str) -> int:
        return sum(alert["key"] == op_id for alert in self.desk.alerts)

    async def said(self, ref: Ref) -> list[Said]:
        events = next(alert["events"] for alert in self.desk.alerts if alert["key"] == ref.id)
        return [Said(one["payload"]["custom_details"]["text"]) for one in events if "payload" in one]

    async def says(self, ref: Ref, text: str) -> None:
        """Whatever they write there, nobody tells us."""

    async def sets(self, ref: Ref, to: Theirs) -> None:
        alert = next(alert for alert in self.desk.alerts if alert["key"] == ref.id)
        alert["status"] = self.config.raw_state(to)

    async def expires(self) -> None:
        self.desk.key = "0" * 32
