"""A matrix with three teams, two policies and shifts that do not cover everything; 22:13 UTC is now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from register.duty import Shift
from register.policy import Category, Matrix, Ownership, Person, Service, Team
from register.roster import Roster
from register.rota import Rota
from register.steps import EscalationPolicy, Step
from tests.tui.fakes import NOW, PEOPLE
from tui.matrix_reading import Grid, grid

AT = datetime.fromtimestamp(NOW, UTC)
HOUR = timedelta(hours=1)
PERSONS = {
    "ana": Person(name="Ana Sample", login="ana", teams=("app-ops",)),
    "ben": Person(name="Ben Sample", login="ben", teams=("app-ops",)),
    "carl": Person(name="Carl Long Name", login="carl", teams=("net-ops",)),
    "dan": Person(name="Dan Sample", login="dan", teams=("app-ops", "infra")),
    "eva": Person(name="Eva Sample", login="eva"),
}
MATRIX = Matrix(
    fallback_team="app-ops",
    people=PERSONS,
    teams={
        "app-ops": Team(name="Applications", lead="ben", rota="app", policy="app", authority=("eva",)),
        "net-ops": Team(name="Networks", lead="carl", rota="net", policy="net", authority=("eva",)),
        "infra": Team(name="Infrastructure", rota="infra", policy="app"),
    },
    services={"shop-web": Service(), "edge": Service(), "vpn": Service()},
    categories={"application": Category(team="app-ops"), "network": Category(team="net-ops")},
    ownership=(Ownership(team="infra", service=("edge", "vpn"), category=("network",)),),
    rotas={name: Rota.model_construct() for name in ("app", "net", "infra", "noc")},
    policies={
        "app": EscalationPolicy(
            steps=(
                Step(to=("oncall",), wait=timedelta(minutes=5)),
                Step(to=("lead",), wait=timedelta(minutes=10)),
                Step(to=("rota:infra", "person:dan"), wait=timedelta(minutes=15)),
            )
        ),
        "net": EscalationPolicy(
            steps=(
                Step(to=("oncall",), wait=timedelta(minutes=5)),
                Step(to=("rota:noc",), wait=timedelta(minutes=10), remind=1),
                Step(to=("supplier:nordnet",)),
            ),
            repeat=2,
        ),
    },
)
IDS = {"ana": "p1", "ben": "p2", "dan": "p4"}
SHIFTS: dict[str, tuple[Shift, ...]] = {
    "app": (
        Shift(AT - 2 * HOUR, AT + 10 * HOUR, "p1"),
        Shift(AT + 10 * HOUR, AT + 18 * HOUR, "p4"),
        Shift(AT + 20 * HOUR, AT + 200 * HOUR, "p1"),
    ),
    "noc": (Shift(AT - HOUR, AT + 1000 * HOUR, "carl"),),
}


@dataclass(frozen=True, slots=True)
class SampleRoster(Roster):
    """Shifts as they are written down here."""

    told: Mapping[str, tuple[Shift, ...]] = field(default_factory=dict)

    def on_call(self, rota: str, at: datetime) -> tuple[str, ...]:
        return tuple(one.person for one in self.told.get(rota, ()) if one.begin <= at < one.end)

    def shifts(self, rota: str, begin: datetime, end: datetime) -> tuple[Shift, ...]:
        return tuple(one for one in self.told.get(rota, ()) if one.begin < end and one.end > begin)


def sample(matrix: Matrix = MATRIX, shifts: Mapping[str, Any] = SHIFTS, now: datetime = AT) -> Grid:
    """The matrix as of now."""
    return grid(SampleRoster(matrix, ids=IDS, told=shifts), PEOPLE, now, version=3)
