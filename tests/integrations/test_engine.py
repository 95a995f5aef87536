"""One ticket, in order, no echo, nothing lost: the engine against a supplier that misbehaves."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from engine_kit import COORDINATOR, Engine, practice_file, tickets_by_reference

from integrations.connector import CannotTell, Idempotency, Lagging, Lookup, Native, NoLookup, NoNative
from integrations.hand import COURIER
from integrations.practice.moods import (
    AnswerHtml,
    CommitThenDrop,
    DropBeforeCommit,
    Hang,
    RateLimit,
    Refuse500,
    TruncatedJson,
)
from integrations.practice.server import Practice, running_practice
from integrations.systems.practice import PracticeDesk
from register.core import Command, Principal, Refused
from register.desk import Receipt
from register.incident import Ball, BondState, State
from register.store import Store, outbox, vendors
from register.topics.delivery import (
    AdoptTicket,
    ConfirmSending,
    DoubtSending,
    DropSending,
    FailSending,
    ResendSending,
    RetrySending,
)
from register.topics.engagement import Engage, Reply
from register.topics.intake import Log
from register.topics.pausing import ResumeVendor
from register.topics.sendings import SentAgain
from register.verify import verify


async def test_an_engagement_becomes_one_ticket_with_our_reference(
    engine: Engine, practice: Practice
) -> None:
    number, op_id = engine.engaged()
    await engine.settle_all()
    bond = engine.store.incident(number).bonds[0]
    assert tickets_by_reference(practice) == {op_id: 1}
    assert (bond.state, bond.ball, bond.ref.key) == (BondState.OPEN, Ball.THEIRS, "PD-1001")
    assert engine.kinds(number) == ["created", "engaged", "ticket_made"]


async def test_a_lost_answer_makes_no_second_ticket(engine: Engine, practice: Practice) -> None:
    practice.moods.set(CommitThenDrop(times=1))
    number, op_id = engine.engaged()
    await engine.settle_all()
    assert tickets_by_reference(practice) == {op_id: 1}
    assert engine.kinds(number) == ["created", "engaged", "send_ambiguous", "ticket_adopted"]


async def test_what_never_arrived_is_sent_again_only_when_it_is_settled(
    engine: Engine, practice: Practice
) -> None:
    practice.moods.set(DropBeforeCommit(times=1))
    number, op_id = engine.engaged()
    await engine.courier.until_quiet()
    assert tickets_by_reference(practice) == {}
    await engine.settle_all()
    assert tickets_by_reference(practice) == {op_id: 1}
    assert engine.kinds(number) == ["created", "engaged", "send_ambiguous", "sent_again", "ticket_made"]
    again = next(e for e in engine.store.timeline(number) if e.kind == "sent_again")
    doubt = next(e for e in engine.store.timeline(number) if e.kind == "send_ambiguous")
    assert again.recorded_at - doubt.recorded_at >= timedelta(milliseconds=300)


@pytest.mark.parametrize(
    "mood", [Refuse500, AnswerHtml, TruncatedJson, Hang, CommitThenDrop, DropBeforeCommit]
)
async def test_whatever_the_answer_there_is_one_ticket_and_one_reply(
    engine: Engine, practice: Practice, mood: type
) -> None:
    practice.moods.set(mood(times=1, on="create"))
    number, op_id = engine.engaged()
    await engine.settle_all()
    practice.moods.set(mood(times=1, on="comment"))
    engine.do(Reply(target=number, message="any news?"))
    await engine.settle_all()
    assert tickets_by_reference(practice) == {op_id: 1}
    assert outbox.unfinished(engine.store) == []
    said = [c for c in practice.desk.changes if c.kind == "comment" and "any news?" in c.body]
    assert len(said) == 1
    await engine.collector.poll()
    assert "supplier_said" not in engine.kinds(number)


async def test_being_told_to_wait_is_no_failure(engine: Engine, practice: Practice) -> None:
    practice.moods.set(RateLimit(times=2, on="create", retry_after=1))
    number, op_id = engine.engaged()
    await engine.courier.until_quiet()
    assert [row.state for row in outbox.unfinished(engine.store)] == ["waiting"]
    await engine.settle_all()
    assert tickets_by_reference(practice) == {op_id: 1}
    assert "send_ambiguous" not in engine.kinds(number)


async def test_replies_go_out_in_order_behind_the_ticket(engine: Engine, practice: Practice) -> None:
    practice.moods.set(DropBeforeCommit(times=1, on="create"))
    number, _ = engine.engaged()
    for text in ("first", "second", "third"):
        engine.do(Reply(target=number, message=text))
    await engine.settle_all()
    bodies = [c.body.split("\n")[0] for c in practice.desk.changes if c.kind == "comment"]
    assert bodies == ["first", "second", "third"]


async def test_what_they_say_and_decide_comes_back_once_and_ours_does_not(
    engine: Engine, practice: Practice
) -> None:
    await engine.collector.poll()
    number, _ = engine.engaged()
    await engine.settle_all()
    ticket = engine.store.incident(number).bonds[0].ref.id
    practice.desk.comment(ticket, author="Lena", body="Looking at it")
    engine.do(Reply(target=number, message="thanks"))
    await engine.settle_all()
    practice.desk.set_state(ticket, "Lena", "Fixed")
    for _ in range(3):
        await engine.collector.poll()
    assert engine.kinds(number)[2:] == [
        "ticket_made",
        "replied",
        "delivered",
        "supplier_said",
        "supplier_updated",
    ]
    incident = engine.store.incident(number)
    assert incident.state is State.NEW
    assert (incident.bonds[0].state, incident.bonds[0].ball) == (BondState.FIXED, Ball.OURS)


async def test_an_answer_before_we_knew_the_number_is_not_lost(engine: Engine, practice: Practice) -> None:
    await engine.collector.poll()
    practice.moods.set(CommitThenDrop(times=1))
    number, _ = engine.engaged()
    await engine.courier.step()
    await engine.courier.landed()
    ticket = practice.desk.tickets[0].id
    practice.desk.comment(ticket, "Lena", "Already on it")
    await engine.collector.poll()  # nobody knows yet that this ticket is ours
    assert "supplier_said" not in engine.kinds(number)
    await engine.settle_all()
    await engine.collector.poll()
    assert engine.kinds(number).count("supplier_said") == 1


async def test_a_dropped_create_takes_what_waits_behind_it(engine: Engine, practice: Practice) -> None:
    practice.moods.set(DropBeforeCommit(times=1))
    number, row_id = engine.engaged()
    engine.do(Reply(target=number, message="and this"))
    await engine.courier.step()
    await engine.courier.landed()
    engine.do(DropSending(row_id=row_id, reason="phoned them instead"))
    await engine.settle_all()
    assert tickets_by_reference(practice) == {}
    assert engine.store.incident(number).live_bonds() == ()
    engine.do(Engage(target=number, vendor="practice", message="now by ticket"))
    await engine.settle_all()
    assert len(practice.desk.tickets) == 1


async def test_it_is_there_as(engine: Engine, practice: Practice) -> None:
    practice.moods.set(Hang(times=1))
    number, row_id = engine.engaged()
    await engine.courier.step()
    await engine.courier.landed()
    engine.do(AdoptTicket(row_id=row_id, ticket="PD-4711"))
    bond = engine.store.incident(number).bonds[0]
    assert (bond.ref.key, bond.state) == ("PD-4711", BondState.OPEN)
    assert outbox.unfinished(engine.store) == []


async def test_a_refused_credential_pauses_the_vendor_until_it_is_mended(
    own_store: Store, tmp_path: Path
) -> None:
    with running_practice(token="right") as practice:
        engine = Engine.over(own_store, practice_file(tmp_path, practice.url))
        number, _ = engine.engaged()
        await engine.courier.until_quiet()
        state = vendors.health(own_store)["practice"]
        assert state.paused_why
        assert [row.state for row in outbox.unfinished(own_store)] == ["waiting"]
        await engine.courier.until_quiet()
        assert len(engine.kinds(number)) == 2
        engine.do(ResumeVendor(vendor="practice", why="token renewed"))
        assert not vendors.health(own_store)["practice"].paused_why
        await engine.close()
        engine.hand.close()


async def test_a_second_live_bond_is_refused_unless_asked_for(engine: Engine, practice: Practice) -> None:
    number, _ = engine.engaged()
    with pytest.raises(Refused, match="engaged for"):
        engine.do(Engage(target=number, vendor="practice", message="again"))
    engine.do(Engage(target=number, vendor="practice", message="again", again=True))
    await engine.settle_all()
    assert len(practice.desk.tickets) == 2


async def test_an_unknown_supplier_is_refused_with_those_that_are_known(engine: Engine) -> None:
    number = engine.desk.do(COORDINATOR, Log(title="x")).number or ""
    with pytest.raises(Refused, match="Known: practice"):
        engine.do(Engage(target=number, vendor="nobody", message="help"))


async def test_retrying_a_waiting_one_does_not_wait(engine: Engine, practice: Practice) -> None:
    practice.moods.set(RateLimit(times=1, on="create", retry_after=3600))
    number, row_id = engine.engaged()
    await engine.courier.until_quiet()
    assert outbox.unfinished(engine.store)[0].next_at - engine.hand.now() > timedelta(minutes=50)
    engine.do(RetrySending(row_id=row_id))
    await engine.settle_all()
    assert engine.store.incident(number).bonds[0].ref is not None


POINTS = ("claimed", "answered", "settled", "looked")


class Killed(BaseException):
    """Stands for the process's death at a fault point."""


