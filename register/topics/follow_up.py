"""What is over for good stays so: it goes on in a new incident that says of which."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from register.core import Command, Decision, Role, Said, Target, World, decide, refuse_unless
from register.incident import Impact, Incident, State, Urgency
from register.text import Title, Words
from register.topics.intake import Created
from register.topics.links import Linked, Side


class FollowUp(Command):
    """Log a new incident that goes on where a closed or canceled one ended: its clocks begin anew."""

    verb: ClassVar[str] = "follow-up"
    role: ClassVar[Role] = Role.RESPONDER

    target: Target
    reason: Annotated[Words, Field(description="what is wrong again")]
    title: Annotated[Title | None, Field(description="in a few words; left out, the old title")] = None
    impact: Annotated[Impact | None, Field(description="left out, as it was")] = None
    urgency: Annotated[Urgency | None, Field(description="left out, as it was")] = None


@decide.register
def _(command: FollowUp, incident: Incident, world: World) -> Decision:
    number = incident.number
    refuse_unless(
        incident.state in (State.CLOSED, State.CANCELED),
        f"{number} is {incident.state.lower()}: "
        + (
            f"`muster reopen {number}` takes it up again."
            if incident.state is State.RESOLVED
            else "work on it."
        ),
    )
    created = Created(
        number=world.next_number,
        title=command.title or incident.title,
        impact=command.impact or incident.impact,
        urgency=command.urgency or incident.urgency,
        service=incident.service,
        category=incident.category,
        team=world.policy.matrix.owning_team(incident.service, incident.category),
        caller=incident.caller,
        reporter=world.actor,
        description=command.reason,
        visibility=incident.visibility,
        follows=number,
        allowed=incident.allowed,
    )
    return (
        Said(world.next_number, created),
        Said(number, Linked(side=Side.FOLLOWED_BY, to=world.next_number)),
    )
