"""Answering a handover: accepting it, saying no, and taking it back.

By accepting, a person has said that they have the giver's incidents; and the rest of the giver's shift on
call is theirs, where the offer says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Annotated, Any, ClassVar, Final

from pydantic import Field

from register.core import (
    Decision,
    NotFound,
    PersonId,
    Role,
    Said,
    World,
    decide,
    refuse_unless,
    remarks,
)
from register.duty import STREAM
from register.handing import Asked, Handover, Offer
from register.incident import Incident, State
from register.roster import Roster
from register.text import Name, Text, Words
from register.topics.family import children_of, each_child, to_be_begun
from register.topics.hold import Resumed
from register.topics.ownership import Acknowledged, Reassigned
from register.topics.shift_handover import (
    HandoverAccepted,
    HandoverDeclined,
    HandoverWithdrawn,
    OfHandover,
    Relief,
    hidden_from,
    shift_end,
)


class _Answer(OfHandover):
    handover: Annotated[
        Name | None, Field(description="which one: its id, as `muster handover list` tells it")
    ] = None


class AcceptHandover(_Answer):
    """Accept what somebody hands over to you: their incidents are yours, and acknowledged by you."""

    verb: ClassVar[str] = "handover-accept"

    def hands_over(self, roster: Roster, actor: PersonId, login: str) -> Asked:
        mine = (one for one in roster.duty.handovers if one.to == actor and one.state is Offer.OPEN)
        return Asked(tuple(number for one in mine for number in one.mine))

    def touches_too(self, incidents: Mapping[str, Incident]) -> tuple[str, ...]:
        return tuple(number for one in incidents.values() for number in children_of(one))


class DeclineHandover(_Answer):
    """Say no to what somebody hands over to you: all stays with them."""

    verb: ClassVar[str] = "handover-decline"

    reason: Annotated[Words, Field(description="why not; the giver reads it")]


class WithdrawHandover(_Answer):
    """Take back what you have offered; a coordinator may take back anybody's."""

    verb: ClassVar[str] = "handover-withdraw"

    reason: Annotated[Text, Field(description="why")] = ""


def _meant(command: _Answer, some: Iterable[Handover], whose: str, now: datetime) -> Handover:
    """The one handover that is meant, as it stands; raises NotFound and Refused."""
    said, known = (command.handover or "").strip().upper(), list(some)
    found = [one for one in known if (one.id.endswith(said) if said else one.is_open(now))]
    if not found and not said:
        found = known[-1:]  # the last one: it says what became of it
    if not found:
        none = f"There is no handover {said}" if said else "There is no handover"
        raise NotFound(f"{none} {whose}. Nothing was done: `muster handover list` shows them.", "handover")
    refuse_unless(
        len(found) == 1,
        f"Several handovers are open {whose}. Nothing was done: say which one with --handover"
        f" ({', '.join(one.id for one in found)}).",
        "handover",
    )
    _refuse_ended(found[0], now)
    return found[0]


def _refuse_ended(one: Handover, now: datetime) -> None:
    how = one.stands(now)
    then = _THEN.get(how, ".")
    refuse_unless(how is Offer.OPEN, f"This handover is {how} already. Nothing was done{then}")


_THEN: Final[Mapping[Offer, str]] = {
    Offer.LAPSED: ": nobody answered it for a day, so all stayed where it was; it is to be offered anew.",
    Offer.WITHDRAWN: ": it was taken back, and all stayed where it was.",
}


def _to_me(command: _Answer, world: World) -> Handover:
    duty = world.roster.duty
    return _meant(command, [one for one in duty.handovers if one.to == world.actor], "to you", world.now)


@decide.register
def _(command: AcceptHandover, incident: Any, world: World) -> Decision:
    handover = _to_me(command, world)
    given, left = _sorted_out(handover, world)
    reliefs = {rota: shift_end(world.roster, rota, handover.giver, world.now) for rota in handover.rotas}
    accepted = HandoverAccepted(
        id=handover.id,
        by=world.actor,
        giver=handover.giver,
        given=tuple(one.number for one in given),
        relieved=tuple(Relief(rota=rota, begin=world.now, end=end) for rota, end in reliefs.items() if end),
        ended=tuple(rota for rota, end in reliefs.items() if end is None),
        **left,
    )
    return (Said(STREAM, accepted), *_given(given, world))


