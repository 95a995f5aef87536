"""Jira's JSON as we read it: fields bear Jira's names (developer.atlassian.com/cloud/jira)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from pydantic import BaseModel, Field

from integrations.connector import Ref
from integrations.errors import Rejected
from integrations.zones import TheirTime
from register.text import one_line

if TYPE_CHECKING:
    from integrations.http import Http
    from integrations.jira.config import JiraConfig

DESK: Final = "/rest/servicedeskapi"
PAGE: Final = 100
MOST_PAGES: Final = 60
"""An issue has 5,000 comments at most: a list that goes on beyond is none of an issue's."""
_ID: Final = re.compile(r"[1-9][0-9]{0,18}|[A-Z][A-Z0-9_]{0,99}-[1-9][0-9]{0,9}")


class Person(BaseModel):
    """accountId is Cloud's; name and key are Data Center's."""

    accountId: str | None = None
    name: str | None = None
    key: str | None = None
    displayName: str | None = None
    emailAddress: str | None = None
    active: bool = True

    @property
    def id(self) -> str:
        return self.accountId or self.key or self.name or ""

    @property
    def shown(self) -> str:
        return one_line(self.displayName or self.name or self.emailAddress or self.id)


class Named(BaseModel):
    id: str = ""
    name: str = ""


class Category(BaseModel):
    key: str = ""


class Status(Named):
    statusCategory: Category | None = None


class Row(BaseModel):
    """An issue as a search tells it: that it changed."""

    class Fields(BaseModel):
        updated: TheirTime

    id: str
    key: str
    fields: Fields


class Hit(BaseModel):
    """An issue as a look-up tells it: whose it is."""

    class Fields(BaseModel):
        labels: tuple[str, ...] = ()
        description: Any = None

    id: str
    key: str
    fields: Fields = Fields()
    properties: dict[str, Any] = Field(default_factory=dict)


class Found(BaseModel):
    """A page of a search. Rows are read one by one: one may be odd. startAt and total: Data Center's."""

    issues: tuple[dict[str, Any], ...]
    nextPageToken: str | None = None
    startAt: int = 0
    total: int | None = None


class Visibility(BaseModel):
    type: str = ""
    value: str | None = None


class Property(BaseModel):
    key: str = ""
    value: Any = None


class Dated(BaseModel):
    created: TheirTime


class TheirComment(Dated):
    id: str
    author: Person | None = None
    body: Any = None
    jsdPublic: bool | None = None
    visibility: Visibility | None = None
    properties: tuple[Property, ...] = ()

    @property
    def public(self) -> bool:
        """Whether the customer sees it. Data Center says so in a property alone."""
        if self.jsdPublic is False or self.visibility is not None:
            return False
        told = next((one.value for one in self.properties if one.key == "sd.public.comment"), None)
        return not (isinstance(told, dict) and told.get("internal") in (True, "true"))


class Comments(BaseModel):
    """Its rows are read one by one."""

    comments: tuple[dict[str, Any], ...] = ()
    total: int = 0


class Item(BaseModel):
    """One field of a change. `from` and `to` are ids."""

    field: str
    to: str | None = None
    toString: str | None = None
    fromString: str | None = None


class Change(Dated):
    id: str
    author: Person | None = None
    items: tuple[Item, ...] = ()


class Changelog(BaseModel):
    histories: tuple[dict[str, Any], ...] = ()
    total: int = 0


class ChangelogPage(BaseModel):
    values: tuple[dict[str, Any], ...] = ()
    isLast: bool = False


class Attachment(BaseModel):
    id: str
    filename: str = ""
    size: int | None = None


class Linked(BaseModel):
    class Issue(BaseModel):
        id: str
        key: str

    inwardIssue: Issue | None = None
    outwardIssue: Issue | None = None


class IssueFields(BaseModel):
    summary: str | None = None
    description: Any = None
    status: Status
    priority: Named | None = None
    assignee: Person | None = None
    creator: Person | None = None
    created: TheirTime | None = None
    updated: TheirTime
    comment: Comments = Comments()
    attachment: tuple[Attachment, ...] = ()
    issuelinks: tuple[Linked, ...] = ()


class Issue(BaseModel):
    id: str
    key: str
    fields: IssueFields
    changelog: Changelog = Changelog()


class Created(BaseModel):
    id: str
    key: str


class Requested(BaseModel):
    """What a service desk made."""

    issueId: str
    issueKey: str


class Said(BaseModel):
    """A comment that was made. `public` is told by a service desk."""

    id: str
    public: bool | None = None


class Screen(BaseModel):
    """A field on a transition's screen."""

    name: str = ""
    required: bool = False
    hasDefaultValue: bool = False
    field_schema: dict[str, Any] = Field(default_factory=dict, alias="schema")
    allowedValues: tuple[Any, ...] | None = None


class Step(BaseModel):
    """A transition that is possible now."""

    id: str
    name: str = ""
    to: Status
    fields: dict[str, Screen] = Field(default_factory=dict)


class Steps(BaseModel):
    transitions: tuple[Step, ...]


def issue_path(config: JiraConfig, ref: Ref) -> str:
    return f"{config.api}/issue/{id_of(ref)}"


def id_of(ref: Ref) -> str:
    """The id that stays whatever becomes of the key; a person may have given the key instead."""
    if not _ID.fullmatch(ref.id):
        raise Rejected(f"{one_line(ref.id)} is no issue of Jira: nothing was sent.")
    return ref.id


def ref_to(http: Http, config: JiraConfig, number: str, key: str) -> Ref:
    web = config.site or str(http.base)
    return Ref(id=number, key=key, url=f"{web}/browse/{key}")
