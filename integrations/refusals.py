"""Webhooks that were refused: counted, told once in the journal, kept in the register for people to see.

Anybody who can reach the door can be refused there as often as they like, so a refusal costs no write of its
own: the first of a kind is written, then at most one count a minute.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from integrations.hand import Hand
from integrations.signing import Fault
from register.store import RegisterUnavailable, hooks

EVERY: Final = timedelta(minutes=1)
"""Between two writes on one supplier."""
_LACKS: Final = "no secret is stored here"


@dataclass(slots=True)
class _Refused:
    why: str
    since: datetime
    written: datetime | None = None
    count: int = 0  # since it was written


class Refusals:
    """Those of this process, by supplier."""

    def __init__(self, hand: Hand, tell: Callable[[str], object]) -> None:
        self._hand = hand
        self._tell = tell
        self._known: dict[str, _Refused] = {}

    async def note(self, vendor: str, fault: Fault, now: datetime, *, lacks_secret: bool = False) -> None:
        """One was refused."""
        why = _LACKS if lacks_secret else fault.value
        one = self._known.get(vendor)
        if one is None or one.why != why:
            one = self._known[vendor] = _Refused(why, now)
            self._tell(f"{vendor}: webhook refused: {why}. Nothing was done for it; {_todo(vendor, why)}")
        one.count += 1
        if one.written is not None and now - one.written < EVERY:
            return
        count, one.count, one.written = one.count, 0, now
        store = self._hand.store
        with contextlib.suppress(RegisterUnavailable):  # whoever needs it tells
            await self._hand.call(lambda: hooks.refused(store, vendor, one.since, why, count))

    def forget(self, vendor: str) -> None:
        """A good one came."""
        self._known.pop(vendor, None)


def _todo(vendor: str, why: str) -> str:
    if why == _LACKS:
        return f"if it is theirs, store their secret: muster vendors login {vendor} --webhook"
    return "if it is theirs, docs/webhooks.md tells what to look at. They are asked for news as always."
