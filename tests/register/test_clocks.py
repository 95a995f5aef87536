"""Running clocks: the vectors and edge cases of the domain, by their numbers, and the pause table."""

from __future__ import annotations

from typing import Any

import pytest

from register.clocks.book import DEFAULT, Book
from register.clocks.clock import Clock, Stage
from register.clocks.definition import Metric
from register.clocks.run import promised
from register.incident import Priority
from tests.register.clockwork import (
    ENGAGED,
    HOUR,
    IN_PROGRESS,
    MINUTE,
    NEW,
    RESOLVED,
    TICKET,
    at,
    book,
    clocks,
    hold,
    one_clock,
    only,
    told_of,
    track,
)

# Vectors


def test_v1_a_weekend_is_no_business_time_and_no_rounding_decides() -> None:
    clock = only(track(("2025-12-12 21:00", NEW)), book())
    now = at("2025-12-15 09:30")
    assert (clock.used(now), clock.actual(now)) == (HOUR + 30 * MINUTE, 60 * HOUR + 30 * MINUTE)
    assert clock.left(now) == 6 * HOUR + 30 * MINUTE
    assert clock.used(now) / clock.target == 0.1875
    assert clock.actual(now) / clock.target == 7.5625


def test_v2_what_is_left_at_the_pause_is_left_when_it_goes_on() -> None:
    nine_to_six = book(hours="Mon-Fri 09:00-18:00")
    logged = ("2026-03-02 16:00", NEW)  # a Monday
    assert only(track(logged), nine_to_six).due == at("2026-03-03 15:00")
    held = (logged, ("2026-03-02 17:00", hold()))
    paused = only(track(*held), nine_to_six)
    assert (paused.stage, paused.due) == (Stage.PAUSED, None)
    assert {paused.left(at(f"2026-03-0{day} 12:00")) for day in (3, 4, 9)} == {7 * HOUR}
    resumed = only(track(*held, ("2026-03-03 10:00", IN_PROGRESS)), nine_to_six)
    assert (resumed.stage, resumed.due) == (Stage.RUNNING, at("2026-03-03 17:00"))


def test_v3_business_and_wall_time_are_told_apart() -> None:
    clock = only(track(("2026-03-02 14:00", NEW)), book(hours="Mon-Fri 09:00-17:00"))
    now = at("2026-03-03 09:00")
    assert (clock.used(now), clock.actual(now)) == (3 * HOUR, 19 * HOUR)


@pytest.mark.parametrize(
    ("closed", "reopened", "due"), [("13:00", "15:00", "18:00"), ("15:00", "18:00", "19:00")]
)
def test_v6_a_reopened_one_has_what_was_left_when_it_was_resolved(
    closed: str, reopened: str, due: str
) -> None:
    eight_hours = book(one_clock("8h", "24x7"))
    first, total = clocks(
        track(
            ("2026-03-02 08:00", NEW),
            (f"2026-03-02 {closed}", RESOLVED),
            (f"2026-03-02 {reopened}", IN_PROGRESS),
        ),
        eight_hours,
    )
    assert first.due == at("2026-03-02 16:00")
    assert (first.stage, first.ended, total.name) == (
        Stage.COMPLETED,
        at(f"2026-03-02 {closed}"),
        "it, total",
    )
    assert (total.stage, total.due) == (Stage.RUNNING, at(f"2026-03-02 {due}"))


# Edge cases


def test_edge_4_a_night_of_seven_hours_is_seven_hours_long() -> None:
    for day, hours in (("2026-03-08", 7), ("2026-11-01", 9)):
        clock = only(
            track((f"{day} 00:00-0{5 if hours == 7 else 4}:00", NEW)), book(one_clock("24h", "24x7"))
        )
        end = at(f"{day} 08:00-0{4 if hours == 7 else 5}:00")
        assert (clock.used(end), clock.actual(end)) == (hours * HOUR, hours * HOUR)


