"""What is odd about who is told, without being wrong: steps that reach nobody, policies that end in silence.

For `muster matrix lint`, and for whoever adopts a changed matrix. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from register.core import Policy, World
from register.forecast import Case, Foreseen, forecast, paths, supposed
from register.length import told
from register.policy import Matrix
from register.roster import Roster
from register.steps import EscalationPolicy
from register.topics.escalation import LAPSES
from register.topics.steps import people_at

AHEAD: Final = timedelta(days=14)
_MOST: Final = 200
"""So many times of one step are looked at: a rota that changes each hour for a fortnight has more."""


def escalation_notes(
    matrix: Matrix, roster: Roster, vendors: Mapping[str, Any], now: datetime
) -> Iterator[str]:
    """Yield sentences, each with what to do. vendors: the blocks of vendors.toml, by name."""
    if not matrix.policies:
        yield (
            "No policy says who is told when an incident comes: nobody is paged for one. Write a"
            " [policies.NAME] and name it as default_policy (docs/escalation.md)."
        )
        return
    ways = paths(matrix)
    yield from _unused(matrix, ways)
    yield from _untold(ways)
    for (team, name), _ in ways.items():
        policy = matrix.policies.get(name)
        if policy is not None:
            yield from _uncovered(team, name, policy, matrix, roster, now)
            yield from _silent(team, name, matrix)
    for name, policy in matrix.policies.items():
        yield from _unreachable(name, policy)
        yield from _suppliers(name, policy, vendors)
    yield from _unreached(matrix)


def _unused(matrix: Matrix, ways: Iterable[tuple[str, str]]) -> Iterator[str]:
    used = {name for _, name in ways}
    for name in matrix.policies:
        if name not in used:
            yield (
                f"policies.{name} is for nothing: no team, rule or default_policy names it. Name it, or take"
                " it out."
            )


def _untold(ways: Iterable[tuple[str, str]]) -> Iterator[str]:
    silent = sorted({team for team, name in ways if not name})
    if silent:
        yield (
            f"Nobody is told of what {', '.join(silent)} {'own' if len(silent) > 1 else 'owns'}: no policy is"
            " for it. Give the team a policy, or set default_policy."
        )


def _uncovered(
    team: str, name: str, policy: EscalationPolicy, matrix: Matrix, roster: Roster, now: datetime
) -> Iterator[str]:
    """Steps that would tell nobody at some time in the next fortnight."""
    for number, step in enumerate(policy.steps, 1):
        if any(target.startswith("supplier:") for target in step.to):
            continue
        gap = _first_gap(step.to, team, matrix, roster, now)
        if gap is not None:
            since, until = gap
            end = "on" if until is None else f"until {until:%a %d %b %H:%M} UTC"
            yield (
                f"policies.{name}, step {number} ({', '.join(step.to)}), tells nobody for {team} from"
                f" {since:%a %d %b %H:%M} UTC {end}: the next step comes at once. Put somebody on call, or"
                " name another."
            )


def _first_gap(
    to: tuple[str, ...], team: str, matrix: Matrix, roster: Roster, now: datetime
) -> tuple[datetime, datetime | None] | None:
    at, since = now, None
    for _ in range(_MOST):
        if since is None and not _whom(to, team, matrix, roster, at):
            since = at
        elif since is not None and _whom(to, team, matrix, roster, at):
            return since, at
        changes = [roster.change(rota, at) for rota in _rotas(to, team, matrix)]
        following = min((one[0] for one in changes if one is not None), default=None)
        if following is None or following > now + AHEAD:
            break
        at = following
    return None if since is None else (since, None)


def _rotas(to: tuple[str, ...], team: str, matrix: Matrix) -> list[str]:
    own = matrix.teams.get(team)
    named = [one.partition(":")[2] for one in to if one.startswith("rota:")]
    mine = [own.rota] if "oncall" in to and own is not None and own.rota else []
    return [one for one in (*named, *mine) if one in matrix.rotas]


def _whom(to: tuple[str, ...], team: str, matrix: Matrix, roster: Roster, at: datetime) -> list[str]:
    world = World(now=at, actor="", policy=Policy(matrix=matrix), next_number="", roster=roster)
    found: list[str] = []
    for target in to:
        kind, _, name = target.partition(":")
        name = roster.ids.get(name, "") if kind == "person" else name
        found += people_at(kind, name, team, world)
    return found


def _silent(team: str, name: str, matrix: Matrix) -> Iterator[str]:
    if not matrix.above(team):
        yield (
            f"policies.{name} ends in silence for {team}: when nobody answers, nobody stands above the team."
            f" Give [teams.{team}] a lead or authority."
        )


def _unreachable(name: str, policy: EscalationPolicy) -> Iterator[str]:
    waited, before = timedelta(), set[str]()
    for number, step in enumerate(policy.steps, 1):
        if waited > LAPSES:
            yield (
                f"policies.{name}, step {number}, is never reached: {told(waited)} go before it, and an"
                f" escalation ends after {LAPSES.days} days. Shorten the waits."
            )
        elif number > 1 and set(step.to) <= before:
            yield (
                f"policies.{name}, step {number}, tells only whom the step before has told already: use its"
                " `remind`, or name somebody else."
            )
        waited += step.wait * (step.remind + 1)
        before = set(step.to)


def _suppliers(name: str, policy: EscalationPolicy, vendors: Mapping[str, Any]) -> Iterator[str]:
    for number, step in enumerate(policy.steps, 1):
        for target in step.to:
            kind, _, vendor = target.partition(":")
            if kind == "supplier" and vendor not in vendors:
                yield (
                    f"policies.{name}, step {number}, engages {vendor}, which is no supplier of vendors.toml:"
                    " nobody is engaged. Write a [vendor] for it, or take it out."
                )


def _unreached(matrix: Matrix) -> Iterator[str]:
    """People whom a step may tell and nothing pages."""
    named = {one.partition(":")[2] for p in matrix.policies.values() for step in p.steps for one in step.to
             if one.startswith("person:")}  # fmt: skip
    named |= {key for team in matrix.teams for key in matrix.above(team)}
    named |= {key for rota in matrix.rotas.values() for key in rota.people}
    silent = sorted(key for key in named if key in matrix.people and not matrix.people[key].reach)
    if matrix.pages_anybody and silent:
        yield (
            f"Nothing pages {', '.join(silent)}, whom a step or a rota names: give a"
            ' reach = ["sms", "mail"], then `muster page login`.'
        )


# What a changed matrix would do


@dataclass(frozen=True, slots=True)
class Otherwise:
    """For this team another path: as it was, and as it would be, in short lines."""

    team: str
    was: tuple[str, ...]
    would: tuple[str, ...]


def otherwise(
    before: tuple[Matrix, Roster], after: tuple[Matrix, Roster], now: datetime
) -> Iterator[Otherwise]:
    """Yield the teams for whose P1 of now other people would be told, or at other times."""
    was, would = _told_by(*before, now), _told_by(*after, now)
    for team in dict.fromkeys((*was, *would)):
        if was.get(team, ()) != would.get(team, ()):
            yield Otherwise(team, was.get(team, ()), would.get(team, ()))


def _told_by(matrix: Matrix, roster: Roster, now: datetime) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for (team, name), case in paths(matrix).items():
        lines = tuple(_line(one, roster, now) for one in _first_round(case, matrix, roster, now))
        found[team if name == matrix.policy_for(team, "", "") else f"{team} by {name or 'none'}"] = lines
    return found


def _first_round(case: Case, matrix: Matrix, roster: Roster, now: datetime) -> Iterator[Foreseen]:
    """What happens up to the first repetition; all of the rest repeats it but for who is on call then."""
    incident, world = supposed(case, matrix, roster, now)
    for one in forecast(incident, world):
        if ", round 2" in one.rule:
            return
        yield one


def _line(one: Foreseen, roster: Roster, now: datetime) -> str:
    who = ", ".join([*(roster.keys.get(person, person) for person in one.who), *one.suppliers])
    return f"+{told(one.at - now)} {who or one.what}"
