"""Full text: what was written is found, newest first, by who may see it; what is redacted is gone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from register.core import Principal, Role
from register.desk import ServiceDesk
from register.store import Store, fulltext, open_store, searching
from register.store.fulltext import catch_up, disagreement, rebuild_index, reindex
from register.text import clean
from register.topics.hearing import Hear
from register.topics.notes import Note
from register.topics.sight import Restrict
from register.verify import verify
from register.words import asked, indexed, snippet, words
from tests.register.saying import ADA, ANA, BEN, ENGINE, ask, fixed, heard, log, sql, ticket_of

CARL = Principal("carl", Role.COORDINATOR, "cli")


def found(desk: ServiceDesk, typed: str, who: Principal | None = ANA, limit: int = 50) -> list[str]:
    return [hit.number for hit in searching.search(desk.store, who, asked(typed), limit=limit)[0]]


def note(desk: ServiceDesk, number: str, text: str) -> None:
    desk.do(ANA, Note(target=number, text=text))


def test_all_that_was_written_is_found(desk: ServiceDesk, clock: Any) -> None:
    one = log(desk, "Checkout answers 500", description="Since the roll-out at noon")
    note(desk, one, "The pool was exhausted.")
    desk.do(ANA, fixed(one))
    two, bond = ticket_of(desk, clock)
    said = heard(two, bond, clock(), body="Please restart the Straßenlaterne")
    desk.do(ENGINE, Hear(vendor="acme", items=(said,)))
    (hit,), _ = searching.search(desk.store, ANA, asked("strassenlaterne"))
    assert (hit.kind, hit.text, desk.store.people()[hit.actor]) == ("supplier_said", said.body, "Theo")
    assert found(desk, "checkout 500") == [two, one]  # saying.log has the same title
    for typed in ("noon", "roll-out", '"pool was"', "pool", "exhaust*", "RESTARTED", "checkout noon"):
        assert found(desk, typed) == [one], typed
    for typed in ("strassenlaterne", "STRASSEN*", '"the database is down"', "checkout restart"):
        assert found(desk, typed) == [two], typed
    for typed in ("exhaust", "ex*", '"was pool"', "noon pool", '"500 since"', "restart noon", "5000"):
        assert found(desk, typed) == [], typed


@pytest.mark.parametrize("window", [searching.WINDOW, 1, 20])
def test_what_was_written_last_stands_first_and_each_incident_once(
    desk: ServiceDesk, monkeypatch: pytest.MonkeyPatch, window: int
) -> None:
    monkeypatch.setattr(searching, "WINDOW", window)
    numbers = [log(desk, f"Disk {n} is full") for n in range(6)]
    for turn in range(40):
        note(desk, numbers[1], f"disk still full at turn {turn}")
    note(desk, numbers[3], "this disk, too")
    assert found(desk, "disk") == [numbers[at] for at in (3, 1, 5, 4, 2, 0)]
    hits, more = searching.search(desk.store, ANA, asked("disk"), limit=2)
    assert ([hit.number for hit in hits], more) == ([numbers[3], numbers[1]], True)
    assert hits[1].text == "disk still full at turn 39"
    assert searching.search(desk.store, ANA, asked("disk"), limit=6)[1] is False


def test_what_is_restricted_is_found_by_nobody_else_not_even_as_more(desk: ServiceDesk) -> None:
    number = log(desk, "salary list leaked")
    everyones = log(desk, "salary run is late")
    note(desk, number, "on the wiki since noon")
    desk.do(BEN, Restrict(target=number))
    for who in (ANA, BEN, ADA):
        assert found(desk, "salary", who) == [number, everyones]
    for who in (CARL, None):
        assert searching.search(desk.store, who, asked("salary"), limit=1)[1] is False
        assert found(desk, "salary", who) == [everyones]
        assert found(desk, "wiki", who) == found(desk, "leak*", who) == []


def test_nothing_is_missed_however_much_is_behind(desk: ServiceDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fulltext, "BATCH", 7)
    numbers = [log(desk, f"Printer {n}") for n in range(20)]
    assert (fulltext.behind(desk.store), catch_up(desk.store, 1)) == (20, 7)
    told: list[tuple[int, int]] = []
    assert catch_up(desk.store, progress=lambda done, total: told.append((done, total))) == 13
    assert told == [(7, 13), (13, 13)]
    assert found(desk, "printer") == numbers[::-1]
    assert catch_up(desk.store) == 0
    note(desk, numbers[0], "jammed")
    assert found(desk, "jammed") == [numbers[0]]


def test_two_who_catch_up_at_once_index_each_text_once(desk: ServiceDesk) -> None:
    from concurrent.futures import ThreadPoolExecutor

    for n in range(30):
        log(desk, f"Printer {n}")
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: catch_up(desk.store), range(8)))
    with desk.store.read() as connection:
        assert disagreement(connection) is None
    assert len(found(desk, "printer")) == 30


def test_an_index_of_another_log_is_made_anew(desk: ServiceDesk, emptied: Any) -> None:
    log(desk, "Mail bounces")
    assert found(desk, "bounces")
    emptied(desk.store)
    for n in range(3):
        log(desk, f"Another {n}")
    assert found(desk, "bounces") == []
    assert found(desk, "another") == ["INC-3", "INC-2", "INC-1"]


def test_a_missing_entry_is_told_and_the_index_can_be_made_anew(desk: ServiceDesk) -> None:
    log(desk, "Mail bounces")
    note(desk, "INC-1", "again")
    catch_up(desk.store)
    with desk.store.read() as connection:
        assert disagreement(connection) is None
    key = "rowid" if desk.store.path else "seq"
    sql(desk.store, f"DELETE FROM fulltext WHERE {key} = 2")
    assert "1 entries for 2 texts" in verify(desk.store).faults[0]
    with desk.store.rows_only() as connection:
        told = disagreement(connection)
        assert told
        assert "1 entries for 2 texts" in told
        assert rebuild_index(connection) == 2
        assert disagreement(connection) is None
    assert found(desk, "again") == ["INC-1"]


SECRET = "Verräterisch-4711-geheimnisvoll"


def redact(store: Store, stream: str) -> None:
    """As redaction does it: the data goes, and the index is told."""
    with store.rows_only() as connection:
        if store.path:
            connection.exec_driver_sql("PRAGMA secure_delete = ON")
        wipe = f"UPDATE event SET data = NULL WHERE stream = '{stream}' AND kind = 'note'"
        connection.exec_driver_sql(wipe)
        reindex(connection, [stream])


def test_what_is_redacted_is_not_found_and_the_rest_still_is(desk: ServiceDesk) -> None:
    one, two = log(desk, "Mail bounces"), log(desk, "Mail is late")
    note(desk, one, SECRET)
    note(desk, two, SECRET)
    assert found(desk, "geheimnisvoll") == [two, one]
    redact(desk.store, one)
    assert found(desk, "geheimnisvoll") == found(desk, "verräterisch") == [two]
    assert found(desk, "mail") == [two, one]
    with desk.store.read() as connection:
        assert disagreement(connection) is None
    log(desk, "Mail again")
    assert found(desk, "mail") == ["INC-3", two, one]


def test_what_is_behind_is_not_indexed_twice_by_a_redaction(desk: ServiceDesk) -> None:
    one = log(desk, "Mail bounces")
    catch_up(desk.store)
    note(desk, one, SECRET)
    desk.do(ANA, fixed(one))
    redact(desk.store, one)
    assert found(desk, "geheimnisvoll") == []
    assert found(desk, "restarted") == [one]
    with desk.store.read() as connection:
        assert disagreement(connection) is None


def on_disk(path: Path) -> int:
    """How often a part of the secret, of whatever length a page keeps, is in the register's files."""
    files = [file for file in (path, *path.parent.glob(f"{path.name}-*")) if file.is_file()]
    needles = [part.encode() for part in ("geheimnisvoll", "heimnisvoll", "verräterisch")]
    return sum(file.read_bytes().count(needle) for file in files for needle in needles)


