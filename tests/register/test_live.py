"""The working set: what it keeps, what it calls changed, and what it survives on disk."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from register.live import Live, live_path


def row(n: int, **changes: Any) -> dict[str, Any]:
    return {
        "number": f"INC-{n}",
        "n": n,
        "title": f"Sample trouble {n}",
        "p": 3,
        "state": "New",
        "hold": None,
        "owner": None,
        "acked": False,
        "team": "",
        "service": "shop-web",
        "category": "",
        "opened": 1_700_000_000,
        "updated": 1_700_000_000,
        "due": None,
        "restricted": False,
        "bonds": [],
    } | changes


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "live.json"


def test_what_was_saved_is_there_again(path: Path) -> None:
    live = Live.open(path)
    live.belongs_to("REG")
    live.apply([row(1, bonds=[["acme", "open", "ours", 5, "A-1", "ok"]]), row(2)], [], {"p1": "Ana"}, 9)
    live.me = "p1"
    live.save(now=123.0)

    again = Live.open(path)
    assert sorted(r["number"] for r in again.rows) == ["INC-1", "INC-2"]
    assert again.row("INC-1") == live.row("INC-1")
    assert (again.people, again.seq, again.register_id, again.saved_at, again.me) == (
        {"p1": "Ana"},
        9,
        "REG",
        123.0,
        "p1",
    )


def test_only_real_changes_are_told(path: Path) -> None:
    live = Live.open(path)
    assert live.apply([row(1), row(2)], [], None, 1) == {"INC-1", "INC-2"}
    assert live.apply([row(1), row(2, title="other")], ["INC-77"], None, 2) == {"INC-2"}
    assert live.apply([], ["INC-1"], None, 3) == {"INC-1"}
    assert [r["title"] for r in live.rows] == ["other"]
    assert live.seq == 3


def test_the_database_in_memory_says_the_same_as_the_rows(path: Path) -> None:
    live = Live.open(path)
    live.apply([row(1), row(2)], [], None, 1)
    live.apply([row(2, p=1), row(3)], ["INC-1"], None, 2)
    assert sorted(live._incidents.all(), key=lambda r: r["n"]) == sorted(live.rows, key=lambda r: r["n"])
    assert live._incidents.get(doc_id=2)["p"] == 1  # type: ignore[index,call-overload]


def test_the_file_is_mine_alone_and_nothing_is_left_beside_it(path: Path) -> None:
    live = Live.open(path)
    live.apply([row(1)], [], None, 1)
    live.save()
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert os.listdir(path.parent) == ["live.json"]


def test_a_failed_save_leaves_the_old_file_whole(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    live = Live.open(path)
    live.apply([row(1)], [], None, 1)
    live.save()
    live.apply([row(2)], [], None, 2)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        live.save()
    assert [r["number"] for r in Live.open(path).rows] == ["INC-1"]
    assert os.listdir(path.parent) == ["live.json"]


def _saved(path: Path) -> dict[str, Any]:
    live = Live.open(path)
    live.apply([row(1)], [], {"p1": "Ana"}, 1)
    live.save()
    data: dict[str, Any] = json.loads(path.read_text())
    return data


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"null", b'{"_default":{}}', b"\xff\xfe\x00", b"[" * 100_000, b'{"meta":{"1":{}}}'],
)
def test_a_foreign_file_is_an_empty_working_set(path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    assert Live.open(path).rows == []


def test_a_file_cut_anywhere_is_an_empty_working_set(path: Path) -> None:
    _saved(path)
    whole = path.read_bytes()
    for length in range(0, len(whole), 7):
        path.write_bytes(whole[:length])
        assert Live.open(path).rows == []


@pytest.mark.parametrize(
    ("name", "value"),
    [("title", None), ("p", "1"), ("due", "soon"), ("bonds", {}), ("bonds", [["acme"]]), ("n", 2)],
)
def test_a_row_that_could_not_be_shown_makes_the_file_foreign(path: Path, name: str, value: Any) -> None:
    data = _saved(path)
    data["incidents"]["1"][name] = value
    path.write_text(json.dumps(data))
    assert Live.open(path).rows == []


def test_a_copy_of_another_register_is_dropped(path: Path) -> None:
    live = Live.open(path)
    live.belongs_to("ONE")
    live.apply([row(1)], [], {"p1": "Ana"}, 8)
    assert live.belongs_to("ONE") == frozenset()
    assert live.belongs_to("TWO") == {"INC-1"}
    assert (live.rows, live.people, live.seq, live.register_id) == ([], {}, 0, "TWO")


def test_saving_is_rare(path: Path) -> None:
    live = Live.open(path)
    assert not live.save_if_due()
    live._saved_clock -= 31
    assert live.save_if_due()
    assert not live.save_if_due()


def test_each_register_has_its_own_copy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    one, other = live_path("sqlite:////a/register.db"), live_path("postgresql://host/muster")
    assert one != other
    assert one.name == "live.json"
    assert one.parent.parent == tmp_path / "muster"


def test_it_needs_nothing_heavy() -> None:
    code = "import sys, register.live; print(*sys.modules)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert not {"sqlalchemy", "pydantic", "textual", "typer", "httpx", "orjson"} & set(out.split())