def _sorted_out(handover: Handover, world: World) -> tuple[list[Incident], dict[str, tuple[str, ...]]]:
    """What changes hands now, and the numbers that do not, by why."""
    given: list[Incident] = []
    left: dict[str, list[str]] = {"over": [], "elsewhere": [], "unseen": []}
    for number in handover.mine:
        one = world.incidents.get(number)
        why = "over" if one is None or not one.is_open else None
        if one is not None and why is None:
            why = "elsewhere" if one.owner != handover.giver else None
            why = "unseen" if why is None and hidden_from(one, world.actor) else why
        if one is not None and why is None:
            given.append(one)
        else:
            left[why or "over"].append(number)
    return given, {why: tuple(numbers) for why, numbers in left.items()}


def _given(given: Iterable[Incident], world: World) -> Iterator[Said]:
    """Passed on, and taken: who accepts has said by that that they have it."""
    going = {one.number for one in given}
    for one in given:
        passed = Reassigned(
            to=world.actor, before=one.owner, team=one.team, team_before=one.team, note="At a shift handover."
        )
        yield Said(one.number, passed)
        yield Said(one.number, Acknowledged(by=world.actor))
        if one.state is State.NEW:
            yield from _taken_along(one, going, world)


def _taken_along(parent: Incident, going: set[str], world: World) -> Decision:
    """A parent that is taken in hand takes its children along; those that are given are in hand already."""
    because = Resumed(because=f"{parent.number}, its parent, is in progress")
    return each_child(
        parent, world, lambda child: because, lambda child: child.number not in going and to_be_begun(child)
    )


@remarks.register
def _(command: AcceptHandover, world: World, after: Incident | None) -> tuple[str, ...]:
    handover = _to_me(command, world)
    given, left = _sorted_out(handover, world)
    numbers = ", ".join(one.number for one in given)
    told = [f"You have {numbers} from now on." if numbers else "No incident changed hands."]
    told += [f"{', '.join(left[why])} {_LEFT[why]}" for why in _LEFT if left[why]]
    for rota in handover.rotas:
        end = shift_end(world.roster, rota, handover.giver, world.now)
        told.append(
            f"You are on call by {rota} until {end:%Y-%m-%d %H:%M} UTC."
            if end
            else f"The shift by {rota} is over: who is on call now is as the rota says."
        )
    return tuple(told)


_LEFT: Final[Mapping[str, str]] = {
    "over": "is over by now, and was left out.",
    "elsewhere": "is somebody else's or nobody's by now, and stayed there.",
    "unseen": "is restricted and does not name you: it stayed where it was, and pages go where they went."
    " Ask for it: whoever has it can name you, or pass it on.",
}


@decide.register
def _(command: DeclineHandover, incident: Any, world: World) -> Decision:
    handover = _to_me(command, world)
    return (Said(STREAM, HandoverDeclined(id=handover.id, by=world.actor, reason=command.reason)),)


@decide.register
def _(command: WithdrawHandover, incident: Any, world: World) -> Decision:
    """The giver's own without an id; with one, a coordinator anybody's."""
    known = world.roster.duty.handovers
    anybodys = bool(command.handover) and world.role >= Role.COORDINATOR
    some = [one for one in known if anybodys or one.giver == world.actor]
    handover = _meant(command, some, "of anybody" if anybodys else "of yours", world.now)
    return (Said(STREAM, HandoverWithdrawn(id=handover.id, by=world.actor, reason=command.reason)),)


@remarks.register
def _(command: DeclineHandover, world: World, after: Incident | None) -> tuple[str, ...]:
    return ("It is declined: all stays where it was, and whoever offered it reads why.",)


@remarks.register
def _(command: WithdrawHandover, world: World, after: Incident | None) -> tuple[str, ...]:
    return ("It is taken back: all stays where it was.",)
