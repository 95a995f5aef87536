"""Alerts that belong together: each new incident is related to the first one of its window that fires.

Nothing is merged. The window is counted from its first alert, so a storm that goes on past its end begins a
new one. What does not fire any more is neither related to nor counted.
"""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar, Final

from register.core import Decision, Event, Said, World, evolve
from register.incident import Incident

KEPT: Final = 20
"""How many others an incident names, and how many are told one by one to the first of a storm."""


class Correlated(Event):
    """Another incident's alert came within the window. `count` of them fire, these two included."""

    kind: ClassVar[str] = "correlated"

    to: str
    count: int


@evolve.register
def _(event: Correlated, incident: Incident, at: datetime) -> Incident:
    if event.to in incident.related or len(incident.related) >= KEPT:
        return incident
    return incident.but(related=(*incident.related, event.to))


def correlated(number: str, world: World) -> Decision:
    """Relate a new incident to the first one of its window that fires, and that one to it."""
    first = world.alert.beside
    if first is None:
        return ()
    count = world.alert.firing + 1
    found = [Said(number, Correlated(to=first, count=count))]
    if count <= KEPT or count & (count - 1) == 0:  # in a storm the first one hears of the 32nd, the 64th, …
        found.append(Said(first, Correlated(to=number, count=count)))
    return tuple(found)
