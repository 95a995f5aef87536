"""`muster verify`: what was changed behind the register's back is named, whatever it was."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from register.canon import ENVELOPE, GENESIS, chained, link
from register.desk import ServiceDesk
from register.store.tables import incident
from register.topics.hearing import Hear
from register.topics.intake import Log
from register.topics.notes import Note
from register.topics.ownership import Take
from register.topics.privacy import Redact
from register.verify import Anchor, verify
from tests.register.saying import ANA, BEN, ENGINE, ask, fixed, heard, log, sql, ticket_of


@pytest.fixture(autouse=True)
def _three_incidents(desk: ServiceDesk, clock: Any) -> None:
    """Three incidents, one of them with a supplier who has spoken."""
    number, bond = ticket_of(desk, clock)
    desk.do(ENGINE, Hear(vendor="acme", cursor="1", items=(heard(number, bond, clock()),)))
    desk.do(ANA, Take(target=log(desk)))
    desk.do(ANA, Note(target="INC-2", text="Theo Sample rang."))
    desk.do(ANA, fixed(log(desk)))
    assert verify(desk.store).faults == []


def faults(desk: ServiceDesk) -> str:
    verdict = verify(desk.store)
    assert not verdict.ok
    return " ".join(verdict.faults)


def test_an_untouched_register_is_as_its_events_say(desk: ServiceDesk) -> None:
    verdict = verify(desk.store)
    (head,) = ask(desk.store, "SELECT * FROM head")
    assert verdict.ok
    assert (verdict.incidents, verdict.events, verdict.seq, verdict.hash) == (
        3,
        head.seq,
        head.seq,
        head.hash,
    )


@pytest.mark.parametrize(
    "change",
    [
        "state = 'Closed'",
        "priority = 1",
        "owner = 'p9'",
        "open = 0",
        "due_at = NULL",
        "due_at = '2026-03-03T17:00:00.000000Z'",
        "clocks = '[]'",
        "clocks = replace(clocks, 'acknowledged', 'whatever')",
        "updated_at = '2020-01-01T00:00:00.000000Z'",
        "opened_at = '2020-01-01T00:00:00.000000Z'",
        "board = replace(board, 'Checkout', 'Something')",
        "doc = replace(doc, 'Checkout', 'Something')",
        "team = 'somebody else'",
        "service = 'another'",
        "category = 'another'",
        "restricted = 1",
        "version = 1",
        "seq = 1",
    ],
)
def test_a_row_changed_by_hand_is_named(desk: ServiceDesk, change: str) -> None:
    assert sql(desk.store, f"UPDATE incident SET {change} WHERE n = 2") == 1
    assert "INC-2" in faults(desk)


def test_a_row_taken_out_is_named(desk: ServiceDesk) -> None:
    sql(desk.store, "DELETE FROM incident WHERE n = 2")
    assert "INC-2 has events and no row" in faults(desk)


def test_a_row_added_by_hand_is_named(desk: ServiceDesk) -> None:
    columns = ", ".join(column.name for column in incident.c if column.name != "n")
    sql(desk.store, f"INSERT INTO incident (n, {columns}) SELECT 9, {columns} FROM incident WHERE n = 2")
    assert "INC-9 has a row and no events" in faults(desk)


def test_changed_data_is_named_by_its_event(desk: ServiceDesk) -> None:
    sql(desk.store, "UPDATE event SET data = replace(data, 'rang', 'wrote') WHERE kind = 'note'")
    (row,) = ask(desk.store, "SELECT seq FROM event WHERE kind = 'note'")
    assert f"Event {row.seq} of INC-2: its data was changed" in faults(desk)


@pytest.mark.parametrize(
    "change",
    [
        "actor = 'p99'",
        "at = '2020-01-01T00:00:00.000000Z'",
        "recorded_at = '2020-01-01T00:00:00.000000Z'",
        "source = 'mail'",
        "cause = 'x'",
        "command_id = 'x'",
        "kind = 'noted'",
        "v = 2",
        "data_sha256 = 'x', data = NULL, salt = NULL",
        "hash = 'x'",
    ],
)
def test_a_changed_envelope_breaks_the_chain_there(desk: ServiceDesk, change: str) -> None:
    assert sql(desk.store, f"UPDATE event SET {change} WHERE kind = 'note'") == 1
    (row,) = ask(desk.store, "SELECT seq FROM event WHERE n = 3 AND stream = 'INC-2'")
    assert f"Event {row.seq} of INC-2: the chain breaks here" in faults(desk)


def test_a_new_salt_is_a_change_of_data(desk: ServiceDesk) -> None:
    sql(desk.store, "UPDATE event SET salt = 'x' WHERE kind = 'note'")
    assert "its data was changed" in faults(desk)


def test_a_removed_event_is_missed(desk: ServiceDesk) -> None:
    (row,) = ask(desk.store, "SELECT seq FROM event WHERE kind = 'note'")
    sql(desk.store, "DELETE FROM event WHERE kind = 'note'")
    assert f"Event {row.seq} is missing" in faults(desk)


def test_the_last_event_removed_is_missed(desk: ServiceDesk) -> None:
    sql(desk.store, "DELETE FROM event WHERE seq = (SELECT max(seq) FROM event)")
    assert "The head names event" in faults(desk)


def test_an_added_event_is_found(desk: ServiceDesk) -> None:
    columns = "kind, v, command_id, at, recorded_at, actor, source, cause, data, salt, data_sha256, hash"
    sql(
        desk.store,
        f"INSERT INTO event (seq, stream, n, {columns}) SELECT seq + 100, 'INC-2', 4, {columns}"
        " FROM event WHERE kind = 'note'",
    )
    assert "chain breaks" in faults(desk)


def test_two_events_that_changed_places_are_found(desk: ServiceDesk) -> None:
    (row,) = ask(desk.store, "SELECT seq FROM event WHERE kind = 'note'")
    for old, new in ((row.seq, 9999), (row.seq - 1, row.seq), (9999, row.seq - 1)):
        sql(desk.store, "UPDATE event SET seq = :new WHERE seq = :old", old=old, new=new)
    assert "chain breaks" in faults(desk)


@pytest.mark.parametrize("change", ["seq = seq - 1", "seq = seq + 1", "hash = 'x'"])
def test_a_moved_head_is_found(desk: ServiceDesk, change: str) -> None:
    sql(desk.store, f"UPDATE head SET {change}")
    assert "The head names event" in faults(desk)


@pytest.mark.parametrize("change", ["incident = incident + 1", "incident = incident - 1"])
def test_a_number_that_was_skipped_or_would_be_used_again_is_found(desk: ServiceDesk, change: str) -> None:
    sql(desk.store, f"UPDATE head SET {change}")
    assert "numbers have a gap" in faults(desk)


def test_all_events_of_an_incident_cut_out_with_its_row_leave_a_gap(desk: ServiceDesk) -> None:
    sql(desk.store, "DELETE FROM event WHERE stream = 'INC-2'")
    sql(desk.store, "DELETE FROM incident WHERE n = 2")
    assert "numbers have a gap" in faults(desk)


def test_data_that_cannot_be_read_is_told_and_the_walk_goes_on(desk: ServiceDesk) -> None:
    sql(desk.store, "UPDATE event SET data = '{' WHERE kind = 'assigned'")
    sql(desk.store, "UPDATE event SET data = '{}' WHERE kind = 'resolved'")
    found = faults(desk)
    assert "INC-2 cannot be folded" in found
    assert "INC-3 cannot be folded" in found


def test_a_register_in_ruins_is_told_in_a_few_sentences(desk: ServiceDesk) -> None:
    sql(desk.store, "UPDATE event SET hash = 'x', data = '[]'")
    assert 0 < len(verify(desk.store, most_faults=5).faults) <= 5


@pytest.mark.parametrize("kind", ["note", "supplier_said"])
def test_data_that_no_redaction_took_is_missed(desk: ServiceDesk, kind: str) -> None:
    """The chain covers the digest alone: who wipes a text by hand must not pass for a redaction."""
    (row,) = ask(desk.store, f"SELECT seq FROM event WHERE kind = '{kind}'")
    sql(desk.store, f"UPDATE event SET data = NULL, salt = NULL WHERE kind = '{kind}'")
    assert f"Event {row.seq} of INC-" in faults(desk)
    assert "no redaction took it" in faults(desk)


def test_what_was_redacted_is_missed_by_nobody(desk: ServiceDesk) -> None:
    (row,) = ask(desk.store, "SELECT seq FROM event WHERE kind = 'note'")
    desk.do(BEN, Redact(target="INC-2", event=row.seq, reason="a private number"))
    desk.do(BEN, Redact(target="INC-2", texts=True, reason="all of it"))
    assert verify(desk.store).faults == []
    sql(desk.store, "UPDATE event SET data = NULL, salt = NULL WHERE kind = 'assigned'")
    assert "no redaction took it" in faults(desk)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE bond SET remote_id = '9'",
        "UPDATE bond SET live = 0",
        "UPDATE bond SET vendor = 'x'",
        "UPDATE bond SET incident = 'INC-2'",
        "DELETE FROM bond",
    ],
)
def test_a_bond_changed_by_hand_is_named(desk: ServiceDesk, change: str) -> None:
    """By it a supplier's word finds its incident: changed, all that they say is lost."""
    assert sql(desk.store, change) == 1
    assert "INC-1: the row" in faults(desk)


