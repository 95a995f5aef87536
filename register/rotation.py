"""A rotation made ready: whose turn it is at an instant, and when turns begin.

Turns are handed over at wall-clock times: "daily" is the same time of each day, whatever the clocks did in
the night. A time that the clocks skip is the first instant after the gap, of one that comes twice it is the
first. So turn n begins when the zone's clocks first show its time or a later one, and no turn overlaps
another or leaves a gap before it.
"""

from __future__ import annotations

from calendar import monthrange
from datetime import datetime, timedelta
from typing import Final, Literal
from zoneinfo import ZoneInfo

from register.calendars import wall

Unit = Literal["hourly", "daily", "weekly", "monthly"]
_STEPS: Final = {"hourly": timedelta(hours=1), "daily": timedelta(days=1), "weekly": timedelta(weeks=1)}
_NEVER: Final = 2**62


class Rotation:
    """Turns of `every` hours, days, weeks or months from `start` on: a wall time of the zone, naive."""

    def __init__(self, zone: ZoneInfo, unit: Unit, every: int, start: datetime) -> None:
        self._zone = zone
        self._every = every
        self._start = start.replace(fold=0)
        step = _STEPS.get(unit)
        self._step = None if step is None else step * every  # a month has no length
        self._last = (0, 0, 0)  # the turn that was asked for last: from, until, which

    def turn(self, at: int) -> int | None:
        """Which turn, from 0, it is at these seconds since 1970; None before the first one."""
        begin, end, turn = self._last
        if begin <= at < end:
            return turn
        turn = self._shown(datetime.fromtimestamp(at, self._zone).replace(tzinfo=None, fold=0))
        end = self.begins(turn + 1)
        while end <= at:  # the clocks were set back to before a handover that has been
            turn += 1
            end = self.begins(turn + 1)
        if turn < 0:
            return None
        self._last = (self.begins(turn), end, turn)
        return turn

    def begins(self, turn: int) -> int:
        """The seconds since 1970 at which a turn begins."""
        try:
            return wall(self._zone, self._wall_time(turn))
        except (OverflowError, ValueError):  # beyond what a calendar has
            return _NEVER

    def edges(self, begin: int, end: int) -> set[int]:
        """Every handover from `begin` on, before `end`."""
        found: set[int] = set()
        turn = self.turn(begin)
        turn = 0 if turn is None else turn
        at = self.begins(turn)
        while at < end:
            found.add(at)
            turn += 1
            at = self.begins(turn)
        return {at for at in found if at >= begin}

    def _wall_time(self, turn: int) -> datetime:
        if self._step is not None:
            return self._start + turn * self._step
        months = self._start.month - 1 + turn * self._every
        year, month = self._start.year + months // 12, months % 12 + 1
        return self._start.replace(year, month, min(self._start.day, monthrange(year, month)[1]))

    def _shown(self, local: datetime) -> int:
        """The last turn whose time is not after this one on a clock that is never set."""
        if self._step is not None:
            return (local - self._start) // self._step
        months = (local.year - self._start.year) * 12 + local.month - self._start.month
        turn = months // self._every
        return turn - 1 if self._wall_time(turn) > local else turn