@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("mood", [None, CommitThenDrop, DropBeforeCommit, Refuse500])
async def test_death_at_each_point_leaves_one_ticket_and_an_empty_outbox(
    practice: Practice, own_store: Store, tmp_path: Path, point: str, mood: type | None
) -> None:
    file = practice_file(tmp_path, practice.url)
    died = []

    def fault(at: str) -> None:
        if at == point and not died:
            died.append(at)
            raise Killed

    if mood is not None:
        practice.moods.set(mood(times=1, on="create"))
    first = Engine.over(own_store, file, fault, "first")
    number, op_id = first.engaged()
    with contextlib.suppress(Killed):
        await first.settle_all()
    await first.close()
    first.hand.close()
    second = Engine.over(own_store, file, holder="second")
    await second.courier.take_over()
    await second.settle_all()
    assert tickets_by_reference(practice) == {op_id: 1}
    assert outbox.unfinished(own_store) == []
    assert own_store.incident(number).bonds[0].ref is not None
    assert verify(own_store).faults == []
    await second.close()
    second.hand.close()


async def test_a_ticket_adopted_by_its_human_number_is_heard(engine: Engine, practice: Practice) -> None:
    await engine.collector.poll()
    number, row_id = engine.engaged()
    ticket = practice.desk.create("somebody", "db down", "told by phone")
    engine.do(AdoptTicket(row_id=row_id, ticket=ticket.key))
    practice.desk.comment(ticket.id, author="Lena", body="Looking at it")
    await engine.collector.poll()
    practice.desk.comment(ticket.id, author="Lena", body="Found it")
    await engine.collector.poll()
    assert engine.kinds(number).count("supplier_said") == 2
    assert engine.store.incident(number).bonds[0].ref.id == ticket.id


