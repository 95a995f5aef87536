"""A Request Tracker as 5.0.3 answers what the connector asks for, in memory: enough to count by.

The real one is in tests/peers, with the conformance suite; this one makes tickets, takes replies, and tells
its transactions and what is in them. Of TicketSQL it understands `id > N`, `ObjectId = N` and types.
"""

from __future__ import annotations

import base64
import re
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
from integrations.rt.config import RtConfig
from integrations.systems.rt import RequestTracker

TOKEN = "1-34-0123456789abcdef"
FIELD, QUEUE = "External Reference", "Supplier"
US, LENA = "connector", "lena"
BASE = "https://rt.supplier.example/REST/2.0"
Json = dict[str, Any]


class PlayedRT:
    """Tickets by number; transactions and their parts in the order in which they came."""

    def __init__(self) -> None:
        self.tickets: dict[int, Json] = {}
        self.rows: list[Json] = []
        self.parts: list[Json] = []
        self.token = TOKEN
        self.now = datetime(2026, 1, 5, 8, tzinfo=UTC)
        self.app = Starlette(
            routes=[
                Route("/REST/2.0" + path, self._signed(answer), methods=[method])
                for path, answer, method in (
                    ("/ticket", self.create, "POST"),
                    ("/ticket/{id:int}", self.one, "GET"),
                    ("/ticket/{id:int}/correspond", self.correspond, "POST"),
                    ("/queue/{name}", self.queue, "GET"),
                    ("/transactions", self.transactions, "GET"),
                    ("/attachments", self.attachments, "GET"),
                    ("/attachment/{id:int}", self.attachment, "GET"),
                )
            ]
        )

    def row(self, ticket: int, kind: str, who: str, text: str = "", new: str = "") -> int:
        """A transaction, with the text that came with it."""
        self.now += timedelta(seconds=1)
        at, number = f"{self.now:%Y-%m-%dT%H:%M:%SZ}", len(self.rows) + 1
        told = {"id": str(number), "type": "transaction", "_url": f"{BASE}/transaction/{number}"}
        field = "Status" if kind == "Status" else ""
        more = {"Type": kind, "ObjectId": str(ticket), "Creator": _user(who), "Created": at}
        self.rows.append({**told, **more, "Field": field, "NewValue": new})
        self.tickets[ticket]["LastUpdated"] = at
        if text:
            self._part(number, who, at, text)
        return number

    def _part(self, transaction: int, who: str, at: str, text: str) -> None:
        number = len(self.parts) + 1
        raw = text.encode()
        head = 'MIME-Version: 1.0\nContent-Type: text/plain; charset="utf-8"\nX-RT-Original-Encoding: utf-8\n'
        told = {"id": str(number), "type": "attachment", "_url": f"{BASE}/attachment/{number}"}
        more = {"ContentType": "text/plain", "Filename": "", "ContentLength": str(len(raw))}
        own = {"Content": base64.encodebytes(raw).decode(), "Headers": head, "Creator": _user(who)}
        where = {"TransactionId": str(transaction), "Created": at, "MessageId": "", "Parent": "0"}
        self.parts.append({**told, **more, **own, **where, "Subject": ""})

    def make(self, who: str, told: Json) -> int:
        number = len(self.tickets) + 1
        self.tickets[number] = {
            "id": number,
            "type": "ticket",
            "Subject": told["Subject"],
            "Status": "new",
            "Priority": str(told.get("Priority", 0)),
            "Owner": _user("Nobody"),
            "CustomFields": told.get("CustomFields", {}),
        }
        self.row(number, "Create", who, told["Content"])
        return number

    def _signed(self, answer: Any) -> Any:
        async def signed(request: Request) -> Response:
            if request.headers.get("authorization") != f"token {self.token}":
                return JSONResponse({"message": "Unauthorized"}, 401)
            number = request.path_params.get("id")
            if number is not None and "/ticket/" in request.url.path and number not in self.tickets:
                return JSONResponse({"message": "Not Found"}, 404)
            told: Response = await answer(request)
            return told

        return signed

    async def create(self, request: Request) -> Response:
        number = self.make(US, await request.json())
        return JSONResponse({"id": str(number), "type": "ticket", "_url": f"{BASE}/ticket/{number}"}, 201)

    async def one(self, request: Request) -> Response:
        told = self.tickets[request.path_params["id"]]
        last = max(int(row["id"]) for row in self.rows if row["ObjectId"] == str(told["id"]))
        fields = [{"name": name, "id": "2", "values": [word]} for name, word in told["CustomFields"].items()]
        return JSONResponse({**told, "CustomFields": fields}, headers={"ETag": f'"{last}"'})

    async def correspond(self, request: Request) -> Response:
        told = await request.json()
        number = self.row(request.path_params["id"], "Correspond", US, told["Content"])
        where = {"Location": f"{BASE}/transaction/{number}"}
        return JSONResponse(["Correspondence added"], 201, where)

    async def queue(self, request: Request) -> Response:
        if request.path_params["name"] != QUEUE:
            return JSONResponse({"message": "Forbidden"}, 403)
        fields = [{"id": "2", "name": FIELD, "ref": "customfield"}]
        links = [{"ref": "self", "id": 3}, {"ref": "create", "type": "ticket"}]
        about = {"id": 3, "Name": QUEUE, "Disabled": "0", "Lifecycle": "default"}
        return JSONResponse({**about, "TicketCustomFields": fields, "_hyperlinks": links})

    async def transactions(self, request: Request) -> Response:
        asked, query = request.query_params, request.query_params["query"]
        rows = self.rows
        if after := re.search(r"\bid > (\d+)", query):
            rows = [row for row in rows if int(row["id"]) > int(after[1])]
        if on := re.search(r"\bObjectId = (\d+)", query):
            rows = [row for row in rows if row["ObjectId"] == on[1]]
        if re.search(r"\bCreator = '__CurrentUser__'", query):
            rows = [row for row in rows if row["Creator"]["id"] == US]
        kinds = set(re.findall(r"\bType = '(\w+)'", query))
        rows = [row for row in rows if row["Type"] in kinds]
        if asked.get("order") == "DESC":
            rows = rows[::-1]
        return _page(asked, rows, {"id", "type", "_url"})

    async def attachments(self, request: Request) -> Response:
        """By a JSON search, as the rest of REST2 has it. In a list the content is text, not base64."""
        (wanted,) = orjson.loads(request.query_params["query"])
        assert wanted["operator"] == "IN"
        found = [one for one in self.parts if int(one[wanted["field"]]) in wanted["value"]]
        rows = [{**one, "Content": base64.b64decode(one["Content"]).decode()} for one in found]
        return _page(request.query_params, rows, {"id", "type", "_url"})

    async def attachment(self, request: Request) -> Response:
        return JSONResponse(self.parts[request.path_params["id"] - 1])


