"""Words between the caller and us: whose turn it is to answer follows from who spoke last."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, ClassVar

from pydantic import Field

from register.core import Command, Decision, Event, Role, Target, World, decide, evolve, remarks, says
from register.incident import HoldReason, Incident, State
from register.text import Words
from register.topics.family import children_of
from register.topics.hold import goes_on


class HearCaller(Command):
    """Take down what the caller said: an incident that waits for it goes on."""

    verb: ClassVar[str] = "caller"
    role: ClassVar[Role] = Role.RESPONDER

    target: Target
    text: Annotated[Words, Field(description="what they said")]

    def touches_too(self, incidents: Mapping[str, Incident]) -> tuple[str, ...]:
        return children_of(incidents.get(self.target))


class TellCaller(Command):
    """Put on record what you told the caller."""

    verb: ClassVar[str] = "tell"
    role: ClassVar[Role] = Role.RESPONDER

    target: Target
    text: Annotated[Words, Field(description="what they were told")]


class CallerSaid(Event):
    kind: ClassVar[str] = "caller_said"

    text: str


class CallerTold(Event):
    kind: ClassVar[str] = "caller_told"

    text: str


@decide.register
def _(command: HearCaller, incident: Incident, world: World) -> Decision:
    said = says(incident, CallerSaid(text=command.text))
    if incident.hold is not None and incident.hold.reason is HoldReason.CALLER:
        return (*said, *goes_on(incident, world, "the caller answered"))
    return said


@decide.register
def _(command: TellCaller, incident: Incident, world: World) -> Decision:
    return says(incident, CallerTold(text=command.text))


@remarks.register
def _(command: HearCaller, world: World, after: Any) -> tuple[str, ...]:
    if after is None or after.is_open:
        return ()
    verb = "reopen" if after.state is State.RESOLVED else "follow-up"
    return (
        f"{after.number} is {after.state.lower()}: the word is kept, and nothing goes on by itself."
        f" If it is not solved: `muster {verb} {after.number}`.",
    )


@evolve.register
def _(event: CallerSaid, incident: Incident, at: datetime) -> Incident:
    return incident.but(word="caller", word_at=at)


@evolve.register
def _(event: CallerTold, incident: Incident, at: datetime) -> Incident:
    return incident.but(word="us", word_at=at)
