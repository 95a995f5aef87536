"""What both sides changed on a supplier's ticket: whose word held, and where a person says which does."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Final

import orjson
from pydantic import Field

from register.core import (
    Command,
    Decision,
    Event,
    Role,
    Said,
    Target,
    World,
    bookkeeping,
    decide,
    effects,
    evolve,
    joined,
    refuse_unless,
    says,
)
from register.effect import Effect, Enqueue, Settle
from register.incident import Ball, Bond, BondState, Difference, Incident, Priority
from register.merging import Shared
from register.text import Text
from register.topics.delivery import about, keep_exchange, others_of, replay, sending_of
from register.topics.engagement import Which, the_one
from register.topics.sendings import OfSending
from register.topics.urging import reprioritised


class Keep(StrEnum):
    OURS = "ours"
    THEIRS = "theirs"


class SettleDifference(Command):
    """Say whose word holds where both sides changed a supplier's ticket: keep ours, or take theirs."""

    verb: ClassVar[str] = "settle"
    role: ClassVar[Role] = Role.COORDINATOR
    sends: ClassVar[bool] = True

    target: Target
    keep: Annotated[Keep, Field(description="ours: what was asked for is sent; theirs: it stays as it is")]
    vendor: Which = None
    what: Annotated[
        Shared | None, Field(description="which of them, where there are several: state or priority")
    ] = None


class TellDifference(Command):
    """A sending found that they changed the same meanwhile: theirs holds, or a person is asked."""

    role: ClassVar[Role] = Role.ENGINE
    on_incident: ClassVar[bool] = False

    row_id: str
    tries: int  # which try this is about: word of an older one is no news
    field: Shared
    ours: str
    theirs: str
    gives_way: bool
    ball: Ball | None = None  # field state: whose turn theirs makes it
    fixed: bool = False  # field state: theirs says that it is fixed
    priorities: tuple[Priority, ...] = ()  # field priority: which of ours theirs may stand for
    why: Text
    exchange: str = ""  # as ConfirmSending's


bookkeeping.register(TellDifference)(keep_exchange)


class DifferenceFound(Event):
    """A person is asked. row_id: the sending that waits for it, where one does."""

    kind: ClassVar[str] = "difference_found"

    bond: str
    vendor: str
    row_id: str = ""
    what: str  # the sending's kind, or the field
    field: Shared
    ours: str
    theirs: str
    fixed: bool = False
    priorities: tuple[Priority, ...] = ()
    why: str = ""


class GaveWay(OfSending):
    """Theirs held: what we asked for was not done."""

    kind: ClassVar[str] = "gave_way"

    field: Shared
    ours: str
    theirs: str
    ball: Ball | None = None
    fixed: bool = False
    priorities: tuple[Priority, ...] = ()
    dead: bool = False  # another sending of the bond waits for a person still
    doubtful: bool = False


class DifferenceSettled(Event):
    kind: ClassVar[str] = "difference_settled"

    bond: str
    vendor: str
    row_id: str = ""
    field: Shared
    keep: Keep
    ours: str
    theirs: str
    fixed: bool = False
    priorities: tuple[Priority, ...] = ()
    dead: bool = False
    doubtful: bool = False
    replay: Enqueue | None = None  # keep ours: what waited goes out again, and through whatever they said


_FACTS: Final = ("field", "ours", "theirs", "fixed", "priorities")


def _facts(one: TellDifference | Difference) -> dict[str, Any]:
    return {name: getattr(one, name) for name in _FACTS}


@decide.register
def _(command: TellDifference, incident: Any, world: World) -> Decision:
    row = sending_of(command, world)
    if row.state != "sending" or row.tries != command.tries:
        return ()
    if command.gives_way:
        gave = GaveWay(**about(row), **_facts(command), ball=command.ball, **others_of(row, world))
        return (Said(row.incident, gave),)
    return (Said(row.incident, DifferenceFound(**about(row), **_facts(command), why=command.why)),)


