"""What both sides changed on a supplier's ticket: the three-way rule, versions, and what a person settles."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from engine_kit import Engine

from integrations.connector import Applied, Ticket
from integrations.errors import Conflict, Unavailable
from integrations.hand import COURIER
from integrations.practice.moods import CommitThenDrop, MergedAway
from integrations.practice.server import Practice
from register.core import Command, Refused
from register.incident import Ball, Bond, BondState, Impact, Priority, Urgency
from register.merging import OWNERS, Owner, Shared, Verdict, merged
from register.store import outbox, vendors
from register.store.exchanges import exchange_of
from register.topics.correction import Correct
from register.topics.delivery import ConfirmSending, DropSending, RetrySending
from register.topics.differences import Keep, SettleDifference
from register.topics.engagement import Reply
from register.topics.proposal import Accept, Dispute
from register.topics.urging import Reprioritise
from register.topics.withdrawal import Withdraw


def bond_of(engine: Engine, number: str) -> Bond:
    incident = engine.store.incident(number)
    assert incident is not None
    return incident.bonds[-1]


def own_id(engine: Engine, number: str) -> str:
    ref = bond_of(engine, number).ref
    assert ref is not None
    return ref.id


def owned(engine: Engine, table: Mapping[Shared, Owner]) -> None:
    """Have vendors.toml say so: to the register, and to the courier."""
    policy = engine.desk.policy
    facts = replace(policy.vendors["practice"], owner={**OWNERS, **table})
    engine.desk.policy = replace(policy, vendors={"practice": facts})
    engine.courier._vendor = engine.vendor.model_copy(update={"owner": dict(table)})


async def engaged(engine: Engine) -> str:
    await engine.collector.poll()
    number, _ = engine.engaged()
    await engine.settle_all()
    await engine.collector.poll()
    return number


async def fixed(engine: Engine, practice: Practice) -> str:
    number = await engaged(engine)
    practice.desk.set_state(own_id(engine, number), "Lena", "Fixed")
    await engine.collector.poll()
    return number


def worse(engine: Engine, number: str) -> None:
    engine.do(Correct(target=number, reason="worse", impact=Impact.HIGH, urgency=Urgency.HIGH))


# The rule


@pytest.mark.parametrize("owner", list(Owner))
def test_three_ways(owner: Owner) -> None:
    both = {Owner.OURS: Verdict.WRITE, Owner.THEIRS: Verdict.GIVE_WAY, Owner.CONFLICT: Verdict.ASK}
    table = {(False, False): Verdict.WRITE, (False, True): Verdict.WRITE, (True, False): Verdict.GIVE_WAY}
    for (they, we), verdict in {**table, (True, True): both[owner]}.items():
        assert merged(agrees=False, they_changed=they, we_changed=we, owner=owner) is verdict
        assert merged(agrees=True, they_changed=they, we_changed=we, owner=owner) is Verdict.AGREED


# A state that both changed


async def test_where_it_arrived_after_all_nothing_is_left_to_settle(
    engine: Engine, practice: Practice
) -> None:
    """An earlier try's answer comes late, as of a worker that lost its lease: nothing goes out once more."""
    number, _ = await disputed_state(engine, practice, note="works again, thank you")
    (row,) = outbox.unfinished(engine.store)
    engine.desk.do(COURIER, ConfirmSending(row_id=row.row_id, change_ids=("late-1",)))
    bond = bond_of(engine, number)
    assert (bond.differences, bond.dead) == ((), False)
    with pytest.raises(Refused, match="nothing waits to be settled"):
        engine.do(SettleDifference(target=number, keep=Keep.OURS))
    assert outbox.unfinished(engine.store) == []


