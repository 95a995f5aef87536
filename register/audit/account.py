"""What the events of an incident read so far make due, and what was found wrong: the auditor's own books."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final, NamedTuple

from register.bond import Priority
from register.core import Recorded
from register.incident import Urgency, priority_of

OVERDUE: Final = timedelta(minutes=5)
"""What is due and was not done so long afterwards was forgotten."""
Place = tuple[int, int, int]
"""Loop, step, reminder; each from 0."""
FIRST: Final[Place] = (0, 0, 0)


UNPAGED, ASKED, DELIVERED, FAILED, DROPPED = ("unpaged", "asked", "delivered", "failed", "dropped")
"""What came of somebody's page: they have none; nothing yet; it arrived; it cannot; there was no need."""


class Wrong(StrEnum):
    """What can be wrong with an escalation."""

    MISSING = "missing"  # it was due, and nobody did it
    DOUBLE = "double"
    EARLY = "early"
    NEEDLESS = "needless"  # somebody had it, or it was over
    NOBODY = "nobody"  # it tells no one
    UNSENT = "unsent"  # a page of which nothing came
    UNSAID = "unsaid"  # it came late, and its event does not say so
    OVERTAKEN = "overtaken"  # a person was first, long after it was due: worth knowing, and no fault


class Fault(NamedTuple):
    """What was found, as a sentence. at: when it was, or should have been."""

    number: str
    seq: int
    at: datetime
    wrong: Wrong
    says: str
    lasts: bool = False  # it is so still

    @property
    def is_grave(self) -> bool:
        return self.wrong is not Wrong.OVERTAKEN


class Stands(StrEnum):
    """How an escalation stands, as the auditor reckons."""

    NONE = "none"  # it is over, or no run is for it
    ASKS = "asks"
    HAS = "has"  # somebody has it
    EXHAUSTED = "exhausted"


class Page(NamedTuple):
    """A page, as the event that asks for it or its row has it."""

    person: str
    run: str
    cycle: int
    because: str
    place: Place


@dataclass(slots=True)
class Account:
    """One incident's. expects: the places that may fire yet, the next one first."""

    number: str
    impact: Any = None
    urgency: Any = None
    on_hold: bool = False
    had_by: str | None = None  # who has it, or had it last since it asked anew
    stands: Stands = Stands.NONE
    run: str = ""
    plan: Any = None
    due: datetime | None = None
    again_at: datetime | None = None  # an acknowledgement runs out
    had_at: datetime | None = None
    expects: tuple[Place, ...] = ()
    last: Place | None = None
    last_cycle: int = 0
    alone: bool = False  # who is asked next is one person to whom it was passed
    awaits: frozenset[str] = frozenset()
    cycle: int = 0
    fired: set[tuple[int, Place, str]] = field(default_factory=set)
    held: str = ""  # what is due waits for this
    pages: dict[str, str] = field(default_factory=dict)  # who was told last: what came of their page
    asked: list[tuple[Recorded, Page]] = field(default_factory=list)
    heard_of: set[tuple[str, str]] = field(default_factory=set)  # (person, run) whose page came to something
    doing: str = ""  # the command that did last what was due; more of it is no second time
    behind: timedelta = timedelta()  # by so much it was late
    skipping: str = ""  # the command that skipped a step
    faults: list[Fault] = field(default_factory=list)

    @property
    def is_low(self) -> bool:
        return bool(self.urgency == Urgency.LOW)

    @property
    def priority(self) -> Priority:
        return priority_of(self.impact, self.urgency)

    @property
    def next_at(self) -> datetime | None:
        """When something of it is due."""
        return min((at for at in (self.due, self.again_at) if at is not None), default=None)

    @property
    def next_words(self) -> str:
        """What is due then."""
        if self.stands is Stands.HAS:
            return "asking again whoever acknowledged it"
        if self.stands is Stands.EXHAUSTED:
            return "telling the next one with authority"
        return step_words(self.expects[0]) if self.expects else "the end of its steps"

    def wrong(self, one: Recorded, wrong: Wrong, says: str) -> None:
        self.faults.append(Fault(self.number, one.seq, one.at, wrong, f"{self.number}: {says}"))

    def wait(self, place: Place) -> timedelta:
        steps = self.plan.steps  # a changed policy may have fewer than were taken
        return timedelta(seconds=steps[min(place[1], len(steps) - 1)].wait)

    def until(self, at: datetime) -> datetime | None:
        """When an acknowledgement of that moment runs out, by the priority of now."""
        seconds = self.plan.ack_timeout.get(str(self.priority))
        return None if seconds is None else at + timedelta(seconds=seconds)

    def expect_from(self, place: Place) -> None:
        self.expects = tuple(one for one in places_of(self.plan) if one >= place)

    def takes_back(self) -> None:
        """What fired last fires once more: no page of it has reached anybody, or will."""
        if self.last is not None and set(self.pages.values()) - {UNPAGED} and not self.reached:
            self.fired -= {key for key in self.fired if key[:2] == (self.cycle, self.last)}
            self.expect_from(self.last)

    @property
    def reached(self) -> bool:
        """Whether a page of the last firing has been through its channels: it arrived, or it cannot."""
        return bool({DELIVERED, FAILED} & set(self.pages.values()))

    def told(self, people: Iterable[str], *, paged: bool) -> None:
        self.pages |= dict.fromkeys(people, ASKED if paged else UNPAGED)

    def is_of_last(self, event: Any) -> bool:
        """Whether a page was asked for by what fired last: the end of an older one says nothing of that."""
        if event.run != self.run:
            return False
        place = None if event.place is None else tuple(event.place)
        return place is None or (event.cycle, place) == (self.last_cycle, self.last)

    def page(self, event: Any, state: str) -> None:
        """Something came of a page."""
        self.heard_of.add((event.person, event.run))
        if self.is_of_last(event) and event.person in self.pages:
            self.pages[event.person] = state

    def ends(self) -> None:
        """Nothing of it is due any more."""
        self.stands, self.due, self.again_at = Stands.NONE, None, None


def places_of(plan: Any) -> tuple[Place, ...]:
    """Return every place of a plan in the order in which they fire. plan: a register.run.Plan."""
    return tuple(
        (loop, at, reminder)
        for loop in range(plan.repeat + 1)
        for at, step in enumerate(plan.steps)
        for reminder in range(step.remind + 1)
    )


def step_words(place: Place) -> str:
    """Return `step 2`, `step 2 of round 3`, `reminder 1 of step 2`."""
    loop, step, reminder = place
    what = f"reminder {reminder} of step {step + 1}" if reminder else f"step {step + 1}"
    return f"{what} of round {loop + 1}" if loop else what


def clock_words(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"


def length_words(span: timedelta) -> str:
    return f"{int(span.total_seconds() // 60):,} min"
