"""What has changed among our tickets, at suppliers that can only be asked for a list by time: GitHub, GitLab.

Such a list takes its time in, and something may happen to a ticket without moving its time. So each look goes
back a little, a ticket is looked at until its time is surely over, and what was told is not told again. The
list is asked for in the order in which tickets were made: whatever changes meanwhile keeps its place.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

from integrations.connector import Change, Cursor, Page
from integrations.patience import AT_ONCE, Patience, Told

OVERLAP: Final = timedelta(minutes=2)
"""Looked back over: what is written side by side may appear out of order."""
CALM: Final = 10
"""Polls without news, after which nothing can still be on its way before the cursor."""
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_TIMES: Final = ("newest", "begin", "floor")


@dataclass(frozen=True, slots=True)
class Row:
    """A ticket in their list. mark: what else of it tells one version from the next, if its time may not."""

    number: int
    at: datetime
    mark: str = ""


@dataclass(frozen=True, slots=True)
class Habits:
    """How a supplier keeps the time of its tickets.

    tick: the finest part of it that is told. settles: seconds of ours, from when a version was first listed,
    after which nothing more happens under its time. reach: how long before the newest time that may still be
    so. again: whether a ticket is read once more then, for its row would not show it.
    """

    tick: timedelta
    settles: float
    reach: timedelta = timedelta(0)
    again: bool = False

    def stamp(self, at: datetime) -> str:
        unit = "milliseconds" if self.tick < timedelta(seconds=1) else "seconds"
        return at.astimezone(UTC).isoformat(timespec=unit).replace("+00:00", "Z")


class Source(Protocol):
    """A supplier's list, and what happened on one ticket of it. Raises `integrations.errors` kinds."""

    async def newest(self) -> Row | None: ...

    async def since(self, at: str) -> Sequence[Row]:
        """All whose time is this or later, in the order in which they were made."""
        ...

    async def told(self, number: int) -> Told: ...


@dataclass(frozen=True, slots=True)
class Place:
    """Where listening stands. seen: number → its version, when we first saw that, whether that is final.

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
        newest, begin, floor = (datetime.fromisoformat(cursor[name]) for name in _TIMES)
        seen = {int(number): (one[0], one[1], one[2]) for number, one in cursor["seen"].items()}
        return cls(newest, begin, floor, seen, dict(cursor["told"]), tuple(cursor["todo"]))

    def cursor(self, stamp: Callable[[datetime], str]) -> Cursor:
        times = {name: stamp(getattr(self, name)) for name in _TIMES}
        seen = {str(number): list(one) for number, one in self.seen.items()}
        return {**times, "seen": seen, "told": dict(self.told), "todo": list(self.todo)}


class Walk:
    """Pages of changes. clock: seconds, ours."""

    def __init__(self, source: Source, habits: Habits, clock: Callable[[], float]) -> None:
        self._source = source
        self._habits = habits
        self._clock = clock
        self._quiet = 0
        self._patience = Patience(hides=False)

    async def page(self, cursor: Cursor | None) -> Page:
        stamp = self._habits.stamp
        if cursor is None:
            return Page((), (await self._start()).cursor(stamp), done=True)
        place = Place.of(cursor)
        if not place.todo:
            place = await self._look(place)

        async def look(number: int) -> Told:
            told, odd = await self._source.told(number)
            return [one for one in told if one.at >= place.floor and one.change_id not in place.told], odd

        taken = await self._patience.take(
            place.todo[:AT_ONCE], look, lambda number: ("issue", number, stamp(datetime.now(UTC)))
        )
        after = self._with_told(replace(place, todo=place.todo[taken.count :]), taken.changes)
        return taken.page(after.cursor(stamp), done=not after.todo)

    async def _start(self) -> Place:
        """Now: at the newest change, with all that was told under times that may have more to come."""
        newest = await self._source.newest()
        if newest is None:
            return Place(EPOCH, EPOCH, EPOCH, {}, {})
        begin, rows = newest.at - self._habits.reach, [newest]
        if begin < newest.at:
            rows = [*await self._source.since(self._habits.stamp(begin))]
        told: dict[str, str] = {}
        for row in rows:
            changes, _ = await self._source.told(row.number)
            told |= {one.change_id: self._habits.stamp(one.at) for one in changes if one.at >= begin}
        seen = {row.number: (self._version(row), self._clock(), False) for row in rows}
        return Place(max([newest.at, *(row.at for row in rows)]), begin, begin, seen, told)

    async def _look(self, before: Place) -> Place:
        """One poll: what has changed goes to `todo`."""
        back = max(before.begin, before.newest - OVERLAP)
        settling = any(not final for _, _, final in before.seen.values())
        calm = self._quiet >= CALM and not settling
        since = before.newest + self._habits.tick if calm else back
        rows = await self._source.since(self._habits.stamp(since))
        seen, todo = self._fresh(rows, before)
        self._quiet = 0 if todo else self._quiet + 1
        newest = max([before.newest, *(row.at for row in rows)])
        kept = self._habits.stamp(newest - OVERLAP)
        seen = {number: one for number, one in seen.items() if one[0] >= kept}
        if not todo and seen == before.seen and newest == before.newest:
            return before  # nothing to write down
        return replace(before, newest=newest, floor=back, seen=seen, todo=todo)

    def _fresh(
        self, rows: Sequence[Row], before: Place
    ) -> tuple[dict[int, tuple[str, float, bool]], tuple[int, ...]]:
        now, seen, todo = self._clock(), dict(before.seen), dict[int, datetime]()
        here = {row.number for row in rows}
        for number, (version, first, final) in before.seen.items():
            if number not in here and not final and self._is_over(now - first):
                seen[number] = (version, first, True)  # deleted, or moved elsewhere
        for row in rows:
            version, known = self._version(row), seen.get(row.number)
            if known is None or known[0] != version:
                seen[row.number] = (version, now, False)
                todo[row.number] = row.at
            elif not known[2] and self._is_over(now - known[1]):
                seen[row.number] = (version, known[1], True)
                if self._habits.again:
                    todo[row.number] = row.at
        return seen, tuple(sorted(todo, key=lambda number: (todo[number], number)))

    def _is_over(self, seconds: float) -> bool:
        """Whether so long is enough. A clock of ours that was set back is believed to be late."""
        return not 0 <= seconds < self._habits.settles

    def _version(self, row: Row) -> str:
        """Begins with the time, by which it is kept in order."""
        return f"{self._habits.stamp(row.at)} {row.mark}".rstrip()

    def _with_told(self, place: Place, changes: Sequence[Change]) -> Place:
        stamp = self._habits.stamp
        told = {**place.told, **{one.change_id: stamp(one.at) for one in changes}}
        kept = stamp(place.newest - OVERLAP)
        return replace(place, told={name: at for name, at in told.items() if at >= kept})
