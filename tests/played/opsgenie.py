"""Opsgenie's Alert API as its documentation describes it, in memory, and the world that the rules see it as.

Writes are answered by 202 and done at once, or later where `late` is set: `catch_up` does them then.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar
from uuid import uuid4

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from integrations.conformance.world import Said, World
from integrations.connector import Ref, Theirs
from integrations.opsgenie.config import OpsgenieConfig
from integrations.systems.opsgenie import Opsgenie
from register.incident import Priority

KEY = "eb243592-faa2-4ba2-a551-1afdf565c889"
CREATE = {"message", "alias", "description", "priority", "tags", "details", "user", "source", "responders"}
ACTION = {"user", "source", "note"}
Done = tuple[bool, str, str]
"""Whether it was, what is said of that, and the alert's id."""


class PlayedOpsgenie:
    """Alerts and their notes by id; requests by id: what became of each.

    timed: whether it can be asked for alerts by when they changed, which no documentation says; else it
    finds none, or `refuses`. listed: the alerts that it has told in lists.
    """

    def __init__(self) -> None:
        self.alerts: dict[str, dict[str, Any]] = {}
        self.notes: dict[str, list[dict[str, Any]]] = {}
        self.requests: dict[str, Done] = {}
        self.key, self.late, self.timed, self.refuses = KEY, False, True, False
        self.listed = 0
        self._waiting: list[tuple[str, Callable[[], Done]]] = []
        self._ticks = 0
        alert = "/v2/alerts/{id}"
        self.app = Starlette(
            routes=[
                Route("/v2/account", self._signed(self.account)),
                Route("/v2/alerts", self._signed(self.create), methods=["POST"]),
                Route("/v2/alerts", self._signed(self.list)),
                Route("/v2/alerts/requests/{id}", self._signed(self.request)),
                Route(alert, self._signed(self.one)),
                Route(alert + "/notes", self._signed(self.notes_of)),
                Route(alert + "/priority", self._signed(self.priority), methods=["PUT"]),
                Route(alert + "/{what}", self._signed(self.act), methods=["POST"]),
            ]
        )

    def catch_up(self) -> None:
        for name, write in self._waiting:
            self.requests[name] = write()
        self._waiting.clear()

    def now(self) -> datetime:
        self._ticks += 1
        return datetime(2026, 1, 5, 8, tzinfo=UTC) + timedelta(milliseconds=self._ticks)

    def say(self, number: str, text: str, who: str, at: datetime | None = None) -> None:
        """A note; its offset is the time and its place among all."""
        at = at or self.now()
        place = f"{int(at.timestamp() * 1000)}_{len(self.notes[number]):019d}"
        self.notes[number].append({"note": text, "owner": who, "createdAt": _stamp(at), "offset": place})
        self.alerts[number]["updatedAt"] = _stamp(at)

    def do(self, number: str, what: str, who: str, note: str = "") -> Done:
        alert = self.alerts.get(number)
        if alert is None:
            return False, "Alert does not exist", ""
        if alert["status"] == "closed" and what in ("acknowledge", "close"):
            return False, "Alert is already closed", number
        at = self.now()
        since = datetime.fromisoformat(alert["createdAt"])
        ms = int((at - since).total_seconds() * 1000)
        if what == "acknowledge":
            alert["acknowledged"] = True
            alert["report"] |= {"ackTime": ms, "acknowledgedBy": who}
        elif what == "close":
            alert["status"] = "closed"
            alert["report"] |= {"closeTime": ms, "closedBy": who}
        alert["updatedAt"] = _stamp(at)
        if note:
            self.say(number, note, who, at)
        return True, f"{what} done", number

    def set_priority(self, number: str, to: str) -> Done:
        self.alerts[number] |= {"priority": to, "updatedAt": _stamp(self.now())}
        return True, "Updated alert priority", number

    def _signed(self, answer: Callable[[Request], Any]) -> Callable[[Request], Any]:
        async def signed(request: Request) -> Response:
            if request.headers.get("authorization") != f"GenieKey {self.key}":
                return _error(401, "Could not authenticate")
            answered: Response = await answer(request)
            return answered

        return signed

    def _accept(self, write: Callable[[], Done]) -> Response:
        name = str(uuid4())
        self._waiting.append((name, write))
        if not self.late:
            self.catch_up()
        return JSONResponse({"result": "Request will be processed", "took": 0.1, "requestId": name}, 202)

    async def account(self, request: Request) -> Response:
        return _told({"name": "sample-account", "userCount": 3})

    async def request(self, request: Request) -> Response:
        done = self.requests.get(request.path_params["id"])
        if done is None:
            return _error(404, "Request not found. It might not be processed yet")
        well, says, number = done
        return _told({"success": well, "isSuccess": well, "status": says, "alertId": number})

    async def create(self, request: Request) -> Response:
        told = await request.json()
        if set(told) - CREATE or not told.get("message") or told["priority"] not in _PRIORITIES:
            return _error(422, "Request body is not processable")
        if len(told["message"]) > 130 or len(told["description"]) > 15_000:
            return _error(422, "is too long")
        return self._accept(lambda: self._make(told))

    def _make(self, told: dict[str, Any]) -> Done:
        for number, alert in self.alerts.items():
            if alert["alias"] == told["alias"] and alert["status"] == "open":
                alert["count"] += 1
                return True, "Created alert", number
        number, at = str(uuid4()), _stamp(self.now())
        self.alerts[number] = {
            "id": number,
            "tinyId": str(len(self.alerts) + 1),
            "status": "open",
            "acknowledged": False,
            "count": 1,
            "owner": "",
            "createdAt": at,
            "updatedAt": at,
            "report": {},
            **{name: told[name] for name in ("message", "alias", "description", "priority", "tags")},
        }
        self.notes[number] = []
        return True, "Created alert", number

    async def list(self, request: Request) -> Response:
        asked = request.query_params
        terms = asked["query"].split(" AND ")
        if self.refuses and len(terms) > 1:
            return _error(422, "Query is not valid")
        rows = [one for one in self.alerts.values() if all(self._fits(one, term) for term in terms)]
        rows.sort(key=lambda one: one[asked.get("sort", "createdAt")], reverse=asked.get("order") != "asc")
        offset, limit = int(asked.get("offset", 0)), int(asked.get("limit", 20))
        assert 1 <= limit <= 100
        rows = rows[offset : offset + limit]
        self.listed += len(rows)
        return _told([_short(one) for one in rows])

    def _fits(self, alert: dict[str, Any], term: str) -> bool:
        if term.startswith("updatedAt >= "):
            since = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=int(term[13:]))
            return self.timed and datetime.fromisoformat(alert["updatedAt"]) >= since
        field, _, word = term.partition(": ")
        word = word.strip('"')
        if field == "tag":
            return word in alert["tags"]
        assert field == "alias"
        return alert["alias"] == word and alert["status"] == "open"

    async def one(self, request: Request) -> Response:
        alert = self._named(request)
        return _error(404, "Alert not found") if alert is None else _told(alert)

    def _named(self, request: Request) -> dict[str, Any] | None:
        name = request.path_params["id"]
        if request.query_params.get("identifierType", "id") == "alias":
            alerts = self.alerts.values()
            return next((a for a in alerts if a["alias"] == name and a["status"] == "open"), None)
        return self.alerts.get(name)

    async def notes_of(self, request: Request) -> Response:
        if request.method == "POST":
            return await self.act(request)
        alert = self._named(request)
        if alert is None:
            return _error(404, "Alert not found")
        rows, asked = self.notes[alert["id"]], request.query_params
        if asked.get("offset"):
            rows = [one for one in rows if one["offset"] >= asked["offset"]]
        return _told(rows[: int(asked.get("limit", 20))])

    async def priority(self, request: Request) -> Response:
        told, number = await request.json(), request.path_params["id"]
        if told.get("priority") not in _PRIORITIES:
            return _error(422, "Request body is not processable")
        return self._accept(lambda: self.set_priority(number, told["priority"]))

    async def act(self, request: Request) -> Response:
        told, number = await request.json(), request.path_params["id"]
        what = request.path_params.get("what", "notes")
        if set(told) - ACTION or (what == "notes" and not told.get("note")):
            return _error(422, "Request body is not processable")
        who = told.get("user", "API")
        if what != "notes":
            return self._accept(lambda: self.do(number, what, who, told.get("note", "")))
        return self._accept(lambda: self.do(number, "note", who, told["note"]))


