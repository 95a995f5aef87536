"""Maintenance: services that are worked on. Incidents and alerts are logged as ever; escalation waits.

A window always has an end, at most a day ahead. What was due in it is done when it is over: by the timer of
the incident, or at once where somebody ends it before its time.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Annotated, Any, ClassVar, Final

from pydantic import BeforeValidator, Field

from register.core import (
    Command,
    Decision,
    Event,
    NotFound,
    PersonId,
    Role,
    Said,
    Several,
    World,
    decide,
    moved,
    refuse_unless,
    remarks,
    says,
)
from register.duty import STREAM, Duty, Window, arranged
from register.holding import MAINTENANCE, goes_on
from register.incident import Incident
from register.length import Period
from register.length import told as length_told
from register.run import Run
from register.text import Words
from register.topics.naming import service_of
from register.topics.sight import Names
from register.topics.steps import OfRun

MOST: Final = timedelta(hours=24)
"""So far ahead nobody may put escalation off."""
OFFERED: Final = (timedelta(hours=1), timedelta(hours=2), timedelta(hours=4))
"""The usual lengths."""
_LENGTHS: Final = f"{', '.join(map(length_told, OFFERED))}; 24h at most"


def _window_id(said: object) -> object:
    if not isinstance(said, str):
        return said
    found = re.fullmatch(r"(?:m-)?([1-9][0-9]{0,8})", said.strip(), re.ASCII | re.IGNORECASE)
    if found is None:
        raise ValueError("is no maintenance: write M-1, as `muster maintenance list` has it")
    return f"M-{found[1]}"


WindowId = Annotated[
    str,
    BeforeValidator(_window_id),
    Field(description="which one: M-1, as `muster maintenance list` has it"),
]


class _OfMaintenance(Command):
    group: ClassVar[str] = "maintenance"
    role: ClassVar[Role] = Role.COORDINATOR
    on_incident: ClassVar[bool] = False


class StartMaintenance(_OfMaintenance):
    """Say that services are worked on: what happens to them is logged, and escalates when it is over."""

    verb: ClassVar[str] = "maintenance-start"

    services: Annotated[Names, Several(), Field(description="the services that are worked on")] = ()
    for_: Annotated[Period, Field(description=f"how long: {_LENGTHS}")]
    why: Annotated[Words, Field(description="what is done; everybody who looks at the board reads it")]
    all: Annotated[bool, Field(description="every service, and what has none")] = False


class EndMaintenance(_OfMaintenance):
    """Say that maintenance is over before its time: what was due meanwhile escalates now."""

    verb: ClassVar[str] = "maintenance-end"

    id: WindowId

    def stirs(self, duty: Duty) -> tuple[str, ...] | None:
        return next((one.services for one in duty.windows if one.id == self.id), None)


class ExtendMaintenance(_OfMaintenance):
    """Say that maintenance takes longer than it was to."""

    verb: ClassVar[str] = "maintenance-extend"

    id: WindowId
    for_: Annotated[Period, Field(description="how much longer; it may end 24h from now at the latest")]


class MaintenanceStarted(Event):
    """Escalation of what happens to these services waits until then. None named: of everything."""

    kind: ClassVar[str] = "maintenance_started"

    id: str
    services: tuple[str, ...]
    until: datetime
    why: str
    by: PersonId


class MaintenanceExtended(Event):
    kind: ClassVar[str] = "maintenance_extended"

    id: str
    until: datetime
    until_before: datetime


class MaintenanceEnded(Event):
    """Somebody ended it before its time; where its time came, nothing is written."""

    kind: ClassVar[str] = "maintenance_ended"

    id: str
    services: tuple[str, ...]
    until_before: datetime


class StepReleased(OfRun):
    """What it waited for is over before its time: what is due is done at `next_at`."""

    kind: ClassVar[str] = "step_released"

    next_at: datetime
    why: str


@moved.register
def _(event: StepReleased, run: Run, before: Incident, after: Incident, at: datetime) -> Run:
    return goes_on(run, event.next_at, after.priority)


# How the stream folds


def _kept(windows: Iterable[Window], at: datetime) -> tuple[Window, ...]:
    """What matters still; and the newest one, that no name is given twice."""
    known = tuple(windows)
    return tuple(one for one in known if one.end > at or one is known[-1])


@arranged.register
def _(event: MaintenanceStarted, duty: Duty, at: datetime) -> Duty:
    new = Window(event.id, event.services, at, event.until, event.by, event.why)
    return replace(duty, windows=_kept((*duty.windows, new), at))


def _ends(duty: Duty, id_: str, end: datetime) -> Duty:
    return replace(
        duty, windows=tuple(replace(one, end=end) if one.id == id_ else one for one in duty.windows)
    )


@arranged.register
def _(event: MaintenanceExtended, duty: Duty, at: datetime) -> Duty:
    return _ends(duty, event.id, event.until)


@arranged.register
def _(event: MaintenanceEnded, duty: Duty, at: datetime) -> Duty:
    return _ends(duty, event.id, at)


# Rules


def in_force(duty: Duty, at: datetime) -> tuple[Window, ...]:
    """The windows of now, those that end first before the others."""
    return tuple(sorted((one for one in duty.windows if one.begin <= at < one.end), key=lambda one: one.end))


def whose(services: Iterable[str]) -> str:
    """What a window is for, in words."""
    return ", ".join(services) or "every service"


@decide.register
def _(command: StartMaintenance, incident: Any, world: World) -> Decision:
    refuse_unless(
        bool(command.services) is not command.all,
        "Say which services are worked on, or --all for every one, and not both. Nothing was done.",
        ask="services",
    )
    refuse_unless(
        command.for_ <= MOST,
        f"{length_told(command.for_)} is more than 24h: nobody puts escalation off for longer at once."
        " Nothing was done; `muster maintenance extend` makes it longer while it lasts.",
        ask="for_",
    )
    known = (service_of(world.policy.matrix, one) for one in command.services)
    services = tuple({one.casefold(): one for one in known}.values())
    wanted = {one.casefold() for one in services}
    for one in in_force(world.roster.duty, world.now):
        refuse_unless(
            {service.casefold() for service in one.services} != wanted,
            f"{whose(one.services)} is in maintenance already: {one.id}, until {one.end:%H:%M} UTC. Nothing"
            f" was done: `muster maintenance extend {one.id}` makes it longer.",
        )
    event = MaintenanceStarted(
        id=_next_id(world.roster.duty),
        services=services,
        until=world.now + command.for_,
        why=command.why,
        by=world.actor,
    )
    return (Said(STREAM, event),)


def _next_id(duty: Duty) -> str:
    last = duty.windows[-1].id if duty.windows else "M-0"
    return f"M-{int(last.removeprefix('M-')) + 1}"


def _window(id_: str, world: World) -> Window:
    there = in_force(world.roster.duty, world.now)
    found = next((one for one in there if one.id == id_), None)
    if found is None:
        known = ", ".join(one.id for one in there)
        raise NotFound(
            f"There is no maintenance {id_} now{f' (there is {known})' if known else ''}. Nothing was done:"
            " `muster maintenance list` shows what is worked on.",
            "id",
        )
    return found


@decide.register
def _(command: EndMaintenance, incident: Any, world: World) -> Decision:
    window = _window(command.id, world)
    ended = MaintenanceEnded(id=window.id, services=window.services, until_before=window.end)
    said = Said(STREAM, ended)
    after = arranged(ended, world.roster.duty, world.now)
    waiting = (one for one in world.incidents.values() if one.is_open and window.covers(one.service))
    return (said, *(release for one in waiting for release in _released(one, after, world.now)))


def _released(incident: Incident, duty: Duty, now: datetime) -> Decision:
    """What the end of a window means for an incident: it goes on, or another window holds it until then."""
    run, due = incident.run, incident.pages_at
    if run is None or due is None or run.held != MAINTENANCE:
        return ()
    until = duty.held_until(incident.service, now) or now
    return says(incident, StepReleased(run=run.id, next_at=until, why=MAINTENANCE)) if until < due else ()


@decide.register
def _(command: ExtendMaintenance, incident: Any, world: World) -> Decision:
    window = _window(command.id, world)
    until, latest = window.end + command.for_, world.now + MOST
    refuse_unless(
        until <= latest,
        f"{window.id} would end {until:%Y-%m-%d %H:%M} UTC, more than 24h from now. Nothing was done: it may"
        f" take {length_told(latest - window.end)} more at most.",
        ask="for_",
    )
    return (Said(STREAM, MaintenanceExtended(id=window.id, until=until, until_before=window.end)),)


@remarks.register
def _(command: StartMaintenance, world: World, after: Incident | None) -> tuple[str, ...]:
    id_, until = _next_id(world.roster.duty), world.now + command.for_
    return (
        f"{id_}: {whose(command.services)} is in maintenance until {until:%Y-%m-%d %H:%M} UTC. What happens"
        " to it is logged as ever; what is still open then escalates then.",
    )


@remarks.register
def _(command: EndMaintenance, world: World, after: Incident | None) -> tuple[str, ...]:
    window = _window(command.id, world)
    return (f"{window.id}: maintenance of {whose(window.services)} is over. What is due escalates now.",)


@remarks.register
def _(command: ExtendMaintenance, world: World, after: Incident | None) -> tuple[str, ...]:
    window = _window(command.id, world)
    until = window.end + command.for_
    return (f"{window.id}: maintenance of {whose(window.services)} lasts until {until:%Y-%m-%d %H:%M} UTC.",)
