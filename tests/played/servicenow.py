"""A ServiceNow instance as its documentation describes the Table and Attachment APIs, in memory.

It keeps to ServiceNow/ServiceNowDocs (c_TableAPI.md, c_AttachmentAPI.md, c_IncidentManagementStateModel.md):
an invalid part of a query is ignored, invalid fields are ignored, the limit counts before access rules, what
may not be read is not there, times are UTC. Its ids have no order. Its clock is its own.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from tests.played.servicenow_query import found

USER, PASSWORD, TOKEN = "muster", "password-0123456789", "bearer-0123456789"
LENA = "lena.desk"
INCIDENT, JOURNAL, AUDIT, FILES = "incident", "sys_journal_field", "sys_audit", "sys_attachment"
MATRIX = {"11": 1, "12": 2, "13": 3, "21": 2, "22": 3, "23": 4, "31": 3, "32": 4, "33": 5}
STATES = {"1": "New", "2": "In Progress", "3": "On Hold", "6": "Resolved", "7": "Closed", "8": "Canceled"}
REFERENCES = {"caller_id", "assignment_group", "assigned_to", "parent_incident", "opened_by"}
COLUMNS = {
    "sys_id": "",
    "number": "",
    "short_description": "",
    "description": "",
    "correlation_id": "",
    "correlation_display": "",
    "state": "1",
    "hold_reason": "",
    "impact": "3",
    "urgency": "3",
    "priority": "5",
    "close_code": "",
    "close_notes": "",
    "category": "",
    "u_contract": "",
    "sys_mod_count": "0",
    "active": "true",
    **dict.fromkeys(REFERENCES, ""),
}
DERIVED = {"sys_id", "number", "priority", "sys_mod_count", "opened_by"}
AUDITED = ("state", "hold_reason", "priority", "impact", "urgency", "close_code", "parent_incident")
KNOWN = {
    INCIDENT: {*COLUMNS, "sys_created_on", "sys_created_by", "sys_updated_on", "sys_updated_by"},
    JOURNAL: {"sys_id", "name", "element", "element_id", "value", "sys_created_on", "sys_created_by"},
    AUDIT: {
        *("sys_id", "tablename", "documentkey", "fieldname", "oldvalue", "newvalue", "user"),
        *("sys_created_on", "record_checkpoint"),
    },
    FILES: {
        *("sys_id", "table_name", "table_sys_id", "file_name", "size_bytes", "content_type"),
        *("sys_created_on", "sys_created_by"),
    },
    "sys_user": {"sys_id", "user_name", "name"},
    "sys_choice": {"sys_id", "name", "element", "value", "label", "inactive", "sequence"},
}
Json = dict[str, Any]
Handler = Callable[[Request], Awaitable[Response]]


class PlayedServiceNow:
    """The instance: its tables, what our account may see and write, and its rules."""

    def __init__(self) -> None:
        self._count = self.asked = 0
        self.now = datetime(2026, 1, 5, 8, tzinfo=UTC)
        self.password = PASSWORD
        self.rows: dict[str, list[Json]] = {name: [] for name in KNOWN}
        self.contents: dict[str, bytes] = {}
        self.hides: Callable[[str, Json], bool] = lambda table, row: False  # access rules, row by row
        self.unwritable: set[str] = set()  # columns that our account may not write: left out without a word
        self.unsearchable: set[str] = set()  # columns that a query of ours may not name
        self.ranges = True  # lets our account compare and sort (a query ACL)
        self.cancelled = False  # ends in the middle of its answer, which ran too long
        self.scripts = True  # understands javascript: in a query
        self.versions = True  # the audit tells which version it is of
        self.unreadable: set[str] = set()  # columns that it may not read, nor search by
        self.policy: Callable[[Json], str | None] = lambda row: None  # a data policy of theirs
        self.rule: Callable[[Json], None] = lambda row: None  # a business rule of theirs, after each update
        self.zone = "UTC"  # in which times in a query are read
        self.strict = False  # glide.invalid_query.returns_no_rows
        self.asleep = False  # a developer instance that hibernates
        self.counts = True  # tells X-Total-Count
        self.stays = False  # the time stands still: all is of one second
        self.late_journal = False  # the record is there before its journal is
        self.kept_back: list[Json] = []
        self.us = self.sys_id()
        self.rows["sys_user"] = [
            {"sys_id": self.us, "user_name": USER, "name": "Muster"},
            {"sys_id": self.sys_id(), "user_name": LENA, "name": "Lena Desk"},
        ]
        self.rows["sys_choice"] = [
            {"sys_id": self.sys_id(), "name": INCIDENT, "element": "state", "value": value, "label": label}
            | {"inactive": "false", "sequence": value}
            for value, label in STATES.items()
        ]
        table = "/v2/table/{table}"
        self.app = Starlette(
            routes=[
                self._route(table, self.listed, "GET"),
                self._route("/v2/table/incident", self.create, "POST"),
                self._route(table + "/{sys_id}", self.show, "GET"),
                self._route("/v2/table/incident/{sys_id}", self.update, "PUT"),
                self._route("/v1/attachment", self.files, "GET"),
                self._route("/v1/attachment/file", self.upload, "POST"),
                self._route("/v1/attachment/{sys_id}", self.file, "GET"),
                self._route("/v1/attachment/{sys_id}/file", self.content, "GET"),
            ]
        )

    # What happens there

    def sys_id(self) -> str:
        """Ids that tell nothing of when they were made."""
        self._count += 1
        return hashlib.md5(str(self._count).encode(), usedforsecurity=False).hexdigest()

    def tick(self, seconds: int = 1) -> str:
        if not self.stays:
            self.now += timedelta(seconds=seconds)
        return self.now.strftime("%Y-%m-%d %H:%M:%S")

    def of(self, sys_id: str) -> Json:
        return next(row for row in self.rows[INCIDENT] if row["sys_id"] == sys_id)

    def made(self, by: str, values: Json) -> Json:
        at = self.tick()
        stamps = dict.fromkeys(("sys_created_on", "sys_updated_on"), at)
        stamps |= dict.fromkeys(("sys_created_by", "sys_updated_by"), by)
        row = {**COLUMNS, "sys_id": self.sys_id(), "number": f"INC{10_000 + self._count:07}", **stamps}
        row |= {name: value for name, value in values.items() if name in COLUMNS and name not in DERIVED}
        row["short_description"] = row["short_description"][:160]
        row["priority"] = str(MATRIX.get(row["impact"] + row["urgency"], 5))
        self.rows[INCIDENT].append(row)
        self._journals(row, by, values, at)
        return row

    def change(self, row: Json, by: str, values: Json) -> None:
        """One update: columns, journals, the audit; nothing happens where nothing changes."""
        before = dict(row)
        row |= {name: value for name, value in values.items() if name in COLUMNS and name not in DERIVED}
        row["priority"] = str(MATRIX.get(row["impact"] + row["urgency"], 5))
        changed = [name for name in AUDITED if row[name] != before[name]]
        said = any(values.get(name) for name in ("comments", "work_notes"))
        if row == before and not said:
            return
        at = self.tick()
        row |= {
            "sys_mod_count": str(int(row["sys_mod_count"]) + 1),
            "sys_updated_on": at,
            "sys_updated_by": by,
        }
        row["active"] = "false" if row["state"] in "78" else "true"
        for name in changed:
            self._audit(row, by, at, name, before[name], row[name])
        for name in ("comments", "work_notes"):
            if values.get(name):
                self._audit(row, by, at, name, "JOURNAL FIELD ADDITION", values[name])
        self._journals(row, by, values, at)

    def _audit(self, row: Json, by: str, at: str, name: str, before: str, after: str) -> None:
        self.rows[AUDIT].append(
            {
                "sys_id": self.sys_id(),
                "tablename": INCIDENT,
                "documentkey": row["sys_id"],
                "fieldname": name,
                "oldvalue": before,
                "newvalue": after,
                "user": by,
                "sys_created_on": at,
                "record_checkpoint": row["sys_mod_count"] if self.versions else "",
            }
        )

    def _journals(self, row: Json, by: str, values: Json, at: str) -> None:
        for element in ("comments", "work_notes"):
            if values.get(element):
                entry = {"sys_id": self.sys_id(), "name": INCIDENT, "element": element}
                entry |= {"element_id": row["sys_id"], "value": values[element]}
                entry |= {"sys_created_on": at, "sys_created_by": by}
                (self.kept_back if self.late_journal else self.rows[JOURNAL]).append(entry)

    def put_file(self, row: Json, by: str, name: str, content: bytes, kind: str) -> Json:
        """A file does not touch the record that it is for."""
        file = {
            "sys_id": self.sys_id(),
            "table_name": INCIDENT,
            "table_sys_id": row["sys_id"],
            "file_name": name,
            "size_bytes": str(len(content)),
            "content_type": kind,
            "sys_created_on": self.tick(),
            "sys_created_by": by,
        }
        self.rows[FILES].append(file)
        self.contents[file["sys_id"]] = content
        return file

    # What is asked of it

    def _route(self, path: str, handler: Handler, method: str) -> Route:
        async def guarded(request: Request) -> Response:
            self.tick()
            if self.asleep:
                answer: Response = HTMLResponse("<html><h1>Your instance is hibernating</h1></html>")
            elif not self._knows(request):
                answer = _failure(401, "User Not Authenticated", "Required to provide Auth information")
            else:
                answer = await handler(request)
            answer.headers["Date"] = format_datetime(self.now, usegmt=True)
            return answer

        return Route("/api/now" + path, guarded, methods=[method])

    def _knows(self, request: Request) -> bool:
        pair = base64.b64encode(f"{USER}:{self.password}".encode()).decode()
        return request.headers.get("authorization") in (f"Basic {pair}", f"Bearer {TOKEN}")

    async def listed(self, request: Request) -> Response:
        table = request.path_params["table"]
        if table not in KNOWN:
            return _failure(400, "Invalid table " + table, "")
        return self._page(request, table, 10_000)

    async def files(self, request: Request) -> Response:
        return self._page(request, FILES, 1_000)

    def _page(self, request: Request, table: str, most: int) -> Response:
        asked = request.query_params
        limit, offset = int(asked.get("sysparm_limit", most)), int(asked.get("sysparm_offset", 0))
        columns = KNOWN[table] - self.unreadable - self.unsearchable
        query = asked.get("sysparm_query", "")
        self.asked += 1
        rows = found(
            self.rows[table][:: -1 if self.asked % 2 else 1],  # what no order was asked of may come in any
            query,
            columns,
            self.zone,
            self.us if self.scripts else "",
            strict=self.strict,
            ranges=self.ranges,
        )
        shown = [row for row in rows[offset : offset + limit] if not self.hides(table, dict(row))]
        told: Json = {"result": [self._told(request, dict(row)) for row in shown]}
        if self.cancelled:
            says = "Transaction cancelled: maximum execution time exceeded"
            told = {
                "result": told["result"][:1],
                "error": {"message": says, "detail": says},
                "status": "failure",
            }
        answer = JSONResponse(told)
        if self.counts and table != FILES:
            answer.headers["X-Total-Count"] = str(len(rows))
        if len(rows) > offset + limit:
            answer.headers["Link"] = f'<{request.url}&sysparm_offset={offset + limit}>;rel="next"'
        return answer

    def _told(self, request: Request, row: Json) -> Json:
        asked = request.query_params
        bare = asked.get("sysparm_exclude_reference_link") == "true"
        shown = asked.get("sysparm_display_value") == "true"
        person = {one["sys_id"]: one["name"] for one in self.rows["sys_user"]}
        told = {name: value for name, value in row.items() if name not in self.unreadable}
        for name in REFERENCES & told.keys():
            told[f"{name}.name"] = person.get(told[name], "")
            if not bare and told[name]:
                told[name] = {"link": f"https://acme.service-now.com/{told[name]}", "value": told[name]}
        if "correlation_display" in row:  # an incident: its journals are for writing, and to look at
            said = [one for one in self.rows[JOURNAL] if one["element_id"] == row["sys_id"]]
            for element in ("comments", "work_notes"):
                text = "\n\n".join(one["value"] for one in reversed(said) if one["element"] == element)
                told[element] = text if shown else ""
        fields = asked.get("sysparm_fields")
        return told if not fields else {name: told[name] for name in fields.split(",") if name in told}

    def _seen(self, request: Request, table: str) -> Json | None:
        rows = [row for row in self.rows[table] if row["sys_id"] == request.path_params["sys_id"]]
        return rows[0] if rows and not self.hides(table, rows[0]) else None

    async def show(self, request: Request) -> Response:
        row = self._seen(request, request.path_params["table"])
        return _missing() if row is None else JSONResponse({"result": self._told(request, row)})

    async def create(self, request: Request) -> Response:
        values = _values(await request.body())
        if values is None:
            return _failure(400, "Exception while reading request", "The payload is not valid JSON")
        values = {name: value for name, value in values.items() if name not in self.unwritable}
        if fault := self.policy({**COLUMNS, **values}):
            return _failure(403, "Operation Failed", fault)
        row = self.made(USER, values)
        self.rule(row)
        location = {"Location": f"https://acme.service-now.com/api/now/v2/table/incident/{row['sys_id']}"}
        return JSONResponse({"result": self._told(request, row)}, 201, location)

    async def update(self, request: Request) -> Response:
        row, values = self._seen(request, INCIDENT), _values(await request.body())
        if row is None:
            return _missing()
        if values is None:
            return _failure(400, "Exception while reading request", "The payload is not valid JSON")
        if row["state"] in ("7", "8"):
            return _failure(
                403, "Operation Failed", "ACL Exception Update Failed due to security constraints"
            )
        values = {name: value for name, value in values.items() if name not in self.unwritable}
        wished = {**row, **values}
        lacks = [name for name in ("close_code", "close_notes") if not wished[name]]
        if wished["state"] in ("6", "7") and lacks:
            words = "The following fields are mandatory: " + ", ".join(lacks)
            return _failure(403, "Operation Failed", f"Data Policy Exception: {words}")
        if fault := self.policy(wished):
            return _failure(403, "Operation Failed", fault)
        if values.get("comments") and row["hold_reason"] == "1" and "state" not in values:
            values |= {"state": "2", "hold_reason": ""}  # the caller answered
        self.change(row, USER, values)
        self.rule(row)
        return JSONResponse({"result": self._told(request, row)})

    async def upload(self, request: Request) -> Response:
        asked = request.query_params
        if any(not asked.get(name) for name in ("table_name", "table_sys_id", "file_name")):
            return _failure(400, "Missing mandatory parameter", "")
        rows = [row for row in self.rows[INCIDENT] if row["sys_id"] == asked["table_sys_id"]]
        if not rows or "content-type" not in request.headers:
            return _missing()
        kind, content = request.headers["content-type"], await request.body()
        return JSONResponse({"result": self.put_file(rows[0], USER, asked["file_name"], content, kind)}, 201)

    async def file(self, request: Request) -> Response:
        row = self._seen(request, FILES)
        return _missing() if row is None else JSONResponse({"result": row})

    async def content(self, request: Request) -> Response:
        row = self._seen(request, FILES)
        return (
            _missing()
            if row is None
            else Response(self.contents[row["sys_id"]], media_type=row["content_type"])
        )


def _values(body: bytes) -> Json | None:
    try:
        told = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    return {name: str(value) for name, value in told.items()} if isinstance(told, dict) else None


def _failure(status: int, message: str, detail: str) -> Response:
    return JSONResponse({"error": {"message": message, "detail": detail}, "status": "failure"}, status)


def _missing() -> Response:
    return _failure(404, "No Record found", "Record doesn't exist or ACL restricts the record retrieval")
