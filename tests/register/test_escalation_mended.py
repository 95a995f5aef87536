"""Escalation where several things meet: holds and pages, priorities and acknowledgements, rebases, age."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from integrations.acks.key import Keys
from integrations.acks.offer import Offers
from integrations.page_look import Ready, look
from integrations.page_text import Sheet, words
from integrations.step_text import step_words as step_words
from register.auditing import audit
from register.core import Principal, Role, VendorFacts
from register.desk import ServiceDesk
from register.incident import HoldReason, Impact, Paging, Urgency
from register.store import Store, outbox, pages
from register.topics.correction import Correct
from register.topics.escalate import Functional, Hierarchical, Rebase
from register.topics.hold import PutOnHold
from register.topics.maintenance import StartMaintenance
from register.topics.ownership import Acknowledge, PassOn, Take
from register.topics.paging import CancelPage, about_of, no_more
from register.topics.sight import Restrict
from register.topics.silence import Silence
from register.verify import verify
from tests.register.escalating import MATRIX, escalating, fired, run_of, ticks, told, urgent
from tests.register.saying import ADA, ANA, BEN
from tests.register.saying import look as incident_of

CARL = Principal("carl", Role.COORDINATOR, "cli")
PAGER = Principal("muster", Role.ENGINE, "pager")


def looked(desk: ServiceDesk, clock: Any) -> dict[str, Any]:
    """What the pager would do now with each page that waits, by login: Ready, or what cancels it."""
    later = clock.now + timedelta(minutes=1)
    rows = pages.claim(desk.store, "w1", clock.now, later, later, clock.now, 99, 99, {})
    found = look(desk.store, desk.policy, rows, clock.now, Offers(Keys({}, print, clock)))
    return {desk.store.logins()[row.person]: one for row, one in zip(rows, found, strict=True)}


def with_authority(desk: ServiceDesk, clock: Any) -> str:
    """An incident whose every step was taken, and ben told."""
    number = urgent(desk)
    for _ in range(32):
        ticks(desk, clock, minutes=1)
    assert run_of(desk, number).state is Paging.EXHAUSTED
    return number


def test_who_is_to_answer_for_themselves_is_really_paged_again(store: Store) -> None:
    desk, clock = escalating(store)
    number = urgent(desk)
    desk.do(BEN, Functional(target=number, team="nets"))
    ticks(desk, clock, seconds=0)
    looked(desk, clock)
    desk.do(CARL, Acknowledge(target=number))
    ticks(desk, clock, minutes=6)
    assert fired(desk, number)[-1][1:] == ("awaited", "dora")
    assert isinstance(looked(desk, clock)["dora"], Ready)


def test_who_is_wanted_to_know_is_told_in_a_maintenance_and_only_silence_says_no(store: Store) -> None:
    desk, clock = escalating(store)
    number = urgent(desk)
    desk.do(BEN, StartMaintenance(for_=timedelta(hours=1), why="moved", all=True))
    ticks(desk, clock, seconds=0)
    assert run_of(desk, number).state is Paging.SUPPRESSED
    desk.do(ANA, Hierarchical(target=number, why="the customer calls"))
    assert isinstance(looked(desk, clock)["ben"], Ready)


def test_whoever_stands_above_is_not_told_that_nobody_answered_when_somebody_has(store: Store) -> None:
    desk, clock = escalating(store)
    number = with_authority(desk, clock)
    page = next(
        one for one in reversed(pages.unfinished(store)) if about_of(one.payload).told().get("level") == 1
    )
    assert no_more(incident_of(desk, number), about_of(page.payload), page.person) == ""
    desk.do(ANA, Acknowledge(target=number))
    because = no_more(incident_of(desk, number), about_of(page.payload), page.person)
    assert because == "somebody has acknowledged it"


def test_what_is_exhausted_is_due_no_more_when_those_above_were_told_by_hand(store: Store) -> None:
    desk, clock = escalating(store)
    number = with_authority(desk, clock)
    desk.do(ANA, Hierarchical(target=number))
    ticks(desk, clock, minutes=10)
    assert incident_of(desk, number).pages_at is None
    assert ticks(desk, clock, minutes=10) == 0
    assert audit(store, clock.now).faults == []


def test_a_restricted_incident_takes_what_was_written_of_it_nowhere(store: Store) -> None:
    desk, clock = escalating(store)
    number = urgent(desk)
    desk.do(ADA, Restrict(target=number))
    desk.do(ADA, Hierarchical(target=number, why="payroll data"))
    page = next(one for one in pages.unfinished(store))
    sheet = Sheet(incident_of(desk, number), {}, clock.now, "UTC")
    assert "payroll" not in words(about_of(page.payload), sheet).body


def test_a_rebase_takes_the_steps_that_were_put_behind(store: Store) -> None:
    desk, clock = escalating(store, MATRIX.replace("repeat = 1", "repeat = 0"))
    number = urgent(desk)
    ticks(desk, clock, seconds=0)
    ticks(desk, clock, minutes=5)
    assert run_of(desk, number).place is None
    more = MATRIX.replace("repeat = 1", "repeat = 0").replace(
        "[policies.pair]", '[[policies.usual.steps]]\nto = ["person:dora"]\n[policies.pair]'
    )
    desk.policy = desk._given = escalating(store, more)[0].policy
    desk.do(BEN, Rebase(target=number))
    ticks(desk, clock, minutes=10)
    assert fired(desk, number)[-1][1:] == ("step", "dora")


def test_pages_that_are_on_their_way_outlive_a_rebase_to_fewer_steps(store: Store) -> None:
    desk, clock = escalating(store)
    number = urgent(desk)
    ticks(desk, clock, seconds=0)
    looked(desk, clock)
    ticks(desk, clock, minutes=5)
    shorter = MATRIX.replace('[[policies.usual.steps]]\nto = ["lead", "person:carl"]\nwait = "10m"\n', "")
    desk.policy = desk._given = escalating(store, shorter)[0].policy
    desk.do(BEN, Rebase(target=number))
    assert {who for who, one in looked(desk, clock).items() if isinstance(one, Ready)} >= {"ben", "carl"}


@pytest.mark.parametrize("urgency", [Urgency.HIGH, Urgency.LOW])
def test_what_a_short_silence_kept_from_everybody_is_sent_at_its_end(store: Store, urgency: Urgency) -> None:
    desk, clock = escalating(store)
    number = urgent(desk, urgency=urgency)
    ticks(desk, clock, seconds=0)
    desk.do(ANA, Silence(target=number, for_=timedelta(minutes=2), why="known"))
    cancelled = looked(desk, clock)["ana"]
    assert isinstance(cancelled, CancelPage)
    assert cancelled.held
    desk.do(PAGER, cancelled)
    ticks(desk, clock, seconds=5)
    assert run_of(desk, number).state is Paging.SUPPRESSED
    ticks(desk, clock, minutes=2)
    assert isinstance(looked(desk, clock)["ana"], Ready)
    assert audit(store, clock.now).faults == []


@pytest.mark.parametrize("word", [Take, Acknowledge])
def test_on_hold_no_acknowledgement_runs_out(store: Store, word: Any) -> None:
    desk, clock = escalating(store)
    number = urgent(desk)
    ticks(desk, clock, seconds=0)
    until = clock.now + timedelta(days=2)
    desk.do(ANA, PutOnHold(target=number, reason=HoldReason.CHANGE, until=until))
    desk.do(CARL, word(target=number))
    assert ticks(desk, clock, hours=5) == 0


def test_a_priority_that_is_raised_after_the_acknowledgement_asks_again(store: Store) -> None:
    desk, clock = escalating(store)
    number = urgent(desk, impact=Impact.MEDIUM, urgency=Urgency.MEDIUM)
    ticks(desk, clock, seconds=0)
    desk.do(ANA, Acknowledge(target=number))
    assert ticks(desk, clock, hours=5) == 0
    desk.do(BEN, Correct(target=number, impact=Impact.HIGH, urgency=Urgency.HIGH, reason="all shops"))
    assert ticks(desk, clock, seconds=1) == 1
    assert fired(desk, number)[-1][1] == "ack_timeout"


def test_what_a_person_asks_for_after_a_fortnight_is_done(store: Store) -> None:
    desk, clock = escalating(store)
    number = urgent(desk, impact=Impact.MEDIUM, urgency=Urgency.MEDIUM)
    ticks(desk, clock, seconds=0)
    desk.do(ANA, Take(target=number))
    clock.passes(days=15)
    desk.do(ANA, PassOn(target=number, to="dora"))
    ticks(desk, clock, seconds=1)
    assert fired(desk, number)[-1][1:] == ("passed", "dora")
    assert "escalation_ended" not in told(desk, number)


def test_the_next_step_by_hand_right_behind_a_pass_tells_the_next_step(store: Store) -> None:
    desk, clock = escalating(store)
    number = urgent(desk)
    ticks(desk, clock, seconds=0)
    desk.do(ANA, PassOn(target=number, to="dora"))
    desk.do(ANA, Functional(target=number))
    ticks(desk, clock, seconds=0)
    assert fired(desk, number)[-1][1:] == ("step", "ben carl")


def test_a_step_engages_its_supplier_once_however_often_it_comes_round(store: Store) -> None:
    acme = {"acme": VendorFacts("acme", "Acme (sample)", production=True)}
    told = MATRIX.replace('to = ["person:ana"]', 'to = ["person:ana", "supplier:acme"]')
    desk, clock = escalating(store, told, acme)
    number = urgent(desk)
    for _ in range(40):
        ticks(desk, clock, minutes=1)
    (bond,) = incident_of(desk, number).bonds
    (row,) = [one for one in outbox.unfinished(store) if one.kind == "create"]
    assert (row.op_id, row.bond, row.vendor) == (bond.id, bond.id, "acme")
    assert store.logins()[bond.engaged_by] == "muster"
    fired_ = [one.event for one in store.timeline(number) if one.kind == "step_fired"]
    assert [one.suppliers for one in fired_ if one is not None][:2] == [("acme",), ()]  # type: ignore[attr-defined]
    assert verify(store).faults == []


def test_two_suppliers_of_one_step_are_two_operations(store: Store) -> None:
    two = {name: VendorFacts(name, name.title(), production=True) for name in ("acme", "nordnet")}
    told = MATRIX.replace('to = ["person:ana"]', 'to = ["supplier:acme", "supplier:nordnet"]')
    desk, clock = escalating(store, told, two)
    number = urgent(desk)
    ticks(desk, clock, seconds=0)
    rows = [one for one in outbox.unfinished(store) if one.kind == "create"]
    assert len({one.op_id for one in rows}) == 2
    assert {one.op_id for one in rows} == {bond.id for bond in incident_of(desk, number).bonds}
