"""What vendors.toml says of the practice supplier."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import Field

from integrations.connector import Theirs
from integrations.mapping import Mapping, Priorities, States
from register.incident import Priority
from register.text import Name

_STATES: Final = {
    "Open": Theirs.NEW,
    "Working": Theirs.WORKING,
    "Needs customer": Theirs.WAITS_FOR_US,
    "Fixed": Theirs.FIXED,
    "Closed": Theirs.CLOSED,
    "Declined": Theirs.REFUSED,
}
_PRIORITIES: Final = {
    Priority.CRITICAL: "Urgent",
    Priority.HIGH: "High",
    Priority.MODERATE: "Normal",
    Priority.LOW: "Low",
    Priority.PLANNING: "Low",
}


class PracticeConfig(Mapping):
    """The keys of a [vendor.NAME] block that only the practice supplier has."""

    queue: Annotated[Name, Field(description="where our tickets go there")] = "Support"
    states: States = _STATES
    priorities: Priorities = _PRIORITIES
