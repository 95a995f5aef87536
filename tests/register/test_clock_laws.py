"""What holds of clocks whatever happens: beside a count minute by minute, in zones that change time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from register.calendars import Calendar, seconds_of
from register.clocks.book import DEFAULT_CALENDARS, Book, Timeline
from register.clocks.clock import Clock, Stage
from register.clocks.definition import Facts
from register.clocks.run import run
from register.clocks.track import Track, bond_steps, extended, own_steps
from register.incident import (
    Ball,
    Bond,
    BondState,
    Hold,
    HoldReason,
    Impact,
    Incident,
    State,
    TicketRef,
    Urgency,
)
from tests.register.clockwork import MINUTE, at, one_clock, track

MANY = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
BEGIN = at("2026-03-27 00:00")
"""Two days before Europe's clocks go forward."""
ZONES = st.sampled_from(["UTC", "Europe/Oslo", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"])
HALF_HOURS = st.integers(0, 47).map(lambda n: f"{n // 2:02}:{n % 2 * 30:02}")
WINDOWS = st.builds(
    lambda days, begin, end: f"{days} {begin}-{end if end != begin else '24:00'}",
    st.sampled_from(["Mon-Fri", "Sat-Sun", "Sun", "Mon-Sun", "Wed"]),
    HALF_HOURS,
    HALF_HOURS,
)
CALENDARS = st.builds(
    lambda zone, hours, shut: Calendar(zone=zone, hours=("Mon-Sun 11:00-12:00", *hours), closed=shut),
    ZONES,
    st.lists(WINDOWS, max_size=3).map(tuple),
    st.sampled_from([(), ("2026-03-30",), ("2026-03-28 10:00-24:00",)]),
) | st.just(DEFAULT_CALENDARS["24x7"])
TOLD = st.sampled_from(
    [
        {"state": "On Hold", "hold": "caller"},
        {"state": "On Hold", "hold": "change"},
        {"state": "On Hold", "hold": "vendor"},
        {"state": "In Progress", "hold": ""},
        {"acked": "yes"},
        {"state": "Resolved", "hold": ""},
        {"priority": "1"},
        {"priority": "4"},
    ]
)
MINUTES = st.integers(0, 6 * 24 * 60)
STEPS = st.lists(st.tuples(MINUTES, TOLD), max_size=10).map(
    lambda steps: [(BEGIN + MINUTE * minute, told) for minute, told in sorted(steps, key=lambda s: s[0])]
)
TARGETS = st.integers(1, 40).map(lambda halves: f"{halves * 30}m")


def drawn(calendar: Calendar, within: str, **more: Any) -> Book:
    clocks = one_clock(within, "drawn", pause_on=["caller", "change"], **more)
    return Book({**DEFAULT_CALENDARS, "drawn": calendar}, clocks)


def tracked(steps: list[tuple[int, Facts]]) -> Track:
    return track((BEGIN, {"state": "New", "priority": "3"}), *steps)


def as_it_stands(clock: Clock, now: int) -> tuple[Any, ...]:
    """All that can be said of a clock but its spans."""
    return (clock.name, clock.stage, clock.began, clock.used(now), clock.left(now), clock.due, clock.breach)


def counted(told: Track, book: Book, now: int) -> int:
    """What the resolution clock has used by now, counted minute by minute, by the plainest rules."""
    hours = book.calendars["drawn"].ready
    used, facts, place = 0, {}, 0
    steps = own_steps(told)
    for minute in range(BEGIN, now, MINUTE):
        while place < len(steps) and steps[place][0] <= minute:
            facts |= steps[place][1]
            place += 1
        runs = facts["state"] in ("New", "In Progress") or facts.get("hold") == "vendor"
        used += MINUTE if runs and hours.is_open(minute) else 0
    return used


@MANY
@given(CALENDARS, TARGETS, STEPS, MINUTES)
def test_property_a_elapsed_and_remaining_are_the_target_at_every_instant(
    calendar: Calendar, within: str, steps: list[tuple[int, Facts]], ahead: int
) -> None:
    book = drawn(calendar, within)
    told = tracked(steps)
    now = told[-1][0] + MINUTE * ahead
    clocks = run(told, (), ((0, book),))
    clock = clocks[-1]  # the total one, where it was opened again
    assert len(clocks) == 1 + clock.total
    for instant in (now, now + 1, told[-1][0]):
        assert clock.used(instant) + clock.left(instant) == clock.target
    assert clock.used(now) == counted(told, book, now)
    assert clock.is_breached(now) == (clock.left(now) < 0)
    last = told[-1][0]
    if clock.stage is Stage.RUNNING:
        assert clock.due is not None
        assert clock.used(clock.due) == clock.target or clock.due < last
        assert clock.breach is not None
        if clock.due > last:
            assert clock.used(clock.due - 1) == clock.target - 1
        if clock.breach > last:
            assert (clock.left(clock.breach), clock.left(clock.breach - 1)) == (-1, 0)
    elif clock.stage is Stage.PAUSED and clock.left(now) > 0:
        assert clock.due is None


@MANY
@given(CALENDARS, TARGETS, STEPS, MINUTES, st.integers(0, 3), MINUTES)
def test_property_c_splitting_a_pause_in_two_changes_nothing(
    calendar: Calendar, within: str, steps: list[tuple[int, Facts]], begin: int, days: int, split: int
) -> None:
    timeline = ((0, drawn(calendar, within)),)
    held, resumed = {"state": "On Hold", "hold": "caller"}, {"state": "In Progress", "hold": ""}
    start = BEGIN + MINUTE * begin
    end = start + days * 86_400 + 60
    middle = start + MINUTE * split % (end - start + 1)
    before = [step for step in steps if step[0] < start]
    whole = tracked([*before, (start, held), (end, resumed)])
    for parts in (
        [(middle, resumed), (middle, held)],
        [(middle, held)],
        [(middle, {"service": "Mail"})],
        [(middle, {"state": "On Hold", "hold": "change"})],
    ):
        other = tracked([*before, (start, held), *parts, (end, resumed)])
        for now in (start, middle, end, end + 86_399):
            assert [as_it_stands(c, now) for c in run(whole, (), timeline)] == [
                as_it_stands(c, now) for c in run(other, (), timeline)
            ]


@MANY
@given(CALENDARS, CALENDARS, TARGETS, STEPS, MINUTES, MINUTES)
def test_edge_30_by_an_edit_no_second_is_lost_or_counted_twice(
    old: Calendar, new: Calendar, within: str, steps: list[tuple[int, Facts]], edited: int, ahead: int
) -> None:
    told, edit = tracked(steps), BEGIN + MINUTE * edited
    before, after = drawn(old, within), drawn(new, within)
    timeline: Timeline = ((0, before), (edit, after))
    now = told[-1][0] + MINUTE * ahead
    clock = run(told, (), timeline)[-1]
    until = min(edit, now)
    assert clock.used(now) == counted(told, before, until) + counted(told, after, now) - counted(
        told, after, until
    )
    assert clock.left(now) == clock.target - clock.used(now)


@MANY
@given(CALENDARS, st.integers(1, 60), STEPS, MINUTES)
def test_edge_26_a_clock_that_comes_late_stands_as_if_it_had_been_there(
    calendar: Calendar, halves: int, steps: list[tuple[int, Facts]], ahead: int
) -> None:
    more = {"P3": f"{halves * 30}m", "P2": "1m"}
    steps = [step for step in steps if "priority" not in step[1]]
    always = tracked(steps)
    changed = tracked([(BEGIN, {"priority": "2"}), *steps, (always[-1][0], {"priority": "3"})])
    now = always[-1][0] + MINUTE * ahead
    timeline = ((0, drawn(calendar, "1h", targets=more)),)
    there, late = run(always, (), timeline)[-1], run(changed, (), timeline)[-1]
    if there.ended is None:
        assert (late.used(now), late.due, late.stage) == (there.used(now), there.due, there.stage)


# The track


def test_a_step_of_an_earlier_time_holds_from_then_on() -> None:
    told = track(("2026-03-02 08:00", {"0:bond": "live"}), ("2026-03-02 09:00", {"0:ticket": "yes"}))
    assert own_steps(told) == []
    assert bond_steps(told, 0) == [
        (at("2026-03-02 08:00"), {"bond": "live"}),
        (at("2026-03-02 09:00"), {"ticket": "yes"}),
    ]
    assert bond_steps(told, 1) == []


WHEN = st.integers(0, 600).map(lambda n: datetime(2026, 3, 2, 8, tzinfo=UTC) + timedelta(minutes=n))
REF = TicketRef(id="1", key="1")
CHANGES = st.sampled_from(
    [
        {"state": State.ON_HOLD, "hold": Hold(reason=HoldReason.CALLER, on="x")},
        {"state": State.IN_PROGRESS, "hold": None},
        {"state": State.RESOLVED, "hold": None},
        {"impact": Impact.HIGH},
        {"urgency": Urgency.LOW},
        {"team": "net"},
        {"team": ""},
        {"word": "caller"},
        {"word": "us"},
        {"ticket": True},
        {"ball": Ball.OURS},
        {"ball": Ball.THEIRS},
        {"fixed": BondState.FIXED},
        {"fixed": BondState.OPEN},
        {"said": True},
    ]
)


def changed(incident: Incident, change: dict[str, Any], when: datetime) -> Incident:
    (bond,) = incident.bonds
    if "word" in change:
        return incident.but(word=change["word"], word_at=when)
    if "ticket" in change:
        return incident.with_bond(bond.but(ref=REF))
    if "ball" in change:
        return incident.with_bond(bond.but(ball=change["ball"]))
    if "fixed" in change:
        return incident.with_bond(bond.but(state=change["fixed"], said_at=when))
    if "said" in change:
        return incident.with_bond(bond.but(said_at=when))
    return incident.but(**change)


@MANY
@given(st.lists(st.tuples(WHEN, CHANGES), max_size=12))
def test_whatever_is_told_late_the_last_facts_are_those_of_the_fold(
    told: list[tuple[datetime, dict[str, Any]]],
) -> None:
    begin = datetime(2026, 3, 2, 9, tzinfo=UTC)
    bond = Bond(id="b", vendor="acme", production=True, ball_since=begin, engaged_at=begin, engaged_by="p1")
    incident = Incident(
        number="INC-1",
        title="t",
        impact=Impact.MEDIUM,
        urgency=Urgency.MEDIUM,
        reporter="p1",
        opened_at=begin,
        updated_at=begin,
        bonds=(bond,),
    )
    incident = incident.but(track=extended(None, incident, begin))
    for when, change in told:
        after = changed(incident, change, when)
        incident = after.but(track=extended(incident, after, when))
    steps = [when for when, _ in incident.track]
    assert steps == sorted(steps)
    assert steps[0] == seconds_of(begin), "nothing is older than the incident"
    assert last_facts(own_steps(incident.track)) == {
        "state": incident.state.value,
        "priority": str(incident.priority.value),
    } | {
        name: value
        for name, value in {
            "hold": incident.hold.reason.value if incident.hold else "",
            "team": incident.team,
            "has_team": "yes" if incident.team else "",
            "word": incident.word,
        }.items()
        if value
    }
    (bond,) = incident.bonds
    found = last_facts(bond_steps(incident.track, 0))
    assert found["ball"] == bond.ball.value
    assert found.get("fixed", "") == ("yes" if bond.state is BondState.FIXED else "")
    assert found.get("said", "") == ("yes" if bond.said_at else "")
    assert found.get("ticket", "") == ("yes" if bond.ref else "")


def last_facts(steps: list[tuple[int, Facts]]) -> Facts:
    facts: Facts = {}
    for _, told in steps:
        facts |= told
    return {name: value for name, value in facts.items() if value}
