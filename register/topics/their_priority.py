"""A supplier gave its ticket another priority: shown, offered back or asked about, by whose field it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import orjson

from register.core import Event, World
from register.incident import Bond, Incident, Priority, TicketRef
from register.merging import OWNERS, Owner, Shared, owner_of
from register.topics.differences import DifferenceFound
from register.topics.news import SupplierReprioritised


class Told(Protocol):
    """What is heard of it. priorities: which of ours theirs may stand for."""

    @property
    def change_id(self) -> str: ...
    @property
    def author(self) -> str: ...
    @property
    def by_our_account(self) -> bool: ...
    @property
    def raw_priority(self) -> str: ...
    @property
    def priorities(self) -> tuple[Priority, ...]: ...


def priority_news(
    item: Told,
    incident: Incident,
    bond: Bond,
    of: TicketRef | None,
    world: World,
    unsettled: frozenset[str],
    *,
    overtaken: bool = False,
) -> tuple[Event, ...]:
    """Return what it is news of. What we set ourselves, and what both go by already, is none.

    overtaken: what we set is with them since.
    """
    event = SupplierReprioritised(
        bond=bond.id,
        vendor=bond.vendor,
        change_id=item.change_id,
        author=item.author,
        before=bond.their_priority or ("" if bond.told_priority is None else str(bond.told_priority)),
        raw_priority=item.raw_priority,
        priorities=_ours_first(item.priorities, incident.priority),
        of=of,
    )
    if of is not None:
        return (event,)
    known = bond.told_priority in item.priorities and not bond.their_priority
    if known or item.raw_priority == bond.their_priority or _is_own_doing(item, bond, world, unsettled):
        return ()
    if bond.told_priority in item.priorities:  # back to what they were told
        return (event,)
    facts = world.policy.vendors.get(bond.vendor)
    owner = owner_of(OWNERS if facts is None else facts.owner, Shared.PRIORITY)
    if overtaken:
        return (event.model_copy(update={"overtaken": True}),)
    if owner is Owner.THEIRS or incident.priority in item.priorities:
        return (event.model_copy(update={"agreed": True}),)
    asked = any(one.field is Shared.PRIORITY for one in bond.differences)  # perhaps by a sending that waits
    if owner is Owner.CONFLICT or asked:
        told = event.model_copy(update={"asked": True})
        return (told,) if asked else (told, _asked(bond, incident, event))
    return (event,)


def _asked(bond: Bond, incident: Incident, event: SupplierReprioritised) -> DifferenceFound:
    return DifferenceFound(
        bond=bond.id,
        vendor=bond.vendor,
        what="priority",
        field=Shared.PRIORITY,
        ours=str(incident.priority),
        theirs=event.raw_priority,
        priorities=event.priorities,
    )


def _ours_first(priorities: tuple[Priority, ...], ours: Priority) -> tuple[Priority, ...]:
    """Where one of theirs stands for several of ours, it is the one that ours has, if it can be."""
    return tuple(sorted(priorities, key=lambda one: (one is not ours, one)))


def _is_own_doing(item: Told, bond: Bond, world: World, unsettled: frozenset[str]) -> bool:
    """Whether it is what a request of ours asks for, of which we do not know how it ended."""
    return item.by_our_account and any(
        row.bond == bond.id
        and row.kind == "priority"
        and row.state in unsettled
        and row.tries
        and _asked_for(orjson.loads(row.payload)) in item.priorities
        for row in world.sendings.values()
    )


def _asked_for(payload: Mapping[str, int]) -> Priority:
    return Priority(payload["priority"])
