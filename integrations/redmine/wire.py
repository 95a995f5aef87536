"""Redmine's JSON as we read it: fields bear Redmine's names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from pydantic import BaseModel

from integrations.errors import Rejected
from integrations.zones import TheirTime
from register.incident import TicketRef
from register.text import one_line

_FAMILY: Final = ("child_id", "parent_id")
PAGE: Final = 100
"""Rows of a list. Redmine gives no more, whatever is asked for."""


class Named(BaseModel):
    id: int
    name: str = ""


class CustomValue(Named):
    value: Any = None


class Row(BaseModel):
    """An issue in a list."""

    id: int
    author: Named
    updated_on: TheirTime
    description: str | None = None
    custom_fields: tuple[CustomValue, ...] = ()

    def carries(self, field: int, value: str) -> bool:
        return any(each.id == field and each.value == value for each in self.custom_fields)


class Rows(BaseModel):
    issues: tuple[Row, ...]
    total_count: int


class Attachment(BaseModel):
    id: int
    filename: str = ""
    filesize: int | None = None
    author: Named | None = None
    created_on: TheirTime


class TheAttachment(BaseModel):
    attachment: Attachment


class Issue(Row):
    """An issue by itself, with what was asked to be included."""

    status: Named
    tracker: Named | None = None
    priority: Named | None = None
    assigned_to: Named | None = None
    subject: str
    created_on: TheirTime
    journals: tuple[dict[str, Any], ...] = ()
    attachments: tuple[Attachment, ...] = ()
    allowed_statuses: tuple[Named, ...] | None = None


class One(BaseModel):
    issue: Issue


class Detail(BaseModel):
    """A field that a journal changed, or a file that it brought (`property` "attachment")."""

    property: str
    name: str
    new_value: Any = None


class Journal(BaseModel):
    id: int
    user: Named | None = None
    notes: str | None = None
    created_on: TheirTime
    private_notes: bool = False
    details: tuple[Detail, ...] = ()

    @property
    def files(self) -> Mapping[str, str]:
        """The files that it brought: number → name."""
        added = (each for each in self.details if each.property == "attachment" and each.new_value)
        return {each.name: one_line(str(each.new_value)) for each in added}

    @property
    def status(self) -> int | None:
        """The number of the status that it set, if it set one."""
        return self._number("status_id")

    @property
    def priority(self) -> int | None:
        """The number of the priority that it set, if it set one."""
        return self._number("priority_id")

    @property
    def links(self) -> tuple[tuple[str, int], ...]:
        """Issues that it links to this one, and how: relations, parents and parts."""
        linked = (each for each in self.details if each.property == "relation" or each.name in _FAMILY)
        told = ((each.name, str(each.new_value or "")) for each in linked)
        return tuple((how, int(number)) for how, number in told if number.isascii() and number.isdecimal())

    def _number(self, field: str) -> int | None:
        told = [str(each.new_value) for each in self.details if each.name == field]
        return int(told[0]) if told and told[0].isascii() and told[0].isdecimal() else None


class Membership(BaseModel):
    project: Named
    roles: tuple[Named, ...] = ()


class User(BaseModel):
    id: int
    login: str = ""
    admin: bool = False
    memberships: tuple[Membership, ...] = ()


class Me(BaseModel):
    user: User


class Project(BaseModel):
    id: int
    name: str
    status: int = 1  # 1 is active; 5 closed, 9 archived
    trackers: tuple[Named, ...] = ()
    issue_categories: tuple[Named, ...] = ()


class TheProject(BaseModel):
    project: Project


class Rights(BaseModel):
    permissions: tuple[str, ...] = ()


class TheRole(BaseModel):
    role: Rights


class Upload(BaseModel):
    token: str


class Uploaded(BaseModel):
    upload: Upload


def number_of(ref: TicketRef) -> int:
    if not (ref.id.isascii() and ref.id.isdecimal()):
        raise Rejected(f"{one_line(ref.id)} is no issue number of Redmine: nothing was sent.")
    return int(ref.id)


def stamp(at: datetime) -> str:
    """A time in the one form that Redmine's filter takes: fractions and offsets are refused with 422."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def names(all_: Sequence[Named]) -> str:
    return ", ".join(one_line(each.name) for each in all_) or "none"


def issue_path(number: int) -> str:
    return f"/issues/{number}.json"


Params = Mapping[str, str | int]
