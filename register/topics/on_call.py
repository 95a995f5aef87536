"""Overrides: somebody is on call besides the others, is not, or stands in for another, for a time.

People are ids in events. Who is erased is taken out of all that is arranged; what is over for long is left
out of the fold, and stays in the record.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Annotated, Any, ClassVar, Final

from pydantic import AwareDatetime, Field

from register.core import Decision, Event, NotFound, PersonId, Said, World, decide, remarks
from register.duty import STREAM, Duty, Override, Swap, Temporary, arranged
from register.incident import Incident
from register.text import Words
from register.topics.on_duty import (
    ArrangementId,
    From,
    OnCallCommand,
    RotaName,
    SaidPerson,
    between,
    called,
    in_words,
    may_arrange_for_others,
    next_id,
    person_of,
    refuse_others,
    refuse_twice,
    rota_of,
    span_of,
)

_KEPT: Final = timedelta(days=100)
"""So long after its end something is still known, for who looks back."""
Arranged = Override | Temporary | Swap


class MakeOverride(OnCallCommand):
    """Put somebody on call for a time, take somebody off, or put one in the other's place."""

    verb: ClassVar[str] = "oncall-override"

    rota: RotaName
    why: Annotated[Words, Field(description="why; whoever looks at who is on call reads it")]
    add: Annotated[SaidPerson | None, Field(description="who is on call then; me for yourself")] = None
    remove: Annotated[
        SaidPerson | None, Field(description="who is not; with --add: whose place that one takes")
    ] = None
    from_: From = None
    until: Annotated[AwareDatetime, Field(description="until when")]


class EndArranged(OnCallCommand):
    """End an override or a temporary schedule before its time, or take back a swap that you asked for."""

    verb: ClassVar[str] = "oncall-end"

    id: ArrangementId


class OverrideMade(Event):
    """For this time somebody is added, taken out, or put in another's place. swap: by which it came."""

    kind: ClassVar[str] = "override_made"

    id: str
    rota: str
    begin: datetime
    end: datetime
    add: PersonId | None
    remove: PersonId | None
    by: PersonId
    why: str
    swap: str = ""


class ArrangementEnded(Event):
    """An override or a temporary schedule ends now, or never begins; a swap is not asked any more."""

    kind: ClassVar[str] = "arrangement_ended"

    id: str
    rota: str
    end: datetime


class LeftDuty(Event):
    """Somebody was erased: nothing that is arranged names them any more."""

    kind: ClassVar[str] = "left_duty"

    person: PersonId


# Rules


@decide.register
def _(command: MakeOverride, incident: Any, world: World) -> Decision:
    return (Said(STREAM, _made(command, world)),)


def _made(command: MakeOverride, world: World) -> OverrideMade:
    rota_of(command.rota, world)
    add = None if command.add is None else person_of(command.add, world, "add")
    remove = None if command.remove is None else person_of(command.remove, world, "remove")
    if add is None and remove is None:
        raise NotFound("Say who is on call (--add), who is not (--remove), or both. Nothing was done.", "add")
    if add == remove:
        raise NotFound("Nobody stands in for themselves: say two people. Nothing was done.", "add")
    mine = add == world.actor or (add is None and remove == world.actor)
    if not mine and not may_arrange_for_others(world):
        refuse_others(
            "You may put yourself on call (--add me) and take yourself off (--remove me); to have somebody"
            f" else in your place, ask them: `muster oncall swap {command.rota} PERSON`. For others it takes"
            " the role coordinator."
        )
    begin, end = span_of(command.from_, command.until, world)
    refuse_twice(command.rota, begin, end, (add, remove), world)
    return OverrideMade(
        id=next_id("O", world.roster.duty),
        rota=command.rota,
        begin=begin,
        end=end,
        add=add,
        remove=remove,
        by=world.actor,
        why=command.why,
    )


def to_come(duty: Duty, at: datetime) -> tuple[Arranged, ...]:
    """What is arranged and not over, the first to begin first."""
    every: tuple[Arranged, ...] = (*duty.overrides, *duty.temporary, *duty.swaps)
    return tuple(sorted((one for one in every if one.end > at), key=lambda one: (one.begin, one.id)))


def arranged_as(number: str, world: World) -> Arranged:
    """Return what has this number and is not over; NotFound tells what there is."""
    there = to_come(world.roster.duty, world.now)
    found = next((one for one in there if one.id.partition("-")[2] == number), None)
    if found is None:
        known = f"There is {', '.join(one.id for one in there)}." if there else "There is none now."
        raise NotFound(
            f"No override, temporary schedule or swap has the number {number}, or it is over. Nothing was"
            f" done. {known}",
            "id",
        )
    return found


