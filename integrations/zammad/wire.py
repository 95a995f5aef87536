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
    """A ticket's history. assets: whatever its lines are about, as it stands, by kind and number."""

    history: tuple[dict[str, Any], ...]
    assets: dict[str, Any] = {}

    def login(self, user: int) -> str:
        login = self._assets("User").get(str(user), {}).get("login")
        return one_line(str(login)) if login else f"user {user}"

    def articles(self, ticket: str) -> list[dict[str, Any]] | None:
        """The ticket's articles, where all of them came along; None where they are to be asked for.

        Zammad writes a line for each article, on the ticket that it was written on. So none is here of what
        another ticket brought along when it was merged, or of what was imported; the ticket lists them all.
        """
        listed = self._assets("Ticket").get(ticket, {}).get("article_ids")
        rows = self._assets("TicketArticle").items()
        here = {number: row for number, row in rows if str(row.get("ticket_id")) == ticket}
        if not isinstance(listed, list) or not {str(one) for one in listed} <= here.keys():
            return None
        return list(here.values())

    def _assets(self, kind: str) -> dict[str, dict[str, Any]]:
        told = self.assets.get(kind)
        rows = told.items() if isinstance(told, dict) else ()
        return {number: row for number, row in rows if isinstance(row, dict)}


class Account(BaseModel):
    id: int
    login: str = ""


def number_of(ref: TicketRef) -> int:
    if not (ref.id.isascii() and ref.id.isdecimal()):
        raise Rejected(f"{one_line(ref.id)} is no ticket of Zammad: nothing was sent.")
    return int(ref.id)
