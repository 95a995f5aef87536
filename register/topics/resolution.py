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
    Role,
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


class Resolve(Command):
    """Say that service is restored, and how."""

    verb: ClassVar[str] = "resolve"
    hotkey: ClassVar[str | None] = "R"
    role: ClassVar[Role] = Role.RESPONDER

    target: Target
    code: Annotated[ResolutionCode, Field(description="how it was fixed")]
    notes: Annotated[Words, Field(description="what was done")]
    cause: Annotated[Cause | None, Field(description="why it happened, if known")] = None


class Reopen(Command):
    """Open a resolved incident again: it was not fixed."""

    verb: ClassVar[str] = "reopen"
    hotkey: ClassVar[str | None] = "O"
    role: ClassVar[Role] = Role.RESPONDER

    target: Target
    reason: Annotated[Words, Field(description="what is still wrong")]

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

    target: Target
    reason: Annotated[Words, Field(description="why it is none")]


class Resolved(Event):
    kind: ClassVar[str] = "resolved"

    code: ResolutionCode
    notes: str
    cause: Cause | None


class Reopened(Event):
    kind: ClassVar[str] = "reopened"

    reason: str


class Closed(Event):
    kind: ClassVar[str] = "closed"

    note: str


class Canceled(Event):
    kind: ClassVar[str] = "canceled"

    reason: str


_INSTEAD = {
    State.CLOSED: " A closed incident stays closed: log a new one.",
    State.CANCELED: " A canceled incident stays canceled: log a new one.",
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
    return says(incident, Resolved(code=command.code, notes=command.notes, cause=command.cause))


@decide.register
def _(command: Reopen, incident: Incident, world: World) -> Decision:
    refuse_unless(
        incident.state is State.RESOLVED,
        f"{incident.number} is {incident.state.lower()}: only a resolved incident can be reopened."
        + _INSTEAD.get(incident.state, ""),
    )
    return (*says(incident, Reopened(reason=command.reason)), *taken_back(incident, world))


@decide.register
def _(command: Close, incident: Incident, world: World) -> Decision:
    _may(incident, State.CLOSED, "closed")
    return says(incident, Closed(note=command.note))


@decide.register
def _(command: Cancel, incident: Incident, world: World) -> Decision:
    _may(incident, State.CANCELED, "canceled")
    return says(incident, Canceled(reason=command.reason))


@evolve.register
def _(event: Resolved, incident: Incident, at: datetime) -> Incident:
    return incident.but(
        state=State.RESOLVED, hold=None, resolution=event.code, cause=event.cause, resolved_at=at
    )


@evolve.register
def _(event: Reopened, incident: Incident, at: datetime) -> Incident:
    return incident.but(
        state=State.IN_PROGRESS, resolved_at=None, resolution=None, reopened=incident.reopened + 1
    )


@evolve.register
def _(event: Closed, incident: Incident, at: datetime) -> Incident:
    return incident.but(state=State.CLOSED, closed_at=at)


@evolve.register
def _(event: Canceled, incident: Incident, at: datetime) -> Incident:
    return incident.but(state=State.CANCELED, hold=None, closed_at=at)
