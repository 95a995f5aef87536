"""Zendesk's JSON as we read it: fields bear Zendesk's names (developer.zendesk.com/api-reference)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from pydantic import BaseModel, Field

from integrations.connector import Ref
from integrations.errors import Rejected
from integrations.reading import read
from integrations.zones import TheirTime
from register.text import one_line

if TYPE_CHECKING:
    from integrations.http import Http

ROOT: Final = "/api/v2"
PAGE: Final = 100
"""Rows of a page; of most lists Zendesk gives no more."""
MERGED: Final = "closed_by_merge"
"""The tag that Zendesk puts on a ticket which was merged into another one."""
MOST_PAGES: Final = 60
"""A ticket has 5,000 comments at most: a list that goes on beyond is none of a ticket's."""


class Person(BaseModel):
    id: int | None = None
    name: str = ""
    email: str | None = None
    role: str = ""
    suspended: bool = False
    ticket_restriction: str | None = None


class Me(BaseModel):
    user: Person


class CustomValue(BaseModel):
    id: int
    value: Any = None


class Via(BaseModel):
    """How something came to be."""

    channel: Any = None
    source: dict[str, Any] | None = None

    @property
    def rel(self) -> str:
        return str((self.source or {}).get("rel") or "")

    @property
    def ticket(self) -> int | None:
        """The ticket that it came from, if it did."""
        origin = (self.source or {}).get("from")
        number = origin.get("ticket_id") if isinstance(origin, Mapping) else None
        return number if type(number) is int and number > 0 else None


class Row(BaseModel):
    """A ticket in the export: whose it is."""

    id: int
    status: str = ""
    requester_id: int | None = None
    submitter_id: int | None = None
    organization_id: int | None = None
    collaborator_ids: tuple[int, ...] | None = None
    follower_ids: tuple[int, ...] | None = None
    email_cc_ids: tuple[int, ...] | None = None
    updated_at: TheirTime
    via: Via | None = None

    def concerns(self, person: int) -> bool:
        people = (self.collaborator_ids or ()), (self.follower_ids or ()), (self.email_cc_ids or ())
        return person in (self.requester_id, self.submitter_id, *(one for some in people for one in some))


class TheirTicket(Row):
    external_id: str | None = None
    subject: str | None = None
    priority: str | None = None
    assignee_id: int | None = None
    tags: tuple[str, ...] = ()
    custom_fields: tuple[CustomValue, ...] = ()


class One(BaseModel):
    ticket: TheirTicket


class Listed(BaseModel):
    tickets: tuple[TheirTicket, ...]


class Export(BaseModel):
    """A page of the incremental export. Its rows are read one by one: one may be odd."""

    tickets: tuple[dict[str, Any], ...]
    after_cursor: str | None = None
    end_of_stream: bool


class Attachment(BaseModel):
    id: int
    file_name: str = ""
    size: int | None = None


class KeptFile(Attachment):
    """An attachment that is asked for by itself: where it lies, and whether it may be had."""

    content_url: str | None = None
    deleted: bool | None = None
    malware_scan_result: str | None = None
    malware_access_override: bool | None = None

    @property
    def is_kept_back(self) -> bool:
        """Whether malware was found in it, and nobody there has let it out nevertheless."""
        return self.malware_scan_result == "malware_found" and not self.malware_access_override


class TheAttachment(BaseModel):
    attachment: KeptFile


class Upload(BaseModel):
    token: str


class Uploaded(BaseModel):
    upload: Upload


class Event(BaseModel):
    """One thing of an audit; a comment's id is its event's. `via`: only where it is not the audit's own."""

    id: int = 0
    type: str = ""
    author_id: int | None = None
    body: str | None = None
    plain_body: str | None = None
    html_body: str | None = None
    public: bool | None = None
    attachments: tuple[Attachment, ...] | None = None
    field_name: str | None = None
    value: Any = None
    via: Via | None = None

    @property
    def is_comment(self) -> bool:
        return self.type in ("Comment", "VoiceComment")

    @property
    def files(self) -> tuple[Attachment, ...]:
        return self.attachments or ()

    def sets(self, field: str) -> str | None:
        """What it changes this field to; None where it does not."""
        if self.type != "Change" or self.field_name != field or not isinstance(self.value, str):
            return None
        return one_line(self.value)

    @property
    def by_rule(self) -> bool:
        """Whether a rule of theirs did it, whoever gave it the occasion."""
        return self.via is not None and self.via.channel in ("rule", "system")


class Audit(BaseModel):
    id: int
    created_at: TheirTime
    author_id: int | None = None
    events: tuple[Event, ...]

    @property
    def is_first(self) -> bool:
        """Whether it is the making of the ticket."""
        return any(event.type == "Create" for event in self.events)


class Updated(BaseModel):
    ticket: TheirTicket
    audit: Audit | None = None


class TheirComment(Event):
    """A comment in the list of them."""

    created_at: TheirTime


class Meta(BaseModel):
    has_more: bool = False
    after_cursor: str | None = None


class Paged(BaseModel):
    """What each page has besides its rows. Tickets in the archive are not paged, and have no `meta`."""

    meta: Meta | None = None
    users: tuple[Person, ...] = ()
    audits: tuple[dict[str, Any], ...] = Field(default=())
    comments: tuple[dict[str, Any], ...] = Field(default=())


async def every(
    http: Http, number: int, what: str, **more: str
) -> tuple[list[dict[str, Any]], dict[int, str]]:
    """All rows of a ticket's "audits" or "comments", the first one first; and names that came with them."""
    rows: list[dict[str, Any]] = []
    names: dict[int, str] = {}
    params: dict[str, Any] = {"page[size]": PAGE, **more}
    for _ in range(MOST_PAGES):
        page = read(Paged, await http.get(f"{ticket_path(number)}/{what}", params=params))
        rows += page.audits if what == "audits" else page.comments
        names |= {one.id: one_line(one.name) for one in page.users if one.id is not None and one.name}
        if page.meta is None or not page.meta.has_more or not page.meta.after_cursor:
            return rows, names
        params["page[after]"] = page.meta.after_cursor
    raise Rejected(f"{http.name} goes on telling of #{number} for ever: ask them, its list does not end.")


def number_of(ref: Ref) -> int:
    if not (ref.id.isascii() and ref.id.isdecimal() and len(ref.id) < 19):
        raise Rejected(f"{one_line(ref.id)} is no ticket number of Zendesk: nothing was sent.")
    return int(ref.id)


def ref_to(http: Http, number: int) -> Ref:
    web = str(http.base).removesuffix(ROOT)
    return Ref(id=str(number), key=f"#{number}", url=f"{web}/agent/tickets/{number}")


def ticket_path(number: int) -> str:
    return f"/tickets/{number}"


def stamp(at: datetime) -> str:
    """A time as Zendesk tells it, to the second: by it a version of a ticket is known."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
