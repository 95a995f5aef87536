"""What templates take of a wish: their fields, and how urgent it is in their words and in ours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from integrations.mapping import unranked
from integrations.rest.templates import OMIT

if TYPE_CHECKING:
    from integrations.connector import Draft, Reprioritise
    from integrations.rest.config import RestConfig
    from integrations.rest.steps import Step
    from register.incident import Priority


class Fields(dict[str, str]):
    """`fields.Contract`, or `fields["Serial number"]`. What is not filled in is left out with its key."""

    def __missing__(self, name: str) -> object:
        return OMIT


def ranked(
    vendor: str, config: RestConfig, steps: Sequence[Step], asked: Draft | Reprioritise, ours: Priority
) -> Mapping[str, Any]:
    """What is told of a priority; refused where a template takes theirs and nothing stands for ours."""
    theirs = config.priority_of(ours, asked.impact, asked.urgency)
    wanted = any(step.mentions("priority") or step.mentions("priority_code") for step in steps)
    if theirs is None and wanted and not config.impact:
        raise unranked(vendor, config, ours)
    return {
        "priority": theirs,
        "priority_code": config.priority_codes.get(str(theirs), theirs),
        "our_priority": ours.value,
        "impact": None if asked.impact is None else str(asked.impact),
        "urgency": None if asked.urgency is None else str(asked.urgency),
        "fields": Fields(asked.fields),
    }
