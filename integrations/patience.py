"""How long one ticket that cannot be read may hold up the others of its supplier."""

from __future__ import annotations

from collections import Counter
from typing import Final

from integrations.connector import Unread
from integrations.errors import AuthFailed, AuthTrouble, Failure, Gone, Rejected, Unavailable
from register.text import clip, one_line

PATIENCE: Final = 3
"""Times that one unreadable ticket may hold up the rest: some answer 500 for ever."""


class Patience:
    """Counts them by ticket. hides: whether a supplier may hide one ticket from us and show us the others."""

    def __init__(self, *, hides: bool = True) -> None:
        self._hides = hides
        self._failed: Counter[str] = Counter()

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