def _page(asked: Any, rows: list[Json], always: set[str]) -> Response:
    """A page of them, with the fields that were asked for."""
    names = always | set(asked.get("fields", "").split(","))
    size, number = min(int(asked.get("per_page", 20)), 100), int(asked.get("page", 1))
    page = rows[(number - 1) * size : number * size]
    told = [{name: value for name, value in one.items() if name in names} for one in page]
    about = {"count": len(told), "page": number, "per_page": size, "total": len(rows)}
    return JSONResponse({**about, "pages": -(-len(rows) // size), "items": told})


def _user(login: str) -> Json:
    return {"id": login, "type": "user", "_url": f"{BASE}/user/{login}"}


class RtWorld(World):
    """The played RT: ours is an account in it, and Lena one of their people."""

    system: ClassVar[Any] = RequestTracker
    url = BASE.removesuffix("/REST/2.0")
    secret = TOKEN

    def __init__(self) -> None:
        self.desk = PlayedRT()
        self.config = RtConfig(queue=QUEUE, reference_field=FIELD)

    def transport(self) -> httpx.AsyncBaseTransport:
        return httpx.ASGITransport(self.desk.app)

    async def tickets(self, op_id: str) -> int:
        return sum(one["CustomFields"].get(FIELD) == op_id for one in self.desk.tickets.values())

    async def said(self, ref: Ref) -> list[Said]:
        numbers = {row["id"] for row in self.desk.rows if row["ObjectId"] == ref.id}
        parts = [one for one in self.desk.parts if one["TransactionId"] in numbers]
        return [Said(base64.b64decode(one["Content"]).decode()) for one in parts]

    async def says(self, ref: Ref, text: str) -> None:
        self.desk.row(int(ref.id), "Correspond", LENA, text)

    async def sets(self, ref: Ref, to: Theirs) -> None:
        raw = self.config.raw_state(to)
        self.desk.tickets[int(ref.id)]["Status"] = raw
        self.desk.row(int(ref.id), "Status", LENA, new=raw)
