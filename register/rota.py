"""Rotas as matrix.toml writes them: `[rotas.NAME]`, who is on call when, and that made ready for asking.

People are keys of [people] here. Instants are whole seconds since 1970.
"""

from __future__ import annotations

from datetime import date, datetime
from functools import cached_property
from typing import Annotated, Any, Final, Self
from zoneinfo import ZoneInfo

from pydantic import BaseModel, BeforeValidator, Field, PlainSerializer, model_validator

from register.calendars import Calendar, HolidaysOf, Hours, OpeningTimes
from register.feed_address import FeedText
from register.rotation import Rotation, Unit
from register.text import Name, Slug
from register.zone import Zone

_WHOLE_WEEK: Final = ("Mon-Sun 00:00-24:00",)
_AS: Final = "write a time of the rota's zone, as 2026-11-02 09:00"


def _start(given: Any) -> Any:
    """TOML has local date-times of its own; text says the same."""
    if isinstance(given, str):
        try:
            given = datetime.fromisoformat(given.strip())
        except ValueError:
            raise ValueError(f"is no time: {_AS}") from None
    if isinstance(given, date) and not isinstance(given, datetime):
        given = datetime(given.year, given.month, given.day)  # noqa: DTZ001 - a wall time
    if not isinstance(given, datetime):
        raise ValueError(f"is no time: {_AS}")  # noqa: TRY004 - pydantic's
    if given.tzinfo is not None:
        raise ValueError(f"has a zone of its own, and the rota's holds: {_AS}")
    if not 1970 <= given.year < 9999:
        raise ValueError(f"is a year that no rota has: {_AS}")
    return given.replace(second=0, microsecond=0, fold=0)


def _once(names: tuple[str, ...]) -> tuple[str, ...]:
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ValueError(f"says {twice} twice: without `rotate` once is enough")
    return names


def _listed(given: Any) -> Any:
    return (given,) if isinstance(given, str) else given


Start = Annotated[
    datetime,
    BeforeValidator(_start),
    PlainSerializer(lambda at: at.isoformat(" ", "minutes"), return_type=str),
]


class ShiftRule(BaseModel, frozen=True, extra="forbid"):
    """`[[rotas.NAME.shifts]]`: who, and when.

    With `rotate` one of `people` after the other, from `start` on; without it all of them at once, the first
    one first. Somebody may have two turns of a rotation.
    """

    people: Annotated[
        tuple[Slug, ...],
        BeforeValidator(_listed),
        Field(min_length=1, max_length=60, description="who, in their order: of [people]"),
    ]
    rotate: Annotated[Unit | None, Field(description='when it is the next one: "daily", "weekly"')] = None
    every: Annotated[
        int, Field(strict=True, ge=1, le=366, description="of so many hours, days, weeks, months a turn")
    ] = 1
    start: Annotated[Start | None, Field(description="when the first one's first turn begins")] = None
    hours: Annotated[
        OpeningTimes, Field(description="at which times, as Mon-Fri 08:00-17:00; left out: always")
    ] = ()
    holidays: Annotated[
        HolidaysOf | None, Field(description="not on the holidays of this country, as NO or DE/BY")
    ] = None

    @model_validator(mode="after")
    def _turns(self) -> Self:
        if self.rotate is not None and self.start is None:
            raise ValueError(f"rotates, and nobody knows since when: add start, {_AS}")
        if self.rotate is None and (self.start is not None or self.every != 1):
            raise ValueError('has start or every, and no rotate: add rotate = "weekly", or take them out')
        if self.rotate is None:
            _once(self.people)
        return self

    def calendar(self, zone: str) -> Calendar | None:
        """At which times it counts; None: always."""
        if not self.hours and self.holidays is None:
            return None
        return Calendar(zone=zone, hours=self.hours or _WHOLE_WEEK, holidays=self.holidays)


class Rota(BaseModel, frozen=True, extra="forbid"):
    """`[rotas.NAME]`: who is on call. Its shifts come from these rules, or from a calendar feed."""

    about: Annotated[str, Field(max_length=400, description="what it is for")] = ""
    zone: Annotated[Zone, Field(description="of its times, as Europe/Oslo")] = "UTC"
    shifts: Annotated[
        tuple[ShiftRule, ...], Field(max_length=60, description="a [[rotas.NAME.shifts]] for each")
    ] = ()
    feed: Annotated[
        FeedText | None,
        Field(description='instead of shifts: the https:// address of a calendar, or "keyring"'),
    ] = None
    feed_people: Annotated[
        dict[Name, Slug],
        Field(max_length=500, description='whom the calendar means, as { "Ana S." = "ana" }'),
    ] = {}

    @model_validator(mode="after")
    def _of_a_feed(self) -> Self:
        if self.feed is None and self.feed_people:
            raise ValueError("has feed_people and no feed: name the calendar, or take them out")
        return self

    @cached_property
    def ready(self) -> Rules:
        """The rules as they are asked."""
        return Rules(self)

    @property
    def people(self) -> tuple[str, ...]:
        """Everybody whom it names, in their order."""
        said = (key for rule in self.shifts for key in rule.people)
        return tuple(dict.fromkeys((*said, *self.feed_people.values())))


class Rules:
    """The shifts of a rota made ready: nothing is walked from a rotation's start, not through ten years."""

    def __init__(self, rota: Rota) -> None:
        zone = ZoneInfo(rota.zone)
        self._shifts = tuple(_ready(rule, zone, rota.zone) for rule in rota.shifts)

    def who(self, at: int) -> tuple[str, ...]:
        """The keys of who is on call, in the order of the rules. Empty: nobody."""
        found: tuple[str, ...] = ()
        for people, rotation, hours in self._shifts:
            if hours is not None and not hours.is_open(at):
                continue
            if rotation is None:
                found += people
                continue
            turn = rotation.turn(at)
            if turn is not None:
                found += (people[turn % len(people)],)
        return found if len(found) < 2 else tuple(dict.fromkeys(found))

    def edges(self, begin: int, end: int) -> set[int]:
        """Every instant from `begin` on, before `end`, at which `who` may change."""
        found: set[int] = set()
        for _, rotation, hours in self._shifts:
            if rotation is not None:
                found |= rotation.edges(begin, end)
            if hours is not None:
                found |= hours.edges(begin, end)
        return found


_Ready = tuple[tuple[str, ...], Rotation | None, Hours | None]


def _ready(rule: ShiftRule, zone: ZoneInfo, name: str) -> _Ready:
    calendar = rule.calendar(name)
    hours = None if calendar is None else calendar.ready
    if rule.rotate is None or rule.start is None:
        return rule.people, None, hours
    return rule.people, Rotation(zone, rule.rotate, rule.every, rule.start), hours
