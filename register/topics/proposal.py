"""What becomes of a supplier's "fixed": it is a proposal, which a person accepts or disputes."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, ClassVar

from pydantic import Field

from register.core import (
    Command,
    Decision,
    Event,
    Role,
    Target,
    World,
    decide,
    effects,
    evolve,
    refuse_unless,
    remarks,
    says,
)
from register.effect import Effect
from register.incident import Bond, BondState, Incident, ResolutionCode
from register.text import Text, Words
from register.topics.engagement import Which, enqueued, live_bond, the_one
from register.topics.letting_out import refuse_closing, removed_from, words_for


class Accept(Command):
    """Accept that a supplier has fixed it: their part is over."""

    verb: ClassVar[str] = "accept"
    role: ClassVar[Role] = Role.COORDINATOR
    sends: ClassVar[bool] = True

    target: Target
    note: Annotated[Text, Field(description="a word to them, if any")] = ""
    vendor: Which = None
    anyway: Annotated[
        bool,
        Field(description="though a further ticket of theirs is open still: nobody waits for it any more"),
    ] = False


class Dispute(Command):
    """Tell a supplier that it is not fixed: their ticket is to be worked on again."""

    verb: ClassVar[str] = "dispute"
    role: ClassVar[Role] = Role.COORDINATOR
    sends: ClassVar[bool] = True

    target: Target
    message: Annotated[Words, Field(description="what is still wrong; they are told")]
    vendor: Which = None


class Accepted(Event):
    """tells: whether their ticket is still to be closed. seen: their state as we knew it."""

    kind: ClassVar[str] = "accepted"

    bond: str
    vendor: str
    production: bool
    note: str
    tells: bool
    seen: str
    version: str | None = None  # of their ticket when it was in that state, where it is known
    op: str = ""  # its operation id, where one command says several
    ended: str = ResolutionCode.SUPPLIER  # how, as their table of codes has it on our side


class Disputed(Event):
    kind: ClassVar[str] = "disputed"

    bond: str
    vendor: str
    production: bool
    message: str
    seen: str


def _fixed(incident: Incident, vendor: str | None) -> Bond:
    """The bond whose supplier says that it is fixed."""
    proposed = tuple(bond for bond in incident.live_bonds(vendor) if bond.state is BondState.FIXED)
    if proposed:
        return the_one(incident, proposed)
    bond = live_bond(incident, vendor)
    refuse_unless(
        False,
        f"{bond.vendor} does not say that {incident.number} is fixed, so there is nothing to accept or"
        " dispute. Nothing was done: reply to them, or withdraw what they were asked.",
    )
    return bond


@decide.register
def _(command: Accept, incident: Incident, world: World) -> Decision:
    bond = _fixed(incident, command.vendor)
    refuse_unless(
        command.anyway or not bond.still_open,
        f"{bond.vendor} calls {_key(bond)} fixed, and works on {open_ones(bond)} still. Nothing was done:"
        " wait for that, dispute it, or accept it all the same (--anyway).",
        ask="anyway",
    )
    note = words_for(incident, world, bond.vendor, command.note, "note")
    done = accepted(bond, note)
    if done.tells:
        refuse_closing(world, bond.vendor, done.ended, note)
    return says(incident, done)


def _key(bond: Bond) -> str:
    return bond.ref.key if bond.ref is not None else "it"


def open_ones(bond: Bond) -> str:
    """The further tickets that they still work on, as a person lists them."""
    return ", ".join(one.ref.key for one in bond.still_open)


def accepted(bond: Bond, note: str = "", ended: str = ResolutionCode.SUPPLIER) -> Accepted:
    """What accepting their fix comes to. A ticket that they have closed themselves needs no word."""
    return Accepted(
        bond=bond.id,
        vendor=bond.vendor,
        production=bond.production,
        note=note,
        tells=bool(note) or not bond.closed,
        seen=bond.raw_state,
        version=bond.version,
        ended=ended,
    )


@decide.register
def _(command: Dispute, incident: Incident, world: World) -> Decision:
    bond = _fixed(incident, command.vendor)
    disputed = Disputed(
        bond=bond.id,
        vendor=bond.vendor,
        production=bond.production,
        message=words_for(incident, world, bond.vendor, command.message),
        seen=bond.raw_state,
    )
    return says(incident, disputed)


@remarks.register
def _(command: Accept, world: World, after: Incident | None) -> tuple[str, ...]:
    return removed_from(world, _fixed(world.incidents[command.target], command.vendor).vendor, command.note)


@remarks.register
def _(command: Dispute, world: World, after: Incident | None) -> tuple[str, ...]:
    return removed_from(
        world, _fixed(world.incidents[command.target], command.vendor).vendor, command.message
    )


@evolve.register
def _(event: Accepted, incident: Incident, at: datetime) -> Incident:
    bond = incident.bond(event.bond)
    if bond is None:
        return incident
    if not event.tells:
        return incident.with_bond(bond.but(state=BondState.ENDED))
    return incident.with_bond(bond.but(state=BondState.ENDING).prepared())


@evolve.register
def _(event: Disputed, incident: Incident, at: datetime) -> Incident:
    bond = incident.bond(event.bond)
    if bond is None:
        return incident
    again = bond.but(state=BondState.OPEN, disputed=bond.disputed + 1)
    return incident.with_bond(again.prepared())


@effects.register
def _(event: Accepted, stream: str, command_id: str) -> tuple[Effect, ...]:
    if not event.tells:
        return ()
    payload = {"to": "closed", "note": event.note, "seen": event.seen, "ended": event.ended}
    if event.version is not None:
        payload["version"] = event.version
    return (enqueued(event.bond, event.vendor, stream, event.op or command_id, "transition", payload),)


@effects.register
def _(event: Disputed, stream: str, command_id: str) -> tuple[Effect, ...]:
    payload = {"to": "working", "note": event.message, "seen": event.seen, "firm": True}
    return (enqueued(event.bond, event.vendor, stream, command_id, "transition", payload),)