@pytest.mark.parametrize("heard_before", [False, True])
async def test_their_state_holds_where_it_is_theirs(
    engine: Engine, practice: Practice, heard_before: bool
) -> None:
    number = await fixed(engine, practice)
    practice.desk.set_state(own_id(engine, number), "Lena", "Working")
    engine.do(Accept(target=number))
    if heard_before:
        await engine.collector.poll()
    await engine.settle_all()
    await engine.collector.poll()
    bond = bond_of(engine, number)
    assert practice.desk.ticket(own_id(engine, number)).state == "Working"
    assert (bond.state, bond.raw_state, bond.ball) == (BondState.OPEN, "Working", Ball.THEIRS)
    assert (bond.dead, bond.differences, outbox.unfinished(engine.store)) == (False, (), [])
    assert engine.kinds(number).count("gave_way") == 1
    engine.do(Reply(target=number, message="nothing waits behind it"))
    await engine.settle_all()
    assert engine.kinds(number)[-1] == "delivered"


async def test_our_state_is_written_where_it_is_ours(engine: Engine, practice: Practice) -> None:
    owned(engine, {Shared.STATE: Owner.OURS})
    number = await fixed(engine, practice)
    practice.desk.set_state(own_id(engine, number), "Lena", "Working")
    engine.do(Accept(target=number))
    await engine.settle_all()
    assert practice.desk.ticket(own_id(engine, number)).state == "Closed"
    for _ in range(2):
        await engine.collector.poll()
    assert engine.kinds(number)[-2:] == ["accepted", "delivered"], "what it overtook is no news, nor is ours"
    assert bond_of(engine, number).state is BondState.ENDED


async def disputed_state(engine: Engine, practice: Practice, note: str = "") -> tuple[str, Accept]:
    """An incident of which both changed the state, and a person is asked."""
    owned(engine, {Shared.STATE: Owner.CONFLICT})
    number = await fixed(engine, practice)
    practice.desk.set_state(own_id(engine, number), "Lena", "Working")
    accept = Accept(target=number, note=note)
    engine.do(accept)
    await engine.courier.until_quiet()
    (one,) = bond_of(engine, number).differences
    assert (one.field, one.ours, one.theirs, one.row_id) == ("state", "closed", "Working", accept.command_id)
    assert bond_of(engine, number).dead
    assert vendors.health(engine.store)["practice"].differs == 1
    return number, accept


@pytest.mark.parametrize("keep", list(Keep))
@pytest.mark.parametrize("note", ["", "thank you"])
async def test_a_person_settles_a_state(engine: Engine, practice: Practice, keep: Keep, note: str) -> None:
    number, _ = await disputed_state(engine, practice, note)
    engine.do(SettleDifference(target=number, keep=keep))
    await engine.settle_all()
    for _ in range(2):
        await engine.collector.poll()
    bond, ours = bond_of(engine, number), keep is Keep.OURS
    assert practice.desk.ticket(own_id(engine, number)).state == ("Closed" if ours else "Working")
    assert bond.state is (BondState.ENDED if ours else BondState.OPEN)
    assert (bond.dead, bond.differences, outbox.unfinished(engine.store)) == (False, (), [])
    bodies = [c.body.split("\n")[0] for c in practice.desk.changes if c.kind == "comment"]
    assert bodies == ([note] if ours and note else [])
    assert vendors.health(engine.store)["practice"].differs == 0
    with pytest.raises(Refused, match="nothing waits to be settled"):
        engine.do(SettleDifference(target=number, keep=keep))


async def test_words_with_a_state_are_not_dropped_in_silence(engine: Engine, practice: Practice) -> None:
    number = await fixed(engine, practice)
    practice.desk.set_state(own_id(engine, number), "Lena", "Working")
    engine.do(Accept(target=number, note="thank you"))
    await engine.courier.until_quiet()
    assert len(bond_of(engine, number).differences) == 1


@pytest.mark.parametrize("way", [RetrySending, DropSending])
async def test_other_ways_out_leave_nothing_to_settle(engine: Engine, practice: Practice, way: Any) -> None:
    number, accept = await disputed_state(engine, practice)
    practice.desk.set_state(own_id(engine, number), "Lena", "Fixed")  # as it was when we accepted
    engine.do(way(row_id=accept.command_id))
    await engine.settle_all()
    bond = bond_of(engine, number)
    assert (bond.differences, bond.dead, bond.state) == ((), False, BondState.ENDED)


