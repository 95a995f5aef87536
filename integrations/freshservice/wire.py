"""Freshservice's JSON as we read it: fields bear Freshservice's names (api.freshservice.com)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from pydantic import BaseModel

from integrations.connector import Ref
from integrations.errors import Rejected
from integrations.markup.formats import TextFormat, plain
from integrations.zones import TheirTime
from register.marker import marker_of
from register.text import one_line

if TYPE_CHECKING:
    from integrations.http import Http

ROOT: Final = "/api/v2"
PAGE: Final = 100
"""Rows of a page, at most: more is an error there."""
MOST_FILE: Final = 40 * 1_000_000
"""Bytes of all files of a ticket together, says its documentation; it said 15 MB before."""
CLOSED: Final = 5
"""The number of the state in which a merged ticket is left."""
_INTO: Final = re.compile(r"This ticket is closed and merged into ticket #?(?:INC-|SR-)?(\d{1,18})\b", re.I)
_IN_SUBJECT: Final = re.compile(r"\s*\[MUS-([0-7][0-9A-HJKMNP-TV-Z]{25})\]\s*$")


class Attachment(BaseModel):
    id: int
    name: str = ""
    size: int | None = None
    attachment_url: Any = None  # text; words are read, whatever it is


class FreshTicket(BaseModel):
    id: int
    subject: str | None = None
    description: str | None = None
    status: int
    priority: int | None = None
    requester_id: int | None = None
    responder_id: int | None = None
    department_id: int | None = None
    spam: bool | None = None
    deleted: bool | None = None
    created_at: TheirTime
    updated_at: TheirTime
    custom_fields: dict[str, Any] | None = None
    attachments: tuple[Attachment, ...] | None = None

    def carries(self, op_id: str, field: str) -> bool:
        """Whether our reference is in their field, in the subject or under the text; and is exactly it."""
        found = _IN_SUBJECT.search(self.subject or "")
        said = marker_of(plain(self.description, TextFormat.HTML))
        return op_id in ((self.custom_fields or {}).get(field), found and found[1], said)

    @property
    def title(self) -> str:
        return one_line(_IN_SUBJECT.sub("", self.subject or ""))


class One(BaseModel):
    ticket: FreshTicket


class Listed(BaseModel):
    """A page of the list. Its rows are read one by one: one may be odd."""

    tickets: tuple[dict[str, Any], ...]


class Conversation(BaseModel):
    """A reply or a note. `incoming`: it came from the requester's side; `body` is HTML."""

    id: int
    user_id: int | None = None
    body: str | None = None
    incoming: bool = False
    private: bool = False
    created_at: TheirTime
    attachments: tuple[Attachment, ...] | None = None

    @property
    def text(self) -> str:
        return plain(self.body, TextFormat.HTML)

    @property
    def into(self) -> int | None:
        """The ticket that this one was merged into, as a private note of theirs says."""
        found = _INTO.match(self.text.strip()) if self.private else None
        return None if found is None else int(found[1])


def merged_into(ticket: FreshTicket, said: Iterable[Conversation]) -> int | None:
    """The ticket that this one was merged into. Only a private note and the state tell it."""
    if ticket.status != CLOSED:
        return None
    return next((one.into for one in reversed([*said]) if one.into is not None), None)


class Conversations(BaseModel):
    conversations: tuple[dict[str, Any], ...]


class Written(BaseModel):
    """What a reply or a note became."""

    conversation: Conversation


class Agent(BaseModel):
    id: int
    email: str | None = None
    first_name: str | None = None


class Me(BaseModel):
    agent: Agent


class Requester(BaseModel):
    id: int
    primary_email: str | None = None
    secondary_emails: tuple[str, ...] | None = None

    def has(self, address: str) -> bool:
        known = (self.primary_email or "", *(self.secondary_emails or ()))
        return address.casefold() in (one.casefold() for one in known)


class Requesters(BaseModel):
    requesters: tuple[Requester, ...]


def number_of(ref: Ref) -> int:
    if not (ref.id.isascii() and ref.id.isdecimal() and len(ref.id) < 19):
        raise Rejected(f"{one_line(ref.id)} is no ticket number of Freshservice: nothing was sent.")
    return int(ref.id)


def ref_to(http: Http, number: int) -> Ref:
    web = str(http.base).removesuffix(ROOT)
    return Ref(id=str(number), key=f"#{number}", url=f"{web}/a/tickets/{number}")


def in_subject(title: str, op_id: str) -> str:
    """A title under which our reference stands, for accounts without a field for it."""
    return f"{title} [MUS-{op_id}]"


def just_before(at: datetime) -> str:
    """A time for `updated_since`, after which this second comes, and nothing before it.

    Nobody says whether Freshservice takes its own second in. A millisecond earlier it makes no difference.
    """
    before = at.replace(microsecond=0) - timedelta(milliseconds=1)
    return before.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def stamp(at: datetime) -> str:
    """A time as Freshservice tells it: in UTC, to the second."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
