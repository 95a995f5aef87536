"""What a supplier said and decided, taken in with where their feed was left."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, ClassVar, Final, Literal

import orjson
from pydantic import AfterValidator, BaseModel

from register.core import (
    Command,
    Decision,
    Event,
    PersonField,
    PersonId,
    Refused,
    Role,
    Said,
    World,
    bookkeeping,
    decide,
    evolve,
)
from register.effect import Effect, MoveCursor, Quarantine, ReadAnew, Remember, WholeRead
from register.incident import MAY, Ball, Bond, BondState, HoldReason, Incident, State, TicketRef
from register.text import clean, one_line
from register.topics.calling import spoke
from register.topics.delivery import is_quiet
from register.topics.engagement import derived_id
from register.topics.fetching import SupplierFile
from register.topics.files import safe_name
from register.topics.hold import goes_on
from register.topics.proposal import accepted
from register.topics.quarantine import SetAside
from register.topics.resolution import resolved_by_supplier
from register.topics.sendings import Delivered

UNSETTLED = frozenset({"sending", "ambiguous", "waiting", "queued", "dead"})
"""States of a sending in which an earlier try may have been carried out."""
# Connectors clean and clip what they read; the door does not rely on it. Nothing is too long to be kept.
_Foreign = Annotated[str, AfterValidator(clean)]
_ForeignLine = Annotated[str, AfterValidator(one_line)]


class Heard(BaseModel, frozen=True):
    """One change at a supplier, about one of our bonds. `at` is the supplier's time, UTC."""

    incident: str
    bond: str
    change_id: _ForeignLine
    at: datetime
    kind: Literal["comment", "state", "file"]
    author: Annotated[_ForeignLine, PersonField("supplier")]
    by_our_account: bool = False
    body: _Foreign = ""
    public: bool = True
    raw_state: _ForeignLine = ""
    ball: Ball | None = None
    fixed: bool | None = None  # kind state: they say it is fixed; None where the word is not mapped
    closed: bool = False  # kind state: and it is closed with them
    means: str = ""  # kind state: what it means to us, as vendors.toml says
    op_id: str | None = None
    size: int | None = None  # kind file, whose name is the body: bytes, where told
    place: _ForeignLine = ""  # kind file: where it lies there


class Unreadable(BaseModel, frozen=True):
    """What could not be taken in. incident, bond: whose ticket it is about, where that is known."""

    change_id: _ForeignLine
    raw: _Foreign = ""
    why: _ForeignLine
    incident: str = ""
    bond: str = ""


class Hear(Command):
    """Take in what a supplier said: all of one page, and where to go on, at once."""

    role: ClassVar[Role] = Role.ENGINE
    on_incident: ClassVar[bool] = False

    vendor: str
    after: str | None = None  # the cursor that this page followed
    cursor: str | None = None  # where to go on; None leaves it
    items: tuple[Heard, ...] = ()
    unreadable: tuple[Unreadable, ...] = ()
    whole: str | None = None  # the bond whose ticket was read from its beginning
    target: str | None = None  # with `whole`: the bond's incident
    ref: TicketRef | None = None  # with `whole`: the ticket's reference as the supplier tells it

    def touches(self) -> tuple[str, ...]:
        own = (self.target,) if self.target else ()
        aside = (one.incident for one in self.unreadable if one.incident)
        return tuple(dict.fromkeys((*own, *(item.incident for item in self.items), *aside)))

    def touches_too(self, incidents: Mapping[str, Incident]) -> tuple[str, ...]:
        held = (one for one in incidents.values() if one.hold is not None)
        return tuple(child for one in held for child in one.children)


class SupplierSaid(Event):
    kind: ClassVar[str] = "supplier_said"

    bond: str
    vendor: str
    change_id: str
    author: PersonId
    body: str
    public: bool
    perhaps_ours: bool


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


class Relinked(Event):
    kind: ClassVar[str] = "relinked"

    bond: str
    vendor: str
    ref: TicketRef


@decide.register
def _(command: Hear, incident: Any, world: World) -> Decision:
    if command.cursor is not None and command.after != world.cursor:
        raise Refused(f"The feed of {command.vendor} was moved by another collector: nothing was taken in.")
    said: list[Said] = []
    shadow: dict[str, str] = {}  # bond → the state as of the items before
    settled: set[str] = set()
    taken = set(world.heard)  # a page may overlap itself
    stale = _overtaken(command, world)
    for item in command.items:
        bond = world.incidents[item.incident].bond(item.bond) if item.incident in world.incidents else None
        if bond is None or item.change_id in taken:
            continue
        taken.add(item.change_id)
        at = min(item.at, world.now)
        if item.op_id is not None:
            said += _settled_by(item, bond, world, at, settled)
        elif item.kind in _TOLD:
            said.append(Said(item.incident, _TOLD[item.kind](item, bond), at))
        elif _is_own_doing(item, bond, world):
            continue  # the answer to our own request brings what became of it
        elif item.change_id not in stale and item.raw_state != shadow.get(bond.id, bond.raw_state):
            before = shadow.get(bond.id, bond.raw_state)
            shadow[bond.id] = item.raw_state
            said.append(Said(item.incident, _update(item, bond, before), at))
    aside = _set_aside(command, world)
    return (*_relinked(command, world), *said, *aside, *followed(command.vendor, world, said))


