"""Restricting an incident to those who need to see it, and opening it to everyone again."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, ClassVar

from pydantic import BeforeValidator, Field

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
from register.incident import Incident, Visibility
from register.seeing import seers
from register.text import Name


def _split(value: object) -> object:
    if isinstance(value, str):
        return tuple(part for part in (piece.strip() for piece in value.split(",")) if part)
    return value


Names = Annotated[tuple[Name, ...], BeforeValidator(_split)]
"""Several names; as text, with commas between them."""


class Restrict(Command):
    """Show the incident only to those who work on it, those it is about, and those you name."""

    verb: ClassVar[str] = "restrict"
    role: ClassVar[Role] = Role.RESPONDER

    target: Target
    to: Annotated[Names, PersonField(), Field(description="who else may see it: ana,ben")] = ()
    off: Annotated[Names, PersonField(), Field(description="who was named and shall not see it now")] = ()


class Unrestrict(Command):
    """Show a restricted incident to everyone again."""

    verb: ClassVar[str] = "unrestrict"
    role: ClassVar[Role] = Role.RESPONDER

    target: Target


class Restricted(Event):
    kind: ClassVar[str] = "restricted"

    allowed: tuple[PersonId, ...]  # all who are named from now on


class Unrestricted(Event):
    kind: ClassVar[str] = "unrestricted"


@decide.register
def _(command: Restrict, incident: Incident, world: World) -> Decision:
    first = incident.visibility is Visibility.EVERYONE
    # who restricts it goes on seeing it, unless they take themselves off
    itself = (world.actor,) if first and world.actor not in seers(incident) else ()
    named = dict.fromkeys((*incident.allowed, *itself, *command.to))
    allowed = tuple(person for person in named if person not in command.off)
    refuse_unless(
        first or set(allowed) != set(incident.allowed),
        f"{incident.number} is restricted already, and to these people. Nothing was changed.",
        ask="to",
    )
    return says(incident, Restricted(allowed=allowed))


@decide.register
def _(command: Unrestrict, incident: Incident, world: World) -> Decision:
    refuse_unless(
        incident.visibility is Visibility.RESTRICTED,
        f"{incident.number} is not restricted: everyone on this register sees it. Nothing was changed.",
    )
    return says(incident, Unrestricted())


@evolve.register
def _(event: Restricted, incident: Incident, at: datetime) -> Incident:
    return incident.but(visibility=Visibility.RESTRICTED, allowed=event.allowed)


@evolve.register
def _(event: Unrestricted, incident: Incident, at: datetime) -> Incident:
    return incident.but(visibility=Visibility.EVERYONE, allowed=())
