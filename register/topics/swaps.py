"""Swaps: somebody asks another to take a shift of theirs. Until that very one accepts, nothing changes.

An accepted swap is an override like any other: it replaces.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Annotated, Any, ClassVar, Final

from pydantic import AwareDatetime, Field

from register.core import (
    Decision,
    Event,
    NotFound,
    PersonId,
    Refused,
    Said,
    World,
    decide,
    refuse_unless,
    remarks,
)
from register.duty import STREAM, Duty, Swap, arranged
from register.incident import Incident
from register.text import Text
from register.topics.on_call import OverrideMade, arranged_as, numbered, trimmed
from register.topics.on_duty import (
    ArrangementId,
    OnCallCommand,
    RotaName,
    SaidPerson,
    between,
    called,
    may_arrange_for_others,
    next_id,
    person_of,
    refuse_others,
    refuse_twice,
    rota_of,
    span_of,
)

_AHEAD: Final = timedelta(days=100)
"""So far ahead somebody's next shift is looked for."""


class AskSwap(OnCallCommand):
    """Ask somebody to take a shift of yours: nothing changes until they accept."""

    verb: ClassVar[str] = "oncall-swap"

    rota: RotaName
    person: Annotated[SaidPerson, Field(description="who is asked: key, login or name")]
    why: Annotated[Text, Field(description="what they should know")] = ""
    from_: Annotated[
        AwareDatetime | None, Field(description="from when; left out: the shift that is on, or your next")
    ] = None
    until: Annotated[AwareDatetime | None, Field(description="until when; left out: to that shift's end")] = (
        None
    )
    of: Annotated[
        SaidPerson | None, Field(description="whose shift it is, if not yours: a coordinator may ask")
    ] = None


class AcceptSwap(OnCallCommand):
    """Take the shift that you were asked to take: you stand in from then on."""

    verb: ClassVar[str] = "oncall-accept"

    id: ArrangementId


class DeclineSwap(OnCallCommand):
    """Say that you will not take the shift that you were asked to take."""

    verb: ClassVar[str] = "oncall-decline"

    id: ArrangementId
    why: Annotated[Text, Field(description="why not, or who might")] = ""


class SwapAsked(Event):
    """person: whose shift it is. to: who is asked to take it."""

    kind: ClassVar[str] = "swap_asked"

    id: str
    rota: str
    begin: datetime
    end: datetime
    person: PersonId
    to: PersonId
    by: PersonId
    why: str


class SwapAccepted(Event):
    """Whoever was asked takes it: an override says so from now on."""

    kind: ClassVar[str] = "swap_accepted"

    id: str


class SwapDeclined(Event):
    kind: ClassVar[str] = "swap_declined"

    id: str
    why: str


# Rules


@decide.register
def _(command: AskSwap, incident: Any, world: World) -> Decision:
    return (Said(STREAM, _asked(command, world)),)


def _asked(command: AskSwap, world: World) -> SwapAsked:
    rota_of(command.rota, world)
    person = person_of(command.of or "me", world, "of")
    if person != world.actor and not may_arrange_for_others(world):
        refuse_others("You may ask for shifts of your own; for others' it takes the role coordinator.")
    to = person_of(command.person, world, "person")
    refuse_unless(to != person, "Nobody swaps with themselves: ask another. Nothing was done.", "person")
    begin, end = _shift(command, person, world)
    refuse_twice(command.rota, begin, end, (person, to), world)
    for one in world.roster.duty.swaps:
        refuse_unless(
            one.rota != command.rota or one.person != person or one.end <= begin or end <= one.begin,
            f"{one.id} asks {called(one.to, world)} for that time already. Nothing was done: wait for their"
            f" answer, or take it back with `muster oncall end {one.id}`.",
        )
    return SwapAsked(
        id=next_id("S", world.roster.duty),
        rota=command.rota,
        begin=begin,
        end=end,
        person=person,
        to=to,
        by=world.actor,
        why=command.why,
    )


