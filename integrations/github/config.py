"""What vendors.toml says of a supplier that takes issues on GitHub."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import Field, StringConstraints

from integrations.connector import Theirs
from integrations.mapping import Mapping, Priorities, States, Transitions
from register.incident import Priority
from register.text import Name

OPEN: Final = "open"
COMPLETED: Final = "completed"
REASONS: Final = (COMPLETED, "not_planned", "duplicate")
"""GitHub's own words for why an issue is closed; every other word in `states` is a label."""
_STATES: Final = {
    OPEN: Theirs.NEW,
    "question": Theirs.WAITS_FOR_US,  # a label that new repositories have: "further information is requested"
    COMPLETED: Theirs.FIXED,
    "not_planned": Theirs.REFUSED,
    "duplicate": Theirs.REFUSED,
}
_TRANSITIONS: Final = {Theirs.CLOSED: COMPLETED}
_PRIORITIES: Final = {priority: f"P{priority.value}" for priority in Priority}


class GitHubConfig(Mapping):
    """The keys of a [vendor.NAME] block that only GitHub has."""

    repository: Annotated[
        str,
        StringConstraints(pattern=r"^[A-Za-z0-9-]{1,39}/[A-Za-z0-9._-]{1,100}$"),
        Field(description="the repository whose issues they are: owner/name"),
    ]
    states: States = _STATES
    transitions: Transitions = _TRANSITIONS
    priorities: Priorities = _PRIORITIES
    label: Annotated[str, Field(max_length=50, description="a label that every issue of ours gets")] = ""
    account: Annotated[
        Name | None,
        Field(description="the account's login, where its token cannot ask for it, as my-app[bot]"),
    ] = None

    @property
    def state_labels(self) -> tuple[str, ...]:
        """The words of `states` that are labels, in their order."""
        return tuple(word for word in self.states if word != OPEN and word not in REASONS)

    def raw_state(self, to: Theirs) -> str | None:
        """Their word for a state that we want: an issue without a label for "working" is simply open."""
        found = super().raw_state(to)
        return OPEN if found is None and to is Theirs.WORKING and OPEN in self.states else found

    def word(self, is_open: bool, reason: str | None, labels: set[str]) -> str:
        """An issue's state in one word: why it is closed, else the first label that means a state."""
        if not is_open:
            return reason or COMPLETED
        return next((one for one in self.state_labels if one in labels), OPEN)

    def ranked(self, labels: set[str]) -> str:
        """The label among these that is a priority; empty if there is none."""
        return next((str(one) for one in self.theirs if one in labels), "")
