"""What one person hands over to another: the offer as it stands, and what there is to know of each incident.

Pure. An offer is folded from the stream `duty`, so that every rule and every board sees it; the words that go
with a line stand on the incident that it is about, and are seen, redacted and erased with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final, NamedTuple

LAPSES: Final = timedelta(days=1)
"""So long after it was made an offer may be accepted."""
KEPT: Final = timedelta(days=2)
"""So long after it was made it is shown what became of it."""


class Offer(StrEnum):
    """How a handover stands."""

    OPEN = "offered"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"
    LAPSED = "lapsed"  # nobody said anything for a day; no event says it


@dataclass(frozen=True, slots=True)
class Handover:
    """One offer. People are ids of the side table.

    mine: numbers of what becomes the incoming person's. others: their team's, which they are only told of.
    rotas: of which the rest of the giver's shift goes along. ended: who answered it. word: what they said.
    left: of one that was accepted: the numbers that stayed where they were.
    """

    id: str
    giver: str
    to: str
    at: datetime
    mine: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    rotas: tuple[str, ...] = ()
    note: str = ""
    state: Offer = Offer.OPEN
    ended: str = ""
    ended_at: datetime | None = None
    word: str = ""
    left: tuple[str, ...] = ()

    @property
    def lapses_at(self) -> datetime:
        return self.at + LAPSES

    @property
    def numbers(self) -> tuple[str, ...]:
        return (*self.mine, *self.others)

    def stands(self, at: datetime) -> Offer:
        """How it stands at a moment: what nobody answered for a day has lapsed."""
        return Offer.LAPSED if self.state is Offer.OPEN and at >= self.lapses_at else self.state

    def is_open(self, at: datetime) -> bool:
        return self.stands(at) is Offer.OPEN


class Asked(NamedTuple):
    """Which incidents a rule about a handover needs: these, and what is open of an owner or of teams."""

    numbers: tuple[str, ...] = ()
    owner: str = ""
    teams: tuple[str, ...] = ()


def remembered(some: Iterable[Handover], at: datetime) -> tuple[Handover, ...]:
    """Those of which it matters still what became of them."""
    return tuple(one for one in some if at < one.at + KEPT)


def open_from(some: Iterable[Handover], giver: str, at: datetime) -> Handover | None:
    """The offer that somebody has made and that nobody has answered."""
    return next((one for one in some if one.giver == giver and one.is_open(at)), None)


def open_to(some: Iterable[Handover], to: str | None, at: datetime) -> tuple[Handover, ...]:
    """What is offered to somebody now, the oldest first."""
    return tuple(one for one in some if one.to == to and one.is_open(at))


# What there is to know of an incident that goes from hand to hand


class Turn(NamedTuple):
    """How it stands with one supplier. promised: until when they gave their word; closes: their ticket."""

    vendor: str
    ball: str  # ours, theirs
    since: datetime
    promised: datetime | None
    closes: datetime | None


@dataclass(frozen=True, slots=True)
class Line:
    """What is true of one incident of a handover. Times are UTC; `next_to` are targets as a policy has them.

    paging: how its escalation stands, empty where none runs. step, of: how far it has come. held: why it is
    silent. until: when that silence, its hold or a maintenance of its service ends.
    word, word_at: who spoke last with its caller, and when.
    """

    number: str
    priority: int
    state: str
    title: str
    owner: str | None
    team: str
    paging: str = ""
    step: int = 0
    of: int = 0
    next_to: tuple[str, ...] = ()
    next_at: datetime | None = None
    turns: tuple[Turn, ...] = ()
    word: str = ""
    word_at: datetime | None = None
    hold: str = ""
    hold_until: datetime | None = None
    held: str = ""
    held_until: datetime | None = None
    maintenance: datetime | None = None


def line_of(incident: Any, duty: Any, at: datetime) -> Line:
    """Return what is true of an incident now.

    incident: a register.incident.Incident. duty: a register.duty.Duty, for maintenance.
    """
    run = incident.run if incident.is_open else None
    hold = incident.hold
    suppressed = run is not None and run.state == "suppressed"
    place = None if run is None or run.next_at is None else run.place
    return Line(
        number=incident.number,
        priority=int(incident.priority),
        state=str(incident.state),
        title=incident.title,
        owner=incident.owner,
        team=incident.team,
        paging=str(incident.paging),
        step=0 if run is None else run.reached,
        of=0 if run is None else len(run.plan.steps),
        next_to=() if run is None or place is None else run.plan.steps[place.step].to,
        next_at=None if run is None else run.due_at,
        turns=tuple(_turns(incident)),
        word=incident.word,
        word_at=incident.word_at,
        hold="" if hold is None else f"{hold.reason} {hold.on}".strip(),
        hold_until=None if hold is None else hold.until,
        held=run.held or "silenced" if run is not None and suppressed else "",
        held_until=run.next_at if run is not None and suppressed else None,
        maintenance=duty.held_until(incident.service, at),
    )


def _turns(incident: Any) -> Iterator[Turn]:
    for bond in incident.live_bonds():
        yield Turn(bond.vendor, str(bond.ball), bond.ball_since, bond.promised_until, bond.closing_at)
