"""A supplier's ticket under another number, or several: merged, split, renumbered, and a person knows."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from register.core import (
    Command,
    Decision,
    Role,
    Target,
    World,
    bookkeeping,
    decide,
    joined,
    refuse_unless,
    says,
)
from register.effect import Effect, ReadAnew
from register.incident import Bond, Incident, TicketRef
from register.text import Name
from register.topics.engagement import Which, live_bond
from register.topics.further import FurtherDropped, FurtherLinked
from register.topics.news import Relinked


class Relink(Command):
    """Say under which number a supplier has the ticket now, or which further one belongs to it."""

    verb: ClassVar[str] = "relink"
    role: ClassVar[Role] = Role.COORDINATOR

    target: Target
    ticket: Annotated[Name, Field(description="the ticket's number at the supplier")]
    vendor: Which = None
    also: Annotated[
        bool,
        Field(description="a further ticket of theirs about the same: it is heard, too"),
    ] = False
    drop: Annotated[bool, Field(description="let a further ticket go, or one that was proposed")] = False


class FollowMove(Command):
    """A supplier's system says that the ticket goes on under another reference."""

    role: ClassVar[Role] = Role.ENGINE

    target: Target
    bond: str
    ref: TicketRef


@decide.register
def _(command: FollowMove, incident: Incident, world: World) -> Decision:
    bond = incident.bond(command.bond)
    if bond is None or bond.ref == command.ref:
        return ()
    return says(incident, Relinked(bond=bond.id, vendor=bond.vendor, ref=command.ref))


@decide.register
def _(command: Relink, incident: Incident, world: World) -> Decision:
    bond = live_bond(incident, command.vendor)
    refuse_unless(
        bond.ref is not None,
        f"The ticket at {bond.vendor} is not known to be made: where it is in doubt, the outbox takes its"
        " number (`muster outbox adopt`). Nothing was done.",
    )
    refuse_unless(
        not (command.also and command.drop), "Say either --also or --drop. Nothing was done.", "drop"
    )
    ref = _named(bond, command.ticket)
    if command.drop:
        return says(incident, _dropped(incident, bond, ref))
    refuse_unless(
        bond.ref is not None and ref.id not in (bond.ref.id, bond.ref.key),
        f"That is the number that {incident.number} has at {bond.vendor} already. Nothing was done.",
    )
    if not command.also:
        return says(incident, Relinked(bond=bond.id, vendor=bond.vendor, ref=ref))
    refuse_unless(
        bond.further_of(ref.id) is None,
        f"{ref.key} is a further ticket of {incident.number} at {bond.vendor} already. Nothing was done.",
    )
    return says(incident, FurtherLinked(bond=bond.id, vendor=bond.vendor, ref=ref))


def _named(bond: Bond, name: str) -> TicketRef:
    """The ticket that a person means: one that is known by this id or number, or a new one."""
    given = TicketRef(id=name.lstrip("#"), key=name)
    known = _others(bond) + ([bond.ref] if bond.ref is not None else [])
    names = {given.id, given.key}
    return next((ref for ref in known if names & {ref.id, ref.key, ref.key.lstrip("#")}), given)


def _others(bond: Bond) -> list[TicketRef]:
    return [*(one.ref for one in bond.further), *(one.ref for one in bond.links)]


def _dropped(incident: Incident, bond: Bond, ref: TicketRef) -> FurtherDropped:
    others = _others(bond)
    refuse_unless(
        ref in others,
        f"{ref.key} is no further ticket of {incident.number} at {bond.vendor}. Further ones:"
        f" {joined(one.key for one in others)}. Nothing was done.",
        ask="ticket",
    )
    return FurtherDropped(bond=bond.id, vendor=bond.vendor, ref=ref)


@bookkeeping.register
def _(command: FollowMove, world: World) -> tuple[Effect, ...]:
    return (ReadAnew(command.bond),)


@bookkeeping.register
def _(command: Relink, world: World) -> tuple[Effect, ...]:
    if command.also or command.drop:  # a further one is new to us, and so not read yet
        return ()
    bond = live_bond(world.incidents[command.target], command.vendor)
    return (ReadAnew(bond.id),)
