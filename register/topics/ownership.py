"""Acknowledging an incident, taking it, and passing it on: who has it, and which team owns it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, ClassVar, Final

from pydantic import Field

from register.core import (
    Command,
    Decision,
    Event,
    PersonField,
    PersonId,
    Role,
    Target,
    World,
    decide,
    evolve,
    refuse_unless,
    remarks,
    says,
)
from register.incident import Incident, Paging, State
from register.text import Name, Text
from register.topics.family import children_of, each_child, to_be_begun
from register.topics.hold import Resumed
from register.topics.naming import team_of

YOU_HAVE_IT: Final = "{} is yours to look after: you have it."
"""What whoever acknowledges is told, by whatever door."""
_RENEWED: Final = timedelta(minutes=1)
"""So long after it, saying it again is a word of its own: whoever acknowledged is on it still."""


class Acknowledge(Command):
    """Say that you have seen it and are on it."""

    verb: ClassVar[str] = "ack"
    hotkey: ClassVar[str | None] = "a"
    role: ClassVar[Role] = Role.RESPONDER

    target: Target

    def touches_too(self, incidents: Mapping[str, Incident]) -> tuple[str, ...]:
        return children_of(incidents.get(self.target))


class Take(Command):
    """Make the incident yours."""

    verb: ClassVar[str] = "take"
    hotkey: ClassVar[str | None] = "t"
    role: ClassVar[Role] = Role.RESPONDER

    target: Target

    def touches_too(self, incidents: Mapping[str, Incident]) -> tuple[str, ...]:
        return children_of(incidents.get(self.target))


class PassOn(Command):
    """Pass it on to another owner or team: they have it from then on."""

    verb: ClassVar[str] = "pass"
    hotkey: ClassVar[str | None] = "p"
    role: ClassVar[Role] = Role.RESPONDER

    target: Target
    to: Annotated[
        Name | None, PersonField(ours=True), Field(description="who has it from now on: a login")
    ] = None
    team: Annotated[Name | None, Field(description="the team that owns it from now on")] = None
    note: Annotated[Text, Field(description="what they should know: it stays here")] = ""


class Acknowledged(Event):
    kind: ClassVar[str] = "acknowledged"

    by: PersonId
    late: bool = False  # it came after the incident was over and changes nothing


class Assigned(Event):
    kind: ClassVar[str] = "assigned"

    to: PersonId
    before: PersonId | None


class Reassigned(Event):
    """Passed on. `to` None: to the team, and nobody in it has taken it yet."""

    kind: ClassVar[str] = "reassigned"

    to: PersonId | None
    before: PersonId | None
    team: str
    team_before: str
    note: str


@decide.register
def _(command: Acknowledge, incident: Incident, world: World) -> Decision:
    if not incident.is_open:  # resolve wins a race; the late word is kept
        return says(incident, Acknowledged(by=world.actor, late=True))
    refuse_unless(
        incident.acknowledged_by != world.actor or _asks(incident, world),
        f"{incident.number} is acknowledged by you already.",
    )
    return (*says(incident, Acknowledged(by=world.actor)), *_begun(incident, world))


@remarks.register
def _(command: Acknowledge, world: World, after: Incident | None) -> tuple[str, ...]:
    before = world.incidents.get(command.target)
    if before is None or not before.is_open:
        return (f"{command.target} is over: that you acknowledged it is kept, and changes nothing.",)
    if who_has(before)[0] not in (None, world.actor):
        return (
            f"Somebody else has acknowledged {command.target} before: that you are on it, too, is noted.",
        )
    return (YOU_HAVE_IT.format(command.target),)


@decide.register
def _(command: Take, incident: Incident, world: World) -> Decision:
    refuse_unless(
        incident.is_open,
        f"{incident.number} is {incident.state.lower()}: only an open incident can be taken."
        + (" Reopen it first." if incident.state is State.RESOLVED else " Log a new one."),
    )
    refuse_unless(incident.owner != world.actor, f"{incident.number} is yours already.")
    return (*says(incident, Assigned(to=world.actor, before=incident.owner)), *_begun(incident, world))


@decide.register
def _(command: PassOn, incident: Incident, world: World) -> Decision:
    refuse_unless(
        incident.is_open,
        f"{incident.number} is {incident.state.lower()}: only an open incident can be passed on."
        + (" Reopen it first." if incident.state is State.RESOLVED else " Log a new one."),
    )
    refuse_unless(
        command.to or command.team,
        "Nobody was named to pass it on to. Nothing was done: give a login (--to), a team (--team), or both.",
        ask="to",
    )
    team = incident.team if command.team is None else team_of(world.policy.matrix, command.team)
    refuse_unless(
        (command.to, team) != (incident.owner, incident.team)
        and (command.to is not None or team != incident.team),
        f"{incident.number} is theirs already. Nothing was done.",
        ask="to",
    )
    return says(
        incident,
        Reassigned(
            to=command.to, before=incident.owner, team=team, team_before=incident.team, note=command.note
        ),
    )


def who_has(incident: Incident) -> tuple[PersonId | None, datetime | None]:
    """Whose word it is now that somebody is on it, and since when; who was first may not stand by it."""
    run = incident.run
    if run is not None:
        return run.acked_by, run.acked_at
    return incident.acknowledged_by, incident.acknowledged_at


def _asks(incident: Incident, world: World) -> bool:
    """Whether their word counts once more: it asks again, asks them too, or will ask in time."""
    run = incident.run
    if run is None:
        return False
    if run.state is not Paging.ACKNOWLEDGED or world.actor in run.awaits:
        return True
    return run.ack_until is not None and run.acked_at is not None and world.now - run.acked_at > _RENEWED


def _begun(incident: Incident, world: World) -> Decision:
    """A parent that is taken in hand takes its children along."""
    if incident.state is not State.NEW:
        return ()
    because = Resumed(because=f"{incident.number}, its parent, is in progress")
    return each_child(incident, world, lambda child: because, to_be_begun)


def _in_hand(incident: Incident) -> State:
    return State.IN_PROGRESS if incident.state is State.NEW else incident.state


@evolve.register
def _(event: Acknowledged, incident: Incident, at: datetime) -> Incident:
    if event.late:
        return incident
    return incident.but(
        state=_in_hand(incident),
        acknowledged_by=incident.acknowledged_by or event.by,  # who was first, as the time is
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


@evolve.register
def _(event: Reassigned, incident: Incident, at: datetime) -> Incident:
    """Being passed on is no transition, and nobody's acknowledgement."""
    return incident.but(
        owner=event.to,
        team=event.team,
        team_by_hand=incident.team_by_hand or event.team != event.team_before,
        reassigned=incident.reassigned + 1,
    )
