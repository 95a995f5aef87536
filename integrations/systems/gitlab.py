"""Issues of a project on GitLab, on gitlab.com or on a server of theirs (REST API, version 4).

A line that begins with a slash is a command to GitLab, in an issue as in a note. Labels, and that a note is
internal, are dropped without a word where our account may not set them, so the right is asked for before, or
the result is read back. It says 404 for what it hides, and 403 for a project that is archived.
Sources: docs.gitlab.com/api (issues, notes, resource events, uploads) and GitLab's source where
docs/gitlab.md names it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, ClassVar, Final

from integrations import signing
from integrations.connector import (
    Absent,
    Applied,
    CannotTell,
    Cap,
    Cursor,
    Draft,
    FindResult,
    Found,
    Health,
    Hooks,
    Info,
    Lagging,
    NoNative,
    Page,
    Ref,
    Ticket,
    TicketUpdate,
)
from integrations.errors import OpId
from integrations.gitlab.check import health
from integrations.gitlab.config import GitLabConfig
from integrations.gitlab.files import fetched
from integrations.gitlab.news import HABITS, News
from integrations.gitlab.projects import Projects
from integrations.gitlab.story import Story
from integrations.gitlab.wire import Issue, Issues
from integrations.gitlab.writing import Writing
from integrations.linked import listed
from integrations.markup.hidden import said
from integrations.proofs import ProvedBy

if TYPE_CHECKING:
    from integrations.http import Http

_SKEW: Final = timedelta(minutes=10)
"""How far their clock may be behind ours, at most, when our issue is looked for since a time of ours."""


class GitLab:
    """Connector of GitLab's issues. Our operation id stands under every text, and hidden in it."""

    info: ClassVar[Info] = Info(
        kind="gitlab",
        title="GitLab issues",
        caps=Cap.CREATE
        | Cap.COMMENT_PUBLIC
        | Cap.COMMENT_PRIVATE
        | Cap.ATTACH
        | Cap.SET_STATE
        | Cap.SET_PRIORITY
        | Cap.WITHDRAW
        | Cap.POLL
        | Cap.WEBHOOK,
        lookup=Lagging(index_delay=timedelta(seconds=60), settle=timedelta(minutes=2)),
        idempotency=NoNative(),
        config=GitLabConfig,
        oauth2=True,
        docs="https://docs.gitlab.com/api/issues/",
    )
    root: ClassVar[str] = "/api/v4"

    def __init__(self, http: Http, config: GitLabConfig) -> None:
        self.http = http
        self.config = config
        self._projects = Projects(http, config)
        self._story = Story(self._projects)
        self._news = News(self._projects, self._story)
        self._writing = Writing(self._projects, self._story)

    @staticmethod
    def headers(config: GitLabConfig, secret: str) -> Mapping[str, str]:
        return {"PRIVATE-TOKEN": secret} if secret else {}

    @staticmethod
    def hooks(config: GitLabConfig, secrets: Sequence[str]) -> Hooks:
        return ProvedBy(secrets, signing.gitlab)

    async def create(self, draft: Draft) -> Ref:
        return await self._writing.create(draft)

    async def get(self, ref: Ref) -> Ticket:
        return self._projects.ticket(ref, await self._story.current(ref))

    async def find(self, op_id: OpId, since: datetime) -> FindResult:
        """By the list of our own issues, not by the search, which may be an index of its own."""
        project = self.config.project
        asked = {
            "author_id": await self._projects.me(),
            "scope": "all",
            "state": "all",
            "created_after": HABITS.stamp(since - _SKEW),
            "order_by": "created_at",
            "sort": "asc",
        }
        every = listed(self.http, f"{self._projects.path(project)}/issues", Issues, **asked)
        issues: list[Issue] = await self._projects.seen(project, every)
        ours = [one for one in issues if said(one.description)[1] == op_id]
        refs = tuple(self._projects.ref(project, one.iid, one.web_url) for one in ours)
        return Found(refs) if refs else Absent()

    async def find_comment(self, ref: Ref, op_id: OpId) -> FindResult:
        notes, unread = await self._story.notes(*self._projects.place(ref))
        found = [one for one in notes if not one.system and said(one.body)[1] == op_id]
        ours = [one for one in found if await self._projects.ours(one.author)]
        if ours:
            return Found(tuple(ref.model_copy(update={"id": str(one.id)}) for one in ours))
        return CannotTell("A part of the issue could not be read.") if unread else Absent()

    async def apply(self, ref: Ref, update: TicketUpdate, if_version: str | None = None) -> Applied:
        """`if_version` says nothing here: GitLab takes no condition with a change."""
        return await self._writing.apply(ref, update)

    async def changes(self, cursor: Cursor | None) -> Page:
        return await self._news.page(cursor)

    async def history(self, ref: Ref) -> Page:
        project, number = self._projects.place(ref)
        issue = await self._projects.issue(project, number)
        shown = self._projects.ref(project, number, issue.web_url)
        changes, unread = await self._story.told(project, issue, whole=True)
        first = await self._story.beginning(shown, issue)
        return Page((first, *changes), {}, done=True, unread=tuple(unread))

    async def fetch(self, ref: Ref, place: str, most: int) -> bytes:
        return await fetched(self._projects, self._projects.place(ref)[0], place, most)

    async def check(self) -> Health:
        return await health(self._projects)
