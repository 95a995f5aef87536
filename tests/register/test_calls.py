"""Calls: asked for where silence costs most, logged with who said what, promises remembered."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from register.core import Policy, Refused, VendorFacts, fold
from register.desk import ServiceDesk
from register.incident import Ball, Bond, CallWhy, Impact, Urgency
from register.topics.calling import CONFIRM_WITHIN, CallDue
from register.topics.calls import Called, LogCall, Stands
from register.topics.correction import Correct
from register.topics.engagement import Engage, Engaged
from register.topics.hearing import Hear
from register.topics.privacy import Redact
from register.topics.urging import Reprioritise
from register.topics.withdrawal import Withdraw
from register.verify import verify
from register.watch import falls_due_soon, tick
from tests.register.saying import ADA, ANA, BEN, ENGINE, arrived, engaged, heard, log, look, story

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
HIGH = {"impact": Impact.HIGH, "urgency": Urgency.HIGH}


@pytest.fixture
def policy(policy: Policy) -> Policy:
    called = VendorFacts("practice", "Practice", production=False, p1="ticket+call")
    return replace(policy, vendors={**policy.vendors, "practice": called})


def urgent(desk: ServiceDesk, vendor: str = "acme", **fields: Any) -> tuple[str, str]:
    number = log(desk, **(fields or HIGH))
    engage = Engage(target=number, vendor=vendor, message="The database is down.")
    desk.do(BEN, engage)
    return number, engage.command_id


def bond_of(desk: ServiceDesk, number: str) -> Bond:
    return look(desk, number).bonds[0]


def why(desk: ServiceDesk, number: str) -> CallWhy | None:
    card = bond_of(desk, number).call
    return None if card is None else card.why


def after(desk: ServiceDesk, clock: Any, **span: float) -> int:
    return tick(desk, clock.passes(**span))


# A ticket that is not confirmed


@pytest.mark.parametrize(
    "fields", [HIGH, {"impact": Impact.HIGH, "urgency": Urgency.MEDIUM}], ids=["P1", "P2"]
)
def test_silence_after_two_minutes_asks_the_engager_to_call_once(
    desk: ServiceDesk, clock: Any, fields: dict[str, Any]
) -> None:
    number, row = urgent(desk, **fields)
    assert falls_due_soon(desk.store, clock.now)
    assert after(desk, clock, seconds=CONFIRM_WITHIN.total_seconds() - 5) == 0
    assert after(desk, clock, seconds=10) == 1
    assert after(desk, clock, minutes=10) == 0
    last = desk.store.timeline(number)[-1].event
    assert isinstance(last, CallDue)
    assert (last.asks, last.why) == (bond_of(desk, number).engaged_by, CallWhy.UNCONFIRMED)
    arrived(desk, row)
    assert why(desk, number) is None
    assert verify(desk.store).faults == []


def test_nobody_is_asked_where_it_is_confirmed_in_time_or_can_wait(desk: ServiceDesk, clock: Any) -> None:
    number, row = urgent(desk)
    arrived(desk, row)
    engaged(desk)
    off, _ = urgent(desk)
    desk.do(BEN, Withdraw(target=off, reason="found it"))
    assert after(desk, clock, hours=1) == 0
    assert "call_due" not in story(desk, number)


def test_two_workers_that_tick_at_once_ask_once(desk: ServiceDesk, clock: Any) -> None:
    number, _ = urgent(desk)
    now = clock.passes(minutes=3)
    other = ServiceDesk(desk.store, desk.policy, clock)
    assert (tick(desk, now), tick(other, now)) == (1, 0)
    assert story(desk, number).count("call_due") == 1


# A P1 is a ticket and a call


def test_where_they_want_it_so_a_p1_asks_for_a_call_at_once(desk: ServiceDesk) -> None:
    number, row = urgent(desk, "practice")
    assert story(desk, number)[-2:] == ["engaged", "call_due"]
    arrived(desk, row)
    assert why(desk, number) is CallWhy.P1  # a ticket is no call
    desk.do(ANA, LogCall(target=number, whom="Lena"))
    assert why(desk, number) is CallWhy.P1  # nobody answered
    desk.do(ANA, LogCall(target=number, whom="Lena", said="We are on it."))
    assert why(desk, number) is None


def test_what_becomes_a_p1_later_asks_for_the_call_then(desk: ServiceDesk) -> None:
    number, _ = urgent(desk, "practice", impact=Impact.MEDIUM, urgency=Urgency.HIGH)
    assert why(desk, number) is None
    desk.do(ANA, Correct(target=number, reason="all sites", impact=Impact.HIGH))
    desk.do(BEN, Reprioritise(target=number))
    assert why(desk, number) is CallWhy.P1


# What was said


def test_a_call_is_their_word_and_its_promise_makes_it_their_turn(desk: ServiceDesk, clock: Any) -> None:
    number, row = engaged(desk)
    arrived(desk, row)
    until = clock.now + timedelta(hours=2)
    desk.do(ANA, LogCall(target=number, whom="Lena", said="Failing over.", until=until))
    bond = bond_of(desk, number)
    assert (bond.ball, bond.promised_until, bond.said_at is not None) == (Ball.THEIRS, until, True)
    assert after(desk, clock, hours=1) == 0
    assert after(desk, clock, hours=1, minutes=1) == 1
    assert after(desk, clock, hours=1) == 0
    assert why(desk, number) is CallWhy.PROMISE
    said = Hear(vendor="acme", items=(heard(number, row, clock.now),))
    desk.do(ENGINE, said)
    assert why(desk, number) is None
    assert bond_of(desk, number).promised_until == until  # what was promised stays on record


def test_a_new_promise_takes_the_place_of_the_old_one(desk: ServiceDesk, clock: Any) -> None:
    number, row = engaged(desk)
    arrived(desk, row)
    for hours in (1, 3):
        later = clock.now + timedelta(hours=hours)
        desk.do(ANA, LogCall(target=number, whom="Lena", said="Soon.", until=later))
    assert after(desk, clock, hours=2) == 0
    assert after(desk, clock, hours=2) == 1


def test_who_did_not_answer_said_nothing(desk: ServiceDesk) -> None:
    number, row = engaged(desk)
    arrived(desk, row)
    desk.do(ANA, LogCall(target=number, whom="Lena"))
    bond = bond_of(desk, number)
    assert (bond.heard_at, bond.said_at) == (None, None)
    assert story(desk, number)[-1] == "called"


def test_a_call_is_logged_later_with_its_own_time_but_never_in_the_future(
    desk: ServiceDesk, clock: Any
) -> None:
    number, row = engaged(desk)
    arrived(desk, row)
    was = clock.passes(hours=1) - timedelta(minutes=30)
    desk.do(ANA, LogCall(target=number, whom="Lena", said="Yes.", when=was))
    assert bond_of(desk, number).said_at == was
    with pytest.raises(Refused, match="has not been yet"):
        desk.do(ANA, LogCall(target=number, whom="Lena", when=clock.now + timedelta(hours=1)))
    with pytest.raises(Refused, match="only after that call"):
        desk.do(ANA, LogCall(target=number, whom="Lena", when=clock.now - timedelta(days=1)))
    with pytest.raises(Refused, match="passed before the call"):
        desk.do(ANA, LogCall(target=number, whom="Lena", until=clock.now - timedelta(minutes=1)))


def test_a_call_after_it_is_over_is_logged_and_one_with_nobody_is_refused(desk: ServiceDesk) -> None:
    number, row = engaged(desk)
    arrived(desk, row)
    desk.do(BEN, Withdraw(target=number, reason="found it"))
    desk.do(ANA, LogCall(target=number, whom="Lena", said="Closed here."))
    assert story(desk, number)[-1] == "called"
    with pytest.raises(Refused, match="engage one first"):
        desk.do(ANA, LogCall(target=log(desk), whom="Lena"))


def test_where_their_system_speaks_it_tells_how_it_stands(desk: ServiceDesk) -> None:
    number, row = engaged(desk)
    arrived(desk, row)
    with pytest.raises(Refused, match="own system tells"):
        desk.do(ANA, LogCall(target=number, whom="Lena", stands=Stands.FIXED))


# What stays of it


def test_a_redaction_takes_the_words_and_keeps_who_promised_what(desk: ServiceDesk, clock: Any) -> None:
    number, row = urgent(desk)
    arrived(desk, row)
    until = clock.now + timedelta(hours=2)
    desk.do(ANA, LogCall(target=number, whom="Lena", said="The password is hunter2.", until=until))
    before = bond_of(desk, number)
    desk.do(ADA, Redact(target=number, reason="a password"))
    bare = {"ref": None, "duplicates": ()}  # their address is a text as well
    assert bond_of(desk, number).but(**bare) == before.but(**bare)
    called = [one.event for one in desk.store.timeline(number) if isinstance(one.event, Called)]
    assert [(one.body, one.until) for one in called] == [("", until)]
    assert verify(desk.store).faults == []


def test_what_was_engaged_before_there_were_calls_folds_as_it_did(desk: ServiceDesk) -> None:
    number, _ = urgent(desk)
    engaged_event = next(one.event for one in desk.store.timeline(number) if isinstance(one.event, Engaged))
    old = engaged_event.model_dump(exclude={"by_hand", "confirm_by"})
    folded = fold(Engaged.model_validate(old), look(desk, number).but(bonds=()), NOON, NOON)
    assert folded is not None
    assert (folded.bonds[0].confirm_by, folded.bonds[0].to_hand, folded.wakes_at) == (None, 0, None)
