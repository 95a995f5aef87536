"""Calls with suppliers, logged: who it was, what they said, and what they promised until when."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Final

from pydantic import AwareDatetime, Field

from register.core import (
    Command,
    Decision,
    Earlier,
    Event,
    PersonField,
    PersonId,
    Refused,
    Role,
    Said,
    Target,
    World,
    decide,
    evolve,
    refuse_unless,
    says,
    utc,
)
from register.incident import Ball, Bond, Incident
from register.text import Name, Text
from register.topics.engagement import Which, live_bond, the_one
from register.topics.family import children_of
from register.topics.hearing import followed
from register.topics.news import SupplierUpdated


class Stands(StrEnum):
    """How it stands with them, as they say on the phone."""

    WORKING = "working"
    WAITS_FOR_US = "waits_for_us"
    FIXED = "fixed"
    CLOSED = "closed"


_BALL: Final[Mapping[Stands, Ball]] = {
    Stands.WORKING: Ball.THEIRS,
    Stands.WAITS_FOR_US: Ball.OURS,
    Stands.FIXED: Ball.OURS,
    Stands.CLOSED: Ball.OURS,
}


class LogCall(Command):
    """Log a call with a supplier: who it was, what they said, and what they promised until when."""

    verb: ClassVar[str] = "call"
    hotkey: ClassVar[str | None] = "d"
    role: ClassVar[Role] = Role.RESPONDER

    target: Target
    whom: Annotated[Name, Field(description="who it was, or who was to answer"), PersonField("supplier")]
    said: Annotated[Text, Field(description="what they said; left empty: nobody answered")] = ""
    until: Annotated[AwareDatetime | None, Field(description="until when they promised something")] = None
    stands: Annotated[Stands | None, Field(description="how it stands with them, where they are by hand")] = (
        None
    )
    vendor: Which = None
    when: Annotated[AwareDatetime | None, Field(description="when the call was"), Earlier()] = None

    def touches_too(self, incidents: Mapping[str, Incident]) -> tuple[str, ...]:
        return children_of(incidents.get(self.target))


class Called(Event):
    """One call. reached: somebody answered. until: what they promised, a person is reminded of it then."""

    kind: ClassVar[str] = "called"

    bond: str
    vendor: str
    whom: PersonId
    reached: bool
    body: str
    until: datetime | None = None


def bond_to_call(incident: Incident, vendor: str | None) -> Bond:
    """The bond that a call is about: the live one, else the newest with that supplier, however it ended."""
    if incident.live_bonds(vendor):
        return live_bond(incident, vendor)
    some = tuple(bond for bond in incident.bonds if vendor in (None, bond.vendor))
    return the_one(incident, some) if some else live_bond(incident, vendor)


@decide.register
def _(command: LogCall, incident: Incident, world: World) -> Decision:
    bond = bond_to_call(incident, command.vendor)
    at = world.now if command.when is None else utc(command.when)
    refuse_unless(at <= world.now, "That call has not been yet: log it when it was.", "when")
    refuse_unless(
        at >= bond.engaged_at, f"{bond.vendor} was engaged only after that call: look at the time.", "when"
    )
    reached = bool(command.said or command.until or command.stands)
    called = called_them(bond, command.whom, reached=reached, said=command.said, until=command.until, at=at)
    said = says(incident, called, at=at)
    if command.stands is None:
        return said
    refuse_unless(
        bond.by_hand,
        f"{bond.vendor}'s own system tells how it stands with them. Nothing was done: log the call"
        " without it.",
        "stands",
    )
    update = _update(bond, command.stands, command.whom, f"call {command.command_id}")
    said = (*said, Said(incident.number, update, at))
    return (*said, *followed(bond.vendor, world, said))


def called_them(
    bond: Bond, whom: PersonId, *, reached: bool, said: str, until: datetime | None, at: datetime
) -> Called:
    """One call, as an event. Refused where a promise ends before it was made."""
    until = None if until is None else utc(until)
    if until is not None and until <= at:
        raise Refused("What they promised would have passed before the call: give a later time.", "until")
    return Called(bond=bond.id, vendor=bond.vendor, whom=whom, reached=reached, body=said, until=until)


def _update(bond: Bond, stands: Stands, whom: PersonId, change_id: str) -> SupplierUpdated:
    return SupplierUpdated(
        bond=bond.id,
        vendor=bond.vendor,
        change_id=change_id,
        author=whom,
        before=bond.raw_state,
        raw_state=stands.value.replace("_", " "),
        ball=_BALL[stands],
        fixed=stands in (Stands.FIXED, Stands.CLOSED),
        closed=stands is Stands.CLOSED,
    )


@evolve.register
def _(event: Called, incident: Incident, at: datetime) -> Incident:
    """Their word by phone is a word of theirs. Whoever did not answer leaves the card where it is."""
    bond = incident.bond(event.bond)
    if bond is None or not event.reached:
        return incident
    changes: dict[str, Any] = {
        "call": None,
        "heard_at": _later(bond.heard_at, at),
        "said_at": _later(bond.said_at, at),
    }
    if event.until is not None:
        changes |= {"promised_until": event.until, "remind_at": event.until}
        if bond.ball is not Ball.THEIRS:
            changes |= {"ball": Ball.THEIRS, "ball_since": at}
    return incident.with_bond(bond.but(**changes))


def _later(before: datetime | None, at: datetime) -> datetime:
    return at if before is None else max(before, at)