def _set_aside(command: Hear, world: World) -> Decision:
    """What could not be taken in is told on the incident, where that is known, once."""
    return tuple(
        Said(u.incident, SetAside(bond=u.bond, vendor=command.vendor, change_id=u.change_id, why=u.why))
        for u in command.unreadable
        if u.incident in world.incidents and u.change_id not in world.heard
    )


def _is_own_doing(item: Heard, bond: Bond, world: World) -> bool:
    """Whether a state is the one that a request of ours asks for, of which we do not know how it ended."""
    return item.by_our_account and any(
        row.bond == bond.id
        and row.kind == "transition"
        and row.state in UNSETTLED
        and row.tries
        and orjson.loads(row.payload)["to"] == item.means
        for row in world.sendings.values()
    )


def followed(vendor: str, world: World, said: Sequence[Said]) -> Decision:
    """What follows for ours: their "fixed" is taken as the policy says, and what waits for them goes on."""
    facts = world.policy.vendors.get(vendor)
    way = "propose" if facts is None else facts.on_resolved
    if way == "propose":
        return _woken(vendor, world, said)
    last = {one.stream: one.event for one in said if isinstance(one.event, SupplierUpdated)}
    fixed = {number: event for number, event in last.items() if event.fixed}
    taken = [Said(number, _taken(world.incidents[number], event)) for number, event in fixed.items()]
    if way == "resume":
        return (*taken, *_woken(vendor, world, said))
    ended = [number for number in fixed if State.RESOLVED in MAY[world.incidents[number].state]]
    words = dict.fromkeys(ended, f"{vendor} says that it is fixed.")
    over = [one for number, why in words.items() for one in resolved_by_supplier(number, why, world)]
    others = [one for one in said if one.stream not in ended]
    return (*taken, *over, *_woken(vendor, world, others))


def _taken(incident: Incident, event: SupplierUpdated) -> Event:
    bond = incident.bond(event.bond)
    if bond is None:
        raise ValueError(f"{incident.number} has no bond {event.bond}")
    return accepted(bond.but(closed=event.closed, raw_state=event.raw_state)).model_copy(
        update={"op": derived_id(bond.id, event.change_id)}
    )


def _woken(vendor: str, world: World, said: Sequence[Said]) -> Decision:
    """What waits for this supplier goes on once there is something for us to do: words, or a turn of ours."""
    news = {one.stream for one in said if _is_for_us(one.event)}
    woken: dict[str, Said] = {}  # a child that has news of its own goes on once
    for number in sorted(news):
        if _waits_for(world.incidents[number], vendor):
            for event in goes_on(world.incidents[number], world, f"{vendor} answered"):
                woken.setdefault(event.stream, event)
    return tuple(woken.values())


def _is_for_us(event: Event) -> bool:
    if isinstance(event, SupplierSaid):
        return not event.perhaps_ours
    return isinstance(event, SupplierUpdated) and event.ball is not Ball.THEIRS


def _waits_for(incident: Incident, vendor: str) -> bool:
    """Whether its hold is this supplier's: the one that it names, or any where it names none of them."""
    if incident.hold is None or incident.hold.reason is not HoldReason.VENDOR:
        return False
    words = set(incident.hold.on.casefold().replace(",", " ").split())
    engaged = {bond.vendor for bond in incident.bonds}
    return vendor in words or not words & engaged


def _overtaken(command: Hear, world: World) -> frozenset[str]:
    """States of a whole ticket that stand before one that the feed has told already: history, no news."""
    states = [item for item in command.items if item.kind == "state"] if command.whole else []
    known = [at for at, item in enumerate(states) if item.change_id in world.heard]
    return frozenset(item.change_id for item in states[: known[-1]]) if known else frozenset()


def _relinked(command: Hear, world: World) -> Decision:
    """Their ticket has another reference than we have: merged, renumbered, adopted by its human one."""
    if command.ref is None or command.whole is None or command.target is None:
        return ()
    bond = world.incidents[command.target].bond(command.whole)
    if bond is None or bond.ref == command.ref:
        return ()
    event = Relinked(bond=bond.id, vendor=bond.vendor, ref=command.ref)
    return (Said(command.target, event),)


