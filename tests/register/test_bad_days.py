"""Bad days: disks that are full or read-only, files that are damaged, databases that are away or busy.

Each ends with a sentence that says what happened, what it means and what to do next; nothing that was
acknowledged is lost, and when the day is over work goes on.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pysqlite3
import pytest

from register.desk import ServiceDesk
from register.live import MAX_BYTES, Live
from register.store import RegisterUnavailable, Store, open_store
from register.store.mishaps import sentence
from register.topics.ownership import Take
from register.verify import verify
from tests import as_user
from tests.conftest import Databases
from tests.register.saying import ANA, ask, log, look, run_script, sql
from tests.small_disk import Disk, as_root

pytestmark = pytest.mark.kills


def opened(url: str) -> ServiceDesk:
    return ServiceDesk(open_store(url))


def is_whole(desk: ServiceDesk, acknowledged: list[str]) -> None:
    """What was acknowledged is there, nothing is there by half, and the next number is the next one."""
    assert verify(desk.store).faults == []
    kept = [incident.number for incident in desk.store.incidents(everything=True)]
    assert kept == acknowledged
    assert log(desk) == f"INC-{len(kept) + 1}"


# Disks


@pytest.fixture
def place() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="bad"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def disk(place: Path, database: str) -> Iterator[Disk]:
    made = Disk(place, 4 if database == "sqlite" else 16)
    yield made
    made.gone()


@pytest.fixture
def on_disk(disk: Disk, database: str, request: pytest.FixtureRequest) -> Iterator[str]:
    """A register that does not exist yet, whose files will lie on the small disk."""
    if database == "sqlite":
        yield str(disk.place / "r.db")
        return
    databases: Databases = request.getfixturevalue("databases")
    owner = (databases.folder / "data").stat()
    os.chown(disk.place, owner.st_uid, owner.st_gid)
    admin = databases._admin
    admin.execute(f"CREATE TABLESPACE small LOCATION '{disk.place}'")
    admin.execute("CREATE DATABASE small TABLESPACE small")
    yield databases._where.format("small")
    admin.execute("DROP DATABASE small WITH (FORCE)")
    admin.execute("DROP TABLESPACE small")


def log_until_it_fails(desk: ServiceDesk) -> tuple[list[str], str]:
    """Log until the register cannot take more; the numbers that were told, and the sentence."""
    done = []
    for _ in range(2_000):
        try:
            done.append(log(desk, "One more", description="Sample words. " * 200))
        except RegisterUnavailable as error:
            return done, str(error)
    raise AssertionError("there was room for all")


@as_root
def test_a_full_disk_refuses_loses_nothing_and_works_again(on_disk: str, disk: Disk) -> None:
    desk = opened(on_disk)
    first = log(desk)
    disk.fill()
    done, said = log_until_it_fails(desk)
    assert "disk is full. Nothing was written. " in said
    assert "try again" in said
    assert look(desk, first).number == first  # reading goes on
    assert desk.store.seq() == 1 + len(done)
    _, again = log_until_it_fails(desk)
    assert "Nothing was written" in again
    disk.make_room()
    kept = desk.store.incidents(everything=True)
    is_whole(desk, [incident.number for incident in kept])
    assert {first, *done} <= {incident.number for incident in kept}
    desk.store.close()


@as_root
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_on_a_full_disk_a_register_is_neither_made_nor_opened_by_half(on_disk: str, disk: Disk) -> None:
    disk.fill()
    with pytest.raises(RegisterUnavailable, match=r"disk is full|No space left"):
        open_store(on_disk)
    disk.make_room()
    desk = opened(on_disk)
    log(desk)
    desk.store.close()
    disk.fill()  # opening takes room too: what SQLite maps beside the file
    with pytest.raises(RegisterUnavailable, match=r"the disk is full\. Nothing was written\. Make room"):
        open_store(on_disk)
    disk.make_room()
    desk = opened(on_disk)
    is_whole(desk, ["INC-1"])
    desk.store.close()


@as_root
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_disk_that_became_read_only_is_read_on(on_disk: str, disk: Disk) -> None:
    desk = opened(on_disk)
    log(desk)
    desk.store.close()
    disk.freeze()
    desk = opened(on_disk)
    assert look(desk, "INC-1").title
    assert verify(desk.store).ok
    with pytest.raises(RegisterUnavailable, match=r"mounted read-only\. Nothing was written\. `mount`"):
        log(desk)
    with pytest.raises(RegisterUnavailable, match=r"Read-only file system.*Nothing was written"):
        open_store(str(disk.place / "new.db"))
    disk.thaw()
    is_whole(desk, ["INC-1"])  # the same desk, without being opened anew
    other = opened(on_disk)
    assert log(other) == "INC-3"
    assert look(desk, "INC-3").number == "INC-3"
    other.store.close()
    desk.store.close()


@as_root
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_log_that_waits_on_a_read_only_disk_is_not_passed_over(on_disk: str, disk: Disk) -> None:
    desk = opened(on_disk)
    log(desk)
    desk.store.close()
    child = run_script("writer", on_disk, "log-slowly")
    while not (disk.place / "r.db-wal").exists() or not (disk.place / "r.db-wal").stat().st_size:
        time.sleep(0.05)
    time.sleep(0.3)
    child.kill()  # what it wrote is in the log beside the file only
    child.communicate()
    (disk.place / "r.db-shm").unlink()
    disk.freeze()
    with pytest.raises(RegisterUnavailable, match="mounted read-only"):
        open_store(on_disk)  # less than what is on record would be shown
    disk.thaw()
    desk = opened(on_disk)
    assert desk.store.seq() > 1
    assert verify(desk.store).ok
    desk.store.close()


# Files that were made read-only: root may write them all the same, so somebody else is played

SOMEBODY = 4701


@pytest.fixture
def theirs(place: Path) -> Callable[..., tuple[int, str]]:
    """A command line of somebody who is not root, on a register of their own: code, and what was said."""
    folder = place / "own"
    folder.mkdir(mode=0o700)
    place.chmod(0o755)
    os.chown(folder, SOMEBODY, SOMEBODY)

    def run(*what: str) -> tuple[int, str]:
        env = os.environ | {
            "HOME": str(folder),
            "XDG_STATE_HOME": str(folder / "state"),
            "MUSTER_HOME": str(folder),
            "MUSTER_REGISTER": str(folder / "r.db"),
        }
        code, out, err = as_user.run(SOMEBODY, str(SOMEBODY), "077", ("muster", *what), env)
        return code, out + err

    return run


@as_root
def test_a_read_only_file_is_read_and_written_again_when_it_is_opened(theirs: Any, place: Path) -> None:
    register = place / "own" / "r.db"
    assert theirs("log", "first")[0] == 0
    register.chmod(0o400)
    code, said = theirs("log", "second")
    assert code == 5
    assert "the file is read-only for you (mode 0400, of 4701). Nothing was written. `chmod u+rwX" in said
    assert theirs("list")[0] == 0
    register.chmod(0o600)
    assert theirs("log", "second")[0] == 0  # whatever SQLite left there while the file was read-only
    assert "incidents: 2" in theirs("verify")[1]


@as_root
def test_a_file_or_a_folder_that_is_closed_is_told(theirs: Any, place: Path) -> None:
    folder, register = place / "own", place / "own" / "r.db"
    assert theirs("log", "first")[0] == 0
    for path, mode, says in (
        (register, 0o000, "the file is closed to you (mode 0000"),
        (folder, 0o500, "its folder is read-only for you (mode 0500"),
        (folder, 0o000, "Permission denied"),
    ):
        before = path.stat().st_mode
        path.chmod(mode)
        code, said = theirs("log", "second")
        path.chmod(before)
        assert (code, says in said, "Nothing was written" in said) == (5, True, True), said
    assert theirs("log", "second")[0] == 0


# Somebody else holds the register


@pytest.fixture
def impatient(store: Store, monkeypatch: pytest.MonkeyPatch) -> Iterator[ServiceDesk]:
    """A desk on the register that waits for a second, not for ten."""
    monkeypatch.setattr("register.store.engine.WAIT_SECONDS", 1)
    desk = opened(store.url)
    yield desk
    desk.store.close()


@pytest.fixture
def holder(store: Store) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the register's transaction open."""
    other = run_script("holder", store.url)
    assert other.stdout is not None
    assert other.stdout.readline() == "held\n"
    yield other
    other.kill()
    other.wait()
    for stream in (other.stdin, other.stdout, other.stderr):
        assert stream is not None
        stream.close()