def test_edge_9_the_same_track_gives_the_same_clocks_however_often_it_was_asked() -> None:
    steps = (
        ("2026-03-02 08:00", NEW),
        ("2026-03-02 10:00", hold()),
        ("2026-03-02 11:00", IN_PROGRESS),
        ("2026-03-02 12:00", hold()),
        ("2026-03-02 14:00", IN_PROGRESS),
    )
    now = at("2026-03-02 15:00")
    assert only(track(*steps), book()).used(now) == 4 * HOUR
    parts = [only(track(*steps[:n]), book()) for n in range(1, 6)]
    assert [part.used(now) // HOUR for part in parts] == [7, 2, 6, 3, 4]


def test_edge_22_a_plain_pause_moves_the_deadline_in_business_time() -> None:
    clock = only(
        track(
            ("2026-03-05 12:00", NEW),  # a Thursday: 5 of 8 hours until it closes
            ("2026-03-05 16:00", hold()),
            ("2026-03-06 16:00", IN_PROGRESS),  # 4 left, 1 of them on the Friday
        ),
        book(),
    )
    assert clock.due == at("2026-03-09 11:00")


def test_edge_23_a_pause_is_subtracted_once_where_it_meets_business_hours() -> None:
    christmas = book(closed="2025-12-25..2025-12-26")
    clock = only(
        track(
            ("2025-12-24 09:00", NEW),
            ("2025-12-24 16:00", hold()),
            ("2025-12-29 09:00", IN_PROGRESS),
        ),
        christmas,
    )
    now = at("2025-12-29 10:00")
    assert clock.used(now) == 8 * HOUR, "seven before, one after; nights and holidays were no pause"
    assert clock.due == now
    outside = only(
        track(("2025-12-24 09:00", NEW), ("2025-12-24 18:00", hold()), ("2025-12-24 23:00", IN_PROGRESS)),
        christmas,
    )
    assert outside.due == at("2025-12-24 17:00"), "a pause in the night gives nothing"


def test_edge_24_a_change_of_the_reason_counts_no_second_twice() -> None:
    both = book(one_clock(pause_on=["caller", "change"]))
    clock = only(
        track(
            ("2026-03-02 08:00", NEW),
            ("2026-03-02 09:00", hold("caller")),
            ("2026-03-02 10:00", hold("change")),
            ("2026-03-02 11:00", hold("problem")),  # this one does not pause it
            ("2026-03-02 12:00", hold("caller")),
        ),
        both,
    )
    assert clock.used(at("2026-03-02 16:00")) == 2 * HOUR
    assert [(span.paused, span.begin) for span in clock.spans] == [
        ("", at("2026-03-02 08:00")),
        ("waits for the caller", at("2026-03-02 09:00")),
        ("waits for the change", at("2026-03-02 10:00")),
        ("", at("2026-03-02 11:00")),
        ("waits for the caller", at("2026-03-02 12:00")),
    ]


def test_edge_25_what_is_logged_on_hold_is_paused_at_once_and_what_is_logged_over_has_no_clock() -> None:
    clock = only(track(("2026-03-02 09:00", NEW | hold())), book())
    assert (clock.stage, clock.left(at("2026-03-05 09:00"))) == (Stage.PAUSED, 8 * HOUR)
    assert clocks(track(("2026-03-02 09:00", NEW | RESOLVED)), book()) == []
    acked = NEW | {"acked": "yes"}
    assert [clock.name for clock in clocks(track(("2026-03-02 09:00", acked)), DEFAULT)] == ["resolution"]


RAISED = (
    ("2026-03-02 08:00", NEW),
    ("2026-03-02 09:00", hold()),
    ("2026-03-02 10:00", IN_PROGRESS),
    ("2026-03-02 11:00", {"priority": "1"}),
)


def test_edge_26_a_raised_priority_counts_from_the_beginning_and_takes_its_pauses_off() -> None:
    response, old, again, new = clocks(track(*RAISED), DEFAULT)
    assert told_of([response, old]) == [
        ("response", "cancelled", "P3 became P1"),
        ("resolution", "cancelled", "P3 became P1"),
    ]
    assert again.name == "response"
    assert (new.stage, new.began, new.attached) == (
        Stage.RUNNING,
        at("2026-03-02 08:00"),
        at("2026-03-02 11:00"),
    )
    assert new.used(at("2026-03-02 11:00")) == 2 * HOUR, "the hour of waiting is taken off"
    assert new.due == at("2026-03-02 13:00")


def test_edge_26_what_is_over_by_the_new_promise_is_breached_once_and_then() -> None:
    steps = (("2026-03-02 08:00", NEW), ("2026-03-02 14:30", {"priority": "1"}))
    late = clocks(track(*steps), DEFAULT)[-1]
    assert late.due == at("2026-03-02 12:00")
    assert late.breach == at("2026-03-02 14:30"), "not before it was promised"
    assert late.crossed() == [(100, at("2026-03-02 14:30"))], "no storm of 50, 75 and 100"
    again = clocks(track(*steps, ("2026-03-02 15:00", hold())), DEFAULT)[-1]
    assert again.breach == late.breach


def test_edge_26_a_definition_may_count_from_the_change_on() -> None:
    later = book(one_clock(targets={"P3": "8h", "P1": "2h"}, retroactive=False))
    new = clocks(track(("2026-03-02 08:00", NEW), ("2026-03-02 11:00", {"priority": "1"})), later)[-1]
    assert (new.began, new.due) == (at("2026-03-02 11:00"), at("2026-03-02 13:00"))


def test_edge_26_a_priority_with_the_same_promise_goes_on() -> None:
    clock = only(track(("2026-03-02 08:00", NEW), ("2026-03-02 11:00", {"priority": "2"})), book())
    assert (clock.stage, clock.priority, clock.began) == (Stage.RUNNING, "2", at("2026-03-02 08:00"))


def test_edge_27_a_lowered_priority_leaves_no_clock_behind() -> None:
    found = clocks(track(("2026-03-02 08:00", NEW), ("2026-03-02 09:00", {"priority": "5"})), DEFAULT)
    assert told_of(found) == [
        (name, "cancelled", "P3 became P5, for which nothing is promised")
        for name in ("response", "resolution")
    ]
    assert {clock.ended for clock in found} == {at("2026-03-02 09:00")}


def test_edge_27_moved_to_a_team_without_that_target_the_old_one_is_cancelled() -> None:
    ours = book(one_clock(when={"team": "net"}))
    steps = (("2026-03-02 08:00", NEW | {"team": "net"}), ("2026-03-02 09:00", {"team": "desk"}))
    assert told_of(clocks(track(*steps), ours)) == [("it", "cancelled", "team is desk now")]


def test_edge_28_the_first_resolution_stays_and_the_total_one_goes_on() -> None:
    steps = (
        ("2026-03-02 08:00", NEW),
        ("2026-03-02 10:00", RESOLVED),
        ("2026-06-01 10:00", IN_PROGRESS),  # a quarter of a year later: not breached at once
    )
    first, total = clocks(track(*steps), book())
    now = at("2026-06-01 10:00")
    assert (first.used(now), total.used(now), total.is_breached(now)) == (2 * HOUR, 2 * HOUR, False)
    assert total.spans[1].paused == "resolved"
    again = (
        ("2026-06-01 12:00", RESOLVED),
        ("2026-06-02 08:00", IN_PROGRESS),
        ("2026-06-02 09:00", RESOLVED),
    )
    first, total = clocks(track(*steps, *again), book())
    assert (first.ended, first.used(now)) == (at("2026-03-02 10:00"), 2 * HOUR)
    assert (total.stage, total.ended) == (Stage.COMPLETED, at("2026-06-02 09:00"))
    assert total.used(at("2027-01-01 00:00")) == 5 * HOUR, "counted once, by the last resolution"


def test_edge_28_a_clock_that_counts_from_a_change_on_goes_on_from_there() -> None:
    theirs_now = book(one_clock(when={"team": "net"}, retroactive=False))
    steps = (
        ("2026-03-02 08:00", NEW),
        ("2026-03-02 10:00", {"team": "net"}),
        ("2026-03-02 11:00", RESOLVED),
        ("2026-03-02 12:00", IN_PROGRESS),
    )
    total = clocks(track(*steps), theirs_now)[-1]
    assert (total.began, total.used(at("2026-03-02 13:00"))) == (at("2026-03-02 10:00"), 2 * HOUR)


def test_edge_28_the_response_is_not_asked_for_again() -> None:
    steps = (
        ("2026-03-02 08:00", NEW),
        ("2026-03-02 08:05", {"acked": "yes", **IN_PROGRESS}),
        ("2026-03-02 10:00", RESOLVED),
        ("2026-03-02 11:00", IN_PROGRESS),
    )
    names = [clock.name for clock in clocks(track(*steps), DEFAULT)]
    assert names == ["response", "resolution", "resolution, total"]


def test_edge_28_nor_where_the_resolution_was_the_answer() -> None:
    steps = (
        ("2026-03-02 08:00", NEW),
        ("2026-03-02 10:00", RESOLVED),
        ("2026-03-02 11:00", IN_PROGRESS),
        ("2026-03-02 12:00", {"priority": "1"}),
    )
    names = [clock.name for clock in clocks(track(*steps), DEFAULT)]
    assert names == ["response", "resolution", "resolution, total", "resolution, total"]


def test_edge_28_raised_after_it_was_reopened_the_resolved_time_stays_a_pause() -> None:
    steps = (
        ("2026-03-02 08:00", NEW),
        ("2026-03-02 09:00", RESOLVED),
        ("2026-03-02 12:00", IN_PROGRESS),
        ("2026-03-02 13:00", {"priority": "1"}),
    )
    new = clocks(track(*steps), DEFAULT)[-1]
    assert (new.name, new.used(at("2026-03-02 13:00"))) == ("resolution, total", 2 * HOUR)
    assert new.breach == at("2026-03-02 15:00:01")


def test_edge_29_a_new_incident_has_fresh_clocks() -> None:
    steps = (
        ("2026-03-02 08:00", NEW),
        ("2026-03-02 09:00", RESOLVED),
        ("2026-03-02 10:00", {"state": "Closed"}),
    )
    assert [clock.stage for clock in clocks(track(*steps), DEFAULT)] == [Stage.COMPLETED] * 2


def test_edge_30_used_time_stays_and_the_rest_counts_on_the_new_hours() -> None:
    short, long = book(hours="Mon-Fri 08:00-12:00"), book(hours="Mon-Fri 08:00-20:00")
    logged = track(("2026-03-02 08:00", NEW))
    assert only(logged, short).due == at("2026-03-03 12:00")
    edited = ((0, short), (at("2026-03-02 18:00"), long))
    clock = only(logged, edited)
    assert clock.used(at("2026-03-02 18:00")) == 4 * HOUR, "not ten, though the new hours would have it so"
    assert clock.due == at("2026-03-03 10:00"), "two on the Monday evening, two on the Tuesday"
    again = ((0, short), (at("2026-03-02 18:00"), long), (at("2026-03-02 19:00"), short))
    assert only(logged, again).due == at("2026-03-03 11:00")
    assert only(track(("2026-03-02 08:00", NEW), ("2026-03-02 11:00", RESOLVED)), edited).used(0) == 3 * HOUR


def test_edge_30_a_promise_that_was_made_is_kept_and_one_that_is_taken_back_ends() -> None:
    logged, then = track(("2026-03-02 08:00", NEW)), at("2026-03-02 10:00")
    stricter = book(one_clock("4h"))
    assert only(logged, ((0, book()), (then, stricter))).target == 8 * HOUR
    none = Book(book().calendars, {"other": one_clock("4h")["it"]})
    assert told_of(clocks(logged, ((0, book()), (then, none)))) == [
        ("it", "cancelled", "the policy adopted then promises it no more"),
        ("other", "in progress", ""),
    ]


def test_edge_32_due_at_the_end_of_the_day_it_is_breached_when_business_opens() -> None:
    clock = only(track(("2026-03-02 09:00", NEW)), book())
    assert clock.due == at("2026-03-02 17:00")
    assert clock.breach == at("2026-03-03 08:00:01")
    assert not clock.is_breached(at("2026-03-03 08:00:00"))
    assert clock.is_breached(at("2026-03-03 08:00:01"))


def test_edge_32_logged_outside_hours_it_counts_from_the_next_opening() -> None:
    assert only(track(("2026-03-07 10:00", NEW)), book()).due == at("2026-03-09 16:00")


def test_edge_33_whole_seconds_decide_and_no_percent() -> None:
    day = book(one_clock("24h", "24x7"))
    clock = only(track(("2026-03-02 00:00", NEW)), day)
    nearly = at("2026-03-02 23:59:59")
    assert round(100 * clock.used(nearly) / clock.target) == 100
    assert [clock.is_breached(nearly + n) for n in (0, 1, 2)] == [False, False, True]
    ended = only(track(("2026-03-02 00:00", NEW), ("2026-03-03 00:00", RESOLVED)), day)
    assert (ended.left(0), ended.is_breached(0)) == (0, False), "kept to the second"


# The order of the questions


def test_stop_outranks_start() -> None:
    steps = (("2026-03-02 08:00", NEW), ("2026-03-02 09:00", RESOLVED | {"priority": "1"}))
    found = clocks(track(*steps), DEFAULT)
    assert told_of(found) == [("response", "completed", "resolved"), ("resolution", "completed", "resolved")]


def test_what_is_no_incident_cancels_its_clocks() -> None:
    steps = (("2026-03-02 08:00", NEW), ("2026-03-02 09:00", {"state": "Canceled"}))
    assert {one[1:] for one in told_of(clocks(track(*steps), DEFAULT))} == {
        ("cancelled", "state is Canceled now")
    }


def test_a_reset_completes_one_and_starts_the_next_which_may_be_paused_at_once() -> None:
    again = book(one_clock(reset={"team": "net"}))
    steps = (
        ("2026-03-02 08:00", NEW),
        ("2026-03-02 09:00", {"team": "net"} | hold()),
        ("2026-03-02 09:30", {"service": "Mail"}),  # still so: no new reset
    )
    first, second = clocks(track(*steps), again)
    assert (first.stage, first.used(0), second.stage) == (Stage.COMPLETED, HOUR, Stage.PAUSED)
    assert second.began == at("2026-03-02 09:00")


def test_a_condition_of_its_own_to_resume_is_waited_for() -> None:
    careful = book(one_clock(pause={"hold": "caller"}, resume={"acked": True}))
    steps = [("2026-03-02 08:00", NEW), ("2026-03-02 09:00", hold()), ("2026-03-02 10:00", IN_PROGRESS)]
    assert only(track(*steps), careful).stage is Stage.PAUSED
    steps.append(("2026-03-02 11:00", {"acked": "yes"}))
    assert only(track(*steps), careful).used(at("2026-03-02 12:00")) == 2 * HOUR


def test_a_condition_of_its_own_to_cancel_is_told() -> None:
    doomed = book(one_clock(cancel={"category": "spam"}))
    steps = (("2026-03-02 08:00", NEW), ("2026-03-02 09:00", {"category": "spam"}))
    assert told_of(clocks(track(*steps), doomed)) == [("it", "cancelled", "cancelled: category is spam")]


# What each metric is


def test_an_update_is_owed_from_the_callers_last_word_until_ours() -> None:
    owed = book(one_clock("1h", metric="update"))
    caller, us = {"word": "caller"}, {"word": "us"}
    steps = (
        ("2026-03-02 08:00", NEW),
        ("2026-03-02 09:00", caller),
        ("2026-03-02 09:20", caller),
        ("2026-03-02 09:50", us),
        ("2026-03-02 10:00", us),
        ("2026-03-02 11:00", caller),
    )
    found = clocks(track(*steps), owed)
    assert [(clock.why, clock.used(at("2026-03-02 11:10")) // MINUTE) for clock in found] == [
        ("the caller spoke again", 20),
        ("we answered", 30),
        ("", 10),
    ]


def test_a_handover_is_counted_for_each_team_that_has_it() -> None:
    each = book(one_clock("1h", kind="OLA", metric="handover"))
    steps = (
        ("2026-03-02 08:00", NEW | {"team": "desk"}),
        ("2026-03-02 08:30", {"team": "net"}),
        ("2026-03-02 10:00", RESOLVED),
    )
    found = clocks(track(*steps), each)
    assert told_of(found) == [("it", "completed", "team is net now"), ("it", "completed", "resolved")]
    assert [clock.is_breached(0) for clock in found] == [False, True]
    assert found[1].breach == at("2026-03-02 09:30:01")


def test_a_handover_promised_to_one_team_is_over_when_it_leaves_that_team() -> None:
    desks = book(one_clock("1h", kind="OLA", metric="handover", when={"team": "desk"}))
    found = clocks(
        track(
            ("2026-03-02 08:00", NEW | {"team": "desk"}),
            ("2026-03-02 09:30", {"team": "net"}),
            ("2026-03-02 10:00", {"team": "desk"}),
            ("2026-03-02 10:30", {"team": "app"}),
        ),
        desks,
    )
    assert told_of(found) == [("it", "completed", "team is net now"), ("it", "completed", "team is app now")]
    assert [clock.is_breached(0) for clock in found] == [True, False]


ACME = book(
    {}, contracts={"acme": {"acknowledge": {"P3": "15m"}, "update": {"P3": "1h"}, "fix": {"P3": "4h"}}}
)
WITH_THEM = (("2026-03-02 08:00", NEW), ("2026-03-02 08:10", ENGAGED), ("2026-03-02 08:12", TICKET))


def theirs(*steps: Any) -> list[Clock]:
    return clocks(track(*WITH_THEM, *steps), ACME, ("acme",))


def test_a_contract_runs_from_their_ticket_to_their_word_their_next_one_and_their_fix() -> None:
    found = theirs(
        ("2026-03-02 08:20", {"0:said": "yes"}),
        ("2026-03-02 08:50", {"0:said": "yes"}),
        ("2026-03-02 09:30", {"0:said": "yes", "0:fixed": "yes"}),
    )
    assert told_of(found) == [
        ("acme acknowledge", "completed", "they said something"),
        ("acme fix", "completed", "they say it is fixed"),
        ("acme update", "completed", "they said something"),
        ("acme update", "completed", "they say it is fixed"),
    ]
    assert [clock.used(0) // MINUTE for clock in found] == [8, 78, 30, 40]
    assert {(clock.vendor, clock.bond) for clock in found} == {("acme", 0)}


def test_a_fix_that_was_none_goes_on_as_a_total_one() -> None:
    found = theirs(
        ("2026-03-02 09:12", {"0:said": "yes", "0:fixed": "yes"}), ("2026-03-02 10:00", {"0:fixed": ""})
    )
    assert [one for one in told_of(found) if "fix" in one[0]] == [
        ("acme fix", "completed", "they say it is fixed"),
        ("acme fix, total", "in progress", ""),
    ]
    total = next(clock for clock in found if clock.total)
    assert total.due == at("2026-03-02 13:00")


def test_a_contract_keeps_the_priority_that_they_were_told() -> None:
    found = theirs(("2026-03-02 09:00", {"priority": "1"}))
    assert {(clock.priority, clock.stage) for clock in found} == {("3", Stage.RUNNING)}


def test_a_withdrawn_ticket_cancels_their_clocks() -> None:
    found = theirs(("2026-03-02 09:00", {"0:bond": ""}))
    assert {(clock.stage, clock.why) for clock in found} == {(Stage.CANCELLED, "it is over with them")}


# The pause table

HOLDS = ("caller", "vendor", "change", "problem")
TABLE = {
    ("SLA", "response"): set(),
    ("SLA", "resolution"): {"caller"},
    ("SLA", "update"): set(),
    ("OLA", "response"): set(HOLDS),
    ("OLA", "resolution"): set(HOLDS),
    ("OLA", "handover"): set(HOLDS),
}


@pytest.mark.parametrize("reason", HOLDS)
@pytest.mark.parametrize(("kind", "metric"), TABLE)
def test_the_pause_table_for_our_own_clocks(kind: str, metric: str, reason: str) -> None:
    what = book(one_clock(kind=kind, metric=metric))
    told = NEW | {"team": "desk", "word": "caller"}
    clock = only(track(("2026-03-02 08:00", told), ("2026-03-02 09:00", hold(reason))), what)
    assert (clock.stage is Stage.PAUSED) is (reason in TABLE[kind, metric])


@pytest.mark.parametrize("reason", HOLDS)
def test_the_pause_table_for_a_contract(reason: str) -> None:
    found = theirs(("2026-03-02 08:20", {"0:said": "yes"}), ("2026-03-02 08:30", hold(reason)))[1:]
    assert {clock.stage for clock in found} == {Stage.PAUSED if reason == "caller" else Stage.RUNNING}


def test_while_a_supplier_waits_for_us_their_clock_stands_and_ours_run() -> None:
    both = Book(ACME.calendars, one_clock("8h"), ACME.contracts)
    steps = (*WITH_THEM, ("2026-03-02 09:12", {"0:ball": "ours"}), ("2026-03-02 10:12", {"0:ball": "theirs"}))
    ours, _, fix = clocks(track(*steps), both, ("acme",))
    assert (ours.rule.metric, ours.due) == (Metric.RESOLUTION, at("2026-03-02 16:00"))
    assert fix.due == at("2026-03-02 13:12")
    assert [span.paused for span in fix.spans] == ["", "they wait for us", ""]


# Thresholds


def test_word_is_due_at_each_threshold_and_only_at_those_to_come() -> None:
    clock = only(track(("2026-03-02 08:00", NEW)), book())
    assert clock.crossed() == [
        (50, at("2026-03-02 12:00")),
        (75, at("2026-03-02 14:00")),
        (100, at("2026-03-02 16:00:01")),
    ]
    paused = only(track(("2026-03-02 08:00", NEW), ("2026-03-02 13:00", hold())), book())
    assert paused.crossed() == [(50, at("2026-03-02 12:00"))]


def test_what_is_promised_to_an_incident_logged_now() -> None:
    now = at("2026-03-06 16:00")  # a Friday
    timeline = ((0, DEFAULT),)
    assert promised(Priority.CRITICAL, {}, now, timeline) == at("2026-03-06 20:00")
    assert promised(Priority.HIGH, {}, now, timeline) == at("2026-03-09 15:00")
    assert promised(Priority.PLANNING, {}, now, timeline) is None
    only_shop = ((0, book(one_clock("1h", "24x7", when={"service": "shop"}))),)
    assert promised(Priority.CRITICAL, {"service": "shop"}, now, only_shop) == now + HOUR
    assert promised(Priority.CRITICAL, {"service": "mail"}, now, only_shop) is None
