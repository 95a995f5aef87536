"""Short ways to say what happened to an incident, and what its clocks make of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from register.calendars import Calendar, seconds_of
from register.clocks.book import DEFAULT_CALENDARS, Book, Timeline
from register.clocks.clock import Clock
from register.clocks.definition import ClockDefinition, Contract
from register.clocks.run import run
from register.clocks.track import Track

HOUR = 3600
MINUTE = 60
NEW = {"state": "New", "priority": "3"}
IN_PROGRESS = {"state": "In Progress", "hold": ""}
RESOLVED = {"state": "Resolved", "hold": ""}
ENGAGED = {"0:bond": "live", "0:ball": "ours"}
TICKET = {"0:ticket": "yes", "0:ball": "theirs"}


def at(text: str) -> int:
    """`2025-12-12 21:00`, UTC where no offset is given."""
    moment = datetime.fromisoformat(text)
    return seconds_of(moment if moment.tzinfo else datetime.fromisoformat(f"{text}+00:00"))


def hold(reason: str = "caller") -> dict[str, str]:
    return {"state": "On Hold", "hold": reason}


def track(*steps: tuple[str | int, Mapping[str, str]]) -> Track:
    return tuple(
        (
            when if isinstance(when, int) else at(when),
            tuple(part for pair in told.items() for part in pair),
        )
        for when, told in steps
    )


def one_clock(within: str = "8h", calendar: str = "office", **more: Any) -> dict[str, ClockDefinition]:
    """A single promise of ours, the same for each priority."""
    targets = more.pop("targets", {f"P{n}": within for n in range(1, 6)})
    known = {"metric": "resolution", "calendar": calendar, "targets": targets}
    return {"it": ClockDefinition.model_validate(known | more)}


def book(
    clocks: Mapping[str, ClockDefinition] | None = None,
    hours: str | tuple[str, ...] = "Mon-Fri 08:00-17:00",
    contracts: Mapping[str, Any] | None = None,
    **calendar: Any,
) -> Book:
    calendars = {**DEFAULT_CALENDARS, "office": Calendar(hours=hours, **calendar)}
    known = {name: Contract.model_validate(one) for name, one in (contracts or {}).items()}
    return Book(calendars, one_clock() if clocks is None else clocks, known)


def clocks(told: Track, what: Book | Timeline, vendors: tuple[str, ...] = ()) -> list[Clock]:
    return run(told, vendors, ((0, what),) if isinstance(what, Book) else what)


def only(told: Track, what: Book | Timeline) -> Clock:
    (clock,) = clocks(told, what)
    return clock


def told_of(found: list[Clock]) -> list[tuple[str, str, str]]:
    return [(clock.name, clock.stage.value, clock.why) for clock in found]
