"""Their words and ours: what every connector's block says of states, in the same tables."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import BaseModel, Field, model_validator

from integrations.connector import Theirs
from register.incident import Priority
from register.text import Name

States = Annotated[
    dict[Name, Theirs],
    Field(description="their status → new, working, waits_for_us, fixed, closed or refused"),
]
Transitions = Annotated[
    dict[Theirs, Name],
    Field(description="what we want → the status to set, where not the first in `states` that means it"),
]
Priorities = Annotated[
    dict[Annotated[Priority, Field(strict=False)], Name],
    Field(description="our priority, 1 to 5 → theirs"),
]


class Mapping(BaseModel, frozen=True, extra="forbid"):
    """The keys of a [vendor.NAME] block by which words are translated; a connector adds its own."""

    states: States
    transitions: Transitions = {}

    @model_validator(mode="after")
    def _transitions_are_states(self) -> Self:
        for raw in self.transitions.values() if "transitions" in self.model_fields_set else ():
            if raw not in self.states:
                raise ValueError(f"transitions name {raw!r}, which `states` does not: add it there")
        return self

    def raw_state(self, to: Theirs) -> str | None:
        """Their word for a state that we want, if there is one."""
        chosen = self.transitions.get(to)
        if chosen in self.states:
            return chosen
        return next((raw for raw, means in self.states.items() if means is to), None)

    def meaning(self, raw: str) -> Theirs:
        """What their word means to us."""
        return self.states.get(raw, Theirs.UNMAPPED)
