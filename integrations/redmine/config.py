"""What vendors.toml says of a supplier that runs Redmine."""

from __future__ import annotations

from typing import Annotated, Final, Self

from pydantic import BaseModel, Field, StringConstraints, model_validator

from integrations.connector import Theirs
from register.incident import Priority
from register.text import Name

_STATES: Final = {
    "New": Theirs.NEW,
    "In Progress": Theirs.WORKING,
    "Resolved": Theirs.FIXED,
    "Feedback": Theirs.WAITS_FOR_US,
    "Closed": Theirs.CLOSED,
    "Rejected": Theirs.REFUSED,
}
"""Redmine's own default data, in English."""
_PRIORITIES: Final = {
    Priority.CRITICAL: "Immediate",
    Priority.HIGH: "Urgent",
    Priority.MODERATE: "High",
    Priority.LOW: "Normal",
    Priority.PLANNING: "Low",
}
Identifier = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_-]{1,100}$")]


class RedmineConfig(BaseModel, frozen=True, extra="forbid"):
    """The keys of a [vendor.NAME] block that only Redmine has."""

    project: Annotated[
        Identifier,
        Field(description="identifier of the project that our tickets go to, as its address has it"),
    ]
    reference_field: Annotated[
        int,
        Field(strict=True, gt=0, description="number of the custom field for our reference: text, a filter"),
    ]
    tracker: Annotated[Name, Field(description="the tracker of our tickets")] = "Support"
    states: Annotated[
        dict[Name, Theirs],
        Field(description="their status → new, working, waits_for_us, fixed, closed or refused"),
    ] = _STATES
    transitions: Annotated[
        dict[Theirs, Name],
        Field(description="what we want → the status to set, where not the first in `states` that means it"),
    ] = {}
    priorities: Annotated[
        dict[Annotated[Priority, Field(strict=False)], Name],
        Field(description="our priority, 1 to 5 → theirs"),
    ] = _PRIORITIES
    internal_comments: Annotated[
        bool,
        Field(description="true if our account may read and write private notes: hear and write them"),
    ] = False

    @model_validator(mode="after")
    def _transitions_are_states(self) -> Self:
        for raw in self.transitions.values():
            if raw not in self.states:
                raise ValueError(f"transitions name {raw!r}, which `states` does not: add it there")
        return self

    def raw_state(self, to: Theirs) -> str | None:
        """Their word for a state that we want, if there is one."""
        chosen = self.transitions.get(to)
        return chosen or next((raw for raw, means in self.states.items() if means is to), None)

    def meaning(self, raw: str) -> Theirs:
        return self.states.get(raw, Theirs.UNMAPPED)
