"""What vendors.toml says of a supplier that runs Redmine."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import BeforeValidator, Field, StringConstraints

from integrations.connector import Theirs
from integrations.mapping import Closing, Fielded, Priorities, States
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


NO_NUMBERS: Final = ("tracker", "category")
"""In `fields`: no custom fields, but what Redmine keeps a ticket under by itself."""


def _numbered(given: object) -> object:
    return str(given) if type(given) is int else given


TheirField = Annotated[
    str, BeforeValidator(_numbered), StringConstraints(pattern=r"^([1-9][0-9]{0,8}|tracker|category)$")
]
Number = Annotated[str, BeforeValidator(_numbered), StringConstraints(pattern=r"^[1-9][0-9]{0,8}$")]


class ClosingByNumber(Closing, frozen=True):
    """What must go with closing a ticket: custom fields, by number."""

    field: Annotated[Number | Literal[""], Field(description="number of their field for how it ended")] = ""
    fields: dict[Number, Name] = Field(
        default_factory=dict, description="numbers of further fields, and what always stands in them"
    )


class RedmineConfig(Fielded):
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
    fields: dict[Name, TheirField] = Field(
        default_factory=dict,
        description="our name → the number of their custom field: names of `entitlement` (the rest is in the "
        'text), impact, urgency, category, service; the last two may be "tracker" or "category", too',
    )
    close: Annotated[ClosingByNumber, Field(description="what must go with closing one of their tickets")] = (
        ClosingByNumber()
    )
    format: Annotated[
        Literal[TextFormat.TEXTILE, TextFormat.MARKDOWN, TextFormat.TEXT],
        Field(description="what its texts are read as there: textile, markdown (CommonMark), or text"),
    ] = TextFormat.TEXTILE
    internal_comments: Annotated[
        bool,
        Field(description="true if our account may read and write private notes: hear and write them"),
    ] = False
