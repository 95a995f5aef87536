"""Who may do what: the roles, from the one that looks on to the one that sets the rules."""

from __future__ import annotations

from enum import IntEnum


class Role(IntEnum):
    """Who may do what; each may do what those before it may. ENGINE is courier, collector and watch."""

    VIEWER = 0
    RESPONDER = 1
    COORDINATOR = 2
    ADMIN = 3
    ENGINE = 9

    @property
    def word(self) -> str:
        return self.name.lower()


PEOPLES_ROLES = (Role.VIEWER, Role.RESPONDER, Role.COORDINATOR, Role.ADMIN)
"""Those that a person can have."""
