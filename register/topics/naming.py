"""Services, categories and teams as the matrix spells them; others are refused, with the nearest one."""

from __future__ import annotations

from collections.abc import Iterable

from register.core import NotFound
from register.policy import Matrix
from register.toml_file import near

MOST_TOLD = 12
"""Names that a refusal lists."""


def service_of(matrix: Matrix, said: str | None) -> str:
    """Return the service as the matrix has it; as it was said where none is declared."""
    return _known("service", said, matrix.services, matrix.service_named(said or ""))


def category_of(matrix: Matrix, said: str | None) -> str:
    return _known("category", said, matrix.categories, matrix.category_named(said or ""))


def team_of(matrix: Matrix, said: str) -> str:
    """Return the key of the team of that key or name."""
    word = said.casefold()
    found = (key for key, team in matrix.teams.items() if word in (key.casefold(), team.name.casefold()))
    return _known("team", said, matrix.teams, next(found, None))


def _known(what: str, said: str | None, known: Iterable[str], found: str | None) -> str:
    names = list(known)
    if not said or not names:
        return said or ""
    if found is None:
        told = ", ".join(names[:MOST_TOLD]) + ("…" if len(names) > MOST_TOLD else "")
        raise NotFound(
            f"There is no {what} {said!r} in the matrix{near(said, names, '.')} Nothing was done."
            f" Known: {told}.",
            what,
        )
    return found
