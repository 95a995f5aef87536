"""What vendors.toml says of a supplier whose people are on call at PagerDuty."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Final

from pydantic import Field, StringConstraints

from integrations.connector import Theirs
from integrations.mapping import Mapping, Priorities, States, Transitions
from register.incident import Priority


class PdUrgency(StrEnum):
    HIGH = "high"
    LOW = "low"


_STATES: Final = {
    "triggered": Theirs.NEW,
    "acknowledged": Theirs.WORKING,
    "resolved": Theirs.FIXED,
}
_TRANSITIONS: Final = {Theirs.CLOSED: "resolved"}
_PRIORITIES: Final = {priority: f"P{priority.value}" for priority in Priority}
_URGENCIES: Final = {Priority.CRITICAL: PdUrgency.HIGH, Priority.HIGH: PdUrgency.HIGH}


class PagerDutyConfig(Mapping, frozen=True):
    """The keys of a [vendor.NAME] block that only PagerDuty has."""

    service: Annotated[
        str,
        StringConstraints(pattern=r"^[A-Z0-9]{3,40}$"),
        Field(description="id of the service that we call, as in its address there"),
    ]
    user: Annotated[
        str,
        StringConstraints(pattern=r"^[^\s:@]+@[^\s:@]+$", max_length=200),
        Field(description="e-mail address of our account there: each change is made in its name"),
    ]
    states: States = _STATES
    transitions: Transitions = _TRANSITIONS
    priorities: Priorities = _PRIORITIES
    urgencies: Annotated[
        dict[Annotated[Priority, Field(strict=False)], PdUrgency],
        Field(description="our priority, 1 to 5 → how its people are called: high or low; others low"),
    ] = _URGENCIES
    prioritised: Annotated[
        bool, Field(description="false where their account has no priorities: then only urgency is told")
    ] = True
