"""Before a supplier closes its ticket because we do not answer: whose turn it is, and until when."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, ClassVar, Final

from register.core import Command, Decision, Event, Role, Target, World, decide, evolve, says
from register.incident import LIVE_BONDS, Ball, Bond, Incident

_LEAST: Final = timedelta(days=1)


class WarnOfClosing(Command):
    """A supplier is about to close a ticket that waits for us: say so."""

    role: ClassVar[Role] = Role.ENGINE
    on_incident: ClassVar[bool] = False

    target: Target
    bond: str


class ClosingNear(Event):
    """It is our turn since so long that they are about to close. closes_at: when they will."""

    kind: ClassVar[str] = "closing_near"

    bond: str
    vendor: str
    key: str
    since: datetime
    closes_at: datetime


def warned_before(closes_after: timedelta) -> timedelta:
    """How long before they close it is told: a fifth of the time; of days, one day at the least."""
    return max(closes_after / 5, min(_LEAST, closes_after / 2))


def waits_for_us(bond: Bond) -> bool:
    """Whether their ticket waits for us, and nothing was said of it since."""
    ours = bond.ball is Ball.OURS and bond.ref is not None and not bond.closed
    return ours and bond.state in LIVE_BONDS and bond.warned_for != bond.ball_since


@decide.register
def _(command: WarnOfClosing, incident: Incident, world: World) -> Decision:
    bond = incident.bond(command.bond)
    facts = None if bond is None else world.policy.vendors.get(bond.vendor)
    if bond is None or bond.ref is None or facts is None or facts.closes_after is None:
        return ()
    closes_at = bond.ball_since + facts.closes_after
    if not waits_for_us(bond) or world.now < closes_at - warned_before(facts.closes_after):
        return ()
    return says(
        incident,
        ClosingNear(
            bond=bond.id,
            vendor=bond.vendor,
            key=bond.ref.key,
            since=bond.ball_since,
            closes_at=closes_at,
        ),
    )


@evolve.register
def _(event: ClosingNear, incident: Incident, at: datetime) -> Incident:
    bond: Any = incident.bond(event.bond)
    if bond is None:
        return incident
    return incident.with_bond(bond.but(warned_for=event.since, closes_at=event.closes_at))
