"""How an incident's clocks stand, as its row keeps it: when it is due, and the facts of each clock.

Nothing here depends on the time of looking: a row stays true until the next event or the next policy.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from register.clocks.book import Timeline
from register.clocks.clock import Clock, Stage
from register.clocks.definition import Kind, Metric
from register.clocks.run import clocks_of
from register.incident import Incident


class Due(NamedTuple):
    """When an incident must be resolved. Both None: nothing is promised, or it is over.

    at: epoch seconds, by the clock that is due first.
    held: business seconds that are left while that clock is paused; then nothing is due.
    """

    at: int | None = None
    held: int | None = None


NOTHING: Final = Due()


def soonest(clocks: Iterable[Clock]) -> Due:
    """Return what of these clocks the board shows: the resolution promised to the customer."""
    running, paused = None, None
    for clock in clocks:
        if clock.ended is not None or (clock.rule.kind, clock.rule.metric) != (Kind.SLA, Metric.RESOLUTION):
            continue
        if clock.stage is Stage.PAUSED:
            left = clock.left(clock.spans[-1].begin)
            paused = left if paused is None else min(paused, left)
        else:
            due = clock.due
            running = due if running is None or (due is not None and due < running) else running
    if running is not None:
        return Due(at=running)
    return NOTHING if paused is None else Due(held=paused)


def due_of(incident: Incident, timeline: Timeline) -> Due:
    """Return when an incident must be resolved, by what was promised when."""
    return soonest(clocks_of(incident, timeline)) if incident.is_open else NOTHING


def facts_of(clock: Clock) -> dict[str, Any]:
    """Return what a row keeps of a clock: its due time while it runs, the whole outcome once it is over."""
    known: dict[str, Any] = {"clock": clock.name}
    if clock.bond is not None:
        known["bond"] = clock.bond
    if clock.ended is None:
        paused = clock.stage is Stage.PAUSED
        known |= {"held": clock.left(clock.spans[-1].begin)} if paused else {"due": clock.due}
        return known
    used, at = clock.used(clock.ended), clock.ended
    known |= {
        "kind": clock.rule.kind.value,
        "metric": clock.rule.metric.value,
        "p": int(clock.priority),
        "stage": clock.stage.value,
        "began": clock.began,
        "ended": at,
        "target": clock.target,
        "used": used,
        "actual": clock.actual(at),
        "why": clock.why,
    }
    if used > clock.target:
        known["breached"] = clock.breach
    return known
