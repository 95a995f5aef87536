"""A supplier's ticket under another number: merged, split or renumbered, and a person knows it."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from register.core import Command, Decision, Role, Target, World, bookkeeping, decide, refuse_unless, says
from register.effect import Effect, ReadAnew
from register.incident import Incident, TicketRef
from register.text import Name
from register.topics.engagement import Which, live_bond
from register.topics.hearing import Relinked


class Relink(Command):
    """Say under which number a supplier has the ticket now; it is read whole from there."""

    verb: ClassVar[str] = "relink"
    role: ClassVar[Role] = Role.COORDINATOR

    target: Target
    ticket: Annotated[Name, Field(description="the ticket's number at the supplier")]
    vendor: Which = None


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
    ref = TicketRef(id=command.ticket.lstrip("#"), key=command.ticket)
    refuse_unless(
        bond.ref is not None and ref.id not in (bond.ref.id, bond.ref.key),
        f"That is the number that {incident.number} has at {bond.vendor} already. Nothing was done.",
    )
    return says(incident, Relinked(bond=bond.id, vendor=bond.vendor, ref=ref))


@bookkeeping.register
def _(command: FollowMove, world: World) -> tuple[Effect, ...]:
    return (ReadAnew(command.bond),)


@bookkeeping.register
def _(command: Relink, world: World) -> tuple[Effect, ...]:
    bond = live_bond(world.incidents[command.target], command.vendor)
    return (ReadAnew(bond.id),)
