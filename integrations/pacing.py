"""How often a supplier is asked for news: a table from how things stand with it to a wait.

Pure. Fast while something goes on there, slow at rest and at night, so that requests follow what happens.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from register.calendars import seconds_of
from register.policy import Matrix

HOT_FOR: Final = timedelta(minutes=5)
WARM_FOR: Final = timedelta(hours=1)
RINGING_FOR: Final = timedelta(hours=1)
"""How long after the last webhook polling may rely on the next one."""
LONGEST: Final = timedelta(minutes=15)
"""The longest wait between two polls, unless vendors.toml itself asks for a longer one."""
LONGEST_IN_TROUBLE: Final = timedelta(minutes=5)


class Why(StrEnum):
    """Why a supplier is asked as often as it is; the words that people read."""

    HOT = "busy"  # something was sent or heard within five minutes
    URGENT = "urgent"  # a P1 or P2 is open with them
    WARM = "quiet"  # the last word is less than an hour old
    NIGHT = "night"  # outside of their hours; of ours where their contract names none
    IDLE = "idle"  # nothing is open with them
    REST = "at rest"
    RINGS = "webhooks"  # they tell of news themselves: only a net is needed
    TROUBLE = "in trouble"  # it was asked, and did not answer


@dataclass(frozen=True, slots=True)
class Scene:
    """How things stand with one supplier.

    failures: polls in a row that came to nothing; rings: webhooks came lately, and none was missed.
    """

    active_at: datetime | None = None
    urgent: bool = False
    open_bonds: bool = True
    working: bool = True
    failures: int = 0
    rings: bool = False

    def quiet_for(self, now: datetime) -> timedelta:
        return timedelta.max if self.active_at is None else now - self.active_at


@dataclass(frozen=True, slots=True)
class Pace:
    """The wait between two polls, and why."""

    every: timedelta
    why: Why


_TABLE: Final[tuple[tuple[Why, Callable[[Scene, datetime], bool], int], ...]] = (
    (Why.HOT, lambda scene, now: scene.quiet_for(now) < HOT_FOR, 1),
    (Why.URGENT, lambda scene, now: scene.urgent, 2),
    (Why.WARM, lambda scene, now: scene.quiet_for(now) < WARM_FOR, 4),
    (Why.IDLE, lambda scene, now: not scene.open_bonds, 40),
    (Why.NIGHT, lambda scene, now: not scene.working, 40),
    (Why.REST, lambda scene, now: True, 8),
)
"""The first that is so decides: how many times `poll_seconds` the wait is."""
_BEHIND_WEBHOOKS: Final[tuple[tuple[Why, Callable[[Scene, datetime], bool], int], ...]] = (
    (Why.URGENT, lambda scene, now: scene.urgent, 2),
    (Why.IDLE, lambda scene, now: not scene.open_bonds, 40),
    (Why.NIGHT, lambda scene, now: not scene.working, 40),
    (Why.RINGS, lambda scene, now: True, 8),
)
"""The same while webhooks are seen to arrive. One may be lost: no P1 or P2 waits for that."""


def pace_of(scene: Scene, fastest: timedelta, now: datetime) -> Pace:
    """Return how often to ask. fastest: the supplier's `poll_seconds`."""
    table = _BEHIND_WEBHOOKS if scene.rings else _TABLE
    why, times = next((why, times) for why, is_so, times in table if is_so(scene, now))
    every = max(fastest, min(fastest * times, LONGEST))
    if not scene.failures:
        return Pace(every, why)
    backing_off = min(fastest * 2 ** min(scene.failures, 10), LONGEST_IN_TROUBLE)
    return Pace(max(every, backing_off), Why.TROUBLE)


def is_working(matrix: Matrix, vendor: str, now: datetime) -> bool:
    """Whether it is a supplier's working time: its contract's; without one, that of any team of ours."""
    contract = matrix.contracts.get(vendor)
    names = {team.hours for team in matrix.teams.values()} if contract is None else {contract.calendar}
    known = [hours for name in names if (hours := matrix.book.hours(name)) is not None]
    return not known or any(hours.is_open(seconds_of(now)) for hours in known)
