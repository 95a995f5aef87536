"""Engaging a supplier, and answering one: what is said to them, asked for here, sent by the courier."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, ClassVar

import orjson
from pydantic import Field

from register.core import (
    Command,
    Decision,
    Event,
    NotFound,
    PersonId,
    Role,
    Target,
    World,
    decide,
    effects,
    evolve,
    joined,
    refuse_unless,
    says,
)
from register.effect import Effect, Enqueue
from register.incident import Ball, Bond, BondState, Incident, Priority
from register.text import Slug, Words


class Engage(Command):
    """Engage a supplier: they get a ticket in their own system."""

    verb: ClassVar[str] = "engage"
    hotkey: ClassVar[str | None] = "v"
    role: ClassVar[Role] = Role.COORDINATOR

    target: Target
    vendor: Annotated[Slug, Field(description="the supplier's name in vendors.toml")]
    message: Annotated[Words, Field(description="what they are told")]
    again: Annotated[bool, Field(description="make a second ticket though one is open with them")] = False


class Reply(Command):
    """Write to an engaged supplier: it goes out on their ticket."""

    verb: ClassVar[str] = "reply"
    hotkey: ClassVar[str | None] = "c"
    role: ClassVar[Role] = Role.COORDINATOR

    target: Target
    message: Annotated[Words, Field(description="what they are told")]
    vendor: Annotated[Slug | None, Field(description="which supplier, where several are engaged")] = None


class Engaged(Event):
    kind: ClassVar[str] = "engaged"

    bond: str
    vendor: str
    production: bool
    title: str
    message: str
    priority: Priority
    by: PersonId


class Replied(Event):
    kind: ClassVar[str] = "replied"

    bond: str
    vendor: str
    production: bool
    message: str


@decide.register
def _(command: Engage, incident: Incident, world: World) -> Decision:
    facts = world.policy.vendors.get(command.vendor)
    if facts is None:
        raise NotFound(
            f"There is no supplier {command.vendor!r} in the adopted vendors.toml."
            f" Known: {joined(world.policy.vendors)}. A new one takes effect with `muster apply`.",
            ask="vendor",
        )
    refuse_unless(
        incident.is_open,
        f"{incident.number} is {incident.state.lower()}: reopen it, or log a new one, to engage a supplier.",
    )
    live = incident.live_bonds(command.vendor)
    if live and not command.again:
        where = f"as {live[0].ref.key}" if live[0].ref else "and the ticket is on its way"
        refuse_unless(
            False,
            f"{command.vendor} is engaged for {incident.number} already, {where}."
            " Reply on that one; --again makes a second ticket on purpose.",
            ask="again",
        )
    engaged = Engaged(
        bond=command.command_id,
        vendor=command.vendor,
        production=facts is not None and facts.production,
        title=incident.title,
        message=command.message,
        priority=incident.priority,
        by=world.actor,
    )
    return says(incident, engaged)


def _the_bond(incident: Incident, vendor: str | None) -> Bond:
    live = incident.live_bonds(vendor)
    refuse_unless(
        live,
        f"No supplier is engaged for {incident.number}: engage one first."
        if vendor is None
        else f"{vendor} is not engaged for {incident.number}: engage them first.",
        ask="vendor",
    )
    names = {bond.vendor for bond in live}
    refuse_unless(
        len(names) == 1,
        f"Several suppliers are engaged for {incident.number}: say which ({joined(names)}).",
        ask="vendor",
    )
    return live[-1]


@decide.register
def _(command: Reply, incident: Incident, world: World) -> Decision:
    bond = _the_bond(incident, command.vendor)
    return says(
        incident,
        Replied(bond=bond.id, vendor=bond.vendor, production=bond.production, message=command.message),
    )


@evolve.register
def _(event: Engaged, incident: Incident, at: datetime) -> Incident:
    bond = Bond(
        id=event.bond,
        vendor=event.vendor,
        production=event.production,
        state=BondState.ENGAGING,
        ball=Ball.OURS,
        ball_since=at,
        engaged_at=at,
        engaged_by=event.by,
    )
    return incident.with_bond(bond)


@effects.register
def _(event: Engaged, stream: str, command_id: str) -> tuple[Effect, ...]:
    payload = {"title": event.title, "body": event.message, "priority": int(event.priority)}
    return (_enqueue(event.bond, event.vendor, stream, command_id, "create", payload),)


@effects.register
def _(event: Replied, stream: str, command_id: str) -> tuple[Effect, ...]:
    payload = {"body": event.message, "public": True}
    return (_enqueue(event.bond, event.vendor, stream, command_id, "comment", payload),)


def _enqueue(bond: str, vendor: str, stream: str, command_id: str, kind: str, payload: object) -> Enqueue:
    """One sending. The command's id is the operation id: it was minted before anything else happened."""
    return Enqueue(
        row_id=command_id,
        op_id=command_id,
        incident=stream,
        bond=bond,
        vendor=vendor,
        kind=kind,
        payload=orjson.dumps(payload).decode(),
    )
