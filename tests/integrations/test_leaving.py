"""What reaches a supplier: files once and whole, and nothing that may not leave by the time it is sent."""

from __future__ import annotations

import os
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from engine_kit import COORDINATOR, Engine, killed_at_random, mortal, practice_file, wait_for

from integrations.connector import Draft
from integrations.practice.moods import CommitThenDrop, DropBeforeCommit
from integrations.practice.server import Practice
from integrations.rt.config import RtConfig
from integrations.sending import Request
from integrations.vendors import load_vendors, policy_of
from register.attaching import attach, detach
from register.desk import ServiceDesk
from register.incident import BondState, Label, TicketRef
from register.leaving import May, Receives
from register.marker import name_marker_of, unsigned
from register.store import Store, outbox
from register.topics.delivery import DropSending, RetrySending
from register.topics.engagement import Engage, Reply
from register.topics.intake import Log
from register.topics.notes import Note
from register.topics.privacy import Redact
from register.topics.sight import Restrict, Unrestrict
from register.topics.withdrawal import Withdraw
from register.verify import verify

CONTENT = random.Random(3).randbytes(300_000)


def sent(engine: Engine, number: str, content: bytes = CONTENT, name: str = "trace.bin") -> str:
    """A file on its way to the supplier; the file's id."""
    made = attach(engine.desk, COORDINATOR, number, content, name, Label.SHAREABLE, send_to="practice")
    return made.events[0].command_id


def arrived(practice: Practice) -> list[tuple[str, bytes]]:
    """The files at the supplier, by name and bytes, in order."""
    return [
        (change.body, practice.desk.file(change.seq))
        for change in practice.desk.changes
        if change.kind == "file"
    ]


def lets(engine: Engine, *may: May, **more: object) -> None:
    """The supplier may receive these from now on, as rule and courier know it."""
    what = Receives(may=frozenset(may), **more)  # type: ignore[arg-type] # by name, as each test says
    facts = engine.desk.policy.vendors["practice"]
    engine.desk.policy = replace(engine.desk.policy, vendors={"practice": replace(facts, receives=what)})
    told = {"may_receive": tuple(may), "redact": what.patterns, "max_attachment": what.most_bytes}
    engine.vendor = engine.vendor.model_copy(update=told)
    engine.courier._vendor = engine.vendor


def why_dead(engine: Engine) -> list[str]:
    return [row.why for row in outbox.unfinished(engine.store) if row.state == "dead"]


# Files


@pytest.mark.parametrize("mood", [None, CommitThenDrop, DropBeforeCommit])
async def test_a_file_arrives_once_and_whole(engine: Engine, practice: Practice, mood: type | None) -> None:
    number, _ = engine.engaged()
    await engine.settle_all()
    if mood is not None:
        practice.moods.set(mood(on="attach"))
    sent(engine, number)
    await engine.settle_all()
    ((name, content),) = arrived(practice)
    assert (name.startswith("trace.muster-"), content == CONTENT) == (True, True)
    assert engine.kinds(number)[-1] == "delivered"
    await engine.collector.poll()
    assert "supplier_said" not in engine.kinds(number)  # it is no news


async def test_files_and_words_arrive_in_order(engine: Engine, practice: Practice) -> None:
    number, _ = engine.engaged()
    sent(engine, number, b"one", "1.log")
    engine.do(Reply(target=number, message="two"))
    sent(engine, number, b"", "3.log")
    await engine.settle_all()
    assert [change.kind for change in practice.desk.changes] == ["created", "file", "comment", "file"]
    assert [content for _, content in arrived(practice)] == [b"one", b""]


@pytest.mark.chaos
@pytest.mark.parametrize("point", ["claimed", "answered", "settled", "looked"])
def test_kill_while_a_file_is_sent(point: str, practice: Practice, own_store: Store, tmp_path: Path) -> None:
    desk = ServiceDesk(own_store, policy_of(load_vendors(practice_file(tmp_path, practice.url))))
    number = desk.do(COORDINATOR, Log(title="x")).number or ""
    desk.do(COORDINATOR, Engage(target=number, vendor="practice", message="x"))
    register = str(own_store.path)
    with mortal(register, tmp_path):
        wait_for(lambda: not outbox.unfinished(own_store), 30, "an empty outbox")
    if point == "looked":
        practice.moods.set(CommitThenDrop(times=1, on="attach"))
    attach(desk, COORDINATOR, number, CONTENT, "trace.bin", Label.SHAREABLE, send_to="practice")
    (row,) = outbox.unfinished(own_store)
    with mortal(register, tmp_path, die=(point, 1)) as worker:
        assert worker.wait(30) == -9
    with mortal(register, tmp_path):
        wait_for(lambda: not outbox.unfinished(own_store), 30, "an empty outbox")
    ((name, content),) = arrived(practice)
    assert (name_marker_of(name), content == CONTENT) == (row.op_id, True)
    assert verify(own_store).faults == []