def let_go(holder: subprocess.Popen[str]) -> None:
    assert holder.stdin is not None
    print(file=holder.stdin, flush=True)
    holder.wait()


def test_a_register_that_another_process_holds_is_waited_for_and_no_longer(
    impatient: ServiceDesk, store: Store, holder: subprocess.Popen[str]
) -> None:
    begun = time.monotonic()
    with pytest.raises(
        RegisterUnavailable, match=r"another program held it for over 10 s\. Nothing was written\. Try again"
    ):
        log(impatient)
    assert 0.8 < time.monotonic() - begun < 9  # not the ten that it would be without the fixture
    assert impatient.store.incidents() == []  # whoever reads does not wait
    let_go(holder)
    is_whole(impatient, [])


def test_a_register_whose_holder_dies_is_free(impatient: ServiceDesk, holder: subprocess.Popen[str]) -> None:
    holder.kill()
    holder.wait()
    is_whole(impatient, [])


def test_who_waits_goes_on_when_the_holder_lets_go(
    impatient: ServiceDesk, holder: subprocess.Popen[str]
) -> None:
    threading.Timer(0.4, let_go, [holder]).start()
    begun = time.monotonic()
    assert log(impatient) == "INC-1"
    assert 0.2 < time.monotonic() - begun < 9


