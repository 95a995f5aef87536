"""Who will be told of an incident, when, and under which rule, if nobody answers. Pure.

It is no second engine: the rules that take a step take it here, at the time when it would be due, in a world
of that moment. So what it says of daylight saving, rotas and overrides is what would happen.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, NamedTuple

from register.core import Event, PersonId, Policy, World, fold
from register.incident import Impact, Incident, Urgency
from register.policy import Matrix
from register.roster import Roster
from register.topics.escalation import EscalationEnded, follow_ups
from register.topics.steps import (
    AckTimedOut,
    EscalatedHierarchical,
    EscalationExhausted,
    StepFired,
    StepHeld,
    StepSkippedEmpty,
    steps_due,
)

MOST: Final = 100
"""So many things are foreseen: twenty steps nine times over are more than anybody reads."""
_ID: Final = "0" * 26


@dataclass(frozen=True, slots=True)
class Foreseen:
    """One thing that would happen. what: told | skipped | held | asks again | exhausted | authority | ends.

    who: ids of people; suppliers: their names; rule: which part of the matrix says so.
    """

    at: datetime
    what: str
    rule: str
    who: tuple[PersonId, ...] = ()
    suppliers: tuple[str, ...] = ()


def forecast(incident: Incident, world: World, most: int = MOST) -> tuple[Foreseen, ...]:
    """Return what would happen to this incident from now on, in order, if nobody did anything."""
    found: list[Foreseen] = []
    while (due := incident.pages_at) is not None and len(found) < most:
        now = max(due, world.now)
        world = replace(world, now=now)
        events = steps_due(incident, world, _ID)
        if not events:
            break
        for event in events:
            found += _foreseen(event, incident, now)
            incident = fold(event, incident, now, now) or incident
    return tuple(found[:most])


def _foreseen(event: Event, incident: Incident, at: datetime) -> Iterator[Foreseen]:
    """One of these kinds is one line; what else an event does belongs to its neighbour."""
    plan = None if incident.run is None else incident.run.plan
    name = "" if plan is None else plan.policy
    match event:
        case StepFired(place=place, because=because):
            rule = _step(name, place, event.of, event.targets)
            yield Foreseen(at, "told", f"{rule}{_BECAUSE[because]}", event.told, event.suppliers)
        case StepSkippedEmpty(place=place):
            yield Foreseen(at, "skipped", _step(name, place, 0, event.targets))
        case StepHeld():
            yield Foreseen(at, "held", f"{event.held} until {event.until:%Y-%m-%d %H:%M} UTC")
        case EscalationExhausted():
            yield Foreseen(at, "exhausted", f"policies.{name}, {event.loops} × every step")
        case EscalatedHierarchical():
            yield Foreseen(at, "authority", f"above teams.{incident.team}, level {event.level}", event.told)
        case EscalationEnded():
            yield Foreseen(at, "ends", event.why)
        case AckTimedOut() if plan is not None:
            rule = f"policies.{name}, ack_timeout of {incident.priority}"
            yield Foreseen(at, "asks again", rule, () if event.by is None else (event.by,))


_BECAUSE: Final = {
    "step": "",
    "reminder": ", a reminder",
    "passed": ", passed to them",
    "ack_timeout": ", for whoever had it is silent",
    "awaited": ", for each is to answer",
}


def _step(policy: str, place: tuple[int, int, int], of: int, to: tuple[str, ...]) -> str:
    """`policies.usual, step 2 of 3, round 2: oncall, rota:noc`; whom it means stands beside it."""
    loop, step, _ = place
    said = f"policies.{policy}, step {step + 1}" + (f" of {of}" if of else "")
    again = f", round {loop + 1}" if loop else ""
    named = ", ".join("person" if one.startswith("person:") else one for one in to)
    return f"{said}{again}: {named}" if named else f"{said}{again}"


class Case(NamedTuple):
    """An incident that there is not: what would happen if it were logged."""

    service: str = ""
    category: str = ""
    impact: Impact = Impact.HIGH
    urgency: Urgency = Urgency.HIGH
    team: str = ""  # empty: whose it is by the matrix


def supposed(
    case: Case, matrix: Matrix, roster: Roster, now: datetime, **more: Any
) -> tuple[Incident, World]:
    """Return such an incident, as it would be when it was just logged, and the world for it."""
    world = World(now=now, actor="", policy=Policy(matrix=matrix, **more), next_number="", roster=roster)
    incident = Incident(
        number="INC-1",  # one that a command may name: a step may engage a supplier
        title="",
        impact=case.impact,
        urgency=case.urgency,
        service=case.service,
        category=case.category,
        team=case.team or matrix.owning_team(case.service, case.category),
        reporter="",
        opened_at=now,
        updated_at=now,
    )
    for event in follow_ups(None, incident, world, _ID):
        incident = fold(event, incident, now, now) or incident
    return incident, world


def paths(matrix: Matrix) -> dict[tuple[str, str], Case]:
    """Return one case for each team and policy that an incident may come to, by (team, policy or "")."""
    found: dict[tuple[str, str], Case] = {}
    for service in (*matrix.services, ""):
        for category in (*matrix.categories, ""):
            team = matrix.owning_team(service, category)
            policy = matrix.policy_for(team, service, category) or ""
            found.setdefault((team, policy), Case(service, category))
    for team in matrix.teams:  # it may be passed there
        found.setdefault((team, matrix.policy_for(team, "", "") or ""), Case(team=team))
    return found
