"""Erasing a person: nothing of the register's tables or files names them any more, and it still verifies."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from register.adoption import as_text, digest_of, matrix_in
from register.core import NotFound, Policy, Principal, Refused, Role
from register.desk import ServiceDesk
from register.forgetting import Quoted
from register.incident import HoldReason
from register.store import Store, open_store
from register.store.adopted import adopted
from register.store.erasing import Erased, erase, look_for, who_is
from register.store.fulltext import catch_up
from register.store.history import incident_then, then
from register.store.retiring import due, retire
from register.store.tables import metadata
from register.topics.adoption import AdoptPolicy
from register.topics.alerts import TakeAlert
from register.topics.engagement import Engage
from register.topics.erasure import Retire
from register.topics.hearing import Hear, Unreadable
from register.topics.hold import PutOnHold
from register.topics.intake import Log
from register.topics.notes import Note
from register.topics.privacy import LegalHold, Redact
from register.topics.resolution import Close
from register.topics.sight import Restrict
from register.verify import verify
from tests.register.saying import (
    ADA,
    ANA,
    BEN,
    ENGINE,
    ask,
    everything,
    fixed,
    heard,
    log,
    look,
    story,
    ticket_of,
)

NAME = "Theodora Sample"
LOGIN = "theodora"
THEO = Principal(LOGIN, Role.COORDINATOR, "cli")
MATRIX = {
    "fallback_team": "desk",
    "teams": {"desk": {"name": "Desk", "lead": "theo"}},
    "people": {
        "ada": {"name": "Ada Sample", "login": "ada", "role": "admin"},
        "theo": {"name": NAME, "login": LOGIN, "role": "coordinator"},
    },
    "retention": [{"after": "30d"}],
}


def adopt(desk: ServiceDesk, matrix: dict[str, Any] = MATRIX) -> None:
    text, vendors = (
        as_text(matrix),
        as_text({"vendor": {"acme": {"title": "Acme (sample)", "environment": "test"}}}),
    )
    desk.do(ADA, AdoptPolicy(matrix=text, vendors=vendors, digest=digest_of(text, vendors)))


def gone(desk: ServiceDesk, person: str = LOGIN, *also: str) -> Erased:
    found = who_is(desk.store, person, also)
    return erase(desk, ADA, found, "asked for by letter")


def names_in(store: Store, *words: str) -> list[str]:
    """Every column of every table in which one of these words stands, whatever the capitals."""
    found = []
    for table in metadata.sorted_tables:
        for row in ask(store, f"SELECT * FROM {table.name}"):
            for column, value in row._mapping.items():
                told = bytes(value) if isinstance(value, memoryview) else value
                text = told.decode("latin-1") if isinstance(told, bytes) else str(told)
                found += [f"{table.name}.{column}" for word in words if word.lower() in text.lower()]
    return found


def told_of(desk: ServiceDesk, clock: Any) -> list[str]:
    """Incidents that quote somebody in every way that there is; their numbers."""
    adopt(desk)
    one = log(desk, f"{NAME} cannot log in", description=f"ask {LOGIN}", caller=NAME, service="shop-web")
    desk.do(THEO, Note(target=one, text="I looked."))
    desk.do(ANA, PutOnHold(target=one, reason=HoldReason.CALLER, on=NAME, note=f"asked {NAME.upper()}"))
    two, bond = ticket_of(desk, clock)
    said = heard(two, bond, clock(), author=NAME, body=f"{NAME} is on leave")
    odd = Unreadable(change_id="c9", raw=f'{{"by": "{NAME}"}}', why=f"no date from {NAME}")
    desk.do(ENGINE, Hear(vendor="acme", cursor="1", items=(said,), unreadable=(odd,)))
    desk.do(BEN, Engage(target=two, vendor="acme", message=f"Call {NAME}\nat once.", again=True))
    desk.do(ANA, Note(target=two, text="theodoras mother is somebody else"))
    desk.do(ANA, TakeAlert(service="web", key=f"{LOGIN} laptop", title="Disk full"))
    desk.do(ANA, TakeAlert(service="web", key=f"{LOGIN} desktop", title="Disk full"))
    desk.do(ANA, Restrict(target=one, to=(NAME,)))
    return [one, two]


def test_nothing_in_any_table_names_them_and_the_register_verifies(desk: ServiceDesk, clock: Any) -> None:
    one, two = told_of(desk, clock)
    catch_up(desk.store)
    assert {name.split(".")[0] for name in names_in(desk.store, LOGIN)} >= {"event", "person", "incident"}
    ids = [
        row.id
        for row in ask(desk.store, "SELECT id FROM person WHERE login LIKE 'heo%' OR login LIKE '%heo%'")
    ]
    found = gone(desk)  # by the login
    with pytest.raises(Refused, match="may be several"):
        who_is(desk.store, NAME)  # a caller of ours, and a supplier's person
    for row in ask(desk.store, "SELECT id FROM person WHERE name = :name", name=NAME):
        gone(desk, row.id)
    left = ask(desk.store, "SELECT data FROM event WHERE data LIKE '%theodora%'")
    assert all("theodoras mother" in row.data for row in left)
    assert set(names_in(desk.store, NAME)) == set()
    assert sorted(found.incidents)[:2] == [one, two]
    verdict = verify(desk.store)
    assert (verdict.faults, verdict.unproved) == ([], set())
    people = desk.store.people()
    assert all(people[person] == f"erased {person}" for person in ids)
    assert {look(desk, one).caller, *look(desk, one).allowed} & set(ids)
    assert look(desk, one).title == "(redacted)"
    assert next(event.actor for event in desk.store.timeline(one) if event.kind == "note") in ids


def test_who_has_copies_is_listed(desk: ServiceDesk, clock: Any) -> None:
    _, two = told_of(desk, clock)
    found = gone(desk)
    assert ("acme", "ACME-4711", two) in found.copies
    assert story(desk, "people") == ["person_erased"]


def test_what_is_still_to_be_sent_goes_without_the_name(desk: ServiceDesk, clock: Any) -> None:
    told_of(desk, clock)
    gone(desk)
    (row,) = ask(desk.store, "SELECT payload FROM sending WHERE state = 'queued'")
    assert "Call (erased)" in row.payload
    assert "at once." in row.payload


def test_two_alerts_keep_two_keys(desk: ServiceDesk, clock: Any) -> None:
    told_of(desk, clock)
    gone(desk)
    keys = {row.key for row in ask(desk.store, "SELECT key FROM alert")}
    assert keys == {"(redacted INC-3)", "(redacted INC-4)"}


def test_the_policy_holds_on_without_them(desk: ServiceDesk, clock: Any) -> None:
    told_of(desk, clock)
    before = adopted(desk.store)
    gone(desk)
    after = adopted(desk.store)
    assert list(after.policy.matrix.people) == ["ada"]
    assert after.policy.matrix.teams["desk"].lead is None
    assert (after.policy.version, after.policy.digest) == (before.policy.version, before.policy.digest)
    assert matrix_in(after.matrix).retention == before.policy.matrix.retention


def test_an_erased_person_is_not_at_the_earlier_moment_either(desk: ServiceDesk, clock: Any) -> None:
    one, _ = told_of(desk, clock)
    at = clock()
    clock.passes(days=1)
    gone(desk)
    with desk.store.read() as connection:
        was = incident_then(connection, then(connection, at), one)
    assert was is not None
    assert was.title == "(redacted)"


def test_what_is_under_legal_hold_is_left_and_done_when_it_is_lifted(desk: ServiceDesk, clock: Any) -> None:
    one, two = told_of(desk, clock)
    desk.do(ADA, LegalHold(target=one, reason="file 7"))
    found = gone(desk)
    assert found.left == [one]
    assert two in found.incidents
    assert NAME in look(desk, one).title
    assert look(desk, one).left_in == (found.person,)
    assert gone(desk, found.person, NAME).left == [one]
    assert story(desk, one).count("erasure_waits") == 1
    lifted = desk.do(ADA, LegalHold(target=one, reason="settled", off=True))
    assert f"muster erase {found.person} --also NAME" in lifted.remarks[0]
    with pytest.raises(Refused, match="--also NAME"):
        gone(desk, found.person)
    gone(desk, found.person, NAME, LOGIN)
    assert look(desk, one).title == "(redacted)"
    assert look(desk, one).left_in == ()
    assert verify(desk.store).faults == []


def test_erasing_goes_on_where_it_was_interrupted(desk: ServiceDesk, clock: Any) -> None:
    told_of(desk, clock)
    found = who_is(desk.store, LOGIN)

    def cut(done: int, total: int) -> None:
        if total < 10 and done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        erase(desk, ADA, found, "asked for by letter", cut)
    assert who_is(desk.store, LOGIN).names == found.names
    gone(desk)
    assert names_in(desk.store, "theodora sample cannot") == []
    with pytest.raises(NotFound):
        who_is(desk.store, LOGIN)


def test_only_an_admin_erases_and_the_reason_does_not_say_the_name(desk: ServiceDesk, clock: Any) -> None:
    told_of(desk, clock)
    found = who_is(desk.store, LOGIN)
    was = everything(desk.store)
    with pytest.raises(Refused, match="takes the role admin"):
        erase(desk, BEN, found, "asked for by letter")
    with pytest.raises(Refused, match="reason says the name"):
        erase(desk, ADA, found, f"{NAME} wrote a letter")
    with pytest.raises(NotFound):
        who_is(desk.store, "nobody of that name")
    assert everything(desk.store) == was


def test_a_look_before_writes_nothing(desk: ServiceDesk, clock: Any) -> None:
    one, two = told_of(desk, clock)
    was = everything(desk.store)
    found = look_for(desk.store, who_is(desk.store, LOGIN))
    assert (found.texts > 4, {one, two} <= set(found.incidents)) == (True, True)
    assert everything(desk.store) == was


def test_a_reason_and_an_earlier_redaction_that_quote_them_go_too(desk: ServiceDesk, clock: Any) -> None:
    one, _ = told_of(desk, clock)
    note = next(event for event in desk.store.timeline(one) if event.kind == "held")
    desk.do(ADA, Redact(target=one, event=note.seq, reason=f"{NAME} asked for it"))
    gone(desk)
    left = names_in(desk.store, NAME)  # the caller and the supplier's person are others, of the same name
    assert left == ["person.login", "person.name"] * 2
    desk.do(ADA, Redact(target=one, reason="the rest"))
    verdict = verify(desk.store)
    assert (verdict.faults, verdict.unproved) == ([], set())


def test_what_an_erasure_kept_of_a_text_a_redaction_takes(desk: ServiceDesk, clock: Any) -> None:
    one = log(desk, "A secret title", description=f"{LOGIN} knows")
    desk.do(THEO, Note(target=one, text="x"))
    gone(desk)
    assert look(desk, one).title == "A secret title"
    desk.do(BEN, Redact(target=one, reason="a secret"))
    assert names_in(desk.store, "secret title") == []
    assert verify(desk.store).unproved == set()


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        ("ask theodora.", True),
        ("THEODORA!", True),
        ("theodoras", False),
        ("Theodora\n  Sample", True),
        ("xtheodora", False),
        ("(theodora)", True),
        ("", False),
    ],
)
def test_a_name_is_quoted_as_a_word_whatever_the_capitals(text: str, quoted: bool) -> None:
    assert Quoted([LOGIN, NAME]).in_text(text) is quoted
    assert Quoted([LOGIN, NAME]).in_json(as_text({"a": [text]})) is quoted


@given(
    st.text(min_size=1, max_size=12).map(str.strip).filter(bool), st.text(max_size=20), st.text(max_size=20)
)
def test_what_was_taken_out_is_not_quoted_any_more(name: str, before: str, after: str) -> None:
    quoted = Quoted([name])
    assert not quoted.in_text(quoted.taken_out(f"{before} {name} {after}")) or quoted.in_text("(erased)")
    text = f"{before}-{name}-{after}"
    assert quoted.in_json(as_text({"t": text})) == quoted.in_text(text)


NAMES = ("Zoë Sample", "zoe-1", "Ünal Ölmez", "zz top", 'Q "Quote" Sample')
WHERE = st.tuples(
    st.sampled_from(["title", "text", "caller", "hold", "alert", "restrict"]), st.sampled_from(NAMES)
)


@settings(
    max_examples=8,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.lists(WHERE, min_size=1, max_size=10), st.sampled_from(NAMES))
def test_after_an_erasure_no_column_names_them_and_all_others_are_still_named(
    store: Store, policy: Policy, emptied: Any, said: list[tuple[str, str]], name: str
) -> None:
    emptied(store)
    desk = ServiceDesk(store, policy)
    number = log(desk, "A printer burns", caller=name)
    for at, (where, who) in enumerate(said):
        if where == "title":
            desk.do(ANA, Log(title=f"{who} fell {at}", description=f"poor {who}"))
        elif where == "caller":
            desk.do(ANA, Log(title="Calls", caller=who))
        elif where == "text":
            desk.do(ANA, Note(target=number, text=f"{who.upper()}, {who} and others"))
        elif where == "hold":
            desk.do(ANA, PutOnHold(target=number, reason=HoldReason.CALLER, on=who, note=f"told {who}"))
        elif where == "restrict":
            desk.do(ANA, Restrict(target=number, to=(f"friend{at}", who)))
        else:
            desk.do(ANA, TakeAlert(service=who, key=f"disk of {who} {at}", title="Full"))
    desk.do(ANA, Note(target=number, text="nobody of interest"))
    gone(desk, name)
    quoted = Quoted([name])
    for table in metadata.sorted_tables:
        for row in ask(store, f"SELECT * FROM {table.name}"):
            assert not [text for text in row if isinstance(text, str) and quoted.in_json(text)], table.name
    verdict = verify(store)
    assert (verdict.faults, verdict.unproved) == ([], set())
    others = {who for where, who in said if who != name and where == "caller"}
    assert others <= set(store.people().values())
    assert desk.store.timeline(number)[-2].event is not None


def test_the_file_does_not_hold_the_name_afterwards(tmp_path: Path) -> None:
    store = open_store(str(tmp_path / "register.db"))
    desk = ServiceDesk(store)
    adopt(desk)
    for n in range(60):
        number = log(desk, f"Mail of {NAME} bounces {n}" if n % 3 else f"Mail bounces {n}", caller=NAME)
        desk.do(THEO, Note(target=number, text=f"{LOGIN} called {n}"))
    catch_up(store)

    def on_disk() -> int:
        files = [path.read_bytes().lower() for path in tmp_path.iterdir() if path.is_file()]
        return sum(content.count(word) for content in files for word in (b"theodora", b"heodora s"))

    assert on_disk() > 100
    found = gone(desk)
    (caller,) = ask(store, "SELECT id FROM person WHERE name = :name", name=NAME)
    again = gone(desk, caller.id)
    assert (found.where, again.where, again.bytes) == ("", "", 0)
    assert on_disk() == 0
    assert verify(store).faults == []
    store.close()


def test_a_reader_who_stays_is_not_waited_for_at_each_step_and_is_told_of(tmp_path: Path) -> None:
    store, other = (open_store(str(tmp_path / "register.db")) for _ in range(2))
    desk = ServiceDesk(store)
    for n in range(12):
        log(desk, f"{NAME} {n}", caller=NAME)
    began = time.monotonic()
    with other.read() as reading:
        assert reading.exec_driver_sql("SELECT count(*) FROM event").scalar_one() == 12
        found = gone(desk, NAME)
        log(desk, "Others go on")
    assert time.monotonic() - began < 6
    assert "another process was reading" in found.where
    assert found.bytes > 0
    again = gone(desk, found.person, NAME)
    assert (again.where, again.bytes) == ("", 0)
    for one in (store, other):
        one.close()


# Retention


def test_what_is_old_enough_loses_texts_and_people_and_nothing_else(desk: ServiceDesk, clock: Any) -> None:
    adopt(desk)
    old = log(desk, "Old and secret", caller="Only Once", description="x", service="shop-web")
    held = log(desk, "Old and held", caller="Held Once")
    both = log(desk, "Young", caller="Comes Again")
    for number in (old, held):
        desk.do(ANA, fixed(number))
        desk.do(ANA, Close(target=number))
    desk.do(ADA, LegalHold(target=held, reason="file 7"))
    clock.passes(days=29)
    assert due(desk, clock()).due == []
    clock.passes(days=2)
    desk.do(ANA, fixed(both))
    desk.do(ANA, Close(target=both))
    was = everything(desk.store)
    assert (due(desk, clock()).due, due(desk, clock()).held) == ([old], [held])
    assert everything(desk.store) == was
    found = retire(desk, ENGINE, clock())
    assert (found.done, found.held, found.where) == ([old], [held], "")
    after = look(desk, old)
    assert (after.title, after.caller, after.service, after.retired) == ("(redacted)", None, "shop-web", True)
    assert look(desk, held).title == "Old and held"
    names = set(desk.store.people().values())
    assert "Only Once" not in names
    assert {"Held Once", "Comes Again", "ana"} <= names
    assert retire(desk, ADA, clock()).done == []
    verdict = verify(desk.store)
    assert (verdict.faults, verdict.unproved) == ([], set())


def test_retention_goes_on_where_it_ended(desk: ServiceDesk, clock: Any) -> None:
    adopt(desk)
    numbers = [log(desk, f"Old {n}") for n in range(5)]
    for number in numbers:
        desk.do(ANA, fixed(number))
        desk.do(ANA, Close(target=number))
    clock.passes(days=31)
    told: list[tuple[int, int]] = []
    assert retire(desk, ADA, clock(), most=2, progress=lambda *at: told.append(at)).done == numbers[:2]
    assert told == [(1, 5), (2, 5)]
    assert retire(desk, ADA, clock()).done == numbers[2:]


def test_retention_is_an_admins_or_the_engines(desk: ServiceDesk, clock: Any) -> None:
    adopt(desk)
    number = log(desk, "Old")
    desk.do(ANA, fixed(number))
    desk.do(ANA, Close(target=number))
    with pytest.raises(Refused, match="as long as a rule"):
        desk.do(ADA, Retire(target=number))
    clock.passes(days=31)
    with pytest.raises(Refused, match="takes the role admin"):
        desk.do(BEN, Retire(target=number))


def test_without_a_rule_nothing_goes(desk: ServiceDesk, clock: Any) -> None:
    number = log(desk)
    desk.do(ANA, fixed(number))
    desk.do(ANA, Close(target=number))
    clock.passes(days=10_000)
    found = retire(desk, ADA, clock())
    assert (found.rules, found.done) == (0, [])


def test_who_calls_again_while_their_old_incident_is_retired_keeps_their_name(
    desk: ServiceDesk, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    adopt(desk)
    number = log(desk, caller=NAME)
    desk.do(ANA, fixed(number))
    desk.do(ANA, Close(target=number))
    clock.passes(days=60)
    real = desk.do_if

    def just_then(*given: Any) -> Any:
        log(desk, "It is broken again", caller=NAME)
        return real(*given)

    monkeypatch.setattr(desk, "do_if", just_then)
    assert retire(desk, ADA, clock()).people == []
    assert NAME in desk.store.people().values()
    assert verify(desk.store).ok


def test_who_was_left_by_a_run_that_was_interrupted_is_erased_by_the_next(
    desk: ServiceDesk, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    adopt(desk)
    number = log(desk, caller=NAME)
    desk.do(ANA, fixed(number))
    desk.do(ANA, Close(target=number))
    clock.passes(days=60)
    real = desk.do_if

    def killed(*given: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(desk, "do_if", killed)
    with pytest.raises(KeyboardInterrupt):
        retire(desk, ADA, clock())
    assert NAME in desk.store.people().values()
    monkeypatch.setattr(desk, "do_if", real)
    found = retire(desk, ADA, clock())
    assert (found.done, len(found.people)) == ([], 1)
    assert NAME not in desk.store.people().values()
    assert retire(desk, ADA, clock()).people == []
