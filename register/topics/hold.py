"""Putting an incident on hold, and taking it up again."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, ClassVar

from pydantic import AwareDatetime, Field

from register.core import (
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
    utc,
)
from register.incident import MAY, Hold, HoldReason, Incident, State
from register.text import Name, Text
from register.topics.family import children_of, each_child, goes_along, may_say, to_be_begun, with_its_parent


class PutOnHold(Command):
    """Put the incident on hold: say what it waits for."""

    verb: ClassVar[str] = "hold"
    hotkey: ClassVar[str | None] = "H"
    role: ClassVar[Role] = Role.RESPONDER

    target: Target
    reason: Annotated[HoldReason, Field(description="whom or what it waits for")]
    on: Annotated[
        Name | None, Field(description="what it waits for: a supplier, a change's or problem's number")
    ] = None
    until: Annotated[AwareDatetime | None, Field(description="when to look again")] = None
    note: Annotated[
        Text, Field(description="what the caller was asked; needed when waiting for the caller")
    ] = ""

    def touches_too(self, incidents: Mapping[str, Incident]) -> tuple[str, ...]:
        return children_of(incidents.get(self.target))


class Resume(Command):
    """Take an incident on hold up again."""

    verb: ClassVar[str] = "resume"
    hotkey: ClassVar[str | None] = "b"
    role: ClassVar[Role] = Role.RESPONDER

    target: Target

    def touches_too(self, incidents: Mapping[str, Incident]) -> tuple[str, ...]:
        return children_of(incidents.get(self.target))


class Held(Event):
    kind: ClassVar[str] = "held"

    reason: HoldReason
    on: str
    until: datetime | None
    note: str


class Resumed(Event):
    kind: ClassVar[str] = "resumed"

    because: str


@decide.register
def _(command: PutOnHold, incident: Incident, world: World) -> Decision:
    refuse_unless(
        State.ON_HOLD in MAY[incident.state],
        f"{incident.number} is {incident.state.lower()}: only an open incident can be put on hold.",
    )
    on = command.on or ""
    if command.reason is HoldReason.VENDOR:
        on = _engaged_of(incident, command)
    if command.reason is HoldReason.CALLER and incident.caller is not None:
        on = on or "the caller"
    refuse_unless(
        on or command.until,
        "A hold needs what it waits on or a date to look again, so that it can wake up."
        " Name the record (--on) or give a time (--until).",
        ask="on",
    )
    refuse_unless(
        command.reason is not HoldReason.CALLER or command.note,
        "Waiting for the caller needs a word to the caller: say in the note what you asked.",
        ask="note",
    )
    if command.until is not None:
        refuse_unless(
            command.until > world.now, "The time to look again has passed: give a later one.", "until"
        )
    until = None if command.until is None else utc(command.until)
    held = Held(reason=command.reason, on=on, until=until, note=command.note)
    if command.reason is HoldReason.CALLER:
        return says(incident, held)
    with_it = held.model_copy(update={"note": with_its_parent(incident)})
    hidden = with_it.model_copy(update={"on": incident.number})  # it wakes with its parent

    def along(child: Incident) -> Held:
        return with_it if may_say(incident, child) else hidden

    return (*says(incident, held), *each_child(incident, world, along, goes_along))


def _engaged_of(incident: Incident, command: PutOnHold) -> str:
    """Whose word the hold waits for: the supplier that is named, else all who are engaged.

    One who is not engaged will never say a word of it, so then only a date can wake it.
    """
    engaged = [bond.vendor for bond in incident.live_bonds()]
    named = command.on or ", ".join(engaged)
    refuse_unless(
        command.until or set(named.casefold().replace(",", " ").split()) & set(engaged),
        f"{command.on or 'No supplier'} is {'not ' if command.on else ''}engaged for {incident.number}, so"
        " nothing would wake the hold. Nothing was done: engage the supplier first, or give a time to look"
        " again (--until).",
        ask="on",
    )
    return named


@decide.register
def _(command: Resume, incident: Incident, world: World) -> Decision:
    refuse_unless(
        incident.state is State.ON_HOLD,
        f"{incident.number} is {incident.state.lower()}, not on hold: there is nothing to resume.",
    )
    return goes_on(incident, world, "by hand")


def goes_on(incident: Incident, world: World, because: str) -> Decision:
    """It is in progress again, and its children with it."""
    with_it = Resumed(because=f"{incident.number}, its parent, is in progress")
    children = each_child(incident, world, lambda child: with_it, to_be_begun)
    return (*says(incident, Resumed(because=because)), *children)


@evolve.register
def _(event: Held, incident: Incident, at: datetime) -> Incident:
    said = {"word": "us", "word_at": at} if event.reason is HoldReason.CALLER else {}
    return incident.but(
        **said, state=State.ON_HOLD, hold=Hold(reason=event.reason, on=event.on, until=event.until)
    )


@evolve.register
def _(event: Resumed, incident: Incident, at: datetime) -> Incident:
    return incident.but(state=State.IN_PROGRESS, hold=None)
