"""Taking an incident in that lived elsewhere: what is known of it as events with their own times.

It gets a number of ours; the source and its number there are kept, and so is its story, as one text. The same
incident of the same source twice adds nothing, for both times it is the same command.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise
from typing import Annotated, Any, ClassVar

from pydantic import AwareDatetime, Field, model_validator
from ulid import ULID

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
    refuse_unless,
    utc,
)
from register.incident import Cause, HoldReason, Impact, Incident, ResolutionCode, State, Urgency, Visibility
from register.text import Name, Text, Title
from register.topics.hold import Held
from register.topics.intake import Created
from register.topics.ownership import Acknowledged, Assigned
from register.topics.resolution import Canceled, Closed, Resolved

Person = Annotated[Name | None, PersonField()]


class ImportIncident(Command):
    """Take in an incident of another register or system, as it stands there."""

    role: ClassVar[Role] = Role.COORDINATOR
    on_incident: ClassVar[bool] = False
    escalates: ClassVar[bool] = False  # what was begun elsewhere wakes nobody here

    source: Name
    number: Name  # its name there
    title: Title
    state: State = State.NEW
    impact: Impact = Impact.MEDIUM
    urgency: Urgency = Urgency.MEDIUM
    service: Annotated[str, Field(max_length=80)] = ""
    category: Annotated[str, Field(max_length=80)] = ""
    visibility: Visibility = Visibility.EVERYONE
    reporter: Person = None
    caller: Person = None
    owner: Person = None
    opened_at: AwareDatetime
    acknowledged_at: AwareDatetime | None = None
    resolved_at: AwareDatetime | None = None
    closed_at: AwareDatetime | None = None
    hold: HoldReason | None = None
    resolution: ResolutionCode | None = None
    cause: Cause | None = None
    description: Text = ""
    story: Text = ""

    @model_validator(mode="before")
    @classmethod
    def _the_same_twice(cls, given: Any) -> Any:
        if not isinstance(given, dict) or "command_id" in given:
            return given
        words = f"import\0{given.get('source')}\0{given.get('number')}"
        made = ULID.from_bytes(hashlib.sha256(words.encode("utf-8", "replace")).digest()[:16])
        return given | {"command_id": str(made)}


class Imported(Event):
    """Where it comes from, and what was told of it there."""

    kind: ClassVar[str] = "imported"

    source: str
    number: str
    story: str
    owner: PersonId | None = None  # of a new one: nobody has it in hand yet


@decide.register
def _(command: ImportIncident, incident: Any, world: World) -> Decision:
    _refuse_times(command, world.now)
    return tuple(Said(world.next_number, event, at) for event, at in _life(command, world))


def _refuse_times(command: ImportIncident, now: datetime) -> None:
    """Its times follow each other, and none lies ahead."""
    names = ("opened_at", "acknowledged_at", "resolved_at", "closed_at")
    told = [(name, getattr(command, name)) for name in names if getattr(command, name) is not None]
    last, newest = told[-1]
    refuse_unless(newest <= now, f"{last} lies in the future: nothing of it was taken in.", last)
    for (first, before), (second, after) in pairwise(told):
        refuse_unless(before <= after, f"{second} lies before {first}: nothing of it was taken in.", second)
    over = command.state in (State.RESOLVED, State.CLOSED)
    refuse_unless(
        not over or command.resolved_at or command.closed_at,
        f"It is {command.state.lower()}, and neither resolved_at nor closed_at says since when.",
        "resolved_at",
    )
    refuse_unless(
        not over or command.resolution,
        f"It is {command.state.lower()}, and no resolution says how: nothing of it was taken in.",
        "resolution",
    )


def _life(command: ImportIncident, world: World) -> Iterator[tuple[Event, datetime]]:
    """Its events, each with the time when it was true."""
    at = utc(command.opened_at)
    yield _created(command, world), at
    at = utc(command.acknowledged_at) if command.acknowledged_at else at
    if command.owner is not None and command.state is not State.NEW:
        yield Assigned(to=command.owner, before=None), at
    elif command.acknowledged_at or command.state is State.IN_PROGRESS:
        yield Acknowledged(by=world.actor), at
    if command.state is State.ON_HOLD:
        reason = command.hold or HoldReason.PROBLEM
        yield Held(reason=reason, on=f"{command.source} {command.number}", until=None, note=""), at
    ended = command.resolved_at or command.closed_at
    if (
        command.state in (State.RESOLVED, State.CLOSED)
        and ended is not None
        and command.resolution is not None
    ):
        at = utc(ended)
        closes = at + world.policy.matrix.auto_close_after
        yield Resolved(code=command.resolution, notes="", cause=command.cause, closes_at=closes), at
    if command.state is State.CLOSED:
        at = utc(command.closed_at) if command.closed_at else at
        yield Closed(note=""), at
    if command.state is State.CANCELED:
        at = utc(ended) if ended else at
        yield Canceled(reason=""), at
    owner = command.owner if command.state is State.NEW else None
    imported = Imported(source=command.source, number=command.number, story=command.story, owner=owner)
    yield imported, world.now


@evolve.register
def _(event: Imported, incident: Incident, at: datetime) -> Incident:
    return incident if event.owner is None else incident.but(owner=event.owner)


def _created(command: ImportIncident, world: World) -> Created:
    """What the matrix does not know of service and category is kept as it was said."""
    matrix = world.policy.matrix
    service = matrix.service_named(command.service) or command.service
    category = matrix.category_named(command.category) or command.category
    return Created(
        number=world.next_number,
        title=command.title,
        impact=command.impact,
        urgency=command.urgency,
        service=service,
        category=category,
        team=matrix.owning_team(service, category),
        caller=command.caller,
        reporter=command.reporter or world.actor,
        description=command.description,
        visibility=command.visibility,
    )
