"""Whom the escalations of a matrix may tell, and as what: to see whether all of them can be paged. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from register.policy import Matrix


def told_people(matrix: Matrix) -> Mapping[str, str]:
    """Return the keys of [people] whom a step may tell, each with the first reason: `in rotas.net`.

    A calendar feed may name others.
    """
    found: dict[str, str] = {}
    for key, why in _told(matrix):
        if key in matrix.people:
            found.setdefault(key, why)
    return found


def _told(matrix: Matrix) -> Iterator[tuple[str, str]]:
    owning = [key for key, team in matrix.teams.items() if team.policy or matrix.default_policy]
    owning += [rule.team for rule in matrix.ownership if rule.policy]
    for name, policy in matrix.policies.items():
        for said in dict.fromkeys(to for step in policy.steps for to in step.to):
            kind, _, named = said.partition(":")
            for about in (named,) if named else owning:
                yield from _by(matrix, kind, about, f"by policies.{name}")
    for team in owning if matrix.policies else ():
        for key in matrix.above(team):
            yield key, f"of what teams.{team} leaves unanswered"


def _by(matrix: Matrix, kind: str, about: str, policy: str) -> Iterator[tuple[str, str]]:
    """Whom a target tells. about: whom it names, or the owning team."""
    team = matrix.teams.get(about)
    if kind == "person":
        yield about, policy
    elif kind == "team":
        yield from ((key, f"in teams.{about}") for key, one in matrix.people.items() if about in one.teams)
    elif kind == "lead" and team is not None and team.lead is not None:
        yield team.lead, f"leads teams.{about}"
    elif kind in ("rota", "oncall"):
        rota = about if kind == "rota" else team.rota if team is not None else None
        if rota is not None and rota in matrix.rotas:
            yield from ((key, f"in rotas.{rota}") for key in matrix.rotas[rota].people)
