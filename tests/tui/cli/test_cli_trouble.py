"""Bad input and bad days on the command line: a sentence, an exit code, nothing lost, never a traceback."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.tui.cli_help import Cli, fresh, vendor_block
from tui.cli import words
from tui.cli.trouble import WrongUse, code_of

ROOT = Path(__file__).resolve().parents[3]


def muster(*argv: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """The whole program, in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "tui.main", *argv], input=stdin, cwd=ROOT, capture_output=True, timeout=60
    )


@pytest.fixture
def env(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    return fresh(tmp_path, monkeypatch)


@pytest.mark.kills  # many processes, one after the other
def test_exit_codes_of_the_whole_program(env: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    done = muster("log", "Mail is late", "--json")
    assert (done.returncode, b'"number": "INC-1"' in done.stdout, done.stderr) == (0, True, b"")
    assert muster("close", "1").returncode == 3
    assert muster("show", "7").returncode == 4
    assert muster("frobnicate").returncode == 2
    monkeypatch.setenv("MUSTER_REGISTER", "/dev/null/r.db")
    away = muster("list")
    assert (away.returncode, away.stdout) == (5, b"")
    assert b"Traceback" not in away.stderr


@pytest.mark.kills  # many processes, one after the other
def test_a_reader_that_goes_away_is_no_error(env: dict[str, str]) -> None:
    muster("log", "Mail is late")
    shell = subprocess.Popen(
        [sys.executable, "-m", "tui.main", "show", "1"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert shell.stdout is not None
    shell.stdout.close()
    assert shell.stderr is not None
    assert shell.stderr.read() == b""
    assert shell.wait(30) == 141
    shell.stderr.close()


@pytest.mark.parametrize("title", ["", "   ", "\x1b\x07", "\u202e"])
def test_an_empty_title_is_wrong_use(cli: Cli, title: str) -> None:
    ran = cli("log", title, "--json")
    assert ran.code == 2
    assert ran.error["ask"] == "title"
    assert ran.error["message"].startswith("Title is empty")
    assert cli.json("list", "--all") == []


@pytest.mark.parametrize(
    ("size", "says"), [(201, "201 characters"), (900_000, "900,000"), (2_000_000, "1,048,576")]
)
def test_a_title_that_is_too_long_is_wrong_use(cli: Cli, size: int, says: str) -> None:
    ran = cli("log", "-", stdin=b"a" * size)
    assert ran.code == 2
    assert says in ran.err
    assert len(ran.err) < 300
    assert cli.json("list", "--all") == []


def test_nothing_hostile_reaches_the_terminal(cli: Cli) -> None:
    hostile = "a\x1b[2J\x1b]0;title\x07 [bold red]b[/] \u202ec\x9b31m \x00d {e} %s"
    told = cli.json("log", hostile, "--service", hostile)
    assert told["title"] == "a[2J]0;title [bold red]b[/] c31m d {e} %s"
    cli("note", "1", hostile)
    cli("note", "1", "-", stdin=hostile.encode())
    for ran in (
        cli("list"),
        cli("show", "1"),
        cli("show", hostile),
        cli(hostile),
        cli("show", "1", "--json"),
    ):
        assert not set("\x1b\x07\x9b\u202e\x00") & set(ran.out + ran.err)
    assert "[bold red]b[/]" in cli("list").out


def test_arguments_that_are_no_utf8(cli: Cli) -> None:
    broken = os.fsdecode(b"mail \xff is late")
    assert cli.json("log", broken)["title"] == "mail  is late".replace("  ", " ")


@pytest.mark.parametrize("number", ["abc", "INC-", "-", "1.5", "INC-1;", "١"])
def test_what_is_no_number_is_wrong_use(cli: Cli, number: str) -> None:
    ran = cli("show", number, "--json")
    assert ran.code == 2
    assert "INC-7" in ran.error["message"]


@pytest.mark.parametrize("number", ["1", "INC-999999999", "99999999999999999999", "0"])
def test_an_unknown_number_is_not_found(cli: Cli, number: str) -> None:
    for verb in ("show", "take"):
        ran = cli(verb, number)
        assert ran.code == 4
        assert "`muster list`" in ran.err


def test_wrong_use_says_where_the_use_is_shown(cli: Cli) -> None:
    cli("log", "Mail is late")
    for argv in (
        ("log",),
        ("hold", "1", "--reason", "boredom"),
        ("hold", "1", "--reason", "vendor", "--until", "yesterdayish"),
        ("resolve", "1", "done"),
        ("log", "a", "b"),
        ("doctor", "1"),
        ("vendors", "frob"),
    ):
        ran = cli(*argv, "--json")
        assert ran.code == 2, argv
        assert ran.error["message"].endswith(("use.", "done.", "+02:00.", "quotes."))
        assert ran.out == ""
    assert cli.json("show", "1")["state"] == "New"


def test_a_refusal_names_the_field_that_would_settle_it(cli: Cli) -> None:
    cli("log", "Mail is late")
    ran = cli("hold", "1", "--reason", "change", "--json")
    assert (ran.code, ran.error["code"], ran.error["ask"]) == (3, 3, "on")


def test_a_faulty_vendors_file_stops_only_what_needs_it(cli: Cli) -> None:
    cli.vendors(vendor_block(titel="x", password="hunter2hunter2"))
    assert cli("log", "Mail is late").code == 0
    assert cli("list").code == 0
    assert cli("note", "1", "x").code == 0
    for argv in (("engage", "1", "practice", "x"), ("vendors", "list"), ("vendors", "check", "practice")):
        ran = cli(*argv)
        assert ran.code == 2, argv
        assert "vendors.toml line" in ran.err
        assert "hunter2" not in ran.err
    assert cli.json("show", "1")["bonds"] == []


@pytest.mark.parametrize("register", ["nodir/\0/r.db", "mysql://x/y", "postgresql://me:pw@localhost/x"])
def test_a_register_that_is_none(cli: Cli, register: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if "\0" in register:
        register = str(cli.home)  # a folder
    monkeypatch.setenv("MUSTER_REGISTER", register)
    for argv in (("list",), ("log", "x"), ("verify",)):
        ran = cli(*argv, "--json")
        assert (ran.code, ran.error["code"]) == (5, 5)
    assert cli("doctor").code == 1


def test_a_file_that_is_no_register_is_left_as_it_is(cli: Cli) -> None:
    path = cli.home / "r.db"
    path.write_bytes(b"precious notes " * 100)
    assert cli("log", "x").code == 5
    assert path.read_bytes() == b"precious notes " * 100


def test_a_failure_of_our_own_says_where_its_log_is(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("one by none")

    monkeypatch.setattr("tui.cli.here.Here.incident", broken)
    ran = cli("show", "1", "--json")
    assert ran.code == 1
    log = cli.home / "state" / "muster" / "muster.log"
    assert str(log) in ran.error["message"]
    assert "ZeroDivisionError" in log.read_text()
    assert log.stat().st_mode & 0o077 == 0


def test_ctrl_c(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("tui.cli.here.Here.incident", interrupted)
    assert cli("show", "1").code == 130


def test_the_table_of_codes_names_types_that_exist() -> None:
    from pydantic import TypeAdapter, ValidationError

    from integrations.errors import AuthFailed, Failure
    from integrations.practice.server import PortTaken
    from integrations.vendors import VendorsFileError, VendorsFileMissing
    from register.core import NotFound, Refused, Target
    from register.store import RegisterUnavailable

    with pytest.raises(ValidationError) as bad:
        TypeAdapter(Target).validate_python("x")
    raised: dict[BaseException, int] = {
        WrongUse("x"): 2,
        bad.value: 2,
        VendorsFileError("x"): 2,
        VendorsFileMissing("x"): 4,
        Refused("x"): 3,
        NotFound("x"): 4,
        RegisterUnavailable("x"): 5,
        Failure("x"): 6,
        AuthFailed("x"): 6,
        PortTaken(1): 6,
        RuntimeError("x"): 1,
    }
    assert {code_of(error) for error in raised} == {1, 2, 3, 4, 5, 6}
    assert all(code_of(error) == code for error, code in raised.items())


def test_times_as_people_write_them() -> None:
    from datetime import UTC, datetime, timedelta

    now = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
    assert words.when("+2h", now, "until") == now + timedelta(hours=2)
    assert words.when("30m", now, "until") == now + timedelta(minutes=30)
    assert words.when("2026-03-02T12:00+02:00", now, "until") == datetime(2026, 3, 2, 10, tzinfo=UTC)
    assert words.when("2026-03-02T12:00", now, "until").tzinfo is not None
    for typed in ("", "soon", "2026-13-40", "+", "99999999999999d", "+9999999d", "1" * 5000):
        with pytest.raises(WrongUse):
            words.when(typed, now, "until")
