"""Logging an incident."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, ClassVar

from pydantic import Field

from register.core import (
    Command,
    Decision,
    Event,
    PersonField,
    PersonId,
    Role,
    Said,
    World,
    decide,
    evolve,
)
from register.incident import Impact, Incident, Urgency, Visibility
from register.text import Name, Text, Title
from register.topics.naming import category_of, service_of


class Log(Command):
    """Log an incident."""

    verb: ClassVar[str] = "log"
    hotkey: ClassVar[str | None] = "i"
    role: ClassVar[Role] = Role.RESPONDER
    on_incident: ClassVar[bool] = False
    keeps: ClassVar[bool] = True

    title: Annotated[Title, Field(description="what is wrong, in a few words")]
    impact: Annotated[Impact, Field(description="how much is affected")] = Impact.MEDIUM
    urgency: Annotated[Urgency, Field(description="how soon it hurts")] = Urgency.MEDIUM
    service: Annotated[Name | None, Field(description="the service that suffers")] = None
    category: Annotated[Name | None, Field(description="the kind of thing that is wrong")] = None
    caller: Annotated[Name | None, PersonField(), Field(description="who told us")] = None
    description: Annotated[Text, Field(description="what is known so far")] = ""
    restricted: Annotated[bool, Field(description="not for all eyes")] = False


class Created(Event):
    kind: ClassVar[str] = "created"

    number: str
    title: str
    impact: Impact
    urgency: Urgency
    service: str
    category: str
    caller: str | None
    reporter: str
    description: str
    visibility: Visibility
    team: str = ""  # who owns it, by the matrix of that moment; older programs said nobody
    due_at: datetime | None = None  # of older programs; clocks are counted now
    follows: str | None = None
    allowed: tuple[PersonId, ...] = ()


@decide.register
def _(command: Log, incident: Any, world: World) -> Decision:
    matrix = world.policy.matrix
    service, category = service_of(matrix, command.service), category_of(matrix, command.category)
    created = Created(
        number=world.next_number,
        title=command.title,
        impact=command.impact,
        urgency=command.urgency,
        service=service,
        category=category,
        team=matrix.owning_team(service, category),
        caller=command.caller,
        reporter=world.actor,
        description=command.description,
        visibility=Visibility.RESTRICTED if command.restricted else Visibility.EVERYONE,
    )
    return (Said(world.next_number, created),)


@evolve.register
def _(event: Created, incident: Any, at: datetime) -> Incident:
    return Incident(
        number=event.number,
        title=event.title,
        impact=event.impact,
        urgency=event.urgency,
        service=event.service,
        category=event.category,
        team=event.team,
        follows=event.follows,
        allowed=event.allowed,
        caller=event.caller,
        reporter=event.reporter,
        visibility=event.visibility,
        opened_at=at,
        updated_at=at,
    )
