"""backup and restore, as typed."""

from __future__ import annotations

from pathlib import Path

import pytest

from register.roles import Role
from register.standing import Standing
from tests.tui.cli_help import Cli


def test_a_backup_is_made_and_put_back(cli: Cli, tmp_path: Path) -> None:
    cli.json("log", "Mail is late")
    made = cli.json("backup", str(tmp_path / "b.muster"))
    head = f"{made['seq']}:{made['hash']}"
    cli.json("log", "Printer is out")
    ran = cli("restore", str(tmp_path / "b.muster"))
    assert ran.code == 3
    assert "--force" in ran.err
    assert len(cli.json("list")) == 2
    back = cli.json("restore", str(tmp_path / "b.muster"), "--force")
    assert Path(back["aside"]).exists()
    assert back["paused"] == []
    assert len(cli.json("list")) == 1
    assert cli("verify", "--since", head).code == 0


def test_what_is_no_backup_is_refused(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "no").write_text("no")
    assert cli("restore", str(tmp_path / "no")).code == 5
    assert cli("restore", str(tmp_path / "nowhere")).code == 4
    assert cli("backup", str(tmp_path / "no")).code == 3
    assert (tmp_path / "no").read_text() == "no"


def test_a_backup_cannot_be_used_as_a_register(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cli.json("log", "Mail is late")
    cli("backup", str(tmp_path / "b.muster"))
    monkeypatch.setenv("MUSTER_REGISTER", str(tmp_path / "b.muster"))
    ran = cli("list")
    assert ran.code == 5
    assert "muster restore" in ran.err


def test_a_register_moves_into_another_file(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cli.json("log", "Mail is late")
    target = str(tmp_path / "new.db")
    moved = cli.json("migrate", target)
    assert moved["place"] == target
    assert len(cli.json("list")) == 1  # the old one can be read
    ran = cli("log", "Printer is out")
    assert ran.code == 5
    assert f"MUSTER_REGISTER={target}" in ran.err
    again = cli("migrate", target)
    assert again.code == 3
    assert "done already" in again.err
    monkeypatch.setenv("MUSTER_REGISTER", target)
    assert len(cli.json("list")) == 1
    assert cli.json("log", "Printer is out")["number"] == "INC-2"
    assert cli("verify").code == 0


@pytest.mark.parametrize(
    "typed", [("backup", "b.muster"), ("migrate", "new.db"), ("restore", "b.muster", "--force")]
)
def test_a_whole_register_is_an_admin_s(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, typed: tuple[str, ...]
) -> None:
    cli.json("log", "Mail is late")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("tui.who.OWNER", Standing(Role.COORDINATOR, "a test"))
    ran = cli(*typed)
    assert ran.code == 3
    assert "takes the role admin" in ran.err
    assert not (tmp_path / typed[1]).exists()
