"""When a person is asked to call a supplier: where silence costs most, and where a promise has passed.

A card on the board asks. To page whoever is asked as well, `effects` for `CallDue` is the place: one event,
one page to `asks`, with the number that `VendorFacts.to_call` has at its level when it is sent.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, ClassVar, Final

from register.core import Event, PersonId, VendorFacts, evolve
from register.incident import LIVE_BONDS, Bond, CallCard, CallWhy, Incident, Priority

CONFIRM_WITHIN: Final = timedelta(minutes=2)
"""So long a ticket of `AT_ONCE` may take to be confirmed; then a person is asked to call."""
AT_ONCE: Final = frozenset({Priority.CRITICAL, Priority.HIGH})


class CallDue(Event):
    """A person is asked to call a supplier. asks: whom.

    The number to call is not in here: it is looked up when it is shown or paged, by supplier and level.
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


def call_at_once(bond: str, facts: VendorFacts, priority: Priority, asks: PersonId) -> tuple[CallDue, ...]:
    """The call that a supplier wants beside the ticket, where it is a P1 and its block says so."""
    if facts.p1 != "ticket+call" or priority is not Priority.CRITICAL:
        return ()
    return (CallDue(bond=bond, vendor=facts.name, why=CallWhy.P1, asks=asks),)


def spoke(bond: Bond) -> Bond:
    """A bond whose supplier has said something: nobody need be asked to call them for their silence."""
    silent = bond.call is not None and bond.call.why in (CallWhy.PROMISE, CallWhy.CONTRACT)
    return bond.but(call=None) if silent else bond


def calls_due(incident: Incident, now: datetime) -> tuple[CallDue, ...]:
    """What silence asks for: a ticket that is not confirmed in time, a promise that has passed."""
    found = []
    for bond in incident.bonds:
        if bond.state not in LIVE_BONDS:
            continue
        if bond.confirm_by is not None and bond.confirm_by <= now:
            found.append(_due(bond, CallWhy.UNCONFIRMED, bond.engaged_at))
        if bond.remind_at is not None and bond.remind_at <= now:
            found.append(_due(bond, CallWhy.PROMISE, bond.remind_at))
    return tuple(found)


def _due(bond: Bond, why: CallWhy, since: datetime) -> CallDue:
    return CallDue(bond=bond.id, vendor=bond.vendor, why=why, asks=bond.engaged_by, since=since)


@evolve.register
def _(event: CallDue, incident: Incident, at: datetime) -> Incident:
    bond = incident.bond(event.bond)
    if bond is None:
        return incident
    changes: dict[str, Any] = {"call": CallCard(why=event.why, since=at, level=event.level)}
    if event.why is CallWhy.UNCONFIRMED:
        changes["confirm_by"] = None
    if event.why is CallWhy.PROMISE:
        changes["remind_at"] = None
    if event.nudged is not None:
        changes["nudged"] = event.nudged
    return incident.with_bond(bond.but(**changes))
