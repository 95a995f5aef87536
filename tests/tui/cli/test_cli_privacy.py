"""Redaction, erasure, legal hold and retention, as typed."""

from __future__ import annotations

from pathlib import Path

import pytest

from register.core import Principal, Role
from register.live import Live, live_path
from register.store import as_url
from tests.tui.cli_help import Cli

NAME = "Theodora Sample"


def told(cli: Cli) -> None:
    cli.json("log", f"{NAME} cannot log in", "--caller", NAME, "--description", "her password is hunter2")
    cli.json("note", "1", "hunter2 works")


def test_redacting_shows_that_it_was_and_nothing_else(cli: Cli) -> None:
    told(cli)
    done = cli.json("redact", "1", "--reason", "a password")
    assert done["title"] == "(redacted)"
    shown = cli("show", "1").out
    assert "hunter2" not in shown
    assert "note (internal) (redacted)" in shown
    assert "wiped the texts of 2 events" in shown
    assert cli("search", "hunter2").out.startswith("Nothing was found")
    assert cli("verify").out.startswith("Everything holds")
    assert cli("redact", "1", "again").code == 3


def test_erasing_tells_what_went_and_what_cannot_be_reached(cli: Cli, tmp_path: Path) -> None:
    told(cli)
    look = cli.json("erase", NAME, "--reason", "a letter", "--dry-run")
    assert (look["dry_run"], look["texts"], look["incidents"]) == (True, 1, ["INC-1"])
    assert NAME in cli("show", "1").out
    ran = cli("erase", NAME, "--reason", "a letter")
    assert ran.code == 0
    assert "is erased. Texts redacted: 1, in 1 incidents." in ran.out
    assert "the names are nowhere in it" in ran.out
    assert "What cannot be reached from here: backups" in ran.out
    assert NAME not in ran.out
    shown = cli("show", "1").out
    assert NAME not in shown
    assert "caller          erased p2" in shown
    assert "hunter2" in shown  # a note that does not quote her
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert not [path for path in files if NAME.encode() in path.read_bytes()]
    assert cli("erase", NAME, "--reason", "again").code == 4
    assert cli("erase", "p2", "--reason", "again").code == 3
    assert cli.json("verify")["unproved"] == []


def test_an_erasure_takes_ones_own_copy_of_the_board_away(cli: Cli, tmp_path: Path) -> None:
    told(cli)
    path = live_path(as_url(str(tmp_path / "r.db")))
    live = Live.open(path)
    live.belongs_to("x")
    live.apply([], [], {"p2": NAME}, 1)
    live.save()
    cli("erase", NAME, "--reason", "a letter")
    assert not path.exists()


def test_a_reason_that_says_the_name_is_refused(cli: Cli) -> None:
    told(cli)
    ran = cli("erase", NAME, "--reason", f"{NAME} wrote")
    assert ran.code == 3
    assert "reason says the name" in ran.err


def test_what_is_held_is_told(cli: Cli) -> None:
    told(cli)
    cli.json("legal-hold", "1", "file 7")
    assert cli("redact", "1", "x").code == 3
    assert "legal hold      nothing of it may be redacted" in cli("show", "1").out
    ran = cli("erase", NAME, "--reason", "a letter")
    assert "Left, for they are under legal hold: INC-1." in ran.out
    lifted = cli("legal-hold", "1", "settled", "--off")
    assert "muster erase p2 --also NAME" in lifted.out


def test_who_is_no_admin_erases_nobody(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    told(cli)
    monkeypatch.setattr(
        "tui.cli.here.principal", lambda store, session, source: Principal("ben", Role.COORDINATOR, source)
    )
    for line in (("erase", NAME, "--reason", "x", "--dry-run"), ("retention", "run")):
        ran = cli(*line)
        assert ran.code == 3
        assert "takes the role admin" in ran.err


def test_retention_without_a_rule_keeps_everything(cli: Cli) -> None:
    told(cli)
    assert "no [[retention]] rule" in cli("retention", "run").out
    (cli.home / "matrix.toml").write_text(
        'fallback_team = "desk"\n[teams.desk]\nname = "Desk"\n[[retention]]\nafter = "1d"\n'
    )
    cli.json("apply")
    assert "Nothing is old enough" in cli("retention", "run", "--dry-run").out
    assert cli.json("retention", "run")["done"] == []
