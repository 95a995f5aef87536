"""What is odd about a policy without being wrong: for `muster matrix lint`. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from register.cover import by_policy
from register.policy import Matrix
from register.roles import Role
from register.standing import named_admins


def notes(matrix: Matrix, vendors: Mapping[str, Any]) -> list[str]:
    """Return sentences, each with what to do. vendors: the blocks of vendors.toml, by name."""
    return [*_people(matrix), *_owners(matrix), *_suppliers(matrix, vendors), *_duty(matrix, vendors)]


def _people(matrix: Matrix) -> Iterator[str]:
    if not named_admins(matrix):
        yield 'Nobody is admin: a shared register will not adopt this. Give one person role = "admin".'
    alone = [key for key, person in matrix.people.items() if not person.teams]
    if alone:
        yield f'In no team: {_listed(alone)}. Nothing that a team owns reaches them; add teams = ["…"].'
    silent = [
        key
        for key, person in matrix.people.items()
        if not person.reach and (person.role or matrix.default_role) >= Role.COORDINATOR
    ]
    if matrix.pages_anybody and silent:
        yield (
            f"Nothing pages {_listed(silent)}, who may engage suppliers and is asked to call one that stays"
            ' silent: give a reach = ["sms", "mail"].'
        )
    members = {team for person in matrix.people.values() for team in person.teams}
    for key, team in matrix.teams.items():
        if key not in members:
            yield f"teams.{key} has no members, so nobody is asked about what it owns: add it to somebody's."
        if team.lead is not None and key not in matrix.people[team.lead].teams:
            yield f"teams.{key} is led by {team.lead}, who is not in it: add it to theirs, or name another."
    if not any(team.first_line for team in matrix.teams.values()):
        yield f"No team is first_line: {matrix.fallback_team} counts as first line, being the fallback."


def _owners(matrix: Matrix) -> Iterator[str]:
    """What the fallback team has because nobody else was named for it."""
    fallback = matrix.fallback_team
    left = [
        service
        for service in matrix.services
        if not _is_named(matrix, service)
        and all(matrix.owning_team(service, one) == fallback for one in (*matrix.categories, ""))
    ]
    if left:
        yield (
            f"No rule names {_listed(left)}: {fallback} has them because no one else does. Write an"
            " [[ownership]] if that is not meant."
        )
    silent = [name for name, category in matrix.categories.items() if category.team is None]
    if silent:
        yield f"Categories without a team: {_listed(silent)}. {fallback} has them where no rule fits."


def _is_named(matrix: Matrix, service: str) -> bool:
    """Whether a rule names this service, by itself or by a pattern."""
    fits = (rule.fits(service, one) for rule in matrix.ownership for one in (*matrix.categories, ""))
    return any(fit is not None and fit[0] > 0 for fit in fits)


def _suppliers(matrix: Matrix, vendors: Mapping[str, Any]) -> Iterator[str]:
    for name in matrix.contracts:
        if name not in vendors:
            yield f"contracts.{name} is with no supplier of vendors.toml: its clocks never run."
    if not matrix.services:
        return
    for name, block in vendors.items():
        strange = [one for one in block.get("services", ()) if matrix.service_named(str(one)) is None]
        if strange:
            yield f"vendor.{name} looks after {_listed(strange)}, which is no service of matrix.toml."


def _duty(matrix: Matrix, vendors: Mapping[str, Any]) -> Iterator[str]:
    """Steps that tell nobody, whoever is on call, and rotas that nobody asks."""
    asked = {team.rota for team in matrix.teams.values()}
    for key, policy in matrix.policies.items():
        targets = dict.fromkeys(target for step in policy.steps for target in step.to)
        asked |= {target.removeprefix("rota:") for target in targets if target.startswith("rota:")}
        strange = [target.removeprefix("supplier:") for target in targets if target.startswith("supplier:")]
        strange = [name for name in strange if name not in vendors]
        if strange:
            yield f"policies.{key} engages {_listed(strange)}, which is no supplier of vendors.toml."
        for target, field in (("oncall", "rota"), ("lead", "lead")):
            without = [
                name
                for name in by_policy(matrix, key)
                if target in targets and getattr(matrix.teams[name], field) is None
            ]
            if without:
                yield (
                    f"policies.{key} tells {target} of the owning team, and {_listed(without)} has no"
                    f" {field}: that tells nobody. Give the team a {field}, or name whom to tell."
                )
    idle = [key for key in matrix.rotas if key not in asked]
    if idle:
        yield f"No team and no policy asks who is on call by {_listed(idle)}: give it to a team, as its rota."


def _listed(names: list[str]) -> str:
    some = ", ".join(names[:8])
    return f"{some} and {len(names) - 8} more" if len(names) > 8 else some