def test_after_a_redaction_no_byte_of_it_is_left_in_the_file(tmp_path: Path, policy: Any) -> None:
    store = open_store(str(tmp_path / "register.db"))
    desk = ServiceDesk(store, policy)
    for n in range(300):
        number = log(desk, f"Mail bounces {n} times")
        if n % 100 == 7:
            note(desk, number, f"{SECRET} {n}")
        if n % 50 == 0:
            catch_up(store)  # many segments, and merges of them
    rebuild_index_of(store)
    for n in range(300):
        log(desk, f"Disk full {n}")
        if n % 20 == 0:
            catch_up(store)
    assert len(found(desk, "geheimnisvoll")) == 3
    checkpoint(store)
    assert on_disk(tmp_path / "register.db") > 3
    for row in ask(store, "SELECT DISTINCT stream FROM event WHERE kind = 'note'"):
        redact(store, row.stream)
    checkpoint(store)
    assert on_disk(tmp_path / "register.db") == 0
    assert found(desk, "geheimnisvoll") == []
    store.close()


def rebuild_index_of(store: Store) -> None:
    with store.rows_only() as connection:
        rebuild_index(connection)


def checkpoint(store: Store) -> None:
    with store.engine.connect() as connection:
        connection.exec_driver_sql("COMMIT")
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.exec_driver_sql("BEGIN")


