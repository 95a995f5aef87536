"""Watching an incident: being told of it without having it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, ClassVar

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
    says,
)
from register.incident import Incident
from register.text import Name

Who = Annotated[Name | None, PersonField(ours=True), Field(description="whose login; left out, yours")]


class Watch(Command):
    """Watch the incident, or have somebody watch it."""

    verb: ClassVar[str] = "watch"
    role: ClassVar[Role] = Role.RESPONDER

    target: Target
    who: Who = None


class Unwatch(Command):
    """Watch the incident no more."""

    verb: ClassVar[str] = "unwatch"
    role: ClassVar[Role] = Role.RESPONDER

    target: Target
    who: Who = None


class Watched(Event):
    kind: ClassVar[str] = "watched"

    by: PersonId


class Unwatched(Event):
    kind: ClassVar[str] = "unwatched"

    by: PersonId


@decide.register
def _(command: Watch, incident: Incident, world: World) -> Decision:
    who = command.who or world.actor
    refuse_unless(who not in incident.watchers, f"{incident.number} is watched by them already.", "who")
    return says(incident, Watched(by=who))


@decide.register
def _(command: Unwatch, incident: Incident, world: World) -> Decision:
    who = command.who or world.actor
    refuse_unless(who in incident.watchers, f"{incident.number} is not watched by them.", "who")
    return says(incident, Unwatched(by=who))


@evolve.register
def _(event: Watched, incident: Incident, at: datetime) -> Incident:
    return incident.but(watchers=(*incident.watchers, event.by))


@evolve.register
def _(event: Unwatched, incident: Incident, at: datetime) -> Incident:
    return incident.but(watchers=tuple(one for one in incident.watchers if one != event.by))
