"""Zammad's JSON as we read it, with `expand=true`: fields bear Zammad's names."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, RootModel

from integrations.errors import Rejected
from integrations.zones import TheirTime
from register.incident import TicketRef
from register.text import one_line


class ZammadTicket(BaseModel):
    """A ticket. What their administrator added stands among its fields under a name of its own."""

    model_config = ConfigDict(extra="allow")

    id: int
    number: str
    title: str = ""
    state: str = ""
    priority: str | None = None
    owner: str | None = None
    updated_at: TheirTime

    def reference(self, field: str) -> object:
        return (self.model_extra or {}).get(field)


class Made(BaseModel):
    id: int
    number: str


class ZammadTickets(RootModel[tuple[ZammadTicket, ...]]):
    pass


class FileOf(BaseModel):
    id: int
    filename: str = ""
    size: int | None = None


class Article(BaseModel):
    """A text on a ticket. created_by: their login."""

    id: int
    ticket_id: int
    body: str = ""
    content_type: str = "text/plain"
    internal: bool = False
    created_by_id: int
    created_by: str = ""
    created_at: TheirTime
    attachments: tuple[FileOf, ...] = ()


class Entry(BaseModel):
    """A line of a ticket's history."""

    id: int
    type: str
    object: str
    attribute: str | None = None
    value_to: str | None = None
    id_to: int | None = None
    created_by_id: int
    created_at: TheirTime


class History(BaseModel):
    history: tuple[dict[str, Any], ...]
    assets: dict[str, Any] = {}

    def login(self, user: int) -> str:
        users = self.assets.get("User")
        told = users.get(str(user)) if isinstance(users, dict) else None
        login = told.get("login") if isinstance(told, dict) else None
        return one_line(str(login)) if login else f"user {user}"


class Account(BaseModel):
    id: int
    login: str = ""


def number_of(ref: TicketRef) -> int:
    if not (ref.id.isascii() and ref.id.isdecimal()):
        raise Rejected(f"{one_line(ref.id)} is no ticket of Zammad: nothing was sent.")
    return int(ref.id)
