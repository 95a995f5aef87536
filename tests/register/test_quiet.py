"""What keeps a page from going out, and its end: escalation in a maintenance and of a silenced incident."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest

from integrations.acks.key import Keys
from integrations.acks.offer import Offers
from integrations.page_look import Ready
from integrations.page_look import look as look_at_pages
from register.core import Command, Policy, Principal, Refused, Role
from register.desk import ServiceDesk
from register.incident import Paging, Urgency
from register.rebuild import rebuild
from register.store import Store, pages
from register.store.duty import duty_now
from register.topics.escalate import Functional, Hierarchical, Unacknowledge
from register.topics.maintenance import EndMaintenance, ExtendMaintenance, StartMaintenance
from register.topics.ownership import Acknowledge, PassOn
from register.topics.paging import CancelPage, ConfirmPage, Tried, about_of, no_more
from register.topics.resolution import Reopen
from register.topics.silence import Silence, Unsilence
from register.verify import verify
from register.watch import next_after, tick
from tests.register.escalating import escalating, fired, run_of, ticks, told, urgent
from tests.register.saying import ANA, BEN, fixed, look, story

HOUR = timedelta(hours=1)
PAGER = Principal("muster", Role.ENGINE, "pager")


def start(desk: ServiceDesk, *services: str, **length: float) -> None:
    desk.do(BEN, StartMaintenance(services=services, for_=timedelta(**length), why="x", all=not services))


def silence(number: str, **length: float) -> Silence:
    return Silence(target=number, for_=timedelta(**length), why="known, vendor is on it")


def paged(desk: ServiceDesk, clock: Any) -> list[str]:
    """Look at the pages that wait and send them: what each comes to, in a word or the reason."""
    rows = pages.claim(desk.store, "w", clock.now, clock.now + HOUR, clock.now + HOUR, clock.now, 50, 50, {})
    offers = Offers(Keys({}, print, clock))
    seen = look_at_pages(desk.store, desk.policy, rows, clock.now, offers)
    for one in seen:
        if isinstance(one, CancelPage):
            desk.do(PAGER, one)
    for row, one in zip(rows, seen, strict=True):
        if isinstance(one, Ready):
            by = (Tried(channel="sms", ok=True),)
            desk.do(PAGER, ConfirmPage(row_id=row.row_id, tries=row.tries, tried=by))
    return ["sent" if isinstance(one, Ready) else str(getattr(one, "why", one)) for one in seen]


# Maintenance


def test_edge_40_what_is_still_open_when_a_maintenance_ends_escalates_at_once_from_where_it_stood(
    store: Store,
) -> None:
    desk, clock = escalating(store)
    number, other = urgent(desk, service="Mail"), urgent(desk, service="Web")
    ticks(desk, clock, seconds=0)
    assert paged(desk, clock) == ["sent", "sent"]
    start(desk, "mail", hours=2)
    ticks(desk, clock, minutes=5, seconds=1)
    run = run_of(desk, number)
    assert (run.state, run.held) == (Paging.SUPPRESSED, "maintenance")
    assert [row[1] for row in fired(desk, other)] == ["step", "step"]
    for _ in range(110):
        ticks(desk, clock, minutes=1)
    assert [row[0] for row in fired(desk, number)] == [0]
    assert story(desk, number).count("step_held") == 1
    ticks(desk, clock, minutes=5)
    assert fired(desk, number)[1:] == [(120, "step", "ben carl")]
    assert run_of(desk, number).state is Paging.TRIGGERED
    steps = [one.event for one in desk.store.timeline(number) if one.kind == "step_fired"]
    assert steps[-1].late == 0  # type: ignore[union-attr]  # it waited, and nobody was late
    assert verify(store).faults == []


def test_an_alert_that_comes_in_a_maintenance_is_logged_and_escalates_when_it_is_over(store: Store) -> None:
    desk, clock = escalating(store)
    start(desk, "Mail", hours=1)
    number = urgent(desk, service="Mail")
    ticks(desk, clock, seconds=0)
    assert told(desk, number) == ["escalation_started", "step_held"]
    assert ticks(desk, clock, minutes=59) == 0
    gone = urgent(desk, service="Mail")
    desk.do(ANA, fixed(gone))
    ticks(desk, clock, minutes=1)
    assert fired(desk, number) == [(60, "step", "ana")]
    assert fired(desk, gone) == []


def test_a_step_that_is_due_in_the_very_moment_of_the_end_is_taken_then(store: Store) -> None:
    desk, clock = escalating(store)
    number = urgent(desk, service="Mail")
    ticks(desk, clock, seconds=0)
    due = run_of(desk, number).next_at
    assert due is not None
    start(desk, "Mail", seconds=300)
    (window,) = duty_now(store).windows
    clock.now = window.end - timedelta(milliseconds=1)  # the desk's clock is a millisecond later then
    assert tick(desk, window.end) == 1
    assert [row[1] for row in fired(desk, number)] == ["step", "step"]
    assert "step_held" not in story(desk, number)


def test_a_maintenance_that_is_extended_holds_on_and_one_that_is_ended_lets_go_at_once(store: Store) -> None:
    desk, clock = escalating(store)
    start(desk, "Mail", hours=1)
    number = urgent(desk, service="Mail")
    ticks(desk, clock, seconds=1)
    desk.do(BEN, ExtendMaintenance(id="M-1", for_=HOUR))
    assert ticks(desk, clock, minutes=60) == 1
    assert told(desk, number) == ["escalation_started", "step_held", "step_held"]
    assert fired(desk, number) == []
    desk.do(BEN, EndMaintenance(id="M-1"))
    assert story(desk, number)[-1] == "step_released"
    due = next_after(store, clock.now - HOUR)
    assert due is not None
    assert due <= clock.now
    assert ticks(desk, clock, seconds=0) == 1
    assert fired(desk, number) == [(60, "step", "ana")]
    assert desk.do(PAGER, _wake(number)).events == ()
    assert verify(store).faults == []


def _wake(number: str) -> Command:
    from register.topics.waking import WakeUp

    return WakeUp(target=number)


def test_one_of_two_that_ends_lets_go_of_what_the_other_does_not_hold(store: Store) -> None:
    desk, clock = escalating(store)
    start(desk, "Mail", "Web", hours=4)
    start(desk, "Mail", hours=2)
    mail, web = urgent(desk, service="Mail"), urgent(desk, service="Web")
    ticks(desk, clock, minutes=1)
    until = run_of(desk, mail).next_at
    desk.do(BEN, EndMaintenance(id="M-1"))
    ticks(desk, clock, seconds=1)
    assert [row[1] for row in fired(desk, web)] == ["step"]
    assert run_of(desk, mail).state is Paging.SUPPRESSED
    now_until = run_of(desk, mail).next_at
    assert now_until is not None
    assert until is not None
    assert until - now_until > timedelta(hours=1, minutes=59)
    ticks(desk, clock, hours=2)
    assert [row[:2] for row in fired(desk, mail)] == [(121, "step")]


def test_an_acknowledgement_that_runs_out_in_a_maintenance_asks_after_it(store: Store) -> None:
    desk, clock = escalating(store)
    number = urgent(desk, service="Mail")
    desk.do(ANA, Acknowledge(target=number))
    start(desk, "Mail", hours=2)
    assert ticks(desk, clock, minutes=31) == 1
    assert run_of(desk, number).state is Paging.ACKNOWLEDGED
    desk.do(BEN, EndMaintenance(id="M-1"))
    assert run_of(desk, number).ack_until == clock.now
    ticks(desk, clock, seconds=1)
    assert fired(desk, number)[-1] == (31, "ack_timeout", "ana")


def test_who_was_told_last_in_a_maintenance_goes_up_after_it(store: Store) -> None:
    desk, clock = escalating(store)
    number = urgent(desk, service="Mail")
    for _ in range(32):
        ticks(desk, clock, minutes=1)
    assert run_of(desk, number).state is Paging.EXHAUSTED
    start(desk, "Mail", hours=2)
    for _ in range(20):
        ticks(desk, clock, minutes=1)
    assert run_of(desk, number).state is Paging.EXHAUSTED
    assert story(desk, number).count("escalated_hierarchical") == 1
    ticks(desk, clock, hours=2)
    assert story(desk, number).count("escalated_hierarchical") == 2
    assert story(desk, number).count("escalation_exhausted") == 1


def test_a_page_that_is_on_its_way_when_a_maintenance_begins_is_not_sent_and_its_step_is_taken_again(
    store: Store,
) -> None:
    desk, clock = escalating(store)
    number = urgent(desk, service="Mail")
    ticks(desk, clock, seconds=0)
    start(desk, "Mail", hours=1)
    assert paged(desk, clock) == ["its service is in maintenance until 2026-03-09 10:00 UTC"]
    ticks(desk, clock, minutes=5)
    ticks(desk, clock, minutes=55)
    assert fired(desk, number)[1:] == [(60, "step", "ana")]
    assert paged(desk, clock) == ["sent"]


def test_by_hand_the_next_step_waits_with_a_word_and_authority_is_told(store: Store) -> None:
    desk, clock = escalating(store)
    number = urgent(desk, service="Mail")
    ticks(desk, clock, seconds=0)
    start(desk, "Mail", hours=1)
    with pytest.raises(Refused, match=r"Mail is in maintenance until .* Nothing was done"):
        desk.do(ANA, Functional(target=number))
    paged(desk, clock)
    desk.do(ANA, Hierarchical(target=number))
    assert paged(desk, clock) == ["sent"]
    desk.do(ANA, silence(number, hours=1))
    with pytest.raises(Refused, match=r"is silenced until .* `muster unsilence INC-1` ends that"):
        desk.do(ANA, Hierarchical(target=number))


def test_500_that_wait_are_let_go_in_one_transaction(store: Store) -> None:
    desk, clock = escalating(store)
    start(desk, "Mail", hours=4)
    numbers = [urgent(desk, service="Mail") for _ in range(500)]
    beside = urgent(desk, service="Mail order")
    for _ in range(4):
        tick(desk, clock.now)
    assert {run_of(desk, one).state for one in numbers} == {Paging.SUPPRESSED}
    receipt = desk.do(BEN, EndMaintenance(id="M-1"))
    assert [one.kind for one in receipt.events] == ["maintenance_ended", *["step_released"] * 500]
    assert story(desk, beside)[-1] == "step_fired"
    while tick(desk, clock.now):
        pass
    assert all(fired(desk, one) for one in numbers)
    rebuild(store)
    assert verify(store).faults == []


@pytest.mark.parametrize("ends", [True, False])
def test_a_step_that_races_the_end_of_a_maintenance_is_taken_once(store: Store, ends: bool) -> None:
    desk, clock = escalating(store)
    start(desk, "Mail", hours=1)
    number = urgent(desk, service="Mail")
    ticks(desk, clock, minutes=1)
    clock.passes(minutes=58, seconds=59, milliseconds=990)
    other: Command = EndMaintenance(id="M-1") if ends else ExtendMaintenance(id="M-1", for_=HOUR)
    barrier = threading.Barrier(3)

    def tick_too() -> None:
        barrier.wait()
        for _ in range(5):
            tick(desk, clock.now)

    def change() -> None:
        barrier.wait()
        desk.do(BEN, other)

    threads = [threading.Thread(target=one) for one in (tick_too, tick_too, change)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    clock.passes(seconds=1)
    tick(desk, clock.now)
    assert len(fired(desk, number)) == (1 if ends else len(fired(desk, number)))
    assert len(fired(desk, number)) <= 1
    clock.passes(minutes=4)
    tick(desk, clock.now)
    assert len(fired(desk, number)) <= 1
    assert verify(store).faults == []


# Silence


def test_nobody_is_paged_for_what_is_silenced_and_then_it_escalates_from_where_it_stood(store: Store) -> None:
    desk, clock = escalating(store)
    number = urgent(desk)
    ticks(desk, clock, seconds=0)
    desk.do(ANA, silence(number, hours=1))
    kept = look(desk, number).silence
    assert kept is not None
    assert (kept.why, store.logins()[kept.by]) == ("known, vendor is on it", "ana")
    assert paged(desk, clock) == ["it is silenced until 2026-03-09 10:00 UTC"]
    for _ in range(59):
        ticks(desk, clock, minutes=1)
    assert fired(desk, number) == [(0, "step", "ana")]
    assert run_of(desk, number).held == "silence"
    ticks(desk, clock, minutes=1)
    assert look(desk, number).silence is None
    assert told(desk, number)[-2:] == ["unsilenced", "step_fired"]
    assert fired(desk, number)[1:] == [(60, "step", "ana")]  # whose page was not sent
    assert paged(desk, clock) == ["sent"]
    assert verify(store).faults == []


def test_a_step_that_is_due_later_than_the_silence_stays_where_it_was(store: Store) -> None:
    desk, clock = escalating(store)
    number = urgent(desk)
    ticks(desk, clock, seconds=0)
    paged(desk, clock)
    desk.do(ANA, silence(number, minutes=2))
    ticks(desk, clock, minutes=3)
    assert look(desk, number).silence is None
    assert len(fired(desk, number)) == 1
    ticks(desk, clock, minutes=3)
    assert fired(desk, number)[1] == (6, "step", "ben carl")


def test_who_ends_it_has_what_is_due_done_now(store: Store) -> None:
    desk, clock = escalating(store)
    number = urgent(desk)
    desk.do(ANA, silence(number, hours=1))
    ticks(desk, clock, minutes=10)
    assert fired(desk, number) == []
    desk.do(BEN, Unsilence(target=number, why="it matters"))
    with pytest.raises(Refused, match="is not silenced"):
        desk.do(BEN, Unsilence(target=number))
    ticks(desk, clock, seconds=0)
    assert fired(desk, number) == [(10, "step", "ana")]


def test_it_may_be_made_longer_or_shorter_and_never_longer_than_a_day(store: Store) -> None:
    desk, clock = escalating(store)
    number = urgent(desk)
    desk.do(ANA, silence(number, hours=24))
    with pytest.raises(Refused, match="more than 24h") as refused:
        desk.do(ANA, silence(number, hours=24, minutes=1))
    assert refused.value.ask == "for_"
    ticks(desk, clock, minutes=1)
    desk.do(ANA, silence(number, hours=1))
    ticks(desk, clock, hours=1)
    assert fired(desk, number) == [(61, "step", "ana")]


@pytest.mark.parametrize("anew", ["passed", "unack"])
def test_what_begins_anew_while_it_is_silenced_waits_too(store: Store, anew: str) -> None:
    desk, clock = escalating(store)
    number = urgent(desk)
    desk.do(ANA, Acknowledge(target=number))
    desk.do(ANA, silence(number, hours=1))
    desk.do(BEN, PassOn(target=number, team="nets") if anew == "passed" else Unacknowledge(target=number))
    ticks(desk, clock, minutes=1)
    assert fired(desk, number) == []
    ticks(desk, clock, minutes=59)
    assert len(fired(desk, number)) == 1


def test_what_is_over_is_not_silenced_any_more_and_loud_when_it_is_open_again(store: Store) -> None:
    desk, clock = escalating(store)
    number = urgent(desk)
    desk.do(ANA, silence(number, hours=1))
    desk.do(ANA, fixed(number))
    assert look(desk, number).silence is None
    with pytest.raises(Refused, match="is resolved: nobody is paged"):
        desk.do(ANA, silence(number, hours=1))
    desk.do(BEN, Reopen(target=number, reason="back"))
    ticks(desk, clock, seconds=1)
    assert fired(desk, number) == [(0, "step", "ana")]


def test_a_maintenance_and_a_silence_wait_for_both_to_end(store: Store) -> None:
    desk, clock = escalating(store)
    number = urgent(desk, service="Mail")
    start(desk, "Mail", hours=2)
    ticks(desk, clock, minutes=1)
    desk.do(ANA, silence(number, hours=1))
    ticks(desk, clock, minutes=61)
    assert look(desk, number).silence is None
    assert fired(desk, number) == []
    desk.do(ANA, silence(number, hours=4))
    desk.do(BEN, EndMaintenance(id="M-1"))
    ticks(desk, clock, minutes=1)
    assert (run_of(desk, number).held, fired(desk, number)) == ("silence", [])
    desk.do(ANA, Unsilence(target=number))
    ticks(desk, clock, seconds=1)
    assert len(fired(desk, number)) == 1


def test_what_is_of_low_urgency_is_told_once_whatever_held_it(store: Store) -> None:
    desk, clock = escalating(store)
    number = urgent(desk, urgency=Urgency.LOW)
    desk.do(ANA, silence(number, hours=1))
    ticks(desk, clock, minutes=1)
    ticks(desk, clock, hours=1)
    ticks(desk, clock, hours=1)
    assert [row[1] for row in fired(desk, number)] == ["step"]
    assert run_of(desk, number).state is Paging.TRIGGERED


def test_where_no_policy_is_a_silence_ends_as_well(desk: ServiceDesk, clock: Any, policy: Policy) -> None:
    from tests.register.saying import log

    number = log(desk)
    desk.do(ANA, silence(number, hours=1))
    clock.passes(hours=1)
    assert tick(desk, clock.now) == 1
    assert look(desk, number).silence is None
    assert no_more(look(desk, number), about_of('{"reason":"call","bond":"b","vendor":"acme","why":"p1"}'))
