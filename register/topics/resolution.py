"""How an incident ends, and how it comes back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, ClassVar

from pydantic import Field

from register.core import (
    AlertAsked,
    Command,
    Decision,
    Event,
    PersonId,
    Role,
    Said,
    Target,
    World,
    decide,
    evolve,
    refuse_unless,
    says,
)
from register.incident import MAY, Cause, Incident, ResolutionCode, State
from register.text import Text, Words
from register.topics.alert_keys import lost_key, taken_back
from register.topics.ending import Theirs, with_theirs
from register.topics.family import children_of, each_child, may_say, with_its_parent
from register.topics.links import Link, Original, linked


class Resolve(Command):
    """Say that service is restored, and how."""

    verb: ClassVar[str] = "resolve"
    hotkey: ClassVar[str | None] = "R"
    role: ClassVar[Role] = Role.RESPONDER
    settles: ClassVar[bool] = True

    target: Target
    code: Annotated[ResolutionCode, Field(description="how it was fixed")]
    notes: Annotated[Words, Field(description="what was done")]
    cause: Annotated[Cause | None, Field(description="why it happened, if known")] = None
    duplicate_of: Annotated[Original, Field(description="with code duplicate: of which incident")] = None
    theirs: Theirs = None

    def touches(self) -> tuple[str, ...]:
        return (self.target, *((self.duplicate_of,) if self.duplicate_of else ()))

    def touches_too(self, incidents: Mapping[str, Incident]) -> tuple[str, ...]:
        return children_of(incidents.get(self.target))


class Reopen(Command):
    """Open a resolved incident again: it was not fixed."""

    verb: ClassVar[str] = "reopen"
    hotkey: ClassVar[str | None] = "O"
    role: ClassVar[Role] = Role.RESPONDER

    target: Target
    reason: Annotated[Words, Field(description="what is still wrong")]

    def touches_too(self, incidents: Mapping[str, Incident]) -> tuple[str, ...]:
        return children_of(incidents.get(self.target))

    def asks_alert(self, incidents: Mapping[str, Incident]) -> AlertAsked | None:
        return lost_key(incidents.get(self.target))


class Close(Command):
    """Close a resolved incident for good."""

    verb: ClassVar[str] = "close"
    hotkey: ClassVar[str | None] = "X"
    role: ClassVar[Role] = Role.RESPONDER

    target: Target
    note: Annotated[Text, Field(description="who confirmed it")] = ""


class Cancel(Command):
    """Cancel what is no incident: a duplicate, a mistake, a test."""

    verb: ClassVar[str] = "cancel"
    hotkey: ClassVar[str | None] = "C"
    role: ClassVar[Role] = Role.RESPONDER
    settles: ClassVar[bool] = True

    target: Target
    reason: Annotated[Words, Field(description="why it is none")]
    duplicate_of: Annotated[Original, Field(description="another incident, where it is a duplicate")] = None
    theirs: Theirs = None

    def touches(self) -> tuple[str, ...]:
        return (self.target, *((self.duplicate_of,) if self.duplicate_of else ()))


class Resolved(Event):
    kind: ClassVar[str] = "resolved"

    code: ResolutionCode
    notes: str
    cause: Cause | None
    closes_at: datetime | None = None
    first_contact: bool = False
    with_parent: str | None = None


class Reopened(Event):
    kind: ClassVar[str] = "reopened"

    reason: str
    by: PersonId | None = None


class Closed(Event):
    kind: ClassVar[str] = "closed"

    note: str
    by_itself: bool = False


class Canceled(Event):
    kind: ClassVar[str] = "canceled"

    reason: str


_INSTEAD = {
    State.CLOSED: " A closed incident stays closed: `muster follow-up` logs one that goes on where it ended.",
    State.CANCELED: " A canceled incident stays canceled: `muster follow-up` logs one that goes on from it.",
    State.RESOLVED: "",
}


def _may(incident: Incident, to: State, verb: str) -> None:
    refuse_unless(
        to in MAY[incident.state],
        f"{incident.number} is {incident.state.lower()} and cannot be {verb}."
        + _INSTEAD.get(incident.state, " Resolve it first." if to is State.CLOSED else ""),
    )


@decide.register
def _(command: Resolve, incident: Incident, world: World) -> Decision:
    _may(incident, State.RESOLVED, "resolved")
    same = _same_as(command, incident, world)
    refuse_unless(
        command.code is not ResolutionCode.DUPLICATE or same or incident.duplicate_of,
        "A duplicate of which incident? Nothing was done: name it (--duplicate-of), or link"
        f" {incident.number} to it first.",
        ask="duplicate_of",
    )
    resolved = Resolved(
        code=command.code,
        notes=command.notes,
        cause=command.cause,
        closes_at=world.now + world.policy.matrix.auto_close_after,
        first_contact=_is_first_contact(incident, world),
    )
    with_it = resolved.model_copy(update={"with_parent": incident.number, "first_contact": False})
    hidden = with_it.model_copy(update={"notes": with_its_parent(incident)})

    def along(child: Incident) -> Resolved:
        return with_it if may_say(incident, child) else hidden

    children = each_child(incident, world, along, lambda child: child.is_open)
    theirs = with_theirs(incident, world, command.theirs, command.notes, command.command_id, command.code)
    return (*same, *says(incident, resolved), *theirs, *children)


def resolved_by_supplier(number: str, notes: str, world: World) -> Decision:
    """A supplier's "fixed" resolves this incident, where the policy lets it."""
    resolved = Resolved(
        code=ResolutionCode.SUPPLIER,
        notes=notes,
        cause=None,
        closes_at=world.now + world.policy.matrix.auto_close_after,
    )
    return (Said(number, resolved),)


