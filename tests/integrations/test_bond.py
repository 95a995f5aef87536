"""What a person decides about an engaged supplier: withdrawn, accepted, disputed, raised, moved."""

from __future__ import annotations

from dataclasses import replace

import pytest
from engine_kit import Engine, tickets_by_reference

from integrations.practice.moods import CommitThenDrop, DropBeforeCommit, Hang, LateCommit, Refuse500
from integrations.practice.server import Practice
from register.core import Refused
from register.incident import Ball, Bond, BondState, Impact, ResolutionCode, State, Urgency
from register.store import outbox
from register.topics.correction import Correct
from register.topics.delivery import DropSending
from register.topics.ending import WithTheirs
from register.topics.engagement import Engage, Reply
from register.topics.hold import PutOnHold
from register.topics.proposal import Accept, Dispute
from register.topics.relinking import Relink
from register.topics.resolution import Cancel, Resolve
from register.topics.urging import Reprioritise
from register.topics.withdrawal import Withdraw


def bond_of(engine: Engine, number: str) -> Bond:
    incident = engine.store.incident(number)
    assert incident is not None
    return incident.bonds[-1]


def theirs(engine: Engine, practice: Practice, number: str) -> str:
    ref = bond_of(engine, number).ref
    assert ref is not None
    return practice.desk.ticket(ref.id).state


async def fixed(engine: Engine, practice: Practice, state: str = "Fixed") -> str:
    """An incident whose supplier says that it is fixed."""
    await engine.collector.poll()
    number, _ = engine.engaged()
    await engine.settle_all()
    ref = bond_of(engine, number).ref
    assert ref is not None
    practice.desk.set_state(ref.id, "Lena", state)
    await engine.collector.poll()
    assert bond_of(engine, number).state is BondState.FIXED
    return number


# Withdraw


async def test_what_has_not_left_is_never_made(engine: Engine, practice: Practice) -> None:
    number, _ = engine.engaged()
    engine.do(Reply(target=number, message="and hurry"))
    engine.do(Withdraw(target=number, reason="it was ours"))
    assert outbox.unfinished(engine.store) == []
    await engine.settle_all()
    assert practice.desk.tickets == ()
    assert bond_of(engine, number).state is BondState.ENDED
    engine.do(Engage(target=number, vendor="practice", message="after all"))


async def test_an_open_ticket_is_closed_with_the_reason_and_nothing_comes_back(
    engine: Engine, practice: Practice
) -> None:
    await engine.collector.poll()
    number, _ = engine.engaged()
    await engine.settle_all()
    engine.do(Withdraw(target=number, reason="it was our own router"))
    assert bond_of(engine, number).state is BondState.ENDING
    await engine.settle_all()
    assert theirs(engine, practice, number) == "Closed"
    assert practice.desk.changes[-1].body.startswith("it was our own router")
    for _ in range(2):
        await engine.collector.poll()
    assert engine.kinds(number)[-2:] == ["withdrawn", "delivered"]
    assert bond_of(engine, number).state is BondState.ENDED
    with pytest.raises(Refused, match="not engaged"):
        engine.do(Withdraw(target=number, vendor="practice", reason="again"))


async def test_a_ticket_in_doubt_is_looked_up_first_then_closed(engine: Engine, practice: Practice) -> None:
    practice.moods.set(CommitThenDrop(times=1, on="create"))
    number, op_id = engine.engaged()
    await engine.courier.step()
    await engine.courier.landed()
    engine.do(Withdraw(target=number, reason="it was ours"))
    await engine.settle_all()
    assert tickets_by_reference(practice) == {op_id: 1}
    assert theirs(engine, practice, number) == "Closed"
    assert bond_of(engine, number).state is BondState.ENDED


async def test_giving_up_the_closing_ends_it_for_us(engine: Engine, practice: Practice) -> None:
    number, _ = engine.engaged()
    await engine.settle_all()
    ref = bond_of(engine, number).ref
    assert ref is not None
    practice.desk.set_state(ref.id, "Lena", "Declined")  # from which their desk lets it go nowhere
    withdraw = Withdraw(target=number, reason="it was ours")
    engine.do(withdraw)
    await engine.courier.until_quiet()
    assert bond_of(engine, number).dead
    engine.do(DropSending(row_id=withdraw.command_id))
    bond = bond_of(engine, number)
    assert (bond.state, bond.dead) == (BondState.ENDED, False)


