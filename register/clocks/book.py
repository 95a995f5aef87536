"""A matrix's calendars, clocks and contracts made ready: rules with targets in seconds, by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Final

from register.calendars import ALWAYS, OFFICE, Calendar, Hours
from register.clocks.definition import (
    PAUSES,
    RESET_BY,
    RETURNS,
    START,
    STOP,
    VENDOR_WAITS,
    ClockDefinition,
    Condition,
    Contract,
    Kind,
    Metric,
    Needs,
    Target,
    pause_of,
    together,
)


@dataclass(frozen=True, slots=True)
class Promise:
    """A target as a clock counts it: seconds, by the calendar of that name."""

    seconds: int
    calendar: str
    written: str  # as the matrix has it


@dataclass(frozen=True, slots=True)
class Rule:
    """A definition made ready: six conditions, and a target for each priority that has one.

    Any of `stop` and any of `pause` is enough. `cancel` comes on top: it is cancelled as well when `start` no
    longer holds. leaves: what resets it completes it, even where the next one is for others.
    """

    name: str
    kind: Kind
    metric: Metric
    promises: Mapping[str, Promise]  # by the priority's digit
    start: Needs
    stop: tuple[Needs, ...]
    pause: tuple[Needs, ...] = ()
    resume: Needs | None = None
    cancel: Needs | None = None
    reset: Needs | None = None
    reset_by: tuple[str, str] | None = None
    returns: bool = False
    leaves: bool = False
    retroactive: bool = True
    thresholds: tuple[int, ...] = (100,)
    notices: str = ""
    looks_at: frozenset[str] = field(init=False)  # the facts that can change how it stands

    def __post_init__(self) -> None:
        conditions = (self.start, *self.stop, *self.pause, self.resume, self.cancel, self.reset)
        facts = {"priority", *(name for needs in conditions if needs for name in needs)}
        object.__setattr__(self, "looks_at", frozenset(facts | set((self.reset_by or ())[:1])))


@dataclass(frozen=True)
class Book:
    """What one version of the matrix promises. Plain values; `faults` says what does not fit together."""

    calendars: Mapping[str, Calendar] = field(default_factory=dict)
    clocks: Mapping[str, ClockDefinition] = field(default_factory=dict)
    contracts: Mapping[str, Contract] = field(default_factory=dict)

    def hours(self, name: str) -> Hours | None:
        calendar = self.calendars.get(name)
        return None if calendar is None else calendar.ready

    @cached_property
    def rules(self) -> tuple[Rule, ...]:
        """The rules of our own clocks."""
        return tuple(_rule(name, one, self.calendars) for name, one in self.clocks.items())

    @cached_property
    def supplier_rules(self) -> Mapping[str, tuple[Rule, ...]]:
        """The rules of each supplier's clocks, by the supplier's name."""
        return {name: _contract_rules(name, one, self.calendars) for name, one in self.contracts.items()}

    def faults(self) -> list[str]:
        """Say what refers to nothing and what cannot be kept; empty where all is well."""
        found = [
            f"calendars.{name}.holidays: {fault}"
            for name, calendar in self.calendars.items()
            for fault in calendar.faults()
        ]
        for where, name in self._named():
            if name not in self.calendars:
                known = ", ".join(sorted(self.calendars)) or "none"
                found.append(f"{where}: there is no calendar {name!r} (known: {known})")
            elif self.calendars[name].ready.opening(0) is None:
                found.append(f"{where}: the calendar {name!r} never opens")
        if found:
            return found
        from register.clocks.fit import misfits  # it asks for rules, which need every calendar

        return misfits(self)

    def _named(self) -> list[tuple[str, str]]:
        """Every place where a calendar is named."""
        found = []
        for name, clock in self.clocks.items():
            found += [(f"clocks.{name}.calendar", clock.calendar)]
            found += [(f"clocks.{name}.notices", clock.notices)] if clock.notices else []
            found += _in_targets(f"clocks.{name}.targets", clock.targets)
        for name, contract in self.contracts.items():
            found += [(f"contracts.{name}.calendar", contract.calendar)]
            for metric, targets in contract.targets().items():
                found += _in_targets(f"contracts.{name}.{_SAID[metric]}", targets)
        return found


_SAID: Final = {Metric.ACKNOWLEDGE: "acknowledge", Metric.WORD: "update", Metric.FIX: "fix"}


def _in_targets(where: str, targets: Mapping[str, Target]) -> list[tuple[str, str]]:
    return [(f"{where}.{p}.calendar", target.calendar) for p, target in targets.items() if target.calendar]


def _promises(
    targets: Mapping[str, Target], calendar: str, calendars: Mapping[str, Calendar]
) -> Mapping[str, Promise]:
    found = {}
    for priority, target in targets.items():
        name = target.calendar or calendar
        if name in calendars:
            seconds = target.seconds(calendars[name].working_day)
            found[priority.removeprefix("P")] = Promise(seconds, name, target.within)
    return MappingProxyType(found)


def _needs(condition: Condition | None) -> Needs | None:
    return None if condition is None else condition.needs()


def _rule(name: str, one: ClockDefinition, calendars: Mapping[str, Calendar]) -> Rule:
    own = START[one.metric] if one.start is None else one.start.needs()
    pause = pause_of(one)
    return Rule(
        name=name,
        kind=one.kind,
        metric=one.metric,
        promises=_promises(one.targets, one.calendar, calendars),
        start=own if one.when is None else together(own, one.when.needs()),
        stop=STOP[one.metric] if one.stop is None else (one.stop.needs(),),
        pause=() if pause is None else (pause,),
        resume=_needs(one.resume),
        cancel=_needs(one.cancel),
        reset=_needs(one.reset),
        reset_by=None if one.reset else RESET_BY.get(one.metric),
        returns=one.metric in RETURNS,
        leaves=one.metric is Metric.HANDOVER and one.reset is None,
        retroactive=one.retroactive and one.metric in (Metric.RESPONSE, Metric.RESOLUTION),
        thresholds=tuple(sorted({*one.thresholds, 100})),
        notices=one.notices or "",
    )


def _contract_rules(vendor: str, one: Contract, calendars: Mapping[str, Calendar]) -> tuple[Rule, ...]:
    found = []
    for metric, targets in one.targets().items():
        hold = {"hold": frozenset(reason.value for reason in PAUSES[Kind.UC, metric])}
        rule = Rule(
            name=f"{vendor} {_SAID[metric]}",
            kind=Kind.UC,
            metric=metric,
            promises=_promises(targets, one.calendar, calendars),
            start=START[metric],
            stop=STOP[metric],
            pause=(VENDOR_WAITS, hold),
            reset_by=RESET_BY.get(metric),
            returns=metric in RETURNS,
            retroactive=False,
            thresholds=tuple(sorted({*one.thresholds, 100})),
        )
        if rule.promises:
            found.append(rule)
    return tuple(found)


def _targets(**written: str | tuple[str, str]) -> dict[str, Target]:
    return {
        priority: Target(within=one) if isinstance(one, str) else Target(within=one[0], calendar=one[1])
        for priority, one in written.items()
    }


DEFAULT_CALENDARS: Final[Mapping[str, Calendar]] = MappingProxyType({"24x7": ALWAYS, "office": OFFICE})
DEFAULT_CLOCKS: Final[Mapping[str, ClockDefinition]] = MappingProxyType(
    {
        "response": ClockDefinition(
            metric=Metric.RESPONSE,
            calendar="office",
            targets=_targets(P1=("15m", "24x7"), P2="1h", P3="4h", P4="8h"),
        ),
        "resolution": ClockDefinition(
            metric=Metric.RESOLUTION,
            calendar="office",
            targets=_targets(P1=("4h", "24x7"), P2="8h", P3="2 working days", P4="5 working days"),
        ),
    }
)
"""What is promised where no matrix says otherwise: P1 round the clock, P5 nothing."""
DEFAULT: Final = Book(DEFAULT_CALENDARS, DEFAULT_CLOCKS)

Version = tuple[int, Book]
"""From which instant on, and what is promised from then on."""
Timeline = Sequence[Version]
"""The versions in the order of their adoption; the first one holds from the beginning as well."""
DEFAULT_TIMELINE: Final[Timeline] = ((0, DEFAULT),)


def in_force(timeline: Timeline, at: int) -> Book:
    """Return what was promised at an instant."""
    found = timeline[0][1]
    for since, book in timeline:
        if since > at:
            break
        found = book
    return found
