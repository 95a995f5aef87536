"""What has changed, asked for by time and walked by number, and where to go on.

Redmine tells when an issue changed to the second, and pages by offset: a list that changes while it is
paged through would lose an issue. So each walk asks for all issues changed since a time, in the order of
their numbers, from the last number on: whatever moves meanwhile stays in that set. Two changes of one
second look the same on a list, so an issue is read once more when its second is surely over.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from integrations.answers import lost
from integrations.reading import read
from integrations.redmine.wire import PAGE, Params, Row, Rows, stamp

if TYPE_CHECKING:
    from integrations.connector import Cursor
    from integrations.http import Http
    from integrations.redmine.config import RedmineConfig

OVERLAP: Final = timedelta(minutes=2)
"""Looked back over: where requests run side by side, an earlier time may appear after a later one."""
CALM: Final = 10
"""Polls without news, after which nothing can still be on its way before the cursor."""
ELSEWHERE: Final = 20
"""Every so many polls, our tickets that they moved to another project are asked for, too."""
SECOND: Final = 5.0
"""Seconds of ours, from when a change was first listed, after which its second is over there, too."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One issue on the lists: when it changed, when we first saw that, and whether that is the last read."""

    changed: str
    first: float
    final: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """Where listening stands. All times are theirs, UTC."""

    newest: datetime
    elsewhere: datetime  # as far as other projects were asked
    begin: datetime  # what is older was there before anybody listened
    floor: datetime  # what is older on the issues of `todo` has been told
    seen: Mapping[int, Seen]
    todo: tuple[int, ...] = ()
    before: frozenset[str] = frozenset()  # changes of the second `begin` that are not told, or not again

    @classmethod
    def of(cls, cursor: Cursor) -> Place:
        times = {name: datetime.fromisoformat(cursor[name]) for name in _TIMES}
        seen = {int(number): Seen(*told) for number, told in cursor["seen"].items()}
        before = frozenset(cursor.get("before", ()))
        return cls(**times, seen=seen, todo=tuple(cursor["todo"]), before=before)

    def cursor(self) -> Cursor:
        seen = {str(number): [one.changed, one.first, one.final] for number, one in self.seen.items()}
        times = {name: stamp(getattr(self, name)) for name in _TIMES}
        return {**times, "todo": list(self.todo), "seen": seen, "before": sorted(self.before)}

    def without(self, count: int) -> Place:
        """With the first of `todo` done."""
        return replace(self, todo=self.todo[count:]) if self.todo else self


_TIMES: Final = ("newest", "elsewhere", "begin", "floor")


