"""Several tickets of a supplier's for one incident: split, linked, let go, merged; and one ticket for two."""

from __future__ import annotations

from dataclasses import replace

import pytest
from engine_kit import Engine

from integrations.practice.desk import PdTicket
from integrations.practice.moods import CommitThenDrop
from integrations.practice.server import Practice
from register.core import Refused
from register.incident import Ball, Bond, BondState, Incident, ResolutionCode, State
from register.rebuild import rebuild
from register.store import tables as t
from register.store import vendors
from register.topics.engagement import Reply
from register.topics.news import SupplierSaid
from register.topics.proposal import Accept
from register.topics.quarantine import SetAside
from register.topics.relinking import Relink
from register.topics.resolution import Resolve


def look(engine: Engine, number: str) -> Incident:
    found = engine.store.incident(number)
    assert found is not None
    return found


def bond_of(engine: Engine, number: str) -> Bond:
    return look(engine, number).bonds[-1]


def own_id(engine: Engine, number: str) -> str:
    ref = bond_of(engine, number).ref
    assert ref is not None
    return ref.id


def heard(engine: Engine, number: str) -> list[tuple[str, str | None]]:
    """What they wrote, and on which ticket besides the bond's own."""
    said = [one.event for one in engine.store.timeline(number) if isinstance(one.event, SupplierSaid)]
    return [(one.body, one.of and one.of.key) for one in said]


@pytest.fixture
async def split(engine: Engine, practice: Practice) -> tuple[str, PdTicket]:
    """An engaged incident whose ticket they split, and the ticket that has the other part."""
    await engine.collector.poll()
    number, _ = engine.engaged()
    await engine.settle_all()
    other = practice.desk.split(own_id(engine, number), "Lena", "the network's part of it")
    practice.desk.comment(other.id, "Lena", "before anybody knew")
    await engine.collector.poll()
    return number, other


async def linked(engine: Engine, split: tuple[str, PdTicket]) -> tuple[str, PdTicket]:
    number, other = split
    engine.do(Relink(target=number, ticket=other.key, also=True))
    await engine.collector.poll()
    return split


async def test_a_split_is_proposed_and_nothing_of_it_heard_until_a_person_says_so(
    engine: Engine, split: tuple[str, PdTicket]
) -> None:
    number, other = split
    bond = bond_of(engine, number)
    assert [(one.ref.key, one.how) for one in bond.links] == [(other.key, "split into")]
    assert (bond.further, heard(engine, number)) == ((), [])
    engine.do(Relink(target=number, ticket=other.key, drop=True))
    assert bond_of(engine, number).links == ()
    with pytest.raises(Refused, match="no further ticket"):
        engine.do(Relink(target=number, ticket=other.key, drop=True))


async def test_what_is_said_there_comes_once_with_its_key_and_ours_goes_to_the_first(
    engine: Engine, practice: Practice, split: tuple[str, PdTicket]
) -> None:
    number, other = await linked(engine, split)
    bond = bond_of(engine, number)
    assert [one.ref.id for one in bond.further] == [other.id]  # it was given by its key
    assert bond.links == ()
    assert heard(engine, number) == [("before anybody knew", other.key)]
    practice.desk.comment(other.id, "Lena", "a switch is gone")
    practice.desk.comment(own_id(engine, number), "Lena", "and a router")
    for _ in range(2):
        await engine.collector.poll()
    assert heard(engine, number)[1:] == [("a switch is gone", other.key), ("and a router", None)]
    engine.do(Reply(target=number, message="thank you"))
    await engine.settle_all()
    await engine.collector.poll()
    assert [c.ticket for c in practice.desk.changes if c.author == "muster" and c.kind == "comment"] == [
        own_id(engine, number)
    ]
    assert len(heard(engine, number)) == 3


async def test_the_bonds_own_ticket_decides_and_a_further_one_is_asked_about(
    engine: Engine, practice: Practice, split: tuple[str, PdTicket]
) -> None:
    number, other = await linked(engine, split)
    practice.desk.set_state(other.id, "Lena", "Fixed")
    practice.desk.set_state(other.id, "Lena", "Working")
    await engine.collector.poll()
    bond = bond_of(engine, number)
    assert (bond.state, bond.raw_state) == (BondState.OPEN, "")
    assert [(one.raw_state, one.over) for one in bond.further] == [("Working", False)]
    practice.desk.set_state(own_id(engine, number), "Lena", "Fixed")
    await engine.collector.poll()
    assert bond_of(engine, number).state is BondState.FIXED
    with pytest.raises(Refused, match=f"works on {other.key} still") as no:
        engine.do(Accept(target=number))
    assert no.value.ask == "anyway"
    with pytest.raises(Refused, match=f"practice has {other.key} open besides"):
        engine.do(Resolve(target=number, code=ResolutionCode.FIXED, notes="it was a switch"))
    practice.desk.set_state(other.id, "Lena", "Closed")
    await engine.collector.poll()
    engine.do(Accept(target=number))
    await engine.settle_all()
    assert bond_of(engine, number).state is BondState.ENDED


async def test_it_is_our_turn_where_the_further_one_waits_for_us(
    engine: Engine, practice: Practice, split: tuple[str, PdTicket]
) -> None:
    number, other = split
    engine.do(Relink(target=number, ticket=other.key, drop=True))
    engine.do(Relink(target=number, ticket=other.key, also=True))
    practice.desk.set_state(other.id, "Lena", "Needs customer")
    await engine.collector.poll()
    assert bond_of(engine, number).ball is Ball.OURS


