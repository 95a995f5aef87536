"""`muster matrix forecast`: who would be told of an incident, when, and under which rule; and what a changed
matrix would change of that.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Final
from zoneinfo import ZoneInfo

import typer

from register.core import NotFound, Policy, Refused, World
from register.escalation_notes import Otherwise
from register.forecast import Case, Foreseen, forecast, supposed
from register.incident import Impact, Incident, Paging, Urgency
from register.policy import Matrix
from register.roster import Roster
from register.seeing import RESTRICTED
from register.store.adopted import adopted
from register.store.rosters import roster_now, world_now
from register.text import one_line
from register.toml_file import near
from tui.cli import words
from tui.cli.answer import Answer
from tui.cli.here import Here, here
from tui.cli.tabular import columns

_GRADES: Final[Mapping[str, tuple[Impact, Urgency]]] = {
    "P1": (Impact.HIGH, Urgency.HIGH),
    "P2": (Impact.HIGH, Urgency.MEDIUM),
    "P3": (Impact.MEDIUM, Urgency.MEDIUM),
    "P4": (Impact.MEDIUM, Urgency.LOW),
    "P5": (Impact.LOW, Urgency.LOW),
}
_SHOWN: Final = 20
_IF: Final = "That is what would happen if nobody did anything, by what is arranged now."


def forecast_(
    number: Annotated[
        str | None, typer.Argument(metavar="[NUMBER]", help="the incident: INC-7; or give what it would be")
    ] = None,
    service: Annotated[str, typer.Option(help="of one that there is not: its service")] = "",
    category: Annotated[str, typer.Option(help="its category")] = "",
    priority: Annotated[str, typer.Option(help="its priority: P1 to P5")] = "P1",
    at_: Annotated[str | None, typer.Option("--at", metavar="TIME", help="when it would be logged")] = None,
    everything: Annotated[bool, typer.Option("--all", help="every line, not only the first 20")] = False,
) -> Answer:
    """Tell who would be told, when, and under which rule, if nobody answered."""
    with here() as at:
        policy = adopted(at.store, at.desk().policy).policy
        now = datetime.now(UTC)
        if number is not None:
            incident, world = _of(at, words.number(number), policy, now)
        else:
            now = now if at_ is None else words.when(at_, now, "at")
            case = _case(service, category, priority, policy.matrix)
            roster = roster_now(at.store, policy.matrix)
            incident, world = supposed(case, policy.matrix, roster, now, vendors=policy.vendors)
        found, real = forecast(incident, world), number is not None
        return _told(at, incident, found, world.roster, policy, everything=everything, real=real)


def sheet(at: Here, number: str) -> tuple[str, ...]:
    """Return what is foreseen of an incident as lines without columns: for a screen."""
    policy = adopted(at.store).policy
    incident, world = _of(at, number, policy, datetime.now(UTC))
    zone, found = _zone(at, policy.matrix), forecast(incident, world)
    rows = ("  ".join(_row(at, world.roster, zone, one)) for one in found)
    return (_heading(incident, real=True), "", *rows, *(("", _IF) if found else ()))


def _of(at: Here, number: str, policy: Policy, now: datetime) -> tuple[Incident, World]:
    """An incident, and the world in which it is asked what comes of it."""
    incident = at.incident(number)
    if not at.sees(incident):
        raise Refused(f"{incident.number} is {RESTRICTED}: ask one of those who work on it.")
    return incident, world_now(at.store, policy, now)


def _row(at: Here, roster: Roster, zone: ZoneInfo, one: Foreseen) -> tuple[str, str, str]:
    """When, who, and by which rule."""
    return f"{one.at.astimezone(zone):%a %d %b %H:%M %Z}", _who(at, roster, one), one.rule


def _case(service: str, category: str, priority: str, matrix: Matrix) -> Case:
    given = (("service", service, matrix.services), ("category", category, matrix.categories))
    for what, said, known in given:
        if said and known and not any(said.casefold() == one.casefold() for one in known):
            raise NotFound(f"There is no {what} {one_line(said)!r}{near(said, known) or '.'}", what)
    grade = _GRADES.get(priority.upper())
    if grade is None:
        raise NotFound(f"{one_line(priority)!r} is no priority: write P1 to P5.", "priority")
    named = matrix.service_named(service) or service, matrix.category_named(category) or category
    return Case(*named, *grade)


def _told(
    at: Here,
    incident: Incident,
    found: tuple[Foreseen, ...],
    roster: Roster,
    policy: Policy,
    *,
    everything: bool,
    real: bool,
) -> Answer:
    zone = _zone(at, policy.matrix)
    data = {
        "number": incident.number if real else None,
        "team": incident.team,
        "paging": incident.paging.value or None,
        "policy": None if incident.run is None else incident.run.plan.policy,
        "zone": zone.key,
        "forecast": [
            {
                "at": one.at,
                "what": one.what,
                "who": [name_of(at, roster, person) for person in one.who],
                "suppliers": list(one.suppliers),
                "rule": one.rule,
            }
            for one in found
        ],
    }
    rows = [_row(at, roster, zone, one) for one in (found if everything else found[:_SHOWN])]
    lines = [_heading(incident, real=real)]
    if rows:
        lines += ["", *columns(("WHEN", "WHO", "RULE"), rows)]
        if len(found) > len(rows):
            lines.append(f"… and {len(found) - len(rows)} more: --all")
        lines += ["", _IF]
    return Answer(data, lines)


def name_of(at: Here, roster: Roster, person: str) -> str:
    """Return what to call somebody: by the matrix, else by the register."""
    key = roster.keys.get(person)
    return key or at.logins.get(person) or at.people.get(person, person)


def _who(at: Here, roster: Roster, one: Foreseen) -> str:
    names = [*(name_of(at, roster, person) for person in one.who), *one.suppliers]
    plain = {"skipped": "nobody: the next step at once", "held": "nobody", "ends": "nobody any more"}
    if one.what in plain:
        return plain[one.what]
    if one.what == "exhausted":
        return "nobody: it goes up"
    if one.what == "asks again":
        return f"asks {', '.join(names) or 'nobody'} again"
    return ", ".join(names) + (" (authority)" if one.what == "authority" else "")


_STANDS: Final[Mapping[Paging, str]] = {
    Paging.NONE: "no policy is for it, so nobody is told by itself",
    Paging.TRIGGERED: "nobody has acknowledged it",
    Paging.ACKNOWLEDGED: "it is acknowledged",
    Paging.EXHAUSTED: "every step was taken, and nobody has acknowledged it",
    Paging.SUPPRESSED: "it waits",
}


def _heading(incident: Incident, *, real: bool) -> str:
    run = incident.run
    by = f", by {run.plan.policy}" if run is not None else ""
    what = incident.number if real else f"A {incident.priority} that is logged then"
    if not incident.is_open:
        return f"{what} is {incident.state.lower()}: nobody is told of it."
    stands = _STANDS[incident.paging] + (f": {run.held}" if run is not None and run.held else "")
    if not real:
        return f"{what} would be {incident.team or 'nobody'}'s{by}."
    return f"{what}, {incident.priority}, {incident.team or 'nobody'}'s{by}: {stands}."


def _zone(at: Here, matrix: Matrix) -> ZoneInfo:
    """Of whoever asks, as the matrix has it; else UTC."""
    key = matrix.person(at.session.uid, at.session.login)
    return ZoneInfo(matrix.people[key].zone if key is not None else "UTC")


def otherwise_lines(found: Iterable[Otherwise], most: int) -> list[str]:
    """Return what a changed matrix would change of who is told, as at most so many short lines."""
    lines: list[str] = []
    for one in found:
        if not (one.was and one.would):
            sign, path = ("+", one.would) if one.would else ("-", one.was)
            lines.append(f"{sign} forecast of a P1 of {one.team}: {'; '.join(path)}")
            continue
        lines.append(f"~ forecast of a P1 of {one.team}:")
        lines.append(f"    was  {'; '.join(one.was)}")
        lines.append(f"    now  {'; '.join(one.would)}")
    if len(lines) > most:
        lines = [*lines[: most - 1], "… and other teams: --json tells all."]
    return lines


def otherwise_data(found: Iterable[Otherwise]) -> list[dict[str, Any]]:
    """Return the same for a program."""
    return [{"team": one.team, "was": list(one.was), "would": list(one.would)} for one in found]
