"""What vendors.toml says of a supplier that runs Request Tracker."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import Field, StringConstraints

from integrations.connector import Theirs
from integrations.mapping import Fielded, NumberMatrix, States, Transitions
from integrations.markup.formats import TextFormat
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


class RtConfig(Fielded):
    """The keys of a [vendor.NAME] block that only Request Tracker has."""

    queue: Annotated[Name, Field(description="the queue that our tickets go to")]
    reference_field: Annotated[
        FieldName,
        Field(description="custom field of their tickets for our reference: free text, on the queue"),
    ]
    states: States = _STATES
    transitions: Transitions = _TRANSITIONS
    priorities: Annotated[
        dict[Annotated[Priority, Field(strict=False)], int],
        Field(description="our priority, 1 to 5 → theirs, a number"),
    ] = _PRIORITIES
    impact_urgency: NumberMatrix = Field(default_factory=dict)
    requestor: Annotated[
        str,
        StringConstraints(pattern=r"^([^\s:@<>,]+@[^\s:@<>,]+)?$", max_length=200),
        Field(description="e-mail address in whose name tickets are made; RT sets none by itself"),
    ] = ""
    fields: dict[Name, FieldName] = Field(
        default_factory=dict,
        description="our name → their custom field: names of `entitlement` (the rest is in the text), "
        'impact, urgency, category, service; "Queue" is the queue itself',
    )
    format: Annotated[
        Literal[TextFormat.TEXT, TextFormat.HTML],
        Field(description="what our texts are sent as: text or html"),
    ] = TextFormat.TEXT
    internal_comments: Annotated[
        bool,
        Field(description="true if they show internal comments to our account: hear and write them"),
    ] = False