async def test_what_is_asked_about_is_their_state_by_now(engine: Engine, practice: Practice) -> None:
    number, _ = await disputed_state(engine, practice)
    practice.desk.set_state(own_id(engine, number), "Lena", "Fixed")
    await engine.collector.poll()
    assert [one.theirs for one in bond_of(engine, number).differences] == ["Fixed"]
    engine.do(SettleDifference(target=number, keep=Keep.THEIRS))
    assert bond_of(engine, number).state is BondState.FIXED


# Their priority


async def test_our_own_priority_comes_back_as_no_news(engine: Engine, practice: Practice) -> None:
    number = await engaged(engine)
    worse(engine, number)
    practice.moods.set(CommitThenDrop(times=1, on="priority"))
    engine.do(Reprioritise(target=number))
    await engine.courier.step()
    await engine.courier.landed()
    await engine.collector.poll()  # it comes back before we know that it arrived
    await engine.settle_all()
    await engine.collector.poll()
    assert "supplier_reprioritised" not in engine.kinds(number)
    bond = bond_of(engine, number)
    assert (bond.told_priority, bond.their_priority) == (Priority.CRITICAL, "")


@pytest.mark.parametrize(
    ("owner", "told", "theirs", "asked"),
    [
        (Owner.OURS, Priority.MODERATE, "Low", False),
        (Owner.THEIRS, Priority.LOW, "", False),
        (Owner.CONFLICT, Priority.MODERATE, "Low", True),
    ],
)
async def test_a_priority_of_theirs_is_shown_offered_back_or_asked_about(
    engine: Engine, practice: Practice, owner: Owner, told: Priority, theirs: str, asked: bool
) -> None:
    owned(engine, {Shared.PRIORITY: owner})
    number = await engaged(engine)
    practice.desk.set_priority(own_id(engine, number), "Lena", "Low")
    for _ in range(2):
        await engine.collector.poll()
    bond = bond_of(engine, number)
    assert engine.kinds(number).count("supplier_reprioritised") == 1
    assert (bond.told_priority, bond.their_priority) == (told, theirs)
    assert [one.field for one in bond.differences] == ([Shared.PRIORITY] if asked else [])
    engine.do(Reprioritise(target=number))  # ours is theirs again
    await engine.settle_all()
    await engine.collector.poll()
    assert practice.desk.ticket(own_id(engine, number)).priority == "Normal"
    bond = bond_of(engine, number)
    assert (bond.told_priority, bond.their_priority, bond.differences) == (Priority.MODERATE, "", ())
    assert engine.kinds(number).count("supplier_reprioritised") == 1


async def test_they_go_back_by_themselves(engine: Engine, practice: Practice) -> None:
    owned(engine, {Shared.PRIORITY: Owner.CONFLICT})
    number = await engaged(engine)
    for word in ("Low", "Urgent", "Normal"):
        practice.desk.set_priority(own_id(engine, number), "Lena", word)
    await engine.collector.poll()
    bond = bond_of(engine, number)
    assert engine.kinds(number).count("supplier_reprioritised") == 3
    assert (bond.told_priority, bond.their_priority, bond.differences) == (Priority.MODERATE, "", ())


@pytest.mark.parametrize("keep", list(Keep))
async def test_a_person_settles_a_priority(engine: Engine, practice: Practice, keep: Keep) -> None:
    owned(engine, {Shared.PRIORITY: Owner.CONFLICT})
    number = await engaged(engine)
    practice.desk.set_priority(own_id(engine, number), "Lena", "Low")
    await engine.collector.poll()
    engine.do(SettleDifference(target=number, keep=keep))
    await engine.settle_all()
    await engine.collector.poll()
    bond, ours = bond_of(engine, number), keep is Keep.OURS
    assert practice.desk.ticket(own_id(engine, number)).priority == ("Normal" if ours else "Low")
    assert (bond.told_priority, bond.their_priority) == (Priority.MODERATE if ours else Priority.LOW, "")
    assert (bond.differences, outbox.unfinished(engine.store)) == ((), [])


