"""From the lists to what is told: the changed issues read, so many for a page, whatever one of them does."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from integrations.connector import Change, Cursor, Page, Unread
from integrations.errors import AuthFailed, AuthTrouble, Failure, Gone, Rejected
from integrations.patience import Patience
from integrations.redmine.feed import Place

if TYPE_CHECKING:
    from integrations.redmine.feed import Feed
    from integrations.redmine.journals import Journals

AT_ONCE: Final = 25
"""Issues that are read for one page."""


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
        changes: list[Change] = []
        unread: list[Unread] = []
        read = 0
        for number in place.todo[:AT_ONCE]:
            try:
                told, odd = await self._journals.told(await self._journals.issue(number), place.floor)
            except Failure as failure:
                if read and not isinstance(failure, Gone):
                    break  # what was read is taken in first: then this one is the first, and fails again
                told, odd = (
                    [],
                    self._patience.bear(failure, "issue", number, _changed(place, number)),
                )
            changes += [change for change in told if change.change_id not in place.before]
            unread += odd
            read += 1
        changes.sort(key=lambda change: change.at)
        after = place.without(read)
        return Page(tuple(changes), after.cursor(), done=not after.todo, unread=tuple(unread))

    async def _start(self) -> Place:
        """Where to begin. What was there in that second is noted: Redmine's times cannot tell it apart."""
        place, then = await self._feed.start()
        before: set[str] = set()
        for number in then[:AT_ONCE]:
            try:
                told, _ = await self._journals.told(await self._journals.issue(number), place.begin)
            except Failure as failure:
                hidden = isinstance(failure, AuthFailed) and failure.trouble is AuthTrouble.FORBIDDEN
                if hidden or isinstance(failure, Gone | Rejected):
                    continue  # it may be told of as news, which harms nothing
                raise
            before |= {change.change_id for change in told}
        return replace(place, before=frozenset(before))


def _changed(place: Place, number: int) -> str:
    return place.seen[number].changed if number in place.seen else ""
