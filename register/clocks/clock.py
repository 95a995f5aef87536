"""A clock that was started for an incident, and how it stands at an instant."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import NamedTuple

from register.clocks.book import Promise, Rule
from register.clocks.count import Count


class Stage(StrEnum):
    """Whether it was kept is another matter: a clock of any stage may be breached."""

    RUNNING = "in progress"
    PAUSED = "paused"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


class Span(NamedTuple):
    """A stretch of time in which a clock ran, or stood still and why."""

    begin: int
    end: int | None  # None: still so
    paused: str  # why; empty: it ran


@dataclass
class Clock:
    """One promise at work. Instants are whole seconds since 1970; lengths are seconds.

    began: from when on it counts.
    attached: since when it is promised; later than `began` where it counts from the incident's beginning.
    total: it goes on after its first end was taken back; the first one is a clock of its own, and done.
    why: of one that is over, what ended it.
    """

    rule: Rule
    promise: Promise
    count: Count
    priority: str
    began: int
    attached: int
    vendor: str = ""
    bond: int | None = None  # the place of the supplier's bond in the incident
    total: bool = False
    spans: list[Span] = field(default_factory=list)
    stage: Stage = Stage.RUNNING
    ended: int | None = None
    why: str = ""

    @property
    def name(self) -> str:
        return f"{self.rule.name}, total" if self.total else self.rule.name

    @property
    def target(self) -> int:
        return self.promise.seconds

    @property
    def is_over(self) -> bool:
        return self.ended is not None

    def used(self, now: int) -> int:
        """Business seconds that it has run."""
        return sum(self.count.between(span.begin, until) for span, until in self._ran(now))

    def actual(self, now: int) -> int:
        """Seconds on the wall from its beginning to its end or to now, pauses and nights included."""
        return max(0, (now if self.ended is None else self.ended) - self.began)

    def left(self, now: int) -> int:
        """Business seconds that are left of the target; less than none is a breach."""
        return self.target - self.used(now)

    def is_breached(self, now: int) -> bool:
        return self.left(now) < 0

    def reached(self, seconds: int) -> int | None:
        """The instant by which it has run so long, or will have; None where it stands still before that."""
        for span in self.spans:
            if span.paused:
                continue
            here = None if span.end is None else self.count.between(span.begin, span.end)
            if here is None or here >= seconds:
                return self.count.after(span.begin, seconds)
            seconds -= here
        return None

    @cached_property  # asked once all has happened to it
    def due(self) -> int | None:
        """When the target is reached, or was, or would have been; None where it is paused with time left."""
        found = self.reached(self.target)
        if found is None and self.ended is not None and self.spans and not self.spans[-1].paused:
            return self.count.after(self.ended, self.left(self.ended))
        return found

    @property
    def breach(self) -> int | None:
        """When it is breached, or was: once a whole second too many has run. Never before it was promised."""
        found = self.reached(self.target + 1)
        return None if found is None else max(found, self.attached)

    def crossed(self) -> list[tuple[int, int]]:
        """When each threshold, in percent, is passed if it runs on. 100 is the breach.

        What was passed before it was promised is not told one by one: only the breach, and then.
        """
        found = []
        for percent in self.rule.thresholds:
            passed = self.breach if percent >= 100 else self.reached(-(-self.target * percent // 100))
            if passed is not None and (percent >= 100 or passed >= self.attached):
                found.append((percent, passed))
        return found

    def _ran(self, now: int) -> Iterator[tuple[Span, int]]:
        for span in self.spans:
            if not span.paused:
                yield span, now if span.end is None else span.end

    # What happens to it

    def turn(self, at: int, paused: str) -> None:
        """From now on it runs, or stands still for this reason."""
        self.stage = Stage.PAUSED if paused else Stage.RUNNING
        if self.spans:
            last = self.spans[-1]
            if last.paused == paused:
                return
            self._close(at)
        if self.spans and (self.spans[-1].paused, self.spans[-1].end) == (paused, at):
            at = self.spans.pop().begin  # what stood between took no time
        self.spans.append(Span(at, None, paused))

    def end(self, at: int, stage: Stage, why: str) -> None:
        self._close(at)
        self.stage, self.ended, self.why = stage, at, why

    def _close(self, at: int) -> None:
        last = self.spans.pop()
        if at > last.begin:
            self.spans.append(last._replace(end=at))
