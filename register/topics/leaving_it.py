"""Leaving something as it is with a supplier: the other answer to what waits for a person's word."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, ClassVar

from pydantic import Field

from register.asking import Asks, mark_of
from register.core import Command, Decision, Event, Role, Target, World, decide, evolve, refuse_unless, says
from register.incident import Incident
from register.topics.engagement import Which, live_bond


class LeaveIt(Command):
    """Leave something with a supplier as it is: it waits for nobody's word any more."""

    verb: ClassVar[str] = "leave"
    role: ClassVar[Role] = Role.COORDINATOR

    target: Target
    what: Annotated[Asks, Field(description="what is left as it is")]
    vendor: Which = None


class LeftAsItIs(Event):
    """mark: what stood there to be decided (`register.asking`); what is another than that asks anew."""

    kind: ClassVar[str] = "left_as_it_is"

    bond: str
    vendor: str
    what: Asks
    mark: str


@decide.register
def _(command: LeaveIt, incident: Incident, world: World) -> Decision:
    bond = live_bond(incident, command.vendor)
    mark = mark_of(command.what, bond, incident.priority)
    refuse_unless(
        mark and mark not in bond.left,
        f"Nothing of {bond.vendor} waits for a word about {command.what} on {incident.number}. Nothing was"
        " done.",
        "what",
    )
    return says(incident, LeftAsItIs(bond=bond.id, vendor=bond.vendor, what=command.what, mark=mark))


@evolve.register
def _(event: LeftAsItIs, incident: Incident, at: datetime) -> Incident:
    bond = incident.bond(event.bond)
    if bond is None:
        return incident
    others = tuple(mark for mark in bond.left if mark.partition(" ")[0] != event.what)
    return incident.with_bond(bond.but(left=(*others, event.mark)))
