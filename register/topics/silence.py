"""Silencing one incident: nobody is paged for it for a while, and everybody sees that and until when.

It is over when its time has come, when somebody says so, or with the incident. What was due meanwhile is done
then; a page that was on its way is not sent.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, ClassVar, Final

from pydantic import Field

from register.core import (
    Command,
    Decision,
    Event,
    PersonId,
    Role,
    Target,
    World,
    decide,
    evolve,
    moved,
    refuse_unless,
    remarks,
    says,
)
from register.holding import SILENCE, goes_on
from register.incident import Incident
from register.incident import Silence as Kept
from register.length import Period, told
from register.run import Run
from register.text import Text, Words

MOST: Final = timedelta(hours=24)


class Silence(Command):
    """Have nobody paged for the incident for a while: it escalates then, where it is still open."""

    verb: ClassVar[str] = "silence"
    hotkey: ClassVar[str | None] = "S"
    role: ClassVar[Role] = Role.RESPONDER

    target: Target
    for_: Annotated[Period, Field(description="how long, 24h at most")]
    why: Annotated[Words, Field(description="why nobody need be paged for it meanwhile")]


class Unsilence(Command):
    """Have people paged for the incident again: what was due meanwhile is done now."""

    verb: ClassVar[str] = "unsilence"
    hotkey: ClassVar[str | None] = None
    role: ClassVar[Role] = Role.RESPONDER

    target: Target
    why: Annotated[Text, Field(description="why, where that matters")] = ""


class Silenced(Event):
    """Nobody is paged for it until then. until_before: it was silenced until then already."""

    kind: ClassVar[str] = "silenced"

    until: datetime
    why: str
    by: PersonId
    until_before: datetime | None = None


class Unsilenced(Event):
    kind: ClassVar[str] = "unsilenced"

    why: str = ""
    by_itself: bool = False  # its time came


@decide.register
def _(command: Silence, incident: Incident, world: World) -> Decision:
    refuse_unless(
        incident.is_open,
        f"{incident.number} is {incident.state.lower()}: nobody is paged for it. Nothing was done.",
    )
    refuse_unless(
        command.for_ <= MOST,
        f"{told(command.for_)} is more than 24h: nothing is silenced for longer at once. Nothing was done;"
        " say it again while it lasts.",
        ask="for_",
    )
    silenced = Silenced(
        until=world.now + command.for_,
        why=command.why,
        by=world.actor,
        until_before=None if incident.silence is None else incident.silence.until,
    )
    return says(incident, silenced)


@decide.register
def _(command: Unsilence, incident: Incident, world: World) -> Decision:
    refuse_unless(
        incident.silence is not None,
        f"{incident.number} is not silenced. Nothing was done.",
    )
    return says(incident, Unsilenced(why=command.why))


def silence_over(incident: Incident, world: World) -> tuple[Unsilenced, ...]:
    """The end of a silence whose time has come."""
    kept = incident.silence
    return () if kept is None or kept.until > world.now else (Unsilenced(by_itself=True),)


@remarks.register
def _(command: Silence, world: World, after: Incident | None) -> tuple[str, ...]:
    if after is None or after.silence is None:
        return ()
    return (
        f"Nobody is paged for it until {after.silence.until:%Y-%m-%d %H:%M} UTC; where it is still open then,"
        f" it escalates. `muster unsilence {after.number}` ends it before.",
    )


@evolve.register
def _(event: Silenced, incident: Incident, at: datetime) -> Incident:
    return incident.but(silence=Kept(until=event.until, why=event.why, by=event.by))


@evolve.register
def _(event: Unsilenced, incident: Incident, at: datetime) -> Incident:
    return incident.but(silence=None)


@moved.register
def _(event: Silenced, run: Run, before: Incident, after: Incident, at: datetime) -> Run:
    """What is due is held when its time comes; what is held already is held until another time."""
    return goes_on(run, event.until, after.priority) if run.held == SILENCE else run


@moved.register
def _(event: Unsilenced, run: Run, before: Incident, after: Incident, at: datetime) -> Run:
    return goes_on(run, at, after.priority) if run.held == SILENCE else run