# Files that are taken away


@pytest.mark.parametrize("by", ["moved", "replaced"])
def test_a_file_that_lost_its_name_is_not_written(place: Path, by: str) -> None:
    path, aside = place / "r.db", place / "aside.db"
    desk = opened(str(path))
    log(desk)
    path.rename(aside)
    if by == "replaced":
        shutil.copy(aside, path)
    for does in (lambda: log(desk), desk.store.seq):
        with pytest.raises(RegisterUnavailable, match=r"moved, deleted or replaced.*Nothing was\s+written"):
            does()
    if by == "moved":
        with pytest.raises(RegisterUnavailable, match="none was made in its place"):
            open_store(str(path))
        assert not path.exists()
        aside.rename(path)
        is_whole(desk, ["INC-1"])
    desk.store.close()


# What is no register, or was damaged


def pages(path: Path) -> bytes:
    with pysqlite3.connect(str(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    return path.read_bytes()


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "cut in half": lambda whole: whole[: len(whole) // 2],
    "one page of noise": lambda whole: whole[:4096] + bytes(range(256)) * 16 + whole[8192:],
    "the end is zeros": lambda whole: whole[:8192] + bytes(len(whole) - 8192),
    "all zeros": lambda whole: bytes(len(whole)),
    "another header": lambda whole: b"GIF89a" + whole[6:],
}


@pytest.mark.parametrize("how", DAMAGES)
def test_a_damaged_file_is_told_and_left_as_it_is(place: Path, how: str) -> None:
    path = place / "r.db"
    desk = opened(str(path))
    log(desk)
    desk.store.close()
    hurt = DAMAGES[how](pages(path))
    path.write_bytes(hurt)
    with pytest.raises(RegisterUnavailable) as told:
        _use(str(path))
    assert re.search(
        r"is damaged\. .*keep a copy.*restore a backup|is no register\. .*Name another", str(told.value)
    )
    assert path.read_bytes() == hurt


def _use(url: str) -> None:
    desk = opened(url)
    try:
        log(desk)
        desk.store.incidents()
        verify(desk.store)
    finally:
        desk.store.close()


def test_another_programs_database_is_left_alone(place: Path) -> None:
    path = place / "r.db"
    with pysqlite3.connect(str(path)) as connection:
        connection.execute("CREATE TABLE bookmarks (title TEXT)")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(
        RegisterUnavailable, match=r"another program's database \(.*bookmarks\)\. Nothing was"
    ):
        open_store(str(path))
    assert pages(path)[100:] == before[100:]


@pytest.mark.parametrize("lost", ["DROP TABLE head", "DELETE FROM head"])
def test_a_register_that_lost_its_head_does_not_begin_anew(register_url: str, lost: str) -> None:
    desk = opened(register_url)
    log(desk)
    sql(desk.store, lost)
    desk.store.close()
    with pytest.raises(RegisterUnavailable, match=r"The register's head cannot be read.*restore a backup"):
        open_store(register_url)


def test_a_register_that_lost_a_table_says_so(register_url: str) -> None:
    desk = opened(register_url)
    log(desk)
    sql(desk.store, "DROP TABLE incident")
    with pytest.raises(RegisterUnavailable, match=r"a part of the register is missing.*restore a backup"):
        log(desk)
    desk.store.close()


@pytest.mark.parametrize(
    ("by_hand", "named", "reads"),
    [
        ("incident SET doc = '{' WHERE n = 1", "row of INC-1", lambda store: store.incidents()),
        ("incident SET doc = '{' WHERE n = 1", "row of INC-1", lambda store: store.incident("INC-1")),
        ("incident SET board = '{' WHERE n = 1", "row of INC-1", lambda store: store.rows()),
        ("incident SET board = '{' WHERE n = 1", "row of INC-1", lambda store: store.changed(0)),
        ("incident SET board = '{}' WHERE n = 1", "row of INC-1", lambda store: store.rows()),
        ("incident SET board = '7' WHERE n = 1", "row of INC-1", lambda store: store.rows()),
        ("event SET data = '{' WHERE seq = 1", "1 of INC-1", lambda store: store.timeline("INC-1")),
        ("event SET at = 'soon' WHERE seq = 1", "1 of INC-1", lambda store: store.timeline("INC-1")),
    ],
)
def test_a_row_changed_by_hand_is_named_and_stops_no_other(
    desk: ServiceDesk, by_hand: str, named: str, reads: Callable[[Store], object]
) -> None:
    log(desk)
    log(desk)
    sql(desk.store, f"UPDATE {by_hand}")
    with pytest.raises(RegisterUnavailable, match=rf"{named} cannot be read.*Nothing was written.*verify"):
        reads(desk.store)
    assert any("INC-1" in fault for fault in verify(desk.store).faults)
    assert look(desk, "INC-2").number == "INC-2"
    assert log(desk) == "INC-3"


def test_a_head_that_was_set_back_writes_over_nothing(desk: ServiceDesk) -> None:
    log(desk)
    log(desk)
    sql(desk.store, "UPDATE head SET seq = 1")
    before = ask(desk.store, "SELECT seq, hash FROM event ORDER BY seq")
    with pytest.raises(RegisterUnavailable, match=r"head does not fit its log.*Nothing was written.*verify"):
        log(desk)
    assert ask(desk.store, "SELECT seq, hash FROM event ORDER BY seq") == before
    sql(desk.store, "UPDATE head SET seq = 2")
    is_whole(desk, ["INC-1", "INC-2"])


def test_a_head_that_tells_another_time_is_named(desk: ServiceDesk) -> None:
    log(desk)
    sql(desk.store, "UPDATE head SET recorded_at = 'soon'")
    assert any("tells another time" in fault for fault in verify(desk.store).faults)
    with pytest.raises(RegisterUnavailable, match="The register's head cannot be read"):
        log(desk)


def test_a_newer_register_is_left_alone_by_every_door(store: Store) -> None:
    log(ServiceDesk(store))
    sql(store, "UPDATE head SET schema = schema + 1")
    with pytest.raises(RegisterUnavailable, match=r"newer Muster.*Nothing was changed"):
        open_store(store.url)


def test_a_huge_live_json_is_an_empty_working_set(tmp_path: Path) -> None:
    path = tmp_path / "live.json"
    with path.open("wb") as file:
        file.write(b'{"meta":')
        file.truncate(MAX_BYTES + 1)
    begun = time.monotonic()
    live = Live.open(path)
    assert live.rows == []
    assert time.monotonic() - begun < 5
    live.save()  # and the next one is ours again
    assert path.stat().st_size < 1000


# PostgreSQL away, or closed to us


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("postgresql://postgres@127.0.0.1:1/register", "it does not answer. Nothing was written. Check that"),
        ("postgresql://postgres@/register?host=/nowhere", "it does not answer. Nothing was written. Check"),
        ("postgresql://postgres@no-such-host.invalid/register", "no such host is known here"),
    ],
)
def test_a_postgresql_that_is_not_there_is_told_at_once(url: str, says: str) -> None:
    begun = time.monotonic()
    with pytest.raises(RegisterUnavailable) as told:
        open_store(url)
    assert says in str(told.value)
    assert time.monotonic() - begun < 8


