"""What has changed in Opsgenie: our alerts, the newest first, and the notes on those that moved.

The list is read from its newest end, so whatever changes meanwhile comes again on the next poll, and nothing
slips through. It is asked for the alerts of some time alone. No documentation promises that it understands:
it is believed where the newest alert that we know is among them; else the list is read without asking so.
Notes have no number, but a place (`offset`); states have none either, but the time at which an alert got
each, as its report tells; of a priority nothing is told but that an alert has it.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from integrations.connector import Change, ChangeKind, Cursor, Page, Ref
from integrations.errors import Gone, Rejected
from integrations.opsgenie.wire import Alert, Alerts, Note, Notes, TheAlert, alert_path
from integrations.patience import AT_ONCE, Patience, Told
from integrations.reading import read
from register.marker import marker_of, unsigned
from register.text import clean, one_line

if TYPE_CHECKING:
    from integrations.http import Http
    from integrations.opsgenie.config import OpsgenieConfig

OVERLAP: Final = timedelta(minutes=2)
"""Looked back over: what is written side by side may appear out of order."""
PAGE: Final = 100
FEW: Final = 2
"""Rows of the first page where all alerts are listed: it is all of a quiet poll."""
CALM: Final = 10
"""Polls without news, after which nothing can still be on its way before the newest alert."""
BEGINNING: Final = datetime(1970, 1, 1, tzinfo=UTC)
MOST: Final = 20
"""Pages of one list: it gives no more than 20,000 rows, and that many do not change between two polls."""


class News:
    """Raises `integrations.errors` kinds."""

    def __init__(self, http: Http, config: OpsgenieConfig) -> None:
        self.http = http
        self.config = config
        self._patience = Patience(hides=False)
        self._quiet = 0

    def ref(self, alert: Alert) -> Ref:
        web = f"https://{self.http.base.host.replace('api.', 'app.', 1)}/alert/detail/{alert.id}/details"
        return Ref(id=alert.id, key=f"#{alert.tinyId}" if alert.tinyId else alert.id, url=web)

    async def alert(self, ref: Ref) -> Alert:
        return read(TheAlert, await self.http.get(alert_path(ref))).data

    async def page(self, cursor: Cursor | None) -> Page:
        if cursor is None:
            newest = await self._list(0, 1, self._ours)
            at = newest[0].updatedAt if newest else BEGINNING
            return Page((), _cursor(at, at, {one.id: one.updatedAt.isoformat() for one in newest}, ()), True)
        begin, newest_at = (datetime.fromisoformat(cursor[name]) for name in ("begin", "newest"))
        seen, todo = dict(cursor["seen"]), list(cursor["todo"])
        floor = max(begin, newest_at - OVERLAP)
        moved: dict[str, Alert] = {}
        if not todo:
            listed = reversed(await self._since(newest_at if self._quiet >= CALM else floor, newest_at))
            moved = {one.id: one for one in listed if seen.get(one.id) != one.updatedAt.isoformat()}
            todo = [[number, floor.isoformat()] for number in moved]
            seen |= {one.id: one.updatedAt.isoformat() for one in moved.values()}
            newest_at = max([newest_at, *(one.updatedAt for one in moved.values())])
            self._quiet = 0 if moved else self._quiet + 1

        async def look(one: list[str]) -> Told:
            number, since = one
            told = await self._told(number, datetime.fromisoformat(since), moved.get(number))
            return [change for change in told if change.at > begin], []

        taken = await self._patience.take(todo[:AT_ONCE], look, lambda one: ("alert", one[0], one[1]))
        rest = todo[taken.count :]
        kept = {
            number: at for number, at in seen.items() if datetime.fromisoformat(at) >= newest_at - OVERLAP
        }
        return taken.page(_cursor(begin, newest_at, kept, tuple(rest)), done=not rest)

    async def history(self, ref: Ref) -> Page:
        changes = await self._told(ref.id, BEGINNING, await self.alert(ref))
        return Page(tuple(sorted(changes, key=lambda change: change.at)), {}, done=True)

    async def notes(self, ref: Ref) -> list[Note]:
        """All of them, oldest first, each page from the last one's place on."""
        found: list[Note] = []
        while True:
            asked: dict[str, str | int] = {"order": "asc", "limit": PAGE}
            if found:
                asked |= {"offset": found[-1].offset, "direction": "next"}
            rows = read(Notes, await self.http.get(alert_path(ref, "/notes"), asked)).data
            known = {one.offset for one in found[-PAGE:]}
            fresh = [one for one in rows if one.offset not in known]
            found += fresh
            if not fresh or len(rows) < PAGE:
                return found

    async def _since(self, floor: datetime, newest: datetime) -> list[Alert]:
        """Our alerts that changed at or after this, the newest first. newest: when one that is known did."""
        if newest > BEGINNING:
            asked = f"{self._ours} AND updatedAt >= {int(floor.timestamp() * 1000)}"
            try:
                found = await self._walk(floor, asked, PAGE)
            except Rejected:  # it does not understand the question
                found = []
            if any(one.updatedAt >= newest for one in found):
                return found
        return await self._walk(floor, self._ours, FEW)

    async def _walk(self, floor: datetime, query: str, first: int) -> list[Alert]:
        """What the list has of this time, page by page; first: rows of the first one."""
        found: dict[str, Alert] = {}
        for number in range(MOST):
            start, size = (0, first) if number == 0 else (first + (number - 1) * PAGE, PAGE)
            rows = await self._list(start, size, query)
            found |= {one.id: one for one in rows if one.updatedAt >= floor and one.id not in found}
            if len(rows) < size or rows[-1].updatedAt < floor:
                break
        return list(found.values())

    @property
    def _ours(self) -> str:
        return f'tag: "{self.config.tag}"'

    async def _list(self, offset: int, limit: int, query: str) -> tuple[Alert, ...]:
        asked: dict[str, str | int] = {
            "query": query,
            "sort": "updatedAt",
            "order": "desc",
            "offset": offset,
            "limit": limit,
        }
        return read(Alerts, await self.http.get("/alerts", asked)).data

    async def _told(self, number: str, floor: datetime, listed: Alert | None) -> list[Change]:
        """What an alert tells from a time on. One that is deleted tells nothing more."""
        ref = Ref(id=number, key=number)
        try:
            alert = listed or await self.alert(ref)
            notes = await self.notes(ref)
        except Gone:
            return []
        ref = self.ref(alert)
        words = (self._word(ref, note) for note in notes)
        found = [change for change in (*words, *self._states(ref, alert)) if change.at >= floor]
        return [*found, self._priority(ref, alert)] if alert.priority else found

    def _states(self, ref: Ref, alert: Alert) -> list[Change]:
        return [
            Change(
                change_id=f"{alert.id}:{raw}:{int(at.timestamp() * 1000)}",
                ref=ref,
                at=at,
                kind=ChangeKind.STATE,
                author=one_line(who),
                by_our_account=who == self.config.user,
                raw_state=raw,
                state=self.config.meaning(raw),
            )
            for raw, at, who in alert.states
        ]

    def _priority(self, ref: Ref, alert: Alert) -> Change:
        """The one that it has: told with whatever changes, since when and by whom nothing tells."""
        raw, at = one_line(alert.priority), alert.updatedAt
        return Change(
            change_id=f"{alert.id}:priority:{raw}:{int(at.timestamp() * 1000)}",
            ref=ref,
            at=at,
            kind=ChangeKind.PRIORITY,
            author="",
            by_our_account=False,
            raw_priority=raw,
            priorities=self.config.meant(raw),
        )

    def _word(self, ref: Ref, note: Note) -> Change:
        return Change(
            change_id=change_id(ref, note),
            ref=ref,
            at=note.createdAt,
            kind=ChangeKind.COMMENT,
            author=one_line(note.owner),
            by_our_account=note.owner == self.config.user,
            body=clean(unsigned(note.note)),
            marker=marker_of(note.note),
        )


def change_id(ref: Ref, note: Note) -> str:
    return f"{ref.id}:{note.offset}"


def _cursor(begin: datetime, newest: datetime, seen: dict[str, str], todo: tuple[object, ...]) -> Cursor:
    return {"begin": begin.isoformat(), "newest": newest.isoformat(), "seen": seen, "todo": list(todo)}