# Their "fixed"


async def test_accepting_a_fix_closes_their_ticket(engine: Engine, practice: Practice) -> None:
    number = await fixed(engine, practice)
    engine.do(Accept(target=number))
    await engine.settle_all()
    await engine.collector.poll()
    assert theirs(engine, practice, number) == "Closed"
    assert bond_of(engine, number).state is BondState.ENDED
    assert engine.kinds(number)[-2:] == ["accepted", "delivered"]
    incident = engine.store.incident(number)
    assert incident is not None
    assert incident.state is State.NEW


async def test_accepting_what_they_have_closed_needs_no_word(engine: Engine, practice: Practice) -> None:
    number = await fixed(engine, practice, "Closed")
    before = len(practice.desk.changes)
    engine.do(Accept(target=number))
    await engine.settle_all()
    assert bond_of(engine, number).state is BondState.ENDED
    assert len(practice.desk.changes) == before


async def test_disputing_a_fix_makes_them_work_again(engine: Engine, practice: Practice) -> None:
    number = await fixed(engine, practice)
    engine.do(Dispute(target=number, message="still 500 on /pay"))
    await engine.settle_all()
    await engine.collector.poll()
    assert theirs(engine, practice, number) == "Working"
    bond = bond_of(engine, number)
    assert (bond.state, bond.disputed, bond.ball) == (BondState.OPEN, 1, Ball.THEIRS)
    assert engine.kinds(number)[-2:] == ["disputed", "delivered"]
    with pytest.raises(Refused, match="nothing to accept"):
        engine.do(Accept(target=number))


@pytest.mark.parametrize("way", ["resume", "resolve"])
async def test_their_fix_is_taken_where_the_policy_says_so(
    engine: Engine, practice: Practice, way: str
) -> None:
    policy = engine.desk.policy
    facts = policy.vendors["practice"]
    engine.desk.policy = replace(policy, vendors={"practice": replace(facts, on_resolved=way)})
    await engine.collector.poll()
    number, _ = engine.engaged()
    engine.do(PutOnHold(target=number, reason="vendor"))
    await engine.settle_all()
    ref = bond_of(engine, number).ref
    assert ref is not None
    practice.desk.set_state(ref.id, "Lena", "Fixed")
    await engine.collector.poll()
    await engine.settle_all()
    incident = engine.store.incident(number)
    assert incident is not None
    assert incident.state is (State.RESOLVED if way == "resolve" else State.IN_PROGRESS)
    assert incident.resolution is (ResolutionCode.SUPPLIER if way == "resolve" else None)
    assert theirs(engine, practice, number) == "Closed"
    assert bond_of(engine, number).state is BondState.ENDED


# Ending ours


@pytest.mark.parametrize(
    ("theirs_", "state", "comments"), [("tell", "Open", 1), ("leave", "Open", 0), ("withdraw", "Closed", 1)]
)
async def test_ending_ours_asks_what_becomes_of_theirs(
    engine: Engine, practice: Practice, theirs_: str, state: str, comments: int
) -> None:
    number, _ = engine.engaged()
    await engine.settle_all()
    resolve = Resolve(target=number, code=ResolutionCode.FIXED, notes="a cable")
    with pytest.raises(Refused, match="practice still works on") as refusal:
        engine.do(resolve)
    assert refusal.value.ask == "theirs"
    engine.do(resolve.model_copy(update={"theirs": WithTheirs(theirs_)}))
    await engine.settle_all()
    assert theirs(engine, practice, number) == state
    assert sum(c.kind == "comment" for c in practice.desk.changes) == comments
    assert outbox.unfinished(engine.store) == []


