"""What has changed, asked for by time, and where to go on.

ServiceNow tells when an incident changed to the second and pages by offset, on a list that changes meanwhile:
what changes goes to its end, and everything behind where it was moves up. So each further page begins with
the last row of the one before: where another stands there, the walk begins anew from that row's time. It
commits a record before its journal, so an incident is read once more when its second is surely over.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from pydantic import ValidationError

from integrations.connector import Change, Cursor, Page, Unread
from integrations.errors import AuthFailed, AuthTrouble, Rejected, Unavailable
from integrations.patience import Patience
from integrations.reading import unread_row
from integrations.servicenow.wire import PAGE, TABLE, Listing, Row, listed, stamp

if TYPE_CHECKING:
    from integrations.http import Http
    from integrations.servicenow.config import ServiceNowConfig
    from integrations.servicenow.story import Story, Told

OVERLAP: Final = timedelta(minutes=2)
"""Looked back over: of what is written side by side, an earlier time may appear after a later one."""
CALM: Final = 10
"""Polls without news, after which nothing can still be on its way before the cursor."""
AGAIN: Final = 20
"""Every so many polls it is looked back all the same: what is known to be there proves the question."""
SECOND: Final = 5.0
"""Seconds of ours, from when a change was first listed, after which its second is over there, too."""
AT_FIRST: Final = 20
"""Incidents that are looked at to begin: the newest may be hidden from us."""
_COLUMNS: Final = "sys_id,number,sys_updated_on,sys_mod_count,sys_updated_by,state,hold_reason,priority"
_ORDER: Final = "ORDERBYsys_updated_on^ORDERBYsys_id"
_BEGINNING: Final = datetime(1970, 1, 1, tzinfo=UTC)
Last = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Seen:
    """One incident on the list: its version and time, when we first saw it, and if it is read for good."""

    version: str
    changed: str
    first: float
    final: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """Where listening stands. Times are theirs, UTC.

    offset: rows of the walk since `since` that are behind us, the last of them `last`; 0 between walks.
    """

    begin: datetime  # what is older was there before anybody listened
    newest: datetime
    since: datetime
    floor: datetime  # what is older on incidents of this walk has been told
    seen: Mapping[str, Seen]
    offset: int = 0
    last: Last | None = None
    before: frozenset[str] = frozenset()  # changes of the second `begin` that nobody is told of

    @classmethod
    def of(cls, cursor: Cursor) -> Place:
        times = {name: datetime.fromisoformat(cursor[name]) for name in _TIMES}
        seen = {sys_id: Seen(*told) for sys_id, told in cursor["seen"].items()}
        last = cursor["last"]
        return cls(
            **times,
            seen=seen,
            offset=cursor["offset"],
            last=(last[0], last[1]) if last else None,
            before=frozenset(cursor["before"]),
        )

    def cursor(self) -> Cursor:
        return {
            **{name: getattr(self, name).isoformat() for name in _TIMES},
            "seen": {
                sys_id: [one.version, one.changed, one.first, one.final] for sys_id, one in self.seen.items()
            },
            "offset": self.offset,
            "last": list(self.last) if self.last else None,
            "before": sorted(self.before),
        }


_TIMES: Final = ("begin", "newest", "since", "floor")


class Feed:
    """Pages of changes. Raises `integrations.errors` kinds. clock: seconds, ours."""

    def __init__(
        self, http: Http, config: ServiceNowConfig, story: Story, clock: Callable[[], float] = time.time
    ) -> None:
        self.http = http
        self.config = config
        self._story = story
        self._clock = clock
        self._quiet = 0
        self._patience = Patience()

    async def page(self, cursor: Cursor | None) -> Page:
        if cursor is None:
            return Page((), (await self._start()).cursor(), done=True)
        before = Place.of(cursor)
        place = before if before.offset else self._walk(before)
        told = await self._listed(place)
        rows, unread = self._rows(told)
        await self._believed(place, rows, told)
        if place.last is not None and not told.hidden and (not rows or _last(rows[0]) != place.last):
            return Page((), self._anew(place).cursor(), done=False)
        fresh = [row for row in rows if self._is_news(row, place)]
        changes, odd = await self._together(fresh, place)
        changes = [one for one in changes if one.at >= place.begin and one.change_id not in place.before]
        unread += odd
        if told.hidden:
            unread.append(self._hidden(told, place))
        self._quiet = 0 if fresh else self._quiet + 1
        after = self._after(place, rows, fresh, told)
        still = (after.newest, after.seen) == (before.newest, before.seen)
        if still and not fresh and not after.offset and not before.offset:
            after = before  # nothing to write down
        return Page(tuple(changes), after.cursor(), done=not after.offset, unread=tuple(unread))

    async def _start(self) -> Place:
        """At the newest change there is. What happened in that very second is noted: it is no news."""
        query = f"{self.config.listen}^ORDERBYDESCsys_updated_on^ORDERBYDESCsys_id"
        told = await listed(self.http, TABLE, query, _COLUMNS, limit=AT_FIRST)
        rows, _ = self._rows(told)
        if told.hidden and not rows:
            raise AuthFailed(
                f"{self.http.name} has {told.total} incidents for us to listen to, and shows our account none"
                " of the newest: ask them for the right to read them.",
                AuthTrouble.FORBIDDEN,
            )
        at = max((row.sys_updated_on for row in rows), default=_BEGINNING)
        then = [row for row in rows if row.sys_updated_on == at]
        known, _ = await self._story.told(then, at, at)
        now = self._clock()
        recent = [row for row in rows if row.sys_updated_on >= at - OVERLAP]
        seen = {
            row.sys_id: Seen(
                row.sys_mod_count, row.sys_updated_on.isoformat(), now, final=row.sys_updated_on < at
            )
            for row in recent
        }
        return Place(at, at, at, at, seen, before=frozenset(one.change_id for one in known))

    def _walk(self, before: Place) -> Place:
        """A new walk: back over what may have come late, until nothing can any more."""
        open_ = any(not one.final for one in before.seen.values())
        calm = self._quiet >= CALM and not open_ and self._quiet % AGAIN != 0
        since = before.newest + timedelta(seconds=1) if calm else before.newest - OVERLAP
        return replace(before, since=since, floor=max(before.begin, before.newest - OVERLAP))

    def _anew(self, place: Place) -> Place:
        """The list moved: from the time of the last row on, or from where this walk began, if it is that."""
        since = datetime.fromisoformat(place.last[1]) if place.last else place.since
        return replace(place, since=since, offset=0, last=None)

    async def _listed(self, place: Place) -> Listing:
        """One page; a further one with the last row of the one before."""
        zone, step = self.config.query_zone, 1 if place.last is not None else 0
        query = f"sys_updated_on>={stamp(place.since, zone)}^{self.config.listen}^{_ORDER}"
        offset = place.offset - step  # there is a last row only behind a page
        return await listed(self.http, TABLE, query, _COLUMNS, limit=PAGE + step, offset=offset)

    async def _believed(self, place: Place, rows: Sequence[Row], told: Listing) -> None:
        """See that the list answers the question: in its order, and with what is known to be in it.

        A rule there about queries may keep our account from comparing or sorting by a time; a time may be
        read in another zone. Either would be silence.
        """
        order = [row.sys_updated_on for row in rows]
        if order != sorted(order):
            raise Rejected(
                f"{self.http.name} does not list incidents by when they changed: ask them to let our account"
                " query incident by ranges of sys_updated_on (query_range)."
            )
        if told.rows or told.hidden or place.offset or place.since > place.newest or not place.seen:
            return
        query = f"sys_idIN{','.join(list(place.seen)[:AT_FIRST])}^{self.config.listen}"
        there, _ = self._rows(await listed(self.http, TABLE, query, _COLUMNS, limit=AT_FIRST))
        missing = [row for row in there if row.sys_id in place.seen and row.sys_updated_on >= place.since]
        if missing:
            raise Rejected(
                f"{self.http.name} lists no incident that changed since {place.since:%H:%M:%S} UTC, and"
                f" {missing[0].number} did: a time in a query is not read as {self.config.query_zone}, which"
                " `query_zone` in vendors.toml sets right, or our account may not query by sys_updated_on."
            )

    def _rows(self, told: Listing) -> tuple[list[Row], list[Unread]]:
        rows: list[Row] = []
        unread: list[Unread] = []
        for one in told.rows:
            try:
                rows.append(Row.model_validate(one))
            except ValidationError as error:
                unread.append(unread_row(one, ("sys_id", "sys_mod_count"), error, "sys_id"))
        return rows, unread

    def _is_news(self, row: Row, place: Place) -> bool:
        if row.sys_updated_on < place.begin:
            return False
        known = place.seen.get(row.sys_id)
        return known is None or known.version != row.sys_mod_count or self._is_due(known)

    def _is_due(self, known: Seen) -> bool:
        """Whether it is to be read for the last time: its second is over there, or our clock went back."""
        return not known.final and not 0 <= self._clock() - known.first < SECOND

    async def _together(self, rows: Sequence[Row], place: Place) -> Told:
        """A page of them at once; one by one where that fails, so that one of them holds up itself alone."""
        try:
            return await self._story.told(rows, place.floor, place.begin)
        except (Rejected, Unavailable) as failure:
            if len(rows) == 1:
                row = rows[0]
                return [], self._patience.bear(failure, "incident", row.sys_id, row.sys_mod_count)
        changes: list[Change] = []
        unread: list[Unread] = []
        for row in rows:
            told, odd = await self._together([row], place)
            changes += told
            unread += odd
        return sorted(changes, key=lambda change: change.at), unread

    def _after(self, place: Place, rows: list[Row], fresh: list[Row], told: Listing) -> Place:
        now, seen = self._clock(), dict(place.seen)
        for row in fresh:
            known = seen.get(row.sys_id)
            again = known is not None and known.version == row.sys_mod_count
            seen[row.sys_id] = Seen(row.sys_mod_count, row.sys_updated_on.isoformat(), now, final=again)
        newest = max([place.newest, *(row.sys_updated_on for row in rows)])
        floor = (newest - OVERLAP).isoformat()
        seen = {sys_id: one for sys_id, one in seen.items() if one.changed >= floor}
        if told.more:
            last = _last(rows[-1]) if rows and not told.hidden else None
            offset = told.offset + told.limit
            return replace(place, newest=newest, seen=seen, offset=offset, last=last)
        if not place.offset and place.since <= place.newest:  # looked back, on one page: the rest is gone
            listed_ = {row.sys_id for row in rows}
            seen = {sys_id: one for sys_id, one in seen.items() if sys_id in listed_ or self._is_young(one)}
        return replace(place, newest=newest, seen=seen, offset=0, last=None)

    def _is_young(self, one: Seen) -> bool:
        return not one.final and 0 <= self._clock() - one.first < OVERLAP.total_seconds()

    def _hidden(self, told: Listing, place: Place) -> Unread:
        """Told once a day: that something changed which is kept from us."""
        why = (
            f"{self.http.name} keeps {told.hidden} of {told.total} changed incidents from us: ask them"
            " for the right to read them, or mend `listen` in vendors.toml."
        )
        return Unread(f"hidden {place.newest:%Y-%m-%d}", why, why)


def _last(row: Row) -> Last:
    return row.sys_id, row.sys_updated_on.isoformat()
