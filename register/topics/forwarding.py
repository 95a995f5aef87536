"""One supplier's words to another one of the same incident."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, ClassVar

from pydantic import Field

from register.core import (
    Command,
    Decision,
    Event,
    NotFound,
    Role,
    Target,
    World,
    Written,
    decide,
    effects,
    evolve,
    refuse_unless,
    remarks,
    says,
)
from register.effect import Effect
from register.forgetting import event_of
from register.incident import Incident
from register.leaving import May
from register.marker import without_footers
from register.text import MAX_TEXT, Slug, Text, clip
from register.topics.engagement import enqueued, live_bond
from register.topics.letting_out import receives, removed_from, words_for
from register.topics.news import SupplierSaid


class Forward(Command):
    """Tell a supplier what another one wrote: quoted, without what may not leave."""

    verb: ClassVar[str] = "forward"
    role: ClassVar[Role] = Role.COORDINATOR
    sends: ClassVar[bool] = True

    target: Target
    vendor: Annotated[Slug, Field(description="the engaged supplier that is told")]
    event: Annotated[
        int | None,
        Field(
            ge=1, description="which of their words: its seq, as `muster show --json` has it; else the last"
        ),
    ] = None
    message: Annotated[Text, Field(description="your own words before it, if any")] = ""

    def reads(self) -> tuple[str, ...]:
        return (self.target,)


class Forwarded(Event):
    """origin: the bond whose supplier wrote it. quotes: the seq of their words."""

    kind: ClassVar[str] = "forwarded"

    bond: str
    vendor: str
    production: bool
    origin: str
    message: str
    quotes: tuple[int, ...]


@decide.register
def _(command: Forward, incident: Incident, world: World) -> Decision:
    bond = live_bond(incident, command.vendor)
    refuse_unless(
        receives(world, bond.vendor).lets(May.FORWARDS),
        f'{bond.vendor} may not receive what other suppliers write: nothing was done. Have "forwards" put'
        f" into may_receive of {bond.vendor} in vendors.toml, or say it in your own words.",
    )
    one, said = _words(command, incident, world)
    forwarded = Forwarded(
        bond=bond.id,
        vendor=bond.vendor,
        production=bond.production,
        origin=said.bond,
        message=words_for(incident, world, bond.vendor, _quoted(command, said, world)),
        quotes=(one.seq,),
    )
    return says(incident, forwarded)


def _words(command: Forward, incident: Incident, world: World) -> tuple[Written, SupplierSaid]:
    """Return what is meant: words that another supplier wrote for everybody to see."""
    found: list[tuple[Written, SupplierSaid]] = []
    for one in world.stories[incident.number]:
        event = None if one.data is None or one.wiped else event_of(one.kind, one.v, one.data)
        if isinstance(event, SupplierSaid) and event.body and not event.perhaps_ours:
            found.append((one, event))
    if command.event is not None:
        found = [(one, event) for one, event in found if one.seq == command.event]
    else:
        found = [(one, event) for one, event in found if event.vendor != command.vendor and event.public]
    if not found:
        which = "no other supplier wrote anything" if command.event is None else "that is no supplier's word"
        raise NotFound(
            f"There is nothing to forward: {which} that is left. Nothing was done; `muster show"
            f" {incident.number} --json` tells the seq of each.",
            "event",
        )
    one, said = found[-1]
    refuse_unless(
        said.vendor != command.vendor,
        f"{command.vendor} wrote that themselves: nothing was done. Say another one with --event.",
        ask="event",
    )
    refuse_unless(
        said.public,
        f"{said.vendor} wrote that for their own people, who let us see it: nothing was done. Say what"
        " matters of it in a reply.",
        ask="event",
    )
    return one, said


def _quoted(command: Forward, said: SupplierSaid, world: World) -> str:
    facts = world.policy.vendors.get(said.vendor)
    body = without_footers(said.body)  # with one, their answer would be taken for our own words
    lines = "\n".join(f"> {line}".rstrip() for line in body.splitlines())
    quote = f"{facts.title if facts else said.vendor} wrote:\n{lines}"
    return clip("\n\n".join(part for part in (command.message, quote) if part), MAX_TEXT)


@remarks.register
def _(command: Forward, world: World, after: Incident | None) -> tuple[str, ...]:
    _, said = _words(command, world.incidents[command.target], world)
    return removed_from(world, command.vendor, _quoted(command, said, world))


@evolve.register
def _(event: Forwarded, incident: Incident, at: datetime) -> Incident:
    bond = incident.bond(event.bond)
    return incident if bond is None else incident.with_bond(bond.prepared())


@effects.register
def _(event: Forwarded, stream: str, command_id: str) -> tuple[Effect, ...]:
    payload = {"body": event.message, "public": True, "quotes": event.quotes}
    return (enqueued(event.bond, event.vendor, stream, command_id, "comment", payload),)
