"""A time of the wall clock as one moment, also where the clocks skip it or show it twice."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

LAST_YEAR: Final = 9998
"""Beyond it a moment may have no wall time in some zone."""


def within_reach(moment: datetime) -> datetime:
    """Return the moment in UTC; raises ValueError, or OverflowError, outside of what calendars have."""
    found = moment.astimezone(UTC)
    if not 1 < found.year <= LAST_YEAR:
        raise ValueError("out of reach")
    return found


def on_the_wall(wall: datetime, now: datetime, *, utc: bool = False) -> datetime:
    """Return the moment at which this host's clocks, or UTC's, show `wall`, which is naive.

    What the clocks skip is the first moment after the gap. Of what they show twice it is the first one that
    has not gone by. Raises ValueError, or OverflowError, outside of what calendars have.
    """
    if utc:
        return within_reach(wall.replace(tzinfo=UTC))
    first, last = sorted(within_reach(wall.replace(fold=fold).astimezone()) for fold in (0, 1))
    if first.astimezone().replace(tzinfo=None, fold=0) != wall.replace(fold=0):
        return _gaps_end(first, last)
    return first if first > now else last


def _gaps_end(before: datetime, after: datetime) -> datetime:
    """Return the moment between two at which the clocks are put forward, to the second."""
    offset = after.astimezone().utcoffset()
    while after - before > timedelta(seconds=1):
        middle = before + (after - before) // 2
        if middle.astimezone().utcoffset() == offset:
            after = middle
        else:
            before = middle
    return after.replace(microsecond=0)