@pytest.mark.parametrize(
    ("owner", "word", "kind"),
    [(Owner.OURS, "Urgent", "delivered"), (Owner.THEIRS, "Low", "gave_way"), (Owner.CONFLICT, "Low", "")],
)
async def test_a_priority_that_both_changed_goes_by_the_table(
    engine: Engine, practice: Practice, owner: Owner, word: str, kind: str
) -> None:
    owned(engine, {Shared.PRIORITY: owner})
    number = await engaged(engine)
    worse(engine, number)
    practice.desk.set_priority(own_id(engine, number), "Lena", "Low")  # not heard when we ask
    engine.do(Reprioritise(target=number))
    await engine.courier.until_quiet()
    assert practice.desk.ticket(own_id(engine, number)).priority == word
    assert engine.kinds(number)[-1] == (kind or "difference_found")
    for _ in range(2):
        await engine.collector.poll()
    if not kind:
        assert len(bond_of(engine, number).differences) == 1
        (row,) = outbox.unfinished(engine.store)
        kept = exchange_of(engine.store, row.row_id)
        assert kept is not None
        assert '"Low"' in kept.said[-1]["answer"], "what they answered is there to be looked at"
        engine.do(SettleDifference(target=number, keep=Keep.OURS))
        await engine.settle_all()
        await engine.collector.poll()
        assert practice.desk.ticket(own_id(engine, number)).priority == "Urgent"
    bond = bond_of(engine, number)
    assert (bond.their_priority, bond.dead, outbox.unfinished(engine.store)) == ("", False, [])
    assert bond.told_priority is (Priority.LOW if owner is Owner.THEIRS else Priority.CRITICAL)
    told = engine.kinds(number).count("supplier_reprioritised")
    assert told == (0 if owner is Owner.THEIRS else 1), "it is on record that they did, once"


# Versions


async def test_what_was_seen_is_written_on_without_another_look(engine: Engine, practice: Practice) -> None:
    number = await fixed(engine, practice)
    asked = engine.courier._connector.http
    engine.do(Accept(target=number))
    before = asked.asked
    await engine.courier.until_quiet()
    assert asked.asked - before == 1
    assert practice.desk.ticket(own_id(engine, number)).state == "Closed"


async def test_a_word_of_theirs_between_is_no_conflict(engine: Engine, practice: Practice) -> None:
    """The version is another one by now, the state is not: it is looked at, and written."""
    number = await fixed(engine, practice)
    practice.desk.comment(own_id(engine, number), "Lena", "a last word")
    engine.do(Accept(target=number))
    await engine.settle_all()
    assert practice.desk.ticket(own_id(engine, number)).state == "Closed"
    assert engine.kinds(number)[-1] == "delivered"


class Busy:
    """Somebody changes the ticket at each of so many writes, in the very moment."""

    def __init__(
        self, engine: Engine, practice: Practice, monkeypatch: pytest.MonkeyPatch, times: int
    ) -> None:
        self.left, self.writes = times, 0
        inner = engine.courier._connector.apply  # type: ignore[attr-defined]

        async def apply(ref: Any, update: Any, version: str | None = None) -> Applied:
            self.writes += 1
            if self.left:
                self.left -= 1
                practice.desk.comment(ref.id, "Lena", f"another word {self.left}")
                if version is None:
                    raise Conflict("it has changed")
            done: Applied = await inner(ref, update, version)
            return done

        monkeypatch.setattr(engine.courier._connector, "apply", apply)


