"""What a supplier said, decided or moved, as events: what each makes of the bond."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from register.core import Event, PersonId, evolve
from register.incident import Ball, Bond, BondState, Difference, Incident, Priority, TicketRef
from register.merging import Shared
from register.topics.calling import spoke


class SupplierSaid(Event):
    kind: ClassVar[str] = "supplier_said"

    bond: str
    vendor: str
    change_id: str
    author: PersonId
    body: str
    public: bool
    perhaps_ours: bool
    quiet: bool = False  # no word of a person: it answers nothing, and makes it nobody's turn
    of: TicketRef | None = None  # which of their tickets, where it is not the bond's own


class SupplierUpdated(Event):
    kind: ClassVar[str] = "supplier_updated"

    bond: str
    vendor: str
    change_id: str
    author: PersonId
    before: str
    raw_state: str
    ball: Ball | None
    fixed: bool | None
    closed: bool = False
    moved: bool = False  # it goes on as another ticket: how that one stands is its own word
    version: str | None = None
    of: TicketRef | None = None


class SupplierReprioritised(Event):
    """They gave their ticket another priority. priorities: which of ours it may stand for.

    agreed: both go by it from now on; else ours holds, and may be told them again. overtaken: ours is with
    them since. asked: a person is asked whose holds.
    """

    kind: ClassVar[str] = "supplier_reprioritised"

    bond: str
    vendor: str
    change_id: str
    author: PersonId
    before: str
    raw_priority: str
    priorities: tuple[Priority, ...] = ()
    agreed: bool = False
    overtaken: bool = False
    asked: bool = False
    of: TicketRef | None = None


class Relinked(Event):
    kind: ClassVar[str] = "relinked"

    bond: str
    vendor: str
    ref: TicketRef


@evolve.register
def _(event: SupplierSaid, incident: Incident, at: datetime) -> Incident:
    bond = incident.bond(event.bond)
    if bond is None:
        return incident
    if event.perhaps_ours or event.quiet:
        return incident.with_bond(bond.but(heard_at=at))
    since = bond.ball_since if bond.ball is Ball.OURS else at
    answered = spoke(bond)
    return incident.with_bond(answered.but(heard_at=at, said_at=at, ball=Ball.OURS, ball_since=since))


@evolve.register
def _(event: SupplierUpdated, incident: Incident, at: datetime) -> Incident:
    bond = incident.bond(event.bond)
    if bond is None:
        return incident
    if event.of is not None:
        return incident.with_bond(_beside(bond, event, event.of, at))
    if event.moved:
        return incident.with_bond(spoke(bond).but(heard_at=at, said_at=at))
    changes: dict[str, Any] = {"raw_state": event.raw_state, "heard_at": at, "said_at": at}
    changes |= {"wrote": "", "version": event.version, "differences": _as_told(bond, event)}
    if event.ball is not None and event.ball is not bond.ball:
        changes |= {"ball": event.ball, "ball_since": at}
    if event.fixed is not None:
        changes["closed"] = event.closed
        changes["state"] = _stands(bond.state, event)
    return incident.with_bond(spoke(bond).but(**changes))


def _as_told(bond: Bond, event: SupplierUpdated) -> tuple[Difference, ...]:
    """What a person is asked about their state is about the one that they have by now."""
    now = {"theirs": event.raw_state, "fixed": bool(event.fixed)}
    return tuple(one.model_copy(update=now) if one.field is Shared.STATE else one for one in bond.differences)


def _beside(bond: Bond, event: SupplierUpdated, of: TicketRef, at: datetime) -> Bond:
    """A further ticket's state: how the bond stands its own ticket decides, but our turn is our turn."""
    before = bond.further_of(of.id)
    if before is None:  # it was let go meanwhile
        return bond.but(heard_at=at)
    over = before.over if event.fixed is None else event.fixed or event.closed
    now = before.model_copy(update={"raw_state": event.raw_state, "over": over, "missing": False})
    further = tuple(now if one is before else one for one in bond.further)
    changes: dict[str, Any] = {"further": further, "heard_at": at, "said_at": at}
    if event.ball is Ball.OURS and not over and bond.ball is not Ball.OURS:
        changes |= {"ball": Ball.OURS, "ball_since": at}
    return spoke(bond).but(**changes)


def _stands(before: BondState, event: SupplierUpdated) -> BondState:
    """How a bond stands after their word. One that is over for us is over, whatever they say."""
    if before is BondState.ENDED or (before is BondState.ENDING and not event.closed):
        return before
    if before is BondState.ENDING:
        return BondState.ENDED
    return BondState.FIXED if event.fixed else BondState.OPEN


@evolve.register
def _(event: SupplierReprioritised, incident: Incident, at: datetime) -> Incident:
    bond = incident.bond(event.bond)
    if bond is None or event.of is not None:
        return incident
    told = bond.but(heard_at=at, said_at=at)
    if event.overtaken:
        return incident.with_bond(told)
    settled = event.agreed or bond.told_priority in event.priorities
    told = told.but(wrote_priority=None, differences=_with_priority(bond, event, settled=settled))
    if bond.told_priority in event.priorities:
        return incident.with_bond(told.but(their_priority=""))
    if event.agreed:
        return incident.with_bond(told.agreed_on(event.raw_priority, event.priorities))
    return incident.with_bond(told.but(their_priority=event.raw_priority))


def _with_priority(bond: Bond, event: SupplierReprioritised, *, settled: bool) -> tuple[Difference, ...]:
    """What a person is asked about their priority is about the one they have by now, while it differs."""
    now = {"theirs": event.raw_priority, "priorities": event.priorities}
    kept = (d for d in bond.differences if d.field is not Shared.PRIORITY or d.row_id or not settled)
    return tuple(d.model_copy(update=now) if d.field is Shared.PRIORITY else d for d in kept)


@evolve.register
def _(event: Relinked, incident: Incident, at: datetime) -> Incident:
    bond = incident.bond(event.bond)
    if bond is None:
        return incident
    moved = bond.ref is not None and bond.ref.id != event.ref.id
    former = tuple(ref for ref in bond.former if ref.id != event.ref.id)
    former = (*former, bond.ref) if moved and bond.ref is not None else former
    return incident.with_bond(without(bond, event.ref).but(ref=event.ref, former=former))


def without(bond: Bond, ref: TicketRef) -> Bond:
    """The bond with nothing said of this ticket besides."""
    known = (ref.id, ref.key)
    return bond.but(
        further=tuple(one for one in bond.further if one.ref.id != ref.id),
        links=tuple(one for one in bond.links if one.ref.id not in known and one.ref.key not in known),
    )
