"""How often a supplier is asked for news, and how many requests it may get: tables, and laws of a minute."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.breaker import TRIPS_AT, after_poll, asked_until
from integrations.budget import after_spending, room_at, room_left
from integrations.errors import RateLimited, Unavailable
from integrations.pacing import Pace, Scene, Why, is_working, pace_of
from register.calendars import Calendar
from register.clocks.definition import Contract
from register.policy import DEFAULT_MATRIX, Team
from register.store.vendors import Standing

NOW = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)  # a Friday
FASTEST = timedelta(seconds=15)


def ago(**time: float) -> datetime:
    return NOW - timedelta(**time)


@pytest.mark.parametrize(
    ("scene", "seconds", "why"),
    [
        (Scene(ago(seconds=10)), 15, Why.HOT),
        (Scene(ago(minutes=5)), 60, Why.WARM),
        (Scene(ago(minutes=30), urgent=True), 30, Why.URGENT),
        (Scene(ago(hours=1)), 120, Why.REST),
        (Scene(), 120, Why.REST),
        (Scene(working=False), 600, Why.NIGHT),
        (Scene(urgent=True, working=False), 30, Why.URGENT),
        (Scene(ago(seconds=10), working=False), 15, Why.HOT),
        (Scene(open_bonds=False), 600, Why.IDLE),
        (Scene(ago(seconds=10), failures=1), 30, Why.TROUBLE),
        (Scene(ago(seconds=10), failures=3), 120, Why.TROUBLE),
        (Scene(ago(seconds=10), failures=99), 300, Why.TROUBLE),
        (Scene(working=False, failures=1), 600, Why.TROUBLE),
        (Scene(ago(seconds=10), rings=True), 120, Why.RINGS),
        (Scene(ago(seconds=10), rings=True, urgent=True), 30, Why.URGENT),
        (Scene(ago(seconds=10), rings=True, open_bonds=False), 600, Why.IDLE),
        (Scene(ago(seconds=10), rings=True, working=False), 600, Why.NIGHT),
        (Scene(ago(seconds=10), rings=True, failures=1), 120, Why.TROUBLE),
    ],
)
def test_the_pace_follows_how_things_stand(scene: Scene, seconds: int, why: Why) -> None:
    assert pace_of(scene, FASTEST, NOW) == Pace(timedelta(seconds=seconds), why)


@given(
    st.builds(
        Scene,
        active_at=st.none() | st.datetimes(timezones=st.just(UTC)),
        urgent=st.booleans(),
        open_bonds=st.booleans(),
        working=st.booleans(),
        failures=st.integers(0, 10**6),
        rings=st.booleans(),
    ),
    st.floats(1, 3600),
)
def test_the_pace_is_never_faster_than_asked_for_nor_slower_than_a_quarter_of_an_hour(
    scene: Scene, seconds: float
) -> None:
    fastest = timedelta(seconds=seconds)
    every = pace_of(scene, fastest, NOW).every
    assert fastest <= every <= max(fastest, timedelta(minutes=15))


OFFICE = Calendar(hours=("Mon-Fri 08:00-17:00",))


@pytest.mark.parametrize(
    ("contract", "teams", "hour", "works"),
    [
        (None, {}, 3, True),  # nobody says when they work: always
        (None, {"day": "office"}, 12, True),
        (None, {"day": "office"}, 3, False),
        (None, {"day": "office", "night": "24x7"}, 3, True),
        ("office", {"night": "24x7"}, 3, False),  # theirs decides, where it is known
        ("24x7", {"day": "office"}, 3, True),
    ],
)
def test_it_is_night_by_the_suppliers_contract_else_by_our_teams(
    contract: str | None, teams: dict[str, str], hour: int, works: bool
) -> None:
    matrix = DEFAULT_MATRIX.model_copy(
        update={
            "calendars": {"office": OFFICE},
            "teams": {name: Team(name=name, hours=hours) for name, hours in teams.items()},
            "contracts": {}
            if contract is None
            else {"acme": Contract(calendar=contract, acknowledge={}, update={}, fix={})},
        }
    )
    assert is_working(matrix, "acme", NOW.replace(hour=hour)) is works


@given(st.integers(1, 600), st.lists(st.floats(0, 90), max_size=300))
def test_no_minute_has_more_requests_than_are_allowed(allowed: int, waits: list[float]) -> None:
    now, spent, made = NOW, None, []
    for wait in waits:
        now += timedelta(seconds=wait / allowed)
        if room_left(allowed, spent, now):
            spent = after_spending(allowed, spent, 1, now)
            made.append(now)
    for begin in made:
        assert sum(begin <= at < begin + timedelta(minutes=1) for at in made) <= allowed


@given(st.integers(1, 600), st.integers(1, 600))
def test_there_is_room_again_exactly_when_it_is_told(allowed: int, count: int) -> None:
    spent = after_spending(allowed, None, count, NOW)
    at = room_at(allowed, spent)
    assert room_left(allowed, spent, max(NOW, at)) >= 1
    if at > NOW:
        assert room_left(allowed, spent, at - timedelta(milliseconds=1)) == 0


def test_what_a_clock_that_ran_ahead_has_spent_holds_nobody() -> None:
    ahead = after_spending(60, None, 10, NOW + timedelta(days=1))
    assert room_left(60, ahead, NOW) == 6
    assert after_spending(60, ahead, 1, NOW) < NOW + timedelta(seconds=2)
    assert after_spending(1, None, 1_000, NOW) == NOW + timedelta(minutes=15)  # and no operation holds longer


def test_a_poll_keeps_only_what_the_supplier_itself_asks_for() -> None:
    wait = timedelta(hours=1)
    limited = after_poll(Standing(), RateLimited("slow down", wait), NOW)
    assert (limited.failures, limited.not_before, limited.why) == (0, NOW + wait, "slow down")
    assert after_poll(Standing(), Unavailable("503", wait), NOW).not_before == NOW + wait
    assert after_poll(Standing(failures=2), Unavailable("503"), NOW) == Standing(failures=2)
    assert after_poll(limited, RateLimited("again", timedelta(seconds=1)), NOW).not_before == NOW + wait


def test_a_wait_of_theirs_holds_polls_back_and_one_of_ours_does_not() -> None:
    later = NOW + timedelta(minutes=1)
    assert asked_until(Standing(not_before=later), NOW) == later
    assert asked_until(Standing(not_before=later), later) is None
    assert asked_until(Standing(failures=TRIPS_AT, not_before=later), NOW) is None
    assert asked_until(Standing(), NOW) is None
