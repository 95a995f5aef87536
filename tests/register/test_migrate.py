"""A register moves to the other database, every row of it, whoever writes or dies meanwhile."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from register.core import Policy, Refused, VendorFacts
from register.desk import ServiceDesk
from register.migrate import migrate
from register.store import RegisterUnavailable, Store, open_store
from register.store.copying import digests_of
from register.store.files import put_bytes
from register.topics.files import Attach
from register.topics.notes import Note
from register.topics.privacy import Redact
from register.verify import verify
from tests.conftest import Databases
from tests.register.saying import ADA, ANA, arrived, claim, engaged, log, run_script, sql

pytestmark = pytest.mark.kills

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
POINTS = (
    "sealed",
    "table event",
    "table incident",
    "table head",
    "copied",
    "proved",
    "copied the rest",
    "compared",
    "about to close",
    "closed",
)


@dataclass
class Way:
    """A register with something in most tables, and the place to which it goes."""

    url: str
    target: str


@pytest.fixture
def way(database: str, databases: Databases, tmp_path: Path) -> Iterator[Way]:
    """From SQLite to PostgreSQL, and the other way."""
    file, server = str(tmp_path / "reg ister.db"), databases.make()
    made = Way(file, server) if database == "sqlite" else Way(server, file)
    store = open_store(made.url)
    fill(ServiceDesk(store, Policy(vendors={"acme": VendorFacts("acme", "Acme (sample)", True)})))
    store.close()
    yield made
    databases.clear(server)


def fill(desk: ServiceDesk) -> None:
    engaged(desk)
    (row,) = claim(desk.store, datetime.now(UTC))
    arrived(desk, row.row_id)
    engaged(desk)
    log(desk, title="Wörter, и слова, 言葉 🎉", caller="Zoë")
    log(desk, title="zebra", caller="Ärger")
    content = b"\x00\xff" * 700
    digest = sha256(content).hexdigest()
    put_bytes(desk.store, digest, content)
    desk.do(ANA, Attach(target="INC-1", name="a.bin", size=len(content), sha256=digest))


def rows(url: str) -> tuple[dict[str, str], Any]:
    store = open_store(url)
    with store.read() as connection:
        found = digests_of(connection)
    head, verdict = store.head(), verify(store)
    store.close()
    assert verdict.ok, verdict.faults
    return found, head


def moved(way: Way) -> Any:
    store = open_store(way.url)
    try:
        return migrate(store, way.target, NOW)
    finally:
        store.close()


def test_a_register_moves_whole(way: Way) -> None:
    before = rows(way.url)
    done = moved(way)
    assert rows(way.target) == before
    assert done.digests["person"] == before[0]["person"]
    assert rows(way.url) == before  # the old one can be read still


def test_what_has_moved_is_written_no_more_by_anybody(way: Way) -> None:
    """Neither an event nor a claim, nor by who had it open before; and the new place is told."""
    early = open_store(way.url)
    early_desk = ServiceDesk(early)
    moved(way)
    before = rows(way.url)
    place = way.target.replace("postgresql+psycopg", "postgresql")
    late = open_store(way.url)
    for store, desk in ((early, early_desk), (late, ServiceDesk(late))):
        with pytest.raises(RegisterUnavailable) as told:
            log(desk)
        assert f"MUSTER_REGISTER={place} " in str(told.value)
        with pytest.raises(RegisterUnavailable, match="has moved to"):
            claim(store, datetime.now(UTC))
        store.close()
    assert rows(way.url) == before
    opened = open_store(way.target)
    assert log(ServiceDesk(opened)) == "INC-5"
    opened.close()


@pytest.mark.parametrize("point", POINTS)
def test_killed_anywhere_it_goes_on(way: Way, point: str) -> None:
    before = rows(way.url)
    mover = run_script("mover", way.url, way.target, point)
    said = mover.communicate(timeout=60)
    assert mover.returncode == -signal.SIGKILL, said
    with pytest.raises(RegisterUnavailable, match="muster migrate"):
        open_store(way.target)
    if point != "closed":  # the register is in use as before: what is said meanwhile goes along
        store = open_store(way.url)
        log(ServiceDesk(store), title="Said in between")
        store.close()
        before = rows(way.url)
    moved(way)
    assert rows(way.target) == before


def test_what_was_redacted_in_between_is_not_found_in_the_new_place(way: Way) -> None:
    store = open_store(way.url)
    desk = ServiceDesk(store)
    desk.do(ANA, Note(target="INC-3", text="The password is hunter2."))
    store.close()
    mover = run_script("mover", way.url, way.target, "proved")
    mover.communicate(timeout=60)
    store = open_store(way.url)
    ServiceDesk(store).do(ADA, Redact(target="INC-3", reason="a password"))
    store.close()
    before = rows(way.url)
    moved(way)
    assert rows(way.target) == before


def test_it_moves_while_others_write_and_loses_nothing(way: Way) -> None:
    writers = [run_script("writer", way.url, "log-slowly") for _ in range(2)]
    store = open_store(way.url)
    try:
        begun, end = store.seq(), time.monotonic() + 20
        while store.seq() < begun + 6 and time.monotonic() < end:
            time.sleep(0.02)
        done = migrate(store, way.target, NOW)
        for writer in writers:
            assert writer.wait(30) != 0  # told that it has moved
            assert "has moved to" in writer.communicate()[1]
    finally:
        for writer in writers:
            writer.kill()
    assert done.seq > begun + 5
    assert store.head() == (done.seq, done.hash)
    store.close()
    assert rows(way.target) == rows(way.url)


def test_a_place_that_is_not_empty_is_refused(way: Way) -> None:
    other = open_store(way.target)
    log(ServiceDesk(other))
    other.close()
    before = rows(way.target)
    with pytest.raises(Refused, match="another register"):
        moved(way)
    assert rows(way.target) == before
    store = open_store(way.url)
    log(ServiceDesk(store))  # nothing is closed
    store.close()


def test_a_move_that_is_done_is_said_to_be(way: Way) -> None:
    moved(way)
    with pytest.raises(Refused, match="done already"):
        moved(way)


def test_a_register_moves_to_one_place_alone(way: Way, tmp_path: Path) -> None:
    moved(way)
    store = open_store(way.url)
    with pytest.raises(Refused, match="moved to"):
        migrate(store, str(tmp_path / "elsewhere.db"), NOW)
    store.close()


def test_two_registers_cannot_begin_to_move_to_one_place(way: Way, tmp_path: Path) -> None:
    run_script("mover", way.url, way.target, "copied").communicate(timeout=60)
    other = open_store(str(tmp_path / "other.db"))
    with pytest.raises(Refused, match="another move"):
        migrate(other, way.target, NOW)
    other.close()


def test_a_register_that_does_not_hold_is_not_moved(way: Way) -> None:
    store: Store = open_store(way.url)
    sql(store, "UPDATE event SET actor = 'p9' WHERE seq = 2")
    store.close()
    with pytest.raises(RegisterUnavailable, match="does not hold"):
        moved(way)
    store = open_store(way.url)
    log(ServiceDesk(store))
    store.close()
