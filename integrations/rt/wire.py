"""RT's JSON as we read it (fields bear RT's names), and the little TicketSQL that we write.

Lists of tickets, and of transactions whose `ObjectType` is 'RT::Ticket', are cut to pages after rights
are applied; other lists before, so that they have holes. Comments are taken out of a page last of all.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pydantic import BaseModel, Field

from integrations.errors import Rejected
from integrations.zones import TheirTime
from register.incident import TicketRef
from register.text import one_line

PAGE: Final = 100
"""Rows of a list. RT gives no more, whatever is asked for."""
ME: Final = "'__CurrentUser__'"
SPOKEN: Final = frozenset({"Create", "Correspond", "Comment"})
"""Types of transactions that carry text."""
MERGED: Final = "MergedInto"
PRIORITY: Final = "(Type = 'Set' AND Field = 'Priority')"
MOVED: Final = f"(Type = 'AddLink' OR {PRIORITY})"
"""Transactions that link a ticket to another one, merge it, or give it another priority."""


class Named(BaseModel):
    id: str


class CustomField(BaseModel):
    name: str
    values: tuple[str, ...] = ()
    id: str = ""


class TheirTicket(BaseModel):
    id: int
    Subject: str
    Status: str
    Priority: str | int | None = None
    Owner: Named
    LastUpdated: TheirTime
    CustomFields: tuple[CustomField, ...] = ()

    def carries(self, field: str, value: str) -> bool:
        return any(each.name == field and value in each.values for each in self.CustomFields)


class Hit(BaseModel):
    """A row of a search for tickets, with what its `fields` asked for."""

    id: int
    Status: str = ""
    CustomFields: tuple[CustomField, ...] = ()

    def carries(self, field: str, value: str) -> bool:
        """Whether the field has this very value: RT's search does not tell capitals apart."""
        return any(each.name == field and value in each.values for each in self.CustomFields)


class Hits(BaseModel):
    items: tuple[Hit, ...]
    total: int | None  # None where RT applies rights after cutting pages


class Rows(BaseModel):
    items: tuple[dict[str, Any], ...]


class Transaction(BaseModel):
    id: int
    Type: str
    Creator: Named
    ObjectId: int
    Created: TheirTime
    Field: str = ""
    NewValue: str = ""


class Part(BaseModel):
    """An attachment in a list. The text of a message is one without a file name."""

    id: int
    TransactionId: int
    ContentType: str
    Filename: str = ""
    ContentLength: str | int | None = None

    @property
    def size(self) -> int | None:
        """Bytes, where it tells them."""
        told = str(self.ContentLength)
        return int(told) if told.isascii() and told.isdecimal() else None


class Content(BaseModel):
    Content: str  # base64


class Link(BaseModel):
    ref: str


class Queue(BaseModel):
    Name: str
    Disabled: str | int = "0"
    TicketCustomFields: tuple[CustomField, ...] = ()
    links: tuple[Link, ...] = Field((), alias="_hyperlinks")

    def has(self, field: str) -> bool:
        return any(each.name == field for each in self.TicketCustomFields)


class Made(BaseModel):
    id: int


def number_of(ref: TicketRef) -> int:
    if not (ref.id.isascii() and ref.id.isdecimal()):
        raise Rejected(f"{one_line(ref.id)} is no ticket number of Request Tracker: nothing was sent.")
    return int(ref.id)


def row_id(row: Mapping[str, Any]) -> int:
    """A row's id, or -1 if it has none."""
    value = str(row.get("id", ""))
    return int(value) if value.isascii() and value.isdecimal() else -1


def quoted(value: str) -> str:
    """A value in TicketSQL."""
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def any_of(*conditions: str) -> str:
    return f"({' OR '.join(conditions)})"


def types(*names: str) -> str:
    return any_of(*(f"Type = {quoted(name)}" for name in names))
