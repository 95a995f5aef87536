"""What vendors.toml says of a supplier that runs Redmine."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import Field, StringConstraints

from integrations.connector import Theirs
from integrations.mapping import Mapping, Priorities, States
from integrations.markup.formats import TextFormat
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


class RedmineConfig(Mapping):
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
    states: States = _STATES
    priorities: Priorities = _PRIORITIES
    format: Annotated[
        Literal[TextFormat.TEXTILE, TextFormat.MARKDOWN, TextFormat.TEXT],
        Field(description="what its texts are read as there: textile, markdown (CommonMark), or text"),
    ] = TextFormat.TEXTILE
    internal_comments: Annotated[
        bool,
        Field(description="true if our account may read and write private notes: hear and write them"),
    ] = False
