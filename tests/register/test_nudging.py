"""Suppliers are reminded of their contracts: once a clock and step, never of what has ended or stands."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from register.adoption import as_text
from register.calendars import seconds_of
from register.clocks.book import DEFAULT_CALENDARS, Book
from register.clocks.clock import Stage
from register.clocks.definition import Contract
from register.clocks.nudge import mark_of, next_nudge
from register.clocks.run import clocks_of
from register.core import Policy, VendorFacts
from register.desk import ServiceDesk
from register.incident import Ball, BondState, CallWhy, HoldReason
from register.store import Store, contracts, open_store, outbox
from register.topics.adoption import AdoptPolicy
from register.topics.calls import LogCall
from register.topics.hearing import Hear
from register.topics.hold import PutOnHold, Resume
from register.topics.nudging import LetGo, Nudged
from register.topics.privacy import Redact
from register.topics.proposal import Dispute
from register.topics.withdrawal import Withdraw
from register.verify import verify
from register.watch import falls_due_soon, tick
from tests.register.saying import ADA, ANA, BEN, ENGINE, arrived, claim, engaged, heard, look, story

ACME = {
    "acknowledge": {"P3": "60m"},
    "update": {"P3": "2h"},
    "fix": {"P3": "5h"},
    "nudge": [50, 75],
    "beyond_promise": "a test",
}


def promising(policy: Policy, **more: Any) -> Policy:
    book = Book(DEFAULT_CALENDARS, {}, {"acme": Contract.model_validate(ACME | more)})
    return replace(policy, timeline=((0, book),))


@pytest.fixture
def policy(policy: Policy) -> Policy:
    return promising(policy)


def ticket(desk: ServiceDesk) -> tuple[str, str]:
    number, bond = engaged(desk)
    arrived(desk, bond)
    return number, bond


def nudges(desk: ServiceDesk, number: str) -> list[Nudged]:
    return [one.event for one in desk.store.timeline(number) if isinstance(one.event, Nudged)]


def told(desk: ServiceDesk, number: str) -> list[tuple[str, int]]:
    return [(one.clock, one.percent) for one in nudges(desk, number)]


def word(desk: ServiceDesk, clock: Any, number: str, bond: str, **more: Any) -> None:
    known = {"change_id": str(clock.now), **more}
    desk.do(ENGINE, Hear(vendor="acme", items=(heard(number, bond, clock.now, **known),)))


def after(desk: ServiceDesk, clock: Any, **span: float) -> int:
    return tick(desk, clock.passes(**span))


def test_each_step_reminds_once_and_says_by_when(desk: ServiceDesk, clock: Any) -> None:
    number, _ = ticket(desk)
    assert falls_due_soon(desk.store, clock.now)
    assert after(desk, clock, minutes=29) == 0
    assert after(desk, clock, minutes=2) == 1
    assert after(desk, clock, minutes=1) == 0
    assert told(desk, number) == [("acme acknowledge", 50)]
    (nudge,) = nudges(desk, number)
    assert "a first answer from you is due 2026-03-02 10:00 UTC (29m" in nudge.message
    assert after(desk, clock, minutes=14) == 1
    assert told(desk, number) == [("acme acknowledge", 50), ("acme acknowledge", 75)]
    rows = outbox.unfinished(desk.store)
    assert [row.kind for row in rows] == ["comment", "comment"]
    assert len({row.op_id for row in rows}) == 2


def test_it_makes_it_nobody_s_turn(desk: ServiceDesk, clock: Any) -> None:
    number, _ = ticket(desk)
    before = look(desk, number).bonds[0]
    after(desk, clock, minutes=31)
    (row,) = claim(desk.store, clock.now)
    arrived(desk, row.row_id, ref=None)
    bond = look(desk, number).bonds[0]
    assert (bond.ball, bond.ball_since) == (Ball.THEIRS, before.ball_since)


def test_who_answered_is_not_reminded_of_the_answer_but_of_the_next_word(
    desk: ServiceDesk, clock: Any
) -> None:
    number, bond = ticket(desk)
    clock.passes(minutes=10)
    word(desk, clock, number, bond, kind="state", raw_state="open", ball=Ball.THEIRS, fixed=False)
    assert after(desk, clock, minutes=50) == 0
    assert after(desk, clock, minutes=11) == 1
    assert told(desk, number) == [("acme update", 50)]
    word(desk, clock, number, bond, kind="state", raw_state="busy", ball=Ball.THEIRS, fixed=False)
    assert after(desk, clock, minutes=61) == 1  # a new word, a new clock
    assert told(desk, number) == [("acme update", 50), ("acme update", 50)]


@pytest.mark.parametrize("what", ["caller", "ours", "off"])
def test_who_waits_for_us_or_is_called_off_is_not_reminded(desk: ServiceDesk, clock: Any, what: str) -> None:
    number, bond = ticket(desk)
    if what == "caller":
        desk.do(ANA, PutOnHold(target=number, reason=HoldReason.CALLER, on="them", note="which?"))
    elif what == "ours":
        word(desk, clock, number, bond)
    else:
        desk.do(BEN, Withdraw(target=number, reason="found it"))
    assert after(desk, clock, hours=9) == 0
    assert nudges(desk, number) == []


def test_after_an_outage_a_clock_takes_one_step(desk: ServiceDesk, clock: Any) -> None:
    number, _ = ticket(desk)
    assert after(desk, clock, minutes=50) == 1
    assert told(desk, number) == [("acme acknowledge", 75)]
    assert after(desk, clock, minutes=5) == 0


def test_what_was_missed_while_nobody_ticked_waits_as_long_as_the_clock_stands(
    desk: ServiceDesk, clock: Any
) -> None:
    number, _ = ticket(desk)
    clock.passes(minutes=31)
    desk.do(ANA, PutOnHold(target=number, reason=HoldReason.CALLER, on="them", note="which?"))
    assert after(desk, clock, hours=1) == 0
    desk.do(ANA, Resume(target=number))
    assert after(desk, clock, seconds=1) == 1
    assert told(desk, number) == [("acme acknowledge", 50)]


def test_two_workers_that_tick_at_once_remind_once(desk: ServiceDesk, clock: Any) -> None:
    number, _ = ticket(desk)
    now = clock.passes(minutes=31)
    assert (tick(desk, now), tick(ServiceDesk(desk.store, desk.policy, clock), now)) == (1, 0)
    assert len(nudges(desk, number)) == 1


def test_a_dispute_does_not_remind_again_of_what_was_reminded_of(desk: ServiceDesk, clock: Any) -> None:
    number, bond = ticket(desk)
    word(desk, clock, number, bond, kind="state", raw_state="open", ball=Ball.THEIRS, fixed=False)
    after(desk, clock, hours=4)
    fix = [one for one in told(desk, number) if one[0].startswith("acme fix")]
    assert fix == [("acme fix", 75)]
    word(desk, clock, number, bond, kind="state", raw_state="done", ball=Ball.OURS, fixed=True)
    desk.do(BEN, Dispute(target=number, message="Still down."))
    word(desk, clock, number, bond, kind="state", raw_state="open again", ball=Ball.THEIRS, fixed=False)
    after(desk, clock, minutes=1)
    assert [one for one in told(desk, number) if one[0].startswith("acme fix")] == fix


def test_a_redaction_forgets_no_step(desk: ServiceDesk, clock: Any) -> None:
    number, _ = ticket(desk)
    assert after(desk, clock, minutes=31) == 1
    desk.do(ADA, Redact(target=number, reason="a password"))
    assert after(desk, clock, minutes=1) == 0
    assert len(look(desk, number).bonds[0].nudged) == 1


def test_who_asked_for_no_reminders_sends_none(store: Store, policy: Policy, clock: Any) -> None:
    desk = ServiceDesk(store, promising(policy, nudge=[]), clock)
    number, _ = ticket(desk)
    assert after(desk, clock, hours=9) == 0
    assert nudges(desk, number) == []


def test_a_supplier_by_hand_gets_a_card_for_each_step(store: Store, policy: Policy, clock: Any) -> None:
    acme = VendorFacts("acme", "Acme", production=True, by_hand=True)
    desk = ServiceDesk(store, replace(policy, vendors={"acme": acme}), clock)
    number, _ = ticket(desk)
    assert after(desk, clock, minutes=31) == 1
    card = look(desk, number).bonds[0].call
    assert card is not None
    assert (card.why, card.level) == (CallWhy.CONTRACT, 1)
    assert after(desk, clock, minutes=15) == 1
    card = look(desk, number).bonds[0].call
    assert card is not None
    assert card.level == 2
    assert outbox.unfinished(store) == []
    desk.do(ANA, LogCall(target=number, whom="Lena", said="Yes."))
    assert look(desk, number).bonds[0].call is None
    assert story(desk, number).count("call_due") == 2


def test_it_survives_a_restart(new_register: Callable[[], str], policy: Policy, clock: Any) -> None:
    where = new_register()
    store = open_store(where)
    number, _ = ticket(ServiceDesk(store, policy, clock))
    for wanted in (1, 0):
        store.close()
        store = open_store(where)
        assert after(ServiceDesk(store, policy, clock), clock, minutes=31 if wanted else 1) == wanted
    assert len(nudges(ServiceDesk(store, policy, clock), number)) == 1
    store.close()


def test_a_reminder_that_came_too_late_is_let_go_and_what_is_behind_it_goes_on(
    desk: ServiceDesk, clock: Any
) -> None:
    number, _ = ticket(desk)
    after(desk, clock, minutes=31)
    (row,) = claim(desk.store, clock.now)
    desk.do(ENGINE, LetGo(row_id=row.row_id, why="they answered"))
    assert outbox.unfinished(desk.store) == []
    assert story(desk, number)[-1] == "send_dropped"
    assert desk.do(ENGINE, LetGo(row_id=row.row_id, why="they answered")).events == ()
    bond = look(desk, number).bonds[0]
    assert (bond.dead, bond.doubtful) == (False, False)


def test_the_contract_that_is_closest_to_its_breach(desk: ServiceDesk, clock: Any) -> None:
    ticket(desk)
    clock.passes(minutes=10)
    second, _ = ticket(desk)
    found = contracts.nearest(desk.store)["acme"]
    assert (found.number, found.clock) == ("INC-1", "acme acknowledge")
    assert found.due == seconds_of(look(desk, "INC-1").bonds[0].ball_since) + 3600
    for at, number in enumerate(("INC-1", second)):
        word(desk, clock, number, look(desk, number).bonds[0].id, change_id=f"w{at}")
    assert contracts.nearest(desk.store) == {}  # all of them wait for us


# Whatever happens

SAID = ("said", "working", "ours", "fixed", "dispute", "hold", "resume")
STEPS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["tick", "nobody ticks"]), st.integers(1, 90)),
        st.tuples(st.sampled_from(SAID), st.just(0)),
        st.tuples(st.just("restart"), st.just(0)),
    ),
    min_size=4,
    max_size=12,
)
STATES: dict[str, dict[str, Any]] = {
    "working": {"ball": Ball.THEIRS, "fixed": False},
    "ours": {"ball": Ball.OURS, "fixed": False},
    "fixed": {"ball": Ball.OURS, "fixed": True},
}


def ticks(desk: ServiceDesk, clock: Any, number: str, minutes: int) -> None:
    """Tick, and see that it reminds of nothing but what runs and is far enough, and of all of that."""
    now = clock.passes(minutes=minutes)
    timeline = desk.policy.timeline
    clocks = clocks_of(look(desk, number), timeline)
    running = {mark_of(one): one for one in clocks if one.stage is Stage.RUNNING}
    before = nudges(desk, number)
    tick(desk, now)
    for nudge in nudges(desk, number)[len(before) :]:
        one = running[nudge.mark]  # KeyError: it has ended, or stands still
        assert one.used(seconds_of(now)) * 100 >= one.target * nudge.percent
    left = next_nudge(look(desk, number), clocks, timeline)
    assert left is None or left > seconds_of(now)


def happens(desk: ServiceDesk, clock: Any, number: str, bond: str, what: str, change_id: str) -> None:
    """One thing of SAID, where it may be."""
    incident = look(desk, number)
    if what in STATES:
        more: dict[str, Any] = STATES[what] | {"kind": "state", "raw_state": change_id}
        word(desk, clock, number, bond, change_id=change_id, **more)
    elif what == "said":
        word(desk, clock, number, bond, change_id=change_id)
    elif what == "dispute" and incident.bonds[0].state is BondState.FIXED:
        desk.do(BEN, Dispute(target=number, message="Still down."))
    elif what == "hold" and incident.hold is None:
        desk.do(ANA, PutOnHold(target=number, reason=HoldReason.CALLER, on="them", note="which?"))
    elif what == "resume" and incident.hold is not None:
        desk.do(ANA, Resume(target=number))


@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=STEPS)
def test_never_twice_never_too_late_and_none_is_forgotten(
    store: Store, policy: Policy, clock: Any, emptied: Callable[[Store], None], steps: list[tuple[str, int]]
) -> None:
    emptied(store)
    desk = ServiceDesk(store, policy, clock)
    number, bond = ticket(desk)
    for at, (what, minutes) in enumerate(steps):
        clock.passes(seconds=7)
        if what == "tick":
            ticks(desk, clock, number, minutes)
        elif what == "nobody ticks":
            clock.passes(minutes=minutes)
        elif what == "restart":
            desk = ServiceDesk(store, policy, clock)
        else:
            happens(desk, clock, number, bond, what, f"{what} {at}")
    taken = [(one.mark, one.percent) for one in nudges(desk, number)]
    assert len(taken) == len(set(taken))


def test_a_contract_that_is_adopted_later_reminds_of_what_runs_already(store: Store, clock: Any) -> None:
    desk = ServiceDesk(store, clock=clock)
    acme = {"vendor": {"acme": {"title": "Acme", "connector": "practice"}}}
    adopt(desk, acme, {})
    number, _ = ticket(desk)
    clock.passes(minutes=5)
    adopt(desk, acme, {"contracts": {"acme": ACME}})
    assert verify(store).faults == []
    assert after(desk, clock, minutes=29) == 0
    assert after(desk, clock, minutes=2) == 1
    assert told(desk, number) == [("acme acknowledge", 50)]
    adopt(desk, acme, {"contracts": {"acme": ACME | {"nudge": []}}})
    assert after(desk, clock, hours=9) == 0
    assert verify(store).faults == []


def adopt(desk: ServiceDesk, vendors: dict[str, Any], matrix: dict[str, Any]) -> None:
    people = {"ada": {"name": "Ada", "login": "ada", "role": "admin"}}
    known = {"fallback_team": "desk", "teams": {"desk": {"name": "Desk"}}, "people": people, **matrix}
    texts = {"matrix": as_text(known), "vendors": as_text(vendors)}
    desk.do(ADA, AdoptPolicy(**texts, digest=str(hash(texts["matrix"])), sure=True))