class Feed:
    """Walks the lists. Raises `integrations.errors` kinds. clock: seconds, ours."""

    def __init__(self, http: Http, config: RedmineConfig, clock: Callable[[], float] = time.time) -> None:
        self.http = http
        self.config = config
        self._clock = clock
        self._quiet = 0
        self._walks = 0

    @property
    def path(self) -> str:
        """The project's own list: on the list of all projects, a wrong key finds nothing, and says 200."""
        return f"/projects/{self.config.project}/issues.json"

    async def start(self) -> tuple[Place, list[int]]:
        """Now: at the newest change there is, with all before it seen; and the issues of that very second."""
        latest = {"status_id": "*", "sort": "updated_on:desc", "limit": 1}
        issues = read(Rows, await self.http.get(self.path, params=latest)).issues
        at = issues[0].updated_on if issues else datetime(1970, 1, 1, tzinfo=UTC)
        rows = await self._all(self.path, at - OVERLAP) + await self._elsewhere(at) if issues else []
        now = self._clock()
        seen = {row.id: Seen(stamp(row.updated_on), now, final=row.updated_on < at) for row in rows}
        then = sorted({row.id for row in rows if row.updated_on == at})
        self._walks = 1  # elsewhere is asked
        return Place(newest=at, elsewhere=at, begin=at, floor=at, seen=seen), then

    async def _elsewhere(self, since: datetime) -> list[Row]:
        """Our tickets, wherever they are."""
        return await self._all("/issues.json", since - OVERLAP, author_id="me")

    async def walk(self, before: Place) -> Place:
        """One poll: what has changed goes to `todo`."""
        back = before.newest - OVERLAP
        open_ = any(not one.final for one in before.seen.values() if one.changed >= stamp(back))
        since = before.newest + timedelta(seconds=1) if self._quiet >= CALM and not open_ else back
        rows = await self._all(self.path, since)
        newest, elsewhere = max([before.newest, *(row.updated_on for row in rows)]), before.elsewhere
        if self._walks % ELSEWHERE == 0:
            rows += await self._elsewhere(before.elsewhere)
            elsewhere = newest
        self._walks += 1
        floor = max(before.begin, before.elsewhere - OVERLAP)
        gone = self._gone(rows, before.seen, back)
        seen, todo = self._fresh(rows, gone, before.seen, stamp(before.begin))
        self._quiet = 0 if todo else self._quiet + 1
        # A list may begin with what is told a second earlier: Redmine keeps times finer than it tells them.
        kept = stamp(elsewhere - OVERLAP - timedelta(seconds=1))
        seen = {number: one for number, one in seen.items() if one.changed >= kept}
        if not todo and seen == before.seen and newest == before.newest:
            return before  # nothing to write down: the place elsewhere may wait
        return replace(before, newest=newest, elsewhere=elsewhere, floor=floor, todo=todo, seen=seen)

    def _gone(self, rows: list[Row], before: Mapping[int, Seen], back: datetime) -> dict[int, str]:
        """What is not on the lists any more before it was read for the last time, and when it changed.

        Deleted, or moved to where we look seldom: read now, or each poll would look back until others change.
        """
        here, floor = {row.id for row in rows}, stamp(back)
        known = ((number, one) for number, one in before.items() if number not in here and not one.final)
        return {number: one.changed for number, one in known if one.changed >= floor and self._is_over(one)}

    def _is_over(self, one: Seen) -> bool:
        """Whether the second in which it changed is over there; so it is where our clock went back."""
        return not 0 <= self._clock() - one.first < SECOND

    def _fresh(
        self, rows: list[Row], gone: Mapping[int, str], before: Mapping[int, Seen], begin: str
    ) -> tuple[dict[int, Seen], tuple[int, ...]]:
        now, seen, todo = self._clock(), dict(before), dict(gone)
        seen.update((number, replace(seen[number], final=True)) for number in gone)
        for row in rows:
            changed, known = stamp(row.updated_on), seen.get(row.id)
            if known is None or known.changed != changed:
                seen[row.id] = Seen(changed, now)
                todo[row.id] = changed
            elif row.id not in todo and not known.final and self._is_over(known):
                seen[row.id] = replace(known, final=True)
                todo[row.id] = changed
            elif changed == begin and not known.final:  # perhaps news of the second in which we began
                todo.setdefault(row.id, changed)
        return seen, tuple(sorted(todo, key=lambda number: (todo[number], number)))

    async def _all(self, path: str, since: datetime, **more: str) -> list[Row]:
        """All issues changed at or after `since`, by number, each page from the last number on."""
        rows: list[Row] = []
        rest = 1
        while rest > 0:
            asked: dict[str, str | int] = {
                "status_id": "*",
                "updated_on": f">={stamp(since)}",
                "sort": "id:asc",
                "limit": PAGE,
                **more,
            }
            last = rows[-1].id if rows else 0
            if last:
                asked["issue_id"] = f">={last + 1}"
            found = await self._page(path, asked, last)
            rows += found.issues
            rest = found.total_count - len(found.issues)
        return rows

    async def _page(self, path: str, asked: Params, last: int) -> Rows:
        """One page; filters and sorting that this Redmine does not know are ignored there, not here."""
        answer = await self.http.get(path, params=dict[str, Any](asked))
        found = read(Rows, answer)
        numbers = [last, *(row.id for row in found.issues)]
        if numbers != sorted(set(numbers)) or (found.total_count and not found.issues):
            raise lost(answer.name, "gave a list in another order than was asked for", answer.repeatable)
        return found
