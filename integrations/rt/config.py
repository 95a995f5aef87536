"""What vendors.toml says of a supplier that runs Request Tracker."""

from __future__ import annotations

from typing import Annotated, Final, Self

from pydantic import BaseModel, Field, StringConstraints, model_validator

from integrations.connector import Theirs
from register.incident import Priority
from register.text import Name

_STATES: Final = {
    "new": Theirs.NEW,
    "open": Theirs.WORKING,
    "stalled": Theirs.WAITS_FOR_US,
    "resolved": Theirs.FIXED,
    "rejected": Theirs.REFUSED,
    "deleted": Theirs.CLOSED,
}
"""RT's own lifecycle `default`."""
_TRANSITIONS: Final = {
    Theirs.WORKING: "open",
    Theirs.WAITS_FOR_US: "stalled",
    Theirs.FIXED: "resolved",
    Theirs.CLOSED: "resolved",  # to delete takes a right that suppliers do not give
    Theirs.REFUSED: "rejected",
}
_PRIORITIES: Final = {
    Priority.CRITICAL: 100,
    Priority.HIGH: 75,
    Priority.MODERATE: 50,
    Priority.LOW: 25,
    Priority.PLANNING: 0,
}
FieldName = Annotated[Name, StringConstraints(pattern=r"^[^{}'\"\\]+$")]


class RtConfig(BaseModel, frozen=True, extra="forbid"):
    """The keys of a [vendor.NAME] block that only Request Tracker has."""

    queue: Annotated[Name, Field(description="the queue that our tickets go to")]
    reference_field: Annotated[
        FieldName,
        Field(description="custom field of their tickets for our reference: free text, on the queue"),
    ]
    states: Annotated[
        dict[Name, Theirs],
        Field(description="their status → new, working, waits_for_us, fixed, closed or refused"),
    ] = _STATES
    transitions: Annotated[
        dict[Theirs, Name],
        Field(description="what we want → the status to set, where not the first in `states` that means it"),
    ] = _TRANSITIONS
    priorities: Annotated[
        dict[Annotated[Priority, Field(strict=False)], int],
        Field(description="our priority, 1 to 5 → theirs, a number"),
    ] = _PRIORITIES
    requestor: Annotated[
        str,
        Field(description="e-mail address in whose name tickets are made; RT sets none by itself"),
    ] = ""
    fields: Annotated[
        dict[Name, FieldName],
        Field(description="of `entitlement`, our name → their custom field; the rest stands in the text"),
    ] = {}
    internal_comments: Annotated[
        bool,
        Field(description="true if they show internal comments to our account: hear and write them"),
    ] = False

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
        return self.states.get(raw, Theirs.UNMAPPED)
