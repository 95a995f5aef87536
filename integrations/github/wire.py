"""GitHub's JSON as we read it: fields bear GitHub's names."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, RootModel

from integrations.errors import Rejected
from integrations.zones import TheirTime
from register.incident import TicketRef
from register.text import one_line


class Account(BaseModel):
    login: str


class Label(BaseModel):
    name: str = ""


class Labels(RootModel[tuple[Label, ...]]):
    pass


class Issue(BaseModel):
    number: int
    title: str
    body: str | None = None
    html_url: str = ""
    user: Account | None = None
    state: str
    state_reason: str | None = None
    labels: tuple[Label | str, ...] = ()
    assignee: Account | None = None
    locked: bool = False
    pull_request: dict[str, Any] | None = None
    created_at: TheirTime
    updated_at: TheirTime

    @property
    def names(self) -> set[str]:
        """The names of its labels."""
        return {one if isinstance(one, str) else one.name for one in self.labels}

    @property
    def ref(self) -> TicketRef:
        return TicketRef(id=str(self.number), key=f"#{self.number}", url=self.html_url)


class Issues(RootModel[tuple[Issue, ...]]):
    pass


class Comment(BaseModel):
    id: int
    body: str | None = None
    user: Account | None = None
    created_at: TheirTime


class Comments(RootModel[tuple[Comment, ...]]):
    pass


class Event(BaseModel):
    """One row of an issue's timeline, of the kinds that are told."""

    id: int
    event: str
    actor: Account | None = None
    user: Account | None = None
    body: str | None = None
    created_at: TheirTime
    state_reason: str | None = None
    label: Label | None = None


class Rights(BaseModel):
    admin: bool = False
    push: bool = False
    triage: bool = False


class Repository(BaseModel):
    full_name: str = ""
    has_issues: bool = True
    archived: bool = False
    permissions: Rights | None = None


def number_of(ref: TicketRef) -> int:
    if not (ref.id.isascii() and ref.id.isdecimal()):
        raise Rejected(f"{one_line(ref.id)} is no issue number of GitHub: nothing was sent.")
    return int(ref.id)
