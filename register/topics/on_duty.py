"""What the verbs about being on call have in common: whom and when somebody means, and how that is told."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Annotated, ClassVar, Final
from zoneinfo import ZoneInfo

from pydantic import AwareDatetime, BeforeValidator, Field

from register.core import Command, NotFound, PersonId, Refused, Role, World, refuse_unless, utc
from register.duty import Duty, Override
from register.rota import Rota
from register.text import Name, Slug, clip, one_line
from register.toml_file import near

ME: Final = "me"
LONGEST: Final = timedelta(days=400)
"""Nothing is arranged for longer at once: what lasts belongs into matrix.toml."""
_MOST_TOLD: Final = 12
_ID: Final = re.compile(r"(?:[OTS]-)?([1-9][0-9]{0,8})", re.ASCII | re.IGNORECASE)


def _id(said: object) -> object:
    found = _ID.fullmatch(said.strip()) if isinstance(said, str) else None
    if found is None:
        raise ValueError("is no name of an arrangement: write it as `muster oncall` has it, O-3")
    return found[1]


ArrangementId = Annotated[
    str, BeforeValidator(_id), Field(description="which one: O-3, T-4 or S-5, as `muster oncall` has it")
]
"""The number alone: overrides, temporary schedules and swaps are counted together."""
RotaName = Annotated[Slug, Field(description="the rota: of [rotas]")]
SaidPerson = Annotated[
    Name, Field(description="by their key in [people], by login or by name; me for yourself")
]
From = Annotated[AwareDatetime | None, Field(description="from when; left out: from now on")]


class OnCallCommand(Command):
    group: ClassVar[str] = "oncall"
    role: ClassVar[Role] = Role.RESPONDER
    on_incident: ClassVar[bool] = False


def rota_of(name: str, world: World) -> Rota:
    """Return the rota of that name, or refuse with those there are."""
    rotas = world.policy.matrix.rotas
    found = rotas.get(name)
    if found is None:
        known = ", ".join(list(rotas)[:_MOST_TOLD])
        told = f"Known: {known}." if known else "The adopted matrix.toml has no [rotas.NAME]."
        raise NotFound(f"There is no rota {name!r}{near(name, rotas, '.')} Nothing was done. {told}", "rota")
    return found


def person_of(said: str, world: World, field: str) -> PersonId:
    """Return the id of one of [people]: nobody else could be told of anything."""
    people, ids = world.policy.matrix.people, world.roster.ids
    if said.casefold() == ME and ME not in people:
        refuse_unless(
            world.actor in world.roster.known,
            "You are in no [people.NAME] of matrix.toml, so you cannot be on call. Nothing was done: say who"
            " is meant, or ask an admin to add you.",
            field,
        )
        return world.actor
    word = said.casefold()
    key = next((key for key in people if key == word), None) or next(
        (key for key, one in people.items() if word in ((one.login or "").casefold(), one.name.casefold())),
        None,
    )
    if key is None or key not in ids:
        known = ", ".join(list(people)[:_MOST_TOLD])
        raise NotFound(
            f"There is nobody {clip(one_line(said), 40)!r} in [people]{near(said, people, '.')} Nothing was"
            f" done. Known: {known}{'…' if len(people) > _MOST_TOLD else ''}.",
            field,
        )
    return ids[key]


def called(person: PersonId, world: World) -> str:
    """What one of [people] is called."""
    key = world.roster.keys.get(person)
    return person if key is None else world.policy.matrix.people[key].name


def span_of(begin: datetime | None, until: datetime, world: World) -> tuple[datetime, datetime]:
    """Return from when until when something is arranged, in whole seconds; the past stays as it was."""
    now = world.now.replace(microsecond=0)
    first = max(now, utc(begin).replace(microsecond=0)) if begin is not None else now
    last = utc(until).replace(microsecond=0)
    refuse_unless(last > now, "That time is over: nothing was done. Give an end that is to come.", "until")
    refuse_unless(first < last, "It ends before it begins: nothing was done. Give a later end.", "until")
    refuse_unless(
        last - first <= LONGEST,
        f"That is longer than {LONGEST.days} days: nothing was done. What lasts belongs into matrix.toml.",
        "until",
    )
    return first, last


def shown(at: datetime, rota: Rota) -> str:
    """A moment by the clocks of the rota's zone: Mon 2026-11-30 09:00 CET."""
    return f"{at.astimezone(ZoneInfo(rota.zone)):%a %Y-%m-%d %H:%M %Z}"


def between(begin: datetime, end: datetime, rota: Rota) -> str:
    return f"from {shown(begin, rota)} until {shown(end, rota)}"


def next_id(letter: str, duty: Duty) -> str:
    return f"{letter}-{duty.numbered + 1}"


def may_arrange_for_others(world: World) -> bool:
    return world.role >= Role.COORDINATOR


def refuse_others(sentence: str) -> None:
    """Refuse what is a coordinator's: the sentence says what oneself may do instead."""
    raise Refused(f"{sentence} Nothing was done: ask a coordinator.")


def refuse_twice(
    rota: str, begin: datetime, end: datetime, people: tuple[PersonId | None, ...], world: World
) -> None:
    """Nobody is in two overrides of one rota at once: which of them holds, nobody could say."""
    for one in world.roster.duty.overrides:
        given = ":" in one.id  # at a handover: who has the shift since then may be stood in for
        if given or one.rota != rota or one.end <= begin or end <= one.begin:
            continue
        twice = next((who for who in (one.add, one.remove) if who is not None and who in people), None)
        if twice is not None:
            where = world.policy.matrix.rotas[rota]
            raise Refused(
                f"{called(twice, world)} is in an override of {rota} already then: {one.id},"
                f" {between(one.begin, one.end, where)}. Nothing was done: choose another time, or end that"
                f" one first with `muster oncall end {one.id}`."
            )


def in_words(one: Override, world: World) -> str:
    """What an override does, as the beginning of a sentence."""
    if one.remove is None:
        return f"{called(one.add or '', world)} is on call by {one.rota} besides the others"
    if one.add is None:
        return f"{called(one.remove, world)} is off call by {one.rota}, and nobody is put in their place"
    return f"{called(one.add, world)} is on call by {one.rota} whenever {called(one.remove, world)} would be"