@pytest.mark.parametrize("way", ["resume", "resolve"])
async def test_no_policy_takes_a_fix_while_a_further_one_is_open(
    engine: Engine, practice: Practice, split: tuple[str, PdTicket], way: str
) -> None:
    policy = engine.desk.policy
    facts = replace(policy.vendors["practice"], on_resolved=way)
    engine.desk.policy = replace(policy, vendors={"practice": facts})
    number, other = await linked(engine, split)
    practice.desk.set_state(own_id(engine, number), "Lena", "Fixed")
    await engine.collector.poll()
    assert bond_of(engine, number).state is BondState.FIXED
    practice.desk.set_state(other.id, "Lena", "Fixed")
    await engine.collector.poll()
    await engine.settle_all()
    assert bond_of(engine, number).state is BondState.ENDED
    assert look(engine, number).state is (State.RESOLVED if way == "resolve" else State.NEW)


async def test_one_that_was_let_go_is_heard_no_more(
    engine: Engine, practice: Practice, split: tuple[str, PdTicket]
) -> None:
    number, other = await linked(engine, split)
    engine.do(Relink(target=number, ticket=other.key, drop=True))
    practice.desk.comment(other.id, "Lena", "for somebody else")
    await engine.collector.poll()
    assert len(heard(engine, number)) == 1
    assert vendors.bonds_of(engine.store, "practice", {other.id}) == []


async def test_a_further_one_takes_the_firsts_place_and_the_first_is_heard_still(
    engine: Engine, practice: Practice, split: tuple[str, PdTicket]
) -> None:
    number, other = await linked(engine, split)
    first = own_id(engine, number)
    engine.do(Relink(target=number, ticket=other.key))
    await engine.collector.poll()
    bond = bond_of(engine, number)
    assert (own_id(engine, number), bond.further, [ref.id for ref in bond.former]) == (other.id, (), [first])
    practice.desk.comment(first, "Lena", "for the record")
    practice.desk.set_state(first, "Lena", "Closed")  # of the old one: no word about how it stands
    await engine.collector.poll()
    assert heard(engine, number)[-1] == ("for the record", "PD-1001")
    assert (bond_of(engine, number).state, bond_of(engine, number).raw_state) == (BondState.OPEN, "")


async def test_one_that_is_merged_into_the_first_is_let_go(
    engine: Engine, practice: Practice, split: tuple[str, PdTicket]
) -> None:
    number, other = await linked(engine, split)
    practice.desk.merge(other.id, own_id(engine, number), "Lena")
    practice.desk.comment(own_id(engine, number), "Lena", "all here now")
    for _ in range(2):
        await engine.collector.poll()
    assert bond_of(engine, number).further == ()
    assert engine.kinds(number).count("further_dropped") == 1
    assert heard(engine, number)[-1] == ("all here now", None)


async def test_a_number_that_is_not_there_is_told(
    engine: Engine, practice: Practice, split: tuple[str, PdTicket]
) -> None:
    number, _ = split
    engine.do(Relink(target=number, ticket="PD-9999", also=True))
    for _ in range(2):
        await engine.collector.poll()
    assert engine.kinds(number).count("set_aside") == 1
    assert bond_of(engine, number).aside == 1
    (aside,) = [one.event for one in engine.store.timeline(number) if isinstance(one.event, SetAside)]
    assert f"`muster relink {number} PD-9999 --drop`" in aside.why
    practice.desk.set_state(own_id(engine, number), "Lena", "Fixed")
    await engine.collector.poll()
    engine.do(Accept(target=number))  # nothing is known of it, so that it holds nothing up
    assert bond_of(engine, number).still_open == ()


async def test_two_incidents_whose_tickets_are_merged_both_hear_what_is_said(
    engine: Engine, practice: Practice
) -> None:
    await engine.collector.poll()
    numbers = [engine.engaged()[0] for _ in range(2)]
    await engine.settle_all()
    first, second = (own_id(engine, number) for number in numbers)
    practice.desk.merge(first, second, "Lena")
    await engine.collector.poll()
    await engine.collector.poll()
    assert own_id(engine, numbers[0]) == second
    practice.desk.comment(second, "Lena", "both of you")
    await engine.collector.poll()
    assert [heard(engine, number) for number in numbers] == [[("both of you", None)]] * 2
    practice.moods.set(CommitThenDrop(times=1, on="comment"))
    engine.do(Reply(target=numbers[1], message="thank you"))
    await engine.courier.step()
    await engine.courier.landed()
    await engine.collector.poll()  # what proves that it arrived comes for both of them
    await engine.settle_all()
    assert [len(heard(engine, number)) for number in numbers] == [1, 1]
    assert [engine.kinds(number).count("delivered") for number in numbers] == [0, 1]


async def test_rows_of_further_tickets_are_verified_and_mended(
    engine: Engine, split: tuple[str, PdTicket]
) -> None:
    from register.verify import verify

    await linked(engine, split)
    with engine.store.write() as transaction:
        transaction.connection.execute(t.bond_ref.delete())
    assert any("further tickets" in fault for fault in verify(engine.store).faults)
    rebuild(engine.store)
    with engine.store.write() as transaction:
        stray = {"bond": "none", "remote_id": "x", "vendor": "practice", "former": 0, "whole": 1}
        transaction.connection.execute(t.bond_ref.insert(), stray | {"bond": _bond_id(engine, split)})
    assert any("further tickets" in fault for fault in verify(engine.store).faults)
    rebuild(engine.store)


def _bond_id(engine: Engine, split: tuple[str, PdTicket]) -> str:
    return bond_of(engine, split[0]).id