@decide.register
def _(command: SettleDifference, incident: Incident, world: World) -> Decision:
    bond, one = _the_difference(incident, command.vendor, command.what)
    row = world.sendings.get(one.row_id)
    if command.keep is Keep.OURS and row is None and one.field is Shared.PRIORITY:
        return says(incident, _settled(bond, one, command.keep), reprioritised(bond, incident))
    settled = _settled(bond, one, command.keep)
    if row is not None:
        settled = settled.model_copy(update=others_of(row, world))
        if command.keep is Keep.OURS:
            firm = orjson.dumps(orjson.loads(row.payload) | {"firm": True}).decode()  # whatever they say
            settled = settled.model_copy(update={"replay": replay(row, command.command_id, firm)})
    return says(incident, settled)


def _the_difference(incident: Incident, vendor: str | None, what: Shared | None) -> tuple[Bond, Difference]:
    bonds = tuple(b for b in incident.bonds if b.differences and vendor in (None, b.vendor))
    refuse_unless(
        bonds,
        f"No supplier of {incident.number} changed what we changed: nothing waits to be settled.",
        ask="vendor",
    )
    bond = the_one(incident, bonds)
    found = [one for one in bond.differences if what in (None, one.field)]
    refuse_unless(
        len(found) == 1,
        f"{bond.vendor} differs from us in {joined(one.field for one in bond.differences)}: say which.",
        ask="what",
    )
    return bond, found[0]


def _settled(bond: Bond, one: Difference, keep: Keep) -> DifferenceSettled:
    return DifferenceSettled(bond=bond.id, vendor=bond.vendor, row_id=one.row_id, keep=keep, **_facts(one))


# Folds


@evolve.register
def _(event: DifferenceFound, incident: Incident, at: datetime) -> Incident:
    bond = incident.bond(event.bond)
    if bond is None:
        return incident
    one = Difference(row_id=event.row_id, since=at, **{name: getattr(event, name) for name in _FACTS})
    others = tuple(d for d in bond.differences if d.field is not event.field)
    dead = {"dead": True, "doubtful": False} if event.row_id else {}
    return incident.with_bond(bond.but(differences=(*others, one), **dead))


@evolve.register
def _(event: GaveWay, incident: Incident, at: datetime) -> Incident:
    bond = incident.bond(event.bond)
    if bond is None:
        return incident
    told: dict[str, Any] = {"dead": event.dead, "doubtful": event.doubtful}
    if event.ball is not None and event.ball is not bond.ball:
        told |= {"ball": event.ball, "ball_since": at}
    return incident.with_bond(_theirs_holds(bond.prepared(-1), event).but(**told))


@evolve.register
def _(event: DifferenceSettled, incident: Incident, at: datetime) -> Incident:
    bond = incident.bond(event.bond)
    if bond is None:
        return incident
    rest = tuple(one for one in bond.differences if one.field is not event.field)
    now = bond.but(differences=rest)
    if event.row_id:
        now = now.but(dead=event.dead, doubtful=event.doubtful)
    return incident.with_bond(_theirs_holds(now, event) if event.keep is Keep.THEIRS else now)


def _theirs_holds(bond: Bond, event: GaveWay | DifferenceSettled) -> Bond:
    """The bond where theirs is what both agree on from now on; their state itself comes with their feed."""
    if event.field is Shared.PRIORITY:
        return bond.agreed_on(event.theirs, event.priorities)
    if bond.state is not BondState.ENDING:
        return bond
    return bond.but(state=BondState.FIXED if event.fixed else BondState.OPEN)


@effects.register
def _(event: DifferenceFound, stream: str, command_id: str) -> tuple[Effect, ...]:
    return (Settle(event.row_id, "dead", event.why),) if event.row_id else ()


@effects.register
def _(event: GaveWay, stream: str, command_id: str) -> tuple[Effect, ...]:
    return (Settle(event.row_id, "cancelled", f"{event.theirs} holds: they changed it meanwhile"),)


@effects.register
def _(event: DifferenceSettled, stream: str, command_id: str) -> tuple[Effect, ...]:
    if not event.row_id:
        return ()
    if event.replay is not None:
        return (Settle(event.row_id, "ignored", "replayed by a person"), event.replay)
    return (Settle(event.row_id, "cancelled", f"{event.theirs} holds, as a person said"),)
