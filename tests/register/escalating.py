"""For tests of escalation: a matrix with policies, a desk that has adopted it, and short ways to look."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from register.core import Policy
from register.desk import ServiceDesk
from register.incident import Impact, Run, Urgency
from register.matrix_toml import read_matrix
from register.store import Store
from register.topics.steps import StepFired
from register.watch import tick
from tests.conftest import Clock
from tests.register.saying import log, look

BEGIN = datetime(2026, 3, 9, 9, 0, tzinfo=UTC)
PEOPLE = "".join(
    f'[people.{key}]\nname = "{key.title()} Sample"\nlogin = "{key}"\nrole = "coordinator"\n'
    f'teams = ["{team}"]\nreach = ["sms"]\n'
    for key, team in (("ana", "apps"), ("ben", "apps"), ("carl", "nets"), ("dora", "nets"), ("eva", "heads"))
)
MATRIX = f"""
fallback_team = "apps"
default_policy = "usual"
{PEOPLE}
[teams.apps]
name = "Apps"
lead = "ben"
authority = ["eva"]
[teams.nets]
name = "Nets"
lead = "dora"
policy = "pair"
[teams.heads]
name = "Heads"
[policies.usual]
repeat = 1
[[policies.usual.steps]]
to = ["person:ana"]
wait = "5m"
[[policies.usual.steps]]
to = ["lead", "person:carl"]
wait = "10m"
[policies.pair]
repeat = 0
[[policies.pair.steps]]
to = ["team"]
wait = "5m"
all_ack = true
"""


def escalating(store: Store, matrix: str = MATRIX, vendors: Any = None) -> tuple[ServiceDesk, Clock]:
    """A desk by this matrix, and its clock."""
    clock = Clock(BEGIN)
    policy = Policy(matrix=read_matrix(matrix), version=1, vendors=vendors or {})
    return ServiceDesk(store, policy, clock), clock


def urgent(desk: ServiceDesk, **fields: Any) -> str:
    """Log a P1."""
    return log(desk, **({"impact": Impact.HIGH, "urgency": Urgency.HIGH} | fields))


def run_of(desk: ServiceDesk, number: str) -> Run:
    run = look(desk, number).run
    assert run is not None
    return run


def ticks(desk: ServiceDesk, clock: Clock, **passed: float) -> int:
    """Let that much time pass, and tick."""
    clock.passes(**passed)
    return tick(desk, clock.now)


def fired(desk: ServiceDesk, number: str) -> list[tuple[int, str, str]]:
    """Every step that was taken: minutes after the beginning, why, and whom it told."""
    logins = desk.store.logins()
    return [
        (
            round((one.at - BEGIN) / timedelta(minutes=1)),
            one.event.because,
            " ".join(logins[person] for person in one.event.told),
        )
        for one in desk.store.timeline(number)
        if isinstance(one.event, StepFired)
    ]


def told(desk: ServiceDesk, number: str) -> list[str]:
    """The kinds of its events without what a life has anyway."""
    return [one.kind for one in desk.store.timeline(number) if one.kind != "created"]
