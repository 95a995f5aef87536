"""Counting business seconds by a calendar that was changed on the way: each version's hours from then on."""

from __future__ import annotations

from register.calendars import Calendar, Hours
from register.clocks.book import Timeline


class Count:
    """One calendar of a timeline. What was used stays used; the rest counts on the new hours."""

    __slots__ = ("_pieces", "calendars")

    def __init__(self, calendars: list[tuple[int, Calendar]]) -> None:
        """calendars: since when each holds, the first one from the beginning."""
        self.calendars = calendars
        ends = [since for since, _ in calendars[1:]]
        self._pieces: list[tuple[Hours, int | None]] = [
            (calendar.ready, end) for (_, calendar), end in zip(calendars, [*ends, None], strict=True)
        ]

    def between(self, begin: int, end: int) -> int:
        """Business seconds from one instant to a later one."""
        if len(self._pieces) == 1:
            return self._pieces[0][0].between(begin, end)
        total = 0
        for hours, until in self._pieces:
            stop = end if until is None else min(until, end)
            if begin < stop:
                total += hours.between(begin, stop)
                begin = stop
        return total

    def after(self, begin: int, seconds: int) -> int | None:
        """The first instant by which so many business seconds have gone since `begin`; None where never."""
        for hours, until in self._pieces:
            if until is None:
                return hours.after(begin, seconds)
            if begin < until:
                here = hours.between(begin, until)
                if here >= seconds:
                    return hours.after(begin, seconds)
                begin, seconds = until, seconds - here
        return None

    def opening(self, at: int) -> int | None:
        """`at` if it lies inside business hours, else the next opening."""
        for hours, until in self._pieces:
            found = hours.opening(at) if until is None or at < until else None
            if found is not None and (until is None or found < until):
                return found
            at = at if until is None else max(at, until)
        return None

    def at(self, instant: int) -> Calendar:
        """The calendar as it is at an instant."""
        found = self.calendars[0][1]
        for since, calendar in self.calendars[1:]:
            if since <= instant:
                found = calendar
        return found


class Counts:
    """The counts of a timeline, by a calendar's name. One that a version lost goes on as it was."""

    __slots__ = ("_known", "_timeline")

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline
        self._known: dict[str, Count] = {}

    def __getitem__(self, name: str) -> Count:
        found = self._known.get(name)
        if found is None:
            found = self._known[name] = Count(self._versions(name))
        return found

    def _versions(self, name: str) -> list[tuple[int, Calendar]]:
        found: list[tuple[int, Calendar]] = []
        for since, book in self._timeline:
            calendar = book.calendars.get(name)
            if calendar is not None and (not found or calendar != found[-1][1]):
                found.append((since, calendar))
        return found
