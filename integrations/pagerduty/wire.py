"""PagerDuty's JSON as we read it: fields bear PagerDuty's names (github.com/PagerDuty/api-schema)."""

from __future__ import annotations

from typing import Annotated, Any, Final

from pydantic import BaseModel, BeforeValidator

from integrations.connector import Ref
from integrations.errors import Rejected
from integrations.zones import TheirTime
from register.text import one_line

PAGE: Final = 100
"""Rows of a page: the most that PagerDuty gives."""
MERGED: Final = "merge_resolve_reason"


class Named(BaseModel):
    id: str = ""
    summary: str | None = None
    name: str | None = None

    @property
    def title(self) -> str:
        return one_line(self.name or self.summary or self.id)


class Assignment(BaseModel):
    assignee: Named


class Reference(BaseModel):
    """An incident as others name it."""

    id: str = ""
    summary: str | None = None
    html_url: str | None = None

    @property
    def ref(self) -> Ref:
        """Its number stands before its title: `[#1234] The server is on fire.`"""
        said = one_line(self.summary or "")
        key = said[1 : said.index("]")] if said.startswith("[#") and "]" in said else self.id
        return Ref(id=self.id, key=key, url=self.html_url or "")


class ResolveReason(BaseModel):
    type: str = ""
    incident: Reference = Reference()


class Ending(BaseModel):
    """Of an incident: why it was resolved. Merging is the only reason that PagerDuty gives so far."""

    id: str
    resolve_reason: Annotated[
        ResolveReason | None, BeforeValidator(lambda told: told if isinstance(told, dict) else None)
    ] = None

    @property
    def merged_into(self) -> Ref | None:
        """The incident that it goes on as, where it was merged."""
        why = self.resolve_reason
        if why is None or why.type != MERGED or why.incident.id in ("", self.id):
            return None
        return why.incident.ref


class OneEnding(BaseModel):
    incident: Ending


class Incident(Ending):
    incident_number: int
    title: str = ""
    html_url: str = ""
    status: str
    incident_key: str | None = None
    urgency: str = ""
    priority: Named | None = None
    updated_at: TheirTime
    assignments: tuple[Assignment, ...] = ()

    @property
    def ref(self) -> Ref:
        return Ref(id=self.id, key=f"#{self.incident_number}", url=self.html_url)


class One(BaseModel):
    incident: Incident


class Many(BaseModel):
    incidents: tuple[Incident, ...]


class TheNote(BaseModel):
    note: Named


class Priorities(BaseModel):
    priorities: tuple[Named, ...]


class Me(BaseModel):
    user: Named


class Service(Named):
    status: str = ""


class Services(BaseModel):
    services: tuple[Service, ...]


class Channel(BaseModel):
    """How an entry came to be; its fields hang on the kind of entry."""

    type: str = ""
    content: str | None = None
    summary: str | None = None
    new_priority: Named | None = None


class InLog(Reference):
    id: str


class Entry(BaseModel):
    id: str
    type: str
    created_at: TheirTime
    agent: Named | None = None
    channel: Channel | None = None
    incident: InLog


class Log(BaseModel):
    """A page of the log. Its rows are read one by one: one may be odd."""

    log_entries: tuple[dict[str, Any], ...]
    more: bool = False

    @property
    def goes_on(self) -> bool:
        """Whether there is anything at this place of it, or behind it."""
        return bool(self.log_entries) or self.more


def path_of(ref: Ref) -> str:
    if not (ref.id.isascii() and ref.id.isalnum() and len(ref.id) < 60):
        raise Rejected(f"{one_line(ref.id)} is no id of an incident at PagerDuty: nothing was sent.")
    return f"/incidents/{ref.id}"
