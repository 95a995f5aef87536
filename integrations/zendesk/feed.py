"""From the export of changed tickets to what is told: ours are picked out, and read by their audits.

The export tells each ticket that changed since a cursor, of the whole account, and leaves out the last
minute, so that nothing is passed over. It tells nothing of what changed: the audits do. A ticket that changes
again and again within the minute is told late, so its audits are read from well before the last export on;
what was told before is known by its id.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from pydantic import ValidationError

from integrations.connector import Change, ChangeKind, Cursor, Page, Unread
from integrations.patience import AT_ONCE, Patience, Told
from integrations.reading import read, unread_row
from integrations.zendesk.wire import PAGE, Export, Row, ref_to, stamp
from integrations.zones import zoned

if TYPE_CHECKING:
    from integrations.http import Http
    from integrations.zendesk.account import Account
    from integrations.zendesk.audits import Audits
    from integrations.zendesk.config import ZendeskConfig

EXPORT: Final = "/incremental/tickets/cursor"
EARLIER: Final = timedelta(minutes=2)
"""How far before now the export begins: it takes no time of the last minute, by their clock."""
BACK: Final = timedelta(days=1)
"""How far before the last export audits are told once more, for a ticket that never rested."""
AGED: Final = timedelta(hours=1)
"""How old that mark may grow where nothing happens, before it is written down anew."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where listening stands. Times are theirs, UTC.

    after: the export's own cursor, or the epoch to begin at where it has given none yet.
    """

    after: str | int
    begin: datetime  # what is older was there before anybody listened
    heard: datetime  # of the last export that brought something
    floor: datetime  # what is older on the tickets of `todo` has been told
    todo: tuple[int, ...] = ()
    done: bool = True  # whether the export was at its end

    @classmethod
    def of(cls, cursor: Cursor) -> Place:
        times = {name: datetime.fromisoformat(cursor[name]) for name in _TIMES}
        return cls(after=cursor["after"], **times, todo=tuple(cursor["todo"]), done=bool(cursor["done"]))

    def cursor(self) -> Cursor:
        times = {name: stamp(getattr(self, name)) for name in _TIMES}
        return {"after": self.after, **times, "todo": list(self.todo), "done": self.done}


_TIMES: Final = ("begin", "heard", "floor")


class Feed:
    """Pages of changes. Raises `integrations.errors` kinds."""

    def __init__(self, http: Http, config: ZendeskConfig, account: Account, audits: Audits) -> None:
        self.http = http
        self.config = config
        self._account = account
        self._audits = audits
        self._patience = Patience()

    async def page(self, cursor: Cursor | None) -> Page:
        if cursor is None:
            return Page((), (await self._start()).cursor(), done=True)
        place = Place.of(cursor)
        walked: Told = ([], [])
        if not place.todo:
            place, walked = await self._walk(place)
        taken = await self._patience.take(
            place.todo[:AT_ONCE],
            lambda number: self._audits.told(number, place.floor),
            lambda number: ("ticket", number, stamp(place.heard)),
            walked,
        )
        after = replace(place, todo=place.todo[taken.count :])
        return taken.page(after.cursor(), done=after.done and not after.todo)

    async def _start(self) -> Place:
        """Now, by their clock; who we are is asked first, so that nobody begins as nobody."""
        await self._account.user()
        now = self._now()
        first = int((now - EARLIER).timestamp())
        told = read(Export, await self.http.get(EXPORT, params={"start_time": first, "per_page": PAGE}))
        return Place(told.after_cursor or first, now, now, now, done=told.end_of_stream)

    async def _walk(self, before: Place) -> tuple[Place, Told]:
        """One page of the export: our tickets on it go to `todo`."""
        by = "start_time" if isinstance(before.after, int) else "cursor"
        told = read(Export, await self.http.get(EXPORT, params={by: before.after, "per_page": PAGE}))
        now, after = self._now(), told.after_cursor or before.after
        floor = max(before.begin, before.heard - BACK)
        todo: dict[int, None] = {}
        links: list[Change] = []
        unread: list[Unread] = []
        me = await self._account.me() if told.tickets else 0
        for one in told.tickets:
            try:
                row = Row.model_validate(one, context=zoned(self.http.zone))
            except ValidationError as error:
                unread.append(unread_row(one, ("id", "updated_at"), error, "id"))
                continue
            links += self._follows(row)
            if row.status != "deleted" and self._is_ours(row, me):
                todo[row.id] = None
        moves = after != before.after or now - before.heard > AGED
        heard = now if moves and told.end_of_stream else before.heard
        place = replace(
            before, after=after, heard=heard, floor=floor, todo=tuple(todo), done=told.end_of_stream
        )
        return place, (links, unread)

    def _is_ours(self, row: Row, me: int) -> bool:
        """Whether a ticket concerns us: the export tells of all their customers, and a read is a request."""
        return row.concerns(me) or (self.config.organization or 0) == row.organization_id

    def _follows(self, row: Row) -> list[Change]:
        """That a ticket goes on from a closed one, which can be changed no more."""
        before = row.via.ticket if row.via is not None and row.via.rel == "follow_up" else None
        if before is None:
            return []
        return [
            Change(
                change_id=f"{row.id}.follow_up",
                ref=ref_to(self.http, before),
                at=row.updated_at,
                kind=ChangeKind.LINK,
                author="",
                by_our_account=False,
                body="goes on in a follow-up",
                link=ref_to(self.http, row.id),
            )
        ]

    def _now(self) -> datetime:
        """Their time, by the date of their last answer."""
        return (datetime.now(UTC) + (self.http.gap or timedelta(0))).replace(microsecond=0)
