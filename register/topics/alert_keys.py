"""Which incident an alert's key belongs to: one at a time, for as long as that one is not over.

The key is free again when its incident is closed or canceled. Where the alert comes back after its incident
was resolved, the key goes to the new incident; who reopens the old one by hand takes it back.
"""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from register.core import AlertAsked, Decision, Event, World, evolve, refuse_unless, says
from register.incident import Incident


class AlertMoved(Event):
    """The alert's key is another incident's from now on, or this one's again."""

    kind: ClassVar[str] = "alert_moved"

    to: str


@evolve.register
def _(event: AlertMoved, incident: Incident, at: datetime) -> Incident:
    if incident.alert is None:
        return incident
    passed_to = None if event.to == incident.number else event.to
    return incident.but(alert=incident.alert.but(passed_to=passed_to))


def lost_key(incident: Incident | None) -> AlertAsked | None:
    """The alert whose key went from this incident to a later one, if that is so."""
    if incident is None or incident.alert is None or incident.alert.passed_to is None:
        return None
    return AlertAsked(incident.alert.service, incident.alert.key)


def taken_back(incident: Incident, world: World) -> Decision:
    """What reopening this incident by hand says of its alert's key. Two open ones never have the same."""
    if lost_key(incident) is None:
        return ()
    holder = world.incidents.get(world.alert.incident or "")
    back = AlertMoved(to=incident.number)
    if holder is None or not holder.holds_key:
        return says(incident, back)
    refuse_unless(
        not holder.is_open,
        f"The alert of {incident.number} came back as {holder.number}, and that one is open. Nothing was"
        f" reopened: work on {holder.number}, or cancel it first.",
    )
    return (*says(holder, back), *says(incident, back))
