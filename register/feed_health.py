"""How it stands with a rota's calendar, in sentences: is it read, does it end, is somebody unknown. Pure.

Whatever is wrong, the shifts that it named last hold on; that is told, and what to do.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from register.duty import Shift

STALE: Final = timedelta(hours=24)
"""Unheard for so long, a calendar may have changed without anybody here knowing."""
SOON: Final = timedelta(hours=48)
"""So long before its last shift ends, somebody is told that none follows."""


@dataclass(frozen=True, slots=True)
class FeedState:
    """heard_at: when it was last read to its end. trouble, lost: as sentences, or empty.

    grave: waiting will not help. lacking: no worker knows where it is. failures: how often in a row it could
    not be read.
    """

    heard_at: datetime | None = None
    tried_at: datetime | None = None
    failures: int = 0
    trouble: str = ""
    grave: bool = False
    lost: str = ""
    lacking: bool = False


NEVER: Final = FeedState()
"""Nobody ever asked for it."""


@dataclass(frozen=True, slots=True)
class FeedFault:
    """Something that a person should do. urgent: nobody may be told of an incident because of it."""

    rota: str
    says: str
    todo: str
    urgent: bool = True

    def __str__(self) -> str:
        return f"{self.rota}: {self.says} {self.todo}"


def faults_of(rota: str, state: FeedState, shifts: Sequence[Shift], now: datetime) -> Iterator[FeedFault]:
    """What is wrong with a calendar now. shifts: those that are on record."""
    last = max((one.end for one in shifts), default=None)
    unread = list(_unread(rota, state, last, now))
    yield from unread
    if not unread and last is not None and last - now < SOON:
        todo = "Have whoever keeps the calendar go on with it, or arrange a temporary schedule here."
        if last <= now:
            yield FeedFault(rota, f"its last shift ended {at(last)}: nobody is on call by it.", todo)
        else:
            yield FeedFault(rota, f"its last shift ends {at(last)}, and nobody's follows.", todo)
    if state.lost:
        todo = f"Name them in [people] of matrix.toml, or in feed_people of [rotas.{rota}], or mend it."
        yield FeedFault(rota, f"shifts of its calendar are nobody's here: {state.lost}", todo, urgent=False)


def _unread(rota: str, state: FeedState, last: datetime | None, now: datetime) -> Iterator[FeedFault]:
    over = last is None or last <= now
    holds = "nobody is on call by it." if last is None or over else f"what it said holds, until {at(last)}."
    if state.heard_at is None and not state.trouble:
        why = "its calendar was not read yet" if state.tried_at else "nobody has asked for its calendar yet"
        yield FeedFault(rota, f"{why}: {holds}", "It is read within a minute where `muster serve` runs.")
    elif state.heard_at is None:
        yield FeedFault(rota, f"its calendar was never read: {holds} {state.trouble}", _todo(rota, state))
    elif now - state.heard_at >= STALE:
        why = state.trouble or "No worker has asked for it since."
        says = f"its calendar was last read {at(state.heard_at)}: {holds} {why}"
        yield FeedFault(rota, says, _todo(rota, state))
    elif state.grave:
        says = f"{state.trouble} It was last read {at(state.heard_at)}: {holds}"
        yield FeedFault(rota, says, _todo(rota, state))


def _todo(rota: str, state: FeedState) -> str:
    if not state.trouble:
        return "Start `muster serve`: it is asked for at once."
    if state.lacking:
        return f"Whoever runs `muster serve` stores it: `muster oncall login {rota}`."
    return (
        "Open its address in a browser: is a calendar there? If it has a new one, name it in matrix.toml, or"
        f" store it where Muster serves: `muster oncall login {rota}`."
    )


def at(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
