"""Edge 21 and 7: the clock set back and forward again, and an hour without an engine."""

from __future__ import annotations

from datetime import timedelta

from register.auditing import audit
from register.store import Store
from register.topics.steps import StepFired
from register.verify import verify
from register.watch import tick
from tests.register.escalating import escalating, fired, ticks, urgent


def test_a_clock_that_is_set_back_two_hours_and_forward_again_fires_each_step_once(store: Store) -> None:
    desk, clock = escalating(store)
    number = urgent(desk)
    ticks(desk, clock, seconds=1)
    right = clock.now
    clock.now -= timedelta(hours=2)
    for _ in range(10):
        assert ticks(desk, clock, minutes=1) == 0
    clock.now = right + timedelta(minutes=10)
    assert tick(desk, clock.now) == 1
    assert tick(desk, clock.now) == 0
    assert [who for _, _, who in fired(desk, number)] == ["ana", "ben carl"]
    assert audit(store, clock.now).found == []
    assert verify(store).faults == []


def test_after_an_hour_without_an_engine_each_takes_one_step_and_says_how_late(store: Store) -> None:
    desk, clock = escalating(store)
    numbers = [urgent(desk) for _ in range(30)]
    ticks(desk, clock, seconds=1)
    assert ticks(desk, clock, hours=1) == 30
    assert ticks(desk, clock, seconds=1) == 0
    for number in numbers:
        steps = [one.event for one in store.timeline(number) if isinstance(one.event, StepFired)]
        assert [one.late // 60 for one in steps] == [0, 55]
    assert audit(store, clock.now).found == []
