"""Calling a supplier off: what has not left is not sent, and they are asked to close what they have."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, ClassVar, Final

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
    remarks,
    says,
)
from register.effect import Effect, Settle
from register.incident import Bond, BondState, Incident
from register.leaving import cleared
from register.text import Words
from register.topics.engagement import Which, enqueued, live_bond
from register.topics.letting_out import hidden_from, receives, refuse_closing, removed_from, tables
from register.translation import WITHDRAWN

_SAYS_NOTHING: Final = "For us this is over: please close the ticket."
_UNSENT: Final = frozenset({"queued", "waiting", "dead"})
"""States in which nothing of a sending is at the supplier, nor on its way there."""


class Withdraw(Command):
    """Call a supplier off: they are asked to close their ticket; what has not left yet is not sent."""

    verb: ClassVar[str] = "withdraw"
    hotkey: ClassVar[str | None] = "w"
    role: ClassVar[Role] = Role.COORDINATOR
    sends: ClassVar[bool] = True
    settles: ClassVar[bool] = True

    target: Target
    reason: Annotated[Words, Field(description="why they are not needed; they are told")]
    vendor: Which = None


class Withdrawn(Event):
    """unsent: sendings that are not made any more. tells: whether anything of it may be with them."""

    kind: ClassVar[str] = "withdrawn"

    bond: str
    vendor: str
    production: bool
    reason: str
    unsent: tuple[str, ...] = ()
    tells: bool = True
    silent: bool = False  # they are not told the reason
    seen: str = ""
    op: str = ""  # its operation id, where one command says several
    said: str = ""  # to who may not have the reason, and closes nothing without a word
    ended: str = WITHDRAWN  # how, as their table of codes has it on our side


@decide.register
def _(command: Withdraw, incident: Incident, world: World) -> Decision:
    return says(incident, withdrawn(incident, live_bond(incident, command.vendor), world, command.reason))


def withdrawn(incident: Incident, bond: Bond, world: World, reason: str, ended: str = WITHDRAWN) -> Withdrawn:
    """What calling this supplier off comes to, as its sendings stand.

    Who may not have the reason is called off without a word, or with one that says nothing of it.
    """
    what = receives(world, bond.vendor)
    rows = [row for row in world.sendings.values() if row.bond == bond.id]
    unsent = sorted(row.row_id for row in rows if row.state in _UNSENT)
    never_left = bond.ref is None and all(row.kind != "create" or row.row_id in unsent for row in rows)
    if not never_left:
        refuse_closing(world, bond.vendor, ended, reason, "reason")
    return Withdrawn(
        bond=bond.id,
        vendor=bond.vendor,
        production=bond.production,
        reason=cleared(reason, what).text,
        silent=hidden_from(incident, what),
        unsent=tuple(unsent),
        tells=not never_left,
        seen=bond.raw_state,
        ended=ended,
        said=_SAYS_NOTHING if tables(world, bond.vendor).note else "",
    )


@remarks.register
def _(command: Withdraw, world: World, after: Incident | None) -> tuple[str, ...]:
    bond = live_bond(world.incidents[command.target], command.vendor)
    return removed_from(world, bond.vendor, command.reason)


@evolve.register
def _(event: Withdrawn, incident: Incident, at: datetime) -> Incident:
    bond = incident.bond(event.bond)
    if bond is None:
        return incident
    state = BondState.ENDING if event.tells else BondState.ENDED
    over = bond.but(state=state, dead=False, call=None, differences=())
    return incident.with_bond(over.prepared(int(event.tells) - len(event.unsent)))


@effects.register
def _(event: Withdrawn, stream: str, command_id: str) -> tuple[Effect, ...]:
    cancelled = tuple(Settle(row, "cancelled", "the supplier was called off") for row in event.unsent)
    if not event.tells:
        return cancelled
    note = event.said if event.silent else event.reason
    payload = {"to": "closed", "note": note, "seen": event.seen, "firm": True, "ended": event.ended}
    close = enqueued(event.bond, event.vendor, stream, event.op or command_id, "transition", payload)
    return (*cancelled, close)