def test_a_message_taken_out_of_the_outbox_is_missed(desk: ServiceDesk) -> None:
    """Nothing would ever send it, and its bond would wait for ever."""
    assert sql(desk.store, "DELETE FROM sending") == 1
    assert "INC-1: what event" in faults(desk)


def test_a_person_taken_out_is_missed(desk: ServiceDesk) -> None:
    assert sql(desk.store, "DELETE FROM person WHERE login = 'ana'") == 1
    assert "Nobody is on record as p" in faults(desk)


def test_a_bond_of_no_incident_is_found(desk: ServiceDesk) -> None:
    sql(
        desk.store,
        "INSERT INTO bond (id, incident, vendor, live, whole, differs)"
        " VALUES ('x', 'INC-9', 'acme', 1, 1, 0)",
    )
    assert "kept for INC-9" in faults(desk)


def test_an_event_of_a_kind_that_is_not_known_here_breaks_nothing(
    desk: ServiceDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A newer program may have written it; the chain covers it all the same."""
    from register.core import EVENTS

    monkeypatch.delitem(EVENTS, ("note", 1))
    assert verify(desk.store).faults == []
    assert desk.store.timeline("INC-2")[-1].event is None


def test_data_with_a_field_more_is_read(desk: ServiceDesk) -> None:
    (row,) = ask(desk.store, "SELECT data FROM event WHERE kind = 'note'")
    later = json.dumps(json.loads(row.data) | {"mood": "calm"})
    sql(desk.store, "UPDATE event SET data = :later WHERE kind = 'note'", later=later)
    assert desk.store.timeline("INC-2")[-1].event.text == "Theo Sample rang."  # type: ignore[union-attr]


def test_verifying_while_others_write_finds_no_fault(desk: ServiceDesk) -> None:
    """One look at all tables, as of one moment."""
    from register import verify as module

    walk = module._walk

    def interrupted(*given: Any) -> Any:
        found = walk(*given)
        desk.do(ANA, Log(title="in between"))
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_walk", interrupted)
        assert verify(desk.store).faults == []


# From an anchor on


def anchor_of(desk: ServiceDesk) -> Anchor:
    verdict = verify(desk.store)
    return Anchor.parse(f"{verdict.seq}:{verdict.hash}")


def test_from_an_anchor_on_only_what_came_later_is_walked(desk: ServiceDesk) -> None:
    anchor = anchor_of(desk)
    desk.do(ANA, Note(target="INC-2", text="Later."))
    log(desk)
    verdict = verify(desk.store, since=anchor)
    assert verdict.faults == []
    assert (verdict.events, verdict.incidents, verdict.seq) == (2, 2, anchor.seq + 2)
    assert (verdict.seq, verdict.hash) == (verify(desk.store).seq, verify(desk.store).hash)


def test_nothing_later_than_the_anchor_holds(desk: ServiceDesk) -> None:
    verdict = verify(desk.store, since=anchor_of(desk))
    assert (verdict.faults, verdict.events) == ([], 0)


def test_a_log_that_was_rewritten_whole_does_not_hold_the_anchor(desk: ServiceDesk) -> None:
    """Who can write the file can make a chain that verifies; what was anchored outside shows it."""
    anchor = anchor_of(desk)
    previous = GENESIS
    for row in ask(desk.store, "SELECT * FROM event ORDER BY seq"):
        values = dict(row._mapping) | {"source": "forged"}
        previous = link(previous, values)
        sql(
            desk.store,
            "UPDATE event SET source = 'forged', hash = :h WHERE seq = :s",
            h=previous,
            s=row.seq,
        )
    sql(desk.store, "UPDATE head SET hash = :h", h=previous)
    assert verify(desk.store).ok
    (fault,) = verify(desk.store, since=anchor).faults
    assert f"Event {anchor.seq}" in fault
    assert "rewritten" in fault


def test_an_anchored_event_that_is_gone_is_said_so(desk: ServiceDesk) -> None:
    anchor = anchor_of(desk)
    sql(desk.store, "DELETE FROM event WHERE seq = :seq", seq=anchor.seq)
    assert "not in the log any more" in verify(desk.store, since=anchor).faults[0]


def test_what_is_wrong_after_the_anchor_is_found(desk: ServiceDesk) -> None:
    anchor = anchor_of(desk)
    desk.do(ANA, Note(target="INC-2", text="Later."))
    sql(
        desk.store, "UPDATE event SET data = replace(data, 'Later', 'Never') WHERE seq = :s", s=anchor.seq + 1
    )
    assert "its data was changed" in " ".join(verify(desk.store, since=anchor).faults)


@pytest.mark.parametrize("wrong", ["", "7", "7:", ":x", "7:abc", "-1:" + "0" * 64, "x:" + "0" * 64])
def test_what_is_no_anchor_is_refused_with_a_sentence(wrong: str) -> None:
    with pytest.raises(ValueError, match="SEQ:HASH"):
        Anchor.parse(wrong)


@given(
    st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=7, max_size=7),
    st.integers(1, 2**53),
)
def test_the_quick_hash_is_the_hash(texts: list[str], seq: int) -> None:
    stream, kind, command_id, at, recorded_at, actor, source = texts
    values = (seq, stream, 3, kind, 1, command_id, at, recorded_at, actor, source, "")
    row = dict(zip(ENVELOPE, values, strict=True)) | {"data_sha256": "d"}
    assert chained(GENESIS, (*values, None, None), "d") == link(GENESIS, row)


def test_progress_is_told_of_both_passes(desk: ServiceDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("register.verify._OFTEN", 1)
    told: list[tuple[int, int]] = []
    verdict = verify(desk.store, progress=lambda done, total: told.append((done, total)))
    assert told[-1] == (2 * verdict.events, 2 * verdict.events)
    assert told == sorted(told)
