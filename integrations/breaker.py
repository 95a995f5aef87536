"""Whether a supplier may be asked now: a circuit breaker that probes, and the waits that suppliers ask for.

Pure. How it stands is kept in the register, so that a restart, or another worker, knows of it.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from integrations.errors import (
    Ambiguous,
    Conflict,
    Failure,
    Gone,
    Moved,
    NotSent,
    RateLimited,
    Rejected,
    Unavailable,
)
from register.store.vendors import Standing

TRIPS_AT: Final = 5
"""Failures in a row after which only one request at a time is tried, each after a longer wait."""
_NO_ANSWER: Final = (NotSent, Unavailable, Ambiguous)
_A_NO: Final = (Rejected, Conflict, Moved, Gone)
"""A no is an answer, too. A refused credential stops the supplier otherwise."""
LONGEST: Final = timedelta(minutes=5)
"""The longest wait of our own; what a supplier asks for may be longer."""
UNTOLD: Final = timedelta(seconds=5)
"""The wait after a 429 that names none."""


def room_in(standing: Standing, room: int, now: datetime) -> int:
    """How many requests may be begun now, of those that there is room for."""
    if standing.paused or (standing.not_before is not None and now < standing.not_before):
        return 0
    return min(room, 1) if standing.failures >= TRIPS_AT else room


def after(standing: Standing, outcome: object, now: datetime, first: timedelta) -> Standing:
    """How the supplier stands after this outcome: an answer, or a `Failure`. first: our first wait."""
    if not isinstance(outcome, Failure):
        return _well(standing, now)
    if isinstance(outcome, RateLimited):
        return _waits(standing, outcome.why, outcome.retry_after or UNTOLD, now)
    if isinstance(outcome, _NO_ANSWER):
        return _fails(standing, outcome, now, first)
    return _well(standing, now) if isinstance(outcome, _A_NO) else standing


def after_poll(standing: Standing, outcome: Failure, now: datetime) -> Standing:
    """How the supplier stands after a poll that failed: only what it asks for itself counts here.

    Whether it takes what is sent is another question, which polls neither raise nor settle.
    """
    asks = getattr(outcome, "retry_after", None)
    if isinstance(outcome, RateLimited) or asks is not None:
        return _waits(standing, outcome.why, asks or UNTOLD, now)
    return standing


def asked_until(standing: Standing, now: datetime) -> datetime | None:
    """Until when the supplier itself asks to be let be, if it does: then it is not polled either."""
    until = standing.not_before
    ours = standing.failures >= TRIPS_AT
    return None if ours or until is None or until <= now else until


def _well(standing: Standing, now: datetime) -> Standing:
    """It answers. A wait that it asked for still holds."""
    asked = standing.not_before if not standing.failures else None
    holds = asked is not None and now < asked
    return replace(
        standing, failures=0, not_before=asked if holds else None, why=standing.why if holds else ""
    )


def _waits(standing: Standing, why: str, wait: timedelta, now: datetime) -> Standing:
    until = now + wait
    return replace(standing, not_before=max(until, standing.not_before or until), why=why)


def _fails(standing: Standing, outcome: Failure, now: datetime, first: timedelta) -> Standing:
    failures = standing.failures + 1
    asked = getattr(outcome, "retry_after", None) or timedelta(0)
    if failures < TRIPS_AT:
        return replace(standing, failures=failures)
    own = min(first * 2 ** min(failures - TRIPS_AT, 10), LONGEST)
    return replace(standing, failures=failures, not_before=now + max(own, asked), why=outcome.why)
