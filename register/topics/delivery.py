"""What became of a sending: told by the courier, or decided by a person at the outbox."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal

import orjson
from pydantic import Field

from register.core import (
    Command,
    Decision,
    Event,
    NotFound,
    PersonId,
    Role,
    Said,
    SendingFacts,
    World,
    bookkeeping,
    decide,
    effects,
    refuse_unless,
)
from register.effect import Effect, Enqueue, KeepExchange, Pause, TryNow
from register.incident import Priority, TicketRef
from register.text import Name, Text
from register.topics.paging import LANE, dropped, retried
from register.topics.sendings import (
    Delivered,
    DuplicateFound,
    PersonNeeded,
    SendAmbiguous,
    SendDropped,
    SendFailed,
    SentAgain,
    TicketAdopted,
    TicketMade,
)

UNFINISHED = frozenset({"queued", "sending", "waiting", "ambiguous", "dead"})
RowId = Annotated[str, Field(description="the sending, as `muster outbox list` shows it")]
How = Literal["answer", "found", "heard", "person"]


class ConfirmSending(Command):
    """It arrived: by their answer, by our look-up, because it was heard, or on a person's word."""

    role: ClassVar[Role] = Role.ENGINE
    on_incident: ClassVar[bool] = False

    row_id: RowId
    ref: TicketRef | None = None
    change_ids: tuple[str, ...] = ()
    duplicates: tuple[TicketRef, ...] = ()
    raw_state: str = ""  # their state since, where it was told: what comes back of it is no news
    closed: bool = False  # and it is closed with them
    version: str | None = None  # and the ticket's version, where their system has one
    how: How = "answer"
    exchange: str = ""  # what was asked and what came back, JSON without secrets; kept beside the row


class DoubtSending(Command):
    """A byte may have gone out and no answer came: look it up, never send it blindly again."""

    role: ClassVar[Role] = Role.ENGINE
    on_incident: ClassVar[bool] = False

    row_id: RowId
    tries: int  # which try this is about: word of an older one is no news
    why: Text
    next_at: datetime
    exchange: str = ""  # as ConfirmSending's


class AskAboutSending(Command):
    """Looking it up did not settle it: a person must decide."""

    role: ClassVar[Role] = Role.ENGINE
    on_incident: ClassVar[bool] = False

    row_id: RowId
    why: Text


class FailSending(Command):
    """The supplier said no: a person must look."""

    role: ClassVar[Role] = Role.ENGINE
    on_incident: ClassVar[bool] = False

    row_id: RowId
    tries: int  # which try this is about: word of an older one is no news
    why: Text
    exchange: str = ""  # as ConfirmSending's


class ResendSending(Command):
    """Send it again under the same operation id: it is proved not to have arrived, or two of it are one."""

    role: ClassVar[Role] = Role.ENGINE
    on_incident: ClassVar[bool] = False

    row_id: RowId
    tries: int  # which try this is about: word of an older one is no news
    why: Text
    by_key: bool = False  # two of it are one only while the supplier knows its key: no later


class PauseVendor(Command):
    """Stop sending to one supplier, until its credential is mended."""

    role: ClassVar[Role] = Role.ENGINE
    on_incident: ClassVar[bool] = False

    vendor: str
    why: Text


class RetrySending(Command):
    """Try a sending again now: a doubtful one is looked up first."""

    verb: ClassVar[str] = "retry"
    group: ClassVar[str] = "outbox"
    role: ClassVar[Role] = Role.COORDINATOR
    on_incident: ClassVar[bool] = False

    row_id: RowId


class DropSending(Command):
    """Give a sending up: it will never be sent."""

    verb: ClassVar[str] = "drop"
    group: ClassVar[str] = "outbox"
    role: ClassVar[Role] = Role.COORDINATOR
    on_incident: ClassVar[bool] = False

    row_id: RowId
    reason: Annotated[Text, Field(description="why it is not needed")] = ""


class AdoptTicket(Command):
    """Say that it is there: under which number the supplier has it."""

    verb: ClassVar[str] = "adopt"
    group: ClassVar[str] = "outbox"
    role: ClassVar[Role] = Role.COORDINATOR
    on_incident: ClassVar[bool] = False

    row_id: RowId
    ticket: Annotated[Name, Field(description="the ticket's number at the supplier")]


