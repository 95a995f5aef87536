"""What became of a sending, as events: what each makes of the incident and of the outbox's row."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from register.core import Event, effects, evolve
from register.effect import CancelRest, Effect, Enqueue, Remember, Settle
from register.incident import Ball, Bond, BondState, CallWhy, Incident, Priority, TicketRef


class OfSending(Event):
    kind: ClassVar[str] = "_of_sending"

    row_id: str
    bond: str
    vendor: str
    what: str = "create"


class TicketMade(OfSending):
    kind: ClassVar[str] = "ticket_made"

    ref: TicketRef


class TicketAdopted(OfSending):
    kind: ClassVar[str] = "ticket_adopted"

    ref: TicketRef
    how: str
    duplicates: tuple[TicketRef, ...] = ()


class DuplicateFound(OfSending):
    kind: ClassVar[str] = "duplicate_found"

    ref: TicketRef


class Delivered(OfSending):
    kind: ClassVar[str] = "delivered"

    how: str
    change_ids: tuple[str, ...] = ()
    raw_state: str = ""
    priority: Priority | None = None  # that they were told, unless another one is on its way already
    means: str = ""  # what the state that we asked for means to us
    closed: bool = False
    version: str | None = None  # of their ticket since, where it was told
    quiet: bool = False  # a reminder of ours: whose turn it is, and since when, stays as it was


class SendAmbiguous(OfSending):
    kind: ClassVar[str] = "send_ambiguous"

    why: str
    next_at: datetime


class PersonNeeded(OfSending):
    kind: ClassVar[str] = "person_needed"

    why: str


class SendFailed(OfSending):
    kind: ClassVar[str] = "send_failed"

    why: str


class SentAgain(OfSending):
    kind: ClassVar[str] = "sent_again"

    why: str
    dead: bool = False  # another sending of the bond waits for a person still
    doubtful: bool = False  # another one is not known to have arrived
    replay: Enqueue | None = None  # on a person's word: a new row under the same operation id
    look_first: bool = False
    by_key: bool = False  # only while the supplier knows the key under which two of it are one


class SendDropped(OfSending):
    kind: ClassVar[str] = "send_dropped"

    reason: str
    dead: bool = False
    doubtful: bool = False


# Folds


def _bond(event: OfSending, incident: Incident) -> Bond:
    bond = incident.bond(event.bond)
    if bond is None:
        raise ValueError(f"{incident.number} has no bond {event.bond}")
    return bond


def _made(event: Any, incident: Incident, at: datetime, duplicates: tuple[TicketRef, ...]) -> Incident:
    bond = _bond(event, incident)
    state = BondState.OPEN if bond.state is BondState.ENGAGING else bond.state
    confirmed = bond.call is not None and bond.call.why is CallWhy.UNCONFIRMED
    return incident.with_bond(
        bond.prepared(-1).but(
            state=state,
            ref=event.ref,
            doubtful=False,
            dead=False,
            ball=Ball.THEIRS,
            ball_since=at,
            duplicates=bond.duplicates + duplicates,
            confirm_by=None,
            call=None if confirmed else bond.call,
        )
    )


@evolve.register
def _(event: TicketMade, incident: Incident, at: datetime) -> Incident:
    return _made(event, incident, at, ())


@evolve.register
def _(event: TicketAdopted, incident: Incident, at: datetime) -> Incident:
    return _made(event, incident, at, event.duplicates)


@evolve.register
def _(event: DuplicateFound, incident: Incident, at: datetime) -> Incident:
    bond = _bond(event, incident)
    return incident.with_bond(bond.but(duplicates=(*bond.duplicates, event.ref)))


@evolve.register
def _(event: Delivered, incident: Incident, at: datetime) -> Incident:
    bond = _bond(event, incident).undisputed(event.row_id)
    ended = bond.state is BondState.ENDING and event.what == "transition"
    told: dict[str, Any] = {}
    if event.raw_state:
        told = {"raw_state": event.raw_state, "closed": event.closed, "version": event.version}
    if event.what == "transition" and event.means:
        # where nobody could say which word it is with them, the next one of theirs is news, whatever it is
        unknown = {"raw_state": "", "version": None, "closed": event.means == "closed"}
        told = unknown | told | {"wrote": event.means}
    if event.what == "priority":
        told = {"their_priority": ""}
        told |= (
            {}
            if event.priority is None
            else {
                "told_priority": event.priority,
                "wrote_priority": event.priority,
            }
        )
    if event.quiet:
        return incident.with_bond(bond.prepared(-1).but(doubtful=False, dead=False))
    return incident.with_bond(
        bond.prepared(-1).but(
            state=BondState.ENDED if ended else bond.state,
            doubtful=False,
            dead=False,
            ball=Ball.THEIRS,
            ball_since=at,
            **told,
        )
    )


@evolve.register
def _(event: SendAmbiguous, incident: Incident, at: datetime) -> Incident:
    return incident.with_bond(_bond(event, incident).but(doubtful=True))


@evolve.register
def _(event: PersonNeeded, incident: Incident, at: datetime) -> Incident:
    return incident.with_bond(_bond(event, incident).but(doubtful=True, dead=True))


@evolve.register
def _(event: SendFailed, incident: Incident, at: datetime) -> Incident:
    return incident.with_bond(_bond(event, incident).but(doubtful=False, dead=True))


@evolve.register
def _(event: SentAgain, incident: Incident, at: datetime) -> Incident:
    bond = _bond(event, incident).undisputed(event.row_id)
    return incident.with_bond(bond.but(dead=event.dead, doubtful=event.doubtful or event.look_first))


@evolve.register
def _(event: SendDropped, incident: Incident, at: datetime) -> Incident:
    bond = _bond(event, incident).prepared(-1).undisputed(event.row_id)
    bond = bond.but(doubtful=event.doubtful, dead=event.dead)
    if event.what == "create":
        bond = bond.but(state=BondState.ENDED, doubtful=False, dead=False)
    elif event.what == "transition" and bond.state is BondState.ENDING:
        bond = bond.but(state=BondState.ENDED)
    return incident.with_bond(bond)


# What else is written


@effects.register
def _(event: TicketMade, stream: str, command_id: str) -> tuple[Effect, ...]:
    return (Settle(event.row_id, "done"),)


@effects.register
def _(event: TicketAdopted, stream: str, command_id: str) -> tuple[Effect, ...]:
    return (Settle(event.row_id, "done", f"found at the supplier ({event.how})"),)


@effects.register
def _(event: Delivered, stream: str, command_id: str) -> tuple[Effect, ...]:
    return (Settle(event.row_id, "done"), Remember(event.vendor, event.change_ids))


@effects.register
def _(event: SendAmbiguous, stream: str, command_id: str) -> tuple[Effect, ...]:
    return (Settle(event.row_id, "ambiguous", event.why, event.next_at),)


@effects.register
def _(event: PersonNeeded, stream: str, command_id: str) -> tuple[Effect, ...]:
    return (Settle(event.row_id, "ambiguous", event.why),)


@effects.register
def _(event: SendFailed, stream: str, command_id: str) -> tuple[Effect, ...]:
    return (Settle(event.row_id, "dead", event.why),)


@effects.register
def _(event: SentAgain, stream: str, command_id: str) -> tuple[Effect, ...]:
    if event.replay is not None:
        return (Settle(event.row_id, "ignored", "replayed by a person"), event.replay)
    if event.look_first:
        return (Settle(event.row_id, "ambiguous", event.why, resend=True),)
    return (Settle(event.row_id, "queued", event.why, by_key=event.by_key),)


@effects.register
def _(event: SendDropped, stream: str, command_id: str) -> tuple[Effect, ...]:
    settled = Settle(event.row_id, "cancelled", event.reason or "dropped by a person")
    if event.what == "create":
        return (settled, CancelRest(event.bond, "there is no ticket to write to"))
    return (settled,)
