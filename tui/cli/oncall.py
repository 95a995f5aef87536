"""`muster oncall`: who is on call now and next, what people arranged, and where that has gaps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Final
from zoneinfo import ZoneInfo

import typer

from register.core import NotFound, joined
from register.cover import AHEAD, Finding, findings, sentence
from register.duty import Override, Swap, Temporary
from register.roster import Roster
from register.store.adopted import adopted
from register.store.feed_faults import feed_faults
from register.store.rosters import roster_now
from register.text import clip, one_line
from register.toml_file import near
from register.topics.on_call import Arranged, to_come
from tui.cli import words
from tui.cli.answer import Answer
from tui.cli.here import Here, here
from tui.cli.tabular import columns
from tui.cli.telling import name_of

_MOST: Final = 12
"""Findings on a screenful; --json has them all."""


def show(
    rota: Annotated[str | None, typer.Argument(metavar="ROTA", help="one rota; left out: all")] = None,
    at: Annotated[
        str | None, typer.Option("--at", help="when: +2h, 16:30, tomorrow, 2030-05-01T16:30+02:00")
    ] = None,
) -> Answer:
    """Show who is on call, until when, and who is next; and where that has gaps in the next 14 days."""
    now = datetime.now(UTC)
    moment = now if at is None else words.when(at, now, "at")
    with here() as place:
        roster = roster_now(place.store, adopted(place.store).policy.matrix)
        rotas = [*roster.matrix.rotas] if rota is None else [_known(rota, roster)]
        return _shown(place, roster, rotas, moment, rota)


def _known(said: str, roster: Roster) -> str:
    rotas = roster.matrix.rotas
    if said not in rotas:
        shown = clip(one_line(said), 40)
        raise NotFound(f"There is no rota {shown!r}{near(said, rotas, '.')} Known: {joined(rotas)}.", "rota")
    return said


def _shown(place: Here, roster: Roster, rotas: Sequence[str], moment: datetime, only: str | None) -> Answer:
    told = [_rota(place, roster, one, moment) for one in rotas]
    arranged = [one for one in to_come(roster.duty, moment) if one.rota in rotas]
    found = findings(roster, moment, moment + AHEAD, only)
    says = [_says(place, roster, one) for one in found]
    data = {
        "at": moment,
        "rotas": told,
        "arranged": [_arranged(place, roster, one) for one in arranged],
        "findings": [_data(place, roster, one, text) for one, text in zip(found, says, strict=True)],
    }
    calendars = [one for one in feed_faults(place.store, datetime.now(UTC)) if one.rota in rotas]
    data["calendars"] = [{"rota": one.rota, "says": one.says, "todo": one.todo} for one in calendars]
    if not roster.matrix.rotas:
        return Answer(data, ["The adopted matrix.toml has no [rotas.NAME]: nobody is on call by anything."])
    lines = columns(("ROTA", "ON CALL", "UNTIL", "THEN"), [_row(one, roster) for one in told])
    if arranged:
        rows = [_arranged_row(place, roster, one) for one in arranged]
        lines += ["", *columns(("ID", "ROTA", "FROM", "UNTIL", "WHAT"), rows)]
    return Answer(data, [*lines, "", *_findings(says), *(f"‼ {one}" for one in calendars)])


def _name(place: Here, roster: Roster, person: str) -> str:
    """What the matrix calls them; of somebody who is in it no more, what the register does."""
    key = roster.keys.get(person)
    return name_of(place, person) or person if key is None else roster.matrix.people[key].name


def _person(place: Here, roster: Roster, person: str) -> dict[str, str | None]:
    return {"person": roster.keys.get(person), "name": _name(place, roster, person)}


def _rota(place: Here, roster: Roster, rota: str, moment: datetime) -> dict[str, Any]:
    change = roster.change(rota, moment)
    until, after = (None, ()) if change is None else change
    return {
        "rota": rota,
        "about": roster.matrix.rotas[rota].about,
        "zone": roster.matrix.rotas[rota].zone,
        "on_call": [_person(place, roster, one) for one in roster.on_call(rota, moment)],
        "until": until,
        "next": [_person(place, roster, one) for one in after],
    }


def _row(told: dict[str, Any], roster: Roster) -> tuple[str, ...]:
    until = "for over a year" if told["until"] is None else _when(told["until"], told["rota"], roster)
    return told["rota"], _names(told["on_call"]), until, _names(told["next"]) if told["until"] else ""


def _names(people: Sequence[dict[str, Any]]) -> str:
    return ", ".join(one["name"] for one in people) or "NOBODY"


def _when(at: datetime, rota: str, roster: Roster) -> str:
    """A moment by the clocks of the rota's zone."""
    return f"{at.astimezone(ZoneInfo(roster.matrix.rotas[rota].zone)):%a %m-%d %H:%M %Z}"


def _arranged(place: Here, roster: Roster, one: Arranged) -> dict[str, Any]:
    data: dict[str, Any] = {
        "id": one.id,
        "rota": one.rota,
        "from": one.begin,
        "until": one.end,
        "by": name_of(place, one.by),
        "why": one.why,
    }
    if isinstance(one, Override):
        who = {"add": one.add, "remove": one.remove}
        return data | {key: _person(place, roster, of) if of else None for key, of in who.items()}
    if isinstance(one, Swap):
        return data | {"of": _person(place, roster, one.person), "asked": _person(place, roster, one.to)}
    shifts = [
        {"from": shift.begin, "until": shift.end, **_person(place, roster, shift.person)}
        for shift in one.shifts
    ]
    return data | {"shifts": shifts}


def _arranged_row(place: Here, roster: Roster, one: Arranged) -> tuple[str, ...]:
    when = (_when(at, one.rota, roster) for at in (one.begin, one.end))
    why = f": {one_line(one.why)}" if one.why else ""
    return (one.id, one.rota, *when, f"{_what(place, roster, one)}{why}")


def _what(place: Here, roster: Roster, one: Arranged) -> str:
    def name(person: str) -> str:
        return _name(place, roster, person)

    if isinstance(one, Swap):
        return f"{name(one.to)} is asked to take it for {name(one.person)}"
    if isinstance(one, Temporary):
        people = dict.fromkeys(name(shift.person) for shift in one.shifts)
        return f"temporary schedule of {', '.join(people) or 'nobody'}"
    if one.remove is None:
        return f"{name(one.add or '')} besides"
    return f"{name(one.add)} for {name(one.remove)}" if one.add else f"without {name(one.remove)}"


def _says(place: Here, roster: Roster, one: Finding) -> str:
    return sentence(
        one,
        lambda person: _name(place, roster, person),
        lambda at, rota: _when(at, rota, roster),
    )


def _data(place: Here, roster: Roster, one: Finding, text: str) -> dict[str, Any]:
    return {
        "kind": one.kind.value,
        "rota": one.rota,
        "spans": [{"from": begin, "until": end} for begin, end in one.spans],
        "id": one.id or None,
        **(_person(place, roster, one.person) if one.person else {"person": None, "name": None}),
        "other": one.other or None,
        "policy": one.policy or None,
        "says": text,
    }


def _findings(says: Sequence[str]) -> Iterator[str]:
    if not says:
        yield f"No gaps and no conflicts in the {AHEAD.days} days from then."
        return
    yield f"In the {AHEAD.days} days from then:"
    yield from (f"‼ {one}" for one in says[:_MOST])
    if len(says) > _MOST:
        yield f"  and {len(says) - _MOST} more: --json has them all, `muster oncall ROTA` those of one."