class VendorPaused(Event):
    """by: who said so; None where the engine had to stop."""

    kind: ClassVar[str] = "vendor_paused"

    vendor: str
    why: str
    by: PersonId | None = None


class VendorResumed(Event):
    kind: ClassVar[str] = "vendor_resumed"

    vendor: str
    why: str


def sending_of(command: Any, world: World) -> SendingFacts:
    row = world.sendings.get(command.row_id)
    if row is None:
        raise NotFound(
            f"There is no sending {command.row_id!r}. `muster outbox list` shows those that are there."
        )
    return row


def about(row: SendingFacts) -> dict[str, str]:
    return {"row_id": row.row_id, "bond": row.bond, "vendor": row.vendor, "what": row.kind}


def is_quiet(row: SendingFacts) -> bool:
    """Whether it is a reminder, which makes it nobody's turn."""
    return bool(orjson.loads(row.payload).get("quiet"))


def others_of(row: SendingFacts, world: World) -> dict[str, bool]:
    """How the other sendings of its bond stand."""
    states = {r.state for r in world.sendings.values() if r.bond == row.bond and r.row_id != row.row_id}
    return {"dead": "dead" in states, "doubtful": "ambiguous" in states}


def _said(row: SendingFacts, event: Event) -> Decision:
    return (Said(row.incident, event),)


@decide.register
def _(command: ConfirmSending, incident: Any, world: World) -> Decision:
    row = sending_of(command, world)
    if row.state not in UNFINISHED:
        return _late_answer(command, row, world)
    if row.kind != "create":
        arrived = Delivered(
            **about(row),
            how=command.how,
            quiet=is_quiet(row),
            change_ids=command.change_ids,
            raw_state=command.raw_state,
            priority=_told(row, world),
            means=orjson.loads(row.payload).get("to", "") if row.kind == "transition" else "",
            closed=command.closed,
            version=command.version,
        )
        return _said(row, arrived)
    if command.ref is None:
        raise ValueError("a ticket that is made has a reference")
    if command.how == "answer":
        return _said(row, TicketMade(**about(row), ref=command.ref))
    return _said(
        row,
        TicketAdopted(**about(row), ref=command.ref, how=command.how, duplicates=command.duplicates),
    )


def _told(row: SendingFacts, world: World) -> Priority | None:
    """The priority that they have been told last, with this sending."""
    later = (one for one in world.sendings.values() if one.bond == row.bond and one.position > row.position)
    if row.kind != "priority" or any(one.kind == "priority" for one in later):
        return None
    return Priority(orjson.loads(row.payload)["priority"])


def _late_answer(command: ConfirmSending, row: SendingFacts, world: World) -> Decision:
    """An answer after the row was settled otherwise: no news, unless it tells of another ticket."""
    bond = world.incidents[row.incident].bond(row.bond)
    if command.ref is None or bond is None:
        return ()
    if command.ref.id in {ref.id for ref in bond.known_refs}:
        return ()
    return _said(row, DuplicateFound(**about(row), ref=command.ref))


@decide.register
def _(command: DoubtSending, incident: Any, world: World) -> Decision:
    row = sending_of(command, world)
    if row.state not in ("sending", "queued", "waiting") or row.tries != command.tries:
        return ()  # queued: it was taken for lost and is to be sent again, and now its own word came
    return _said(row, SendAmbiguous(**about(row), why=command.why, next_at=command.next_at))


@decide.register
def _(command: AskAboutSending, incident: Any, world: World) -> Decision:
    row = sending_of(command, world)
    return _said(row, PersonNeeded(**about(row), why=command.why)) if row.state == "ambiguous" else ()


@decide.register
def _(command: FailSending, incident: Any, world: World) -> Decision:
    row = sending_of(command, world)
    if row.state not in ("sending", "ambiguous") or row.tries != command.tries:
        return ()
    return _said(row, SendFailed(**about(row), why=command.why))


