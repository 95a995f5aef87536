"""What vendors.toml says of a supplier that runs Zammad."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import Field, StringConstraints

from integrations.connector import Theirs
from integrations.mapping import Fielded, States, Transitions
from register.incident import Priority
from register.text import Name

MERGED: Final = "merged"
_STATES: Final = {
    "new": Theirs.NEW,
    "open": Theirs.WORKING,
    "pending reminder": Theirs.WAITS_FOR_US,
    "pending close": Theirs.WAITS_FOR_US,
    "closed": Theirs.FIXED,
}
"""Zammad's own; `merged` is no state, but a ticket that goes on as another. `pending close` is closed by
itself when its time has come, unless somebody says a word before: it is not closed yet, and ours to say."""
_PENDING: Final = {"pending reminder": 7, "pending close": 7}
_TRANSITIONS: Final = {Theirs.FIXED: "closed", Theirs.CLOSED: "closed"}
_PRIORITIES: Final = {
    Priority.CRITICAL: "3 high",
    Priority.HIGH: "3 high",
    Priority.MODERATE: "2 normal",
    Priority.LOW: "1 low",
    Priority.PLANNING: "1 low",
}
Days = Annotated[int, Field(ge=1, le=365)]
Attribute = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,63}$")]


class ZammadConfig(Fielded):
    """The keys of a [vendor.NAME] block that only Zammad has."""

    group: Annotated[Name, Field(description="the group that our tickets go to")]
    reference_field: Annotated[
        Attribute,
        Field(description="name of the text attribute of their tickets for our reference, as muster_ref"),
    ]
    customer: Annotated[
        str, Field(max_length=200, description="our e-mail address there, where our account is an agent's")
    ] = ""
    states: States = _STATES
    transitions: Transitions = _TRANSITIONS
    pending: Annotated[
        dict[Name, Days],
        Field(description="their state that takes a time with it → how many days on that is, when we set it"),
    ] = _PENDING
    priorities: Annotated[
        dict[Annotated[Priority, Field(strict=False)], Name],
        Field(description="our priority, 1 to 5 → theirs, by its name"),
    ] = _PRIORITIES
    fields: dict[Name, Attribute] = Field(
        default_factory=dict,
        description="our name → their attribute of tickets: names of `entitlement`, impact, urgency, "
        "category, service",
    )
    article_type: Annotated[
        Literal["note", "web"],
        Field(description="as what our texts stand there: note, or web, which counts as a customer's word"),
    ] = "note"
    internal_comments: Annotated[
        bool,
        Field(description="true if our account is an agent's: hear and write internal articles"),
    ] = False
