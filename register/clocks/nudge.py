"""When a supplier is reminded of its contract: at which second of which clock, and at which step. Pure.

A step is one percentage of one clock. Which steps were taken stands in the bond; how the clock stands is
worked out anew each time, so nothing is reminded of that has ended, pauses, or was promised otherwise since.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from register.clocks.book import Timeline
from register.clocks.clock import Clock, Stage
from register.clocks.definition import Kind
from register.incident import LIVE_BONDS, Bond, Incident


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a supplier's clock. at: epoch seconds. number: 1 for the first percentage."""

    bond: Bond
    clock: Clock
    percent: int
    number: int
    at: int

    @property
    def key(self) -> str:
        return f"{mark_of(self.clock)}:{self.percent}"


def mark_of(clock: Clock) -> str:
    """What tells this clock from every other one of its bond. One that goes on after its end is the same."""
    return f"{clock.rule.metric}:{clock.began}"


def steps(incident: Incident, clocks: Sequence[Clock], timeline: Timeline) -> Iterator[Step]:
    """Yield the steps that were not taken yet, of the clocks that run; by the contract as it is now."""
    if not incident.is_open:
        return
    contracts = timeline[-1][1].contracts
    for clock in clocks:
        if clock.rule.kind is not Kind.UC or clock.bond is None or clock.stage is not Stage.RUNNING:
            continue
        bond, contract = incident.bonds[clock.bond], contracts.get(clock.vendor)
        if contract is None or bond.state not in LIVE_BONDS:
            continue
        for number, percent in enumerate(sorted(set(contract.nudge)), 1):
            at = clock.reached(-(-clock.target * percent // 100))
            if at is not None and f"{mark_of(clock)}:{percent}" not in bond.nudged:
                yield Step(bond, clock, percent, number, max(at, clock.attached))


def next_nudge(incident: Incident, clocks: Sequence[Clock], timeline: Timeline) -> int | None:
    """Return when the next step falls due, if nothing happens before: epoch seconds."""
    if not incident.bonds:
        return None
    return min((step.at for step in steps(incident, clocks, timeline)), default=None)


def is_running(clocks: Sequence[Clock], place: int, mark: str) -> bool:
    """Whether the clock of that mark still runs, for the bond at that place of the incident."""
    return any(
        clock.bond == place and clock.stage is Stage.RUNNING and mark_of(clock) == mark for clock in clocks
    )
