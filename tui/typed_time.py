"""A time as people type it, read in one place: `2h`, `-2h`, `2h ago`, `09:30`, `yesterday`, or an ISO time.

Whoever asks says which way they look: to what is to come (`--until`), or to what lies behind (`--as-of`). A
length without a sign and a time of day go that way; a day alone is its beginning. A zone may stand behind;
without one it is this host's, also where its clocks skip a time or show it twice.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

LAST_YEAR: Final = 9998
"""Beyond it a moment may have no wall time in some zone."""
Wall = Callable[[datetime, tzinfo | None], datetime]
"""From what a zone's clocks show, which is naive, to the moment; None is this host's zone."""
_LENGTH: Final = re.compile(
    r"([+-]?)\s*(?=\d)(?:(\d+)\s*d)?\s*(?:(\d+)\s*h)?\s*(?:(\d+)\s*m?)?\s*(ago)?", re.ASCII | re.IGNORECASE
)
_BARE: Final = re.compile(r"[+-]?\s*\d+", re.ASCII)
_ZONED: Final = re.compile(
    r"(.*\d.*|yesterday|today|tomorrow)\s+([A-Za-z][\w+/-]*)", re.ASCII | re.IGNORECASE
)
_CLOCK: Final = re.compile(r"(?:(\w+)\s+)?(\d{1,2}:\d\d(?::\d\d)?)", re.ASCII)
_WAYS: Final = {"+": 1, "-": -1}
_DAYS: Final = {"yesterday": -1, "today": 0, "tomorrow": 1}


class NoZone(ValueError):
    """What stands behind a time is the name of no zone."""


@dataclass(frozen=True, slots=True)
class Typed:
    """What was typed: a length of time from now, or what clocks on a wall show."""

    span: timedelta | None = None
    way: int = 0  # of the length: 1 ahead, -1 behind, 0 was not said
    bare: bool = False  # the length is a number alone: minutes, and only of what is to come
    day: date | int | None = None  # a date; days from today; None: the nearest that fits
    clock: time = time()
    zone: tzinfo | None = None


def read(text: str) -> Typed | None:
    """Return what a text says; None where it says no time, ValueError where no calendar has it."""
    text = " ".join(text.split())
    length = _LENGTH.fullmatch(text)
    if text.casefold() == "now" or length is not None:
        return Typed(timedelta()) if length is None else _length(text, *length.groups(default=""))
    text, zone = _zone(text)
    if text.casefold() in _DAYS:
        return Typed(day=_DAYS[text.casefold()], zone=zone)
    clock = _CLOCK.fullmatch(text)
    if clock is not None and (clock[1] or "today").casefold() in _DAYS:
        at = time.fromisoformat(clock[2].zfill(5 if clock[2].count(":") == 1 else 8))
        return Typed(day=_DAYS[clock[1].casefold()] if clock[1] else None, clock=at, zone=zone)
    return None if text.isdigit() else _iso(text, zone)


def _length(text: str, sign: str, days: str, hours: str, minutes: str, ago: str) -> Typed | None:
    if sign == "+" and ago:
        return None
    span = timedelta(days=int(days or 0), hours=int(hours or 0), minutes=int(minutes or 0))
    return Typed(span, -1 if ago else _WAYS.get(sign, 0), bare=_BARE.fullmatch(text) is not None)


def _zone(text: str) -> tuple[str, tzinfo | None]:
    """Return the text without a zone's name behind it, and that zone."""
    if text[-1:] in ("z", "Z") and text[-2:-1].isdigit():
        return text[:-1], UTC
    named = _ZONED.fullmatch(text)
    if named is None:
        return text, None
    if named[2].upper() in ("UTC", "Z"):
        return named[1], UTC
    try:
        return named[1], ZoneInfo(named[2])
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise NoZone(named[2]) from None


def _iso(text: str, zone: tzinfo | None) -> Typed | None:
    found = datetime.fromisoformat(text.upper().replace(" +", "+").replace(" -", "-"))
    if found.tzinfo is not None and zone is not None:
        return None
    return Typed(day=found.date(), clock=found.time(), zone=found.tzinfo or zone)


def placed(typed: Typed, now: datetime, *, ahead: bool, wall: Wall) -> datetime | None:
    """Return the moment that is meant by somebody who looks that way; None where it is none then."""
    if typed.span is not None:
        if typed.bare and not ahead:
            return None
        return within_reach(now + typed.span * (typed.way or (1 if ahead else -1)))
    if isinstance(typed.day, date):
        return within_reach(wall(datetime.combine(typed.day, typed.clock), typed.zone))

    def on(days: int) -> datetime:
        today = now.astimezone(typed.zone).date()
        return within_reach(wall(datetime.combine(today + timedelta(days), typed.clock), typed.zone))

    found = on(typed.day or 0)
    if typed.day is None and (found <= now if ahead else found > now):
        return on(1 if ahead else -1)
    return found


def moment(text: str, now: datetime) -> datetime | None:
    """Return the moment to come that a text says; None where it says none.

    A time of day that has gone by today is tomorrow's. One that the clocks skip is the first moment after
    the gap; of one that they show twice it is the one still to come.
    """
    return _found(text, now, ahead=True)


def earlier(text: str, now: datetime) -> datetime | None:
    """Return the moment behind that a text says; None where it says none.

    A date may lie ahead: clocks differ.
    """
    return None if text.strip().startswith("+") else _found(text, now, ahead=False)


def _found(text: str, now: datetime, *, ahead: bool) -> datetime | None:
    try:
        typed = read(text)
        wall: Wall = lambda shown, zone: on_the_wall(shown, now, zone)  # noqa: E731
        return None if typed is None else placed(typed, now, ahead=ahead, wall=wall)
    except (ValueError, OverflowError):  # also more digits than a number or a length of time can have
        return None


def within_reach(moment: datetime) -> datetime:
    """Return the moment in UTC; raises ValueError, or OverflowError, outside of what calendars have."""
    found = moment.astimezone(UTC)
    if not 1 < found.year <= LAST_YEAR:
        raise ValueError("out of reach")
    return found


def at_zone(shown: datetime, zone: tzinfo | None) -> datetime:
    """Return a naive time as that zone's, or this host's, by its fold."""
    return shown.astimezone() if zone is None else shown.replace(tzinfo=zone)


def on_the_wall(shown: datetime, now: datetime, zone: tzinfo | None = None) -> datetime:
    """Return the moment at which a zone's clocks show this, which is naive.

    What the clocks skip is the first moment after the gap. Of what they show twice it is the first one that
    has not gone by. Raises ValueError, or OverflowError, outside of what calendars have.
    """
    first, last = sorted(within_reach(at_zone(shown.replace(fold=fold), zone)) for fold in (0, 1))
    if first.astimezone(zone).replace(tzinfo=None, fold=0) != shown.replace(fold=0):
        return _gaps_end(first, last, zone)
    return first if first > now else last


def _gaps_end(before: datetime, after: datetime, zone: tzinfo | None) -> datetime:
    """Return the moment between two at which the clocks are put forward, to the second."""
    offset = after.astimezone(zone).utcoffset()
    while after - before > timedelta(seconds=1):
        middle = before + (after - before) // 2
        if middle.astimezone(zone).utcoffset() == offset:
            after = middle
        else:
            before = middle
    return after.replace(microsecond=0)