def _shift(command: AskSwap, person: PersonId, world: World) -> tuple[datetime, datetime]:
    """Return what is asked for: a span in which the person is on call, or their first shift in it."""
    name = called(person, world)
    first = command.from_ or world.now
    until = command.until or (first + _AHEAD)
    begin, end = span_of(first, until, world)
    mine = [shift for shift in world.roster.shifts(command.rota, begin, end) if shift.person == person]
    if not mine:
        raise Refused(
            f"{name} is not on call by {command.rota} {'then' if command.until else 'in the next 100 days'}:"
            " there is nothing to take. Nothing was done; `muster oncall` shows who is.",
            "from_",
        )
    return (begin, end) if command.until is not None else (mine[0].begin, mine[0].end)


def _swap(number: str, world: World) -> Swap:
    """Return the swap of which the actor is asked; nobody answers for another."""
    found = arranged_as(number, world)
    if not isinstance(found, Swap):
        raise NotFound(f"{found.id} is no swap: there is nothing to answer. Nothing was done.", "id")
    if found.to != world.actor:
        raise Refused(
            f"{found.id} asks {called(found.to, world)}, and only they can answer. Nothing was done; whoever"
            f" asked takes it back with `muster oncall end {found.id}`."
        )
    return found


@decide.register
def _(command: AcceptSwap, incident: Any, world: World) -> Decision:
    found = _swap(command.id, world)
    begin = max(found.begin, world.now.replace(microsecond=0))
    refuse_twice(found.rota, begin, found.end, (found.person, found.to), world)
    rota_of(found.rota, world)
    made = OverrideMade(
        id=next_id("O", world.roster.duty),
        rota=found.rota,
        begin=begin,
        end=found.end,
        add=found.to,
        remove=found.person,
        by=found.person,
        why=found.why or "a swap",
        swap=found.id,
    )
    return Said(STREAM, SwapAccepted(id=found.id)), Said(STREAM, made)


@decide.register
def _(command: DeclineSwap, incident: Any, world: World) -> Decision:
    return (Said(STREAM, SwapDeclined(id=_swap(command.id, world).id, why=command.why)),)


@remarks.register
def _(command: AskSwap, world: World, after: Incident | None) -> tuple[str, ...]:
    asked = _asked(command, world)
    rota = world.policy.matrix.rotas[asked.rota]
    return (
        f"{asked.id}: {called(asked.to, world)} is asked to take {asked.rota}"
        f" {between(asked.begin, asked.end, rota)}. Until they say `muster oncall accept {asked.id}`,"
        f" {called(asked.person, world)} stays on call: tell them.",
    )


@remarks.register
def _(command: AcceptSwap, world: World, after: Incident | None) -> tuple[str, ...]:
    found = _swap(command.id, world)
    rota = world.policy.matrix.rotas[found.rota]
    begin = max(found.begin, world.now)
    return (
        f"You take {found.rota} for {called(found.person, world)} {between(begin, found.end, rota)}, as"
        f" {next_id('O', world.roster.duty)}.",
    )


@remarks.register
def _(command: DeclineSwap, world: World, after: Incident | None) -> tuple[str, ...]:
    found = _swap(command.id, world)
    return (f"{found.id} is declined: {called(found.person, world)} stays on call. Tell them.",)


# How the stream folds


@arranged.register
def _(event: SwapAsked, duty: Duty, at: datetime) -> Duty:
    kept = trimmed(duty, at)
    asked = Swap(event.id, event.rota, event.begin, event.end, event.person, event.to, event.by, event.why)
    return replace(kept, swaps=(*kept.swaps, asked), numbered=numbered(duty, event.id))


def _without(duty: Duty, id_: str) -> Duty:
    return replace(duty, swaps=tuple(one for one in duty.swaps if one.id != id_))


@arranged.register
def _(event: SwapAccepted, duty: Duty, at: datetime) -> Duty:
    return _without(duty, event.id)


@arranged.register
def _(event: SwapDeclined, duty: Duty, at: datetime) -> Duty:
    return _without(duty, event.id)
