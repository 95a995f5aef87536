"""When a person is asked to call a supplier: where silence costs most, and where a promise has passed.

A card on the board asks, and a page goes to whoever is asked (register.topics.paging): one event, one page,
with the number that `VendorFacts.to_call` has at its level when it is sent.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, ClassVar, Final

from register.core import Event, PersonId, VendorFacts, World, evolve
from register.incident import LIVE_BONDS, Bond, CallCard, CallWhy, Incident, PageState, Priority

CONFIRM_WITHIN: Final = timedelta(minutes=2)
"""So long a ticket of `AT_ONCE` may take to be confirmed; then a person is asked to call."""
AT_ONCE: Final = frozenset({Priority.CRITICAL, Priority.HIGH})
"""For these somebody is paged, too; for others the card is enough."""
HANDED_WITHIN: Final = timedelta(minutes=30)
"""So long a text for a supplier that only a person can speak to may lie there, of any other priority."""
PAGED_WITHIN: Final = timedelta(minutes=30)
"""So long a page may take to reach somebody: later it is not sent, for it would be about the past."""


class CallDue(Event):
    """A person is asked to call a supplier. asks: whom.

    The number to call is not in here: it is looked up when it is shown or paged, by supplier and level.
    page_until: until when they may be paged for it; None where nobody is paged here.
    """

    kind: ClassVar[str] = "call_due"

    bond: str
    vendor: str
    why: CallWhy
    asks: PersonId
    level: int = 1
    since: datetime | None = None  # what has passed: their promise, or the time of the engagement
    clock: str = ""  # why contract: which of its clocks
    nudged: tuple[str, ...] | None = None  # why contract: the steps that are done now
    page_until: datetime | None = None


def confirm_by(facts: VendorFacts, priority: Priority, now: datetime) -> datetime | None:
    """Until when the ticket of an engagement must be there, or a person is to call."""
    if priority in AT_ONCE:
        return now + CONFIRM_WITHIN
    return now + HANDED_WITHIN if facts.by_hand else None


def page_until(world: World, priority: Priority) -> datetime | None:
    """Until when a page that is asked for now may be sent, where there is one."""
    return world.now + PAGED_WITHIN if world.policy.matrix.pages_anybody and priority in AT_ONCE else None


def call_at_once(bond: str, facts: VendorFacts, priority: Priority, world: World) -> tuple[CallDue, ...]:
    """The call that a supplier wants beside the ticket, where it is a P1 and its block says so."""
    if facts.p1 != "ticket+call" or priority is not Priority.CRITICAL:
        return ()
    until = page_until(world, priority)
    return (CallDue(bond=bond, vendor=facts.name, why=CallWhy.P1, asks=world.actor, page_until=until),)


def spoke(bond: Bond) -> Bond:
    """A bond whose supplier has said something: nobody need be asked to call them for their silence."""
    silent = bond.call is not None and bond.call.why in (CallWhy.PROMISE, CallWhy.CONTRACT)
    return bond.but(call=None) if silent else bond


def calls_due(incident: Incident, world: World) -> tuple[CallDue, ...]:
    """What silence asks for: a ticket that is not confirmed in time, a promise that has passed."""
    found, now, until = [], world.now, page_until(world, incident.priority)
    for bond in incident.bonds:
        if bond.state not in LIVE_BONDS:
            continue
        if bond.confirm_by is not None and bond.confirm_by <= now:
            found.append(_due(bond, CallWhy.UNCONFIRMED, bond.engaged_at, until))
        if bond.remind_at is not None and bond.remind_at <= now:
            found.append(_due(bond, CallWhy.PROMISE, bond.remind_at, until))
    return tuple(found)


def _due(bond: Bond, why: CallWhy, since: datetime, until: datetime | None) -> CallDue:
    asks = bond.engaged_by
    return CallDue(bond=bond.id, vendor=bond.vendor, asks=asks, why=why, since=since, page_until=until)


@evolve.register
def _(event: CallDue, incident: Incident, at: datetime) -> Incident:
    bond = incident.bond(event.bond)
    if bond is None:
        return incident
    page = None if event.page_until is None else PageState.ASKED
    card = CallCard(
        why=event.why, since=at, level=event.level, page=page, passed=event.since, clock=event.clock
    )
    changes: dict[str, Any] = {"call": card}
    if event.why is CallWhy.UNCONFIRMED:
        changes["confirm_by"] = None
    if event.why is CallWhy.PROMISE:
        changes["remind_at"] = None
    if event.nudged is not None:
        changes["nudged"] = event.nudged
    return incident.with_bond(bond.but(**changes))