def _same_as(command: Resolve | Cancel, incident: Incident, world: World) -> Decision:
    if command.duplicate_of is None or command.duplicate_of == incident.duplicate_of:
        return ()
    return linked(incident, world.incidents[command.duplicate_of], Link.DUPLICATE)


def _is_first_contact(incident: Incident, world: World) -> bool:
    """Whether the first line resolves it alone: never passed on, to no supplier either, nor come back."""
    matrix = world.policy.matrix
    if incident.reassigned or incident.reopened or incident.bonds:
        return False
    if incident.owner not in (None, world.actor):
        return False
    teams = matrix.teams_of(None, world.login) or (incident.team,)
    return bool(set(teams) & set(matrix.first_line()))


@decide.register
def _(command: Reopen, incident: Incident, world: World) -> Decision:
    refuse_unless(
        incident.state is State.RESOLVED,
        f"{incident.number} is {incident.state.lower()}: only a resolved incident can be reopened."
        + _INSTEAD.get(incident.state, ""),
    )
    reopened = Reopened(reason=command.reason, by=world.actor)
    children: Decision = ()
    hidden = reopened.model_copy(update={"reason": with_its_parent(incident)})

    def along(child: Incident) -> Reopened:
        return reopened if may_say(incident, child) else hidden

    if world.actor != incident.caller:  # a caller speaks of their own incident alone
        children = each_child(incident, world, along, lambda child: _resolved_with(child, incident))
    return (*says(incident, reopened), *children, *taken_back(incident, world))


def _resolved_with(child: Incident, parent: Incident) -> bool:
    """Whether its parent resolved it, and it is still so: what was closed since stays closed."""
    return child.state is State.RESOLVED and child.resolved_with == parent.number


@decide.register
def _(command: Close, incident: Incident, world: World) -> Decision:
    _may(incident, State.CLOSED, "closed")
    return says(incident, Closed(note=command.note))


@decide.register
def _(command: Cancel, incident: Incident, world: World) -> Decision:
    _may(incident, State.CANCELED, "canceled")
    same = _same_as(command, incident, world)
    theirs = with_theirs(incident, world, command.theirs, command.reason, command.command_id)
    return (*same, *says(incident, Canceled(reason=command.reason)), *theirs)


@evolve.register
def _(event: Resolved, incident: Incident, at: datetime) -> Incident:
    return incident.but(
        state=State.RESOLVED,
        hold=None,
        resolution=event.code,
        cause=event.cause,
        resolved_at=at,
        closes_at=event.closes_at,
        first_contact=event.first_contact,
        resolved_with=event.with_parent,
    )


@evolve.register
def _(event: Reopened, incident: Incident, at: datetime) -> Incident:
    return incident.but(
        state=State.IN_PROGRESS,
        resolved_at=None,
        resolution=None,
        closes_at=None,
        first_contact=False,
        resolved_with=None,
        reopened=incident.reopened + 1,
        last_reopened_at=at,
        last_reopened_by=event.by,
    )


@evolve.register
def _(event: Closed, incident: Incident, at: datetime) -> Incident:
    return incident.but(state=State.CLOSED, closed_at=at)


@evolve.register
def _(event: Canceled, incident: Incident, at: datetime) -> Incident:
    return incident.but(state=State.CANCELED, hold=None, closed_at=at)
