"""One incident's escalation as it runs: which plan it follows, how far it has come, who has been told.

Frozen values and arithmetic on them; `register.topics.escalation` says what moves a run. A run keeps the
steps of the policy as they were when it began; who is in a team or on call is looked up when a step fires.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, Literal, NamedTuple

from register.bond import PageState, Priority, Value


class Paging(StrEnum):
    """The second axis of an incident, beside its state."""

    NONE = ""  # no policy is for it, or it is over
    TRIGGERED = "triggered"  # somebody is to acknowledge it
    ACKNOWLEDGED = "acknowledged"
    EXHAUSTED = "exhausted"  # every step was taken and nobody acknowledged it
    SUPPRESSED = "suppressed"  # it waits: for the end of a maintenance, a silence, or of flapping


class Place(NamedTuple):
    """Where in its plan a run is: 0 is the first loop, the first step, the first time it fires."""

    loop: int = 0
    step: int = 0
    reminder: int = 0


FIRST: Final = Place()


Because = Literal["step", "reminder", "passed", "ack_timeout", "awaited"]
"""Why a step tells somebody: their turn; once more; passed to them; whoever had it is silent; each is to."""
Began = Literal["opened", "reopened", "moved", "by_hand"]
"""Why a run began: with its incident, anew with it, with another team or policy, on a person's word."""
HeldBy = Literal["", "flapping", "maintenance", "silence"]
"""What a run waits for."""


class PlanStep(Value, frozen=True):
    """targets: as in a policy, with the id of the side table behind `person:`. wait: seconds."""

    targets: tuple[str, ...]
    wait: int
    remind: int = 0
    all_ack: bool = False


class Plan(Value, frozen=True):
    """A policy as it was when a run began. version: of the adopted matrix. ack_timeout: seconds, by `P1`…"""

    policy: str
    version: int
    team: str
    steps: tuple[PlanStep, ...]
    repeat: int = 0
    ack_timeout: Mapping[str, int] = {}

    def after(self, place: Place) -> Place | None:
        """The place that fires after this one; None behind the last one of the last loop."""
        if place.reminder < self.at(place).remind:
            return place._replace(reminder=place.reminder + 1)
        return self.beyond(place)

    def beyond(self, place: Place) -> Place | None:
        """The next step, whatever reminders are left of this one."""
        if place.step + 1 < len(self.steps):
            return Place(place.loop, place.step + 1)
        return Place(place.loop + 1) if place.loop < self.repeat else None

    def wait(self, place: Place) -> timedelta:
        return timedelta(seconds=self.at(place).wait)

    def at(self, place: Place) -> PlanStep:
        """The step at a place; the last one, where a changed policy has fewer."""
        return self.steps[min(place.step, len(self.steps) - 1)]

    def ack_until(self, priority: Priority, at: datetime) -> datetime | None:
        """When an incident that is acknowledged now asks again; None: never."""
        seconds = self.ack_timeout.get(str(priority))
        return None if seconds is None else at + timedelta(seconds=seconds)


class Told(Value, frozen=True):
    """Who was told, and how far their page has come. by: the channel that took it, or why none did."""

    person: str
    state: PageState | None = None  # None: nobody is paged here
    by: str = ""


class Run(Value, frozen=True):
    """place: what fires at `next_at`; None behind the last step. fired: what fired last, fired_cycle: in
    which cycle.

    cycle: grows whenever somebody acknowledges, or does not stand by it any more: a page of an older one
    does nothing. level: how many of those with authority were told. awaits: whose own word is waited for.
    asks: who is told with the next firing beside its targets; with `alone`, instead of them.
    held: why it is suppressed. failed: nobody of the last firing can be reached at all.
    """

    id: str
    plan: Plan
    began: datetime
    why: Began
    state: Paging = Paging.TRIGGERED
    place: Place | None = FIRST
    fired: Place | None = None
    fired_at: datetime | None = None
    fired_cycle: int = 0
    next_at: datetime | None
    cycle: int = 0
    level: int = 0
    word_at: datetime | None = None  # when a person last did something that this goes by
    acked_by: str | None = None
    acked_at: datetime | None = None
    ack_until: datetime | None = None
    awaits: tuple[str, ...] = ()
    asks: tuple[str, ...] = ()
    alone: bool = False
    told: tuple[Told, ...] = ()
    held: HeldBy = ""

    @property
    def due_at(self) -> datetime | None:
        """When something of it falls due by itself."""
        times = [at for at in (self.next_at, self.ack_until) if at is not None]
        return min(times, default=None)

    @property
    def reached(self) -> int:
        """How many steps it has come, of `len(plan.steps)`; 0 before the first."""
        return 0 if self.fired is None else self.fired.step + 1
