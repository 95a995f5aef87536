"""What somebody may do on a register, and why. Pure: the policy and the person are arguments."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from register.policy import Matrix
from register.roles import Role

Founder = tuple[int | None, str]
"""Uid (where it is known) and login of who made the register."""
MOST_NAMED: Final = 5


@dataclass(frozen=True, slots=True)
class Standing:
    """A role, and why it is that: `people.ana of the matrix`."""

    role: Role
    why: str


OWNER: Final = Standing(Role.ADMIN, "the register is yours alone")
"""Of whoever has a private register, whatever its matrix says."""


def named_admins(matrix: Matrix) -> bool:
    """Whether this matrix makes anybody an admin."""
    return matrix.default_role >= Role.ADMIN or bool(matrix.who_may(Role.ADMIN))


def is_founder(founder: Founder | None, uid: int | None, login: str) -> bool:
    """Whether this person made the register: by uid where both are known, else by login."""
    if founder is None:
        return False
    known, name = founder
    return known == uid if known is not None and uid is not None else name == login


def standing(matrix: Matrix, founder: Founder | None, uid: int | None, login: str) -> Standing:
    """Return a person's role on a shared register: as the matrix says, or its maker."""
    if not named_admins(matrix) and is_founder(founder, uid, login):
        return Standing(Role.ADMIN, "you made this register, and no matrix names an admin yet")
    key = matrix.person(uid, login)
    role = matrix.role_of(uid, login)
    if key is None:
        return Standing(role, "default_role, for you are not in the matrix's [people]")
    if matrix.people[key].role is None:
        return Standing(role, f"default_role, for people.{key} of the matrix has none of its own")
    return Standing(role, f"people.{key} of the matrix")


def who_may(matrix: Matrix, founder: Founder | None, role: Role) -> tuple[str, ...]:
    """Return the names of those who are known to have at least this role."""
    names = matrix.who_may(role)
    if not named_admins(matrix) and founder is not None:
        names = (founder[1], *(name for name in names if name != founder[1]))
    return names


def told(names: tuple[str, ...]) -> str:
    """Return names as a person lists them, not too many."""
    some = ", ".join(names[:MOST_NAMED])
    more = len(names) - MOST_NAMED
    return f"{some} and {more} more" if more > 0 else some
