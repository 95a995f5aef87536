"""What has changed in Opsgenie: our alerts, the newest first, and the notes on those that moved.

The list is read from its newest end, so whatever changes meanwhile comes again on the next poll, and nothing
slips through. Notes have no number, but a place (`offset`); states have none either, but the time at which an
alert got each, which its report tells.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from integrations.connector import Change, ChangeKind, Cursor, Page, Ref
from integrations.errors import Gone
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
"""Rows of the first page, which is all of a quiet poll."""
MOST: Final = 20
"""Pages of one list: it gives no more than 20,000 rows, and that many do not change between two polls."""


class News:
    """Raises `integrations.errors` kinds."""

    def __init__(self, http: Http, config: OpsgenieConfig) -> None:
        self.http = http
        self.config = config
        self._patience = Patience(hides=False)

    def ref(self, alert: Alert) -> Ref:
        web = f"https://{self.http.base.host.replace('api.', 'app.', 1)}/alert/detail/{alert.id}/details"
        return Ref(id=alert.id, key=f"#{alert.tinyId}" if alert.tinyId else alert.id, url=web)

    async def alert(self, ref: Ref) -> Alert:
        return read(TheAlert, await self.http.get(alert_path(ref))).data

    async def page(self, cursor: Cursor | None) -> Page:
        if cursor is None:
            newest = (await self._list(0, 1)) or ()
            at = newest[0].updatedAt if newest else datetime(1970, 1, 1, tzinfo=UTC)
            return Page((), _cursor(at, at, {one.id: one.updatedAt.isoformat() for one in newest}, ()), True)
        begin, newest_at = (datetime.fromisoformat(cursor[name]) for name in ("begin", "newest"))
        seen, todo = dict(cursor["seen"]), list(cursor["todo"])
        floor = max(begin, newest_at - OVERLAP)
        moved: dict[str, Alert] = {}
        if not todo:
            listed = reversed(await self._since(floor))
            moved = {one.id: one for one in listed if seen.get(one.id) != one.updatedAt.isoformat()}
            todo = [[number, floor.isoformat()] for number in moved]
            seen |= {one.id: one.updatedAt.isoformat() for one in moved.values()}
            newest_at = max([newest_at, *(one.updatedAt for one in moved.values())])

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
        changes = await self._told(ref.id, datetime(1970, 1, 1, tzinfo=UTC), await self.alert(ref))
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

    async def _since(self, floor: datetime) -> list[Alert]:
        """Our alerts that changed at or after this, the newest first."""
        found: dict[str, Alert] = {}
        for number in range(MOST):
            start, size = (0, FEW) if number == 0 else (FEW + (number - 1) * PAGE, PAGE)
            rows = await self._list(start, size)
            found |= {one.id: one for one in rows if one.updatedAt >= floor and one.id not in found}
            if len(rows) < size or rows[-1].updatedAt < floor:
                break
        return list(found.values())

    async def _list(self, offset: int, limit: int) -> tuple[Alert, ...]:
        asked: dict[str, str | int] = {
            "query": f'tag: "{self.config.tag}"',
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
        states = (
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
        )
        words = (self._word(ref, note) for note in notes)
        return [change for change in (*words, *states) if change.at >= floor]

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
