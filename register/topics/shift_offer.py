"""Offering a shift to somebody: what is in it, with the giver's words, and what is refused."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Annotated, Any, ClassVar, Final

from pydantic import BaseModel, BeforeValidator, Field

from register.core import (
    Decision,
    Many,
    NotFound,
    PersonField,
    PersonId,
    Said,
    Target,
    World,
    decide,
    refuse_unless,
    remarks,
)
from register.duty import STREAM
from register.handing import LAPSES, Asked, open_from
from register.incident import Incident
from register.roster import Roster
from register.seeing import may_see
from register.text import Name, Slug, Text
from register.topics.naming import team_of
from register.topics.shift_handover import HandoverOffered, HandoverWord, OfHandover, hidden_from

_EDIT: Final = re.compile(r"\s*((?:INC-)?[1-9][0-9]{0,8})\s*=\s*(.*?)\s*", re.DOTALL)
_MOST: Final = 2_000
"""Characters that a line's words may have: longer ones are notes."""


Sees = Callable[[Incident], bool]


class WordOn(BaseModel, frozen=True, extra="forbid"):
    """What the giver says of one incident: what they suspect, what to look at next."""

    number: Target
    text: Annotated[Text, Field(max_length=_MOST)]


def _worded(value: object) -> object:
    """Return lines of `INC-7=text` as words on incidents."""
    lines = value.splitlines() if isinstance(value, str) else value
    if not isinstance(lines, (list, tuple)):
        return value
    return tuple(_word(line) if isinstance(line, str) else line for line in lines if line)


def _word(line: str) -> dict[str, str]:
    found = _EDIT.fullmatch(line)
    if found is None:
        raise ValueError("is not NUMBER=TEXT: write it like INC-7=the third disk fails, too")
    return {"number": f"INC-{found[1].removeprefix('INC-')}", "text": found[2]}


def _numbers(value: object) -> object:
    if not isinstance(value, str):
        return value
    said = (part.strip() for part in value.replace(" ", ",").split(","))
    return tuple(part if part.startswith("INC-") else f"INC-{part}" for part in said if part)


def _split(value: object) -> object:
    return (
        tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value
    )


class OfferHandover(OfHandover):
    """Offer what you have to somebody: until they accept it, whoever was paged is paged."""

    verb: ClassVar[str] = "handover-offer"

    to: Annotated[Name, PersonField(ours=True), Field(description="who is to take over: a login")]
    note: Annotated[Text, Field(description="what they should know beside the incidents")] = ""
    edit: Annotated[
        tuple[WordOn, ...],
        BeforeValidator(_worded),
        Many(),
        Field(description="your words on one: INC-7=what you suspect; may be said several times"),
    ] = ()
    without: Annotated[
        tuple[Target, ...], BeforeValidator(_numbers), Field(description="what you keep: INC-7,INC-9")
    ] = ()
    team: Annotated[
        tuple[Name, ...],
        BeforeValidator(_split),
        Field(description="teams of whose incidents they are told; else those that you are in"),
    ] = ()
    shift: Annotated[
        tuple[Slug, ...],
        BeforeValidator(_split),
        Field(description="rotas: the rest of your shift, too; paging goes to them"),
    ] = ()

    def hands_over(self, roster: Roster, actor: PersonId, login: str) -> Asked:
        return Asked((), actor, _teams(self, roster, actor, login))


def _teams(command: OfferHandover, roster: Roster, actor: PersonId, login: str) -> tuple[str, ...]:
    if command.team:
        return tuple(dict.fromkeys(team_of(roster.matrix, one) for one in command.team))
    return teams_of(roster, actor, login)


def teams_of(roster: Roster, person: PersonId | None, login: str) -> tuple[str, ...]:
    """Return the keys of the teams that somebody is in, by the matrix."""
    key = next((key for key, one in roster.ids.items() if one == person), None)
    key = key or next((key for key, one in roster.matrix.people.items() if one.login == login), None)
    return () if key is None else roster.matrix.people[key].teams


