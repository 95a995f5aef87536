"""What becomes of a supplier's ticket when our incident ends: they are told, left to it, or called off."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from register.core import Decision, Event, World, joined, refuse_unless, says
from register.incident import Bond, BondState, Incident
from register.topics.engagement import Replied, derived_id
from register.topics.letting_out import refuse_closing, tables, words_for
from register.topics.proposal import accepted, open_ones
from register.topics.withdrawal import withdrawn
from register.translation import WITHDRAWN


class WithTheirs(StrEnum):
    TELL = "tell"  # they get a word of it and go on
    LEAVE = "leave"  # they go on, and hear nothing
    WITHDRAW = "withdraw"  # they are called off; what they say is fixed is accepted


Theirs = Annotated[
    WithTheirs | None,
    Field(description="what becomes of a supplier's open ticket: tell them, leave it open, or withdraw it"),
]


def with_theirs(
    incident: Incident,
    world: World,
    theirs: WithTheirs | None,
    words: str,
    command_id: str,
    ended: str = WITHDRAWN,
) -> Decision:
    """Return what ending this incident means for the suppliers that are engaged; ask where nobody said.

    ended: how, as a supplier's table of closing codes has it on our side.
    """
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
    return says(incident, *(_said(incident, bond, world, theirs, words, command_id, ended) for bond in live))


def _said(
    incident: Incident, bond: Bond, world: World, theirs: WithTheirs, words: str, command_id: str, ended: str
) -> Event:
    op = derived_id(command_id, bond.id)
    if theirs is WithTheirs.TELL:
        told = words_for(incident, world, bond.vendor, f"Resolved on our side: {words}", "theirs")
        return Replied(bond=bond.id, vendor=bond.vendor, production=bond.production, message=told, op=op)
    if bond.state is BondState.FIXED:
        note = _wanted(incident, bond, world, words)
        refuse_closing(world, bond.vendor, ended, note, "notes")
        return accepted(bond, note, ended).model_copy(update={"op": op})
    return withdrawn(incident, bond, world, words, ended).model_copy(update={"op": op})


def _wanted(incident: Incident, bond: Bond, world: World, words: str) -> str:
    """The words that go with accepting their fix: none, unless they close nothing without one."""
    if bond.closed or not tables(world, bond.vendor).note:
        return ""
    return words_for(incident, world, bond.vendor, words, "theirs")
