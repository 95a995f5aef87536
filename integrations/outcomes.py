"""What follows from each outcome of a sending: a table from the closed set to the row's next state."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final

from tenacity import RetryCallState, wait_exponential_jitter
from tenacity.wait import wait_base

from integrations.errors import (
    Ambiguous,
    AuthFailed,
    AuthTrouble,
    Conflict,
    Failure,
    Gone,
    Moved,
    NotSent,
    RateLimited,
    Rejected,
    Unavailable,
)
from register.core import Command
from register.store.outbox import Sending
from register.topics.delivery import ConfirmSending, DoubtSending, FailSending, PauseVendor
from register.topics.relinking import FollowMove


@dataclass(frozen=True, slots=True)
class Later:
    """Nothing was carried out: try again at `at`. With `first`, a command is carried out before."""

    at: datetime
    why: str
    first: Command | None = None


MOST_CONFLICTS: Final = 5
"""Tries after which a ticket that is changed all the time is for a person."""
RETRY: Final = wait_exponential_jitter(multiplier=2, max=300, jitter=1)


@dataclass(frozen=True, slots=True)
class Timing:
    """The engine's waits, injectable so that tests need not wait."""

    lookups: tuple[timedelta, ...] = (
        timedelta(seconds=5),
        timedelta(seconds=30),
        timedelta(minutes=2),
        timedelta(minutes=10),
    )
    retry: wait_base = RETRY
    settle: timedelta | None = None  # None: as the connector's Info says
    lease_margin: timedelta = timedelta(seconds=5)
    probe: timedelta = timedelta(seconds=15)  # after so many failures in a row: the first wait, then doubled

    def backoff(self, tries: int) -> timedelta:
        """How long to wait before the next try: tenacity decides, and nothing but the wait."""
        state = RetryCallState(None, None, (), {})  # type: ignore[arg-type]  # a wait looks at the count alone
        state.attempt_number = max(1, tries)
        return timedelta(seconds=self.retry(state))


Next = Command | Later
Learned = ConfirmSending | DoubtSending | FailSending
"""Commands that take along what was asked and what came back."""


def _doubt(row: Sending, outcome: Failure, now: datetime, timing: Timing) -> Next:
    return DoubtSending(row_id=row.row_id, tries=row.tries, why=outcome.why, next_at=now + timing.lookups[0])


def _dead(row: Sending, outcome: Failure, now: datetime, timing: Timing) -> Next:
    return FailSending(row_id=row.row_id, tries=row.tries, why=outcome.why)


def _later(row: Sending, outcome: Failure, now: datetime, timing: Timing) -> Next:
    asked = getattr(outcome, "retry_after", None)
    return Later(now + max(asked or timedelta(0), timing.backoff(row.tries)), outcome.why)


def _busy(row: Sending, outcome: Failure, now: datetime, timing: Timing) -> Next:
    """Somebody changes the ticket just now, so nothing was done: again a little later, and not for ever."""
    if row.kind == "create" or row.tries >= MOST_CONFLICTS:
        return _dead(row, outcome, now, timing)
    return _later(row, outcome, now, timing)


def _auth(row: Sending, outcome: Failure, now: datetime, timing: Timing) -> Next:
    """A secret that is missing here is this process's lack; one that is refused stops the vendor."""
    if isinstance(outcome, AuthFailed) and outcome.trouble is AuthTrouble.MISSING:
        return _later(row, outcome, now, timing)
    return Later(now, outcome.why, PauseVendor(vendor=row.vendor, why=outcome.why))


def _moved(row: Sending, outcome: Failure, now: datetime, timing: Timing) -> Next:
    """The ticket goes on under another reference: take that, then send there what was not sent here."""
    if not isinstance(outcome, Moved):
        raise TypeError(f"{type(outcome).__name__} is no Moved")
    follow = FollowMove(target=row.incident, bond=row.bond, ref=outcome.new)
    return Later(now + timing.backoff(row.tries), outcome.why, follow)


AFTER: Final[Mapping[type[Failure], Callable[[Sending, Failure, datetime, Timing], Next]]] = MappingProxyType(
    {
        NotSent: _later,
        RateLimited: _later,
        Unavailable: _later,
        AuthFailed: _auth,
        Rejected: _dead,
        Conflict: _busy,
        Gone: _dead,
        Moved: _moved,
        Ambiguous: _doubt,
    }
)
"""Outcome → what follows. Whether a request may be repeated is told by its kind, never by a wait."""