@pytest.fixture
def served(databases: Databases) -> Iterator[str]:
    url = databases.make()
    yield url
    databases.clear(url)


def name_of(url: str) -> str:
    return url.split("@/")[1].split("?")[0]


def test_a_database_or_a_user_that_does_not_exist_is_told(served: str) -> None:
    with pytest.raises(RegisterUnavailable, match=r"no such database\. Nothing was written\. Check its name"):
        open_store(served.replace(name_of(served), "nosuchdatabase"))
    with pytest.raises(RegisterUnavailable, match="does not know this user"):
        open_store(served.replace("postgres@", "nobody_here@"))


def test_postgresql_without_a_connection_left_says_so_and_works_again(
    served: str, databases: Databases
) -> None:
    import psycopg

    desk = opened(served)
    log(desk)
    desk.store.close()
    taken: list[psycopg.Connection[Any]] = []
    try:
        said, until = "", time.monotonic() + 60
        while not said and time.monotonic() < until:  # places of those who just left come free one by one
            with contextlib.suppress(psycopg.OperationalError):
                while True:
                    taken.append(psycopg.connect(databases._where.format("postgres")))
            try:
                open_store(served).close()
            except RegisterUnavailable as error:
                said = str(error)
        assert re.search(r"too many clients.*Nothing was written\. Try again", said)
        with pytest.raises(RegisterUnavailable, match="too many clients"):
            log(desk)
    finally:
        for one in taken:
            one.close()
    time.sleep(0.2)  # they end on their own
    is_whole(desk, ["INC-1"])
    desk.store.close()