async def test_a_whole_read_does_not_take_their_state_back(engine: Engine, practice: Practice) -> None:
    await engine.collector.poll()
    number, row_id = engine.engaged()
    ticket = practice.desk.create("somebody", "db down", "told by phone")
    practice.desk.set_state(ticket.id, author="Lena", state="Working")
    await engine.collector.poll()  # not ours yet
    engine.do(AdoptTicket(row_id=row_id, ticket=ticket.id))
    practice.desk.set_state(ticket.id, author="Lena", state="Fixed")
    await engine.collector.poll()
    await engine.collector.poll()
    bond = engine.store.incident(number).bonds[0]
    assert (bond.raw_state, bond.state) == ("Fixed", BondState.FIXED)


async def test_a_dropped_reply_does_not_hide_that_the_ticket_was_refused(engine: Engine) -> None:
    number, row_id = engine.engaged()
    reply = Reply(target=number, message="any news?")
    engine.do(reply)
    now = engine.hand.now()
    outbox.claim(engine.store, "practice", "me", now, now, now + timedelta(minutes=1), 1)
    engine.desk.do(COURIER, FailSending(row_id=row_id, tries=1, why="no such queue"))
    engine.do(DropSending(row_id=reply.command_id))
    assert engine.store.incident(number).bonds[0].dead


