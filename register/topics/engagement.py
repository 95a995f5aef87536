"""Engaging a supplier, and answering one: what is said to them, asked for here, sent by the courier."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, ClassVar, Final

import orjson
from pydantic import Field

from register.core import (
    Command,
    Decision,
    Event,
    NotFound,
    PersonId,
    Role,
    Target,
    World,
    decide,
    effects,
    evolve,
    joined,
    refuse_unless,
    remarks,
    says,
)
from register.effect import Effect, Enqueue
from register.forgetting import event_of
from register.incident import Ball, Bond, BondState, Impact, Incident, Label, Priority, Urgency
from register.leaving import May
from register.text import MAX_TEXT, Slug, Words
from register.topics.calling import call_at_once, confirm_by
from register.topics.letting_out import entitled, kept_under, receives, removed_from, title_for, words_for
from register.topics.notes import Noted

NOTES: Final = "What we know so far:"
_CROCKFORD: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
Which = Annotated[Slug | None, Field(description="which supplier, where several are engaged")]


class Engage(Command):
    """Engage a supplier: they get a ticket in their own system."""

    verb: ClassVar[str] = "engage"
    hotkey: ClassVar[str | None] = "v"
    role: ClassVar[Role] = Role.COORDINATOR
    sends: ClassVar[bool] = True

    target: Target
    vendor: Annotated[Slug, Field(description="the supplier's name in vendors.toml")]
    message: Annotated[Words, Field(description="what they are told")]
    again: Annotated[bool, Field(description="make a second ticket though one is open with them")] = False
    timeline: Annotated[bool, Field(description="tell them the notes that are labelled shareable, too")] = (
        False
    )

    def reads(self) -> tuple[str, ...]:
        return (self.target,) if self.timeline else ()


class Reply(Command):
    """Write to an engaged supplier: it goes out on their ticket."""

    verb: ClassVar[str] = "reply"
    hotkey: ClassVar[str | None] = "c"
    role: ClassVar[Role] = Role.COORDINATOR
    sends: ClassVar[bool] = True

    target: Target
    message: Annotated[Words, Field(description="what they are told")]
    vendor: Which = None
    internal: Annotated[bool, Field(description="for their people only, where their system can")] = False


class Engaged(Event):
    """title, message: as they are told. quotes: seqs of the events whose words stand in it.

    category, service: ours, where they are told. secrets: names of what of an entitlement is in the keyring.
    """

    kind: ClassVar[str] = "engaged"

    bond: str
    vendor: str
    production: bool
    title: str
    message: str
    priority: Priority
    by: PersonId
    by_hand: bool = False
    confirm_by: datetime | None = None  # until when their ticket must be there, or a person is to call
    quotes: tuple[int, ...] = ()
    fields: Mapping[str, str] = Field(default_factory=dict)
    impact: Impact | None = None
    urgency: Urgency | None = None
    category: str = ""
    service: str = ""
    secrets: tuple[str, ...] = ()


class Replied(Event):
    kind: ClassVar[str] = "replied"

    bond: str
    vendor: str
    production: bool
    message: str
    public: bool = True
    op: str = ""  # its operation id, where one command says several


@decide.register
def _(command: Engage, incident: Incident, world: World) -> Decision:
    facts = world.policy.vendors.get(command.vendor)
    if facts is None:
        raise NotFound(
            f"There is no supplier {command.vendor!r} in the adopted vendors.toml."
            f" Known: {joined(world.policy.vendors)}. A new one takes effect with `muster apply`.",
            ask="vendor",
        )
    refuse_unless(
        incident.is_open,
        f"{incident.number} is {incident.state.lower()}: reopen it, or log a new one, to engage a supplier.",
    )
    live = incident.live_bonds(command.vendor)
    if live and not command.again:
        where = f"as {live[0].ref.key}" if live[0].ref else "and the ticket is on its way"
        refuse_unless(
            False,
            f"{command.vendor} is engaged for {incident.number} already, {where}."
            " Reply on that one, or say that a second ticket is meant (--again; in the form, its box).",
            ask="again",
        )
    notes = _shareable(command, world)
    message = with_notes(command.message, tuple(notes.values()))
    category, service = kept_under(incident, world, command.vendor)
    engaged = Engaged(
        bond=command.command_id,
        vendor=command.vendor,
        production=facts.production,
        title=title_for(incident, world, command.vendor),
        message=words_for(incident, world, command.vendor, message),
        priority=incident.priority,
        by=world.actor,
        quotes=tuple(notes),
        fields=entitled(incident, world, command.vendor),
        secrets=receives(world, command.vendor).secret,
        impact=incident.impact,
        urgency=incident.urgency,
        category=category,
        service=service,
        by_hand=facts.by_hand,
        confirm_by=confirm_by(facts, incident.priority, world.now),
    )
    at_once = call_at_once(engaged.bond, facts, incident.priority, world)
    return says(incident, engaged, *at_once)


def _shareable(command: Engage, world: World) -> dict[int, str]:
    """Return the notes that go with it, by their seq, oldest first: those that fit, the newest of them."""
    if not command.timeline:
        return {}
    refuse_unless(
        receives(world, command.vendor).lets(May.TIMELINE),
        f"{command.vendor} may not receive notes: nothing was done. Tell it in the message, or have"
        f' "timeline" put into may_receive of {command.vendor} in vendors.toml.',
        ask="timeline",
    )
    room, found = MAX_TEXT - len(command.message) - len(NOTES) - 4, dict[int, str]()
    for one in reversed(world.stories[command.target]):
        event = event_of(one.kind, one.v, one.data) if one.data is not None and not one.wiped else None
        if isinstance(event, Noted) and event.label is Label.SHAREABLE and event.text:
            room -= len(event.text) + 3
            if room < 0:
                break
            found[one.seq] = event.text
    return dict(reversed(found.items()))


def with_notes(message: str, notes: Sequence[str]) -> str:
    """The words for a supplier with the notes that go along, one a line."""
    listed = "\n".join(f"- {text}" for text in notes)
    return f"{message}\n\n{NOTES}\n{listed}" if notes else message


@remarks.register
def _(command: Engage, world: World, after: Incident | None) -> tuple[str, ...]:
    title = world.incidents[command.target].title
    removed = removed_from(
        world, command.vendor, title, command.message, *_shareable(command, world).values()
    )
    return (*removed, *_by_hand(world, command.vendor))


@remarks.register
def _(command: Reply, world: World, after: Incident | None) -> tuple[str, ...]:
    bond = live_bond(world.incidents[command.target], command.vendor)
    return (*removed_from(world, bond.vendor, command.message), *_by_hand(world, bond.vendor))


def _by_hand(world: World, vendor: str) -> tuple[str, ...]:
    """What is to be done next where no worker does it."""
    facts = world.policy.vendors.get(vendor)
    if facts is None or not facts.by_hand:
        return ()
    return (
        f"Nothing is sent to {vendor} by itself: `muster outbox list` has it, `muster outbox card` says what"
        " to say and to whom, and `muster outbox handed` that they have it.",
    )


def live_bond(incident: Incident, vendor: str | None) -> Bond:
    """The live bond that a verb is about: the named supplier's, or the only one's."""
    live = incident.live_bonds(vendor)
    refuse_unless(
        live,
        f"No supplier is engaged for {incident.number}: engage one first."
        if vendor is None
        else f"{vendor} is not engaged for {incident.number}: engage them first.",
        ask="vendor",
    )
    return the_one(incident, live)


def the_one(incident: Incident, bonds: tuple[Bond, ...]) -> Bond:
    """The newest of these bonds, where all are one supplier's."""
    names = {bond.vendor for bond in bonds}
    refuse_unless(
        len(names) == 1,
        f"Several suppliers are engaged for {incident.number}: say which ({joined(names)}).",
        ask="vendor",
    )
    return bonds[-1]


