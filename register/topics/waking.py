"""What happens by itself when its time has come: a hold looks again, a resolved incident closes; and the
word that a change or problem is done, on which what waits for it goes on.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from pydantic import Field

from register.core import (
    Command,
    Decision,
    Event,
    Role,
    Said,
    Target,
    World,
    decide,
    refuse_unless,
    says,
)
from register.incident import ELSEWHERE, Incident, State
from register.text import Name
from register.topics.calling import calls_due
from register.topics.family import children_of
from register.topics.hold import goes_on
from register.topics.nudging import nudges_due
from register.topics.resolution import Closed
from register.topics.silence import silence_over
from register.topics.steps import steps_due


class WakeUp(Command):
    """Its time has come: do what it waited for."""

    role: ClassVar[Role] = Role.ENGINE
    on_incident: ClassVar[bool] = False

    target: Target

    def touches_too(self, incidents: Mapping[str, Incident]) -> tuple[str, ...]:
        return children_of(incidents.get(self.target))


class Done(Command):
    """Say that a change or problem is done: every incident that waits for it goes on."""

    verb: ClassVar[str] = "done"
    role: ClassVar[Role] = Role.RESPONDER
    on_incident: ClassVar[bool] = False

    record: Annotated[Name, Field(description="its number: CHG-12")]

    def waits_for(self) -> str:
        return self.record


class RecordDone(Event):
    """A change or problem elsewhere is done."""

    kind: ClassVar[str] = "record_done"

    record: str
    woke: tuple[str, ...]


@decide.register
def _(command: WakeUp, incident: Incident, world: World) -> Decision:
    """Nothing where somebody was first: its time is looked at anew, under the lock."""
    calls = says(
        incident,
        *silence_over(incident, world),
        *calls_due(incident, world),
        *nudges_due(incident, world, command.command_id),
        *steps_due(incident, world, command.command_id),
    )
    due = incident.turns_at
    if due is None or due > world.now:
        return calls
    if incident.state is State.RESOLVED:
        return (*calls, *says(incident, Closed(note="Nobody reopened it.", by_itself=True)))
    return (*calls, *goes_on(incident, world, "its time came"))


@decide.register
def _(command: Done, incident: Any, world: World) -> Decision:
    waiting = [one for one in world.incidents.values() if _waits_for(one, command.record)]
    refuse_unless(
        waiting,
        f"No incident waits for {command.record}. Nothing was done: `muster list state:hold` shows what is on"
        " hold.",
        ask="record",
    )
    # a child of one that waits goes on with it, and once
    said: dict[str, Said] = {}
    for one in waiting:
        for event in goes_on(one, world, f"{command.record} is done"):
            said.setdefault(event.stream, event)
    record = RecordDone(record=command.record, woke=tuple(said))
    return (*said.values(), Said("register", record))


def _waits_for(incident: Incident, record: str) -> bool:
    hold = incident.hold
    return hold is not None and hold.reason in ELSEWHERE and hold.on.casefold() == record.casefold()
