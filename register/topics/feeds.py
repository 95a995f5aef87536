"""What a rota's calendar feed says, as the worker reads it: on record where it says something new.

The last that was read holds until the next that can be: a calendar that is away changes nothing.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Annotated, Any, ClassVar, Final

from pydantic import BaseModel, Field

from register.core import Command, Decision, Event, Role, Said, World, decide, utc
from register.duty import STREAM, Duty, Shift, arranged
from register.feed_shifts import MOST_SHIFTS, Turn, within
from register.text import Slug

AHEAD: Final = timedelta(days=60)
"""How far a calendar is read."""
ANEW: Final = timedelta(days=30)
"""Where what is on record reaches no further, the same is put on record again, to its new end."""


class FeedShift(BaseModel, frozen=True):
    """Somebody's, by their key in [people] of matrix.toml."""

    begin: datetime
    end: datetime
    person: str


class HearFeed(Command):
    """What a calendar says from now until `until`, by the worker that has read it."""

    role: ClassVar[Role] = Role.ENGINE
    on_incident: ClassVar[bool] = False

    rota: Slug
    until: datetime
    shifts: Annotated[tuple[FeedShift, ...], Field(max_length=MOST_SHIFTS)]


class FeedHeard(Event):
    """A calendar says something else than before. person of a shift: an id of the side table."""

    kind: ClassVar[str] = "feed_heard"

    rota: str
    until: datetime
    shifts: tuple[Shift, ...]


@decide.register
def _(command: HearFeed, incident: Any, world: World) -> Decision:
    if command.rota not in world.policy.matrix.rotas:  # another policy was adopted meanwhile
        return ()
    ids, until = world.roster.ids, utc(command.until)
    shifts = tuple(
        Shift(utc(one.begin), utc(one.end), ids[one.person]) for one in command.shifts if one.person in ids
    )
    duty = world.roster.duty
    before, reach = duty.feeds.get(command.rota), duty.feeds_until.get(command.rota)
    if before is not None and reach is not None and reach - world.now >= ANEW:
        end = min(reach, until)
        if _cut(before, world.now, end) == _cut(shifts, world.now, end):
            return ()
    return (Said(STREAM, FeedHeard(rota=command.rota, until=until, shifts=shifts)),)


def _cut(shifts: tuple[Shift, ...], begin: datetime, end: datetime) -> tuple[Turn, ...]:
    """What both readings speak of: what is over is left out, and each reaches further than the last."""
    return within((Turn(*one) for one in shifts), begin, end)


@arranged.register
def _(event: FeedHeard, duty: Duty, at: datetime) -> Duty:
    return replace(
        duty,
        feeds={**duty.feeds, event.rota: event.shifts},
        feeds_until={**duty.feeds_until, event.rota: event.until},
    )
