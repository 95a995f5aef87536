"""Property (d) of the domain, as far as there are timers: ticking often is ticking once, late."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from register.core import Policy
from register.desk import ServiceDesk
from register.incident import HoldReason, State
from register.store import Store
from register.topics.hold import PutOnHold
from register.verify import verify
from register.watch import tick
from tests.conftest import Clock
from tests.register.saying import ANA, fixed, log, story

BEGIN = datetime(2026, 3, 28, 20, 0, tzinfo=UTC)  # clocks go forward that night
END = timedelta(days=8)
LIFE = st.lists(st.integers(1, 3000) | st.none(), min_size=1, max_size=6)
"""For each incident: minutes that it is on hold, or None for one that is resolved."""


def lived(store: Store, life: list[int | None], steps: list[int]) -> list[tuple[State, list[str]]]:
    """Let these incidents be, tick after each of these minutes and at the end; how they stand then."""
    clock = Clock(BEGIN)
    desk = ServiceDesk(store, Policy(), clock)
    for minutes in life:
        number = log(desk)
        if minutes is None:
            desk.do(ANA, fixed(number))
        else:
            until = clock.now + timedelta(minutes=minutes)
            desk.do(ANA, PutOnHold(target=number, reason=HoldReason.CHANGE, until=until))
    for minute in sorted(steps):
        clock.now = max(clock.now, BEGIN + timedelta(minutes=minute))
        tick(desk, clock.now)
    clock.now = max(clock.now, BEGIN + END)
    tick(desk, clock.now)
    assert tick(desk, clock.now) == 0
    assert verify(store).faults == []
    return [(one.state, story(desk, one.number)) for one in store.incidents(everything=True)]


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(life=LIFE, steps=st.lists(st.integers(0, 11_000), max_size=12))
def test_property_d_ticking_often_is_ticking_once_late(
    store: Store, emptied: Callable[[Store], None], life: list[int | None], steps: list[int]
) -> None:
    found: list[Any] = []
    for some in (steps, []):
        emptied(store)
        found.append(lived(store, life, some))
    assert found[0] == found[1]
    assert all(state in (State.IN_PROGRESS, State.CLOSED) for state, _ in found[0])