@pytest.mark.parametrize("kind", ["transition", "comment"])
async def test_a_busy_ticket_is_written_to_when_it_rests(
    engine: Engine, practice: Practice, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    number = await fixed(engine, practice)
    busy = Busy(engine, practice, monkeypatch, 4)
    engine.do(
        Dispute(target=number, message="no") if kind == "transition" else Reply(target=number, message="no")
    )
    await engine.settle_all()
    assert busy.left == 0
    assert engine.kinds(number)[-1] == "delivered"
    ours = [
        c.body.split("\n")[0] for c in practice.desk.changes if c.author == "muster" and c.kind == "comment"
    ]
    assert ours == ["no"]


@pytest.mark.parametrize("kind", ["transition", "comment", "priority"])
async def test_one_that_never_rests_is_for_a_person(
    engine: Engine, practice: Practice, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    number = await fixed(engine, practice)
    worse(engine, number)
    busy = Busy(engine, practice, monkeypatch, 10_000)
    commands: Mapping[str, Command] = {
        "transition": Dispute(target=number, message="no"),
        "comment": Reply(target=number, message="no"),
        "priority": Reprioritise(target=number),
    }
    engine.do(commands[kind])
    await engine.settle_all()
    (row,) = outbox.unfinished(engine.store)
    assert (row.state, row.tries) == ("dead", 5)
    assert busy.writes <= 5 * 3


async def test_a_ticket_knows_which_of_ours_its_priority_is(engine: Engine, practice: Practice) -> None:
    number = await engaged(engine)
    ticket: Ticket = await engine.courier._connector.get(bond_of(engine, number).ref)  # type: ignore[arg-type]
    assert ticket.priorities == (Priority.MODERATE,)


# What we set comes back


async def test_what_we_set_in_a_ticket_that_was_merged_is_not_told_as_theirs(
    engine: Engine, practice: Practice
) -> None:
    """Its answer is lost, so nothing tells which change was ours; and the other ticket's past is no news."""
    number = await fixed(engine, practice)
    practice.moods.set(MergedAway(on="state"), CommitThenDrop(on="writes"))
    engine.do(Dispute(target=number, message="still broken"))
    await engine.settle_all()  # nobody listens meanwhile: all of it comes at once
    for _ in range(2):
        await engine.collector.poll()
    states = [e.event.raw_state for e in engine.store.timeline(number) if e.kind == "supplier_updated"]  # type: ignore[union-attr]
    assert [state for state in states if not state.startswith("merged")] == ["Fixed"]
    bond = bond_of(engine, number)
    assert (bond.state, bond.raw_state) == (BondState.OPEN, "Working")
    practice.desk.set_state(own_id(engine, number), "Lena", "Fixed")
    await engine.collector.poll()
    assert bond_of(engine, number).state is BondState.FIXED


async def test_a_state_that_ours_overtook_is_history_though_nothing_tells_which_was_ours(
    engine: Engine, practice: Practice
) -> None:
    number = await engaged(engine)
    practice.desk.set_state(own_id(engine, number), "Lena", "Needs customer")
    practice.moods.set(CommitThenDrop(on="state"))
    engine.do(Withdraw(target=number, reason="it was ours"))
    await engine.settle_all()
    for _ in range(2):
        await engine.collector.poll()
    assert "supplier_updated" not in engine.kinds(number)
    assert (bond_of(engine, number).state, bond_of(engine, number).raw_state) == (BondState.ENDED, "Closed")


async def test_ours_is_known_though_nobody_could_say_how_it_stands(
    engine: Engine, practice: Practice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The note that came with it is found; the ticket cannot be read at that moment."""
    number = await fixed(engine, practice)
    connector = engine.courier._connector
    asked = connector.get

    async def get(ref: Any) -> Ticket:
        if any(row.state == "ambiguous" for row in outbox.unfinished(engine.store)):
            raise Unavailable("a bad moment")
        return await asked(ref)

    monkeypatch.setattr(connector, "get", get)
    practice.moods.set(CommitThenDrop(on="comment"))
    engine.do(Dispute(target=number, message="still broken"))
    await engine.settle_all()
    for _ in range(2):
        await engine.collector.poll()
    assert engine.kinds(number).count("supplier_updated") == 1
    practice.desk.set_state(own_id(engine, number), "Lena", "Fixed")
    await engine.collector.poll()
    assert bond_of(engine, number).state is BondState.FIXED
