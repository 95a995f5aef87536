"""What vendors.toml says of a supplier that runs ServiceNow."""

from __future__ import annotations

from typing import Annotated, Final, Self
from zoneinfo import available_timezones

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from integrations.connector import Theirs
from integrations.mapping import Closing, Fielded, Priorities, States, Transitions, wrong
from register.incident import Priority, ResolutionCode
from register.text import Name
from register.translation import EVERY, WITHDRAWN

DISPLAY: Final = "Muster"
"""What we write into `correlation_display`: by it our incidents are told from all others."""
_STATES: Final = {
    "New": Theirs.NEW,
    "In Progress": Theirs.WORKING,
    "On Hold": Theirs.WORKING,
    "On Hold: Awaiting Caller": Theirs.WAITS_FOR_US,
    "On Hold: Awaiting Problem": Theirs.WORKING,
    "On Hold: Awaiting Vendor": Theirs.WORKING,
    "On Hold: Awaiting Change": Theirs.WORKING,
    "Resolved": Theirs.FIXED,
    "Closed": Theirs.CLOSED,
    "Canceled": Theirs.REFUSED,
}
_CODES: Final = {
    "New": "1",
    "In Progress": "2",
    "On Hold": "3",
    "On Hold: Awaiting Caller": "3/1",
    "On Hold: Awaiting Problem": "3/3",
    "On Hold: Awaiting Vendor": "3/4",
    "On Hold: Awaiting Change": "3/5",
    "Resolved": "6",
    "Closed": "7",
    "Canceled": "8",
}
_TRANSITIONS: Final = {Theirs.CLOSED: "Resolved"}
"""Closing is theirs: what was resolved closes by itself some days later, and can be reopened until then."""
_PRIORITIES: Final = {
    Priority.CRITICAL: "1 - Critical",
    Priority.HIGH: "2 - High",
    Priority.MODERATE: "3 - Moderate",
    Priority.LOW: "4 - Low",
    Priority.PLANNING: "5 - Planning",
}
_GRADES: Final = {
    "1 - Critical": "1/1",
    "2 - High": "1/2",
    "3 - Moderate": "2/2",
    "4 - Low": "2/3",
    "5 - Planning": "3/3",
}
_ENDS: Final = {
    ResolutionCode.WORKAROUND.value: "Workaround provided",
    WITHDRAWN: "Resolved by caller",
    EVERY: "Solution provided",
}


def _zone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError("is no time zone: write it like Europe/Oslo")
    return name


def _condition(query: str) -> str:
    """Refuse what would break out of the condition that we put around it."""
    if "ORDERBY" in query or "^NQ" in query or not query.isprintable():
        raise ValueError(
            "must be conditions alone: without ORDERBY and ^NQ, which would change what is heard"
        )
    return query


SysId = Annotated[str, StringConstraints(pattern=r"^([0-9a-f]{32})?$")]
Column = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,79}$")]
Code = Annotated[str, StringConstraints(pattern=r"^-?[A-Za-z0-9_]{1,40}(/[A-Za-z0-9_]{1,40})?$")]
Grade = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,2}/[0-9]{1,2}$")]


class ClosingIncident(Closing, frozen=True):
    """What must go with resolving an incident: columns of theirs."""

    field: Annotated[str, Field(description="their column for how it ended")] = "close_code"
    codes: dict[Name, Name] = Field(
        default_factory=lambda: dict(_ENDS),
        description='how it ended, as fixed_permanent, withdrawn, or "*" for all others → their code',
    )
    fields: dict[Column, Name] = Field(
        default_factory=dict, description="further columns of theirs, and what always stands in them"
    )


class ServiceNowConfig(Fielded):
    """The keys of a [vendor.NAME] block that only ServiceNow has."""

    user: Annotated[
        str,
        StringConstraints(pattern=r"^[^:\x00-\x1f]*$", max_length=100),
        Field(description="name of our account, whose password is stored; empty with oauth2"),
    ] = ""
    account: Annotated[
        str, StringConstraints(max_length=100), Field(description="its name, with oauth2, if it may not ask")
    ] = ""
    caller: Annotated[SysId, Field(description="sys_id of the person that our incidents are for")] = ""
    assignment_group: Annotated[
        SysId, Field(description="sys_id of the group that they go to; empty: their rules decide")
    ] = ""
    listen: Annotated[
        str,
        AfterValidator(_condition),
        StringConstraints(min_length=3, max_length=500),
        Field(description="encoded query of the incidents that are listened to"),
    ] = f"correlation_display={DISPLAY}"
    query_zone: Annotated[
        str, AfterValidator(_zone), Field(description="time zone in which a query's times are read there")
    ] = "UTC"
    audit: Annotated[
        bool,
        Field(
            description="false where our account may not read sys_audit: then the last state alone is told"
        ),
    ] = True
    states: States = _STATES
    state_codes: Annotated[
        dict[Name, Code], Field(description='their status → its value, with a reason on hold as "3/1"')
    ] = _CODES
    transitions: Transitions = _TRANSITIONS
    priorities: Priorities = _PRIORITIES
    grades: Annotated[
        dict[Name, Grade],
        Field(description="their priority, which begins with its value → impact/urgency that make it"),
    ] = _GRADES
    fields: dict[Name, Column] = Field(
        default_factory=dict,
        description="our name → their column: names of `entitlement` (the rest is in the text), impact, "
        "urgency, category, service; a reference takes a sys_id",
    )
    close: Annotated[ClosingIncident, Field(description="what must go with resolving an incident")] = (
        ClosingIncident()
    )
    internal_comments: Annotated[
        bool, Field(description="true if work notes are to be heard, and may be written")
    ] = False

    @model_validator(mode="after")
    def _all_have_values(self) -> Self:
        for raw in self.states:
            if raw not in self.state_codes:
                says = f'names {raw!r}, which has no value: add it to `state_codes` ("{raw}" = "2")'
                raise wrong("states", says, self.states)
        for word in self.theirs:
            if word not in self.grades:
                says = f'name {word!r}, which nothing makes: add it to `grades` ("{word}" = "1/2")'
                raise wrong("priorities", says, self.theirs)
        return self

    def code_of(self, raw: str) -> tuple[str, str]:
        """The values of a status of theirs: state, and reason on hold or nothing."""
        state, _, reason = self.state_codes[raw].partition("/")
        return state, reason

    def raw_of(self, state: str, reason: str) -> str:
        """Their status by its values; by the state alone where no reason of theirs is named."""
        words = {code: raw for raw, code in reversed(self.state_codes.items())}
        return words.get(f"{state}/{reason}") or words.get(state) or f"state {state}"

    def held_for(self, reason: str) -> str | None:
        """Their status for a reason on hold by itself."""
        ends = f"/{reason}"
        return next((raw for raw, code in self.state_codes.items() if reason and code.endswith(ends)), None)

    def level_of(self, value: str) -> str:
        """Their priority by its value, which its word begins with."""
        return next((str(word) for word in self.grades if word.split(" ", 1)[0] == value), value)
