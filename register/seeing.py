"""Who may see a restricted incident: one rule, asked by every board, list, page, search and export.

Others see that it is there, by its number, and nothing else. Pure: the person and the role are arguments.
"""

from __future__ import annotations

from typing import Final

from register.core import PersonId, Role
from register.incident import Incident, Visibility

RESTRICTED: Final = "restricted"
"""What stands where others would read a title."""
_AROUND: Final = "|"


def seers(incident: Incident) -> frozenset[PersonId]:
    """Return who may see it besides admins: those who work on it, those it is about, and those named."""
    own = (incident.owner, incident.reporter, incident.caller)
    watching: tuple[PersonId, ...] = getattr(incident, "watchers", ())
    return frozenset(person for person in (*own, *watching, *incident.allowed) if person)


def may_see(incident: Incident, person: PersonId | None, role: Role) -> bool:
    """Whether this person, in this role, may see more of the incident than its number."""
    if incident.visibility is Visibility.EVERYONE or role >= Role.ADMIN:
        return True
    return person is not None and person in seers(incident)


def seers_column(incident: Incident) -> str:
    """Return `|p1|p7|`, as the incident's row keeps it; nothing where everyone may see."""
    if incident.visibility is Visibility.EVERYONE:
        return ""
    return _AROUND + _AROUND.join((*sorted(seers(incident)), ""))


def is_among(column: str, person: PersonId | None) -> bool:
    """Whether the person is among those that `seers_column` wrote down."""
    return person is not None and f"{_AROUND}{person}{_AROUND}" in column


def sentence(number: str) -> str:
    """What is said to somebody who may not see it."""
    return (
        f"{number} is restricted: its owner, reporter, caller, watchers, those named and admins see it."
        " Nothing was done; ask one of them, or an admin."
    )
