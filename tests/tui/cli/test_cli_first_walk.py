"""What a stranger met on a first walk, and would not meet again."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from register.matrix_toml import SAMPLE
from tests.tui.cli_help import Cli

MUSTER = (sys.executable, "-m", "tui.main")


def test_a_hold_for_a_supplier_that_nobody_engaged_needs_a_date(cli: Cli) -> None:
    cli("log", "Mail is late")
    for on in (("--on", "nosuch"), ("--on", "practice"), ()):
        ran = cli("hold", "1", "--reason", "vendor", *on)
        assert ran.code == 3
        assert "engaged for INC-1" in ran.err
    assert cli("hold", "1", "--reason", "vendor", "--on", "nosuch", "--until", "+2h").code == 0


def test_a_hold_for_a_known_caller_needs_no_more_than_what_they_were_asked(cli: Cli) -> None:
    cli("log", "Mail is late", "--caller", "eva")
    assert cli("hold", "1", "--reason", "caller", "--note", "Which one?").code == 0
    assert cli.json("caller", "1", "This one")["state"] == "In Progress"


def test_nothing_is_given_to_a_login_that_nobody_has(cli: Cli) -> None:
    (cli.home / "matrix.toml").write_text(SAMPLE.read_text())
    cli("log", "Mail is late")
    for words in (("pass", "1", "--to", "ana.dem"), ("watch", "1", "--who", "ana.dem")):
        ran = cli(*words)
        assert ran.code == 4
        assert "did you mean ana.demo?" in ran.err
    assert cli("list", "owner:ana.dem").code == 2  # and the name is not known for having been tried
    assert cli("pass", "1", "--to", "ana.demo").code == 0


def test_a_title_of_signs_that_nobody_sees_is_empty(cli: Cli) -> None:
    for title in ("\u200b", "\u2060\u200b \u00a0", "\u0301"):
        ran = cli("log", title)
        assert ran.code == 2
        assert "Title is empty" in ran.err
    assert cli("log", "🔥").code == 0


def test_a_dry_import_counts_what_is_here_and_ones_own_export_is_none(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    cli("log", "Mail is late")
    out = str(cli.home / "out.jsonl")
    cli("export", "--to", out)
    own = cli("import", out)
    assert own.code == 2
    assert "this very register" in own.err
    monkeypatch.setenv("MUSTER_REGISTER", str(cli.home / "other.db"))
    cli("import", out)
    told = cli.json("import", out, "--dry-run")
    assert (told["added"], told["known"]) == (0, 1)


def test_a_backup_that_cannot_be_written_does_not_blame_the_register(cli: Cli) -> None:
    cli("log", "Mail is late")
    ran = cli("backup", "/nonexist/b")
    assert ran.code == 4
    assert "There is no folder /nonexist." in ran.err


def test_an_unknown_supplier_is_not_found(cli: Cli) -> None:
    cli("log", "Mail is late")
    assert cli("engage", "1", "nosuch", "help").code == 4


def test_erasing_says_whom_it_means_before_it_does(cli: Cli) -> None:
    cli("log", "Mail is late", "--caller", "Theo Sample")
    told = cli("erase", "Theo Sample", "--reason", "a letter", "--dry-run").out
    assert "(Theo Sample) would be erased" in told
    assert "THIS IS YOU" not in told
    (me,) = [one["reporter"] for one in cli.json("list")]
    assert "THIS IS YOU" in cli("erase", me, "--reason", "a letter", "--dry-run").out
    assert "Theo" not in cli("erase", "Theo Sample", "--reason", "a letter").out.splitlines()[0]


def test_a_redaction_says_that_files_keep_their_bytes(cli: Cli) -> None:
    cli("log", "Mail is late")
    (cli.home / "a.txt").write_text("hunter2")
    cli("attach", "1", str(cli.home / "a.txt"))
    assert "Files keep their bytes: 1" in cli("redact", "1", "--reason", "a password").out


def test_mistakes_are_told_in_our_words(cli: Cli) -> None:
    for words in (
        ("alert", "", ""),
        ("alert", "web", "x" * 300),
        ("redact", "1", "--event", "abc", "--reason", "x"),
    ):
        ran = cli(*words)
        assert ran.code == 2
        assert "validation" not in ran.err
        assert "unable to parse" not in ran.err


@pytest.mark.kills
@pytest.mark.parametrize("words", ["", "list", "list --json", "show 1", "--help", "note 1 x"])
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_full_standard_output_ends_with_one_sentence(
    cli: Cli, words: str, unbuffered: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    cli("log", "Mail is late")
    monkeypatch.setenv("PYTHONUNBUFFERED", unbuffered)
    with Path("/dev/full").open("wb") as full:
        ran = subprocess.run([*MUSTER, *words.split()], stdout=full, stderr=subprocess.PIPE, check=False)
    assert ran.returncode == 1
    assert b"took only a part" in ran.stderr
    assert b"Exception ignored" not in ran.stderr
    if "--json" not in words:
        assert len(ran.stderr.splitlines()) == 1


def test_a_closed_standard_output_is_no_fault(cli: Cli) -> None:
    cli("log", "Mail is late")
    shut = subprocess.run(["sh", "-c", f"{' '.join(MUSTER)} list >&-"], stderr=subprocess.PIPE, check=False)
    assert (shut.returncode, shut.stderr) == (0, b"")


def test_the_doctor_does_not_take_a_file_with_a_fault(cli: Cli) -> None:
    cli("log", "Mail is late")
    (cli.home / "matrix.toml").write_text("[[[")
    ran = cli("doctor")
    assert ran.code == 1
    assert "not TOML" in ran.out
    assert "are taken" not in ran.out
