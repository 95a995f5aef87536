"""What has changed in a Zammad: its tickets by time, and what happened on those that moved."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from integrations.connector import Cursor, Page, Ref
from integrations.patience import Patience, Told
from integrations.zammad.wire import ZammadTicket

if TYPE_CHECKING:
    from integrations.zammad.story import Story
    from integrations.zammad.tickets import Tickets

OVERLAP: Final = timedelta(minutes=2)
"""Looked back over: of what is written side by side, an earlier time may appear after a later one."""
CALM: Final = 10
"""Polls without news, after which nothing can still be on its way before the cursor."""
AT_ONCE: Final = 10
"""Tickets that are read for one page."""


class News:
    """Pages of changes. Raises `integrations.errors` kinds."""

    def __init__(self, tickets: Tickets, story: Story, web: str) -> None:
        self._tickets = tickets
        self._story = story
        self._web = web
        self._quiet = 0
        self._patience = Patience()

    async def page(self, cursor: Cursor | None) -> Page:
        if cursor is None:
            return await self._start()
        begin, newest = (datetime.fromisoformat(cursor[name]) for name in ("begin", "newest"))
        seen, todo = dict(cursor["seen"]), [tuple(one) for one in cursor["todo"]]
        floor = max(begin, newest - OVERLAP)
        if not todo:
            since = floor if self._quiet < CALM else newest + timedelta(milliseconds=1)
            rows = await self._tickets.changed_since(since)
            moved = [row for row in rows if seen.get(str(row.id)) != row.updated_at.isoformat()]
            self._quiet = 0 if moved else self._quiet + 1
            todo = [_kept(row, floor) for row in moved]
            seen |= {str(row.id): row.updated_at.isoformat() for row in moved}
            newest = max([newest, *(row.updated_at for row in moved)])

        async def look(one: tuple[str, ...]) -> Told:
            number, name, since_then, *_ = one
            ref = Ref(id=number, key=f"#{name}", url=f"{self._web}/#ticket/zoom/{number}")
            told, odd = await self._story.told(ref, datetime.fromisoformat(since_then), _listed(one))
            return [change for change in told if change.at > begin], odd

        taken = await self._patience.take(todo[:AT_ONCE], look, lambda one: ("ticket", one[0], one[2]))
        rest = todo[taken.count :]
        kept = {number: at for number, at in seen.items() if datetime.fromisoformat(at) >= newest - OVERLAP}
        return taken.page(_cursor(begin, newest, kept, rest), done=not rest)

    async def _start(self) -> Page:
        """At the newest change there is."""
        row = await self._tickets.newest()
        at = row.updated_at if row else datetime(1970, 1, 1, tzinfo=UTC)
        seen = {str(row.id): at.isoformat()} if row else {}
        return Page((), _cursor(at, at, seen, []), done=True)


def _kept(row: ZammadTicket, floor: datetime) -> tuple[str, ...]:
    """A ticket that is still to be read: since when, and how it stood when it was listed."""
    stood = (row.state, row.priority or "", row.updated_at.isoformat())
    return (str(row.id), row.number, floor.isoformat(), *stood)


def _listed(one: tuple[str, ...]) -> ZammadTicket | None:
    """None of a cursor that was kept before it told how a ticket stood."""
    match one:
        case (number, name, _, state, priority, at):
            told = {"id": number, "number": name, "state": state, "priority": priority, "updated_at": at}
            return ZammadTicket.model_validate(told)
    return None


def _cursor(begin: datetime, newest: datetime, seen: dict[str, str], todo: list[tuple[str, ...]]) -> Cursor:
    times = {"begin": begin.isoformat(), "newest": newest.isoformat()}
    return {**times, "seen": seen, "todo": [list(one) for one in todo]}
