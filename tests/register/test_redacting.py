"""Redaction and legal hold: what was written goes for good, what happened stays, and the chain holds."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from register.core import EVENTS, Policy, Refused
from register.desk import ServiceDesk
from register.forgetting import GONE, changed, has_text, without_texts
from register.incident import HoldReason, State
from register.row import board_row
from register.store import Store, open_store
from register.store.fulltext import catch_up, disagreement
from register.store.history import incident_then, then, timeline_then
from register.store.outbox import unfinished
from register.topics.alerts import TakeAlert
from register.topics.hearing import Hear
from register.topics.hold import PutOnHold
from register.topics.notes import Note
from register.topics.privacy import LegalHold, Redact
from register.topics.resolution import Reopen
from register.verify import verify
from tests.register.saying import (
    ADA,
    ANA,
    BEN,
    ENGINE,
    ask,
    engaged,
    everything,
    failed,
    fixed,
    heard,
    log,
    look,
    sql,
    story,
    ticket_of,
)
from tests.register.test_laws import STEPS, on_the_outbox

SECRET = "hunter2-of-Theo"


def redact(desk: ServiceDesk, number: str, **more: Any) -> Any:
    return desk.do(BEN, Redact(target=number, reason="a password was pasted", **more))


def said(desk: ServiceDesk) -> str:
    """A resolved incident whose every text holds the secret."""
    number = log(desk, f"{SECRET} fails", description=SECRET, service="shop-web", caller="Theo Sample")
    desk.do(ANA, Note(target=number, text=f"It is {SECRET}."))
    desk.do(ANA, PutOnHold(target=number, reason=HoldReason.CALLER, on="Theo", note=SECRET))
    desk.do(ANA, fixed(number).model_copy(update={"notes": SECRET}))
    return number


def holds(store: Store, word: str) -> list[str]:
    """The tables in which any column holds a word."""
    names = (*everything(store), "attachment")
    return [
        name
        for name in names
        if any(word in str(row) for row in map(tuple, ask(store, f"SELECT * FROM {name}")))
    ]


def test_all_texts_go_and_all_facts_stay(desk: ServiceDesk) -> None:
    number = said(desk)
    catch_up(desk.store)
    before = look(desk, number)
    after = redact(desk, number).incident
    assert holds(desk.store, "hunter2") == []
    assert after == look(desk, number)
    changed_fields = {n for n in type(after).model_fields if getattr(after, n) != getattr(before, n)}
    assert changed_fields == {"title", "updated_at"}
    assert (after.title, after.state, after.service) == (GONE, State.RESOLVED, "shop-web")
    assert story(desk, number)[-1] == "redacted"
    with desk.store.read() as connection:
        assert disagreement(connection) is None
    verdict = verify(desk.store)
    assert (verdict.faults, verdict.unproved) == ([], set())
    (board,) = ask(desk.store, "SELECT board FROM incident")
    assert GONE in board.board
    assert board_row(after)["title"] == GONE


def test_one_event_goes_and_the_others_stay(desk: ServiceDesk) -> None:
    number = said(desk)
    note = next(event for event in desk.store.timeline(number) if event.kind == "note")
    redact(desk, number, event=note.seq)
    after = {event.kind: event for event in desk.store.timeline(number)}
    assert (after["note"].redacted, after["note"].event.text) == (True, "")  # type: ignore[union-attr]
    assert not after["created"].redacted
    assert look(desk, number).title == f"{SECRET} fails"
    with pytest.raises(Refused, match="no text left"):
        redact(desk, number, event=note.seq)
    with pytest.raises(Refused, match="none of INC-1"):
        redact(desk, number, event=999)
    with pytest.raises(Refused, match="not both"):
        redact(desk, number, event=note.seq, texts=True)
    assert verify(desk.store).faults == []


def test_it_is_redacted_at_every_earlier_moment_too(desk: ServiceDesk, clock: Any) -> None:
    number = said(desk)
    at = clock()
    clock.passes(hours=1)
    redact(desk, number)
    with desk.store.read() as connection:
        when = then(connection, at)
        was = incident_then(connection, when, number)
        events = timeline_then(connection, when, number)
    assert was is not None
    assert (was.title, was.state) == (GONE, State.RESOLVED)
    assert SECRET not in repr(events)
    assert "redacted" not in [event.kind for event in events]


def test_a_second_redaction_takes_what_was_written_since(desk: ServiceDesk) -> None:
    number = said(desk)
    redact(desk, number)
    desk.do(ANA, Reopen(target=number, reason=SECRET))
    redact(desk, number)
    assert holds(desk.store, "hunter2") == []
    assert look(desk, number).title == GONE
    with pytest.raises(Refused, match="no text left"):
        redact(desk, number)
    assert verify(desk.store).unproved == set()


def test_what_was_sent_goes_here_and_the_suppliers_that_have_it_are_named(
    desk: ServiceDesk, clock: Any
) -> None:
    number, bond = ticket_of(desk, clock)
    desk.do(ENGINE, Hear(vendor="acme", cursor="1", items=(heard(number, bond, clock(), body=SECRET),)))
    receipt = redact(desk, number)
    assert "acme (ACME-4711)" in receipt.remarks[0]
    (row,) = ask(desk.store, "SELECT payload, state FROM sending")
    assert tuple(row) == ("{}", "done")
    assert holds(desk.store, "hunter2") == []
    assert look(desk, number).bonds[0].ref.key == "ACME-4711"  # type: ignore[union-attr]
    assert verify(desk.store).unproved == set()


def test_what_is_on_its_way_is_not_redacted_under_it(desk: ServiceDesk, clock: Any) -> None:
    number, _ = engaged(desk)
    desk.do(ANA, Note(target=number, text=SECRET))
    with pytest.raises(Refused, match="to acme is not known to have arrived"):
        redact(desk, number)
    note = desk.store.timeline(number)[-1]
    redact(desk, number, event=note.seq)
    (row,) = unfinished(desk.store)
    assert "database is down" in row.payload


def test_an_alert_keeps_what_makes_it_one(desk: ServiceDesk) -> None:
    desk.do(ANA, TakeAlert(service="web", key="disk", title=SECRET))
    redact(desk, "INC-1")
    desk.do(ANA, TakeAlert(service="web", key="disk"))
    assert len(desk.store.incidents()) == 1
    assert verify(desk.store).faults == []


def test_nothing_of_what_is_under_legal_hold_is_redacted_by_anybody(desk: ServiceDesk) -> None:
    number = said(desk)
    held = desk.do(ADA, LegalHold(target=number, reason="file 7")).incident
    assert held is not None
    assert held.legal_hold
    was = everything(desk.store)
    for who in (BEN, ADA):
        with pytest.raises(Refused, match="under legal hold"):
            desk.do(who, Redact(target=number, reason="x"))
    assert everything(desk.store) == was
    with pytest.raises(Refused, match="already"):
        desk.do(ADA, LegalHold(target=number, reason="again"))
    desk.do(ADA, LegalHold(target=number, reason="settled", off=True))
    with pytest.raises(Refused, match="nothing to lift"):
        desk.do(ADA, LegalHold(target=number, reason="again", off=True))
    redact(desk, number)
    assert holds(desk.store, "hunter2") == []


def test_what_was_kept_and_then_changed_by_hand_is_named(desk: ServiceDesk) -> None:
    number = said(desk)
    redact(desk, number)
    sql(
        desk.store,
        "UPDATE event SET data = replace(data, '\"shop-web\"', '\"mail\"') WHERE kind = 'redacted'",
    )
    assert "its data was changed" in " ".join(verify(desk.store).faults)


def test_copies_of_boards_are_told_to_forget(desk: ServiceDesk) -> None:
    number = said(desk)
    seq = desk.store.seq()
    assert not desk.store.was_redacted(seq)
    redact(desk, number)
    assert desk.store.was_redacted(seq)


def test_no_byte_of_it_is_left_in_the_files(tmp_path: Path) -> None:
    store = open_store(str(tmp_path / "register.db"))
    desk = ServiceDesk(store)
    for n in range(40):
        log(desk, f"Mail bounces {n}")
    number = said(desk)
    catch_up(store)
    everything_on_disk = [path for path in tmp_path.iterdir() if path.is_file()]
    assert any(b"hunter2" in path.read_bytes() for path in everything_on_disk)
    redact(desk, number)
    assert not any(b"hunter2" in path.read_bytes() for path in tmp_path.iterdir() if path.is_file())
    store.close()


def test_what_it_waits_on_stays_where_it_is_a_record_and_goes_where_it_may_be_somebody() -> None:
    left = [without_texts("on", on) for on in ("acme", "CHG-7", "Theo Sample", "Theo")]
    assert left == ["acme", "CHG-7", "", ""]


@given(st.text(max_size=30))
def test_losing_texts_twice_is_losing_them_once(text: str) -> None:
    event = EVENTS["note", 1].model_validate({"text": text, "label": "internal"})
    after = changed(event, without_texts)
    assert not has_text(after)
    assert changed(after, without_texts) is after


@settings(
    max_examples=8,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=STEPS, data=st.data())
def test_whatever_is_redacted_the_rows_are_what_is_left_of_the_events(
    store: Store, policy: Policy, emptied: Any, clock: Any, steps: Any, data: st.DataObject
) -> None:
    emptied(store)
    desk = ServiceDesk(store, policy)
    redacted = 0
    for turn, step in enumerate(steps):
        try:
            if isinstance(step, str):
                on_the_outbox(desk, step, turn)
            else:
                desk.do(*step)
            if turn % 4 == 3:
                number = f"INC-{data.draw(st.integers(1, 3))}"
                seq = data.draw(st.none() | st.integers(1, turn + 1))
                before = store.incident(number)
                after = desk.do(BEN, Redact(target=number, reason="x", event=seq)).incident
                assert before is not None
                assert after is not None
                assert before.but(title="", updated_at=after.updated_at) == after.but(title="")
                redacted += 1
        except Refused:
            continue
    verdict = verify(store)
    assert (verdict.faults, verdict.unproved) == ([], set())
    with store.read() as connection:
        assert disagreement(connection) is None


def test_a_sending_that_failed_and_was_dropped_loses_its_text(desk: ServiceDesk, clock: Any) -> None:
    from register.topics.delivery import DropSending
    from tests.register.saying import claim

    number, _ = engaged(desk)
    (row,) = claim(desk.store, clock.now + timedelta(seconds=1))
    failed(desk, row)
    with pytest.raises(Refused, match="not known to have arrived"):
        redact(desk, number)
    desk.do(BEN, DropSending(row_id=row.row_id, reason=SECRET))
    redact(desk, number)
    (left,) = ask(desk.store, "SELECT payload, why FROM sending")
    assert tuple(left) == ("{}", "")
