"""What a calendar says → who is on call from when until when. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, NamedTuple

from register.feed_people import Event, Whose, level
from register.plain import clip

MOST_SHIFTS: Final = 1_000
"""Of one rota within the weeks that are looked at: a change of hands each hour and a half."""
_MOST_TOLD: Final = 5


class Turn(NamedTuple):
    """Somebody's, by their key in [people]."""

    begin: datetime
    end: datetime
    person: str


class Said(NamedTuple):
    """An event of a calendar within the span that is looked at."""

    begin: datetime
    end: datetime
    event: Event


@dataclass(slots=True)
class Found:
    """turns: in order, none touching another of the same person. strangers: whom nobody knows, from when."""

    turns: tuple[Turn, ...] = ()
    strangers: dict[str, datetime] = field(default_factory=dict)

    def of_strangers(self) -> str:
        """Who is not known, as part of a sentence; empty where all are."""
        told = [f"{clip(said, 60)} (from {at:%Y-%m-%d %H:%M} UTC)" for said, at in self.strangers.items()]
        more = len(told) - _MOST_TOLD
        return "; ".join(told[:_MOST_TOLD]) + (f"; and {more} more" if more > 0 else "")


def turns_of(said: Iterable[Said], whose: Whose) -> Found:
    """Return whose shifts these are. Where levels differ, as [L2] and [L1], only the highest counts."""
    found, by_level = Found(), dict[int, list[Turn]]()
    for begin, end, event in sorted(said, key=lambda one: one[:2]):
        keys = whose.people(event)
        if not keys:
            name = event.summary or ", ".join(event.attendees) or "an event without a title"
            found.strangers.setdefault(name, begin)
        by_level.setdefault(level(event.summary), []).extend(Turn(begin, end, key) for key in keys)
    counted: list[Turn] = []
    for depth in sorted(by_level, reverse=True):
        over = _covered(counted)
        counted += [part for turn in by_level[depth] for part in _beside(turn, over)]
    found.turns = merged(counted)
    return found


def merged(turns: Iterable[Turn]) -> tuple[Turn, ...]:
    """Return the same shifts in order; what one person has without a break is one."""
    last: dict[str, Turn] = {}
    done: list[Turn] = []
    for turn in sorted(turns):
        before = last.get(turn.person)
        if before is not None and turn.begin <= before.end:
            last[turn.person] = before._replace(end=max(before.end, turn.end))
            continue
        if before is not None:
            done.append(before)
        last[turn.person] = turn
    return tuple(sorted([*done, *last.values()]))


def within(turns: Iterable[Turn], begin: datetime, end: datetime) -> tuple[Turn, ...]:
    """Return what of these lies between two moments."""
    cut = (Turn(max(one.begin, begin), min(one.end, end), one.person) for one in turns)
    return tuple(one for one in cut if one.begin < one.end)


def _covered(turns: Iterable[Turn]) -> list[tuple[datetime, datetime]]:
    """The spans in which anybody is on call, in order."""
    spans: list[tuple[datetime, datetime]] = []
    for begin, end, _ in sorted(turns):
        if spans and begin <= spans[-1][1]:
            spans[-1] = spans[-1][0], max(spans[-1][1], end)
        else:
            spans.append((begin, end))
    return spans


def _beside(turn: Turn, over: Sequence[tuple[datetime, datetime]]) -> list[Turn]:
    """What is left of a shift beside these spans."""
    parts, begin = [], turn.begin
    for first, last in over:
        if last <= begin or first >= turn.end:
            continue
        if first > begin:
            parts.append(turn._replace(begin=begin, end=first))
        begin = max(begin, last)
    if begin < turn.end:
        parts.append(turn._replace(begin=begin))
    return parts
