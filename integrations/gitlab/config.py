"""What vendors.toml says of a supplier that takes issues on GitLab."""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated, Final, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from integrations.connector import Theirs
from integrations.mapping import Mapping, Priorities, States, Transitions, wrong
from register.incident import Priority

OPENED: Final = "opened"
CLOSED: Final = "closed"
"""GitLab's own two states; every other word in `states` is a label."""
_ENDS: Final = frozenset({Theirs.FIXED, Theirs.CLOSED, Theirs.REFUSED})
_STATES: Final = {OPENED: Theirs.NEW, CLOSED: Theirs.FIXED}
_TRANSITIONS: Final = {Theirs.CLOSED: CLOSED}
_PRIORITIES: Final = {priority: f"P{priority.value}" for priority in Priority}
Project = Annotated[
    str,
    StringConstraints(
        max_length=255, pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)+$"
    ),
]


class GitLabConfig(Mapping):
    """The keys of a [vendor.NAME] block that only GitLab has."""

    project: Annotated[Project, Field(description="the project whose issues they are: group/name")]
    also: Annotated[
        tuple[Project, ...],
        Field(description="projects that they move our issues to: heard, too, by one more request each"),
    ] = ()
    states: States = _STATES
    transitions: Transitions = _TRANSITIONS
    priorities: Priorities = _PRIORITIES
    label: Annotated[str, Field(max_length=255, description="a label that every issue of ours gets")] = ""
    issue_type: Annotated[
        Literal["issue", "incident"], Field(description="as what our issues are made: issue or incident")
    ] = "issue"
    confidential: Annotated[
        bool, Field(description="true if their members alone may see our issues, in a public project, too")
    ] = False
    internal_comments: Annotated[
        bool,
        Field(description="true if our account is a Planner or more: hear and write internal notes"),
    ] = False

    @model_validator(mode="after")
    def _labels_have_no_comma(self) -> Self:
        """GitLab takes them in one line with commas between, and allows none in a label."""
        tables = {"states": self.state_labels, "priorities": self.theirs, "label": (self.label,)}
        for key, labels in tables.items():
            if any("," in str(one) for one in labels):
                raise wrong(key, "has a label with a comma in it, and GitLab has none such", self)
        return self

    @property
    def projects(self) -> tuple[str, ...]:
        """All that are listened to, the one for new issues first."""
        return tuple(dict.fromkeys((self.project, *self.also)))

    @property
    def state_labels(self) -> tuple[str, ...]:
        """The words of `states` that are labels, in their order."""
        return tuple(word for word in self.states if word not in (OPENED, CLOSED))

    def raw_state(self, to: Theirs) -> str | None:
        """Their word for a state that we want: an issue without a label for "working" is simply open."""
        found = super().raw_state(to)
        return OPENED if found is None and to is Theirs.WORKING and OPENED in self.states else found

    def closes(self, word: str) -> bool:
        """Whether an issue of which this is said is closed."""
        return word == CLOSED or (word != OPENED and self.meaning(word) in _ENDS)

    def word(self, is_open: bool, labels: Collection[str]) -> str:
        """An issue's state in one word: the first label that says more of being open, or of being closed."""
        fitting = (one for one in self.state_labels if one in labels and self.closes(one) is not is_open)
        return next(fitting, OPENED if is_open else CLOSED)

    def ranked(self, labels: Collection[str]) -> str:
        """The label among these that is a priority; empty if there is none."""
        return next((str(one) for one in self.theirs if one in labels), "")
