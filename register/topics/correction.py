"""Putting right what was said of an incident: an event, with what stood there before. Nothing is edited."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, ClassVar, Final

from pydantic import BaseModel, Field

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
from register.incident import Impact, Incident, State, Urgency
from register.text import Name, Title, Words
from register.topics.naming import category_of, service_of

FIELDS: Final = ("title", "service", "category", "impact", "urgency", "caller")


class Correct(Command):
    """Correct what was said of the incident: title, service, category, impact, urgency or caller."""

    verb: ClassVar[str] = "correct"
    role: ClassVar[Role] = Role.RESPONDER

    target: Target
    reason: Annotated[Words, Field(description="why it is put right")]
    title: Annotated[Title | None, Field(description="what is wrong, in a few words")] = None
    service: Annotated[Name | None, Field(description="the service that suffers")] = None
    category: Annotated[Name | None, Field(description="the kind of thing that is wrong")] = None
    impact: Annotated[Impact | None, Field(description="how much is affected")] = None
    urgency: Annotated[Urgency | None, Field(description="how soon it hurts")] = None
    caller: Annotated[Name | None, PersonField(), Field(description="who told us")] = None


class Facts(BaseModel, frozen=True):
    """Those fields that differ; None where nothing was said of one."""

    title: str | None = None
    service: str | None = None
    category: str | None = None
    impact: Impact | None = None
    urgency: Urgency | None = None
    caller: PersonId | None = None
    team: str | None = None


class Corrected(Event):
    kind: ClassVar[str] = "corrected"

    before: Facts
    after: Facts
    reason: str


@decide.register
def _(command: Correct, incident: Incident, world: World) -> Decision:
    refuse_unless(
        incident.state not in (State.CLOSED, State.CANCELED),
        f"{incident.number} is {incident.state.lower()} and stays as it is. Note what is wrong, or go on in a"
        f" new one: `muster follow-up {incident.number}`.",
    )
    matrix = world.policy.matrix
    said: dict[str, Any] = {name: getattr(command, name) for name in FIELDS}
    said["service"] = command.service and service_of(matrix, command.service)
    said["category"] = command.category and category_of(matrix, command.category)
    after = {n: value for n, value in said.items() if value is not None and value != getattr(incident, n)}
    refuse_unless(
        after,
        f"{incident.number} says so already, or nothing was given to put right. Nothing was changed: give"
        " --title, --service, --category, --impact, --urgency or --caller.",
        ask="title",
    )
    if not incident.team_by_hand and after.keys() & {"service", "category"}:
        team = matrix.owning_team(
            after.get("service", incident.service), after.get("category", incident.category)
        )
        after |= {"team": team} if team != incident.team else {}
    before = {name: getattr(incident, name) for name in after}
    return says(incident, Corrected(before=Facts(**before), after=Facts(**after), reason=command.reason))


@evolve.register
def _(event: Corrected, incident: Incident, at: datetime) -> Incident:
    return incident.but(**{n: value for n, value in dict(event.after).items() if value is not None})
