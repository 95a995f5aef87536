"""Temporary schedules: for a time nothing but this says who is on call by a rota, its gaps among it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import cycle, pairwise
from typing import Annotated, Any, ClassVar, Final
from zoneinfo import ZoneInfo

from pydantic import AwareDatetime, BaseModel, Field

from register.calendars import moment_of, seconds_of, wall
from register.core import (
    Decision,
    Event,
    PersonId,
    Refused,
    Role,
    Said,
    World,
    decide,
    refuse_unless,
    remarks,
)
from register.duty import STREAM, Duty, Shift, Temporary, arranged
from register.incident import Incident
from register.rota import Rota
from register.rotation import Rotation
from register.text import Text, Words, clip, one_line
from register.topics.on_call import numbered, trimmed
from register.topics.on_duty import (
    From,
    OnCallCommand,
    RotaName,
    between,
    next_id,
    person_of,
    rota_of,
    shown,
    span_of,
)
from register.topics.sight import Names

_MOST: Final = 1_000
"""Shifts of one temporary schedule."""
_ENTRY: Final = re.compile(
    r"(\S+)\s+(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d)\s*(?:\.\.|-|–)\s*(?:(\d{4}-\d\d-\d\d)[ T])?(\d\d:\d\d)",
    re.ASCII,
)
_AS: Final = "ana 2026-12-24 08:00..20:00; ben 2026-12-24 20:00..2026-12-25 08:00"


class Turning(StrEnum):
    HOURLY = "hourly"
    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"


class ScheduleFor(OnCallCommand):
    """Say who is on call for a time, whatever the rota's own rules and its overrides say."""

    verb: ClassVar[str] = "oncall-schedule"
    role: ClassVar[Role] = Role.COORDINATOR

    rota: RotaName
    why: Annotated[Words, Field(description="why; whoever looks at who is on call reads it")]
    people: Annotated[Names, Field(description="who, as ana,ben: all at once, or in turn with --rotate")] = ()
    rotate: Annotated[Turning | None, Field(description="how often it is the next one's turn")] = None
    every: Annotated[int, Field(ge=1, le=366, description="of so many hours, days, … a turn")] = 1
    shifts: Annotated[Text, Field(description=f"or each one's times, by the rota's clocks: {_AS}")] = ""
    from_: From = None
    until: Annotated[AwareDatetime, Field(description="until when")]


class OnDuty(BaseModel, frozen=True):
    begin: datetime
    end: datetime
    person: PersonId


class Scheduled(Event):
    """From `begin` until `end` these shifts say alone who is on call."""

    kind: ClassVar[str] = "duty_scheduled"

    id: str
    rota: str
    begin: datetime
    end: datetime
    shifts: tuple[OnDuty, ...]
    by: PersonId
    why: str


@decide.register
def _(command: ScheduleFor, incident: Any, world: World) -> Decision:
    return (Said(STREAM, _scheduled(command, world)),)


def _scheduled(command: ScheduleFor, world: World) -> Scheduled:
    rota = rota_of(command.rota, world)
    refuse_unless(
        bool(command.people) is not bool(command.shifts.strip()),
        "Say who with --people, or each one's times with --shifts, and not both. Nothing was done.",
        "people",
    )
    refuse_unless(
        command.rotate is None or command.people,
        "--rotate goes with --people: nobody is there to take turns. Nothing was done.",
        "people",
    )
    begin, end = span_of(command.from_, command.until, world)
    for one in world.roster.duty.temporary:
        refuse_unless(
            one.rota != command.rota or one.end <= begin or end <= one.begin,
            f"{one.id} is a temporary schedule of {command.rota} already,"
            f" {between(one.begin, one.end, rota)}. Nothing was done: end it first with `muster oncall end"
            f" {one.id}`, or choose another time.",
        )
    found = _in_turn(command, rota, begin, end, world) if command.people else _listed(command, rota, world)
    shifts = [
        OnDuty(begin=max(begin, one.begin), end=min(end, one.end), person=one.person)
        for one in found
        if one.begin < end and begin < one.end
    ]
    refuse_unless(
        shifts, "None of those shifts lies between these times: nothing was done. Look at them.", "shifts"
    )
    refuse_unless(
        len(shifts) <= _MOST,
        f"That is more than {_MOST} shifts: nothing was done. Take a shorter time, or longer turns.",
        "every",
    )
    return Scheduled(
        id=next_id("T", world.roster.duty),
        rota=command.rota,
        begin=begin,
        end=end,
        shifts=tuple(shifts),
        by=world.actor,
        why=command.why,
    )


def _in_turn(
    command: ScheduleFor, rota: Rota, begin: datetime, end: datetime, world: World
) -> Iterator[Shift]:
    """All at once for the whole time; or in turn, handed over by the clocks of the rota's zone."""
    people = [person_of(said, world, "people") for said in command.people]
    if command.rotate is None:
        yield from (Shift(begin, end, one) for one in dict.fromkeys(people))
        return
    zone = ZoneInfo(rota.zone)
    start = begin.astimezone(zone).replace(tzinfo=None, fold=0)
    turns = Rotation(zone, command.rotate.value, command.every, start)
    edges = sorted(turns.edges(seconds_of(begin) + 1, seconds_of(end)))
    moments = [begin, *map(moment_of, edges), end]
    yield from (Shift(*span, who) for span, who in zip(pairwise(moments), cycle(people), strict=False))


def _listed(command: ScheduleFor, rota: Rota, world: World) -> Iterator[Shift]:
    zone = ZoneInfo(rota.zone)
    for said in filter(str.strip, re.split(r"[;,\n]", command.shifts)):
        found = _ENTRY.fullmatch(said.strip())
        if found is None:
            raise _unread(said)
        try:
            first = datetime.fromisoformat(f"{found[2]} {found[3]}")
            last = datetime.fromisoformat(f"{found[4] or found[2]} {found[5]}")
        except ValueError:
            raise _unread(said) from None
        if found[4] is None and last <= first:
            last += timedelta(days=1)
        begin, end = moment_of(wall(zone, first)), moment_of(wall(zone, last.replace(fold=1)))
        refuse_unless(begin < end, f"{_shown(said)} ends before it begins. Nothing was done.", "shifts")
        yield Shift(begin, end, person_of(found[1], world, "shifts"))


def _unread(said: str) -> Refused:
    return Refused(f"{_shown(said)} is no shift. Nothing was done: write {_AS}.", "shifts")


def _shown(said: str) -> str:
    return repr(clip(one_line(said.strip()), 60))


@remarks.register
def _(command: ScheduleFor, world: World, after: Incident | None) -> tuple[str, ...]:
    made = _scheduled(command, world)
    rota = world.policy.matrix.rotas[made.rota]
    first = f"{made.id}: {made.rota} goes by these {len(made.shifts)} shifts alone,"
    covered = made.begin
    for one in sorted(made.shifts, key=lambda shift: shift.begin):
        if one.begin > covered:
            break
        covered = max(covered, one.end)
    gap = f" Nobody is on call at {shown(covered, rota)}." if covered < made.end else ""
    return (f"{first} {between(made.begin, made.end, rota)}.{gap}",)


@arranged.register
def _(event: Scheduled, duty: Duty, at: datetime) -> Duty:
    kept = trimmed(duty, at)
    shifts = tuple(Shift(one.begin, one.end, one.person) for one in event.shifts)
    made = Temporary(event.id, event.rota, event.begin, event.end, shifts, event.by, event.why)
    return replace(kept, temporary=(*kept.temporary, made), numbered=numbered(duty, event.id))
