"""Escalation: who is told when, what stops it, and what happens when nobody answers."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from register.core import Principal, Refused, Role
from register.incident import HoldReason, Impact, PageState, Paging, Urgency
from register.store import Store, pages
from register.topics.alerts import Status, TakeAlert
from register.topics.caller import TellCaller
from register.topics.correction import Correct
from register.topics.escalate import Functional, Hierarchical, Rebase, Unacknowledge
from register.topics.hold import PutOnHold
from register.topics.notes import Note
from register.topics.ownership import Acknowledge, PassOn, Take
from register.topics.paging import MissPage, about_of, no_more
from register.topics.resolution import Reopen
from register.topics.steps import AckTimedOut, StepFired
from register.verify import verify
from register.watch import tick
from tests.register.escalating import BEGIN, MATRIX, escalating, fired, run_of, ticks, told, urgent
from tests.register.saying import ANA, BEN, fixed, look

CARL = Principal("carl", Role.COORDINATOR, "cli")
DORA = Principal("dora", Role.COORDINATOR, "cli")
EVA = Principal("eva", Role.COORDINATOR, "cli")
PAGER = Principal("muster", Role.ENGINE, "pager")


def test_steps_go_on_until_the_policy_ends_and_then_up(store: Store) -> None:
    desk, clock = escalating(store)
    number = urgent(desk)
    for _ in range(70):
        ticks(desk, clock, minutes=1)
    assert fired(desk, number) == [
        (1, "step", "ana"),
        (6, "step", "ben carl"),
        (16, "step", "ana"),
        (21, "step", "ben carl"),
    ]
    events = desk.store.timeline(number)
    up = [one for one in events if one.kind == "escalated_hierarchical"]
    assert [desk.store.logins()[one.event.told[0]] for one in up] == ["ben", "eva"]  # type: ignore[union-attr]
    assert [round((one.at - BEGIN) / timedelta(minutes=1)) for one in up] == [31, 41]
    assert [one.kind for one in events].count("escalation_exhausted") == 1
    assert look(desk, number).paging is Paging.EXHAUSTED
    assert look(desk, number).pages_at is None
    assert verify(store).faults == []


def test_the_first_step_is_due_at_once_and_a_page_goes_to_each(store: Store) -> None:
    desk, clock = escalating(store)
    number = urgent(desk)
    assert ticks(desk, clock, seconds=0) == 1
    assert ticks(desk, clock, seconds=0) == 0
    (page,) = pages.unfinished(store)
    assert (page.incident, store.logins()[page.person]) == (number, "ana")
    ticks(desk, clock, minutes=5)
    assert len(pages.unfinished(store)) == 3


@pytest.mark.parametrize("verb", [Acknowledge, Take])
def test_whoever_has_it_stops_it_and_waiting_pages_are_not_needed(store: Store, verb: type) -> None:
    desk, clock = escalating(store)
    number = urgent(desk)
    ticks(desk, clock, seconds=0)
    (page,) = pages.unfinished(store)
    assert no_more(look(desk, number), about_of(page.payload), page.person) == ""
    desk.do(ANA, verb(target=number))
    assert run_of(desk, number).state is Paging.ACKNOWLEDGED
    assert no_more(look(desk, number), about_of(page.payload), page.person) == "somebody has acknowledged it"
    assert ticks(desk, clock, minutes=20) == 0
    assert [why for _, why, _ in fired(desk, number)] == ["step"]


def test_v7_two_reminders_of_ten_minutes_escalate_after_thirty(store: Store) -> None:
    remind = MATRIX.replace(
        'to = ["person:ana"]\nwait = "5m"', 'to = ["person:ana"]\nwait = "10m"\nremind = 2'
    )
    desk, clock = escalating(store, remind)
    number = urgent(desk)
    tick(desk, clock())
    for _ in range(3):
        ticks(desk, clock, minutes=10, seconds=1)
    assert fired(desk, number)[:4] == [
        (0, "step", "ana"),
        (10, "reminder", "ana"),
        (20, "reminder", "ana"),
        (30, "step", "ben carl"),
    ]


def test_edge_7_after_an_outage_one_step_then_the_whole_wait(store: Store) -> None:
    desk, clock = escalating(store)
    number = urgent(desk)
    ticks(desk, clock, seconds=0)
    assert ticks(desk, clock, hours=1) == 1
    assert ticks(desk, clock, minutes=9) == 0
    steps = [one.event for one in desk.store.timeline(number) if isinstance(one.event, StepFired)]
    assert [one.late for one in steps] == [0, 55 * 60]
    assert ticks(desk, clock, minutes=2) == 1


def test_edges_15_and_16_a_silent_acknowledgement_asks_its_giver_and_who_is_there_now(store: Store) -> None:
    desk, clock = escalating(store)
    number = urgent(desk)
    ticks(desk, clock, seconds=0)
    desk.do(CARL, Acknowledge(target=number))
    (old,) = pages.unfinished(store)
    assert ticks(desk, clock, minutes=29) == 0
    assert ticks(desk, clock, minutes=2) == 1
    assert fired(desk, number)[-1] == (31, "ack_timeout", "carl ana")
    assert run_of(desk, number).state is Paging.TRIGGERED
    assert any(isinstance(one.event, AckTimedOut) for one in desk.store.timeline(number))
    assert no_more(look(desk, number), about_of(old.payload), old.person) == "somebody has acknowledged it"
    desk.do(CARL, Acknowledge(target=number))
    assert run_of(desk, number).ack_until == clock.now + timedelta(minutes=30)


def test_saying_again_that_one_is_on_it_renews_it(store: Store) -> None:
    desk, clock = escalating(store)
    number = urgent(desk)
    ticks(desk, clock, seconds=0)
    desk.do(ANA, Acknowledge(target=number))
    with pytest.raises(Refused, match="acknowledged by you already"):
        desk.do(ANA, Acknowledge(target=number))
    clock.passes(minutes=25)
    desk.do(ANA, Acknowledge(target=number))
    assert ticks(desk, clock, minutes=29) == 0


@pytest.mark.parametrize(
    "word", [lambda n: Note(target=n, text="looking"), lambda n: TellCaller(target=n, text="on it")]
)
def test_who_works_on_it_is_not_asked_whether_anybody_does(store: Store, word: Any) -> None:
    desk, clock = escalating(store)
    number = urgent(desk, caller="Front desk")
    ticks(desk, clock, seconds=0)
    desk.do(ANA, Acknowledge(target=number))
    clock.passes(minutes=25)
    desk.do(ANA, word(number))
    assert ticks(desk, clock, minutes=29) == 0
    assert ticks(desk, clock, minutes=2) == 1


def test_a_low_priority_asks_nobody_again(store: Store) -> None:
    desk, clock = escalating(store)
    number = urgent(desk, impact=Impact.MEDIUM, urgency=Urgency.MEDIUM)
    ticks(desk, clock, seconds=0)
    desk.do(ANA, Acknowledge(target=number))
    assert look(desk, number).pages_at is None


def test_low_urgency_is_told_and_never_escalated_until_it_is_urgent(store: Store) -> None:
    desk, clock = escalating(store)
    number = urgent(desk, urgency=Urgency.LOW)
    ticks(desk, clock, seconds=0)
    assert ticks(desk, clock, days=2) == 0
    assert [who for _, _, who in fired(desk, number)] == ["ana"]
    desk.do(BEN, Correct(target=number, urgency=Urgency.HIGH, reason="it hurts now"))
    assert ticks(desk, clock, seconds=0) == 1
    assert fired(desk, number)[-1][2] == "ben carl"
    desk.do(BEN, Correct(target=number, urgency=Urgency.LOW, reason="it does not"))
    assert ticks(desk, clock, days=1) == 0


def test_edge_17_an_empty_step_is_skipped_at_once_and_all_empty_is_the_end(store: Store) -> None:
    desk, clock = escalating(
        store,
        MATRIX.replace('to = ["person:ana"]', 'to = ["team:heads2"]', 1).replace(
            "[teams.heads]", '[teams.heads2]\nname = "Nobody yet"\n[teams.heads]'
        ),
    )
    number = urgent(desk)
    ticks(desk, clock, seconds=0)
    assert told(desk, number) == ["escalation_started", "step_skipped_empty", "step_fired"]
    assert fired(desk, number) == [(0, "step", "ben carl")]

    nobody = (
        MATRIX.replace('to = ["person:ana"]', 'to = ["team:heads2"]')
        .replace('to = ["lead", "person:carl"]', 'to = ["lead:heads2"]')
        .replace("[teams.heads]", '[teams.heads2]\nname = "Nobody yet"\n[teams.heads]')
    )
    desk.policy = desk._given = escalating(store, nobody)[0].policy
    number = urgent(desk)
    ticks(desk, clock, seconds=0)
    assert told(desk, number) == [
        "escalation_started",
        "step_skipped_empty",
        "step_skipped_empty",
        "escalation_exhausted",
        "escalated_hierarchical",
    ]
    assert look(desk, number).paging is Paging.EXHAUSTED


def test_each_of_a_pair_is_to_answer_and_the_first_one_stops_it(store: Store) -> None:
    desk, clock = escalating(store)
    number = urgent(desk)
    desk.do(BEN, Functional(target=number, team="nets", why="it is the wire"))
    ticks(desk, clock, seconds=0)
    assert fired(desk, number)[-1][1:] == ("step", "carl dora")
    desk.do(CARL, Acknowledge(target=number))
    run = run_of(desk, number)
    assert (run.state, [store.logins()[one] for one in run.awaits]) == (Paging.ACKNOWLEDGED, ["dora"])
    doras = next(one for one in pages.unfinished(store) if store.logins()[one.person] == "dora")
    assert no_more(look(desk, number), about_of(doras.payload), doras.person) == ""
    assert ticks(desk, clock, minutes=6) == 1
    assert fired(desk, number)[-1][1:] == ("awaited", "dora")
    assert run_of(desk, number).state is Paging.ACKNOWLEDGED
    desk.do(DORA, Acknowledge(target=number))
    assert run_of(desk, number).awaits == ()
    assert ticks(desk, clock, minutes=20) == 0


def test_functional_goes_to_another_team_or_to_the_next_step_now(store: Store) -> None:
    desk, clock = escalating(store)
    number = urgent(desk)
    ticks(desk, clock, seconds=0)
    desk.do(ANA, Acknowledge(target=number))
    desk.do(ANA, Functional(target=number, why="beyond me"))
    ticks(desk, clock, seconds=0)
    assert fired(desk, number)[-1] == (0, "step", "ben carl")
    desk.do(ANA, Functional(target=number, team="nets"))
    now = look(desk, number)
    assert (now.team, now.owner, run_of(desk, number).plan.policy) == ("nets", None, "pair")
    assert "escalated_functional" in told(desk, number)
    with pytest.raises(Refused, match="is with nets already"):
        desk.do(ANA, Functional(target=number, team="nets"))


def test_hierarchical_tells_the_next_above_and_leaves_the_rest_as_it_is(store: Store) -> None:
    desk, clock = escalating(store)
    number = urgent(desk)
    ticks(desk, clock, seconds=0)
    desk.do(ANA, Acknowledge(target=number))
    desk.do(ANA, Hierarchical(target=number, why="the customer calls"))
    assert run_of(desk, number).state is Paging.ACKNOWLEDGED
    page = next(one for one in pages.unfinished(store) if store.logins()[one.person] == "ben")
    assert no_more(look(desk, number), about_of(page.payload), page.person) == ""
    desk.do(BEN, Acknowledge(target=number))
    assert no_more(look(desk, number), about_of(page.payload), page.person) == "they have acknowledged it"
    desk.do(ANA, Hierarchical(target=number))
    with pytest.raises(Refused, match="Nobody else stands above apps of INC-1"):
        desk.do(ANA, Hierarchical(target=number))


def test_passed_to_a_person_it_asks_that_person_first(store: Store) -> None:
    desk, clock = escalating(store)
    number = urgent(desk)
    ticks(desk, clock, seconds=0)
    desk.do(ANA, Take(target=number))
    desk.do(ANA, PassOn(target=number, to="dora"))
    ticks(desk, clock, seconds=0)
    assert fired(desk, number)[-1][1:] == ("passed", "dora")
    assert ticks(desk, clock, minutes=6) == 1
    assert fired(desk, number)[-1][1:] == ("step", "ana")


def test_edge_5_the_plan_stays_as_it_was_people_are_live_and_rebase_takes_the_new_one(store: Store) -> None:
    desk, clock = escalating(store)
    number = urgent(desk)
    ticks(desk, clock, seconds=0)
    other = MATRIX.replace('to = ["lead", "person:carl"]', 'to = ["person:dora"]').replace(
        'lead = "ben"', 'lead = "eva"'
    )
    desk.policy = desk._given = escalating(store, other)[0].policy
    ticks(desk, clock, minutes=5)
    assert fired(desk, number)[-1][2] == "eva carl"
    desk.do(BEN, Rebase(target=number))
    with pytest.raises(Refused, match="follows usual as it is now already"):
        desk.do(BEN, Rebase(target=number))
    ticks(desk, clock, minutes=10)
    ticks(desk, clock, minutes=5)
    assert fired(desk, number)[-1][2] == "dora"


def test_edge_6_a_step_that_is_gone_is_not_waited_for(store: Store) -> None:
    desk, clock = escalating(store)
    number = urgent(desk)
    ticks(desk, clock, seconds=0)
    ticks(desk, clock, minutes=5)
    shorter = MATRIX.replace('[[policies.usual.steps]]\nto = ["lead", "person:carl"]\nwait = "10m"\n', "")
    desk.policy = desk._given = escalating(store, shorter)[0].policy
    desk.do(BEN, Rebase(target=number))
    assert run_of(desk, number).place is not None
    ticks(desk, clock, minutes=10)
    assert fired(desk, number)[-1][1:] == ("step", "ana")


def test_a_team_without_a_policy_ends_it_and_says_so(store: Store) -> None:
    desk, clock = escalating(
        store,
        MATRIX.replace('default_policy = "usual"\n', "").replace(
            "[teams.apps]\n", '[teams.apps]\npolicy = "usual"\n'
        ),
    )
    number = urgent(desk)
    ticks(desk, clock, seconds=0)
    desk.do(ANA, PassOn(target=number, team="heads"))
    assert look(desk, number).run is None
    assert told(desk, number)[-1] == "escalation_ended"
    assert ticks(desk, clock, days=1) == 0


def test_edge_14_an_acknowledgement_is_taken_back_with_some_grace(store: Store) -> None:
    desk, clock = escalating(store)
    number = urgent(desk)
    ticks(desk, clock, seconds=0)
    desk.do(ANA, Acknowledge(target=number))
    desk.do(ANA, Unacknowledge(target=number))
    assert ticks(desk, clock, seconds=9) == 0
    assert ticks(desk, clock, seconds=2) == 1
    assert fired(desk, number)[-1][1:] == ("step", "ana")
    desk.do(ANA, Acknowledge(target=number))
    desk.do(ANA, Unacknowledge(target=number))
    desk.do(ANA, Acknowledge(target=number))
    assert ticks(desk, clock, seconds=20) == 0


def test_resolving_ends_it_and_reopening_begins_anew(store: Store) -> None:
    desk, clock = escalating(store)
    number = urgent(desk)
    ticks(desk, clock, seconds=0)
    (page,) = pages.unfinished(store)
    desk.do(ANA, fixed(number))
    assert (look(desk, number).paging, look(desk, number).pages_at) == (Paging.NONE, None)
    assert no_more(look(desk, number), about_of(page.payload), page.person) == "the incident is over"
    desk.do(BEN, Reopen(target=number, reason="it is back"))
    assert no_more(look(desk, number), about_of(page.payload), page.person)
    ticks(desk, clock, seconds=0)
    assert [who for _, _, who in fired(desk, number)] == ["ana", "ana"]


def test_who_owns_it_and_reopens_it_has_it(store: Store) -> None:
    desk, clock = escalating(store)
    number = urgent(desk)
    desk.do(ANA, Take(target=number))
    desk.do(ANA, fixed(number))
    desk.do(ANA, Reopen(target=number, reason="it is back"))
    assert run_of(desk, number).state is Paging.ACKNOWLEDGED
    assert ticks(desk, clock, minutes=29) == 0


def test_on_hold_nobody_is_asked_and_after_it_whoever_had_it_is(store: Store) -> None:
    desk, clock = escalating(store)
    number = urgent(desk)
    ticks(desk, clock, seconds=0)
    until = clock.now + timedelta(hours=3)
    desk.do(ANA, PutOnHold(target=number, reason=HoldReason.CHANGE, until=until))
    assert ticks(desk, clock, hours=2) == 0
    assert ticks(desk, clock, hours=1, minutes=1) == 1
    assert run_of(desk, number).ack_until is not None
    assert ticks(desk, clock, minutes=31) == 1
    assert fired(desk, number)[-1][1] == "ack_timeout"


def test_what_comes_and_goes_pages_once_and_then_is_quiet_until_stable(store: Store) -> None:
    desk, clock = escalating(store)

    def alert(status: Status) -> None:
        desk.do(BEN, TakeAlert(service="web", key="disk", severity="critical", status=status))

    alert(Status.FIRING)
    number = "INC-1"
    ticks(desk, clock, seconds=0)
    for _ in range(3):
        alert(Status.OK)
        desk.do(BEN, fixed(number))
        clock.passes(minutes=2)
        alert(Status.FIRING)
        ticks(desk, clock, seconds=0)
    assert len(fired(desk, number)) == 2  # at first, and when it came back
    run = run_of(desk, number)
    assert (run.state, run.held) == (Paging.SUPPRESSED, "flapping")
    assert ticks(desk, clock, minutes=29) == 0
    assert ticks(desk, clock, minutes=2) == 1
    assert fired(desk, number)[-1][1:] == ("step", "ana")


def test_who_cannot_be_reached_at_all_is_not_waited_for(store: Store) -> None:
    desk, clock = escalating(store)
    number = urgent(desk)
    ticks(desk, clock, seconds=0)
    later = clock.now + timedelta(minutes=1)
    (page,) = pages.claim(store, "w1", clock.now, later, later, clock.now, 9, 9, {})
    desk.do(PAGER, MissPage(row_id=page.row_id, tries=page.tries, why="ana has no `reach`"))
    run = run_of(desk, number)
    assert [one.state for one in run.told] == [PageState.FAILED]
    assert ticks(desk, clock, seconds=0) == 1
    assert fired(desk, number)[-1][1:] == ("step", "ben carl")


def test_edge_18_an_old_acknowledgement_pages_nobody(store: Store) -> None:
    desk, clock = escalating(store)
    number = urgent(desk)
    ticks(desk, clock, seconds=0)
    desk.do(ANA, Acknowledge(target=number))
    ticks(desk, clock, days=15)
    assert told(desk, number)[-1] == "escalation_ended"
    assert look(desk, number).pages_at is None


def test_a_matrix_without_policies_escalates_nothing(store: Store) -> None:
    desk, clock = escalating(
        store,
        MATRIX[: MATRIX.index("[policies.usual]")]
        .replace('default_policy = "usual"\n', "")
        .replace('policy = "pair"\n', ""),
    )
    number = urgent(desk)
    assert told(desk, number) == []
    assert ticks(desk, clock, days=1) == 0
    with pytest.raises(Refused, match="No policy says who is told"):
        desk.do(BEN, Functional(target=number))


def test_without_a_policy_those_with_authority_are_paged_all_the_same(store: Store) -> None:
    desk, _ = escalating(store, MATRIX.replace('default_policy = "usual"\n', ""))
    number = urgent(desk)
    desk.do(ANA, Hierarchical(target=number, why="the customer calls"))
    (page,) = pages.unfinished(store)
    assert no_more(look(desk, number), about_of(page.payload), page.person) == ""
    desk.do(BEN, Acknowledge(target=number))
    assert no_more(look(desk, number), about_of(page.payload), page.person) == "they have acknowledged it"
