"""The incident and its value types. Frozen, no I/O.

States, holds and priority are ServiceNow's sample data; a bond is our side of a supplier's ticket.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final, Self

from pydantic import BaseModel

from register.bond import LIVE_BONDS as LIVE_BONDS
from register.bond import Ball as Ball
from register.bond import Bond as Bond
from register.bond import BondState as BondState
from register.bond import CallCard as CallCard
from register.bond import CallWhy as CallWhy
from register.bond import Difference as Difference
from register.bond import FurtherTicket as FurtherTicket
from register.bond import LinkSeen as LinkSeen
from register.bond import OneLine as OneLine
from register.bond import PageState as PageState
from register.bond import Priority as Priority
from register.bond import TicketRef as TicketRef
from register.bond import Value as Value
from register.run import Paging as Paging
from register.run import Run as Run


class State(StrEnum):
    NEW = "New"
    IN_PROGRESS = "In Progress"
    ON_HOLD = "On Hold"
    RESOLVED = "Resolved"
    CLOSED = "Closed"
    CANCELED = "Canceled"


OPEN: Final = frozenset({State.NEW, State.IN_PROGRESS, State.ON_HOLD})

MAY: Final[Mapping[State, frozenset[State]]] = MappingProxyType(
    {
        State.NEW: frozenset({State.IN_PROGRESS, State.ON_HOLD, State.RESOLVED, State.CANCELED}),
        State.IN_PROGRESS: frozenset({State.ON_HOLD, State.RESOLVED, State.CANCELED}),
        State.ON_HOLD: frozenset({State.IN_PROGRESS, State.ON_HOLD, State.RESOLVED, State.CANCELED}),
        State.RESOLVED: frozenset({State.IN_PROGRESS, State.CLOSED}),
        State.CLOSED: frozenset(),
        State.CANCELED: frozenset(),
    }
)
"""From which state to which. Resolved → In Progress is a reopening; On Hold twice changes the reason."""


class HoldReason(StrEnum):
    CALLER = "caller"
    VENDOR = "vendor"
    CHANGE = "change"
    PROBLEM = "problem"


ELSEWHERE: Final = (HoldReason.CHANGE, HoldReason.PROBLEM)
"""Holds that wait for a record that is not kept here."""


class Impact(StrEnum):
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class Urgency(StrEnum):
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


_STEP: Final = MappingProxyType({"high": 0, "medium": 1, "low": 2})
_PRIORITIES: Final = {
    (impact, urgency): Priority(1 + _STEP[impact] + _STEP[urgency])
    for impact in Impact
    for urgency in Urgency
}


def priority_of(impact: Impact, urgency: Urgency) -> Priority:
    """Impact × urgency, both three-valued: the sum of the steps down from the worst."""
    return _PRIORITIES[impact, urgency]


class ResolutionCode(StrEnum):
    FIXED = "fixed_permanent"
    WORKAROUND = "workaround"
    BY_ITSELF = "restored_by_itself"
    RECIPE = "recipe"
    SUPPLIER = "supplier_fix"
    TRAINING = "user_training"
    NO_FAULT = "no_fault_found"
    DUPLICATE = "duplicate"


class Cause(StrEnum):
    CHANGE = "change"
    CAPACITY = "capacity"
    HARDWARE = "hardware"
    SOFTWARE = "software"
    SUPPLIER = "supplier"
    HUMAN = "human"
    UNKNOWN = "unknown"


class Visibility(StrEnum):
    """Who may see a record: everyone on the register, or only those it names."""

    EVERYONE = "everyone"
    RESTRICTED = "restricted"


class Label(StrEnum):
    """Where a piece of text may go. Only `shareable` text can ever leave for a supplier."""

    INTERNAL = "internal"
    SHAREABLE = "shareable"
    CONFIDENTIAL = "confidential"


class Severity(StrEnum):
    """How bad a monitoring source says that it is (the words of the Common Event Format)."""

    CRITICAL = "critical"
    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


class Alert(Value, frozen=True):
    """What monitoring says of an incident that it opened. Times are ours but `started`.

    firing: whether the source says so still, whatever the incident's state is.
    count: how often it was said, as far as events tell; between two of them the alert's row knows of more.
    started: when it began by the source's clock; by ours where the source's word cannot be.
    oks: how often in a row the source said that it is over.
    passed_to: the incident that has the key since then, while this one was not open.
    leader: the incident with which this one's correlation window began, perhaps itself.
    recurrence_of: the incident that had the same alert before.
    """

    id: str  # the command that first told of it
    source: str
    service: str  # as the source says it; without regard to capitals it makes the key unique
    key: str
    category: str
    severity: Severity
    firing: bool = True
    count: int = 1
    first_seen: datetime
    last_seen: datetime
    started: datetime
    oks: int = 0
    passed_to: str | None = None
    leader: str
    recurrence_of: str | None = None


class Hold(BaseModel, frozen=True):
    """Why an incident waits, on which record, and what wakes it."""

    reason: HoldReason
    on: str
    until: datetime | None = None


class Silence(Value, frozen=True):
    """Nobody is paged for the incident until then. by: who said so."""

    until: datetime
    why: str
    by: str


Track = tuple[tuple[int, tuple[str, ...]], ...]
"""What clocks look at, and since when; see `register.clocks.track`."""


class Incident(Value, frozen=True):
    """The fold of one incident's events. Times are aware and UTC; people are ids of the side table."""

    number: str
    title: str
    state: State = State.NEW
    hold: Hold | None = None
    impact: Impact
    urgency: Urgency
    service: str = ""
    category: str = ""
    owner: str | None = None
    team: str = ""
    team_by_hand: bool = False  # a person passed it there: no correction moves it
    caller: str | None = None
    reporter: str
    watchers: tuple[str, ...] = ()
    visibility: Visibility = Visibility.EVERYONE
    allowed: tuple[str, ...] = ()  # who is named to see it while it is restricted
    legal_hold: bool = False  # nothing of it may be redacted
    left_in: tuple[str, ...] = ()  # who was erased while it was under legal hold: it quotes them still
    retired: bool = False  # its texts and people went by a rule of retention
    opened_at: datetime
    updated_at: datetime
    acknowledged_at: datetime | None = None
    acknowledged_by: str | None = None
    resolved_at: datetime | None = None
    closed_at: datetime | None = None
    resolution: ResolutionCode | None = None
    cause: Cause | None = None
    closes_at: datetime | None = None  # when it closes by itself, while it is resolved
    resolved_with: str | None = None  # the parent whose resolution resolved it
    first_contact: bool = False  # the first line resolved it, alone and for good so far
    reopened: int = 0
    last_reopened_at: datetime | None = None
    last_reopened_by: str | None = None
    reassigned: int = 0
    word: str = ""  # who spoke last, the caller or us: "caller", "us"
    word_at: datetime | None = None
    parent: str | None = None
    children: tuple[str, ...] = ()
    duplicate_of: str | None = None
    follows: str | None = None  # the one that was over for good, and of which this one goes on
    problems: tuple[str, ...] = ()  # numbers of records elsewhere
    changes: tuple[str, ...] = ()
    bonds: tuple[Bond, ...] = ()
    alert: Alert | None = None  # where monitoring opened it
    related: tuple[str, ...] = ()  # incidents that belong together: as people say, and alerts, the first ones
    silence: Silence | None = None  # while it is open
    run: Run | None = None  # its escalation, where a policy is for it
    track: Track = ()  # what clocks are counted from: written by the fold alone

    @property
    def priority(self) -> Priority:
        return priority_of(self.impact, self.urgency)

    @property
    def is_open(self) -> bool:
        return self.state in OPEN

    @property
    def wakes_at(self) -> datetime | None:
        """When something happens to it by itself: its own time, a step, a silence's end, a supplier's."""
        own = (self.turns_at, self.pages_at, None if self.silence is None else self.silence.until)
        times = [at for at in (*own, *(bond.wakes_at for bond in self.bonds)) if at is not None]
        return min(times, default=None)

    @property
    def turns_at(self) -> datetime | None:
        """When its own time comes: a hold looks again, a resolved one closes."""
        if self.state is State.ON_HOLD and self.hold is not None:
            return self.hold.until
        return self.closes_at if self.state is State.RESOLVED else None

    @property
    def paging(self) -> Paging:
        """How its escalation stands."""
        return Paging.NONE if self.run is None or not self.is_open else self.run.state

    @property
    def pages_at(self) -> datetime | None:
        """When the next step of its escalation falls due, or an acknowledgement runs out."""
        return None if self.run is None or not self.is_open else self.run.due_at

    @property
    def firing(self) -> bool:
        """Whether monitoring says that what opened this is still so."""
        return self.alert is not None and self.alert.firing

    @property
    def holds_key(self) -> bool:
        """Whether its alert's key is taken by it: until it is over for good, or another one has it."""
        over = self.state in (State.CLOSED, State.CANCELED)
        return self.alert is not None and self.alert.passed_to is None and not over

    def live_bonds(self, vendor: str | None = None) -> tuple[Bond, ...]:
        """Bonds that are not ended; with one vendor, or with all."""
        return tuple(b for b in self.bonds if b.state in LIVE_BONDS and vendor in (None, b.vendor))

    def bond(self, bond_id: str) -> Bond | None:
        return next((b for b in self.bonds if b.id == bond_id), None)

    def with_bond(self, bond: Bond) -> Self:
        """This incident with `bond` put in the place of the one of the same id, or added."""
        if self.bond(bond.id) is None:
            return self.but(bonds=(*self.bonds, bond))
        return self.but(bonds=tuple(bond if b.id == bond.id else b for b in self.bonds))
