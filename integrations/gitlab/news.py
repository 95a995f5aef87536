"""What has changed among our issues on GitLab: a list since a time for each project, then each that moved.

A note, or a label, moves the time of its issue once a minute at most (its app/models/concerns,
throttled_touch.rb): what follows within that minute leaves no trace in it. But the list shows how many notes
there are, and the labels.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from integrations.connector import Cursor, Page
from integrations.gitlab.wire import Issue, Issues
from integrations.linked import listed
from integrations.patience import Told
from integrations.reading import read
from integrations.walking import Habits, Row, Walk

if TYPE_CHECKING:
    from integrations.gitlab.projects import Projects
    from integrations.gitlab.story import Story

_MINUTE: Final = 75.0
"""Seconds: their minute, and how far their clocks may differ among themselves."""
HABITS: Final = Habits(tick=timedelta(milliseconds=1), settles=_MINUTE, reach=timedelta(seconds=_MINUTE))


class Listing:
    """Our issues of one project. Raises `integrations.errors` kinds."""

    def __init__(self, projects: Projects, story: Story, project: str) -> None:
        self._projects = projects
        self._story = story
        self._project = project
        self._path = f"{projects.path(project)}/issues"
        self._rows: dict[int, Issue] = {}

    async def newest(self) -> Row | None:
        found = await self._ask(order_by="updated_at", sort="desc", per_page=1)
        return _row(found[0]) if found else None

    async def since(self, at: str) -> list[Row]:
        asked = {**await self._ours(), "updated_after": at, "order_by": "created_at", "sort": "asc"}
        every = listed(self._projects.http, self._path, Issues, **asked)
        found: list[Issue] = await self._projects.seen(self._project, every)
        self._rows = {issue.iid: issue for issue in found}
        return [_row(issue) for issue in self._rows.values()]

    async def told(self, number: int) -> Told:
        issue = self._rows.pop(number, None)  # as it was listed; a worker that began anew has no list
        if issue is None:
            issue = await self._projects.issue(self._project, number)
        return await self._story.told(self._project, issue)

    async def _ask(self, **asked: Any) -> tuple[Issue, ...]:
        answer = self._projects.http.get(self._path, {**await self._ours(), **asked})
        return read(Issues, await self._projects.seen(self._project, answer)).root

    async def _ours(self) -> dict[str, Any]:
        return {"author_id": await self._projects.me(), "scope": "all", "state": "all"}


class News:
    """Pages of changes, of all projects. clock: seconds, ours."""

    def __init__(self, projects: Projects, story: Story, clock: Callable[[], float] = time.time) -> None:
        self._memory = story.memory
        self._last: Cursor = {}
        self._walks = {
            project: Walk(Listing(projects, story, project), HABITS, clock)
            for project in projects.config.projects
        }

    async def page(self, cursor: Cursor | None) -> Page:
        """One that is listened to since a short time begins with now."""
        self._memory.settle(taken_in=cursor is not None and cursor == self._last)
        places = {} if cursor is None else cursor["projects"]
        page = Page((), {}, done=True)
        for project, walk in self._walks.items():
            one = await walk.page(places.get(project))
            page = replace(
                page,
                changes=(*page.changes, *one.changes),
                next={**page.next, project: one.next},
                done=page.done and one.done,
                unread=(*page.unread, *one.unread),
            )
        self._last = {"projects": page.next}
        return replace(page, next=self._last)


def _row(issue: Issue) -> Row:
    shown = (issue.user_notes_count, issue.state, issue.closed_at, sorted(issue.labels), issue.moved_to_id)
    return Row(issue.iid, issue.updated_at, hashlib.sha256(repr(shown).encode()).hexdigest()[:16])
