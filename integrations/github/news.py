"""What has changed among our issues: one list since a time, then the timeline of each that moved.

GitHub tells when an issue changed to the second, and its filter takes that second in. So each look goes back
a little, what was told is not told again, and an issue is read once more when its second is surely over.
The list is asked for in the order in which issues were made: whatever changes meanwhile keeps its place.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from integrations.connector import Change, Cursor, Page
from integrations.errors import Gone
from integrations.github.wire import Issues, listed
from integrations.patience import AT_ONCE, Patience, Told
from integrations.reading import read

if TYPE_CHECKING:
    from integrations.github.timeline import Timeline
    from integrations.github.wire import Issue

OVERLAP: Final = timedelta(minutes=2)
"""Looked back over: what is written side by side may appear out of order."""
CALM: Final = 10
"""Polls without news, after which nothing can still be on its way before the cursor."""
SECOND: Final = 5.0
"""Seconds of ours, from when a change was first listed, after which its second is over there, too."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Place:
    """Where listening stands. seen: number → when it changed, when we first saw that, whether that is final.

    told: change id → its time, of what is younger than where the next look begins.
    """

    newest: datetime
    begin: datetime
    floor: datetime
    seen: Mapping[int, tuple[str, float, bool]]
    told: Mapping[str, str]
    todo: tuple[int, ...] = ()

    @classmethod
    def of(cls, cursor: Cursor) -> Place:
        times = {name: datetime.fromisoformat(cursor[name]) for name in _TIMES}
        seen = {int(number): (one[0], one[1], one[2]) for number, one in cursor["seen"].items()}
        return cls(**times, seen=seen, told=dict(cursor["told"]), todo=tuple(cursor["todo"]))

    def cursor(self) -> Cursor:
        times = {name: stamp(getattr(self, name)) for name in _TIMES}
        seen = {str(number): list(one) for number, one in self.seen.items()}
        return {**times, "seen": seen, "told": dict(self.told), "todo": list(self.todo)}


_TIMES: Final = ("newest", "begin", "floor")


class News:
    """Raises `integrations.errors` kinds. clock: seconds, ours."""

    def __init__(self, timeline: Timeline, clock: Callable[[], float] = time.time) -> None:
        self._timeline = timeline
        self._clock = clock
        self._quiet = 0
        self._patience = Patience(hides=False)

    async def page(self, cursor: Cursor | None) -> Page:
        if cursor is None:
            return Page((), (await self._start()).cursor(), done=True)
        place = Place.of(cursor)
        if not place.todo:
            place = await self._walk(place)

        async def look(number: int) -> Told:
            told, odd = await self._timeline.told(self._timeline.ref(number), number)
            return [one for one in told if one.at >= place.floor and one.change_id not in place.told], odd

        taken = await self._patience.take(
            place.todo[:AT_ONCE], look, lambda number: ("issue", number, stamp(datetime.now(UTC)))
        )
        after = _with_told(replace(place, todo=place.todo[taken.count :]), taken.changes)
        return taken.page(after.cursor(), done=not after.todo)

    async def _start(self) -> Place:
        """Now: at the newest change there is, with all that was said in its second told."""
        http = self._timeline.http
        asked = {**await self._ours(), "sort": "updated", "direction": "desc", "per_page": 1}
        newest = read(Issues, await self._seen(http.get(self._path, asked))).root
        if not newest:
            return Place(_EPOCH, _EPOCH, _EPOCH, {}, {})
        issue = newest[0]
        at = issue.updated_at
        told, _ = await self._timeline.told(issue.ref, issue.number)
        seen = {issue.number: (stamp(at), self._clock(), False)}
        return Place(at, at, at, seen, {one.change_id: stamp(one.at) for one in told if one.at >= at})

    async def _walk(self, before: Place) -> Place:
        """One poll: what has changed goes to `todo`."""
        back = max(before.begin, before.newest - OVERLAP)
        settling = any(not final for _, _, final in before.seen.values())
        calm = self._quiet >= CALM and not settling
        since = before.newest + timedelta(seconds=1) if calm else back
        asked = {**await self._ours(), "sort": "created", "direction": "asc", "since": stamp(since)}
        rows = await self._seen(listed(self._timeline.http, self._path, Issues, **asked))
        issues: list[Issue] = [one for one in rows if one.pull_request is None]
        seen, todo = self._fresh(issues, before)
        self._quiet = 0 if todo else self._quiet + 1
        newest = max([before.newest, *(one.updated_at for one in issues)])
        kept = stamp(newest - OVERLAP)
        seen = {number: one for number, one in seen.items() if one[0] >= kept}
        if not todo and seen == before.seen and newest == before.newest:
            return before  # nothing to write down
        return replace(before, newest=newest, floor=back, seen=seen, todo=todo)

    def _fresh(
        self, issues: list[Issue], before: Place
    ) -> tuple[dict[int, tuple[str, float, bool]], tuple[int, ...]]:
        now, seen, todo = self._clock(), dict(before.seen), dict[int, str]()
        here = {one.number for one in issues}
        for number, (changed, first, final) in before.seen.items():
            if number not in here and not final and not 0 <= now - first < SECOND:
                seen[number] = (changed, first, True)  # deleted, or moved elsewhere
        for issue in issues:
            changed, known = stamp(issue.updated_at), seen.get(issue.number)
            if known is None or known[0] != changed:
                seen[issue.number] = (changed, now, False)
                todo[issue.number] = changed
            elif not known[2] and not 0 <= now - known[1] < SECOND:
                seen[issue.number] = (changed, known[1], True)
                todo[issue.number] = changed
        return seen, tuple(sorted(todo, key=lambda number: (todo[number], number)))

    @property
    def _path(self) -> str:
        return f"{self._timeline.path}/issues"

    async def _ours(self) -> dict[str, Any]:
        return {"state": "all", "creator": await self._timeline.me()}

    async def _seen(self, asked: Any) -> Any:
        """What was asked for; where nothing is there, that the repository is hidden from us."""
        try:
            return await asked
        except Gone:
            await self._timeline.visible()
            raise


def _with_told(place: Place, changes: list[Change]) -> Place:
    told = {**place.told, **{one.change_id: stamp(one.at) for one in changes}}
    kept = stamp(place.newest - OVERLAP)
    return replace(place, told={name: at for name, at in told.items() if at >= kept})


def stamp(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
