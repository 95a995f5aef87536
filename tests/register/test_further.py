"""Several tickets of one bond in the register: rows, rules, what a record says of them, on both engines."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from register.asking import Asks, asked
from register.core import Refused
from register.desk import ServiceDesk
from register.incident import Bond, Priority, TicketRef
from register.merging import Owner, Shared
from register.rebuild import rebuild
from register.store.vendors import bonds_of, health, unread_bonds
from register.topics.differences import DifferenceFound
from register.topics.hearing import Hear
from register.topics.leaving_it import LeaveIt
from register.topics.news import SupplierReprioritised
from register.topics.privacy import Redact
from register.topics.relinking import FollowMove, Relink
from register.topics.urging import Reprioritise
from register.verify import verify
from tests.register.saying import ADA, BEN, ENGINE, heard, look, sql, story, ticket_of

OTHER = TicketRef(id="9", key="ACME-9", url="https://acme.example/9")


def bond_of(desk: ServiceDesk, number: str) -> Bond:
    return look(desk, number).bonds[0]


def hear(desk: ServiceDesk, *items: Any, **more: Any) -> None:
    desk.do(ENGINE, Hear(vendor="acme", items=items, **more))


def test_any_of_a_bonds_tickets_finds_it_until_it_is_let_go(desk: ServiceDesk, clock: Any) -> None:
    number, bond = ticket_of(desk, clock)
    own = bond_of(desk, number).ref
    assert own is not None
    desk.do(BEN, Relink(target=number, ticket="ACME-9", also=True))
    assert [(row.remote_id, row.part) for row in unread_bonds(desk.store, "acme", 9, [(bond, "")])] == [
        ("ACME-9", "ACME-9")
    ]
    assert unread_bonds(desk.store, "acme", 9, [(bond, ""), (bond, "ACME-9")]) == []
    hear(desk, whole=bond, part="ACME-9", target=number, ref=OTHER)
    assert [one.ref for one in bond_of(desk, number).further] == [OTHER]
    (row,) = bonds_of(desk.store, "acme", {"9", "ACME-9"})
    assert (row.id, row.remote_id, row.beside, row.whole) == (bond, "9", True, True)
    desk.do(ENGINE, FollowMove(target=number, bond=bond, ref=OTHER))
    rows = bonds_of(desk.store, "acme", {"9", own.id})
    assert {row.remote_id: (row.beside, row.whole) for row in rows} == {
        own.id: (True, True),
        "9": (False, False),
    }
    assert verify(desk.store).faults == []
    sql(desk.store, "DELETE FROM bond_ref")
    assert any("further tickets" in fault for fault in verify(desk.store).faults)
    rebuild(desk.store)
    assert verify(desk.store).faults == []


def test_what_a_person_says_of_further_tickets_is_looked_at(desk: ServiceDesk, clock: Any) -> None:
    number, _ = ticket_of(desk, clock)
    desk.do(BEN, Relink(target=number, ticket="#9", also=True))
    for wrong, why in (
        (Relink(target=number, ticket="#9", also=True), "a further ticket of INC-1"),
        (Relink(target=number, ticket="9", also=True), "a further ticket of INC-1"),
        (Relink(target=number, ticket="10", drop=True), "Further ones: #9"),
        (Relink(target=number, ticket="9", also=True, drop=True), "either"),
        (Relink(target=number, ticket="ACME-4711", also=True), "already"),
    ):
        with pytest.raises(Refused, match=why):
            desk.do(BEN, wrong)
    desk.do(BEN, Relink(target=number, ticket="9", drop=True))
    assert bond_of(desk, number).further == ()


def test_a_link_is_proposed_once_and_not_where_the_ticket_is_known(desk: ServiceDesk, clock: Any) -> None:
    number, bond = ticket_of(desk, clock)
    links = [heard(number, bond, clock(), kind="link", link=OTHER, body=how) for how in ("split", "again")]
    hear(desk, *(one.model_copy(update={"change_id": f"l{at}"}) for at, one in enumerate(links)))
    assert [one.how for one in bond_of(desk, number).links] == ["split"]
    own = bond_of(desk, number).ref
    hear(desk, heard(number, bond, clock(), kind="link", link=own, body="itself", change_id="l9"))
    assert story(desk, number).count("link_shown") == 1
    desk.do(BEN, Relink(target=number, ticket="ACME-9", also=True))
    assert (bond_of(desk, number).links, bond_of(desk, number).further[0].ref) == ((), OTHER)


def test_suppliers_that_hold_copies_are_told_with_each_ticket(desk: ServiceDesk, clock: Any) -> None:
    number, _ = ticket_of(desk, clock)
    desk.do(BEN, Relink(target=number, ticket="ACME-9", also=True))
    told = desk.do(ADA, Redact(target=number, reason="a customer asked")).remarks
    assert any("acme (ACME-4711, ACME-9)" in one for one in told)
    assert verify(desk.store).faults == []
    assert [one.ref.key for one in bond_of(desk, number).further] == ["ACME-9"]


def test_a_difference_is_counted_until_it_is_settled(desk: ServiceDesk, clock: Any) -> None:
    facts = replace(desk.policy.vendors["acme"], owner={Shared.PRIORITY: Owner.CONFLICT})
    desk.policy = replace(desk.policy, vendors={**desk.policy.vendors, "acme": facts})
    number, bond = ticket_of(desk, clock)
    hear(desk, heard(number, bond, clock(), kind="priority", raw_priority="low", priorities=(Priority.LOW,)))
    changed, differs = (one.event for one in desk.store.timeline(number)[-2:])
    assert isinstance(changed, SupplierReprioritised)
    assert changed.asked, "the card says what to do, and nothing else does besides"
    assert isinstance(differs, DifferenceFound)
    assert health(desk.store)["acme"].differs == 1
    assert verify(desk.store).faults == []
    desk.do(BEN, Reprioritise(target=number))
    assert health(desk.store)["acme"].differs == 0


def test_what_the_feed_says_out_of_order_is_history(desk: ServiceDesk, clock: Any) -> None:
    """The look back over a page finds an older state after a newer one was heard."""
    number, bond = ticket_of(desk, clock)

    def state(change: str, raw: str) -> Any:
        return heard(
            number, bond, clock(), kind="state", change_id=change, raw_state=raw, fixed=False, body=""
        )

    hear(desk, state("c2", "working"))
    hear(desk, state("c1", "new"), state("c2", "working"))
    assert bond_of(desk, number).raw_state == "working"
    hear(desk, state("c1", "new"), state("c2", "working"), state("c3", "waiting"))
    assert bond_of(desk, number).raw_state == "waiting"


def test_another_priority_of_theirs_waits_for_a_word(desk: ServiceDesk, clock: Any) -> None:
    number, bond = ticket_of(desk, clock)

    def waits() -> bool:
        return Asks.PRIORITY in asked(bond_of(desk, number), look(desk, number).priority)

    def set_by_them(change: str, raw: str, *meant: Priority) -> None:
        told = {"change_id": change, "raw_priority": raw, "priorities": meant}
        hear(desk, heard(number, bond, clock(), kind="priority", **told))

    set_by_them("p1", "low", Priority.LOW)
    assert waits()
    desk.do(BEN, LeaveIt(target=number, what=Asks.PRIORITY))
    assert not waits()
    set_by_them("p2", "odd")
    assert waits()
    assert bond_of(desk, number).their_priority == "odd"
    desk.do(BEN, Reprioritise(target=number))
    assert not waits()