async def test_the_late_word_of_a_try_that_was_given_up_is_heard(engine: Engine) -> None:
    number, row_id = engine.engaged()
    now = engine.hand.now()
    outbox.claim(engine.store, "practice", "me", now, now, now + timedelta(minutes=1), 1)
    doubt = DoubtSending(row_id=row_id, tries=1, why="lost", next_at=now)
    engine.desk.do(COURIER, doubt)
    engine.desk.do(COURIER, ResendSending(row_id=row_id, tries=1, why="not there"))
    again = DoubtSending(row_id=row_id, tries=1, why="it was on its way after all", next_at=now)
    engine.desk.do(COURIER, again)
    assert [row.state for row in outbox.unfinished(engine.store)] == ["ambiguous"]
    assert outbox.unfinished(engine.store)[0].deadline_at > now
    assert engine.kinds(number)[-1] == "send_ambiguous"


async def test_what_has_been_answered_holds_none_up_while_it_is_put_on_record(
    own_store: Store, practice: Practice, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = Engine.over(own_store, practice_file(tmp_path, practice.url, max_in_flight=2))
    on_record = asyncio.Event()
    do = engine.hand.do

    async def later(principal: Principal, command: Command) -> Receipt:
        if isinstance(command, ConfirmSending):
            await on_record.wait()
        return await do(principal, command)

    monkeypatch.setattr(engine.hand, "do", later)
    for number in range(6):
        engine.engaged(f"Outage {number}")

    async def steps_until(tickets: int) -> None:
        async with asyncio.timeout(30):
            while len(tickets_by_reference(practice)) < tickets or engine.courier.room > 0:
                engine.courier.has_room.clear()
                if not await engine.courier.step():
                    await engine.courier.has_room.wait()

    await steps_until(4)
    assert not await engine.courier.step(), "but it does not run ahead of the record without end"
    assert len(tickets_by_reference(practice)) == 4
    on_record.set()
    await engine.settle_all()
    assert len(tickets_by_reference(practice)) == 6
    await engine.close()


@pytest.mark.parametrize(
    ("idempotency", "is_sent"),
    [
        (Native(timedelta(hours=2)), True),
        (Native(timedelta(seconds=1)), False),  # its time may be over before a request is
        (NoNative(), False),
    ],
)
async def test_what_is_not_found_is_sent_again_under_a_key_that_the_supplier_still_knows(
    engine: Engine,
    practice: Practice,
    monkeypatch: pytest.MonkeyPatch,
    idempotency: Idempotency,
    is_sent: bool,
) -> None:
    lagging = Lagging(index_delay=timedelta(seconds=1), settle=timedelta(seconds=1))
    info = replace(PracticeDesk.info, lookup=lagging, idempotency=idempotency)
    monkeypatch.setattr(PracticeDesk, "info", info)
    practice.moods.set(DropBeforeCommit(times=1))
    number, op_id = engine.engaged()
    await engine.settle_all()
    assert tickets_by_reference(practice) == ({op_id: 1} if is_sent else {})
    assert ("sent_again" in engine.kinds(number), engine.kinds(number)[-1] == "ticket_made") == (is_sent,) * 2
    if is_sent:  # the key is of tickets alone
        again, doubt = (
            next(event.recorded_at for event in engine.store.timeline(number) if event.kind == kind)
            for kind in ("sent_again", "send_ambiguous")
        )
        assert again - doubt >= timedelta(milliseconds=120), "after the second look"
        practice.moods.set(DropBeforeCommit(times=1, on="comment"))
        engine.do(Reply(target=number, message="any news?"))
        await engine.settle_all()
        assert [row.state for row in outbox.unfinished(engine.store)] == ["ambiguous"]


@pytest.mark.parametrize("lookup", [Lagging(timedelta(seconds=1), timedelta(seconds=1)), NoLookup()])
async def test_only_where_there_is_no_lookup_at_all_a_key_is_used_again_without_one(
    engine: Engine, practice: Practice, monkeypatch: pytest.MonkeyPatch, lookup: Lookup
) -> None:
    """Whoever cannot say just now is asked another time; a block without `find` can never say."""

    async def cannot(*_: object) -> CannotTell:
        return CannotTell("its search is being rebuilt")

    native = replace(PracticeDesk.info, lookup=lookup, idempotency=Native(timedelta(hours=2)))
    monkeypatch.setattr(PracticeDesk, "info", native)
    monkeypatch.setattr(PracticeDesk, "find", cannot)
    practice.moods.set(DropBeforeCommit(times=1))
    _, op_id = engine.engaged()
    await engine.settle_all()
    is_sent = isinstance(lookup, NoLookup)
    assert [row.state for row in outbox.unfinished(engine.store)] == ([] if is_sent else ["ambiguous"])
    assert tickets_by_reference(practice) == ({op_id: 1} if is_sent else {})


async def test_what_waited_longer_than_its_key_is_known_is_not_sent_again_by_it(
    engine: Engine, practice: Practice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where the supplier was away meanwhile: it may have been there since the first try."""
    now, looked = engine.hand.now, list[str]()

    async def cannot(*_: object) -> CannotTell:
        looked.append("look")
        return CannotTell("it cannot be asked")

    native = replace(PracticeDesk.info, lookup=NoLookup(), idempotency=Native(timedelta(hours=2)))
    monkeypatch.setattr(PracticeDesk, "info", native)
    monkeypatch.setattr(PracticeDesk, "find", cannot)
    practice.moods.set(DropBeforeCommit(times=1))
    number, _ = engine.engaged()
    late = timedelta(hours=3)  # from the second look on, by which it is to be sent again
    monkeypatch.setattr(engine.hand, "now", lambda: now() + late * (len(looked) > 1))
    await engine.settle_all()
    assert engine.kinds(number).count("sent_again") == 1
    assert [row.state for row in outbox.unfinished(engine.store)] == ["ambiguous"]
    assert tickets_by_reference(practice) == {}


async def test_what_a_person_has_sent_again_is_not_called_proved(
    engine: Engine, practice: Practice, monkeypatch: pytest.MonkeyPatch
) -> None:
    lagging = Lagging(index_delay=timedelta(seconds=1), settle=timedelta(seconds=1))
    monkeypatch.setattr(PracticeDesk, "info", replace(PracticeDesk.info, lookup=lagging))
    practice.moods.set(DropBeforeCommit(times=1))
    number, op_id = engine.engaged()
    await engine.settle_all()
    engine.do(RetrySending(row_id=op_id))
    await engine.settle_all()
    assert tickets_by_reference(practice) == {op_id: 1}
    found = [one.event for one in engine.store.timeline(number) if isinstance(one.event, SentAgain)]
    assert [one.why for one in found][1:] == ["a person asked for it, and it was not found"]


async def test_a_person_who_does_not_wait_sends_nothing_by_a_key_that_is_known_no_more(
    engine: Engine, practice: Practice, monkeypatch: pytest.MonkeyPatch
) -> None:
    native = replace(PracticeDesk.info, lookup=NoLookup(), idempotency=Native(timedelta(hours=2)))
    monkeypatch.setattr(PracticeDesk, "info", native)
    practice.moods.set(DropBeforeCommit(times=1))
    _, row_id = engine.engaged()
    await engine.courier.until_quiet()
    engine.desk.do(COURIER, ResendSending(row_id=row_id, tries=1, why="by its key", by_key=True))
    engine.do(RetrySending(row_id=row_id))
    (row,) = outbox.unfinished(engine.store)
    assert (row.state, row.on_ambiguous) == ("queued", "key")