_PRIORITIES = ("P1", "P2", "P3", "P4", "P5")


def _stamp(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _short(alert: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in alert.items() if name not in ("description", "details")}


def _told(data: Any) -> Response:
    return JSONResponse({"data": data, "took": 0.01, "requestId": str(uuid4())})


def _error(status: int, says: str) -> Response:
    return JSONResponse({"message": says, "took": 0.01, "requestId": str(uuid4())}, status)


class OpsgenieWorld(World):
    """Opsgenie, reached in this process."""

    system: ClassVar[Any] = Opsgenie
    url = "https://api.opsgenie.example"
    secret = KEY

    def __init__(self) -> None:
        self.played = PlayedOpsgenie()
        self.config = OpsgenieConfig()

    def transport(self) -> httpx.AsyncBaseTransport:
        return httpx.ASGITransport(self.played.app)

    async def tickets(self, op_id: str) -> int:
        return sum(one["alias"] == op_id for one in self.played.alerts.values())

    async def said(self, ref: Ref) -> list[Said]:
        first = Said(self.played.alerts[ref.id]["description"])
        return [first, *(Said(note["note"]) for note in self.played.notes[ref.id])]

    async def says(self, ref: Ref, text: str) -> None:
        self.played.say(ref.id, text, "lena@supplier.example")

    async def sets(self, ref: Ref, to: Theirs) -> None:
        what = {Theirs.WORKING: "acknowledge", Theirs.FIXED: "close"}[to]
        self.played.do(ref.id, what, "lena@supplier.example")

    async def types_as_us(self, ref: Ref, text: str) -> None:
        self.played.say(ref.id, text, self.config.user)

    async def crowds(self, ref: Ref, count: int) -> None:
        at = self.played.now()
        for number in range(count):
            self.played.say(ref.id, str(number), "lena@supplier.example", at)

    async def urges(self, ref: Ref, to: Priority) -> None:
        self.played.set_priority(ref.id, f"P{to.value}")

    async def expires(self) -> None:
        self.played.key = "another-key"
