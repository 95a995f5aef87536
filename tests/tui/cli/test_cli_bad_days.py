"""Bad days at the command line: exit code 5, a sentence that says what to do, and work goes on afterwards."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pysqlite3
import pytest

from tests.register.saying import run_script
from tests.small_disk import Disk, as_root
from tests.tui.cli_help import Cli
from tui.main import main

pytestmark = pytest.mark.kills


@pytest.fixture
def some(cli: Cli) -> Cli:
    """With INC-1 and INC-2."""
    for title in ("Mail is late", "Checkout answers 500"):
        assert cli("log", title).code == 0
    return cli


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    place = tmp_path / "disk"
    place.mkdir()
    made = Disk(place, 4)
    yield made
    made.gone()


@pytest.fixture
def there(cli: Cli, disk: Disk, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """With one incident, on the small disk."""
    monkeypatch.setenv("MUSTER_REGISTER", str(disk.place / "r.db"))
    assert cli("log", "Mail is late").code == 0
    return cli


def by_hand(cli: Cli, statement: str) -> None:
    connection = pysqlite3.connect(str(cli.home / "r.db"))
    with connection:
        connection.execute(statement)
    connection.close()


def unavailable(cli: Cli, *words: str, says: str) -> None:
    ran = cli(*words)
    assert (ran.code, ran.out) == (5, "")
    assert says in ran.err
    assert ran.err.rstrip().endswith((".", "newer program."))
    as_json = cli(*words, "--json")
    assert (as_json.code, as_json.out, as_json.error["code"]) == (5, "", 5)
    assert says in as_json.error["message"]


@as_root
def test_a_full_disk(there: Cli, disk: Disk) -> None:
    disk.fill()
    for words in (("log", "x"), ("note", "1", "x"), ("list",), ("show", "1")):
        unavailable(there, *words, says="the disk is full. Nothing was written. Make room and try again.")
    assert "the disk is full" in there("doctor").out
    disk.make_room()
    assert there.json("log", "x")["number"] == "INC-2"
    assert there("verify").code == 0


@as_root
def test_a_read_only_disk_is_read(there: Cli, disk: Disk) -> None:
    disk.freeze()
    unavailable(there, "log", "x", says="mounted read-only. Nothing was written.")
    for words in (("list",), ("show", "1"), ("verify",)):
        assert there(*words).code == 0
    told = there("doctor")
    assert told.code == 1
    assert "✗ writing: nothing can be written: its file system is mounted read-only" in told.out
    unavailable(there, "serve", says="the worker's lock beside it cannot be made (Read-only file system)")
    disk.thaw()
    assert there.json("log", "x")["number"] == "INC-2"


@as_root
def test_the_doctor_warns_before_the_disk_is_full(there: Cli) -> None:
    told = there("doctor")
    assert told.code == 1
    assert "MB are free where the register lies → make room" in told.out


def test_a_register_that_somebody_holds(some: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("register.store.engine.WAIT_SECONDS", 0.3)
    holder = run_script("holder", str(some.home / "r.db"))
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    unavailable(some, "take", "1", says="another program held it for over 10 s. Nothing was written. Try")
    assert len(some.json("list")) == 2
    holder.communicate("\n")
    assert some("take", "1").code == 0


def test_a_newer_register(some: Cli) -> None:
    by_hand(some, "UPDATE head SET schema = 99")
    for words in (("log", "x"), ("list",), ("show", "1"), ("verify",)):
        unavailable(some, *words, says="is of a newer Muster (schema 99")


def test_a_row_changed_by_hand(some: Cli) -> None:
    by_hand(some, "UPDATE incident SET doc = '{' WHERE n = 1")
    for words in (("show", "1"), ("note", "1", "x"), ("list",)):
        unavailable(
            some, *words, says="The row of INC-1 cannot be read: it was changed by hand, or is damaged"
        )
    assert some("show", "2").code == 0
    assert some("log", "third").code == 0
    verdict = some("verify")
    assert verdict.code == 1
    assert "INC-1: its row says otherwise than its events (doc)" in verdict.out


def test_an_event_changed_by_hand(some: Cli) -> None:
    by_hand(some, "UPDATE event SET data = '{' WHERE seq = 1")
    unavailable(some, "show", "1", says="Event 1 of INC-1 cannot be read")
    assert some("show", "2").code == 0
    assert some("verify").code == 1


def test_a_damaged_file(some: Cli) -> None:
    path = some.home / "r.db"
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    unavailable(some, "list", says="the file is damaged.")
    unavailable(some, "log", "x", says="keep a copy of the file as it is, and restore a backup.")
    assert "the file is damaged" in some("doctor").out


def test_another_programs_database(cli: Cli) -> None:
    by_hand(cli, "CREATE TABLE bookmarks (title TEXT)")
    unavailable(cli, "log", "x", says="this is another program's database (it has the table bookmarks)")
    connection = pysqlite3.connect(str(cli.home / "r.db"))
    assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("bookmarks",)]
    connection.close()


@pytest.mark.parametrize("content", [b"", b"{", b'{"meta":{"1":{}}}', b"\x00" * 4096])
def test_a_live_json_that_is_not_ours_is_no_hindrance(
    some: Cli, content: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    from tui.session import session_from

    path = session_from({"MUSTER_REGISTER": str(some.home / "r.db")}).live_path
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    assert main([]) == 0
    assert "INC-2" in capsys.readouterr().out


def test_the_board_as_text_without_a_register_to_read(
    some: Cli, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (some.home / "r.db").write_bytes(b"precious notes " * 100)
    monkeypatch.setattr("sys.stdin", io.StringIO())
    capsys.readouterr()
    assert main([]) == 5
    said = capsys.readouterr()
    assert said.out == ""  # not: no open incidents
    assert "this file is no register" in said.err
