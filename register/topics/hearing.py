"""What a supplier said and decided, taken in with where their feed was left."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Final

from pydantic import AfterValidator, BaseModel

from register.core import (
    Command,
    Decision,
    Event,
    Refused,
    Role,
    Said,
    World,
    bookkeeping,
    decide,
)
from register.effect import Effect, MoveCursor, Quarantine, ReadAnew, Remember, WholeRead
from register.incident import MAY, Ball, BondState, HoldReason, Incident, State, TicketRef
from register.text import clean, one_line
from register.topics.engagement import derived_id
from register.topics.further import FurtherDropped, FurtherLinked
from register.topics.heard import Heard as Heard
from register.topics.heard import Listening, after
from register.topics.hold import goes_on
from register.topics.letting_out import tables
from register.topics.news import Relinked, SupplierSaid, SupplierUpdated
from register.topics.proposal import accepted
from register.topics.quarantine import SetAside
from register.topics.resolution import resolved_by_supplier

_Foreign = Annotated[str, AfterValidator(clean)]
_ForeignLine = Annotated[str, AfterValidator(one_line)]


class Unreadable(BaseModel, frozen=True):
    """What could not be taken in. incident, bond: whose ticket it is about, where that is known."""

    change_id: _ForeignLine
    raw: _Foreign = ""
    why: _ForeignLine
    incident: str = ""
    bond: str = ""
    part: str = ""  # the further ticket that could not be read, if it is that


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
    part: str = ""  # with `whole`: the id under which a further ticket was known, if it was that
    target: str | None = None  # with `whole`: the bond's incident
    ref: TicketRef | None = None  # with `whole`: the ticket's reference as the supplier tells it

    def touches(self) -> tuple[str, ...]:
        own = (self.target,) if self.target else ()
        aside = (one.incident for one in self.unreadable if one.incident)
        return tuple(dict.fromkeys((*own, *(item.incident for item in self.items), *aside)))

    def touches_too(self, incidents: Mapping[str, Incident]) -> tuple[str, ...]:
        held = (one for one in incidents.values() if one.hold is not None)
        return tuple(child for one in held for child in one.children)


@decide.register
def _(command: Hear, incident: Any, world: World) -> Decision:
    if command.cursor is not None and command.after != world.cursor:
        raise Refused(f"The feed of {command.vendor} was moved by another collector: nothing was taken in.")
    relinked = _relinked(command, world)
    page = Listening(world, {**world.incidents} | after(relinked, world.incidents, world.now), command.items)
    said = [one for item in command.items for one in page.news(item)]
    aside = _set_aside(command, world)
    return (*relinked, *said, *aside, *followed(command.vendor, world, said))


def _set_aside(command: Hear, world: World) -> Decision:
    """What could not be taken in is told on the incident, where that is known, once."""
    return tuple(
        Said(
            u.incident,
            SetAside(bond=u.bond, vendor=command.vendor, change_id=u.change_id, why=u.why, part=u.part),
        )
        for u in command.unreadable
        if u.incident in world.incidents and u.change_id not in world.heard
    )


def followed(vendor: str, world: World, said: Sequence[Said]) -> Decision:
    """What follows for ours: their "fixed" is taken as the policy says, and what waits for them goes on."""
    facts = world.policy.vendors.get(vendor)
    way = "propose" if facts is None else facts.on_resolved
    if way == "propose":
        return _woken(vendor, world, said)
    last = {one.stream: one.event for one in said if isinstance(one.event, SupplierUpdated)}
    now = after((one for one in said if one.stream in last), world.incidents, world.now)
    fixed = {number: event for number, event in last.items() if _is_over(now[number], event)}
    taken = [Said(number, _taken(now[number], world, event)) for number, event in fixed.items()]
    if way == "resume":
        return (*taken, *_woken(vendor, world, said))
    ended = [number for number in fixed if State.RESOLVED in MAY[world.incidents[number].state]]
    words = dict.fromkeys(ended, f"{vendor} says that it is fixed.")
    over = [one for number, why in words.items() for one in resolved_by_supplier(number, why, world)]
    others = [one for one in said if one.stream not in ended]
    return (*taken, *over, *_woken(vendor, world, others))


_ACCEPTED: Final = "For us it is fixed as well."


def _is_over(incident: Incident, event: SupplierUpdated) -> bool:
    """Whether all of their tickets are done with, so that their "fixed" may be taken without a person."""
    bond = incident.bond(event.bond)
    return bond is not None and bond.state is BondState.FIXED and not bond.still_open


def _taken(incident: Incident, world: World, event: SupplierUpdated) -> Event:
    bond = incident.bond(event.bond)
    if bond is None:
        raise ValueError(f"{incident.number} has no bond {event.bond}")
    note = _ACCEPTED if tables(world, bond.vendor).note and not bond.closed else ""
    return accepted(bond, note).model_copy(update={"op": derived_id(bond.id, event.change_id)})


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
        return not event.perhaps_ours and not event.quiet
    return isinstance(event, SupplierUpdated) and event.ball is not Ball.THEIRS


def _waits_for(incident: Incident, vendor: str) -> bool:
    """Whether its hold is this supplier's: the one that it names, or any where it names none of them."""
    if incident.hold is None or incident.hold.reason is not HoldReason.VENDOR:
        return False
    words = set(incident.hold.on.casefold().replace(",", " ").split())
    engaged = {bond.vendor for bond in incident.bonds}
    return vendor in words or not words & engaged


def _relinked(command: Hear, world: World) -> Decision:
    """Their ticket has another reference than we have: merged, renumbered, adopted by its human one."""
    if command.ref is None or command.whole is None or command.target is None:
        return ()
    bond, ref = world.incidents[command.target].bond(command.whole), command.ref
    if bond is None:
        return ()
    about = {"bond": bond.id, "vendor": bond.vendor}
    event: Event
    if not command.part:
        if bond.ref == ref:
            return ()
        event = Relinked(**about, ref=ref)
    else:
        before = bond.further_of(command.part)
        if before is None or (before.ref == ref and not before.missing):
            return ()
        event = FurtherLinked(**about, ref=ref, before=command.part)
        if any(one.id == ref.id != command.part for one in bond.known_refs):
            event = FurtherDropped(**about, ref=before.ref, merged=True)
    return (Said(command.target, event),)


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
        part = command.part and (command.ref.id if command.ref is not None else command.part)
        found.append(WholeRead(command.whole, part))
    else:
        found += [ReadAnew(bond, part) for bond, part in sorted(_perhaps_moved(command, world))]
    return tuple(found)


def _perhaps_moved(command: Hear, world: World) -> set[tuple[str, str]]:
    """Bonds of whose ticket the feed says what we do not know: it may have been merged, so it is read."""
    unknown = (item for item in command.items if item.kind == "state" and item.means == "unmapped")
    return {(item.bond, item.ticket_id) for item in unknown if item.change_id not in world.heard}