def in_it(
    incidents: Iterable[Incident], giver: PersonId | None, teams: Iterable[str], sees: Sees
) -> tuple[list[Incident], list[Incident]]:
    """Return what a handover is made of: the giver's own open incidents, and the others of these teams.

    sees: says of an incident whether the giver may see it; of what they may not see they tell nothing.
    """
    shown = [one for one in incidents if one.is_open and sees(one)]
    known = set(teams)
    mine = [one for one in shown if one.owner is not None and one.owner == giver]
    others = [one for one in shown if one.owner != giver and one.team in known]
    return mine, others


@decide.register
def _(command: OfferHandover, incident: Any, world: World) -> Decision:
    refuse_unless(
        command.to != world.actor, "That is you. Nothing was offered: say who is to take over.", "to"
    )
    already = open_from(world.roster.duty.handovers, world.actor, world.now)
    refuse_unless(
        already is None,
        "You have offered a handover that nobody has answered. Nothing was offered now: take that one back"
        " first (`muster handover withdraw`).",
    )
    teams = _teams(command, world.roster, world.actor, world.login)
    sees = _sees(world)
    mine, others = in_it(_by_number(world.incidents.values()), world.actor, teams, sees)
    kept = set(command.without)
    mine, others = ([one for one in some if one.number not in kept] for some in (mine, others))
    _refuse_unknown(command, {one.number for one in (*mine, *others)})
    _refuse_shift(command, world)
    refuse_unless(
        mine or others or command.note or command.shift,
        "There is nothing to hand over: no open incident is yours or your team's. Nothing was offered; say"
        " what they should know with --note, or hand the shift itself over with --shift ROTA.",
        "note",
    )
    offered = HandoverOffered(
        id=command.command_id,
        by=world.actor,
        to=command.to,
        mine=tuple(one.number for one in mine),
        others=tuple(one.number for one in others),
        rotas=command.shift,
        note=command.note,
    )
    words = (
        Said(number, HandoverWord(handover=command.command_id, to=command.to, text=text))
        for number, text in {word.number: word.text for word in command.edit}.items()
        if text
    )
    return (Said(STREAM, offered), *words)


def _sees(world: World) -> Sees:
    return lambda one: may_see(one, world.actor, world.role)


def _by_number(incidents: Iterable[Incident]) -> list[Incident]:
    return sorted(incidents, key=lambda one: int(one.number.removeprefix("INC-")))


def _refuse_unknown(command: OfferHandover, numbers: set[str]) -> None:
    said = dict.fromkeys(word.number for word in command.edit)
    unknown = [number for number in said if number not in numbers]
    if unknown:
        raise NotFound(
            f"{', '.join(unknown)} is not in this handover: it is neither open and yours, nor your team's, or"
            " you keep it. Nothing was offered; `muster handover` shows what is in it.",
            "edit",
        )


def _refuse_shift(command: OfferHandover, world: World) -> None:
    roster = world.roster
    for rota in command.shift:
        if rota not in roster.matrix.rotas:
            raise NotFound(
                f"There is no rota {rota!r} in the matrix. Nothing was offered."
                f" Known: {', '.join(roster.matrix.rotas) or 'none'}.",
                "shift",
            )
        refuse_unless(
            world.actor in roster.on_call(rota, world.now),
            f"You are not on call by {rota} now: there is no shift to hand over. Nothing was offered.",
            "shift",
        )
        refuse_unless(
            command.to in roster.ids.values(),
            "Who is to take over is not in [people] of the matrix, so nobody could page them, and"
            f" {rota} would stay with you. Nothing was offered.",
            "to",
        )


@remarks.register
def _(command: OfferHandover, world: World, after: Incident | None) -> tuple[str, ...]:
    secret = [
        one.number
        for one in _by_number(world.incidents.values())
        if one.owner == world.actor and one.number not in command.without and hidden_from(one, command.to)
    ]
    until = world.now + LAPSES
    return (
        "It is offered. Until they accept it, whoever was paged is paged; it lapses"
        f" {until:%Y-%m-%d %H:%M} UTC.",
        *map(_stays, secret),
    )


def _stays(number: str) -> str:
    return (
        f"{number} is restricted and does not name them: they read its number alone, and it stays yours until"
        f" you name them (`muster restrict {number} --to LOGIN`)."
    )
