"""Rotas by their rules: the vectors of the field, the changes of the clocks, and what the rules mean."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from register.calendars import seconds_of, wall
from register.rota import Rota, ShiftRule
from register.rotation import Rotation, Unit

MINUTE = 60
STARTED = datetime.fromisoformat("2011-12-20")
TURNING = ("Australia/Lord_Howe", "America/Chicago", "America/Havana", "Europe/Oslo", "Pacific/Apia", "UTC")


def at(zone: str, text: str, fold: int = 0) -> int:
    return wall(ZoneInfo(zone), datetime.fromisoformat(text).replace(fold=fold))


def rotation(zone: str, unit: Unit, start: str, every: int = 1) -> Rotation:
    return Rotation(ZoneInfo(zone), unit, every, datetime.fromisoformat(start))


def handovers(zone: str, found: Rotation, begin: str, end: str) -> list[str]:
    edges = sorted(found.edges(at(zone, begin), at(zone, end)))
    return [datetime.fromtimestamp(edge, ZoneInfo(zone)).isoformat(" ", "minutes") for edge in edges]


def rota(zone: str = "UTC", **rule: object) -> Rota:
    return Rota.model_validate({"zone": zone, "shifts": [rule]})


# The vectors


def test_vector_v4_a_handover_that_the_clocks_skip_is_at_the_first_instant_after_the_gap() -> None:
    turning = rotation("Australia/Lord_Howe", "daily", "2020-10-01 02:15")
    assert handovers("Australia/Lord_Howe", turning, "2020-10-03 00:00", "2020-10-06 00:00") == [
        "2020-10-03 02:15+10:30",
        "2020-10-04 02:30+11:00",
        "2020-10-05 02:15+11:00",
    ]
    back = rotation("Australia/Lord_Howe", "daily", "2021-04-01 02:30")
    assert handovers("Australia/Lord_Howe", back, "2021-04-03 00:00", "2021-04-06 00:00") == [
        "2021-04-03 02:30+11:00",
        "2021-04-04 02:30+10:30",
        "2021-04-05 02:30+10:30",
    ]


def test_vector_v5_of_a_time_that_comes_twice_the_handover_is_at_the_first() -> None:
    monthly = rotation("America/Chicago", "monthly", "2020-10-01 01:30")
    assert handovers("America/Chicago", monthly, "2020-10-01 00:00", "2020-12-31 00:00") == [
        "2020-10-01 01:30-05:00",
        "2020-11-01 01:30-05:00",
        "2020-12-01 01:30-06:00",
    ]


@pytest.mark.parametrize(
    ("hours", "day", "length"),
    [
        ("Sun 00:00-08:00", "2026-03-08", 7),
        ("Sun 00:00-08:00", "2026-11-01", 9),
        ("Sun 08:00-17:00", "2026-03-08", 9),
        ("Sun 08:00-17:00", "2026-11-01", 9),
    ],
)
def test_vector_v8_a_shift_is_as_long_as_the_clocks_make_it(hours: str, day: str, length: int) -> None:
    rules = rota("America/New_York", people=["ana"], hours=hours).ready
    begin = at("America/New_York", f"{day} 00:00")
    covered = sum(bool(rules.who(begin + minute * MINUTE)) for minute in range(26 * 60))
    assert covered == length * 60


def test_a_shift_that_ends_in_the_hour_that_comes_twice_overlaps_the_next_and_leaves_no_gap() -> None:
    rules = Rota.model_validate(
        {
            "zone": "America/New_York",
            "shifts": [
                {"people": ["ana"], "hours": "Sat 18:00-01:30"},
                {"people": ["ben"], "hours": "Sun 01:30-12:00"},
            ],
        }
    ).ready
    first, last = (at("America/New_York", "2026-11-01 01:30", fold) for fold in (0, 1))
    assert [rules.who(one) for one in (first - 1, first, last - 1, last)] == [
        ("ana",),
        ("ana", "ben"),
        ("ana", "ben"),
        ("ben",),
    ]


# Rotations


def test_daily_is_the_same_time_of_each_day_and_never_so_many_hours() -> None:
    turning = rotation("Europe/Oslo", "daily", "2026-03-27 09:00")
    begins = [turning.begins(turn) for turn in range(4)]
    assert [(later - earlier) // 3600 for earlier, later in pairwise(begins)] == [24, 23, 24]


def test_hourly_turns_stay_with_the_wall_clock() -> None:
    turning = rotation("Europe/Oslo", "hourly", "2026-10-24 20:00", every=4)
    assert [
        when[11:] for when in handovers("Europe/Oslo", turning, "2026-10-24 20:00", "2026-10-25 13:00")
    ] == [
        "20:00+02:00",
        "00:00+02:00",
        "04:00+01:00",
        "08:00+01:00",
        "12:00+01:00",
    ]


@pytest.mark.parametrize(("unit", "start"), [("daily", "2026-10-20 02:30"), ("hourly", "2026-10-20 00:30")])
def test_who_has_handed_over_is_not_on_call_again_when_the_clocks_go_back(unit: Unit, start: str) -> None:
    handed = at("Europe/Oslo", "2026-10-25 02:30")
    again = at("Europe/Oslo", "2026-10-25 02:10", fold=1)  # later, though the clocks show less
    before, after, later = (
        rotation("Europe/Oslo", unit, start).turn(one) for one in (handed - 1, handed, again)
    )
    assert before is not None
    assert before + 1 == after == later


def test_a_month_that_is_too_short_hands_over_on_its_last_day() -> None:
    turning = rotation("UTC", "monthly", "2026-01-31 08:00")
    assert [when[:10] for when in handovers("UTC", turning, "2026-01-01 00:00", "2026-05-01 00:00")] == [
        "2026-01-31",
        "2026-02-28",
        "2026-03-31",
        "2026-04-30",
    ]


def test_before_its_start_a_rotation_has_nobody_and_then_everybody_in_turn() -> None:
    rules = rota(people=["ana", "ben", "cat"], rotate="weekly", every=2, start="2026-11-02 09:00").ready
    start = at("UTC", "2026-11-02 09:00")
    week = 7 * 86400
    assert rules.who(start - 1) == ()
    assert [rules.who(start + week * n) for n in range(7)] == [
        (who,) for who in ("ana", "ana", "ben", "ben", "cat", "cat", "ana")
    ]


def test_somebody_may_have_two_turns_and_fixed_people_are_on_call_together() -> None:
    rules = rota(people=["ana", "ben", "ana"], rotate="daily", start="2026-11-02").ready
    noon = at("UTC", "2026-11-02 12:00")
    assert [rules.who(noon + 86400 * n)[0] for n in range(4)] == ["ana", "ben", "ana", "ana"]
    assert rota(people=["ben", "ana"]).ready.who(noon) == ("ben", "ana")


def test_hours_over_midnight_and_a_rotation_hold_together() -> None:
    rules = rota(people=["ana", "ben"], rotate="daily", start="2026-11-02 12:00", hours="Mon-Fri 22:00-06:00")
    nights = [rules.ready.who(at("UTC", f"2026-11-{day:02} 02:00")) for day in range(2, 10)]
    assert nights == [(), ("ana",), ("ben",), ("ana",), ("ben",), ("ana",), (), ()]


# Laws, against counting each minute


def _shown(zone: ZoneInfo, second: int) -> datetime:
    return datetime.fromtimestamp(second, zone).replace(tzinfo=None, fold=0)


_TURNS = st.tuples(
    st.sampled_from(TURNING),
    st.sampled_from(["hourly", "daily", "weekly", "monthly"]),
    st.integers(1, 5),
    st.integers(0, 12 * 24 * 4).map(lambda quarters: STARTED + quarters * timedelta(minutes=15)),
    st.sampled_from(["2011-12-29", "2026-03-08", "2026-03-29", "2026-04-05", "2026-10-04", "2026-10-25"]),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(_TURNS)
def test_a_turn_begins_when_the_clocks_first_show_its_time_or_a_later_one(given: tuple) -> None:
    name, unit, every, start, day = given
    zone = ZoneInfo(name)
    turning = Rotation(zone, unit, every, start)
    begin = seconds_of(datetime.fromisoformat(day).replace(tzinfo=UTC)) - 86400
    latest = max(_shown(zone, begin - back * MINUTE) for back in range(0, 1500, 15))
    asked = Rotation(zone, unit, every, start)
    for second in range(begin, begin + 3 * 86400, 15 * MINUTE):
        latest = max(latest, _shown(zone, second))
        turn = asked.turn(second)
        if turn is None:
            assert latest < start
            continue
        assert turning._wall_time(turn) <= latest < turning._wall_time(turn + 1)
        assert turning.begins(turn) <= second < turning.begins(turn + 1)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(_TURNS)
def test_edges_are_where_the_turn_changes(given: tuple) -> None:
    name, unit, every, start, day = given
    turning = Rotation(ZoneInfo(name), unit, every, start)
    begin = seconds_of(datetime.fromisoformat(day).replace(tzinfo=UTC)) - 86400
    edges = turning.edges(begin, begin + 4 * 86400)
    for second in range(begin + MINUTE, begin + 4 * 86400, MINUTE * 15):
        moved = turning.turn(second) != turning.turn(second - 1)
        assert moved == (second in edges)
    assert all(turning.turn(edge) != turning.turn(edge - 1) for edge in edges)


def test_it_is_not_walked_from_the_start() -> None:
    turning = rotation("Europe/Oslo", "hourly", "1970-01-01 00:00")
    asked: list[int] = []
    begins = turning.begins
    turning.begins = lambda turn: asked.append(turn) or begins(turn)  # type: ignore[method-assign,func-returns-value]
    days = datetime.fromisoformat("2026-11-28") - datetime.fromisoformat("1970-01-01")
    assert turning.turn(at("Europe/Oslo", "2026-11-28 12:10")) == 24 * days.days + 12
    assert len(asked) < 5


# What a rule may say


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        ({"people": ["ana"], "rotate": "daily"}, "add start"),
        ({"people": ["ana"], "start": "2026-11-02"}, 'add rotate = "weekly"'),
        ({"people": ["ana"], "rotate": "daily", "start": "soon"}, "as 2026-11-02 09:00"),
        ({"people": ["ana"], "rotate": "daily", "start": "2026-11-02T09:00Z"}, "zone of its own"),
        ({"people": ["ana", "ana"]}, "twice"),
        ({"people": []}, "at least 1"),
        ({"people": ["ana"], "hours": "Mon 25:00-26:00"}, "no time of a day"),
        (
            {"people": ["ana"], "every": 0, "rotate": "daily", "start": "2026-11-02"},
            "greater than or equal to 1",
        ),
    ],
)
def test_what_cannot_be_meant_is_refused(rule: dict[str, object], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        ShiftRule.model_validate(rule)


def test_a_rota_reads_back_what_it_writes() -> None:
    given = rota(
        "Europe/Oslo", people="ana", rotate="weekly", start=date(2026, 11, 2), hours="Mon 08:00-09:00"
    )
    assert Rota.model_validate(given.model_dump(mode="json")) == given
    assert given.model_dump(mode="json")["shifts"][0]["start"] == "2026-11-02 00:00"