@decide.register
def _(command: ResendSending, incident: Any, world: World) -> Decision:
    row = sending_of(command, world)
    if row.state != "ambiguous" or row.tries != command.tries:
        return ()
    again = SentAgain(**about(row), **others_of(row, world), why=command.why, by_key=command.by_key)
    return _said(row, again)


@decide.register
def _(command: RetrySending, incident: Any, world: World) -> Decision:
    row = sending_of(command, world)
    refuse_unless(
        row.state in UNFINISHED,
        f"That sending is {row.state}: there is nothing left to try. Nothing was done.",
    )
    refuse_unless(row.state != "sending", "It is being sent right now: wait for its answer.")
    if row.lane == LANE:
        return retried(command.command_id, row, world)
    facts = world.policy.vendors.get(row.vendor)
    refuse_unless(
        facts is None or not facts.by_hand or row.state == "dead",
        f"A person hands that over to {row.vendor}: there is nothing to try. Say that it is done"
        " (`muster outbox handed`), or drop it.",
    )
    if row.state == "ambiguous":
        return _said(
            row,
            SentAgain(
                **about(row), **others_of(row, world), why="a person asked to send it again", look_first=True
            ),
        )
    if row.state in ("queued", "waiting"):
        why, by_key = "a person asked not to wait", row.on_ambiguous == "key"
        return _said(row, SentAgain(**about(row), **others_of(row, world), why=why, by_key=by_key))
    again = replay(row, command.command_id, row.payload)
    return _said(
        row,
        SentAgain(**about(row), **others_of(row, world), why="a person asked to try it again", replay=again),
    )


def replay(row: SendingFacts, row_id: str, payload: str) -> Enqueue:
    """The same sending on a person's word: a new row, with its operation id and its place in the bond."""
    return Enqueue(
        row_id=row_id,
        op_id=row.op_id,
        incident=row.incident,
        bond=row.bond,
        vendor=row.vendor,
        kind=row.kind,
        payload=payload,
        position=row.position,
    )


@bookkeeping.register(ConfirmSending)
@bookkeeping.register(DoubtSending)
@bookkeeping.register(FailSending)
def keep_exchange(command: Any, world: World) -> tuple[Effect, ...]:
    """What was asked and what came back is kept beside the row."""
    return (KeepExchange(command.row_id, command.exchange),) if command.exchange else ()


@bookkeeping.register
def _(command: RetrySending, world: World) -> tuple[Effect, ...]:
    row = sending_of(command, world)
    return (TryNow(row.vendor),) if row.lane != LANE else ()


@decide.register
def _(command: DropSending, incident: Any, world: World) -> Decision:
    row = sending_of(command, world)
    refuse_unless(row.state in UNFINISHED, f"That sending is {row.state} already. Nothing was done.")
    refuse_unless(
        row.state != "sending",
        "It is being sent right now and cannot be taken back: wait for its answer.",
    )
    if row.lane == LANE:
        return dropped(row, command.reason)
    return _said(row, SendDropped(**about(row), **others_of(row, world), reason=command.reason))


@decide.register
def _(command: AdoptTicket, incident: Any, world: World) -> Decision:
    row = sending_of(command, world)
    refuse_unless(row.kind == "create", f"That sending is a {row.kind}: only a ticket has a number to adopt.")
    refuse_unless(
        row.state in ("ambiguous", "dead", "queued", "waiting"),
        f"That sending is {row.state}: its ticket is known or on its way. Nothing was done.",
    )
    ref = TicketRef(id=command.ticket.lstrip("#"), key=command.ticket)
    return _said(row, TicketAdopted(**about(row), ref=ref, how="person"))


@decide.register
def _(command: PauseVendor, incident: Any, world: World) -> Decision:
    event = VendorPaused(vendor=command.vendor, why=command.why)
    return (Said(f"vendor:{command.vendor}", event),)


@effects.register
def _(event: VendorPaused, stream: str, command_id: str) -> tuple[Effect, ...]:
    return (Pause(event.vendor, event.why, event.by or ""),)


@effects.register
def _(event: VendorResumed, stream: str, command_id: str) -> tuple[Effect, ...]:
    return (Pause(event.vendor, ""),)
