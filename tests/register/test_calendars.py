"""Business hours: the vectors of the field, the changes of the clocks, and laws."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from register.calendars import ALWAYS, OFFICE, Calendar, moment_of, seconds_of, wall

HOUR = 3600
NEW_YORK = ZoneInfo("America/New_York")
LORD_HOWE = ZoneInfo("Australia/Lord_Howe")


def utc(text: str) -> int:
    return seconds_of(datetime.fromisoformat(text).replace(tzinfo=UTC))


def local(zone: str, text: str, fold: int = 0) -> int:
    return wall(ZoneInfo(zone), datetime.fromisoformat(text).replace(fold=fold))


def test_vector_v1_a_weekend_between() -> None:
    begin, now = utc("2025-12-12T21:00"), utc("2025-12-15T09:30")
    assert OFFICE.ready.between(begin, now) == 1.5 * HOUR
    assert ALWAYS.ready.between(begin, now) == 60.5 * HOUR
    target = 8 * HOUR
    assert 100 * OFFICE.ready.between(begin, now) / target == 18.75
    assert 100 * ALWAYS.ready.between(begin, now) / target == 756.25


def test_vector_v2_due_on_the_next_day() -> None:
    hours = Calendar(hours="Mon-Fri 09:00-18:00").ready
    assert hours.after(utc("2026-03-02T16:00"), 8 * HOUR) == utc("2026-03-03T15:00")
    used = hours.between(utc("2026-03-02T16:00"), utc("2026-03-02T17:00"))
    assert hours.after(utc("2026-03-03T10:00"), 8 * HOUR - used) == utc("2026-03-03T17:00")


def test_vector_v3_over_night() -> None:
    hours = Calendar(hours="Mon-Fri 09:00-17:00").ready
    begin, now = utc("2026-03-02T14:00"), utc("2026-03-03T09:00")
    assert (hours.between(begin, now), now - begin) == (3 * HOUR, 19 * HOUR)


@pytest.mark.parametrize(
    ("wanted", "found", "offset"),
    [("2020-10-04T02:15", "2020-10-04T02:30", "11:00"), ("2021-04-04T02:30", "2021-04-04T02:30", "10:30")],
)
def test_vector_v4_and_edge_1_a_time_in_the_gap_is_the_first_instant_behind_it(
    wanted: str, found: str, offset: str
) -> None:
    at = datetime.fromtimestamp(wall(LORD_HOWE, datetime.fromisoformat(wanted)), LORD_HOWE)
    assert at.isoformat() == f"{found}:00+{offset}"


def test_vector_v8_days_of_23_and_25_hours() -> None:
    night = Calendar(zone="America/New_York", hours="Sun 00:00-08:00").ready
    day = Calendar(zone="America/New_York", hours="Mon-Sun 08:00-17:00").ready
    for text, length in (("2026-03-08", 7), ("2026-11-01", 9)):
        begin = local("America/New_York", f"{text}T00:00")
        end = local("America/New_York", f"{text}T08:00")
        assert night.between(begin, end) == length * HOUR
        assert day.between(begin, begin + 86_400) == 9 * HOUR


def test_edge_1_a_window_that_begins_in_the_gap_begins_behind_it() -> None:
    hours = Calendar(zone="America/New_York", hours="Sun 02:30-04:00").ready
    assert hours.between(utc("2026-03-08T00:00"), utc("2026-03-09T00:00")) == HOUR
    gone = Calendar(zone="America/New_York", hours="Sun 02:15-02:45").ready
    assert gone.between(utc("2026-03-08T00:00"), utc("2026-03-09T00:00")) == 0


def test_edge_2_a_window_in_the_fold_is_open_from_the_first_to_the_last() -> None:
    hours = Calendar(zone="America/New_York", hours="Sun 01:00-01:30").ready
    assert hours.between(utc("2026-11-01T00:00"), utc("2026-11-02T00:00")) == 1.5 * HOUR
    two = Calendar(zone="America/New_York", hours=["Sun 00:00-01:30", "Sun 01:30-03:00"]).ready
    assert two.between(utc("2026-11-01T00:00"), utc("2026-11-02T00:00")) == 4 * HOUR


def test_edge_2_midnight_that_comes_twice_is_counted_once() -> None:
    hours = Calendar(zone="America/Havana", hours="Mon-Sun 00:00-24:00").ready
    begin, end = utc("2026-10-25T00:00"), utc("2026-11-08T00:00")  # Havana goes back from 01:00 to 00:00
    assert hours.between(begin, end) == end - begin
    saturday = Calendar(zone="America/Havana", hours="Sat 00:00-24:00").ready
    assert saturday.between(utc("2026-10-26T00:00"), utc("2026-11-02T00:00")) == 24 * HOUR


def test_edge_3_working_days_are_days_of_the_wall_clock() -> None:
    hours = Calendar(zone="America/New_York", hours="Mon-Sun 09:00-17:00").ready
    begin = local("America/New_York", "2026-03-07T09:00")
    due = hours.after(begin, 2 * 8 * HOUR)
    assert due == local("America/New_York", "2026-03-08T17:00")
    assert due - begin == 31 * HOUR


def test_edge_4_differences_are_taken_in_utc() -> None:
    begin = datetime(2026, 3, 8, 0, 0, tzinfo=NEW_YORK)
    end = datetime(2026, 3, 8, 8, 0, tzinfo=NEW_YORK)
    assert (end - begin).total_seconds() == 8 * HOUR, "what Python says, and why it is not asked"
    assert ALWAYS.ready.between(seconds_of(begin), seconds_of(end)) == 7 * HOUR


def test_edge_23_a_holiday_is_closed_and_half_a_day_is_half_open() -> None:
    hours = Calendar(
        zone="Europe/Oslo",
        hours="Mon-Fri 08:00-16:00",
        holidays="NO",
        closed=["2026-12-24 12:00-24:00", "2026-12-28..2026-12-30"],
    ).ready
    week = [
        hours.between(local("Europe/Oslo", f"{day}T00:00"), local("Europe/Oslo", f"{day}T23:59")) // HOUR
        for day in (date(2026, 12, 23) + timedelta(days=n) for n in range(9))
    ]
    assert week == [8, 4, 0, 0, 0, 0, 0, 0, 8], "23rd to 31st: half an eve, the 25th, a weekend, ours"
    assert hours.after(local("Europe/Oslo", "2026-12-24T11:00"), 2 * HOUR) == local(
        "Europe/Oslo", "2026-12-31T09:00"
    )


@pytest.mark.parametrize("year", [1970, 2000, 2024, 2100])
def test_leap_days_and_far_years(year: int) -> None:
    begin, end = utc(f"{year}-02-01T00:00"), utc(f"{year}-03-01T00:00")
    leap = year in (2000, 2024)
    days = sum((date(year, 2, n)).weekday() < 5 for n in range(1, 30 if leap else 29))
    assert OFFICE.ready.between(begin, end) == days * 9 * HOUR
    assert OFFICE.ready.after(begin, days * 9 * HOUR) <= end
    assert ALWAYS.ready.between(begin, end) == (29 if leap else 28) * 24 * HOUR


def test_a_hundred_and_thirty_years_are_counted_in_a_moment() -> None:
    assert OFFICE.ready.between(utc("1970-01-01T00:00"), utc("2100-01-01T00:00")) == sum(
        9 * HOUR for n in range(47_482) if (date(1970, 1, 1) + timedelta(days=n)).weekday() < 5
    )


def test_a_window_past_midnight_belongs_to_the_day_it_begins_on() -> None:
    hours = Calendar(hours="Fri 22:00-06:00").ready
    assert hours.between(utc("2026-03-06T00:00"), utc("2026-03-09T00:00")) == 8 * HOUR
    assert hours.opening(utc("2026-03-06T12:00")) == utc("2026-03-06T22:00")
    around = Calendar(hours="Fri-Mon 10:00-11:00").ready
    assert around.between(utc("2026-03-02T00:00"), utc("2026-03-09T00:00")) == 4 * HOUR


def test_a_calendar_that_never_opens_again_says_so() -> None:
    shut = Calendar(
        hours="Mon 08:00-09:00", closed=[f"{y}-01-01..{y + 9}-12-31" for y in range(2020, 2060, 10)]
    )
    assert shut.ready.after(utc("2026-01-01T00:00"), HOUR) is None
    assert shut.ready.opening(utc("2026-01-01T00:00")) is None


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({}, "no opening time"),
        ({"hours": "Mon 8-17"}, "write Mon-Fri 08:00-17:00"),
        ({"hours": "Mon 08:00-25:00"}, "no time of a day"),
        ({"hours": "Mon 08:00-08:00"}, "no time at all"),
        ({"hours": "Mon 08:00-17:00", "zone": "Mars/Olympus"}, "Europe/Oslo"),
        ({"hours": "Mon 08:00-17:00", "zone": "../../etc/passwd"}, "Europe/Oslo"),
        ({"hours": "Mon 08:00-17:00", "closed": "24.12."}, "write 2026-12-24"),
        ({"hours": "Mon 08:00-17:00", "closed": "2026-12-24 17:00-12:00"}, "ends before it begins"),
        ({"hours": "Mon 08:00-17:00", "closed": "2026-12-24..2025-12-24"}, "before the first"),
        ({"hours": "Mon 08:00-17:00", "closed": "2026-02-30"}, "day"),
        ({"always": True, "hours": "Mon 08:00-17:00"}, "round the clock"),
        ({"hours": "Mon 08:00-17:00", "holidays": "Norway"}, "pattern"),
        ({"hours": "Mon 08:00-17:00", "opens": "08:00"}, "not permitted"),
    ],
)
def test_a_calendar_that_cannot_be_read_is_refused(given: dict[str, object], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        Calendar.model_validate(given)


def test_countries_are_those_of_the_library() -> None:
    assert Calendar(hours="Mon 08:00-17:00", holidays="DE/BY").faults() == []
    for name in ("XX", "DE/ZZ"):
        (fault,) = Calendar(hours="Mon 08:00-17:00", holidays=name).faults()
        assert name in fault


ZONE = st.sampled_from(["UTC", "Europe/Oslo", "America/New_York", "Australia/Lord_Howe", "America/Havana"])
CLOCK = st.integers(0, 1440).map(lambda n: f"{n // 60:02}:{n % 60:02}")
DAYS = st.sampled_from(["Mon-Fri", "Sat", "Sun", "Fri-Mon", "Mon-Sun", "Wed"])
LINE = (
    st.tuples(DAYS, CLOCK, CLOCK)
    .filter(lambda one: one[1] not in (one[2], "24:00"))
    .map(lambda one: f"{one[0]} {one[1]}-{one[2]}")
)
CALENDAR = st.builds(
    Calendar,
    zone=ZONE,
    hours=st.lists(LINE, min_size=1, max_size=4).map(tuple),
    closed=st.lists(st.sampled_from(["2026-03-08", "2026-10-25..2026-11-01", "2026-03-29 02:00-12:00"])).map(
        tuple
    ),
)
INSTANT = st.integers(utc("2026-01-01T00:00"), utc("2026-12-31T00:00"))
FAR = st.integers(utc("1970-01-01T00:00"), utc("2100-12-31T00:00"))


@settings(max_examples=200, deadline=None)
@given(CALENDAR, INSTANT, INSTANT, INSTANT)
def test_counting_in_pieces_is_counting_in_one(calendar: Calendar, one: int, two: int, three: int) -> None:
    a, b, c = sorted((one, two, three))
    hours = calendar.ready
    assert hours.between(a, b) + hours.between(b, c) == hours.between(a, c)
    assert 0 <= hours.between(a, c) <= c - a


@settings(max_examples=200, deadline=None)
@given(CALENDAR, FAR, st.integers(1, 60 * 86_400))
def test_what_is_due_after_so_much_time_is_the_first_instant_when_so_much_has_gone(
    calendar: Calendar, begin: int, seconds: int
) -> None:
    hours = calendar.ready
    due = hours.after(begin, seconds)
    if due is None:
        assert hours.between(begin, begin + 366 * 86_400) < 60 * 86_400, "it hardly ever opens"
        return
    assert hours.between(begin, due) == seconds
    assert hours.between(begin, due - 1) == seconds - 1


@settings(max_examples=100, deadline=None)
@given(CALENDAR, INSTANT)
def test_open_or_not_is_what_a_second_of_counting_says(calendar: Calendar, at: int) -> None:
    hours = calendar.ready
    assert hours.is_open(at) == (hours.between(at, at + 1) == 1)
    opening = hours.opening(at)
    if opening is not None:
        assert hours.is_open(opening)
        assert hours.between(at, opening) == 0


@settings(max_examples=100, deadline=None)
@given(ZONE, st.integers(0, 366 * 1440), st.integers(0, 1))
def test_a_wall_time_is_shown_at_its_instant_or_lies_in_a_gap(name: str, minute: int, fold: int) -> None:
    zone, shown = ZoneInfo(name), datetime(2026, 1, 1) + timedelta(minutes=minute)  # noqa: DTZ001
    at = moment_of(wall(zone, shown.replace(fold=fold))).astimezone(zone)
    if at.replace(tzinfo=None, fold=0) != shown:
        before = moment_of(seconds_of(at) - 1).astimezone(zone).replace(tzinfo=None, fold=0)
        assert before < shown < at.replace(tzinfo=None, fold=0), "the first instant behind the gap"


# The domain's vectors that are about wall time (V7 is about escalation)


@pytest.mark.parametrize(
    ("day", "clock", "shown"),
    [
        ("2020-10-04", "02:15", "02:30+11:00"),  # clocks went from 02:00 to 02:30
        ("2021-04-04", "02:30", "02:30+10:30"),
        ("2021-04-05", "02:15", "02:15+10:30"),
    ],
)
def test_v4_a_daily_handoff_at_lord_howe(day: str, clock: str, shown: str) -> None:
    zone = ZoneInfo("Australia/Lord_Howe")
    found = moment_of(wall(zone, datetime.fromisoformat(f"{day}T{clock}"))).astimezone(zone)
    assert found.isoformat(timespec="minutes").removeprefix(f"{day}T") == shown


@pytest.mark.parametrize(
    ("day", "name"), [("2020-10-01", "CDT"), ("2020-11-01", "CDT"), ("2020-12-01", "CST")]
)
def test_v5_a_monthly_handoff_in_chicago_is_at_the_first_of_the_fold(day: str, name: str) -> None:
    zone = ZoneInfo("America/Chicago")
    found = moment_of(wall(zone, datetime.fromisoformat(f"{day}T01:30"))).astimezone(zone)
    assert f"{found:%Y-%m-%d %H:%M %Z}" == f"{day} 01:30 {name}"


def test_v8_nights_and_days_in_new_york_when_clocks_change() -> None:
    zone = ZoneInfo("America/New_York")

    def hours(calendar: Calendar, day: str, end: str) -> float:
        begin = wall(zone, datetime.fromisoformat(f"{day}T00:00"))
        return calendar.ready.between(begin, wall(zone, datetime.fromisoformat(f"{day}T{end}"))) / 3600

    office = Calendar(zone="America/New_York", hours=("Mon-Sun 08:00-17:00",))
    for day, night in (("2026-03-08", 7), ("2026-11-01", 9)):
        assert hours(ALWAYS, day, "08:00") == night
        assert hours(office, day, "23:00") == 9