@decide.register
def _(command: Reply, incident: Incident, world: World) -> Decision:
    bond = live_bond(incident, command.vendor)
    return says(
        incident,
        Replied(
            bond=bond.id,
            vendor=bond.vendor,
            production=bond.production,
            message=words_for(incident, world, bond.vendor, command.message),
            public=not command.internal,
        ),
    )


@evolve.register
def _(event: Engaged, incident: Incident, at: datetime) -> Incident:
    bond = Bond(
        id=event.bond,
        vendor=event.vendor,
        production=event.production,
        state=BondState.ENGAGING,
        ball=Ball.OURS,
        ball_since=at,
        engaged_at=at,
        engaged_by=event.by,
        told_priority=event.priority,
        by_hand=event.by_hand,
        confirm_by=event.confirm_by,
    )
    return incident.with_bond(bond.prepared())


@evolve.register
def _(event: Replied, incident: Incident, at: datetime) -> Incident:
    bond = incident.bond(event.bond)
    return incident if bond is None else incident.with_bond(bond.prepared())


@effects.register
def _(event: Engaged, stream: str, command_id: str) -> tuple[Effect, ...]:
    payload: dict[str, object] = {
        "title": event.title,
        "body": event.message,
        "priority": int(event.priority),
    }
    said: dict[str, object] = {"impact": event.impact, "urgency": event.urgency}
    said |= {"category": event.category, "service": event.service}
    payload |= {name: word for name, word in said.items() if word}
    if event.quotes:
        payload["quotes"] = event.quotes
    if event.secrets:
        payload["secrets"] = event.secrets
    if event.fields:
        payload["fields"] = event.fields
    # a bond has the id of the command that made it: an operation of its own, where one command makes several
    return (enqueued(event.bond, event.vendor, stream, event.bond, "create", payload),)


@effects.register
def _(event: Replied, stream: str, command_id: str) -> tuple[Effect, ...]:
    payload = {"body": event.message, "public": event.public}
    return (enqueued(event.bond, event.vendor, stream, event.op or command_id, "comment", payload),)


def derived_id(command_id: str, of: str) -> str:
    """An operation id for one of several sendings that one command asks for: always the same one."""
    digest = int.from_bytes(hashlib.sha256(f"{command_id} {of}".encode()).digest()[:10])
    return command_id[:10] + "".join(_CROCKFORD[digest >> 5 * place & 31] for place in range(16))


def enqueued(bond: str, vendor: str, stream: str, command_id: str, kind: str, payload: object) -> Enqueue:
    """One sending. The command's id is the operation id: it was minted before anything else happened."""
    return Enqueue(
        row_id=command_id,
        op_id=command_id,
        incident=stream,
        bond=bond,
        vendor=vendor,
        kind=kind,
        payload=orjson.dumps(payload).decode(),
    )
