"""Several tickets of a supplier's for one incident: linked by a person, or shown by their system."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from register.core import Event, PersonId, evolve
from register.incident import Bond, FurtherTicket, Incident, LinkSeen, TicketRef
from register.topics.news import without


class FurtherLinked(Event):
    """before: the id under which the ticket was known, where it is told under another one now."""

    kind: ClassVar[str] = "further_linked"

    bond: str
    vendor: str
    ref: TicketRef
    before: str = ""


class FurtherDropped(Event):
    """merged: their system says that it goes on as one that we know already."""

    kind: ClassVar[str] = "further_dropped"

    bond: str
    vendor: str
    ref: TicketRef
    merged: bool = False


class LinkShown(Event):
    """Their system shows another ticket beside ours. Whether it concerns us is for a person to say."""

    kind: ClassVar[str] = "link_shown"

    bond: str
    vendor: str
    change_id: str
    author: PersonId
    ref: TicketRef
    how: str


def is_known(incident: Incident, bond: Bond, ref: TicketRef) -> bool:
    """Whether a ticket belongs to the incident already, or is proposed."""
    names = {ref.id, ref.key}
    refs = [one for each in incident.bonds if each.vendor == bond.vendor for one in each.known_refs]
    return any(names & {one.id, one.key} for one in (*refs, *(link.ref for link in bond.links)))


@evolve.register
def _(event: FurtherLinked, incident: Incident, at: datetime) -> Incident:
    bond = incident.bond(event.bond)
    if bond is None:
        return incident
    known = bond.further_of(event.before) if event.before else None
    if known is not None:
        renamed = known.model_copy(update={"ref": event.ref, "missing": False})
        further = tuple(renamed if one is known else one for one in bond.further)
        return incident.with_bond(bond.but(further=further))
    rest = without(bond, event.ref)
    return incident.with_bond(rest.but(further=(*rest.further, FurtherTicket(ref=event.ref))))


@evolve.register
def _(event: FurtherDropped, incident: Incident, at: datetime) -> Incident:
    bond = incident.bond(event.bond)
    return incident if bond is None else incident.with_bond(without(bond, event.ref))


@evolve.register
def _(event: LinkShown, incident: Incident, at: datetime) -> Incident:
    bond = incident.bond(event.bond)
    if bond is None or is_known(incident, bond, event.ref):
        return incident
    links = (*bond.links, LinkSeen(ref=event.ref, how=event.how))
    return incident.with_bond(bond.but(links=links, heard_at=at))