HOSTILE = (
    *('"', '""', "*", "a*", '"a', 'a"b"c', "AND", "a AND b", "NOT a", "NEAR(a b)", "a OR b", "words:a"),
    *("{a b}:c", "^a", "a -b", "(((", "a)", "a' OR '1'='1", "a\\", "a:*", "a & b", "a <-> b", "!a", "a | b"),
    *("%", "_", "ß*", "İ*", "\u0301", "e\u0301", "日本語", "日本*", "🙂 a", "a" * 5000, "a " * 3000),
    *("a\x00b", "\ud800 a", "\x1b[31m a", "\u202ea", "0x1f 1e5 -5 1.5", "a@b.c http://x/y?z=1"),
)


@pytest.mark.parametrize("typed", HOSTILE)
def test_whatever_is_asked_the_database_understands_it(store: Store, typed: str) -> None:
    try:
        terms = asked(typed)
    except ValueError as nothing:
        assert "no word" in str(nothing)  # noqa: PT017
        return
    assert searching.search(store, ANA, terms) == ([], False)


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(text=st.text(min_size=1, max_size=60), typed=st.text(min_size=1, max_size=30))
def test_a_text_is_found_by_each_of_its_words_on_both_databases(
    desk: ServiceDesk, emptied: Any, text: str, typed: str
) -> None:
    emptied(desk.store)
    text = clean(text)  # as a note is
    number = log(desk, "x")
    note(desk, number, f"x {text}")
    catch_up(desk.store)
    for word in words(text)[:4]:
        assert found(desk, word) == [number], word
    told = words(text)
    if told:
        assert found(desk, f'"{" ".join(told)}"') == [number]
        assert found(desk, f"{told[-1]}zq") == []
    try:
        terms = asked(typed)
    except ValueError:
        return
    entry = indexed("x", f"x {text}")
    expected = all(_has(entry, term.words, term.beginning) for term in terms)
    assert bool(searching.search(desk.store, ANA, terms)[0]) == expected


def _has(entry: list[str], told: tuple[str, ...], beginning: bool) -> bool:
    for at in range(len(entry) - len(told) + 1):
        *first, last = entry[at : at + len(told)]
        if first == list(told[:-1]) and (last.startswith(told[-1]) if beginning else last == told[-1]):
            return True
    return False


def test_a_snippet_is_one_clean_line_around_what_was_found() -> None:
    text = "The \x1b[31mpool\x07 was\nexhausted " + "and " * 100 + "then it  broke <b>again</b>"
    assert snippet(text, asked("exhausted")).startswith("The [31mpool was exhausted and")
    told = snippet(text, asked("broke"))
    assert told.startswith("… and and")
    assert told.endswith("then it broke <b>again</b>")
    assert "\n" not in told
    assert len(told) < 180
    assert snippet(text, asked("nothing")) == ""
    assert snippet("Straße", asked("STRASS*")) == "Straße"


@pytest.mark.parametrize("damage", ["{", "[]", "nonsense"])
def test_a_damaged_event_keeps_nothing_else_from_being_found(desk: ServiceDesk, damage: str) -> None:
    one, two = log(desk, "Mail bounces"), log(desk, "Mail is late")
    note(desk, one, "The relay was asleep.")
    sql(desk.store, f"UPDATE event SET data = '{damage}' WHERE kind = 'note'")
    assert found(desk, "mail") == [one, two]
    sql(desk.store, f"UPDATE event SET data = '{damage}' WHERE seq = 1")  # indexed already
    assert found(desk, "bounces") == [one]
    assert not verify(desk.store).ok
