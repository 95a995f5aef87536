"""The audit: what it finds in a log that was tampered with, and that it finds nothing where all went well."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import pytest

from register.audit import Wrong, audited
from register.auditing import audit
from register.core import Recorded
from register.desk import ServiceDesk
from register.incident import HoldReason, Urgency
from register.store import Store
from register.store import tables as t
from register.topics.correction import Correct
from register.topics.escalate import Functional, Hierarchical, Rebase, Unacknowledge
from register.topics.hold import PutOnHold
from register.topics.ownership import Acknowledge, PassOn
from register.topics.resolution import Reopen
from register.topics.steps import StepFired
from tests.conftest import Clock
from tests.register.escalating import escalating, ticks, urgent
from tests.register.saying import ANA, BEN, fixed


def wrongs(desk: ServiceDesk, clock: Clock) -> list[Wrong]:
    return [one.wrong for one in audit(desk.store, clock.now).found]


def lived(desk: ServiceDesk, clock: Clock) -> str:
    """Two steps, an acknowledgement that runs out, and the rest of it."""
    number = urgent(desk)
    ticks(desk, clock, seconds=1)
    ticks(desk, clock, minutes=5)
    desk.do(ANA, Acknowledge(target=number))
    for _ in range(80):
        ticks(desk, clock, minutes=1)
    return number


def test_a_whole_life_is_clean(store: Store) -> None:
    desk, clock = escalating(store)
    lived(desk, clock)
    found = audit(store, clock.now)
    assert found.found == []
    assert (found.incidents, found.fired) == (1, 5)


def test_whatever_people_do_is_clean_while_somebody_ticks(store: Store) -> None:
    desk, clock = escalating(store)

    def some(number: str) -> Sequence[Callable[[], Any]]:
        return (
            lambda: desk.do(ANA, Acknowledge(target=number)),
            lambda: desk.do(ANA, Unacknowledge(target=number)),
            lambda: desk.do(ANA, PassOn(target=number, to="dora")),
            lambda: desk.do(BEN, Correct(target=number, urgency=Urgency.LOW, reason="it does not hurt")),
            lambda: desk.do(BEN, Correct(target=number, urgency=Urgency.HIGH, reason="it does")),
            lambda: desk.do(ANA, PutOnHold(target=number, reason=HoldReason.CHANGE, on="CHG-1")),
            lambda: desk.do(BEN, Hierarchical(target=number, why="the customer calls")),
            lambda: desk.do(BEN, Functional(target=number, team="nets")),
            lambda: desk.do(ANA, fixed(number)),
            lambda: desk.do(BEN, Reopen(target=number, reason="it is back")),
            lambda: desk.do(BEN, Functional(target=number, team="apps")),
            lambda: desk.do(BEN, Rebase(target=number)),
        )

    number = urgent(desk)
    for act in some(number)[:-1]:
        act()
        for _ in range(4):
            ticks(desk, clock, minutes=2)
    assert wrongs(desk, clock) == []


def test_what_nobody_fired_is_found(store: Store) -> None:
    desk, clock = escalating(store)
    number = urgent(desk)
    ticks(desk, clock, seconds=1)
    clock.passes(minutes=9)
    assert wrongs(desk, clock) == []
    clock.passes(minutes=2)
    (found,) = audit(store, clock.now).found
    assert (found.number, found.wrong) == (number, Wrong.MISSING)
    assert "INC-1: step 2 was due at 2026-03-09 09:05:01 UTC, and for 6 min nobody has fired it" in found.says


def test_who_came_first_long_after_a_step_was_due_is_told_and_is_no_fault(store: Store) -> None:
    desk, clock = escalating(store)
    number = urgent(desk)
    ticks(desk, clock, seconds=1)
    clock.passes(minutes=25)
    desk.do(ANA, Acknowledge(target=number))
    found = audit(store, clock.now)
    assert [one.wrong for one in found.found] == [Wrong.OVERTAKEN]
    assert found.faults == []


Spoil = Callable[[list[Recorded]], list[Recorded]]


def at_step(events: Sequence[Recorded], which: int) -> int:
    return [n for n, one in enumerate(events) if one.kind == "step_fired"][which]


def without(which: int) -> Spoil:
    def spoil(events: list[Recorded]) -> list[Recorded]:
        del events[at_step(events, which)]
        return events

    return spoil


def doubled(which: int, after: timedelta) -> Spoil:
    def spoil(events: list[Recorded]) -> list[Recorded]:
        at = at_step(events, which)
        again = events[at]._replace(at=events[at].at + after, command_id="another")
        return [*events[: at + 1], again, *events[at + 1 :]]

    return spoil


def moved(which: int, by: timedelta) -> Spoil:
    def spoil(events: list[Recorded]) -> list[Recorded]:
        at = at_step(events, which)
        events[at] = events[at]._replace(at=events[at].at + by)
        return events

    return spoil


def late_without_a_word(events: list[Recorded]) -> list[Recorded]:
    events = moved(1, timedelta(minutes=30))(events)
    return events[: at_step(events, 1) + 1]


def telling_nobody(events: list[Recorded]) -> list[Recorded]:
    at = at_step(events, 0)
    event = events[at].event
    assert isinstance(event, StepFired)
    events[at] = events[at]._replace(event=event.model_copy(update={"told": ()}))
    return events


def fired_though_acknowledged(events: list[Recorded]) -> list[Recorded]:
    """The second step after the acknowledgement that it was before."""
    step = at_step(events, 1)
    ack = next(n for n, one in enumerate(events) if one.kind == "acknowledged")
    events[step], events[ack] = events[ack], events[step]
    return events


@pytest.mark.parametrize(
    ("spoil", "wrong"),
    [
        (without(1), Wrong.MISSING),
        (without(3), Wrong.MISSING),
        (doubled(0, timedelta(seconds=1)), Wrong.DOUBLE),
        (doubled(1, timedelta(0)), Wrong.DOUBLE),
        (doubled(2, timedelta(0)), Wrong.DOUBLE),
        (moved(1, timedelta(seconds=-2)), Wrong.EARLY),
        (moved(3, timedelta(minutes=-2)), Wrong.EARLY),
        (late_without_a_word, Wrong.UNSAID),
        (telling_nobody, Wrong.NOBODY),
        (fired_though_acknowledged, Wrong.NEEDLESS),
    ],
)
def test_what_was_planted_is_found(store: Store, spoil: Spoil, wrong: Wrong) -> None:
    desk, clock = escalating(store)
    number = lived(desk, clock)
    events = store.timeline(number)
    assert audited(number, events, clock.now) == []
    assert wrong in {one.wrong for one in audited(number, spoil(list(events)), clock.now)}


def test_all_that_an_outage_delays_says_by_how_much(store: Store) -> None:
    """A step, an acknowledgement that ran out, the end of the steps, and those above."""
    desk, clock = escalating(store)
    number = urgent(desk)
    ticks(desk, clock, minutes=20)
    desk.do(ANA, Acknowledge(target=number))
    for _ in range(8):
        ticks(desk, clock, hours=2)
    assert wrongs(desk, clock) == []
    late = [(one.kind, one.event.late // 60) for one in store.timeline(number) if hasattr(one.event, "late")]
    assert late == [
        ("step_fired", 20),
        ("acknowledged", 0),
        ("step_fired", 90),
        ("step_fired", 115),
        ("step_fired", 110),
        ("step_fired", 115),
        ("escalation_exhausted", 110),
        ("escalated_hierarchical", 0),
        ("escalated_hierarchical", 110),
    ]


def test_a_page_of_which_nothing_came_is_found(store: Store) -> None:
    desk, clock = escalating(store)
    urgent(desk)
    ticks(desk, clock, seconds=1)
    with store.rows_only() as connection:
        connection.execute(t.sending.delete())
    assert wrongs(desk, clock) == [Wrong.UNSENT]


def test_since_leaves_out_what_was_before(store: Store) -> None:
    desk, clock = escalating(store)
    number = urgent(desk)
    ticks(desk, clock, seconds=1)
    clock.passes(minutes=25)
    desk.do(ANA, fixed(number))
    assert len(audit(store, clock.now).found) == 1
    assert audit(store, clock.now, clock.passes(minutes=1)).found == []
