"""What a matrix says of clocks: conditions, definitions with targets, and suppliers' contracts."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Final, Literal, Self

from pydantic import BaseModel, BeforeValidator, Field, StringConstraints, field_validator, model_validator

from register.clocks.span import seconds_or_days
from register.incident import HoldReason, State

PriorityName = Annotated[str, StringConstraints(pattern=r"^P[1-5]$")]


class Kind(StrEnum):
    SLA = "SLA"  # with the customer
    OLA = "OLA"  # between groups of ours
    UC = "UC"  # an underpinning contract, with a supplier


class Metric(StrEnum):
    RESPONSE = "response"  # logged → acknowledged
    RESOLUTION = "resolution"  # logged → resolved
    UPDATE = "update"  # the caller's last word → our answer
    HANDOVER = "handover"  # a team has it → it leaves the team
    ACKNOWLEDGE = "acknowledge"  # the ticket is there → the supplier's first word
    WORD = "word"  # the supplier's last word → the next one
    FIX = "fix"  # the ticket is there → the supplier says that it is fixed


def _as_tuple(given: Any) -> Any:
    if isinstance(given, str):
        return (given,)
    return tuple(given) if isinstance(given, list) else given


def _priorities(given: Any) -> Any:
    """Facts name a priority by its digit."""
    found = _as_tuple(given)
    return tuple(str(item).upper().removeprefix("P") for item in found) if isinstance(found, tuple) else found


_Some = Annotated[tuple[str, ...] | None, BeforeValidator(_as_tuple)]
Facts = dict[str, str]
"""What is so of an incident (or of a bond) at an instant: by the name of a fact."""


class Condition(BaseModel, frozen=True, extra="forbid"):
    """True where every fact that is given has one of the values given for it."""

    state: Annotated[tuple[State, ...] | None, BeforeValidator(_as_tuple)] = None
    hold: Annotated[tuple[HoldReason, ...] | None, BeforeValidator(_as_tuple)] = None
    priority: Annotated[tuple[Literal["1", "2", "3", "4", "5"], ...] | None, BeforeValidator(_priorities)] = (
        None
    )
    team: _Some = None
    service: _Some = None
    category: _Some = None
    acked: bool | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.model_fields_set:
            raise ValueError(
                "a condition says nothing: give state, hold, priority, team, service or category"
            )
        return self

    def needs(self) -> Needs:
        """The condition as it is tested: which values of which facts."""
        found: Needs = {}
        for name in type(self).model_fields:
            value = getattr(self, name)
            if isinstance(value, bool):
                found[name] = frozenset({"yes" if value else ""})
            elif value is not None:
                found[name] = frozenset(str(item) for item in value)
        return found


Needs = dict[str, frozenset[str]]


def missed(needs: Needs, facts: Facts) -> str | None:
    """The first fact that is not as it is needed; None where all are. What is not known is an empty text."""
    get = facts.get
    for name, values in needs.items():
        if get(name, "") not in values:
            return name
    return None


def holds(needs: Needs, facts: Facts) -> bool:
    """Whether every fact that is needed is so."""
    return missed(needs, facts) is None


def together(*conditions: Needs) -> Needs:
    """The condition that all of these hold."""
    found: Needs = {}
    for needs in conditions:
        for name, values in needs.items():
            found[name] = values & found.get(name, values)
    return found


def possible(needs: Needs) -> bool:
    """Whether anything could fulfil it: a reason to hold means On Hold, and there is no other."""
    found, on_hold = dict(needs), State.ON_HOLD.value
    if "hold" in found and "" not in found["hold"]:
        found["state"] = found.get("state", frozenset({on_hold})) & {on_hold}
    return all(found.values())


class Target(BaseModel, frozen=True, extra="forbid"):
    """How long it may take, and by which calendar (none: the definition's)."""

    within: str
    calendar: str | None = None

    @field_validator("within")
    @classmethod
    def _is_a_length(cls, given: str) -> str:
        seconds_or_days(given)
        return given

    def seconds(self, working_day: int) -> int:
        seconds, days = seconds_or_days(self.within)
        return seconds + days * working_day


def _target(given: Any) -> Any:
    return {"within": given} if isinstance(given, str) else given


Targets = Annotated[
    dict[PriorityName, Annotated[Target, BeforeValidator(_target)]], Field(default_factory=dict)
]

PAUSES: Final[dict[tuple[Kind, Metric], frozenset[HoldReason]]] = {
    (Kind.SLA, Metric.RESPONSE): frozenset(),
    (Kind.SLA, Metric.RESOLUTION): frozenset({HoldReason.CALLER}),
    (Kind.SLA, Metric.UPDATE): frozenset(),
    (Kind.SLA, Metric.HANDOVER): frozenset({HoldReason.CALLER}),
    (Kind.OLA, Metric.RESPONSE): frozenset(HoldReason),
    (Kind.OLA, Metric.RESOLUTION): frozenset(HoldReason),
    (Kind.OLA, Metric.UPDATE): frozenset(HoldReason),
    (Kind.OLA, Metric.HANDOVER): frozenset(HoldReason),
    (Kind.UC, Metric.ACKNOWLEDGE): frozenset({HoldReason.CALLER}),
    (Kind.UC, Metric.WORD): frozenset({HoldReason.CALLER}),
    (Kind.UC, Metric.FIX): frozenset({HoldReason.CALLER}),
}
"""Which holds stop which clock. Waiting for a supplier is our risk, not the customer's: their clock runs on.
A contract's clock stops as well while the supplier waits for us."""


class ClockDefinition(BaseModel, frozen=True, extra="forbid"):
    """`[clocks.NAME]` of matrix.toml: one promise of ours.

    targets: by priority, as `P1 = "4h"` or `P1 = {within = "4h", calendar = "24x7"}`; none: no promise.
    when: for which incidents it is meant (team, service, category, priority); left out: for all.
    pause_on: the holds that stop it, in place of the table's.
    start, stop, pause, resume, cancel, reset: conditions in place of the metric's own.
    retroactive: whether one that starts late counts from the incident's beginning, pauses taken off.
    thresholds: percent of the target at which word is given; 100 is the breach.
    notices: the calendar in whose hours word is given, except of P1; left out: the clock's own.
    """

    kind: Literal[Kind.SLA, Kind.OLA] = Kind.SLA
    metric: Literal[Metric.RESPONSE, Metric.RESOLUTION, Metric.UPDATE, Metric.HANDOVER]
    targets: Targets
    calendar: str = "24x7"
    when: Condition | None = None
    pause_on: Annotated[tuple[HoldReason, ...] | None, BeforeValidator(_as_tuple)] = None
    start: Condition | None = None
    stop: Condition | None = None
    pause: Condition | None = None
    resume: Condition | None = None
    cancel: Condition | None = None
    reset: Condition | None = None
    retroactive: bool = True
    thresholds: tuple[Annotated[int, Field(ge=1, le=100)], ...] = (50, 75, 100)
    notices: str | None = None

    @model_validator(mode="after")
    def _can_pause(self) -> Self:
        if self.pause is not None and self.pause_on is not None:
            raise ValueError("give `pause` or `pause_on`, not both")
        needs = pause_of(self)
        begin = together(START[self.metric] if self.start is None else self.start.needs(), *_when(self))
        if not possible(begin):
            raise ValueError("`start` and `when` can never both be so: the clock would never run")
        if needs is not None and not possible(together(begin, needs)):
            raise ValueError(
                "`start` and `pause` exclude each other: the clock would be cancelled where it should pause."
                ' Let `start` hold while it is paused as well (state = ["New", "In Progress", "On Hold"])'
            )
        return self


class Contract(BaseModel, frozen=True, extra="forbid"):
    """`[contracts.VENDOR]` of matrix.toml: what a supplier has promised us, by our priority.

    acknowledge: until their first word; update: between two words of theirs; fix: until they say it is fixed.
    services: for which of our services it stands behind our promise; left out: for all.
    beyond_promise: why it may take longer than we have promised ourselves; without it that is refused.
    nudge: percent of a target at which they are reminded by themselves; left out: never.
    """

    calendar: str = "24x7"
    acknowledge: Targets
    update: Targets
    fix: Targets
    services: _Some = None
    beyond_promise: str = ""
    thresholds: tuple[Annotated[int, Field(ge=1, le=100)], ...] = (50, 75, 100)
    nudge: tuple[Annotated[int, Field(ge=1, le=99)], ...] = ()

    def targets(self) -> dict[Metric, dict[PriorityName, Target]]:
        return {Metric.ACKNOWLEDGE: self.acknowledge, Metric.WORD: self.update, Metric.FIX: self.fix}


_OPEN: Final = frozenset({State.NEW.value, State.IN_PROGRESS.value, State.ON_HOLD.value})
_DONE: Final = frozenset({State.RESOLVED.value, State.CLOSED.value})
_LIVE: Final[Needs] = {"bond": frozenset({"live"}), "ticket": frozenset({"yes"})}

START: Final[dict[Metric, Needs]] = {
    Metric.RESPONSE: {"state": _OPEN},
    Metric.RESOLUTION: {"state": _OPEN},
    Metric.UPDATE: {"state": _OPEN, "word": frozenset({"caller"})},
    Metric.HANDOVER: {"state": _OPEN, "has_team": frozenset({"yes"})},
    Metric.ACKNOWLEDGE: _LIVE,
    Metric.WORD: _LIVE | {"said": frozenset({"yes"})},
    Metric.FIX: _LIVE,
}
STOP: Final[dict[Metric, tuple[Needs, ...]]] = {
    Metric.RESPONSE: ({"acked": frozenset({"yes"})}, {"state": _DONE}),
    Metric.RESOLUTION: ({"state": _DONE},),
    Metric.UPDATE: ({"word": frozenset({"us"})}, {"state": _DONE}),
    Metric.HANDOVER: ({"state": _DONE},),
    Metric.ACKNOWLEDGE: ({"said": frozenset({"yes"})}, {"fixed": frozenset({"yes"})}),
    Metric.WORD: ({"fixed": frozenset({"yes"})},),
    Metric.FIX: ({"fixed": frozenset({"yes"})},),
}
RESET_BY: Final[dict[Metric, tuple[str, str]]] = {
    Metric.UPDATE: ("word", "caller"),
    Metric.HANDOVER: ("team", ""),
    Metric.WORD: ("said", "yes"),
}
"""A fact that is told again ends the clock and starts the next one; an empty value means any."""
RETURNS: Final = frozenset({Metric.RESOLUTION, Metric.FIX})
"""Metrics whose end can be taken back: the first one stays, and a total one goes on."""
ONCE: Final = frozenset({Metric.RESPONSE, Metric.ACKNOWLEDGE})
"""Metrics that are over for good once they were completed: a first answer is not asked for again."""
VENDOR_WAITS: Final[Needs] = {"ball": frozenset({"ours"})}


def _when(definition: ClockDefinition) -> tuple[Needs, ...]:
    return () if definition.when is None else (definition.when.needs(),)


def pause_of(definition: ClockDefinition) -> Needs | None:
    """The condition under which a clock of ours is paused, if there is one."""
    if definition.pause is not None:
        return definition.pause.needs()
    reasons = definition.pause_on
    if reasons is None:
        reasons = tuple(PAUSES[definition.kind, definition.metric])
    return {"hold": frozenset(reason.value for reason in reasons)} if reasons else None
