"""Changed tickets, read one after the other, and how long one that cannot be read may hold up the others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from integrations.connector import Change, Cursor, Page, Unread
from integrations.errors import AuthFailed, AuthTrouble, Failure, Gone, Rejected, Unavailable
from register.text import clip, one_line

PATIENCE: Final = 3
"""Times that one unreadable ticket may hold up the rest: some answer 500 for ever."""
AT_ONCE: Final = 25
"""Tickets that are read for one page."""
Told = tuple[list[Change], list[Unread]]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Taken:
    """What the first `count` of those to read told, by time."""

    changes: list[Change]
    unread: list[Unread]
    count: int

    def page(self, cursor: Cursor, *, done: bool) -> Page:
        return Page(tuple(self.changes), cursor, done, tuple(self.unread))


class Patience:
    """Counts them by ticket. hides: whether a supplier may hide one ticket from us and show us the others."""

    def __init__(self, *, hides: bool = True) -> None:
        self._hides = hides
        self._failed: Counter[str] = Counter()

    async def take(
        self,
        todo: Sequence[T],
        look: Callable[[T], Awaitable[Told]],
        called: Callable[[T], tuple[str, str | int, str]],
        walked: Told = ([], []),
    ) -> Taken:
        """Read them until one fails that is not the first: what was read is taken in, then it is the first.

        called: kind, number and when, as `bear` takes them; walked: what their list told besides.
        """
        changes, unread, count = list(walked[0]), list(walked[1]), 0
        for one in todo:
            try:
                news, odd = await look(one)
            except Failure as failure:
                if count and not isinstance(failure, Gone):
                    break
                news, odd = [], self.bear(failure, *called(one))
            changes += news
            unread += odd
            count += 1
        return Taken(sorted(changes, key=lambda change: change.at), unread, count)

    def bear(self, failure: Failure, kind: str, number: str | int, when: str = "") -> list[Unread]:
        """Raise what may pass; return what a person is to look at. A deleted ticket says nothing more.

        kind, number: what they call it, as issue 7; when: by which one trouble is told from the next.
        """
        ticket, what = str(number), f"{kind} {number}"
        if isinstance(failure, Gone):
            return []
        hidden = isinstance(failure, AuthFailed) and failure.trouble is AuthTrouble.FORBIDDEN
        if isinstance(failure, Unavailable):
            self._failed[ticket] += 1
            if self._failed[ticket] < PATIENCE:
                raise failure
        elif not (hidden and self._hides) and not isinstance(failure, Rejected):
            raise failure
        self._failed.pop(ticket, None)
        return [Unread(clip(one_line(f"{what} {when}"), 100), what, failure.why, ticket)]
