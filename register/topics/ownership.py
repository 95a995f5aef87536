"""Acknowledging an incident and taking it."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from register.core import (
    Command,
    Decision,
    Event,
    PersonId,
    Role,
    Target,
    World,
    decide,
    evolve,
    refuse_unless,
    says,
)
from register.incident import Incident, State


class Acknowledge(Command):
    """Say that you have seen it and are on it."""

    verb: ClassVar[str] = "ack"
    hotkey: ClassVar[str | None] = "a"
    role: ClassVar[Role] = Role.RESPONDER

    target: Target


class Take(Command):
    """Make the incident yours."""

    verb: ClassVar[str] = "take"
    hotkey: ClassVar[str | None] = "t"
    role: ClassVar[Role] = Role.RESPONDER

    target: Target


class Acknowledged(Event):
    kind: ClassVar[str] = "acknowledged"

    by: PersonId
    late: bool = False  # it came after the incident was over and changes nothing


class Assigned(Event):
    kind: ClassVar[str] = "assigned"

    to: PersonId
    before: PersonId | None


@decide.register
def _(command: Acknowledge, incident: Incident, world: World) -> Decision:
    if not incident.is_open:  # resolve wins a race; the late word is kept
        return says(incident, Acknowledged(by=world.actor, late=True))
    refuse_unless(
        incident.acknowledged_by != world.actor, f"{incident.number} is acknowledged by you already."
    )
    return says(incident, Acknowledged(by=world.actor))


@decide.register
def _(command: Take, incident: Incident, world: World) -> Decision:
    refuse_unless(
        incident.is_open,
        f"{incident.number} is {incident.state.lower()}: only an open incident can be taken."
        + (" Reopen it first." if incident.state is State.RESOLVED else " Log a new one."),
    )
    refuse_unless(incident.owner != world.actor, f"{incident.number} is yours already.")
    return says(incident, Assigned(to=world.actor, before=incident.owner))


def _in_hand(incident: Incident) -> State:
    return State.IN_PROGRESS if incident.state is State.NEW else incident.state


@evolve.register
def _(event: Acknowledged, incident: Incident, at: datetime) -> Incident:
    if event.late:
        return incident
    return incident.but(
        state=_in_hand(incident),
        acknowledged_by=event.by,
        acknowledged_at=incident.acknowledged_at or at,
    )


@evolve.register
def _(event: Assigned, incident: Incident, at: datetime) -> Incident:
    return incident.but(
        state=_in_hand(incident),
        owner=event.to,
        reassigned=incident.reassigned + (event.before is not None),
        acknowledged_by=incident.acknowledged_by or event.to,
        acknowledged_at=incident.acknowledged_at or at,
    )
