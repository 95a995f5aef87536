"""What stands in the register after a command: numbers, people, the chain; and who answers a second time."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError

from register.canon import GENESIS, canonical, link, moment, stamp
from register.core import Policy, Refused, new_id
from register.desk import ServiceDesk
from register.store import RegisterUnavailable, Store, open_store
from register.topics.hearing import Hear
from register.topics.hold import PutOnHold
from register.topics.intake import Log
from register.topics.notes import Note
from register.topics.ownership import Take
from register.verify import verify
from tests.register.saying import (
    ANA,
    BEN,
    ENGINE,
    ask,
    engaged,
    everything,
    fixed,
    heard,
    log,
    look,
    run_script,
    sql,
    ticket_of,
)


def test_numbers_count_from_one_and_a_refusal_takes_none(desk: ServiceDesk) -> None:
    assert log(desk) == "INC-1"
    for refused in (PutOnHold(target="INC-1", reason="change"), Take(target="INC-99")):
        with pytest.raises(Refused):
            desk.do(ANA, refused)
    assert log(desk) == "INC-2"


def test_a_bulk_with_one_refusal_writes_nothing_and_takes_no_number(desk: ServiceDesk) -> None:
    log(desk)
    was = everything(desk.store)
    with pytest.raises(Refused):
        desk.do_all([(ANA, Log(title="two", caller="Nobody yet")), (ANA, Take(target="INC-99"))])
    assert everything(desk.store) == was
    assert [r.number for r in desk.do_all([(ANA, Log(title="two")), (ANA, Log(title="three"))])] == [
        "INC-2",
        "INC-3",
    ]


def test_a_transaction_that_fails_takes_no_number_and_enters_nobody(
    desk: ServiceDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    log(desk)
    was = everything(desk.store)
    with monkeypatch.context() as patch:
        patch.setattr("register.desk.effects", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            desk.do(ANA, Log(title="lost", caller="Somebody new"))
    assert everything(desk.store) == was
    assert look(desk, log(desk, caller="Somebody new")).number == "INC-2"
    assert "Somebody new" in desk.store.people().values()
    assert verify(desk.store).ok


def test_a_bulk_sees_what_it_did_before(desk: ServiceDesk) -> None:
    desk.do_all([(ANA, Log(title="x")), (ANA, Take(target="INC-1")), (ANA, fixed("INC-1"))])
    assert [e.n for e in desk.store.timeline("INC-1")] == [1, 2, 3]
    assert verify(desk.store).ok


def test_an_empty_register_verifies(store: Store) -> None:
    verdict = verify(store)
    assert (verdict.ok, verdict.events, verdict.incidents) == (True, 0, 0)


# The second try gets the first answer


def test_the_second_try_gets_the_first_answer(desk: ServiceDesk) -> None:
    command = Log(title="Checkout answers 500", caller="Front desk")
    first = desk.do(ANA, command)
    was = everything(desk.store)
    second = desk.do(ANA, command)
    assert (second.number, second.incident, second.events) == (first.number, first.incident, first.events)
    assert (first.replayed, second.replayed) == (False, True)
    assert everything(desk.store) == was


def test_the_second_try_is_not_judged_by_what_happened_since(desk: ServiceDesk) -> None:
    command = Take(target=log(desk))
    desk.do(ANA, command)
    desk.do(BEN, fixed("INC-1"))
    assert desk.do(ANA, command).replayed


@pytest.mark.kills
def test_the_second_try_gets_the_first_answer_in_another_process_too(desk: ServiceDesk) -> None:
    command_id = new_id()
    first = desk.do(ANA, Log(title="once", command_id=command_id))
    child = run_script("writer", desk.store.url, "log-once", command_id)
    out, err = child.communicate(timeout=30)
    assert child.returncode == 0, err
    assert out.split() == [first.number, "replayed"]
    assert desk.store.count_events() == 1


def test_a_refused_command_may_be_tried_again_under_its_id(desk: ServiceDesk) -> None:
    command = Take(target="INC-1")
    with pytest.raises(Refused):
        desk.do(ANA, command)
    log(desk)
    assert not desk.do(ANA, command).replayed


@pytest.mark.parametrize("wrong", ["", "1", "x" * 26, "01ARZ3NDEKTSV4RRFFQ69G5FAV\n"])
def test_a_command_id_is_a_ulid(wrong: str) -> None:
    with pytest.raises(ValueError):
        Log(title="x", command_id=wrong)


# People


def test_people_stand_in_the_side_table_and_nowhere_else(desk: ServiceDesk, clock: Any) -> None:
    number, bond = ticket_of(desk, clock)
    desk.do(ANA, Log(title="Mail bounces", caller="Wilhelmina Sample"))
    item = heard(number, bond, clock(), author="Theo Remote")
    desk.do(ENGINE, Hear(vendor="acme", cursor="1", items=(item,)))
    names = set(desk.store.people().values())
    assert names == {"ana", "ben", "courier", "Wilhelmina Sample", "Theo Remote"}
    kept = everything(desk.store)
    del kept["person"]
    for name in ("Wilhelmina", "Theo", '"ana"', "'ana'", "'ben'"):
        assert name not in repr(kept), name
    said = desk.store.timeline(number)[-1].event
    assert desk.store.people()[said.author] == "Theo Remote"  # type: ignore[union-attr]


def test_a_person_is_entered_once_and_ours_is_not_theirs(desk: ServiceDesk, clock: Any) -> None:
    number, bond = ticket_of(desk, clock)
    item = heard(number, bond, clock(), author="ana")
    desk.do(ENGINE, Hear(vendor="acme", cursor="1", items=(item,)))
    rows = ask(desk.store, "SELECT kind, login FROM person WHERE login = 'ana' ORDER BY kind")
    assert [tuple(row) for row in rows] == [("person", "ana"), ("supplier", "ana")]


def test_two_desks_give_a_person_one_id(register_url: str) -> None:
    one, two = (ServiceDesk(open_store(register_url)) for _ in range(2))
    for desk in (one, two, one):
        desk.do(ANA, Log(title="x", caller="Front desk"))
    assert sorted(one.store.people().values()) == ["Front desk", "ana"]
    one.store.close()
    two.store.close()


# The chain


def test_the_chain_is_what_the_design_says(desk: ServiceDesk) -> None:
    engaged(desk)
    previous = GENESIS
    for row in ask(desk.store, "SELECT * FROM event ORDER BY seq"):
        values = dict(row._mapping)
        assert (
            json.dumps(json.loads(row.data), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
            == row.data
        )
        assert hashlib.sha256((row.salt + row.data).encode()).hexdigest() == row.data_sha256
        assert link(previous, values) == row.hash
        previous = row.hash
    (head,) = ask(desk.store, "SELECT * FROM head")
    assert (head.seq, head.hash, head.incident) == (2, previous, 1)


def test_canonical_json_is_the_same_for_the_same_value() -> None:
    assert canonical({"b": 1, "a": {"z": "ü", "y": [1, 2]}}) == '{"a":{"y":[1,2],"z":"ü"},"b":1}'


def test_the_same_words_have_another_digest_each_time(desk: ServiceDesk) -> None:
    number = log(desk)
    for _ in range(2):
        desk.do(ANA, Note(target=number, text="the same words"))
    rows = ask(desk.store, "SELECT data, salt, data_sha256 FROM event WHERE kind = 'note'")
    assert rows[0].data == rows[1].data
    assert rows[0].salt != rows[1].salt
    assert rows[0].data_sha256 != rows[1].data_sha256
    assert len(rows[0].salt) >= 32


def test_times_are_fixed_width_utc_text_that_sorts_as_it_reads() -> None:
    zone = timezone(timedelta(hours=-5))
    moments = [
        datetime(2026, 3, 1, 23, 59, 59, 999999, tzinfo=UTC),
        datetime(2026, 3, 1, 19, 0, tzinfo=zone),
        datetime(2026, 3, 2, 0, 0, 0, 1, tzinfo=UTC),
    ]
    texts = [stamp(m) for m in moments]
    assert texts == sorted(texts)
    assert {len(text) for text in texts} == {27}
    assert [moment(text) for text in texts] == moments


def test_two_events_cannot_take_one_place_in_a_stream(desk: ServiceDesk) -> None:
    log(desk)
    columns = (
        "stream, n, kind, v, command_id, at, recorded_at, actor, source, cause, data, salt, data_sha256, hash"
    )
    with pytest.raises(RegisterUnavailable) as failed:
        sql(desk.store, f"INSERT INTO event (seq, {columns}) SELECT 2, {columns} FROM event")
    assert isinstance(failed.value.__cause__, IntegrityError)


def test_there_is_one_head(desk: ServiceDesk) -> None:
    for one in (1, 2):
        with pytest.raises(RegisterUnavailable):
            sql(
                desk.store,
                "INSERT INTO head (one, register_id, schema, seq, hash, incident, person)"
                " VALUES (:one, 'x', 1, 0, 'x', 0, 0)",
                one=one,
            )


# The feed


def test_the_feed_tells_what_changed_and_what_is_over(desk: ServiceDesk) -> None:
    log(desk)
    log(desk)
    seq, rows = desk.store.rows()
    assert (seq, [row["number"] for row in rows]) == (2, ["INC-1", "INC-2"])
    desk.do(ANA, Take(target="INC-2"))
    desk.do(ANA, fixed("INC-1"))
    seq, rows, gone = desk.store.changed(seq)
    assert (seq, [row["number"] for row in rows], gone) == (4, ["INC-2"], ["INC-1"])
    assert desk.store.changed(seq) == (4, [], [])
    assert [i.number for i in desk.store.incidents()] == ["INC-2"]
    assert [i.number for i in desk.store.incidents(everything=True)] == ["INC-1", "INC-2"]


def test_the_register_keeps_its_id_and_its_incidents(register_url: str, policy: Policy) -> None:
    store = open_store(register_url)
    log(ServiceDesk(store))
    store.close()
    again = open_store(register_url)
    assert again.register_id == store.register_id
    assert log(ServiceDesk(again)) == "INC-2"
    again.close()


def test_a_register_of_a_newer_program_is_left_alone(store: Store) -> None:
    sql(store, "UPDATE head SET schema = 999")
    with pytest.raises(RegisterUnavailable, match="newer Muster"):
        open_store(store.url)


def test_hostile_text_stands_in_the_register_without_its_sting(desk: ServiceDesk) -> None:
    nasty = "a\x00b\x1b[31mc\ud800d\u202ee\U000e0041f"
    number = log(desk, nasty, service=nasty, caller=nasty, description=nasty)
    desk.do(ANA, Note(target=number, text=nasty))
    kept = everything(desk.store)
    text = repr([kept[name] for name in ("event", "person", "incident")])
    for bad in ("\\x00", "\\x1b", "\\ud800", "\\u202e", "u0000", "u001b", "\\U000e0041"):
        assert bad not in text, bad
    assert look(desk, number).title == "ab[31mcdef"


def test_markup_is_kept_as_it_was_written(desk: ServiceDesk) -> None:
    number = log(desk, "[bold]x[/] <b>y</b> 'z\"; DROP TABLE event; --")
    assert look(desk, number).title == "[bold]x[/] <b>y</b> 'z\"; DROP TABLE event; --"


@pytest.mark.parametrize("named", ["mysql://x/y", "postgresql://me:secret@host/db"])
def test_what_is_no_register_is_said_so(named: str) -> None:
    with pytest.raises(RegisterUnavailable) as refused:
        open_store(named)
    assert "secret" not in str(refused.value)


def test_a_file_that_is_no_register_is_not_touched(tmp_path: Any) -> None:
    path = tmp_path / "letter.txt"
    path.write_text("Dear Sir or Madam, " * 100)
    with pytest.raises(RegisterUnavailable, match="no register"):
        open_store(str(path))
    assert path.read_text().startswith("Dear Sir")


def test_a_private_register_is_readable_by_its_owner_alone(tmp_path: Any) -> None:
    store = open_store(str(tmp_path / "deep" / "reg.db"))
    log(ServiceDesk(store))
    assert {p.stat().st_mode & 0o077 for p in (tmp_path / "deep").iterdir()} == {0}
    store.close()


@pytest.mark.kills
def test_many_may_open_a_new_register_at_once(new_register: Callable[[], str]) -> None:
    url = new_register()
    children = [run_script("writer", url, "log-once", new_id()) for _ in range(4)]
    answers = []
    for child in children:
        out, err = child.communicate(timeout=60)
        assert child.returncode == 0, err
        answers.append(out.split()[0])
    assert sorted(answers) == ["INC-1", "INC-2", "INC-3", "INC-4"]
