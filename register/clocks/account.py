"""How a clock's figures came about at an instant: each stretch with its seconds, and what they add up to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from register.clocks.clock import Clock, Stage
from register.clocks.definition import Facts, Kind, Metric
from register.clocks.track import own_steps
from register.incident import OPEN, Track

_OPEN = frozenset(state.value for state in OPEN)


class Stretch(NamedTuple):
    """A span of a clock up to the instant of looking."""

    begin: int
    end: int | None  # None: up to now, and on
    paused: str  # why; empty: it ran
    business: int  # seconds of the calendar in it; counted only where it ran


@dataclass(frozen=True, slots=True)
class Account:
    """One clock at an instant. left: less than none is over. breached: None where it is not, or not yet."""

    clock: Clock
    now: int
    stretches: tuple[Stretch, ...]
    used: int
    left: int
    actual: int
    due: int | None
    breached: int | None
    breach: int | None  # when it is breached if it runs on


def account(clock: Clock, now: int) -> Account:
    """Add a clock up."""
    stretches = tuple(
        Stretch(
            span.begin,
            span.end,
            span.paused,
            clock.count.between(span.begin, now if span.end is None else span.end),
        )
        for span in clock.spans
    )
    used = sum(stretch.business for stretch in stretches if not stretch.paused)
    over = used > clock.target
    return Account(
        clock=clock,
        now=now,
        stretches=stretches,
        used=used,
        left=clock.target - used,
        actual=clock.actual(now),
        due=clock.due,
        breached=clock.breach if over else None,
        breach=clock.breach,
    )


class Gap(NamedTuple):
    """How a supplier's fix stands beside our own promise. seconds: to spare; less than none: too late."""

    vendor: str
    ours: Clock
    theirs: Clock
    seconds: int
    by_wall: bool  # between two instants; else between what is left of two clocks, for one of them stands


def gaps(clocks: Sequence[Clock], now: int) -> list[Gap]:
    """Lay each supplier's running fix beside the resolution that we owe first."""
    running = [clock for clock in clocks if not clock.is_over]
    ours = [c for c in running if (c.rule.kind, c.rule.metric) == (Kind.SLA, Metric.RESOLUTION)]
    if not ours:
        return []
    first = min(ours, key=lambda clock: (clock.due is None, clock.due or clock.left(now)))
    found = []
    for theirs in running:
        if theirs.rule.metric is Metric.FIX:
            both = first.due is not None and theirs.due is not None
            seconds = (first.due or 0) - (theirs.due or 0) if both else first.left(now) - theirs.left(now)
            found.append(Gap(theirs.vendor, first, theirs, seconds, both))
    return found


@dataclass(slots=True)
class Holding:
    """How long a team had the incident while it was open, round the clock."""

    team: str
    seconds: int = 0
    on_hold: int = 0  # of them, while it was on hold
    now: bool = False  # it has it


def held_by(track: Track, now: int) -> list[Holding]:
    """Sum up who held an incident for how long, in the order in which they first had it."""
    found: dict[str, Holding] = {}
    facts: Facts = {}
    steps = own_steps(track)
    ends: Iterable[int] = [at for at, _ in steps[1:]] + [max([now, *(at for at, _ in steps[-1:])])]
    for (begin, told), end in zip(steps, ends, strict=True):
        facts |= told
        if facts.get("state") in _OPEN:
            holding = found.setdefault(facts.get("team", ""), Holding(facts.get("team", "")))
            holding.seconds += end - begin
            holding.on_hold += end - begin if facts.get("hold") else 0
    if facts.get("state") in _OPEN:
        found[facts.get("team", "")].now = True
    return list(found.values())


def outcome(clock: Clock, left: int, length: str) -> str:
    """Return in a few words how a clock stands: `in progress, 3h left`, `completed, 4m over`."""
    if clock.stage is Stage.CANCELLED:
        return clock.stage.value
    word = "over" if left < 0 else "to spare" if clock.is_over else "left"
    return f"{clock.stage.value}, {length} {word}"
