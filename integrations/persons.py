"""Which of [people] somebody is, who is known by their login: for what is done where they do not sit."""

from __future__ import annotations

import pwd

from register.policy import Matrix


def person_of(matrix: Matrix, login: str) -> str | None:
    """Return the key of the person with this login; of one who gives a uid alone, by this host's users."""
    named = next((key for key, one in matrix.people.items() if one.login == login), None)
    if named is not None:
        return named
    try:
        uid = pwd.getpwnam(login).pw_uid
    except (KeyError, ValueError):
        return None
    return matrix.person(uid, login)
