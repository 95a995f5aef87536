"""Business hours: weekly windows in a zone, holidays and own closing days, counted in exact seconds.

Instants are whole seconds since 1970 (UTC), as ints: differences are taken there and nowhere else, so a
night of seven hours is seven hours long. Windows are wall-clock times of a day: one that the clocks skip
begins at the first instant after the gap; of one that comes twice, a window's start is the first and its
end the last, so that nobody stands outside both.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property, lru_cache
from typing import Annotated, Any, Final, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, model_validator

DAY: Final = 86_400
_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_HOURS: Final = re.compile(
    r"([a-z]{3})(?:\s*-\s*([a-z]{3}))?\s+(\d{1,2}):(\d\d)\s*-\s*(\d{1,2}):(\d\d)", re.ASCII | re.IGNORECASE
)
_CLOSED: Final = re.compile(
    r"(\d{4}-\d\d-\d\d)(?:\.\.(\d{4}-\d\d-\d\d)|\s+(\d{1,2}):(\d\d)\s*-\s*(\d{1,2}):(\d\d))?", re.ASCII
)
_HOLIDAYS: Final = r"^[A-Z]{2}(/[A-Z0-9-]{1,8})?$"
_MONTHS_WITHOUT_OPENING: Final = 120
"""So long a search goes on before a calendar is taken to be closed for good."""
_LONGEST_CLOSING: Final = 3660

Span = tuple[int, int]
"""From and to: minutes of a day in a calendar, seconds since 1970 in `Hours`."""


def _minutes(hour: str, minute: str, what: str) -> int:
    found = int(hour) * 60 + int(minute)
    if int(minute) > 59 or found > 24 * 60:
        raise ValueError(f"{what!r}: {hour}:{minute} is no time of a day")
    return found


def _window(line: str) -> tuple[range, Span]:
    """Read `Mon-Fri 08:00-17:00` as days of the week and minutes of the day; an end may lie past midnight."""
    found = _HOURS.fullmatch(line.strip())
    names = [name.lower() for name in found.groups()[:2] if name] if found else []
    if found is None or not set(names) <= set(_DAYS):
        raise ValueError(f"{line!r} is no opening time: write Mon-Fri 08:00-17:00 or Sat 22:00-06:00")
    first, last = _DAYS.index(names[0]), _DAYS.index(names[-1])
    begin, end = _minutes(found[3], found[4], line), _minutes(found[5], found[6], line)
    if begin == end or begin == 24 * 60:
        raise ValueError(f"{line!r} is no time at all; the whole day is 00:00-24:00")
    return range(first, last + 1 if last >= first else last + 8), (begin, end if end > begin else end + 1440)


def _closing(line: str) -> tuple[date, date, Span]:
    """Read `2026-12-24`, `2026-07-13..2026-07-17` or `2026-12-31 12:00-24:00`."""
    found = _CLOSED.fullmatch(line.strip())
    if found is None:
        raise ValueError(
            f"{line!r} is no closing: write 2026-12-24, 2026-07-13..2026-07-17 or 2026-12-31 12:00-24:00"
        )
    first = date.fromisoformat(found[1])
    last = date.fromisoformat(found[2]) if found[2] else first
    if not 0 <= (last - first).days <= _LONGEST_CLOSING:
        raise ValueError(f"{line!r}: the last day lies before the first, or years behind it")
    if found[3] is None:
        return first, last, (0, 1440)
    span = _minutes(found[3], found[4], line), _minutes(found[5], found[6], line)
    if span[0] >= span[1]:
        raise ValueError(f"{line!r}: it ends before it begins")
    return first, last, span


def _as_texts(given: Any) -> Any:
    """TOML writes one text or a list; a bare date is a closing day, too."""
    if isinstance(given, str | date):
        given = [given]
    return tuple(str(item) for item in given) if isinstance(given, list | tuple) else given


def _opening_times(lines: tuple[str, ...]) -> tuple[str, ...]:
    for line in lines:
        _window(line)
    return lines


_Lines = Annotated[tuple[str, ...], BeforeValidator(_as_texts)]
OpeningTimes = Annotated[_Lines, AfterValidator(_opening_times)]
"""Weekly windows of a wall clock, as `Mon-Fri 08:00-17:00`; one may end after midnight."""

HolidaysOf = Annotated[str, Field(pattern=_HOLIDAYS)]
"""A country of the library `holidays`, as NO, or with its part, as DE/BY."""


class Calendar(BaseModel, frozen=True, extra="forbid"):
    """`[calendars.NAME]` of matrix.toml: when a clock runs.

    always: round the clock, every day; nothing else may be given then.
    zone: the IANA zone in which the hours are meant.
    hours: opening times, as `Mon-Fri 08:00-17:00`; one may end after midnight.
    holidays: a country of the library `holidays`, as NO, or with its part, as DE/BY: closed all day.
    closed: own closings, as `2026-12-24`, `2026-07-13..2026-07-17` or `2026-12-31 12:00-24:00`.
    """

    always: bool = False
    zone: str = "UTC"
    hours: OpeningTimes = ()
    holidays: HolidaysOf | None = None
    closed: _Lines = ()

    @model_validator(mode="after")
    def _can_be_read(self) -> Self:
        if self.always and (self.hours or self.holidays or self.closed):
            raise ValueError("`always` is round the clock: no hours, holidays or closed beside it")
        if not self.always and not self.hours:
            raise ValueError("no opening time is given: write hours, or always = true")
        try:
            ZoneInfo(self.zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError(f"there is no zone {self.zone!r}: write one as Europe/Oslo, or UTC") from None
        for line in self.closed:
            _closing(line)
        return self

    @cached_property
    def ready(self) -> Hours:
        """The calendar as it counts."""
        return Hours(self)

    @cached_property
    def working_day(self) -> int:
        """Seconds of one working day: of the longest day in the week."""
        return DAY if self.always else max(sum(b - a for a, b in day) for day in self.ready.week) * 60

    def faults(self) -> list[str]:
        """What can only be found by asking the library: a country it does not know."""
        if self.holidays is None:
            return []
        try:
            _holidays(self.holidays, 2026)
        except (NotImplementedError, KeyError, ValueError):
            return [f"the library `holidays` does not know {self.holidays!r}"]
        return []


class _Month:
    """The openings of one month in the zone: where each begins and ends, and what went before."""

    __slots__ = ("begins", "ends", "sums", "total")

    def __init__(self, spans: list[Span]) -> None:
        self.begins = [begin for begin, _ in spans]
        self.ends = [end for _, end in spans]
        self.sums: list[int] = []  # up to each opening's end
        self.total = 0
        for begin, end in spans:
            self.total += end - begin
            self.sums.append(self.total)

    def until(self, at: int) -> int:
        """Open seconds of this month before `at`."""
        place = bisect_right(self.begins, at) - 1
        if place < 0:
            return 0
        return self.sums[place] - max(0, self.ends[place] - at)

    def when(self, seconds: int) -> int:
        """The instant by which so many seconds (1 to total) of this month are over."""
        place = bisect_left(self.sums, seconds)
        return self.ends[place] - (self.sums[place] - seconds)

    def opening(self, at: int) -> int | None:
        """`at` if it lies inside an opening, else the next one's begin."""
        place = bisect_right(self.ends, at)
        return None if place == len(self.ends) else max(at, self.begins[place])


