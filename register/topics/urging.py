"""The priority that a supplier works by: theirs follows ours when a person says so."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from register.core import (
    Command,
    Decision,
    Event,
    Role,
    Target,
    World,
    decide,
    effects,
    evolve,
    refuse_unless,
    says,
)
from register.effect import Effect
from register.incident import Bond, Impact, Incident, Priority, Urgency
from register.merging import Shared
from register.topics.calling import call_at_once
from register.topics.engagement import Which, enqueued, live_bond


class Reprioritise(Command):
    """Give a supplier's ticket the priority that the incident has by now."""

    verb: ClassVar[str] = "reprioritise"
    role: ClassVar[Role] = Role.COORDINATOR
    sends: ClassVar[bool] = True

    target: Target
    vendor: Which = None


class Reprioritised(Event):
    kind: ClassVar[str] = "reprioritised"

    bond: str
    vendor: str
    production: bool
    before: Priority | None
    priority: Priority
    seen: str = ""  # their own word, where it was another one than they were told before
    impact: Impact | None = None
    urgency: Urgency | None = None


@decide.register
def _(command: Reprioritise, incident: Incident, world: World) -> Decision:
    bond = live_bond(incident, command.vendor)
    refuse_unless(
        bond.told_priority is not incident.priority or bond.their_priority,
        f"{bond.vendor} was told {incident.priority} for {incident.number} already. Nothing was done.",
    )
    told = reprioritised(bond, incident)
    facts = world.policy.vendors.get(bond.vendor)
    at_once = () if facts is None else call_at_once(bond.id, facts, incident.priority, world)
    return says(incident, told, *at_once)


def reprioritised(bond: Bond, incident: Incident) -> Reprioritised:
    """What telling them a priority comes to. What they made of it themselves they are told anyway."""
    return Reprioritised(
        bond=bond.id,
        vendor=bond.vendor,
        production=bond.production,
        before=bond.told_priority,
        priority=incident.priority,
        seen=bond.their_priority,
        impact=incident.impact,
        urgency=incident.urgency,
    )


@evolve.register
def _(event: Reprioritised, incident: Incident, at: datetime) -> Incident:
    bond = incident.bond(event.bond)
    if bond is None:
        return incident
    rest = tuple(one for one in bond.differences if one.field is not Shared.PRIORITY)
    told = bond.but(told_priority=event.priority, their_priority="", differences=rest)
    return incident.with_bond(told.prepared())


@effects.register
def _(event: Reprioritised, stream: str, command_id: str) -> tuple[Effect, ...]:
    payload: dict[str, object] = {"priority": int(event.priority)}
    if event.before is not None:
        payload["before"] = int(event.before)
    if event.seen:
        payload["seen"] = event.seen
    if event.impact and event.urgency:
        payload |= {"impact": event.impact, "urgency": event.urgency}
    return (enqueued(event.bond, event.vendor, stream, command_id, "priority", payload),)
