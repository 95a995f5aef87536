"""What has changed among our issues: one list since a time, then the timeline of each that moved.

GitHub tells when an issue changed to the second, and its filter takes that second in: an issue is read once
more when its second is surely over.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from integrations.connector import Cursor, Page
from integrations.errors import Gone
from integrations.github.wire import Issue, Issues
from integrations.linked import listed
from integrations.patience import Told
from integrations.reading import read
from integrations.walking import Habits, Row, Walk

if TYPE_CHECKING:
    from integrations.github.timeline import Timeline

HABITS: Final = Habits(tick=timedelta(seconds=1), settles=5.0, again=True)
stamp = HABITS.stamp


class News:
    """Raises `integrations.errors` kinds. clock: seconds, ours."""

    def __init__(self, timeline: Timeline, clock: Callable[[], float] = time.time) -> None:
        self._timeline = timeline
        self._path = f"{timeline.path}/issues"
        self._walk = Walk(self, HABITS, clock)

    async def page(self, cursor: Cursor | None) -> Page:
        return await self._walk.page(cursor)

    async def newest(self) -> Row | None:
        asked = {**await self._ours(), "sort": "updated", "direction": "desc", "per_page": 1}
        found = read(Issues, await self._seen(self._timeline.http.get(self._path, asked))).root
        return _row(found[0]) if found else None

    async def since(self, at: str) -> list[Row]:
        asked = {**await self._ours(), "sort": "created", "direction": "asc", "since": at}
        issues = await self._seen(listed(self._timeline.http, self._path, Issues, **asked))
        return [_row(one) for one in issues if one.pull_request is None]

    async def told(self, number: int) -> Told:
        return await self._timeline.told(self._timeline.ref(number), number)

    async def _ours(self) -> dict[str, Any]:
        return {"state": "all", "creator": await self._timeline.me()}

    async def _seen(self, asked: Any) -> Any:
        """What was asked for; where nothing is there, that the repository is hidden from us."""
        try:
            return await asked
        except Gone:
            await self._timeline.visible()
            raise


def _row(issue: Issue) -> Row:
    return Row(issue.number, issue.updated_at)
