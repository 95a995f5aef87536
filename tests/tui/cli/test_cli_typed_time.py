"""What people type as a time where calendars are odd: clocks put forward and back, leap days, far years."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from register.filter.fields import FIELDS
from tests.tui.cli_help import Cli
from tui.cli import words
from tui.cli.past import past
from tui.cli.trouble import WrongUse
from tui.typed_time import moment, on_the_wall

EPOCH = datetime(1970, 1, 2, tzinfo=UTC).replace(tzinfo=None)
NOON = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)


@pytest.fixture
def zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """This host in the zone that the test asks for."""
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def in_zone(name: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("zone", [name], indirect=True)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


@in_zone("Europe/Oslo")
@pytest.mark.parametrize("typed", ["2027-03-28 02:00", "2027-03-28 02:30", "2027-03-28 02:59"])
def test_edge_1_a_time_that_the_clocks_skip_is_the_first_after_the_gap(zone: None, typed: str) -> None:
    gaps_end = at("2027-03-28T03:00+02:00")
    assert moment(typed, NOON) == words.when(typed, NOON, "until") == gaps_end
    assert words.when(f"{typed.replace(' ', 'T')}:30", NOON, "until") == gaps_end
    assert moment("2027-03-28 01:59", NOON) == at("2027-03-28T01:59+01:00")
    assert moment("2027-03-28 03:00", NOON) == gaps_end


@in_zone("Australia/Lord_Howe")
def test_edge_1_a_gap_of_half_an_hour(zone: None) -> None:
    assert moment("2020-10-04 02:15", NOON) == at("2020-10-04T02:30+11:00")


@in_zone("America/Havana")
def test_edge_1_a_day_that_begins_with_a_gap(zone: None) -> None:
    assert words.when("2027-03-14", NOON, "until") == at("2027-03-14T01:00-04:00")


@in_zone("Europe/Oslo")
def test_edge_2_of_a_time_that_comes_twice_it_is_the_one_still_to_come(zone: None) -> None:
    first, second = at("2027-10-31T02:30+02:00"), at("2027-10-31T02:30+01:00")
    between = at("2027-10-31T02:40+02:00")
    for typed in ("2027-10-31 02:30", "2027-10-31T02:30:00"):
        assert words.when(typed, NOON, "until") == first
        assert words.when(typed, between, "until") == second
    assert moment("02:30", between) == second
    assert moment("02:50", between) == at("2027-10-31T02:50+02:00")
    assert moment("02:30", second) == at("2027-11-01T02:30+01:00")


@in_zone("Europe/Oslo")
def test_edge_4_two_hours_are_two_hours_when_clocks_change(zone: None) -> None:
    before = at("2027-03-28T01:30+01:00")
    assert moment("+2h", before) == before.astimezone(UTC) + timedelta(hours=2)
    assert words.when("2h", before, "until") == at("2027-03-28T04:30+02:00")


@in_zone("UTC")
def test_a_leap_day_is_there_when_it_is(zone: None) -> None:
    for year in (2028, 2096, 2400):
        assert moment(f"{year}-02-29 10:00", NOON) == datetime(year, 2, 29, 10, tzinfo=UTC)
    eve = datetime(2028, 2, 28, 12, tzinfo=UTC)
    assert moment("10:00", eve) == datetime(2028, 2, 29, 10, tzinfo=UTC)
    assert moment("+1d", eve) == datetime(2028, 2, 29, 12, tzinfo=UTC)
    for year in (2027, 2100, 2200):
        assert moment(f"{year}-02-29 10:00", NOON) is None
        with pytest.raises(WrongUse, match="is no time"):
            words.when(f"{year}-02-29 10:00", NOON, "until")


@pytest.mark.parametrize("year", [1970, 1971, 2038, 2100, 9998])
@in_zone("Europe/Oslo")
def test_years_near_and_far(zone: None, year: int) -> None:
    found = moment(f"{year}-06-30 12:00", NOON)
    assert found is not None
    assert (found.astimezone().year, found.astimezone().hour, found.tzinfo) == (year, 12, UTC)


@pytest.mark.parametrize(
    "typed",
    [
        "0001-01-01 00:00",
        "0001-01-01T00:00+14:00",
        "9999-06-30 12:00",
        "9999-12-31T23:59-12:00",
        "+3000000d",
        "2026-11-27T24:01",
        "0000-01-01 00:00",
    ],
)
@in_zone("Pacific/Kiritimati")
def test_what_no_calendar_has_is_wrong_use(zone: None, typed: str) -> None:
    assert moment(typed, NOON) is None
    with pytest.raises(WrongUse, match="is no time: write"):
        words.when(typed, NOON, "until")


@given(st.datetimes(EPOCH, EPOCH.replace(year=2100)))
def test_what_the_clocks_show_is_what_was_typed_unless_they_skip_it(wall: datetime) -> None:
    """On this host, whichever zone it is in."""
    wall = wall.replace(microsecond=0)
    found = on_the_wall(wall, NOON)
    shown = found.astimezone().replace(tzinfo=None, fold=0)
    assert shown == wall or timedelta(0) < shown - wall <= timedelta(hours=1)


OF_FILTERS = st.one_of(
    st.sampled_from(["today", "yesterday"]),
    st.times().map(lambda one: f"{one:%H:%M}"),
    st.dates(EPOCH.date(), EPOCH.date().replace(year=2100)).map(str),
    st.datetimes(EPOCH, EPOCH.replace(year=2100)).map(lambda one: f"{one:%Y-%m-%dT%H:%M}"),
    st.datetimes(EPOCH, EPOCH.replace(year=2100)).map(lambda one: f"{one:%Y-%m-%d %H:%M:%S}"),
    st.datetimes(EPOCH, EPOCH.replace(year=2100)).map(lambda one: f"{one:%Y-%m-%dt%H:%M}z"),
    st.datetimes(EPOCH, EPOCH.replace(year=2100)).map(lambda one: f"{one:%Y-%m-%dT%H:%M}+05:30"),
    st.tuples(st.sampled_from("+-"), st.integers(0, 3000), st.integers(0, 9999), st.integers(0, 99999)).map(
        lambda one: "{}{}d{}h{}M".format(*one)
    ),
)


@given(OF_FILTERS)
def test_what_filters_take_as_a_time_holds_and_the_past_take_too(typed: str) -> None:
    """On this host, whichever zone it is in."""
    assert FIELDS["opened"].read(typed) is not None
    coming = words.when(typed, NOON, "until")
    assert coming.tzinfo is UTC
    if not typed.startswith("+"):
        behind = words.before(typed, NOON, "at")
        with contextlib.suppress(WrongUse):  # the clocks skip it, or it lies ahead: that is said
            assert past(typed, NOON) == behind
        if typed[:1] == "-" or typed[4:5] == "-":  # what says its day, or its way, is one moment everywhere
            assert behind == coming


@in_zone("America/New_York")
@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("tomorrow", "2026-11-28T00:00-05:00"),
        ("tomorrow 09:00", "2026-11-28T09:00-05:00"),
        ("06:30", "2026-11-28T06:30-05:00"),
        ("2h", "2026-11-27T14:00+00:00"),
        ("90", "2026-11-27T13:30+00:00"),
        ("2027-01-01 09:00 Europe/Oslo", "2027-01-01T08:00+00:00"),
        ("09:00 Asia/Tokyo", "2026-11-28T09:00+09:00"),
    ],
)
def test_what_is_to_come(zone: None, typed: str, meant: str) -> None:
    assert words.when(typed, NOON, "until") == moment(typed, NOON) == at(meant)


@in_zone("Europe/Oslo")
def test_a_hold_until_then_is_kept_and_shown(zone: None, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Europe/Oslo")
    time.tzset()
    assert cli("log", "Mail is late").code == 0
    hold = ("hold", "1", "--reason", "change", "--on", "CHG-1", "--until")
    for typed, kept in (
        ("2027-03-28 02:30", "2027-03-28T01:00:00Z"),
        ("2100-01-01 00:00", "2099-12-31T23:00:00Z"),
        ("9998-12-31 23:59", "9998-12-31T22:59:00Z"),
        ("2028-02-29 12:00", "2028-02-29T11:00:00Z"),
    ):
        assert cli.json(*hold, typed)["hold"]["until"] == kept
        assert cli("show", "1").code == 0
        assert cli("list").code == 0
    past = cli(*hold, "1970-01-01 00:00")
    assert past.code == 3
    assert "has passed: give a later one" in past.err
    assert cli(*hold, "9999-12-31T23:59-12:00").code == 2
