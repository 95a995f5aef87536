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
    """The caller's word. keeps_open: it was resolved, and closes by itself no more until it is answered."""

    kind: ClassVar[str] = "caller_said"

    text: str
    keeps_open: bool = False


class CallerTold(Event):
    """Our word to the caller. closes_at: where their word had kept it open, when it closes now."""

    kind: ClassVar[str] = "caller_told"

    text: str
    closes_at: datetime | None = None


@decide.register
def _(command: HearCaller, incident: Incident, world: World) -> Decision:
    kept = incident.state is State.RESOLVED
    said = says(incident, CallerSaid(text=command.text, keeps_open=kept))
    if incident.hold is not None and incident.hold.reason is HoldReason.CALLER:
        return (*said, *goes_on(incident, world, "the caller answered"))
    return said


@decide.register
def _(command: TellCaller, incident: Incident, world: World) -> Decision:
    kept = incident.state is State.RESOLVED and incident.closes_at is None
    closes_at = world.now + world.policy.matrix.auto_close_after if kept else None
    return says(incident, CallerTold(text=command.text, closes_at=closes_at))


@remarks.register
def _(command: HearCaller, world: World, after: Any) -> tuple[str, ...]:
    if after is None or after.is_open:
        return ()
    resolved = after.state is State.RESOLVED
    verb = "reopen" if resolved else "follow-up"
    waits = " Until they are answered (`muster tell`) it does not close by itself." if resolved else ""
    return (
        f"{after.number} is {after.state.lower()}: the word is kept, and nothing goes on by itself."
        f" If it is not solved: `muster {verb} {after.number}`.{waits}",
    )


@evolve.register
def _(event: CallerSaid, incident: Incident, at: datetime) -> Incident:
    said = incident.but(word="caller", word_at=at)
    return said.but(closes_at=None) if event.keeps_open else said


@evolve.register
def _(event: CallerTold, incident: Incident, at: datetime) -> Incident:
    told = incident.but(word="us", word_at=at)
    return told if event.closes_at is None else told.but(closes_at=event.closes_at)
