"""Whose shift an event of a calendar is, as each system writes it; and which shifts follow."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from register.feed_address import checked_address, is_secret
from register.feed_people import Event, Whose
from register.feed_shifts import Said, Turn, merged, turns_of, within
from register.matrix_toml import read_matrix

MATRIX = read_matrix(
    """
fallback_team = "desk"
[teams.desk]
name = "Desk"
[people.ana]
name = "Ana Sample"
login = "asample"
[people.ben]
name = "Ben Sample"
login = "ben"
[people.ben2]
name = "Ben Sample"
login = "bensample"
[people.zoe]
name = "Zoë d'Été"
login = "zoe"
[people.on]
name = "Bo"
login = "bo"
[people.al]
name = "Ana Sample Longer"
login = "al"
"""
)
WHOSE = Whose(MATRIX, {"A. S.": "ana", "duty@example.com": "zoe", "Team lead of the week": "al", "x": "gone"})


@pytest.mark.parametrize(
    ("event", "keys"),
    [
        (Event("Ana Sample"), "ana"),
        (Event("  ana SAMPLE "), "ana"),
        (Event("asample"), "ana"),
        (Event("@asample"), "ana"),
        (Event("[L2] @zoe"), "zoe"),
        (Event("Zoe d'Ete"), "zoe"),
        (Event("On Call - Ana Sample - App operations"), "ana"),
        (Event("On Call - Stranger - App operations", ("asample@example.com",)), "ana"),
        (Event("ana.sample@example.com (App operations_schedule)"), "ana"),
        (Event("ben@example.com"), "ben"),
        (Event("asample@example.com (App operations_schedule)"), "ana"),
        (Event("@zoe @ben on duty"), "zoe ben"),
        (Event("Zoe / Ben"), "zoe ben"),
        (Event("Bo + Zoe"), "on zoe"),
        (Event("A. S."), "ana"),
        (Event("Primary: A. S."), "ana"),
        (Event("This is the team lead of the week"), "al"),
        (Event("Ana Sample Longer has duty"), "al"),  # and Ana Sample has not
        (Event("Ana Sample is on call"), "ana"),
        (Event("Day shift", ("ana.sample@example.com",)), "ana"),
        (Event("Day shift", ("duty@example.com",)), "zoe"),
        (Event("Day shift", ("mailto:ben@example.com",)), "ben"),
        (Event("Day shift", ("zoe@example.com", "Zoe"), ("zoe@example.com",)), "zoe"),
        (Event("Day shift", ("ben@example.com", "asample@example.com"), ("ben@example.com",)), "ana"),
        (Event("Day shift", ("ben@example.com",), ("ben@example.com",)), "ben"),
        (Event("Day shift", (), ("ben@example.com",)), "ben"),
        (Event("Ana Sample", ("ben@example.com",)), "ana"),
        (Event("Ben Sample"), ""),  # two are called that
        (Event("Bo is in many words"), ""),  # too short to be looked for in a sentence
        (Event("Anaconda Sampled"), ""),
        (Event(""), ""),
        (Event("x"), ""),  # the table names somebody who is not in [people]
        (Event("Stranger", ("stranger@example.com",), ("planner@example.com",)), ""),
    ],
)
def test_whose_it_is(event: Event, keys: str) -> None:
    assert WHOSE.people(event) == tuple(keys.split())


START = datetime(2026, 11, 28, tzinfo=UTC)


def at(hours: float) -> datetime:
    return START + timedelta(hours=hours)


def said(begin: float, end: float, summary: str) -> Said:
    return Said(at(begin), at(end), Event(summary))


def told(turns: tuple[Turn, ...]) -> list[tuple[float, float, str]]:
    return [
        ((one.begin - START).total_seconds() / 3600, (one.end - START).total_seconds() / 3600, one.person)
        for one in turns
    ]


def test_what_one_person_has_without_a_break_is_one_shift() -> None:
    found = turns_of([said(8, 16, "zoe"), said(0, 8, "zoe"), said(4, 12, "ben"), said(17, 18, "zoe")], WHOSE)
    assert told(found.turns) == [(0, 16, "zoe"), (4, 12, "ben"), (17, 18, "zoe")]
    assert found.of_strangers() == ""


def test_the_highest_level_counts_while_it_lasts() -> None:
    found = turns_of([said(0, 24, "[L1] zoe"), said(8, 12, "[L2] ben"), said(10, 11, "ana")], WHOSE)
    assert told(found.turns) == [(0, 8, "zoe"), (8, 12, "ben"), (12, 24, "zoe")]


def test_a_stranger_of_a_higher_level_leaves_the_shift_to_those_who_are_known() -> None:
    found = turns_of([said(0, 24, "[L1] zoe"), said(8, 12, "[L2] stranger")], WHOSE)
    assert told(found.turns) == [(0, 24, "zoe")]
    assert found.of_strangers() == "[L2] stranger (from 2026-11-28 08:00 UTC)"


def test_strangers_are_told_once_each_and_not_all_of_them() -> None:
    found = turns_of([said(n, n + 1, f"Stranger {n % 8}") for n in range(24)], WHOSE)
    assert found.turns == ()
    assert found.of_strangers().count("Stranger") == 5
    assert found.of_strangers().endswith("; and 3 more")


spans = st.tuples(
    st.integers(0, 60), st.integers(1, 20), st.sampled_from(["zoe", "ben", "ana"]), st.integers(0, 2)
)


@settings(deadline=None)
@given(st.lists(spans, max_size=25))
def test_at_each_hour_those_of_the_highest_level_have_duty(some: list[tuple[int, int, str, int]]) -> None:
    found = turns_of([said(b, b + n, f"[L{lv}] {who}") for b, n, who, lv in some], WHOSE)
    assert found.turns == merged(found.turns)
    for hour in range(81):
        there = [(lv, who) for b, n, who, lv in some if b <= hour < b + n]
        top = max((lv for lv, _ in there), default=0)
        expected = {who for lv, who in there if lv == top}
        assert {one.person for one in found.turns if one.begin <= at(hour) < one.end} == expected
        assert {one.person for one in within(found.turns, at(hour), at(hour + 1))} == expected


@pytest.mark.parametrize(
    ("said", "address"),
    [
        ("https://example.com/oncall.ics", "https://example.com/oncall.ics"),
        (" webcal://example.com/a?b=c ", "https://example.com/a?b=c"),
        ("http://127.0.0.1:8080/a.ics", "http://127.0.0.1:8080/a.ics"),
        ("http://[::1]/a.ics", "http://[::1]/a.ics"),
    ],
)
def test_addresses(said: str, address: str) -> None:
    assert checked_address(said) == address


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("http://example.com/a.ics", "unencrypted"),
        ("http://127.0.0.1.example.com/a.ics", "unencrypted"),
        ("ftp://example.com/a.ics", "no web address"),
        ("https://ana:secret@example.com/a.ics", "a name or password"),
        ("https:///a.ics", "no address"),
        ("https://example.com/a.ics#part", "no address"),
        ("https://example.com/a b", "no address"),
        ("https://example.com:0/a", "no address"),
        ("https://example.com/" + "a" * 2_000, "longer"),
        ("", "no address"),
    ],
)
def test_addresses_that_nobody_asks(said: str, why: str) -> None:
    with pytest.raises(ValueError, match=why) as refused:
        checked_address(said)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    ("address", "secret"),
    [
        ("https://example.com/oncall.ics", False),
        ("https://example.com/teams/app-operations/on-call-2026.ics?format=ics&zone=Europe/Oslo", False),
        ("https://sample.pagerduty.example/private/nz5gdsamplesample/feed/PSAMPLE", True),
        ("https://calendar.example.com/calendar/ical/a%40group.example.com/private-0a1b2c3d/basic.ics", True),
        ("https://sample.example.com/webapi/webcal/getRecentSchedule?webcalToken=abc&scheduleId=1", True),
        ("https://oncall.example.com/api/v1/schedules/SAMPLE/export?token=abc123", True),
        ("https://example.com/feeds/9f8e7d6c5b4a39281706f5e4d3c2b1a0.ics", True),
        ("https://example.com/feeds/0b9f5a1c-6d6b-4c5e-9a51-2f3f4f5f6f7f", True),
    ],
)
def test_which_addresses_are_secrets(address: str, secret: bool) -> None:
    assert is_secret(address) is secret
