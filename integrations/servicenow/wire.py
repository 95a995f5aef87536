"""ServiceNow's JSON as we read it: fields bear its own names, values are as its database has them.

Asked without display values, so times are UTC (Table API, sysparm_display_value: "The database value is in
UTC format, while the display value is based on the user's time zone").
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, Final
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, Field, StringConstraints

from integrations.connector import Ref
from integrations.errors import Rejected
from integrations.reading import read
from register.text import one_line

if TYPE_CHECKING:
    from integrations.http import Http

ROOT: Final = "/api/now"
TABLE: Final = "/v2/table/incident"
JOURNAL: Final = "/v2/table/sys_journal_field"
AUDIT: Final = "/v2/table/sys_audit"
FILES: Final = "/v1/attachment"
PAGE: Final = 100
"""Rows of a list. Its limit is applied before access rules are: a short page is not the last one."""
MOST_PAGES: Final = 500
_SYS_ID: Final = re.compile(r"[0-9a-f]{32}")


def _utc(told: datetime) -> datetime:
    return told.replace(tzinfo=UTC) if told.tzinfo is None else told.astimezone(UTC)


Utc = Annotated[datetime, AfterValidator(_utc)]
Id = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]


class Row(BaseModel):
    """An incident in the list of those that changed."""

    sys_id: Id
    number: str = ""
    sys_updated_on: Utc
    sys_updated_by: str = ""
    sys_mod_count: str = ""
    state: str = ""
    hold_reason: str = ""
    priority: str = ""


class Incident(Row):
    sys_created_on: Utc | None = None
    sys_created_by: str = ""
    short_description: str = ""
    description: str = ""
    correlation_id: str = ""
    assignee: str = Field(default="", alias="assigned_to.name")


class Named(BaseModel):
    """What a new incident, or one that was looked up, is known by."""

    sys_id: Id
    number: str = ""
    correlation_id: str = ""
    description: str = ""


class Entry(BaseModel):
    """A word in a journal: of `comments`, which the customer sees, or of `work_notes`."""

    sys_id: Id
    element_id: str
    element: str
    value: str = ""
    sys_created_on: Utc
    sys_created_by: str = ""


class Audited(BaseModel):
    """One column of one incident that was set to another value."""

    sys_id: Id
    documentkey: str
    fieldname: str
    newvalue: str = ""
    user: str = ""
    sys_created_on: Utc
    record_checkpoint: str = ""

    @property
    def order(self) -> tuple[datetime, int, str]:
        count = self.record_checkpoint
        return self.sys_created_on, int(count) if count.isascii() and count.isdecimal() else 0, self.sys_id


class File(BaseModel):
    sys_id: Id
    table_sys_id: str = ""
    file_name: str = ""
    size_bytes: str = ""
    sys_created_on: Utc
    sys_created_by: str = ""

    @property
    def size(self) -> int | None:
        told = self.size_bytes
        return int(told) if told.isascii() and told.isdecimal() and len(told) < 19 else None


def _whole(error: Any) -> Any:
    """Refuse what was cut off: a request that ran too long ends in the middle, with 200 and an error."""
    if error:
        raise ValueError("is not whole")
    return error


class One(BaseModel):
    result: dict[str, Any]
    error: Annotated[Any, AfterValidator(_whole)] = None


class Rows(BaseModel):
    result: tuple[dict[str, Any], ...]
    error: Annotated[Any, AfterValidator(_whole)] = None


@dataclass(frozen=True, slots=True)
class Listing:
    """A page of a list. total: of all that the query finds, seen by us or not; None where it is not told."""

    rows: tuple[dict[str, Any], ...]
    total: int | None
    offset: int
    limit: int
    next: bool

    @property
    def more(self) -> bool:
        """Whether there are pages behind this one."""
        return self.next if self.total is None else self.offset + self.limit < self.total

    @property
    def hidden(self) -> int:
        """Rows of this page that access rules keep from us."""
        if self.total is None:
            return 0
        return max(0, min(self.limit, self.total - self.offset) - len(self.rows))


async def listed(
    http: Http, path: str, query: str, fields: str, *, limit: int = PAGE, offset: int = 0
) -> Listing:
    """One page. A condition that it does not know is ignored there, so rows are looked at here."""
    asked: dict[str, Any] = {
        "sysparm_query": query,
        "sysparm_fields": fields,
        "sysparm_limit": limit,
        "sysparm_exclude_reference_link": "true",
    }
    if offset:
        asked["sysparm_offset"] = offset
    answer = await http.get(path, asked)
    rows = read(Rows, answer).result
    told = answer.headers.get("x-total-count", "")
    total = int(told) if told.isascii() and told.isdecimal() and len(told) < 19 else None
    further = 'rel="next"' in answer.headers.get("link", "") or (total is None and len(rows) >= limit)
    return Listing(rows, total, offset, limit, further)


async def every(http: Http, path: str, query: str, fields: str) -> tuple[list[dict[str, Any]], int]:
    """All rows of a list that only grows at its end, and how many are kept from us."""
    rows: list[dict[str, Any]] = []
    hidden = 0
    for page in range(MOST_PAGES):
        told = await listed(http, path, query, fields, offset=page * PAGE)
        rows += told.rows
        hidden += told.hidden
        if not told.more:
            return rows, hidden
    raise Rejected(f"{http.name} goes on listing for ever: ask them, a list does not end.")


def stamp(at: datetime, zone: str) -> str:
    """A time in a query, in the zone that it is read in there."""
    return at.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M:%S")


def id_of(ref: Ref) -> str:
    if not _SYS_ID.fullmatch(ref.id):
        raise Rejected(f"{one_line(ref.id)} is no sys_id of ServiceNow: nothing was sent.")
    return ref.id


def path_of(ref: Ref) -> str:
    return f"{TABLE}/{id_of(ref)}"


def web_of(http: Http) -> str:
    """Where people look at it: asked for once, for it takes longer than reading a row."""
    return str(http.base).removesuffix(ROOT)


def ref_to(web: str, sys_id: str, number: str) -> Ref:
    url = f"{web}/nav_to.do?uri=incident.do%3Fsys_id%3D{sys_id}"
    return Ref(id=sys_id, key=one_line(number) or sys_id, url=url)


def text_in(row: Mapping[str, Any], name: str) -> str:
    """A column's value: plain, or of a reference."""
    value = row.get(name)
    if isinstance(value, Mapping):
        value = value.get("value")
    return value if isinstance(value, str) else ""
