"""Calendars of every kind, read: repetitions, exceptions, zones, both edges of summer time; hostile ones."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from integrations.ics.apart import read_apart
from integrations.ics.child import CPU
from integrations.ics.reading import MOST_EVENTS, Reading, Unreadable, read
from register.canon import moment
from tests.played.calendars import GOOGLE, GRAFANA, OWN_ZONE, PAGERDUTY, calendar, event

NOW = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)
AHEAD = timedelta(days=60)


def reading(text: str, begin: datetime = NOW, zone: str = "UTC", span: timedelta = AHEAD) -> Reading:
    return read(text.encode(), begin, begin + span, zone)


def spans(found: Reading) -> list[str]:
    """When each is, in UTC, as `11-28 08:00/20:00` or with the day of its end."""
    return [f"{moment(one.begin):%m-%d %H:%M}/{moment(one.end):%m-%d %H:%M}" for one in found.happenings]


def lengths(found: Reading) -> list[float]:
    return [(moment(one.end) - moment(one.begin)).total_seconds() / 3600 for one in found.happenings]


def test_pagerdutys_calendar() -> None:
    found = reading(PAGERDUTY)
    assert spans(found) == ["11-24 08:00/12-01 08:00", "12-01 08:00/12-08 08:00"]
    assert found.happenings[0].summary == "On Call - Ana Sample - App operations"
    assert found.happenings[0].attendees == ("ana.sample@example.com",)


def test_what_grafana_took_back_is_not_read() -> None:
    found = reading(GRAFANA)
    assert [one.summary for one in found.happenings] == ["ana", "ben@example.com"]


def test_googles_series_with_a_day_left_out_and_one_that_another_takes() -> None:
    found = reading(GOOGLE, span=timedelta(days=4))
    assert spans(found) == [
        "11-28 07:00/11-28 19:00",
        "11-29 07:00/11-29 19:00",
        "12-01 09:00/12-01 17:00",  # moved, and not the 30th, which is left out
        "12-02 07:00/12-02 19:00",
    ]
    assert found.happenings[2].summary == "Ben takes over: @ben"
    # neither the room, nor anything but what they are called
    assert found.happenings[0].attendees == (
        "planner@example.com",
        "planner@example.com",
        "as@example.com",
        "Ana Sample",
    )
    assert found.happenings[0].organizer == ("planner@example.com", "Planner (sample)")


def test_who_said_no_has_no_shift() -> None:
    text = calendar(
        event(
            "20261129T080000Z",
            "20261129T200000Z",
            "Duty",
            "ATTENDEE;PARTSTAT=DECLINED:mailto:ana@example.com\nATTENDEE:MAILTO:ben@example.com\n",
        )
    )
    assert reading(text).happenings[0].attendees == ("ben@example.com",)


def test_rdates_count_with_an_end_of_their_own() -> None:
    extra = "RDATE;VALUE=PERIOD:20261202T000000Z/PT3H,20261203T000000Z/20261203T050000Z\n"
    text = calendar(event("20261130T080000Z", "20261130T200000Z", more=extra))
    assert spans(reading(text)) == [
        "11-30 08:00/11-30 20:00",
        "12-02 00:00/12-02 03:00",
        "12-03 00:00/12-03 05:00",
    ]


@pytest.mark.parametrize("head", ["", OWN_ZONE], ids=["a zone of the world", "a zone of the calendar's own"])
def test_a_night_is_an_hour_longer_in_autumn_and_shorter_in_spring(head: str) -> None:
    zone = "Our own" if head else "Europe/Oslo"
    text = calendar(
        event("20260101T200000", "20260102T080000", "ana", "RRULE:FREQ=DAILY\n", zone),
        event("20260101T080000", "20260101T200000", "ben", "RRULE:FREQ=DAILY\n", zone),
        head=head,
    )
    for day, hours in (
        (datetime(2026, 10, 24, 18, tzinfo=UTC), 13.0),
        (datetime(2026, 3, 28, 19, tzinfo=UTC), 11.0),
    ):
        found = reading(text, day, span=timedelta(hours=23))
        assert lengths(found) == [hours, 12.0]
        assert found.happenings[0].end == found.happenings[1].begin  # neither a gap nor an overlap


@pytest.mark.parametrize(
    ("handover", "day", "instant"),
    [
        ("0230", "20260329", "03-29 01:30"),  # does not exist: by the offset before the gap
        ("0230", "20261025", "10-25 00:30"),  # comes twice: the first of the two
    ],
)
def test_a_handover_at_an_hour_that_is_missing_or_comes_twice_leaves_no_gap(
    handover: str, day: str, instant: str
) -> None:
    before = f"{int(day) - 1}T{handover}00"
    after = f"{int(day) + 1}T{handover}00"
    text = calendar(
        event(before, f"{day}T{handover}00", "ana", zone="Europe/Oslo"),
        event(f"{day}T{handover}00", after, "ben", zone="Europe/Oslo"),
    )
    one, two = reading(text, datetime(2026, 1, 1, tzinfo=UTC), span=timedelta(days=365)).happenings
    assert one.end == two.begin
    assert f"{moment(one.end):%m-%d %H:%M}" == instant


def test_what_floats_and_whole_days_are_in_the_calendars_zone_else_in_the_rotas() -> None:
    events = event("20261201T080000", "20261201T200000"), event("20261202", "20261209", "ben")
    assert spans(reading(calendar(*events), zone="America/New_York")) == [
        "12-01 13:00/12-02 01:00",
        "12-02 05:00/12-09 05:00",
    ]
    there = calendar(*events, head="X-WR-TIMEZONE:Asia/Tokyo\n")
    assert spans(reading(there, zone="America/New_York")) == [
        "11-30 23:00/12-01 11:00",
        "12-01 15:00/12-08 15:00",
    ]


def test_a_whole_day_that_repeats_without_an_end_is_that_day() -> None:
    text = calendar("DTSTART;VALUE=DATE:20261130\nSUMMARY:ana\nRRULE:FREQ=WEEKLY;COUNT=2\n")
    assert spans(reading(text, zone="Europe/Oslo")) == ["11-29 23:00/11-30 23:00", "12-06 23:00/12-07 23:00"]


def test_windows_names_of_zones_are_known_and_unknown_ones_are_no_guess() -> None:
    known = calendar(event("20261201T080000", "20261201T200000", zone="W. Europe Standard Time"))
    assert spans(reading(known)) == ["12-01 07:00/12-01 19:00"]
    with pytest.raises(Unreadable, match="a zone that nobody knows \\(Nowhere/Land\\)"):
        reading(calendar(event("20261201T080000", "20261201T200000", zone="Nowhere/Land")))


def test_the_shift_that_runs_is_there_from_its_beginning() -> None:
    text = calendar(event("20261101T000000Z", "20261215T000000Z"))
    assert spans(reading(text)) == ["11-01 00:00/12-15 00:00"]


def test_what_ends_before_it_begins_is_no_shift() -> None:
    text = calendar(
        event("20261201T080000Z", "20261201T080000Z"),
        event("20261203T080000Z", "20261202T080000Z"),
    )
    assert reading(text).happenings == []


def test_one_event_that_cannot_be_read_is_told_and_the_others_are_read() -> None:
    text = calendar(
        event("2026-12-01", "2026-12-02", "Damaged"),
        event("20261201T080000Z", "20261201T200000Z", "Rule", "RRULE:FREQ=SOMETIMES\n"),
        "DTEND:20261201T200000Z\nSUMMARY:No beginning\n",
        event("20261201T080000Z", "20261201T200000Z", "ana"),
    )
    found = reading(text)
    assert spans(found) == ["12-01 08:00/12-01 20:00"]
    assert found.lost_count == 3
    assert [said.split(" (")[0] for said in found.lost] == ["Damaged", "Rule", "No beginning"]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "is no calendar"),
        ("<!doctype html><html><body>Sign in</body></html>", "is no calendar"),
        ('{"error": "BEGIN:VCALENDAR"}', "is no calendar"),
        (PAGERDUTY[: len(PAGERDUTY) // 2], "is damaged, or cut off"),
        (PAGERDUTY.replace("END:VCALENDAR\n", ""), "is damaged, or cut off"),
        ("BEGIN:VCALENDAR\n" + "BEGIN:VEVENT\n" * 500, "is damaged, or cut off"),
        ("BEGIN:VCALENDAR\n" + "BEGIN:VEVENT\n" * (MOST_EVENTS + 1), "has more than 20,000 events"),
        (calendar(event("20261201T080000Z", "20261201T090000Z"), head="CALSCALE:JULIAN\n"), "counts days"),
        (
            calendar(event("20261201T080000Z", "20261201T080001Z", more="RRULE:FREQ=SECONDLY\n")),
            "repeats secondly",
        ),
        (
            calendar(event("20261201T080000Z", "20261201T080001Z", more="RRULE:FREQ=minutely\n")),
            "repeats minutely",
        ),
        (
            calendar(
                event(
                    "20261101T000000Z",
                    "20261101T000100Z",
                    more=f"RRULE:FREQ=HOURLY;BYMINUTE={','.join(map(str, range(0, 60, 5)))}\n",
                )
            ),
            "has more than 4,000 shifts",
        ),
    ],
)
def test_what_is_no_calendar_or_no_rota_is_refused_whole(text: str, why: str) -> None:
    with pytest.raises(Unreadable, match=why):
        reading(text)


@settings(deadline=None)
@given(st.text(max_size=300), st.integers(0, 400))
def test_no_damage_makes_it_fall(noise: str, at: int) -> None:
    text = PAGERDUTY[:at] + noise + PAGERDUTY[at:]
    try:
        found = reading(text)
    except Unreadable:
        return
    assert all(moment(one.begin) < moment(one.end) for one in found.happenings)


async def test_a_process_of_its_own_reads_the_same() -> None:
    for text in (PAGERDUTY, GOOGLE, GRAFANA):
        assert await read_apart(text.encode(), NOW, NOW + AHEAD, "UTC") == reading(text)
    with pytest.raises(Unreadable, match="is no calendar"):
        await read_apart(b"<html>", NOW, NOW + AHEAD, "UTC")


async def test_a_billion_repetitions_end_with_the_process_that_counts_them() -> None:
    all_of_it = ",".join(map(str, range(60)))
    rule = f"RRULE:FREQ=HOURLY;BYMINUTE={all_of_it};BYSECOND={all_of_it}\n"
    text = calendar(event("20001101T000000Z", "20001101T000001Z", more=rule))
    with pytest.raises(Unreadable, match="takes more time to read than a rota may"):
        await read_apart(text.encode(), NOW, NOW + AHEAD, "UTC", seconds=1.0)
    assert CPU <= 10  # and if the worker were gone, the system would end it


async def test_nothing_of_our_environment_goes_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[dict[str, str]] = []

    async def started(*_: object, env: dict[str, str], **__: object) -> None:
        seen.append(env)
        raise OSError

    monkeypatch.setenv("MUSTER_SECRET_SAMPLE", "x")
    monkeypatch.setattr("asyncio.create_subprocess_exec", started)
    with pytest.raises(OSError):
        await read_apart(b"", NOW, NOW + AHEAD, "UTC")
    assert "MUSTER_SECRET_SAMPLE" not in seen[0]
