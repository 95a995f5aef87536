"""What vendors.toml says of the practice supplier."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import BaseModel, Field

from integrations.connector import Theirs
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


class PracticeConfig(BaseModel, extra="forbid", frozen=True):
    """The keys of a [vendor.NAME] block that only the practice supplier has."""

    queue: Annotated[Name, Field(description="where our tickets go there")] = "Support"
    states: Annotated[
        dict[Name, Theirs],
        Field(description="their state → new, working, waits_for_us, fixed, closed or refused"),
    ] = _STATES
    priorities: Annotated[
        dict[Annotated[Priority, Field(strict=False)], Name],
        Field(description="our priority, 1 to 5 → theirs"),
    ] = _PRIORITIES
