"""From a search for changed issues to what is told: each is read once, whole, by its id.

The index lags, and a search may show an issue later than one that changed after it. So each search begins a
good while before the last one, and what was read is known by its `updated`, to the millisecond. Times go as
epochs: in words JQL would take them for our account's zone, and to the minute.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from pydantic import ValidationError

from integrations.connector import Cursor, Page, Ref, Unread
from integrations.errors import Rejected
from integrations.jira.wire import PAGE, Found, Row
from integrations.patience import AT_ONCE, Patience, Told
from integrations.reading import read, unread_row
from integrations.zones import zoned

if TYPE_CHECKING:
    from integrations.answers import Answer
    from integrations.http import Http
    from integrations.jira.account import Account
    from integrations.jira.config import JiraConfig
    from integrations.jira.issues import Issues

LAG: Final = timedelta(minutes=3)
"""How far Jira's index may lie behind."""
OVERLAP: Final = LAG + timedelta(minutes=2)
BACK: Final = timedelta(days=1)
"""How far before the search changes of an issue are told once more: what was told is known by its id."""
AGED: Final = timedelta(minutes=1)
"""How far the mark moves at least, so that silence writes nothing down."""
TICK: Final = timedelta(seconds=1)
"""What changes within it of our reading may bear the same time, and is read once more."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where listening stands. Times are theirs, UTC.

    told: the issues that were read, by id, each with its `updated` in epoch milliseconds.
    page: of a search that is not at its end, where it goes on; seen: when it began, until all of it is read.
    """

    begin: datetime  # what is older was there before anybody listened
    floor: datetime  # searches begin here
    seen: datetime
    page: str | int | None = None
    told: dict[str, int] = field(default_factory=dict)
    todo: tuple[str, ...] = ()

    @classmethod
    def of(cls, cursor: Cursor) -> Place:
        times = {name: datetime.fromisoformat(cursor[name]) for name in _TIMES}
        return cls(**times, page=cursor["page"], told=dict(cursor["told"]), todo=tuple(cursor["todo"]))

    def cursor(self) -> Cursor:
        times = {name: getattr(self, name).isoformat() for name in _TIMES}
        return {**times, "page": self.page, "told": self.told, "todo": list(self.todo)}

    @property
    def done(self) -> bool:
        return self.page is None and not self.todo

    def rested(self) -> Place:
        """With the mark moved on, where all that was found is read."""
        if not self.done:
            return self
        to = self.seen - OVERLAP
        if to - self.floor < AGED:
            return replace(self, seen=self.floor)
        kept = {number: at for number, at in self.told.items() if at >= _ms(to)}
        return replace(self, floor=to, seen=to, told=kept)


_TIMES: Final = ("begin", "floor", "seen")


class Feed:
    """Pages of changes. Raises `integrations.errors` kinds."""

    def __init__(self, http: Http, config: JiraConfig, account: Account, issues: Issues) -> None:
        self.http = http
        self.config = config
        self._account = account
        self._issues = issues
        self._patience = Patience()

    async def page(self, cursor: Cursor | None) -> Page:
        if cursor is None:
            await self._account.user()
            now = self._account.now()
            return Page((), Place(now, now - OVERLAP, now - OVERLAP).cursor(), done=True)
        place = Place.of(cursor)
        odd: list[Unread] = []
        if not place.todo:
            place, odd = await self._walk(place)
        told, walked = dict(place.told), str(_ms(place.seen))
        taken = await self._patience.take(
            place.todo[:AT_ONCE],
            lambda number: self._read(number, place, told),
            lambda number: ("issue", number, walked),
            ([], odd),
        )
        after = replace(place, todo=place.todo[taken.count :], told=told).rested()
        return taken.page(after.cursor(), done=after.done)

    async def _walk(self, before: Place) -> tuple[Place, list[Unread]]:
        """One page of a search: what was not read since it changed goes to `todo`."""
        try:
            answer = await self._search(before)
        except Rejected:
            if before.page is None:
                raise
            before = replace(before, page=None)  # where a search went on is forgotten after some days
            answer = await self._search(before)
        seen = self._account.now() if before.page is None else before.seen
        found = read(Found, answer)
        if not found.issues:
            await self._account.proved(answer.headers)
        todo: dict[str, None] = {}
        unread: list[Unread] = []
        for one in found.issues:
            try:
                row = Row.model_validate(one, context=zoned(self.http.zone))
            except ValidationError as error:
                unread.append(unread_row(one, ("id", "key"), error, "id"))
                continue
            at = row.fields.updated
            if at >= before.begin and _ms(at) > before.told.get(row.id, 0):
                todo[row.id] = None
        page = self._goes_on(found)
        return replace(before, seen=seen, page=page, todo=tuple(todo)), unread

    async def _search(self, place: Place) -> Answer:
        jql = (
            f'(project = "{self.config.project}" OR reporter = currentUser())'
            f" AND updated >= {_ms(place.floor)} ORDER BY updated ASC, key ASC"
        )
        return await search(self.http, self.config, jql, place.page)

    def _goes_on(self, found: Found) -> str | int | None:
        if self.config.is_cloud:
            return found.nextPageToken
        after = found.startAt + len(found.issues)
        return after if found.issues and after < (found.total or 0) else None

    async def _read(self, number: str, place: Place, told: dict[str, int]) -> Told:
        issue = await self._issues.whole(Ref(id=number, key=number))
        now = self._account.now()
        news, odd = await self._issues.told(issue, max(place.begin, place.floor - BACK))
        if issue.fields.updated + TICK <= now:
            told[issue.id] = _ms(issue.fields.updated)
        return news, odd


async def search(http: Http, config: JiraConfig, jql: str, page: str | int | None = None) -> Answer:
    """Ask for issues that changed: Cloud's search goes on by a token, Data Center's by a number."""
    asked: dict[str, Any] = {"jql": jql, "maxResults": PAGE, "fields": ["updated"]}
    if not config.is_cloud:
        return await http.post(f"{config.api}/search", {**asked, "startAt": page or 0}, safe=True)
    on = {} if page is None else {"nextPageToken": page}
    return await http.post(f"{config.api}/search/jql", {**asked, **on}, safe=True)


def _ms(at: datetime) -> int:
    return round(at.timestamp() * 1_000)
