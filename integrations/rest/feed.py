"""What has changed: one list of tickets a poll, and one look at each that did.

A list is asked for by time, a little back, for times appear late. Two changes of one second look the same on
a list, so a ticket is looked at once more when its second is surely over. After that, polls ask no further
back than the newest change, so that they stay small at rest.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, Protocol

from integrations.connector import Change, Cursor, Page, Ref
from integrations.errors import Unavailable
from integrations.patience import AT_ONCE, Patience, Told
from integrations.rest.times import NoTime, read_time

if TYPE_CHECKING:
    from integrations.http import Http

SECOND: Final = 5.0
"""Seconds of ours after which theirs, in which a change was listed, is over."""
CALM: Final = 10
"""Polls without news after which nothing can still be on its way before the cursor."""
SELDOM: Final = 20
"""Every so many quiet polls we ask whether we are still somebody there: silence may be for being nobody."""
MOST_AT_START: Final = 100
"""Tickets that are looked at when listening begins, so that what stands on them is known."""
Row = Mapping[str, Any]
Look = Callable[[Ref, Row], Awaitable[Told]]
Listed = Callable[[datetime], Awaitable[Sequence[Row]]]


class Timed(Protocol):
    """How times stand on a list, as a `RestConfig` says; also of connectors that have such a list."""

    @property
    def overlap_seconds(self) -> int: ...

    @property
    def read_format(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Seen:
    """One ticket on the list: when it changed, when we first saw that, whether that was the last look."""

    changed: str
    first: float
    final: bool = False
    told: tuple[str, ...] = ()  # changes of it, not older than where listening looks back to


@dataclass(frozen=True, slots=True)
class Place:
    """Where listening stands; times are theirs, in UTC."""

    newest: datetime
    begin: datetime  # what is older was there before anybody listened
    floor: datetime  # what is older on the tickets of `todo` has been told
    seen: Mapping[str, Seen]
    todo: tuple[Row, ...] = ()

    @classmethod
    def of(cls, cursor: Cursor) -> Place:
        times = {name: datetime.fromisoformat(cursor[name]) for name in _TIMES}
        seen = {
            ticket: Seen(changed, first, final, tuple(told))
            for ticket, (changed, first, final, told) in cursor["seen"].items()
        }
        return cls(**times, seen=seen, todo=tuple(cursor["todo"]))

    def cursor(self) -> Cursor:
        seen = {ticket: [one.changed, one.first, one.final, [*one.told]] for ticket, one in self.seen.items()}
        times = {name: getattr(self, name).isoformat() for name in _TIMES}
        return {**times, "seen": seen, "todo": list(self.todo)}

    def told(self, ticket: str, changes: Iterable[Change]) -> Place:
        """With these known as told."""
        if ticket not in self.seen:
            return self
        ids = tuple(change.change_id for change in changes if change.at >= self.floor)
        return replace(self, seen={**self.seen, ticket: replace(self.seen[ticket], told=ids)})


_TIMES: Final = ("newest", "begin", "floor")


class Feed:
    """Pages of changes. listed: the list since a time; look: one ticket's changes. clock: seconds, ours."""

    def __init__(
        self,
        http: Http,
        config: Timed,
        listed: Listed,
        look: Look,
        anybody: Callable[[], Awaitable[object]],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.http = http
        self.config = config
        self._listed = listed
        self._look = look
        self._anybody = anybody
        self._clock = clock
        self._patience = Patience()
        self._quiet = 0

    @property
    def _overlap(self) -> timedelta:
        return timedelta(seconds=self.config.overlap_seconds)

    async def page(self, cursor: Cursor | None) -> Page:
        if cursor is None:
            return Page((), (await self._start()).cursor(), done=True)
        place = Place.of(cursor)
        if not place.todo:
            place = await self._walk(place)

        async def look(row: Row) -> Told:
            nonlocal place
            ref = ref_of(row)
            told, odd = await self._look(ref, row)
            before = place.seen.get(ref.id, Seen("", 0)).told
            place = place.told(ref.id, told)
            return [one for one in told if one.at >= place.floor and one.change_id not in before], odd

        taken = await self._patience.take(
            place.todo[:AT_ONCE], look, lambda row: ("ticket", ref_of(row).id, str(row.get("updated")))
        )
        after = replace(place, todo=place.todo[taken.count :]) if taken.count else place
        return taken.page(after.cursor(), done=not after.todo)

    async def _start(self) -> Place:
        """Now, by their clock, less a few seconds: what stands on tickets changed since is known already."""
        begin = datetime.now(UTC) - timedelta(seconds=SECOND)
        rows = await self._rows(begin)
        if self.http.gap is not None and abs(self.http.gap.total_seconds()) > 1:
            begin += self.http.gap
            rows = await self._rows(begin)
        ours = self._clock()
        seen = {str(row["id"]): Seen(at.isoformat(), ours, self._is_over(at, ours)) for row, at in rows}
        newest = max([begin, *(at for _, at in rows)])
        place = Place(newest=newest, begin=begin, floor=begin, seen=seen)
        for row, _ in rows[:MOST_AT_START]:
            told, _ = await self._look(ref_of(row), row)
            place = place.told(str(row["id"]), told)
        return place

    async def _rows(self, since: datetime) -> list[tuple[Row, datetime]]:
        """The list, each with when it changed, exactly from `since` on: filters of theirs may be coarse.

        A ticket stands on two pages where the list moved meanwhile: what was told last counts.
        """
        found: dict[str, tuple[Row, datetime]] = {}
        for row in await self._listed(since):
            at = self.changed(row)
            if at >= since.replace(microsecond=0):
                found[str(row["id"])] = (row, at)
        return list(found.values())

    def changed(self, row: Row) -> datetime:
        """When a ticket on the list changed; Unavailable where its row cannot be read."""
        if type(row.get("id")) not in (int, str):
            raise Unavailable(f"{self.http.name} listed a ticket without an id.")
        try:
            return read_time(row.get("updated"), self.config.read_format, self.http.zone)
        except NoTime as error:
            raise Unavailable(f"{self.http.name} listed a ticket whose time {error}.") from None

    async def _walk(self, before: Place) -> Place:
        back = before.newest - self._overlap
        open_ = any(not one.final for one in before.seen.values())
        calm = self._quiet >= CALM and not open_
        rows = await self._rows(before.newest + timedelta(seconds=1) if calm else back)
        if not rows and before.seen and (not calm or self._quiet % SELDOM == 0):
            await self._anybody()  # what we know is not on it: are we still who we were
        now, seen, todo = self._clock(), dict(before.seen), list[tuple[datetime, str, Row]]()
        for row, at in rows:
            if at < before.begin.replace(microsecond=0):
                continue  # of before anybody listened
            ticket, changed = str(row["id"]), at.isoformat()
            known = seen.get(ticket)
            if known is None or known.changed != changed:
                seen[ticket] = Seen(changed, now, self._is_over(at, now), known.told if known else ())
                todo.append((at, ticket, row))
            elif not known.final:
                seen[ticket] = replace(known, final=self._is_over(at, known.first))
                todo.append((at, ticket, row))
        newest = max([before.newest, *(at for _, at in rows)])
        first = (newest - self._overlap).replace(microsecond=0)  # a list begins with a whole second
        seen = {ticket: one for ticket, one in seen.items() if one.changed >= first.isoformat()}
        self._quiet = 0 if todo else self._quiet + 1
        if not todo and newest == before.newest and seen == before.seen:
            return before
        todo.sort(key=lambda one: one[:2])
        floor = max(before.begin, back)
        return replace(before, newest=newest, floor=floor, seen=seen, todo=tuple(row for _, _, row in todo))

    def _is_over(self, at: datetime, first: float) -> bool:
        """Whether the second of a change is over there: by their clock where they tell it, else by ours."""
        if self.http.gap is not None:
            return datetime.now(UTC) + self.http.gap - at > timedelta(seconds=SECOND)
        return not 0 <= self._clock() - first < SECOND


def ref_of(row: Row) -> Ref:
    """The ticket of a row of the list."""
    return Ref(id=str(row["id"]), key=str(row.get("key") or row["id"]))