def test_postgresql_that_takes_no_connections_is_waited_for_by_nobody(
    served: str, databases: Databases
) -> None:
    desk = opened(served)
    log(desk)
    databases._admin.execute(f"ALTER DATABASE {name_of(served)} WITH ALLOW_CONNECTIONS false")
    databases._admin.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name_of(served)]
    )
    for _ in range(3):
        with pytest.raises(RegisterUnavailable, match=r"takes no connections now\. Nothing was written"):
            log(desk)
    databases._admin.execute(f"ALTER DATABASE {name_of(served)} WITH ALLOW_CONNECTIONS true")
    is_whole(desk, ["INC-1"])
    desk.store.close()


def test_a_standby_can_be_read_and_says_where_to_write(
    served: str, databases: Databases, caplog: pytest.LogCaptureFixture
) -> None:
    desk = opened(served)
    log(desk)
    desk.store.close()
    name = name_of(served)
    databases._admin.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    try:
        assert look(desk, "INC-1").title
        with pytest.raises(RegisterUnavailable, match=r"can only be read.*Nothing was written.*primary"):
            log(desk)
    finally:
        databases._admin.execute(f"ALTER DATABASE {name} RESET default_transaction_read_only")
        desk.store.close()
    is_whole(desk, ["INC-1"])
    assert caplog.records == []  # a full-screen board has no room for a driver's words
    desk.store.close()


def test_a_connection_lost_in_the_middle_leaves_nothing_by_half(served: str, databases: Databases) -> None:
    desk = opened(served)
    log(desk)
    with pytest.raises(RegisterUnavailable) as told:
        _lose_it_in_the_middle(desk, databases, name_of(served))
    assert "connection was lost. What was to be written may be on record or not: look" in str(told.value)
    assert "somebody new" not in desk.store.people().values()
    is_whole(desk, ["INC-1"])
    desk.store.close()


def _lose_it_in_the_middle(desk: ServiceDesk, databases: Databases, name: str) -> None:
    with desk.store.write() as transaction:
        transaction.person("person", "somebody new")
        databases._admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name]
        )


# Words


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ('FATAL: password authentication failed for user "x"', "does not let this user in. Nothing was"),
        ("connection failed: FATAL:  no pg_hba.conf entry for host", "Ask its admin for an entry in pg_hba"),
        ("connection failed: FATAL:  the database system is shutting down", "starting, or being shut down"),
        ("permission denied for table head", "may not do that there. Nothing was written."),
        ("deadlock detected", "in the way. Nothing was written. Try again."),
        ("SSL SYSCALL error: EOF detected", "may be on record or not: look before you repeat it."),
        ("server closed the connection unexpectedly", "may be on record or not"),
        ("something new\nin two lines", "cannot be used now (something new in two lines). Nothing was"),
        ("", "cannot be used now (no reason given)"),
    ],
)
def test_what_postgresql_says_becomes_a_sentence(said: str, told: str) -> None:
    assert told in sentence(None, said, writes=True)
    reading = sentence(None, said, writes=False)
    assert "written" not in reading
    assert reading.startswith("The register on PostgreSQL: ")


def test_an_error_of_the_disk_is_not_said_to_have_written_nothing(place: Path) -> None:
    said = sentence(place / "r.db", "disk I/O error", writes=True)
    assert "the disk gave an error. What was to be written may be on record or not" in said


# The clock says odd things


@pytest.mark.parametrize(
    "when",
    [
        datetime(1970, 1, 1, tzinfo=UTC),
        datetime(2000, 2, 29, 23, 59, 59, tzinfo=UTC),
        datetime(2038, 1, 19, 3, 14, 8, tzinfo=UTC),
        datetime(2100, 2, 28, 23, 59, 59, 999_000, tzinfo=UTC),
    ],
    ids=str,
)
def test_a_register_of_any_year_keeps_its_order_and_verifies(
    desk: ServiceDesk, clock: Any, when: datetime
) -> None:
    clock.now = when
    number = log(desk)
    desk.do(ANA, Take(target=number))
    opened_at = look(desk, number).opened_at
    assert timedelta(0) <= opened_at - when < timedelta(seconds=1)
    (row,) = desk.store.rows()[1]
    assert row["opened"] == int(opened_at.timestamp())
    assert [event.at for event in desk.store.timeline(number)] == sorted(
        event.at for event in desk.store.timeline(number)
    )
    assert verify(desk.store).ok
