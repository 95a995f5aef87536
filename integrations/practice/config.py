"""What vendors.toml says of the practice supplier."""

from __future__ import annotations

from typing import Annotated, Final, Literal, Self

from pydantic import Field, model_validator

from integrations.connector import Theirs
from integrations.mapping import Fielded, Priorities, States, wrong
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


class PracticeConfig(Fielded):
    """The keys of a [vendor.NAME] block that only the practice supplier has."""

    queue: Annotated[Name, Field(description="where our tickets go there")] = "Support"
    states: States = _STATES
    priorities: Priorities = _PRIORITIES
    fields: dict[Name, Literal["queue"]] = Field(  # type: ignore[assignment]  # it has no other
        default_factory=dict, description='category or service, where their queue goes by it: "queue"'
    )

    @model_validator(mode="after")
    def _it_asks_for_a_word_alone(self) -> Self:
        if self.close.field or self.close.fields:
            raise wrong("close", "names a field, and the practice supplier has none: take it out", self.close)
        return self
