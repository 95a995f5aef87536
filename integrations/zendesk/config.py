"""What vendors.toml says of a supplier that runs Zendesk Support."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Final, Literal

from pydantic import BeforeValidator, Field, StringConstraints

from integrations.addresses import FileHosts
from integrations.connector import Theirs
from integrations.mapping import Closing, Fielded, States, Transitions
from register.incident import Priority
from register.text import Name


class ZendeskPriority(StrEnum):
    """How urgent a ticket is, in Zendesk's own words."""

    URGENT = "urgent"
    HIGH = "high"
    NORMAL = "normal"
    LOW = "low"


_STATES: Final = {
    "new": Theirs.NEW,
    "open": Theirs.WORKING,
    "pending": Theirs.WAITS_FOR_US,
    "hold": Theirs.WORKING,
    "solved": Theirs.FIXED,
    "closed": Theirs.CLOSED,
}
"""All there are: with custom statuses, too, a ticket's `status` is one of these, their category."""
_TRANSITIONS: Final = {Theirs.CLOSED: "solved"}
"""What is closed can never be changed again, so we solve: Zendesk closes it by itself some days later."""
_PRIORITIES: Final = {
    Priority.CRITICAL: ZendeskPriority.URGENT,
    Priority.HIGH: ZendeskPriority.HIGH,
    Priority.MODERATE: ZendeskPriority.NORMAL,
    Priority.LOW: ZendeskPriority.LOW,
    Priority.PLANNING: ZendeskPriority.LOW,
}
KEPT_UNDER: Final = {"group": "group_id", "form": "ticket_form_id", "brand": "brand_id"}
"""In `fields`: no custom field, but what Zendesk keeps a ticket under by itself, and its key there."""


def _numbered(given: object) -> object:
    return str(given) if type(given) is int else given


Number = Annotated[str, BeforeValidator(_numbered), StringConstraints(pattern=r"^[1-9][0-9]{0,18}$")]
TheirField = Annotated[
    str, BeforeValidator(_numbered), StringConstraints(pattern=r"^([1-9][0-9]{0,18}|group|form|brand)$")
]
Id = Annotated[int, Field(strict=True, gt=0)]
Ours = Annotated[Priority, Field(strict=False)]


class ClosingByNumber(Closing, frozen=True):
    """What must go with solving a ticket: custom fields, by number."""

    field: Annotated[Number | Literal[""], Field(description="number of their field for how it ended")] = ""
    fields: dict[Number, Name] = Field(
        default_factory=dict, description="numbers of further fields, and what always stands in them"
    )


class ZendeskConfig(Fielded):
    """The keys of a [vendor.NAME] block that only Zendesk has."""

    user: Annotated[
        str,
        StringConstraints(pattern=r"^([^\s:@]+@[^\s:@]+)?$", max_length=200),
        Field(description="e-mail address of our account, whose API token is stored; empty with oauth2"),
    ] = ""
    group: Annotated[
        Id | None, Field(description="number of the group that our tickets go to; left out: theirs decide")
    ] = None
    organization: Annotated[
        Id | None,
        Field(description="number of our organization there: then its tickets that others made are heard"),
    ] = None
    states: States = _STATES
    transitions: Transitions = _TRANSITIONS
    priorities: Annotated[
        dict[Ours, ZendeskPriority],
        Field(description="our priority, 1 to 5 → theirs: urgent, high, normal or low"),
    ] = _PRIORITIES
    fields: dict[Name, TheirField] = Field(
        default_factory=dict,
        description="our name → the number of their custom field: names of `entitlement` (the rest is in the "
        'text), impact, urgency, category, service; the last two may be "group", "form" or "brand", too',
    )
    close: Annotated[ClosingByNumber, Field(description="what must go with solving one of their tickets")] = (
        ClosingByNumber()
    )
    file_hosts: FileHosts = ()
    internal_comments: Annotated[
        bool, Field(description="true if internal notes are to be heard, and may be written")
    ] = False
