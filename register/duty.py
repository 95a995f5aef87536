"""What people arranged beside matrix.toml: who stands in for whom on call, which services are being worked
on, and what one hands over to another. A plain value, folded from the stream `duty`; topics register their
cases beside their events.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import singledispatch
from typing import Any, Final, NamedTuple

from register.handing import Handover

STREAM: Final = "duty"


class Shift(NamedTuple):
    """Somebody is on call from `begin` until `end`. person: an id of the people's side table."""

    begin: datetime
    end: datetime
    person: str


@dataclass(frozen=True, slots=True)
class Override:
    """Somebody is on call besides (add), is not (remove), or both: stands in (replace).

    A replacement counts only while `remove` would really be on call.
    """

    id: str
    rota: str
    begin: datetime
    end: datetime
    add: str | None
    remove: str | None
    by: str
    why: str


@dataclass(frozen=True, slots=True)
class Temporary:
    """For this time these shifts, and no rule nor override, say who is on call. Gaps in it are gaps."""

    id: str
    rota: str
    begin: datetime
    end: datetime
    shifts: tuple[Shift, ...]
    by: str
    why: str


@dataclass(frozen=True, slots=True)
class Swap:
    """Somebody asks another to take a shift of theirs. Until the other one accepts, it changes nothing.

    person: whose shift it is. to: who is asked.
    """

    id: str
    rota: str
    begin: datetime
    end: datetime
    person: str
    to: str
    by: str
    why: str


@dataclass(frozen=True, slots=True)
class Window:
    """These services are worked on: alerts are logged, escalation waits for the end. None named: all."""

    id: str
    services: tuple[str, ...]
    begin: datetime
    end: datetime
    by: str
    why: str

    def covers(self, service: str) -> bool:
        """Whether this service is worked on by it. Capitals do not matter."""
        return not self.services or service.casefold() in (one.casefold() for one in self.services)


@dataclass(frozen=True, slots=True)
class Duty:
    """All of it, as far as it may matter still.

    feeds: by rota, what its calendar feed said last; feeds_until: how far it was read then.
    numbered: so many overrides, temporary schedules and swaps there have been: no name is given twice.
    """

    overrides: tuple[Override, ...] = ()
    temporary: tuple[Temporary, ...] = ()
    feeds: Mapping[str, tuple[Shift, ...]] = field(default_factory=dict)
    windows: tuple[Window, ...] = ()
    handovers: tuple[Handover, ...] = ()
    feeds_until: Mapping[str, datetime] = field(default_factory=dict)
    swaps: tuple[Swap, ...] = ()
    numbered: int = 0
    ready: dict[str, Any] = field(default_factory=dict, init=False, repr=False, compare=False)
    """By rota: what the roster has made of it so far. Nothing is in it that is not said above."""

    def held_until(self, service: str, at: datetime) -> datetime | None:
        """Until when the escalation of what happens to this service waits; None where nobody works on it."""
        ends = [one.end for one in self.windows if one.covers(service) and one.begin <= at < one.end]
        return max(ends, default=None)


NO_DUTY: Final = Duty()


@singledispatch
def arranged(event: object, duty: Duty, at: datetime) -> Duty:
    """Return what is arranged after an event of the stream; most kinds arrange nothing."""
    return duty
