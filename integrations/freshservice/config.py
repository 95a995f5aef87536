"""What vendors.toml says of a supplier that runs Freshservice."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Final, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from integrations.addresses import FileHosts
from integrations.connector import Theirs
from integrations.mapping import Closing, Fielded, States, Transitions, wrong
from register.incident import Priority
from register.text import Name


class FreshPriority(StrEnum):
    """How urgent a ticket is, in Freshservice's own words; it tells them by number."""

    LOW = "Low"
    MEDIUM = "Medium"
    HIGH = "High"
    URGENT = "Urgent"


NUMBERS: Final = {
    FreshPriority.LOW: 1,
    FreshPriority.MEDIUM: 2,
    FreshPriority.HIGH: 3,
    FreshPriority.URGENT: 4,
}
_STATUSES: Final = {"Open": 2, "Pending": 3, "Resolved": 4, "Closed": 5}
"""Those that every account has. What an account adds has a number of its own."""
_STATES: Final = {
    "Open": Theirs.WORKING,
    "Pending": Theirs.WAITS_FOR_US,
    "Resolved": Theirs.FIXED,
    "Closed": Theirs.CLOSED,
}
_PRIORITIES: Final = {
    Priority.CRITICAL: FreshPriority.URGENT,
    Priority.HIGH: FreshPriority.HIGH,
    Priority.MODERATE: FreshPriority.MEDIUM,
    Priority.LOW: FreshPriority.LOW,
    Priority.PLANNING: FreshPriority.LOW,
}
TheirField = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,99}$")]
Id = Annotated[int, Field(strict=True, gt=0)]
Ours = Annotated[Priority, Field(strict=False)]


class ClosingByName(Closing, frozen=True):
    """What must go with closing a ticket: their fields, by the names that their API has for them."""

    field: Annotated[TheirField | Literal[""], Field(description="their field for how it ended")] = ""
    fields: dict[TheirField, Name] = Field(
        default_factory=dict, description="further fields of theirs, and what always stands in them"
    )


class FreshserviceConfig(Fielded):
    """The keys of a [vendor.NAME] block that only Freshservice has."""

    requester: Annotated[
        str,
        StringConstraints(pattern=r"^[^\s:@]+@[^\s:@]+$", max_length=200),
        Field(description="e-mail address of ours in whose name our tickets are: the requester"),
    ]
    reference_field: Annotated[
        TheirField | Literal[""],
        Field(
            description="name of their custom text field of tickets for our reference, as muster_ref; "
            "left out: it goes into the subject"
        ),
    ] = ""
    workspace: Annotated[
        Id | None, Field(description="number of the workspace of our tickets; left out: their primary one")
    ] = None
    group: Annotated[
        Id | None, Field(description="number of the group that our tickets go to; left out: theirs decide")
    ] = None
    department: Annotated[
        Id | None,
        Field(description="number of our department there: then its tickets that others made are heard, too"),
    ] = None
    public_as: Annotated[
        Literal["reply", "note"],
        Field(description="as what our public words go: a reply, which is mailed, too, or a public note"),
    ] = "reply"
    statuses: Annotated[
        dict[Name, Id], Field(description="their statuses → the numbers by which their API tells them")
    ] = _STATUSES
    states: States = _STATES
    transitions: Transitions = Field(default_factory=dict)
    priorities: Annotated[
        dict[Ours, FreshPriority],
        Field(description="our priority, 1 to 5 → theirs: Low, Medium, High or Urgent"),
    ] = _PRIORITIES
    fields: dict[Name, TheirField] = Field(
        default_factory=dict,
        description="our name → their field: names of `entitlement` (the rest is in the text), impact, "
        "urgency, category, service; group, department, category, impact and urgency are their own, all "
        "others are custom fields",
    )
    close: Annotated[ClosingByName, Field(description="what must go with closing one of their tickets")] = (
        ClosingByName()
    )
    file_hosts: FileHosts = ()
    internal_comments: Annotated[
        bool, Field(description="true if private notes are to be heard, and may be written")
    ] = False

    @model_validator(mode="after")
    def _states_have_numbers(self) -> Self:
        for raw in self.states:
            if raw not in self.statuses:
                raise wrong("states", f"name {raw!r}, which has no number: add it to `statuses`", self.states)
        return self

    def status(self, number: int) -> str:
        """Their word for a status; one that vendors.toml does not name means nothing to us."""
        return next((word for word, known in self.statuses.items() if known == number), f"status {number}")


def priority_word(number: int | None) -> str:
    """Their word for a priority's number; the number itself where it is none of theirs."""
    known = next((str(word) for word, one in NUMBERS.items() if one == number), None)
    return known if known is not None else "" if number is None else f"priority {number}"