@pytest.mark.chaos
def test_files_through_kills_at_random_moments(practice: Practice, own_store: Store, tmp_path: Path) -> None:
    desk = ServiceDesk(
        own_store, policy_of(load_vendors(practice_file(tmp_path, practice.url, max_in_flight=4)))
    )
    count, register, given = int(os.environ.get("MUSTER_KILLED_FILES", "24")), str(own_store.path), {}
    for n in range(count):
        number = desk.do(COORDINATOR, Log(title=f"Sample {n}")).number or ""
        desk.do(COORDINATOR, Engage(target=number, vendor="practice", message="x"))
        content = random.Random(n).randbytes(50_000)
        attach(desk, COORDINATOR, number, content, f"{n}.bin", Label.SHAREABLE, send_to="practice")
        given[f"{n}.muster-{outbox.unfinished(own_store)[-1].op_id}.bin"] = content
    practice.moods.set(*(kind(times=count // 6, on="attach") for kind in (CommitThenDrop, DropBeforeCommit)))
    kills = killed_at_random(register, tmp_path, settle=1.0, seed=5, seconds=(0.3, 2.0), limit=120)
    assert kills >= 1
    assert len(arrived(practice)) == count
    assert dict(arrived(practice)) == given
    assert verify(own_store).faults == []


# What changed between being asked for and being sent


async def test_a_ticket_of_what_was_restricted_meanwhile_is_not_made(
    engine: Engine, practice: Practice
) -> None:
    number, row = engine.engaged("payroll leaked")
    engine.do(Restrict(target=number))
    await engine.settle_all()
    assert practice.desk.changes == ()
    assert f"{number} was restricted" in why_dead(engine)[0]
    assert engine.kinds(number)[-1] == "send_failed"
    engine.do(RetrySending(row_id=row))
    await engine.settle_all()
    assert practice.desk.changes == ()
    engine.do(Unrestrict(target=number))
    engine.do(RetrySending(row_id=outbox.unfinished(engine.store)[0].row_id))
    await engine.settle_all()
    assert [ticket.title for ticket in practice.desk.tickets] == ["payroll leaked"]


async def test_words_and_files_of_what_was_restricted_meanwhile_stay_here(
    engine: Engine, practice: Practice
) -> None:
    number, _ = engine.engaged()
    await engine.settle_all()
    engine.do(Reply(target=number, message="the payroll leaked"))
    sent(engine, number)
    engine.do(Restrict(target=number))
    await engine.courier.until_quiet()
    assert [change.kind for change in practice.desk.changes] == ["created"]
    engine.do(DropSending(row_id=outbox.unfinished(engine.store)[0].row_id))
    await engine.settle_all()
    assert [change.kind for change in practice.desk.changes] == ["created"]
    assert len(why_dead(engine)) == 1


async def test_a_supplier_is_called_off_all_the_same_without_a_word(
    engine: Engine, practice: Practice
) -> None:
    number, _ = engine.engaged()
    await engine.settle_all()
    engine.do(Withdraw(target=number, reason="the payroll leaked"))
    engine.do(Restrict(target=number))
    await engine.settle_all()
    assert [change.kind for change in practice.desk.changes] == ["created", "state"]
    assert practice.desk.tickets[0].state == "Closed"
    incident = engine.store.incident(number)
    assert incident is not None
    assert incident.bonds[0].state is BondState.ENDED


async def test_a_quoted_note_that_was_redacted_meanwhile_does_not_leave(
    engine: Engine, practice: Practice
) -> None:
    lets(engine, May.TITLE, May.TIMELINE)
    number = engine.do(Log(title="x")).number or ""
    engine.do(Note(target=number, text="hunter two of Theo", label=Label.SHAREABLE))
    note = engine.store.seq()
    engine.do(Engage(target=number, vendor="practice", message="Help", timeline=True))
    engine.do(Redact(target=number, reason="x", event=note))
    await engine.settle_all()
    assert practice.desk.changes == ()
    assert "What it quotes was redacted since." in why_dead(engine)[0]


async def test_a_file_that_was_taken_away_meanwhile_does_not_leave(
    engine: Engine, practice: Practice
) -> None:
    number, _ = engine.engaged()
    await engine.settle_all()
    file = sent(engine, number)
    attach(engine.desk, COORDINATOR, number, CONTENT, "again.bin")  # the bytes are there still
    detach(engine.desk, COORDINATOR, number, file)
    await engine.settle_all()
    assert arrived(practice) == []
    assert "was taken away from the incident since" in why_dead(engine)[0]


@pytest.mark.parametrize(
    ("may", "more", "why"),
    [
        ({May.TITLE, May.MAILS}, {}, "may receive no files"),
        ({May.TITLE, May.MAILS, May.FILES}, {"most_bytes": 9}, "they take 9 by now"),
        ({May.TITLE, May.FILES}, {}, 'may_receive has no "mails"'),
        ({May.TITLE, May.MAILS, May.FILES}, {"patterns": ("C-[0-9]+",)}, "a pattern of vendors.toml"),
        ({May.MAILS, May.FILES}, {}, "may not receive the incident's title"),
    ],
)
async def test_what_vendors_toml_lets_out_no_more_does_not_leave(
    engine: Engine, practice: Practice, may: set[May], more: dict[str, object], why: str
) -> None:
    number = engine.do(Log(title="db down")).number or ""
    if "title" in why:
        engine.do(Engage(target=number, vendor="practice", message="look"))
    else:
        engine.do(Engage(target=number, vendor="practice", message="x"))
        await engine.settle_all()
        if "file" in why or "take" in why:
            sent(engine, number)
        else:
            engine.do(Reply(target=number, message="C-42 of bob@example.com"))
    before = practice.desk.changes
    lets(engine, *may, **more)
    await engine.settle_all()
    assert practice.desk.changes == before
    assert why in why_dead(engine)[0]


async def test_a_lost_answer_is_looked_up_whatever_was_restricted_since(
    engine: Engine, practice: Practice
) -> None:
    """What may be there is looked for; it is not sent a second time."""
    practice.moods.set(CommitThenDrop(on="create"))
    number, _ = engine.engaged()
    await engine.courier.step()
    await engine.courier.landed()
    engine.do(Restrict(target=number))
    await engine.settle_all()
    assert len(practice.desk.tickets) == 1
    assert engine.kinds(number)[-1] == "ticket_adopted"


async def test_what_never_arrived_is_not_sent_again_once_it_is_restricted(
    engine: Engine, practice: Practice
) -> None:
    practice.moods.set(DropBeforeCommit(on="create"))
    number, _ = engine.engaged()
    await engine.courier.step()
    await engine.courier.landed()
    engine.do(Restrict(target=number))
    await engine.settle_all()
    assert practice.desk.tickets == ()
    assert f"{number} was restricted" in why_dead(engine)[0]


# What a supplier asks for before it helps


async def test_contract_and_asset_of_the_service_stand_in_the_ticket(
    engine: Engine, practice: Practice
) -> None:
    lets(engine, May.TITLE, entitlement={"*": {"contract": "4711"}, "Webshop": {"asset": "web-1"}})
    for about in (Log(title="x", service="webshop"), Log(title="x", service="Mail"), Log(title="x")):
        number = engine.do(about).number or ""
        engine.do(Engage(target=number, vendor="practice", message="Help"))
    await engine.settle_all()
    texts = [unsigned(ticket.body) for ticket in practice.desk.tickets]
    alone = "Help\n\nContract: 4711"
    assert texts == [f"{alone}\nAsset: web-1", alone, alone]


async def test_what_has_a_field_there_goes_into_it(engine: Engine) -> None:
    """As a connector is asked: the practice supplier has no such field."""
    lets(engine, May.TITLE, entitlement={"*": {"contract": "4711", "asset": "db-3"}})
    number = engine.do(Log(title="x")).number or ""
    engine.do(Engage(target=number, vendor="practice", message="Help"))
    (row,) = outbox.unfinished(engine.store)
    config = RtConfig(queue="q", reference_field="r", fields={"contract": "Contract Number"})
    vendor = engine.vendor.model_copy(update={"config": config})
    drafts: list[Draft] = []

    class Taking:
        async def create(self, draft: Draft) -> TicketRef:
            drafts.append(draft)
            return TicketRef(id="1", key="1")

    async def no_bytes(digest: str) -> bytes | None:
        return None

    taking: Any = Taking()
    await Request(vendor, taking, row, no_bytes).make()
    assert (drafts[0].fields, drafts[0].body) == ({"Contract Number": "4711"}, "Help\n\nAsset: db-3")
