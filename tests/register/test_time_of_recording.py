"""Edge case 21: whatever the clocks do, times of recording grow with seq, and a step back is on record."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from register.desk import ServiceDesk
from register.topics.notes import Note
from register.verify import verify
from tests.register.saying import ANA, ask, log


def skews(desk: ServiceDesk) -> list[str]:
    return [row.data for row in ask(desk.store, "SELECT data FROM event WHERE stream = 'register'")]


def recorded(desk: ServiceDesk) -> list[str]:
    return [row.recorded_at for row in ask(desk.store, "SELECT recorded_at FROM event ORDER BY seq")]


def test_edge_21_a_clock_that_steps_back_is_held_at_the_newest_event(desk: ServiceDesk, clock: Any) -> None:
    number = log(desk)
    last = clock.now
    clock.passes(hours=-3)
    desk.do(ANA, Note(target=number, text="Written by a host whose clock is wrong."))
    incident = desk.store.incident(number)
    assert incident is not None
    assert incident.updated_at == last
    assert recorded(desk) == sorted(recorded(desk))
    assert verify(desk.store).ok


def test_edge_21_a_step_back_is_recorded_once_until_the_clock_has_caught_up(
    desk: ServiceDesk, clock: Any
) -> None:
    number = log(desk)
    clock.passes(hours=-1)
    for _ in range(3):
        desk.do(ANA, Note(target=number, text="Still behind."))
    assert [json.loads(data)["seconds"] for data in skews(desk)] == [3599]
    clock.passes(hours=2)
    desk.do(ANA, Note(target=number, text="Right again."))
    clock.passes(minutes=-1)
    desk.do(ANA, Note(target=number, text="Wrong again."))
    assert len(skews(desk)) == 2


def test_two_hosts_a_second_apart_are_no_news(desk: ServiceDesk, clock: Any) -> None:
    number = log(desk)
    clock.now -= timedelta(seconds=1)
    desk.do(ANA, Note(target=number, text="A second behind."))
    assert skews(desk) == []
    assert recorded(desk) == sorted(recorded(desk))


def test_edge_21_a_clock_that_was_a_lifetime_ahead_keeps_nobody_from_writing(
    desk: ServiceDesk, clock: Any
) -> None:
    """More seconds than a column of PostgreSQL's holds."""
    clock.now = clock.now.replace(year=2100)
    number = log(desk)
    clock.now = clock.now.replace(year=1970)
    desk.do(ANA, Note(target=number, text="The clock is wrong the other way."))
    assert len(skews(desk)) == 1
    assert verify(desk.store).ok
