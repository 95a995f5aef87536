"""Seeding goes through the desk: the same seed tells the same story, and the register holds together."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from benchmarks.seed import main, seed, write_live
from register.live import Live, live_path
from register.store import as_url, open_store
from register.verify import verify

TIMES = ("opened_at", "updated_at", "acknowledged_at", "resolved_at", "closed_at", "closes_at", "track")


def folds(register: Path) -> list[dict[str, Any]]:
    """Every incident without its times."""
    store = open_store(str(register))
    found = [each.model_dump(exclude=set(TIMES)) for each in store.incidents(everything=True)]
    store.close()
    return found


def test_as_many_as_asked_and_as_many_open(tmp_path: Path) -> None:
    done = seed(str(tmp_path / "a.db"), incidents=300, open_ones=40)
    store = open_store(str(tmp_path / "a.db"))
    seq, rows = store.rows()
    assert (len(rows), len(store.incidents(everything=True))) == (40, 300)
    assert seq == done  # each of these commands says one thing
    assert {row["state"] for row in rows} == {"New", "In Progress", "On Hold"}
    ends = {str(each.state) for each in store.incidents(everything=True) if not each.is_open}
    assert ends == {"Resolved", "Closed", "Canceled"}
    assert verify(store).faults == []
    store.close()


def test_the_same_seed_tells_the_same_story(tmp_path: Path) -> None:
    seed(str(tmp_path / "a.db"), incidents=60, open_ones=20)
    seed(str(tmp_path / "b.db"), incidents=60, open_ones=20)
    seed(str(tmp_path / "c.db"), incidents=60, open_ones=20, seed=8)
    assert folds(tmp_path / "a.db") == folds(tmp_path / "b.db") != folds(tmp_path / "c.db")


def test_told_twice_it_changes_nothing(tmp_path: Path) -> None:
    seed(str(tmp_path / "a.db"), incidents=30, open_ones=30)
    before = folds(tmp_path / "a.db")
    seed(str(tmp_path / "a.db"), incidents=30, open_ones=30)
    assert folds(tmp_path / "a.db") == before
    seed(str(tmp_path / "a.db"), incidents=30, open_ones=10)
    assert len(folds(tmp_path / "a.db")) == 60


def test_leaves_the_copy_that_a_board_leaves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    register = str(tmp_path / "a.db")
    seed(register, incidents=12, open_ones=12)
    write_live(register)
    store = open_store(register)
    live = Live.open(live_path(as_url(register)))
    assert (live.seq, live.register_id, live.people) == (store.seq(), store.register_id, store.people())
    assert sorted(live.rows, key=lambda row: row["n"]) == store.rows()[1]
    store.close()


def test_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path / "a.db"), "--incidents", "10", "--open", "3"]) == 0
    told = capsys.readouterr()
    assert "10 incidents, 3 open" in told.out
    assert "10 of 10 incidents" in told.err
    with pytest.raises(SystemExit, match="2"):
        main([str(tmp_path / "a.db"), "--incidents", "10", "--open", "11"])
    assert main(["mongodb://x/y", "--incidents", "1", "--open", "0"]) == 5
    assert "is no register" in capsys.readouterr().err
