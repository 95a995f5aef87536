"""Whether what matrix.toml says of being on call hangs together: rotas, who is told, and who stands above."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from register.loose_ends import Found, names, unknown
from register.policy import Matrix

_SECTIONS: Final[Mapping[str, tuple[str, str]]] = {
    "person": ("people", "person"),
    "rota": ("rotas", "rota"),
    "team": ("teams", "team"),
    "lead": ("teams", "team"),
}
"""By the word before a target's colon: the section, and what one of it is called. Suppliers are elsewhere."""


def duty_ends(matrix: Matrix, tables: Mapping[str, Any]) -> Found:
    """Everything about being on call that names something that is not there, or says nothing."""
    yield from _rotas(matrix, tables)
    yield from _teams(matrix, tables)
    yield from _policies(matrix, tables)
    policies = names(tables, "policies")
    for at, rule in enumerate(matrix.ownership):
        if rule.policy is not None:
            yield from unknown(("ownership", at, "policy"), rule.policy, policies, "policy")
    if matrix.default_policy is not None:
        yield from unknown(("default_policy",), matrix.default_policy, policies, "policy")


def _rotas(matrix: Matrix, tables: Mapping[str, Any]) -> Found:
    people = names(tables, "people")
    for key, rota in matrix.rotas.items():
        for at, rule in enumerate(rota.shifts):
            for person in dict.fromkeys(rule.people):
                yield from unknown(("rotas", key, "shifts", at, "people"), person, people, "person")
            calendar = rule.calendar(rota.zone)
            for fault in () if calendar is None else calendar.faults():
                yield ("rotas", key, "shifts", at, "holidays"), fault
        for said, person in rota.feed_people.items():
            yield from unknown(("rotas", key, "feed_people", said), person, people, "person")
        fed = "feed" in tables["rotas"][key]
        if fed and rota.shifts:
            yield (
                ("rotas", key),
                "has shifts and a feed, and only one of them can say who is on call: take one out",
            )
        if not fed and not rota.shifts:
            yield (
                ("rotas", key),
                "has no shifts, so nobody is ever on call by it: write"
                f" [[rotas.{key}.shifts]] with people, or take it out",
            )


def _teams(matrix: Matrix, tables: Mapping[str, Any]) -> Found:
    for key, team in matrix.teams.items():
        if team.rota is not None:
            yield from unknown(("teams", key, "rota"), team.rota, names(tables, "rotas"), "rota")
        if team.policy is not None:
            yield from unknown(("teams", key, "policy"), team.policy, names(tables, "policies"), "policy")
        for person in team.authority:
            yield from unknown(("teams", key, "authority"), person, names(tables, "people"), "person")


def _policies(matrix: Matrix, tables: Mapping[str, Any]) -> Found:
    for key, policy in matrix.policies.items():
        for at, step in enumerate(policy.steps):
            for target in step.to:
                word, _, name = target.partition(":")
                if word in _SECTIONS and name:
                    section, what = _SECTIONS[word]
                    path = ("policies", key, "steps", at, "to")
                    yield from unknown(path, name, names(tables, section), what)
