"""What vendors.toml says of a supplier whose people are on call at PagerDuty."""

from __future__ import annotations

from collections.abc import Mapping as ReadOnly
from dataclasses import replace
from enum import StrEnum
from typing import Annotated, Any, Final, Self

from pydantic import Field, StringConstraints, model_validator

from integrations.connector import Theirs
from integrations.mapping import Mapping, Priorities, States, Transitions, wrong
from register.incident import Impact, Priority, Urgency
from register.translation import Translation


class PdApi(StrEnum):
    """By what they are spoken to: with a user of ours there, or with the key of an integration alone."""

    INCIDENTS = "incidents"
    EVENTS = "events"


class PdUrgency(StrEnum):
    HIGH = "high"
    LOW = "low"


class PdSeverity(StrEnum):
    """How bad an alert is, in PagerDuty's words."""

    CRITICAL = "critical"
    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


_STATES: Final = {
    "triggered": Theirs.NEW,
    "acknowledged": Theirs.WORKING,
    "resolved": Theirs.FIXED,
}
_TRANSITIONS: Final = {Theirs.CLOSED: "resolved"}
_PRIORITIES: Final = {priority: f"P{priority.value}" for priority in Priority}
_URGENCIES: Final = {Priority.CRITICAL: PdUrgency.HIGH, Priority.HIGH: PdUrgency.HIGH}
_SEVERITIES: Final = {
    Priority.CRITICAL: PdSeverity.CRITICAL,
    Priority.HIGH: PdSeverity.ERROR,
    Priority.MODERATE: PdSeverity.WARNING,
    Priority.LOW: PdSeverity.INFO,
    Priority.PLANNING: PdSeverity.INFO,
}
UNLESS_EVENTS: Final[ReadOnly[str, Any]] = {"unless": {"api": PdApi.EVENTS.value}}
"""Of a key: it is needed, unless another one has this value."""
_NOT_IN_EVENTS: Final[ReadOnly[str, Any]] = {"unused": {"api": PdApi.EVENTS.value}}
"""Of a key: with this value of another one it means nothing, and a new block leaves it out."""


class PagerDutyConfig(Mapping, frozen=True):
    """The keys of a [vendor.NAME] block that only PagerDuty has."""

    api: Annotated[
        PdApi,
        Field(
            strict=False,
            description="incidents, as a user of theirs; or events, with the key of an integration alone",
        ),
    ] = PdApi.INCIDENTS
    service: Annotated[
        str,
        StringConstraints(pattern=r"^([A-Z0-9]{3,40})?$"),
        Field(
            description="id of the service that we call, as in its address there; unused with events",
            json_schema_extra=dict(UNLESS_EVENTS),
        ),
    ] = ""
    user: Annotated[
        str,
        StringConstraints(pattern=r"^([^\s:@]+@[^\s:@]+)?$", max_length=200),
        Field(
            description="e-mail address of our account there: each change is made in its name; unused with"
            " events",
            json_schema_extra=dict(UNLESS_EVENTS),
        ),
    ] = ""
    states: States = _STATES
    transitions: Transitions = _TRANSITIONS
    priorities: Annotated[Priorities, Field(json_schema_extra=dict(_NOT_IN_EVENTS))] = _PRIORITIES
    urgencies: Annotated[
        dict[Annotated[Priority, Field(strict=False)], PdUrgency],
        Field(
            description="our priority, 1 to 5 → how its people are called: high or low; others low",
            json_schema_extra=dict(_NOT_IN_EVENTS),
        ),
    ] = _URGENCIES
    prioritised: Annotated[
        bool,
        Field(
            description="false where their account has no priorities: then only urgency is told",
            json_schema_extra=dict(_NOT_IN_EVENTS),
        ),
    ] = True
    severities: Annotated[
        dict[Annotated[Priority, Field(strict=False)], Annotated[PdSeverity, Field(strict=False)]],
        Field(description="with events: our priority, 1 to 5 → critical, error, warning or info"),
    ] = _SEVERITIES

    @property
    def by_events(self) -> bool:
        return self.api is PdApi.EVENTS

    @model_validator(mode="after")
    def _has_what_its_api_needs(self) -> Self:
        for key in ("service", "user"):
            if not self.by_events and not getattr(self, key):
                means = type(self).model_fields[key].description
                raise wrong(key, f'is missing: add it ({means}), or write api = "events"', self)
        if self.by_events and self.impact_urgency:
            for word in self.impact_urgency.values():
                if word not in list(PdSeverity):
                    says = f"has {word!r}, which is no severity: {', '.join(PdSeverity)}"
                    raise wrong("impact_urgency", says, self.impact_urgency)
        return self

    @property
    def translation(self) -> Translation:
        """With events, what stands for a priority is a severity."""
        told = super().translation
        if not self.by_events or self.impact_urgency:
            return told
        return replace(told, priorities={ours.value: str(word) for ours, word in self.severities.items()})

    def priority_of(self, priority: Priority, impact: Impact | None, urgency: Urgency | None) -> Any:
        if self.by_events and not self.impact_urgency:
            return self.severities.get(priority)
        return super().priority_of(priority, impact, urgency)

    @property
    def unranked(self) -> list[str]:
        if self.by_events and not self.impact_urgency:
            return [str(one) for one in Priority if one not in self.severities]
        return super().unranked
