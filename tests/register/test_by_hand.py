"""A supplier without a system that could be spoken to: what is prepared waits for a person, in order."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from register.core import Policy, Refused, VendorFacts
from register.desk import ServiceDesk
from register.incident import Ball, Bond, BondState, HoldReason, State
from register.row import board_row
from register.store import outbox
from register.topics.by_hand import NO_NUMBER, HandOver
from register.topics.calls import LogCall, Stands
from register.topics.delivery import AdoptTicket, DropSending, RetrySending
from register.topics.engagement import Engage, Reply
from register.topics.hold import PutOnHold
from register.topics.proposal import Accept, Dispute
from register.topics.withdrawal import Withdraw
from register.verify import verify
from tests.register.saying import ANA, BEN, engaged, log, look, reply, story


@pytest.fixture
def policy(policy: Policy) -> Policy:
    """Acme is spoken to by people alone."""
    acme = VendorFacts("acme", "Acme (sample)", production=True, by_hand=True, phone="+1 555 0100")
    return replace(policy, vendors={**policy.vendors, "acme": acme})


def bond_of(desk: ServiceDesk, number: str) -> Bond:
    return look(desk, number).bonds[0]


def waiting(desk: ServiceDesk) -> list[str]:
    return [row.row_id for row in outbox.unfinished(desk.store)]


def flag(desk: ServiceDesk, number: str) -> str:
    return str(board_row(look(desk, number))["bonds"][0][5])


def handed(desk: ServiceDesk, row: str, **more: object) -> None:
    desk.do(BEN, HandOver.model_validate({"row_id": row, **more}))


def test_a_ticket_waits_for_a_person_who_brings_its_number(desk: ServiceDesk, clock: Any) -> None:
    number, row = engaged(desk)
    assert (bond_of(desk, number).by_hand, bond_of(desk, number).to_hand) == (True, 1)
    assert flag(desk, number) == "call"
    with pytest.raises(Refused, match="Ask them for their number") as refused:
        handed(desk, row)
    assert refused.value.ask == "ticket"
    later = clock.now + timedelta(hours=1)
    handed(desk, row, ticket="#CS-7", whom="Lena", said="We look into it.", until=later)
    bond = bond_of(desk, number)
    assert bond.ref is not None
    assert (bond.ref.key, bond.state, bond.ball, bond.to_hand) == ("#CS-7", BondState.OPEN, Ball.THEIRS, 0)
    assert bond.promised_until == later
    assert story(desk, number)[-2:] == ["ticket_adopted", "called"]
    assert waiting(desk) == []
    assert flag(desk, number) == "ok"
    assert verify(desk.store).faults == []


def test_they_may_give_no_number(desk: ServiceDesk) -> None:
    number, row = engaged(desk)
    handed(desk, row, no_number=True)
    ref = bond_of(desk, number).ref
    assert ref is not None
    assert ref.key == NO_NUMBER


def test_the_outbox_s_own_word_for_it_works_as_well(desk: ServiceDesk) -> None:
    number, row = engaged(desk)
    desk.do(BEN, AdoptTicket(row_id=row, ticket="CS-8"))
    assert bond_of(desk, number).to_hand == 0


def test_what_follows_is_handed_over_in_its_order_and_tried_by_nobody(desk: ServiceDesk) -> None:
    number, row = engaged(desk)
    first, second = reply(desk, number, "one"), reply(desk, number, "two")
    with pytest.raises(Refused, match="comes before it"):
        handed(desk, second)
    with pytest.raises(Refused, match="A person hands that over"):
        desk.do(BEN, RetrySending(row_id=row))
    handed(desk, row, ticket="CS-9")
    with pytest.raises(Refused, match="their number is known"):
        handed(desk, first, ticket="CS-10")
    handed(desk, first)
    assert bond_of(desk, number).to_hand == 1
    desk.do(BEN, DropSending(row_id=second))
    assert bond_of(desk, number).to_hand == 0
    with pytest.raises(Refused, match="Somebody said that"):
        handed(desk, reply(desk, number), said="yes")


def test_their_fix_comes_by_phone_and_is_disputed_and_accepted(desk: ServiceDesk) -> None:
    number, row = engaged(desk)
    handed(desk, row, ticket="CS-9")
    desk.do(ANA, PutOnHold(target=number, reason=HoldReason.VENDOR))
    desk.do(ANA, LogCall(target=number, whom="Lena", said="Cable is replaced.", stands=Stands.FIXED))
    assert bond_of(desk, number).state is BondState.FIXED
    assert look(desk, number).state is State.IN_PROGRESS  # what waited for them goes on
    dispute = Dispute(target=number, message="Still no light.")
    desk.do(BEN, dispute)
    handed(desk, dispute.command_id)
    assert bond_of(desk, number).ball is Ball.THEIRS
    desk.do(ANA, LogCall(target=number, whom="Lena", said="Now it is.", stands=Stands.FIXED))
    accept = Accept(target=number)
    desk.do(BEN, accept)
    assert bond_of(desk, number).state is BondState.ENDING
    handed(desk, accept.command_id)
    assert bond_of(desk, number).state is BondState.ENDED
    assert story(desk, number).count("supplier_updated") == 2
    assert verify(desk.store).faults == []


def test_calling_off_what_nobody_has_handed_over_asks_for_nothing(desk: ServiceDesk) -> None:
    number, _ = engaged(desk)
    reply(desk, number)
    desk.do(BEN, Withdraw(target=number, reason="found it"))
    assert bond_of(desk, number).to_hand == 0
    assert waiting(desk) == []


def test_calling_off_what_they_have_is_one_more_text(desk: ServiceDesk) -> None:
    number, row = engaged(desk)
    handed(desk, row, ticket="CS-9")
    reply(desk, number)
    withdraw = Withdraw(target=number, reason="found it")
    desk.do(BEN, withdraw)
    assert (bond_of(desk, number).to_hand, waiting(desk)) == (1, [withdraw.command_id])
    handed(desk, withdraw.command_id)
    assert bond_of(desk, number).state is BondState.ENDED


def test_what_the_worker_sends_is_not_marked_by_hand(desk: ServiceDesk) -> None:
    number = log(desk)
    engage = Engage(target=number, vendor="practice", message="please look")
    desk.do(BEN, engage)
    with pytest.raises(Refused, match="spoken to by the worker"):
        handed(desk, engage.command_id, ticket="1")
    desk.do(BEN, Reply(target=number, message="more"))
    assert bond_of(desk, number).to_hand == 0