class Hours:
    """A calendar made ready for counting. Months are worked out once, when they are first asked about."""

    def __init__(self, calendar: Calendar) -> None:
        self.always = calendar.always
        self._zone = ZoneInfo(calendar.zone)
        self._country = calendar.holidays
        self._closed = [_closing(line) for line in calendar.closed]
        week: list[list[Span]] = [[] for _ in _DAYS]
        for days, (begin, end) in map(_window, calendar.hours):
            for day in days:
                week[day % 7].append((begin, min(end, 1440)))
                if end > 1440:
                    week[(day + 1) % 7].append((0, end - 1440))
        self.week = [_merged(day) for day in week]
        self._months: dict[int, _Month] = {}

    def between(self, begin: int, end: int) -> int:
        """Business seconds from one instant to a later one."""
        if end <= begin:
            return 0
        if self.always:
            return end - begin
        first, last = self._place(begin), self._place(end)
        if first == last:
            month = self._month(first)
            return month.until(end) - month.until(begin)
        whole = sum(self._month(place).total for place in range(first, last))
        return whole - self._month(first).until(begin) + self._month(last).until(end)

    def after(self, begin: int, seconds: int) -> int | None:
        """The first instant by which so many business seconds have gone since `begin`; None where never.

        With none to go it is `begin` itself, or the next opening.
        """
        if self.always:
            return begin + max(0, seconds)
        if seconds <= 0:
            return self.opening(begin)
        place = self._place(begin)
        month = self._month(place)
        left, idle = seconds + month.until(begin), 0
        while left > month.total:
            left -= month.total
            idle = 0 if month.total else idle + 1
            if idle > _MONTHS_WITHOUT_OPENING or place >= 12 * 9998:
                return None
            place += 1
            month = self._month(place)
        return month.when(left)

    def opening(self, at: int) -> int | None:
        """`at` if it lies inside business hours, else the next opening; None where there is none."""
        if self.always:
            return at
        first = self._place(at)
        for place in range(first, min(first + _MONTHS_WITHOUT_OPENING, 12 * 9998)):
            found = self._month(place).opening(at)
            if found is not None:
                return found
        return None

    def is_open(self, at: int) -> bool:
        return self.opening(at) == at

    def edges(self, begin: int, end: int) -> set[int]:
        """Every instant from `begin` on, before `end`, at which an opening may begin or end."""
        if self.always or end <= begin:
            return set()
        found: set[int] = set()
        for place in range(self._place(begin), self._place(end) + 1):
            month = self._month(place)
            found.update(month.begins, month.ends)
        return {at for at in found if begin <= at < end}

    def _place(self, at: int) -> int:
        local = datetime.fromtimestamp(at, self._zone)
        return local.year * 12 + local.month - 1

    def _month(self, place: int) -> _Month:
        found = self._months.get(place)
        if found is None:
            found = self._months[place] = self._worked_out(place)
        return found

    def _worked_out(self, place: int) -> _Month:
        day = date(place // 12, place % 12 + 1, 1)
        spans: list[Span] = []
        while day.month == place % 12 + 1:
            for begin, end in self._of(day):
                start, stop = self._instant(day, begin, 0), self._instant(day, end, 1)
                if spans and start <= spans[-1][1]:
                    spans[-1] = (spans[-1][0], max(stop, spans[-1][1]))
                elif start < stop:
                    spans.append((start, stop))
            day += timedelta(days=1)
        return _Month(spans)

    def _of(self, day: date) -> list[Span]:
        """The openings of one day, in minutes of its wall clock."""
        open_ = self.week[day.weekday()]
        if not open_ or (self._country and day in _holidays(self._country, day.year)):
            return []
        for first, last, (begin, end) in self._closed:
            if first <= day <= last:
                pieces = [((a, min(b, begin)), (max(a, end), b)) for a, b in open_]
                open_ = [(a, b) for pair in pieces for a, b in pair if a < b]
        return open_

    def _instant(self, day: date, minute: int, last: int) -> int:
        """The instant of a wall time; of two the first or the last, after a gap the first one there is."""
        if minute == 1440:  # the day's end is the next one's begin, which comes once
            day, minute, last = day + timedelta(days=1), 0, 0
        shown = datetime.combine(day, time(minute // 60, minute % 60, fold=last))
        return wall(self._zone, shown)


def wall(zone: ZoneInfo, local: datetime) -> int:
    """Return the instant at which a zone's clocks show `local` (naive; `fold` says which of two).

    A time that the clocks skip gives the first instant after the gap; Python gives one further behind.
    """
    at = int(local.replace(tzinfo=zone).timestamp())
    if datetime.fromtimestamp(at, zone).replace(tzinfo=None, fold=0) == local.replace(fold=0):
        return at
    other = int(local.replace(tzinfo=zone, fold=1 - local.fold).timestamp())
    before, after = sorted((at, other))
    offset = datetime.fromtimestamp(after, zone).utcoffset()
    while after - before > 1:
        middle = (before + after) // 2
        if datetime.fromtimestamp(middle, zone).utcoffset() == offset:
            after = middle
        else:
            before = middle
    return after


def _merged(day: list[Span]) -> list[Span]:
    found: list[Span] = []
    for begin, end in sorted(day):
        if found and begin <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((begin, end))
    return found


@lru_cache(maxsize=512)
def _holidays(country: str, year: int) -> frozenset[date]:
    import holidays  # imported here: a register without holidays does not pay for it

    name, _, part = country.partition("/")
    return frozenset(holidays.country_holidays(name, subdiv=part or None, years=year))


def seconds_of(at: datetime) -> int:
    """Return an aware moment as whole seconds since 1970, cut off."""
    return int(at.timestamp() // 1)


def moment_of(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


ALWAYS: Final = Calendar(always=True)
OFFICE: Final = Calendar(hours=("Mon-Fri 08:00-17:00",))
"""What a register without a matrix of its own has: `24x7` and `office`."""
