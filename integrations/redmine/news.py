"""From the lists to what is told: the changed issues read, so many for a page, whatever one of them does."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from integrations.connector import Cursor, Page
from integrations.errors import AuthFailed, AuthTrouble, Failure, Gone, Rejected
from integrations.patience import AT_ONCE, Patience, Told
from integrations.redmine.feed import Place

if TYPE_CHECKING:
    from datetime import datetime

    from integrations.redmine.feed import Feed
    from integrations.redmine.journals import Journals


class News:
    """Pages of changes. Raises `integrations.errors` kinds."""

    def __init__(self, feed: Feed, journals: Journals) -> None:
        self._feed = feed
        self._journals = journals
        self._patience = Patience()

    async def page(self, cursor: Cursor | None) -> Page:
        if cursor is None:
            return Page((), (await self._start()).cursor(), done=True)
        place = Place.of(cursor)
        if not place.todo:
            place = await self._feed.walk(place)

        async def look(number: int) -> Told:
            told, odd = await self._told(number, place.floor)
            return [change for change in told if change.change_id not in place.before], odd

        def called(number: int) -> tuple[str, int, str]:
            return "issue", number, place.seen[number].changed if number in place.seen else ""

        taken = await self._patience.take(place.todo[:AT_ONCE], look, called)
        then = {change.change_id for change in taken.changes if change.at == place.begin}
        after = replace(place.without(taken.count), before=place.before | then)
        return taken.page(after.cursor(), done=not after.todo)

    async def _told(self, number: int, since: datetime) -> Told:
        return await self._journals.told(await self._journals.issue(number), since)

    async def _start(self) -> Place:
        """Where to begin. What was there in that second is noted: Redmine's times cannot tell it apart."""
        place, then = await self._feed.start()
        before: set[str] = set()
        for number in then[:AT_ONCE]:
            try:
                told, _ = await self._told(number, place.begin)
            except Failure as failure:
                hidden = isinstance(failure, AuthFailed) and failure.trouble is AuthTrouble.FORBIDDEN
                if hidden or isinstance(failure, Gone | Rejected):
                    continue  # it may be told of as news, which harms nothing
                raise
            before |= {change.change_id for change in told}
        return replace(place, before=frozenset(before))
