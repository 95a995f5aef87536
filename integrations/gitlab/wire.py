"""GitLab's JSON as we read it: fields bear GitLab's names."""

from __future__ import annotations

import re
from typing import Final

from pydantic import BaseModel, RootModel

from integrations.zones import TheirTime

PLANNER: Final = 15
"""Who may set labels and see internal notes (docs.gitlab.com/api/members); before 17.7 a Reporter, 20."""
_MOVED: Final = re.compile(r"^moved (to|from) ([A-Za-z0-9_./-]*)#(\d{1,10})$")


class Account(BaseModel):
    id: int
    username: str = ""


class Issue(BaseModel):
    iid: int
    title: str
    description: str | None = None
    state: str
    labels: tuple[str, ...] = ()
    author: Account | None = None
    assignees: tuple[Account, ...] = ()
    discussion_locked: bool | None = None
    moved_to_id: int | None = None
    user_notes_count: int = 0
    web_url: str = ""
    created_at: TheirTime
    updated_at: TheirTime
    closed_at: TheirTime | None = None

    @property
    def is_open(self) -> bool:
        return self.state != "closed"


class Issues(RootModel[tuple[Issue, ...]]):
    pass


class Note(BaseModel):
    """A comment, or where `system` is true a line that GitLab wrote of itself.

    `internal` was called `confidential` before GitLab 15.5.
    """

    id: int
    body: str = ""
    author: Account | None = None
    created_at: TheirTime
    system: bool = False
    internal: bool | None = None
    confidential: bool | None = None

    @property
    def is_internal(self) -> bool:
        return bool(self.internal or self.confidential)

    def moved(self, way: str) -> tuple[str, int] | None:
        """Where it says that the issue went "to" or came "from": project, as it is written, and number."""
        found = _MOVED.match(self.body) if self.system else None
        return (found[2], int(found[3])) if found and found[1] == way else None


class Label(BaseModel):
    name: str = ""


class Labels(RootModel[tuple[Label, ...]]):
    pass


class Event(BaseModel):
    """One row of an issue's resource events: a state that was set, or a label (none where it is deleted)."""

    id: int
    user: Account | None = None
    created_at: TheirTime
    state: str = ""
    label: Label | None = None
    action: str = ""


class Access(BaseModel):
    access_level: int = 0


class Permissions(BaseModel):
    project_access: Access | None = None
    group_access: Access | None = None


class Project(BaseModel):
    archived: bool = False
    issues_enabled: bool = True
    visibility: str = ""
    permissions: Permissions = Permissions()

    @property
    def level(self) -> int:
        """Our account's role there."""
        both = (self.permissions.project_access, self.permissions.group_access)
        return max(one.access_level if one else 0 for one in both)


class Upload(BaseModel):
    url: str
