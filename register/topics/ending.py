"""What becomes of a supplier's ticket when our incident ends: they are told, left to it, or called off."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from register.core import Decision, Event, World, joined, refuse_unless, says
from register.incident import Bond, BondState, Incident
from register.topics.engagement import Replied, derived_id
from register.topics.letting_out import words_for
from register.topics.proposal import accepted, open_ones
from register.topics.withdrawal import withdrawn


class WithTheirs(StrEnum):
    TELL = "tell"  # they get a word of it and go on
    LEAVE = "leave"  # they go on, and hear nothing
    WITHDRAW = "withdraw"  # they are called off; what they say is fixed is accepted


Theirs = Annotated[
    WithTheirs | None,
    Field(description="what becomes of a supplier's open ticket: tell them, leave it open, or withdraw it"),
]


def with_theirs(
    incident: Incident, world: World, theirs: WithTheirs | None, words: str, command_id: str
) -> Decision:
    """Return what ending this incident means for the suppliers that are engaged; ask where nobody said."""
    live = incident.live_bonds()
    besides = "".join(
        f" {bond.vendor} has {open_ones(bond)} open besides." for bond in live if bond.still_open
    )
    refuse_unless(
        not live or theirs is not None,
        f"{joined({bond.vendor for bond in live})} still works on {incident.number}.{besides} Nothing was"
        " done: say what becomes of their ticket (--theirs tell, leave or withdraw).",
        ask="theirs",
    )
    if theirs is None or theirs is WithTheirs.LEAVE:
        return ()
    return says(incident, *(_said(incident, bond, world, theirs, words, command_id) for bond in live))


def _said(
    incident: Incident, bond: Bond, world: World, theirs: WithTheirs, words: str, command_id: str
) -> Event:
    op = derived_id(command_id, bond.id)
    if theirs is WithTheirs.TELL:
        told = words_for(incident, world, bond.vendor, f"Resolved on our side: {words}", "theirs")
        return Replied(bond=bond.id, vendor=bond.vendor, production=bond.production, message=told, op=op)
    if bond.state is BondState.FIXED:
        return accepted(bond).model_copy(update={"op": op})
    return withdrawn(incident, bond, world, words).model_copy(update={"op": op})
