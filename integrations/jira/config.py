"""What vendors.toml says of a supplier that runs Jira: Cloud or Data Center, with a service desk or not."""

from __future__ import annotations

from typing import Annotated, Final, Literal, Self

from pydantic import BeforeValidator, Field, StringConstraints, model_validator

from integrations.connector import Theirs
from integrations.mapping import Closing, Fielded, Priorities, States, wrong
from integrations.markup.formats import TextFormat
from register.incident import Priority
from register.text import Name

_STATES: Final = {
    "To Do": Theirs.NEW,
    "Open": Theirs.NEW,
    "Backlog": Theirs.NEW,
    "Waiting for support": Theirs.WORKING,
    "In Progress": Theirs.WORKING,
    "Work in progress": Theirs.WORKING,
    "In Review": Theirs.WORKING,
    "Escalated": Theirs.WORKING,
    "Pending": Theirs.WORKING,
    "Reopened": Theirs.WORKING,
    "Waiting for customer": Theirs.WAITS_FOR_US,
    "Done": Theirs.FIXED,
    "Resolved": Theirs.FIXED,
    "Completed": Theirs.FIXED,
    "Closed": Theirs.CLOSED,
    "Canceled": Theirs.REFUSED,
    "Declined": Theirs.REFUSED,
}
"""The statuses of the workflows that Jira brings along, in English. Each project may have its own."""
_CATEGORIES: Final[dict[Literal["new", "indeterminate", "done"], Theirs]] = {
    "new": Theirs.NEW,
    "indeterminate": Theirs.WORKING,
    "done": Theirs.FIXED,
}
_PRIORITIES: Final = {
    Priority.CRITICAL: "Highest",
    Priority.HIGH: "High",
    Priority.MODERATE: "Medium",
    Priority.LOW: "Low",
    Priority.PLANNING: "Lowest",
}


def _numbered(given: object) -> object:
    return str(given) if type(given) is int else given


Number = Annotated[str, BeforeValidator(_numbered), StringConstraints(pattern=r"^[1-9][0-9]{0,18}$")]
TheirField = Annotated[
    str,
    StringConstraints(
        pattern=r"^(customfield_[1-9][0-9]{0,9}(:(text|number|option|options))?|components|issuetype)$"
    ),
]
ClosingField = Annotated[str, StringConstraints(pattern=r"^(resolution|customfield_[1-9][0-9]{0,9})$")]
Site = Annotated[str, StringConstraints(pattern=r"^(https://[^\s/?#@]+)?$", max_length=200)]


class ClosingByName(Closing, frozen=True):
    """What must go with closing an issue: fields of the transition's screen."""

    field: Annotated[
        ClosingField | Literal[""], Field(description="their field for how it ended: resolution mostly")
    ] = ""
    fields: dict[ClosingField, Name] = Field(
        default_factory=dict, description="further fields of theirs, and what always stands in them"
    )


class JiraConfig(Fielded):
    """The keys of a [vendor.NAME] block that only Jira has."""

    edition: Annotated[
        Literal["cloud", "datacenter"],
        Field(description="cloud (atlassian.net) or datacenter (a server of theirs)"),
    ] = "cloud"
    project: Annotated[
        str,
        StringConstraints(pattern=r"^[A-Z][A-Z0-9_]{1,99}$"),
        Field(description="key of the project that our issues go to, as OPS in OPS-12"),
    ]
    issue_type: Annotated[Name, Field(description="the type of our issues; with a service desk unused")] = (
        "Task"
    )
    user: Annotated[
        str,
        StringConstraints(pattern=r"^[^\s:]*$", max_length=200),
        Field(description="e-mail address of our account, whose API token it is; empty: a bearer token"),
    ] = ""
    service_desk: Annotated[
        Number | Literal[""], Field(description="number of their service desk, where it is one")
    ] = ""
    request_type: Annotated[
        Number | Literal[""], Field(description="number of the request type of our requests there")
    ] = ""
    site: Annotated[
        Site, Field(description="address for people, where `url` is https://api.atlassian.com/ex/jira/…")
    ] = ""
    states: States = _STATES
    categories_of_states: Annotated[
        dict[Literal["new", "indeterminate", "done"], Theirs],
        Field(description="what a status that `states` does not name means, by its category"),
    ] = _CATEGORIES
    priorities: Priorities = _PRIORITIES
    fields: dict[Name, TheirField] = Field(
        default_factory=dict,
        description="our name → their field: names of `entitlement` (the rest is in the text), impact, "
        'urgency, category, service; as "customfield_10050", ":option", ":options" or ":number" after it '
        'where it is no text; "components" or "issuetype", too',
    )
    close: Annotated[ClosingByName, Field(description="what must go with closing one of their issues")] = (
        ClosingByName()
    )
    internal_comments: Annotated[
        bool, Field(description="true if internal comments are to be heard, and may be written")
    ] = False
    internal_role: Annotated[
        str,
        StringConstraints(pattern=r"^[^\x00-\x1f]*$", max_length=200),
        Field(description="the project role that may read internal comments, where it is no service desk"),
    ] = ""

    @model_validator(mode="after")
    def _desk_and_type(self) -> Self:
        if bool(self.service_desk) != bool(self.request_type):
            key, lacks = (
                ("service_desk", "request_type") if self.service_desk else ("request_type", "service_desk")
            )
            raise wrong(key, f"says nothing without `{lacks}`: write both", self)
        if self.internal_comments and not (self.service_desk or self.internal_role):
            says = "needs `internal_role` where there is no `service_desk`: else all would read them"
            raise wrong("internal_comments", says, self)
        return self

    @property
    def is_cloud(self) -> bool:
        return self.edition == "cloud"

    @property
    def api(self) -> str:
        return "/rest/api/3" if self.is_cloud else "/rest/api/2"

    @property
    def format(self) -> TextFormat:
        """What texts are written and read as; a service desk takes wiki marks in both editions."""
        return TextFormat.ADF if self.is_cloud else TextFormat.JIRA
