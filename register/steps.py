"""Escalation policies as matrix.toml writes them: `[policies.NAME]`, its steps, and whom a step tells."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field

from register.length import Period

KINDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "person": "a person of [people]",
        "rota": "whoever is on call by a rota",
        "team": "everybody in a team",
        "lead": "who leads a team",
        "supplier": "a supplier of vendors.toml: it is engaged",
    }
)
"""What may stand before the colon of a target, and what it means."""
OWN: Final = ("oncall", "team", "lead")
"""Targets of the team that owns the incident: who is on call by its rota, all of it, who leads it."""
_NAMED: Final = re.compile(r"([a-z]+):([a-z0-9][a-z0-9_-]{0,39})")
LEAST, MOST = timedelta(minutes=1), timedelta(minutes=9000)


def _target(said: str) -> str:
    found = _NAMED.fullmatch(said)
    if said in OWN or (found is not None and found[1] in KINDS):
        return said
    raise ValueError(
        f"{said!r} is nobody that could be told: write {', '.join(OWN)} (of the owning team), or"
        " rota:NAME, person:NAME, team:NAME, lead:NAME, supplier:NAME"
    )


def _wait(length: timedelta) -> timedelta:
    if not LEAST <= length <= MOST:
        raise ValueError("is not between 1m and 9000m")
    return length


def _listed(given: Any) -> Any:
    return (given,) if isinstance(given, str) else given


TargetText = Annotated[str, AfterValidator(_target)]
"""`rota:app-ops`, `person:ana`, `team:net-ops`, `lead:net-ops`, `supplier:acme`; `oncall`, `team`, `lead`."""
Wait = Annotated[Period, AfterValidator(_wait)]
_Often = Annotated[int, Field(strict=True, ge=0, le=9)]


class Step(BaseModel, frozen=True, extra="forbid"):
    """One step: all of `to` are told at once; then so long nobody else is.

    remind: so many times they are told again, each after `wait`, before the next step.
    all_ack: each of them is to acknowledge; the first one stops the escalation, the others are reminded.
    """

    to: Annotated[tuple[TargetText, ...], BeforeValidator(_listed), Field(min_length=1, max_length=12)]
    wait: Wait = timedelta(minutes=5)
    remind: _Often = 0
    all_ack: Annotated[bool, Field(strict=True)] = False


_Priority = Annotated[str, Field(pattern="^P[1-5]$")]
ACK_TIMEOUT: Final[Mapping[str, timedelta]] = MappingProxyType(
    {"P1": timedelta(minutes=30), "P2": timedelta(hours=2)}
)


class EscalationPolicy(BaseModel, frozen=True, extra="forbid"):
    """`[policies.NAME]`: who is told in which order.

    repeat: so many times it begins again after its last step; then those with authority are told.
    ack_timeout: by priority, after how long an acknowledged incident asks again whether anybody is on it.
    """

    about: Annotated[str, Field(max_length=400)] = ""
    steps: Annotated[tuple[Step, ...], Field(min_length=1, max_length=20)]
    repeat: _Often = 1
    ack_timeout: Mapping[_Priority, Wait] = Field(default_factory=lambda: dict(ACK_TIMEOUT))
