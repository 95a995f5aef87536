"""What vendors.toml says of a supplier that is reached by Opsgenie."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import Field, StringConstraints

from integrations.connector import Theirs
from integrations.mapping import Mapping, States, Transitions
from register.incident import Priority
from register.text import Name

OPEN, ACKNOWLEDGED, CLOSED = "open", "acknowledged", "closed"
_STATES: Final = {OPEN: Theirs.NEW, ACKNOWLEDGED: Theirs.WORKING, CLOSED: Theirs.FIXED}
_TRANSITIONS: Final = {Theirs.CLOSED: CLOSED}
_PRIORITIES: Final = {priority: f"P{priority.value}" for priority in Priority}
Word = Literal["P1", "P2", "P3", "P4", "P5"]


class OpsgenieConfig(Mapping):
    """The keys of a [vendor.NAME] block that only Opsgenie has."""

    states: States = _STATES
    transitions: Transitions = _TRANSITIONS
    priorities: Annotated[
        dict[Annotated[Priority, Field(strict=False)], Word],
        Field(description="our priority, 1 to 5 → theirs, P1 to P5"),
    ] = _PRIORITIES  # type: ignore[assignment]  # each of them is one of the five
    team: Annotated[
        str,
        StringConstraints(pattern=r"^[A-Za-z0-9-]{0,64}$"),
        Field(description="id of the team that an alert is for; left out: as their integration routes it"),
    ] = ""
    user: Annotated[Name, Field(description="the name under which we write there")] = "Muster"
    tag: Annotated[Name, Field(description="the tag of our alerts, by which they are listed")] = "muster"