async def test_canceling_asks_too_and_two_tickets_get_a_word_each(engine: Engine, practice: Practice) -> None:
    number, _ = engine.engaged()
    engine.do(Engage(target=number, vendor="practice", message="a second one", again=True))
    await engine.settle_all()
    engine.do(Cancel(target=number, reason="a test", theirs=WithTheirs.WITHDRAW))
    await engine.settle_all()
    assert [ticket.state for ticket in practice.desk.tickets] == ["Closed", "Closed"]


# Priority


async def test_raising_ours_offers_theirs(engine: Engine, practice: Practice) -> None:
    number, _ = engine.engaged()
    await engine.settle_all()
    with pytest.raises(Refused, match="already"):
        engine.do(Reprioritise(target=number))
    engine.do(Correct(target=number, reason="it is worse", impact=Impact.HIGH, urgency=Urgency.HIGH))
    practice.moods.set(CommitThenDrop(times=1, on="priority"))
    engine.do(Reprioritise(target=number))
    await engine.settle_all()
    assert practice.desk.tickets[0].priority == "Urgent"
    assert sum(change.kind == "priority" for change in practice.desk.changes) == 1
    await engine.collector.poll()
    assert engine.kinds(number)[-2:] == ["reprioritised", "delivered"]


# Moved


async def test_relink_reads_the_other_ticket_whole(engine: Engine, practice: Practice) -> None:
    number, _ = engine.engaged()
    await engine.settle_all()
    await engine.collector.poll()
    other = practice.desk.create("Lena", "merged from two")
    practice.desk.comment(other.id, "Lena", "we go on here")
    engine.do(Relink(target=number, ticket=other.key))
    await engine.collector.poll()
    bond = bond_of(engine, number)
    assert bond.ref is not None
    assert bond.ref.id == other.id
    assert "supplier_said" in engine.kinds(number)
    engine.do(Reply(target=number, message="fine"))
    await engine.settle_all()
    assert practice.desk.history(other.id)[-1].body.startswith("fine")


# Whatever the answer: once, and in order


@pytest.mark.parametrize("mood", [CommitThenDrop, DropBeforeCommit, Hang, LateCommit, Refuse500])
@pytest.mark.parametrize("on", ["state", "comment"])
async def test_whatever_the_answer_it_is_closed_once_with_one_note(
    engine: Engine, practice: Practice, mood: type, on: str
) -> None:
    number, _ = engine.engaged()
    await engine.settle_all()
    practice.moods.set(mood(times=1, on=on))
    engine.do(Withdraw(target=number, reason="it was ours"))
    await engine.settle_all()
    assert theirs(engine, practice, number) == "Closed"
    kinds = [change.kind for change in practice.desk.changes]
    assert (kinds.count("state"), kinds.count("comment")) == (1, 1)
    assert bond_of(engine, number).state is BondState.ENDED


async def test_what_they_wrote_before_it_was_known_is_heard_though_it_ended(
    engine: Engine, practice: Practice
) -> None:
    await engine.collector.poll()
    practice.moods.set(CommitThenDrop(times=1, on="create"))
    number, _ = engine.engaged()
    await engine.courier.step()
    await engine.courier.landed()
    practice.desk.comment(practice.desk.tickets[0].id, "Lena", "Already on it")
    await engine.collector.poll()  # nobody knows yet that this ticket is ours
    engine.do(Withdraw(target=number, reason="it was ours"))
    await engine.settle_all()
    assert bond_of(engine, number).state is BondState.ENDED
    await engine.collector.poll()
    assert engine.kinds(number).count("supplier_said") == 1


async def test_a_merger_that_was_heard_is_followed_though_the_listener_died(
    engine: Engine, practice: Practice
) -> None:
    await engine.collector.poll()
    number, _ = engine.engaged()
    await engine.settle_all()
    await engine.collector.poll()
    ref = bond_of(engine, number).ref
    assert ref is not None
    other = practice.desk.create("Lena", "merged from two")
    practice.desk.merge(ref.id, other.id, "Lena")
    await engine.collector._follow()  # and here it dies
    practice.desk.comment(other.id, "Lena", "we go on here")
    engine.collector._moved.clear()
    await engine.collector.poll()
    assert bond_of(engine, number).ref.id == other.id
    assert engine.kinds(number).count("supplier_said") == 1
