"""Where being on call has gaps, and what people arranged does not come to: found before it matters. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import combinations
from typing import Final

from register.clocks.span import told as length
from register.duty import Override, Temporary
from register.policy import Matrix
from register.roster import Roster

AHEAD: Final = timedelta(days=14)
Span = tuple[datetime, datetime]


class Kind(StrEnum):
    NOBODY = "nobody"
    UNCOVERED = "uncovered"  # somebody is off, and nobody is in their place
    IDLE = "idle"  # an override that changes nothing
    STRANGER = "stranger"  # somebody who is in no matrix
    TWICE = "twice"  # the same person by two rotas of one policy


@dataclass(frozen=True, slots=True)
class Finding:
    """Something about a rota that a person should look at. spans: when, in order, none of them empty.

    id: of the override or temporary schedule. person: an id. other: the second rota; policy: that asks both.
    """

    kind: Kind
    rota: str
    spans: tuple[Span, ...]
    id: str = ""
    person: str = ""
    other: str = ""
    policy: str = ""


def findings(roster: Roster, begin: datetime, end: datetime, only: str | None = None) -> tuple[Finding, ...]:
    """Return what is odd between two moments, rota by rota. only: of this rota alone."""
    rotas = [rota for rota in roster.matrix.rotas if only in (None, rota)]
    found = [one for rota in rotas for one in _of_rota(roster, rota, begin, end)]
    twice = (one for one in _twice(roster, begin, end) if only in (None, one.rota, one.other))
    return (*found, *twice)


def _of_rota(roster: Roster, rota: str, begin: datetime, end: datetime) -> Iterator[Finding]:
    covered = ((one.begin, one.end) for one in roster.shifts(rota, begin, end))
    nobody = without([(begin, end)], covered)
    if nobody:
        yield Finding(Kind.NOBODY, rota, tuple(nobody))
    for one in roster.duty.overrides:
        span = max(begin, one.begin), min(end, one.end)
        if one.rota == rota and span[0] < span[1]:
            yield from _of_override(roster, one, span)
    for temporary in roster.duty.temporary:
        if temporary.rota == rota and temporary.end > begin and temporary.begin < end:
            yield from _strangers(roster, temporary)


def _of_override(roster: Roster, one: Override, span: Span) -> Iterator[Finding]:
    about = Finding(Kind.STRANGER, one.rota, (span,), one.id)
    for who in (one.add, one.remove):
        if who is not None and who not in roster.known:
            yield replace(about, person=who)
            return
    if one.remove is None:
        return
    others = tuple(other for other in roster.duty.overrides if other is not one)
    beside = replace(roster, duty=replace(roster.duty, overrides=others))
    away = [(s.begin, s.end) for s in beside.shifts(one.rota, *span) if s.person == one.remove]
    if not away:
        yield replace(about, kind=Kind.IDLE, person=one.remove)
    if one.add is None:
        covered = ((other.begin, other.end) for other in others if other.rota == one.rota and other.add)
        left = without(away, covered)
        if left:
            yield replace(about, kind=Kind.UNCOVERED, person=one.remove, spans=tuple(left))


def _strangers(roster: Roster, one: Temporary) -> Iterator[Finding]:
    for who in dict.fromkeys(shift.person for shift in one.shifts):
        if who not in roster.known:
            spans = tuple((shift.begin, shift.end) for shift in one.shifts if shift.person == who)
            yield Finding(Kind.STRANGER, one.rota, spans, one.id, who)


def _twice(roster: Roster, begin: datetime, end: datetime) -> Iterator[Finding]:
    """Whoever is first and second at once: nobody would be behind them."""
    told = set[tuple[str, str]]()
    for policy in roster.matrix.policies:
        for rotas in _asked_together(roster.matrix, policy):
            for first, second in combinations(rotas, 2):
                if (first, second) in told:
                    continue
                told.add((first, second))
                one, other = (_by_person(roster, rota, begin, end) for rota in (first, second))
                for person in one:
                    spans = both(one[person], other.get(person, []))
                    if spans:
                        yield Finding(
                            Kind.TWICE, first, tuple(spans), person=person, other=second, policy=policy
                        )


def _asked_together(matrix: Matrix, policy: str) -> Iterator[list[str]]:
    """For each team that goes by a policy, the rotas that its steps ask."""
    targets = [target for step in matrix.policies[policy].steps for target in step.to]
    for team in by_policy(matrix, policy) or [""]:
        own = matrix.teams[team].rota if team else None
        asked = (
            own if target == "oncall" else target.removeprefix("rota:")
            for target in targets
            if target == "oncall" or target.startswith("rota:")
        )
        yield list(dict.fromkeys(rota for rota in asked if rota in matrix.rotas))


def by_policy(matrix: Matrix, policy: str) -> list[str]:
    """The teams whose incidents may go by a policy."""
    ruled = {rule.team for rule in matrix.ownership if rule.policy == policy}
    return [
        key
        for key, team in matrix.teams.items()
        if key in ruled or (team.policy or matrix.default_policy) == policy
    ]


def _by_person(roster: Roster, rota: str, begin: datetime, end: datetime) -> dict[str, list[Span]]:
    found: dict[str, list[Span]] = {}
    for one in roster.shifts(rota, begin, end):
        found.setdefault(one.person, []).append((one.begin, one.end))
    return found


# Spans of time


def without(spans: Iterable[Span], taken: Iterable[Span]) -> list[Span]:
    """Return what is left of spans beside others."""
    left = list(spans)
    for begin, end in taken:
        left = [
            part
            for first, last in left
            for part in ((first, min(last, begin)), (max(first, end), last))
            if part[0] < part[1]
        ]
    return sorted(left)


def both(one: Iterable[Span], other: Sequence[Span]) -> list[Span]:
    """Return when both are."""
    pairs = ((max(a[0], b[0]), min(a[1], b[1])) for a in one for b in other)
    return sorted(pair for pair in pairs if pair[0] < pair[1])


# In words


def sentence(one: Finding, called: Callable[[str], str], shown: Callable[[datetime, str], str]) -> str:
    """Return a finding as a person reads it. shown: a moment, in the way of this rota."""
    first, last = (shown(at, one.rota) for at in one.spans[0])
    when = f"from {first} until {last}"
    if len(one.spans) > 1:
        whole = sum((end - begin for begin, end in one.spans), timedelta())
        when += f", and {len(one.spans) - 1} more times, {length(int(whole.total_seconds()))} in all"
    who = called(one.person) if one.person else ""
    return {
        Kind.NOBODY: f"{one.rota}: nobody is on call {when}.",
        Kind.UNCOVERED: f"{one.rota}: {who} is off call {when} ({one.id}), and nobody is in their place.",
        Kind.IDLE: f"{one.rota}: {one.id} takes {who} off call, who is not on call then: it changes nothing."
        f" `muster oncall end {one.id}` takes it back.",
        Kind.STRANGER: f"{one.rota}: {one.id} names {who}, who is in matrix.toml no more and cannot be told:"
        f" it does not count. `muster oncall end {one.id}` takes it back.",
        Kind.TWICE: f"{who} is on call by {one.rota} and {one.other} at once {when}, and"
        f" policies.{one.policy} asks both: nobody stands behind them.",
    }[one.kind]