@decide.register
def _(command: EndArranged, incident: Any, world: World) -> Decision:
    found = arranged_as(command.id, world)
    if world.actor not in _whose(found) and not may_arrange_for_others(world):
        refuse_others(f"{found.id} is not yours to end: it takes the role coordinator.")
    end = world.now.replace(microsecond=0)
    return (Said(STREAM, ArrangementEnded(id=found.id, rota=found.rota, end=end)),)


def _whose(one: Arranged) -> tuple[PersonId, ...]:
    """Who may end it: whoever made it, and who gets their own shift back by that."""
    if isinstance(one, Override) and one.add is not None and one.remove is not None:
        return (one.by, one.remove)
    return (one.by, one.person) if isinstance(one, Swap) else (one.by,)


@remarks.register
def _(command: MakeOverride, world: World, after: Incident | None) -> tuple[str, ...]:
    return (told(_override(_made(command, world)), world),)


@remarks.register
def _(command: EndArranged, world: World, after: Incident | None) -> tuple[str, ...]:
    found = arranged_as(command.id, world)
    over = "is over" if found.begin <= world.now else "is taken back"
    return (f"{found.id} of {found.rota} {over}. `muster oncall` shows who is on call now.",)


def told(one: Override, world: World) -> str:
    """What was arranged, and whether it will change anything."""
    rota = world.policy.matrix.rotas[one.rota]
    sentence = f"{one.id}: {in_words(one, world)}, {between(one.begin, one.end, rota)}."
    if one.remove is None:
        return sentence
    away = (shift.person for shift in world.roster.shifts(one.rota, one.begin, one.end))
    if one.remove in away:
        return sentence
    return f"{sentence} As things stand {called(one.remove, world)} is not on call then: it changes nothing."


# How the stream folds


def _override(event: OverrideMade) -> Override:
    return Override(
        event.id, event.rota, event.begin, event.end, event.add, event.remove, event.by, event.why
    )


def trimmed(duty: Duty, at: datetime) -> Duty:
    """The same without what has been over for so long that nobody looks back at it."""
    return replace(
        duty,
        overrides=tuple(one for one in duty.overrides if one.end + _KEPT > at),
        temporary=tuple(one for one in duty.temporary if one.end + _KEPT > at),
        swaps=tuple(one for one in duty.swaps if one.end > at),
    )


def numbered(duty: Duty, id_: str) -> int:
    """The count, with this name given."""
    return max(duty.numbered, int(id_.partition("-")[2]))


@arranged.register
def _(event: OverrideMade, duty: Duty, at: datetime) -> Duty:
    kept = trimmed(duty, at)
    overrides = (*kept.overrides, _override(event))
    return replace(kept, overrides=overrides, numbered=numbered(duty, event.id))


@arranged.register
def _(event: ArrangementEnded, duty: Duty, at: datetime) -> Duty:
    return replace(
        duty,
        overrides=tuple(
            replace(one, end=event.end) if one.id == event.id else one
            for one in duty.overrides
            if one.id != event.id or one.begin < event.end
        ),
        temporary=tuple(
            replace(one, end=event.end) if one.id == event.id else one
            for one in duty.temporary
            if one.id != event.id or one.begin < event.end
        ),
        swaps=tuple(one for one in duty.swaps if one.id != event.id),
    )


@arranged.register
def _(event: LeftDuty, duty: Duty, at: datetime) -> Duty:
    who = event.person
    return replace(
        duty,
        overrides=tuple(one for one in duty.overrides if who not in (one.add, one.remove)),
        temporary=tuple(
            replace(one, shifts=tuple(shift for shift in one.shifts if shift.person != who))
            for one in duty.temporary
        ),
        swaps=tuple(one for one in duty.swaps if who not in (one.person, one.to)),
        feeds={
            rota: tuple(shift for shift in shifts if shift.person != who)
            for rota, shifts in duty.feeds.items()
        },
    )


def names_in(duty: Duty, who: PersonId) -> bool:
    """Whether anything that is arranged names somebody."""
    return (
        any(who in (one.add, one.remove) for one in duty.overrides)
        or any(who == shift.person for one in duty.temporary for shift in one.shifts)
        or any(who in (one.person, one.to) for one in duty.swaps)
        or any(who == shift.person for shifts in duty.feeds.values() for shift in shifts)
    )
