"""What vendors.toml says of a status page at Statuspage (Atlassian)."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Final

from pydantic import Field, StringConstraints

from integrations.connector import Theirs
from integrations.mapping import Fielded, States, Transitions
from register.incident import Priority
from register.text import Name

COMPONENT: Final = "component"
"""In `fields`: the component that an incident of the page is about."""


class PageImpact(StrEnum):
    """How bad an incident is, in the page's own words."""

    NONE = "none"
    MINOR = "minor"
    MAJOR = "major"
    CRITICAL = "critical"


class ComponentStatus(StrEnum):
    """How a component does, in the page's own words."""

    OPERATIONAL = "operational"
    MAINTENANCE = "under_maintenance"
    DEGRADED = "degraded_performance"
    PARTIAL = "partial_outage"
    MAJOR = "major_outage"


_STATES: Final = {
    "investigating": Theirs.NEW,
    "identified": Theirs.WORKING,
    "monitoring": Theirs.FIXED,
    "resolved": Theirs.CLOSED,
}
"""All states of an incident that is no planned maintenance."""
_PRIORITIES: Final = {
    Priority.CRITICAL: PageImpact.CRITICAL,
    Priority.HIGH: PageImpact.MAJOR,
    Priority.MODERATE: PageImpact.MINOR,
    Priority.LOW: PageImpact.MINOR,
    Priority.PLANNING: PageImpact.NONE,
}
Ours = Annotated[Priority, Field(strict=False)]


class StatuspageConfig(Fielded):
    """The keys of a [vendor.NAME] block that only Statuspage has."""

    page: Annotated[
        str,
        StringConstraints(pattern=r"^[A-Za-z0-9]{1,40}$"),
        Field(description="the page's id, as in manage.statuspage.io/pages/ID"),
    ]
    states: States = _STATES
    transitions: Transitions = Field(default_factory=dict)
    priorities: Annotated[
        dict[Ours, PageImpact],
        Field(description="our priority, 1 to 5 → theirs: none, minor, major or critical"),
    ] = _PRIORITIES
    component_status: dict[Ours, ComponentStatus] = Field(
        default_factory=dict,
        description="our priority → how the component does meanwhile: degraded_performance, "
        "partial_outage, major_outage, …; operational again once resolved",
    )
    notify: Annotated[bool, Field(description="whether its subscribers are told of each word")] = True
    fields: dict[Name, Name] = Field(
        default_factory=dict,
        description='{ service = "component" } where service_names has the ids of its components',
    )
