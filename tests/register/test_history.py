"""The register as it was known: the past folds to what was seen then, whatever came later."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from register.core import Principal, Refused, Role
from register.desk import ServiceDesk
from register.store import Store
from register.store.history import (
    Then,
    first_recorded,
    incident_then,
    incidents_then,
    rows_then,
    then,
    timeline_then,
)
from register.topics.notes import Note
from register.topics.ownership import Take
from register.topics.privacy import Redact
from register.topics.sight import Restrict, Unrestrict
from tests.register.saying import ADA, ANA, BEN, fixed, log
from tests.register.test_laws import STEPS, on_the_outbox

CARL = Principal("carl", Role.COORDINATOR, "board")


def at(store: Store, moment: datetime) -> Then:
    with store.read() as connection:
        return then(connection, moment)


@settings(
    max_examples=8,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=STEPS)
def test_the_past_is_what_was_seen_then(store: Store, policy: Any, emptied: Any, steps: Any) -> None:
    emptied(store)
    desk = ServiceDesk(store, policy)
    seen = []
    for turn, step in enumerate(steps):
        if not isinstance(step, str) and isinstance(step[1], Redact):
            continue  # it takes words out of the past, too: that is what it is for
        try:
            on_the_outbox(desk, step, turn) if isinstance(step, str) else desk.do(*step)
        except Refused:
            continue
        rows = store.rows(ADA)[1]
        moment = datetime.now(UTC)
        seen.append((moment, store.incidents(everything=True), rows, store.seq()))
    for moment, everything, rows, seq in seen:
        with store.read() as connection:
            when = then(connection, moment)
            assert when.seq == seq
            assert when.incidents == len(everything)
            assert list(incidents_then(connection, when, everything=True)) == everything
            assert [one for one in everything if one.is_open] == list(incidents_then(connection, when))
            assert rows_then(connection, when, ADA) == rows
            for incident in everything:
                assert incident_then(connection, when, incident.number) == incident


def test_before_the_first_event_nothing_was_known(desk: ServiceDesk, clock: Any) -> None:
    before = clock.now
    number = log(desk)
    when = at(desk.store, before)
    assert (when.seq, when.incidents, when.empty) == (0, 0, True)
    with desk.store.read() as connection:
        assert list(incidents_then(connection, when, everything=True)) == []
        assert incident_then(connection, when, number) is None
        assert first_recorded(connection) == first_recorded(connection, number) == clock.now
        assert first_recorded(connection, "INC-9") is None
    assert at(desk.store, clock.now).seq == 1
    assert at(desk.store, clock.now - timedelta(microseconds=1)).seq == 0


def test_an_empty_register_has_no_past(store: Store) -> None:
    assert at(store, datetime(2100, 1, 1, tzinfo=UTC)).empty
    with store.read() as connection:
        assert first_recorded(connection) is None


@pytest.mark.parametrize("year", [1970, 2100])
def test_years_far_away_are_times_too(desk: ServiceDesk, year: int) -> None:
    log(desk)
    assert at(desk.store, datetime(year, 1, 1, tzinfo=UTC)).seq == (0 if year == 1970 else 1)


def test_what_was_recorded_later_of_an_earlier_time_was_not_known_then(desk: ServiceDesk, clock: Any) -> None:
    number = log(desk)
    moment = clock.passes(hours=1)
    clock.passes(hours=1)
    desk.do(ANA, Note(target=number, text="It began an hour ago."))
    with desk.store.read() as connection:
        kinds = [one.kind for one in timeline_then(connection, then(connection, moment), number)]
    assert kinds == ["created"]


def test_events_of_one_instant_are_known_together(desk: ServiceDesk, clock: Any) -> None:
    number = log(desk)
    clock.now -= timedelta(milliseconds=2)  # a clock behind: held at the newest event
    desk.do(ANA, Note(target=number, text="In the same microsecond."))
    assert at(desk.store, desk.store.timeline(number)[0].recorded_at).seq == 2


def test_the_past_shows_a_reader_no_more_than_the_present(desk: ServiceDesk, clock: Any) -> None:
    number = log(desk, "salary list leaked")
    open_then = clock.passes(minutes=1)
    desk.do(ANA, Restrict(target=number))
    closed_then = clock.passes(minutes=1)

    def row(moment: datetime, who: Principal) -> dict[str, Any]:
        with desk.store.read() as connection:
            return rows_then(connection, then(connection, moment), who)[0]

    assert row(open_then, CARL)["masked"]  # everyone saw it then, and may not now
    assert row(open_then, ANA)["title"] == row(open_then, ADA)["title"] == "salary list leaked"
    desk.do(ANA, Unrestrict(target=number))
    assert row(closed_then, CARL)["title"] == "salary list leaked"


def test_only_what_changed_since_is_folded_again(desk: ServiceDesk, clock: Any, monkeypatch: Any) -> None:
    numbers = [log(desk, f"trouble {n}") for n in range(6)]
    moment = clock.passes(minutes=1)
    desk.do(BEN, Take(target=numbers[2]))
    desk.do(BEN, fixed(numbers[4]))
    log(desk, "later")
    asked: list[str] = []
    from register.store import history

    real = history.folded
    monkeypatch.setattr(history, "folded", lambda c, n, s: real(c, asked.extend(n) or asked, s))
    with desk.store.read() as connection:
        found = list(incidents_then(connection, then(connection, moment)))
    assert [one.number for one in found] == numbers
    assert asked == [numbers[2], numbers[4]]
