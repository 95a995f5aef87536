"""What people arranged beside one rota's rules, made ready for asking. Pure."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from register.duty import Duty, Override, Shift, Temporary


class ShiftLine:
    """Shifts as a line of time: who has one at an instant, and where that changes."""

    def __init__(self, shifts: Iterable[Shift]) -> None:
        kept = sorted((one for one in shifts if one.begin < one.end), key=lambda one: one.begin)
        self.edges = sorted({at for one in kept for at in one[:2]})
        self._who: list[tuple[str, ...]] = []
        waiting, now = iter([*kept, None]), list[Shift]()
        following = next(waiting)
        for edge in self.edges:
            now = [one for one in now if one.end > edge]
            while following is not None and following.begin <= edge:
                now.append(following)
                following = next(waiting)
            self._who.append(tuple(dict.fromkeys(one.person for one in now)))

    def who(self, at: datetime) -> tuple[str, ...]:
        """The ids, whose shift began first the first one."""
        place = bisect_right(self.edges, at) - 1
        return self._who[place] if place >= 0 else ()


def applied(one: Override, who: tuple[str, ...], known: Collection[str]) -> tuple[str, ...]:
    """Who is on call with an override. known: ids of the matrix; one who is not there stands in for nobody.

    A replacement that cannot be told would leave a step silent: then the one who is on call stays.
    """
    if one.add is not None and one.add not in known:
        return who
    if one.remove is None:
        return who if one.add is None or one.add in who else (*who, one.add)
    if one.remove not in who:
        return who
    instead = () if one.add is None or one.add in who else (one.add,)
    place = who.index(one.remove)
    return (*who[:place], *instead, *who[place + 1 :])


@dataclass(frozen=True, slots=True)
class Arrangement:
    """Of one rota. temporary: the one that was arranged last first, for that one holds."""

    overrides: tuple[Override, ...]
    temporary: tuple[tuple[Temporary, ShiftLine], ...]
    feed: ShiftLine | None

    def instead(self, at: datetime) -> ShiftLine | None:
        """The temporary schedule that says alone who is on call at this instant."""
        return next((line for one, line in self.temporary if one.begin <= at < one.end), None)

    def edges(self) -> Iterator[datetime]:
        """Every instant at which it may change who is on call."""
        for one in self.overrides:
            yield from (one.begin, one.end)
        for temporary, line in self.temporary:
            yield from (temporary.begin, temporary.end, *line.edges)
        if self.feed is not None:
            yield from self.feed.edges


def arrangement(duty: Duty, rota: str) -> Arrangement:
    """What is arranged for a rota; made once of each state of the duty."""
    found: Arrangement | None = duty.ready.get(rota)
    if found is None:
        feed = duty.feeds.get(rota)
        found = duty.ready[rota] = Arrangement(
            tuple(one for one in duty.overrides if one.rota == rota),
            tuple((one, ShiftLine(one.shifts)) for one in reversed(duty.temporary) if one.rota == rota),
            None if feed is None else ShiftLine(feed),
        )
    return found