def _settled_by(item: Heard, bond: Bond, world: World, at: datetime, settled: set[str]) -> list[Said]:
    """Our own words came back: no news, but proof that they arrived."""
    row = next((row for row in world.sendings.values() if row.op_id == item.op_id), None)
    if row is None or row.row_id in settled or row.state != "ambiguous" or row.kind != "comment":
        return []
    settled.add(row.row_id)
    about = {"row_id": row.row_id, "bond": bond.id, "vendor": bond.vendor, "what": row.kind}
    return [
        Said(
            item.incident, Delivered(**about, how="heard", quiet=is_quiet(row), change_ids=(item.change_id,))
        )
    ]


def _comment(item: Heard, bond: Bond) -> SupplierSaid:
    return SupplierSaid(
        bond=bond.id,
        vendor=bond.vendor,
        change_id=item.change_id,
        author=item.author,
        body=item.body,
        public=item.public,
        perhaps_ours=item.by_our_account,
    )


def _update(item: Heard, bond: Bond, before: str) -> SupplierUpdated:
    return SupplierUpdated(
        bond=bond.id,
        vendor=bond.vendor,
        change_id=item.change_id,
        author=item.author,
        before=before,
        raw_state=item.raw_state,
        ball=item.ball,
        fixed=item.fixed,
        closed=item.closed,
    )


def _file(item: Heard, bond: Bond) -> SupplierFile:
    return SupplierFile(
        bond=bond.id,
        vendor=bond.vendor,
        change_id=item.change_id,
        author=item.author,
        name=safe_name(item.body),
        size=item.size,
        place=item.place,
        public=item.public,
        perhaps_ours=item.by_our_account,
    )


_TOLD: Final[Mapping[str, Callable[[Heard, Bond], Event]]] = {
    "comment": _comment,
    "file": _file,
}


@bookkeeping.register
def _(command: Hear, world: World) -> tuple[Effect, ...]:
    found: list[Effect] = [
        Quarantine(command.vendor, u.change_id, u.raw, u.why, u.incident, u.bond) for u in command.unreadable
    ]
    ids = tuple(item.change_id for item in command.items) + tuple(u.change_id for u in command.unreadable)
    if ids:
        found.append(Remember(command.vendor, ids))
    if command.cursor is not None and command.cursor != world.cursor:
        found.append(MoveCursor(command.vendor, command.cursor))
    if command.whole is not None:
        found.append(WholeRead(command.whole))
    else:
        found += [ReadAnew(bond) for bond in sorted(_perhaps_moved(command, world))]
    return tuple(found)


def _perhaps_moved(command: Hear, world: World) -> set[str]:
    """Bonds of whose ticket the feed says what we do not know: it may have been merged, so it is read."""
    unknown = (item for item in command.items if item.kind == "state" and item.means == "unmapped")
    return {item.bond for item in unknown if item.change_id not in world.heard}


@evolve.register
def _(event: SupplierSaid, incident: Incident, at: datetime) -> Incident:
    bond = incident.bond(event.bond)
    if bond is None:
        return incident
    if event.perhaps_ours:
        return incident.with_bond(bond.but(heard_at=at))
    since = bond.ball_since if bond.ball is Ball.OURS else at
    answered = spoke(bond)
    return incident.with_bond(answered.but(heard_at=at, said_at=at, ball=Ball.OURS, ball_since=since))


@evolve.register
def _(event: SupplierUpdated, incident: Incident, at: datetime) -> Incident:
    bond = incident.bond(event.bond)
    if bond is None:
        return incident
    changes: dict[str, Any] = {"raw_state": event.raw_state, "heard_at": at, "said_at": at}
    if event.ball is not None and event.ball is not bond.ball:
        changes |= {"ball": event.ball, "ball_since": at}
    if event.fixed is not None:
        changes["closed"] = event.closed
        changes["state"] = _stands(bond.state, event)
    return incident.with_bond(spoke(bond).but(**changes))


def _stands(before: BondState, event: SupplierUpdated) -> BondState:
    """How a bond stands after their word. One that is over for us is over, whatever they say."""
    if before is BondState.ENDED or (before is BondState.ENDING and not event.closed):
        return before
    if before is BondState.ENDING:
        return BondState.ENDED
    return BondState.FIXED if event.fixed else BondState.OPEN


@evolve.register
def _(event: Relinked, incident: Incident, at: datetime) -> Incident:
    bond = incident.bond(event.bond)
    if bond is None:
        return incident
    moved = bond.ref is not None and bond.ref.id != event.ref.id
    former = (*bond.former, bond.ref) if moved and bond.ref is not None else bond.former
    return incident.with_bond(bond.but(ref=event.ref, former=former))
