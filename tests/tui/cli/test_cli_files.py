"""attach, files, save, detach, as typed."""

from __future__ import annotations

import hashlib
import stat
from pathlib import Path

import pytest

from register.topics.files import MAX_BYTES
from tests.tui.cli_help import Cli, vendor_block


@pytest.fixture
def one(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    cli.json("log", "Mail is late")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "trace.log").write_bytes(b"line 1\nline 2\n")
    return cli


def test_a_file_goes_in_and_comes_out(one: Cli, tmp_path: Path) -> None:
    made = one.json("attach", "1", "trace.log", "--label", "shareable")
    assert (made["name"], made["size"], made["label"]) == ("trace.log", 14, "shareable")
    assert "trace.log" in one("files", "INC-1").out
    shown = one("show", "1").out
    assert "Files\n  trace.log  14 bytes, shareable" in shown
    assert "attached trace.log (shareable, 14 bytes)" in shown
    assert one.json("show", "1")["files"][0]["id"] == made["id"]
    saved = one.json("save", "1", "trace.log", "--to", "copy.log")
    path = Path(saved["saved"])
    assert path.read_bytes() == b"line 1\nline 2\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [event["kind"] for event in one.json("show", "1")["timeline"]][-1] == "file_opened"
    assert one("detach", "1", made["id"][:8], "--reason", "wrong").code == 0
    assert one("files", "1").out.strip() == "INC-1 has no files."
    assert one("verify").code == 0


def test_nothing_is_ever_overwritten(one: Cli, tmp_path: Path) -> None:
    one.json("attach", "1", "trace.log")
    (tmp_path / "there").write_text("mine")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    for to in ("there", "link"):
        ran = one("save", "1", "trace.log", "--to", to)
        assert ran.code == 3
    assert (tmp_path / "there").read_text() == "mine"
    assert not (tmp_path / "nowhere").exists()
    assert one("save", "1", "trace.log").code == 3  # it is here
    (tmp_path / "folder").mkdir()
    assert one("save", "1", "trace.log", "--to", "folder").code == 0
    assert (tmp_path / "folder" / "trace.log").exists()


def test_what_could_not_be_saved_is_not_on_record_as_taken(one: Cli, tmp_path: Path) -> None:
    one.json("attach", "1", "trace.log")
    for to in ("trace.log", "nosuch/trace.log"):
        assert one("save", "1", "trace.log", "--to", to).code in (3, 4)
    assert "took a copy" not in one("show", "1").out
    one.json("save", "1", "trace.log", "--to", "copy")
    assert one("show", "1").out.count("took a copy") == 1


def test_standard_input_is_attached(one: Cli) -> None:
    made = one.json("attach", "1", "-", "--name", "../dump .txt", stdin=b"\x00\x01")
    assert (made["name"], made["size"], made["media_type"]) == ("dump .txt", 2, "text/plain")
    assert one.json("attach", "1", "-", stdin=b"x")["name"] == "standard input"


def test_what_is_too_large_or_no_file_is_refused_first(one: Cli, tmp_path: Path) -> None:
    with (tmp_path / "large").open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    for what, code in {"large": 2, "/dev/zero": 2, str(tmp_path): 2, "not-there": 4}.items():
        ran = one("attach", "1", what)
        assert ran.code == code
        assert "Nothing was done" in ran.err
    assert one("attach", "1", "-", stdin=b"x" * (MAX_BYTES + 1)).code == 2
    assert one("attach", "77", "trace.log").code == 4
    assert one("files", "1").out.strip() == "INC-1 has no files."


def test_which_of_two_is_asked(one: Cli) -> None:
    first, second = (one.json("attach", "1", "trace.log")["id"] for _ in range(2))
    assert first != second
    ran = one("detach", "1", "trace.log")
    assert (ran.code, first in ran.err) == (3, True)
    assert one("detach", "1", "trace.lo").code == 4
    assert one("detach", "1", first).code == 0


def test_at_an_earlier_moment_its_files_are_those_of_then(one: Cli) -> None:
    made = one.json("attach", "1", "trace.log")
    assert one.json("show", "1", "--as-of", made["added_at"].replace("Z", "+00:00"))["files"]


# To a supplier


def with_keys(*keys: str) -> str:
    first, rest = vendor_block().split("\n", 1)
    return "\n".join((first, *keys, rest))


@pytest.fixture
def engaged(one: Cli) -> Cli:
    """With practice engaged for INC-1; it takes 1,000 bytes."""
    one.vendors(with_keys("max_attachment = 1000", 'upload = "sftp://files.example/in"'))
    one.json("engage", "1", "practice", "look")
    return one


def test_a_file_goes_to_a_supplier_from_standard_input_and_from_a_path(engaged: Cli) -> None:
    made = engaged.json("attach", "1", "-", "--to", "practice", "--name", "dump.sql", stdin=b"one")
    assert (made["name"], made["label"], made["to"]) == ("dump.sql", "shareable", "practice")
    said = engaged("attach", "1", str(engaged.home / "trace.log"), "--to", "practice")
    assert "trace.log is on INC-1 and on its way to practice" in said.out
    assert [row["what"] for row in engaged.json("outbox", "list")] == ["create", "attach", "attach"]
    shown = engaged("show", "1").out
    assert "sends dump.sql to practice (3 bytes)" in shown
    assert engaged.json("send", "1", "trace.log")["number"] == "INC-1"


def test_what_is_too_large_for_them_is_not_even_read(engaged: Cli) -> None:
    large = engaged.home / "large.bin"
    large.write_bytes(b"x" * 1001)
    for words, stdin in ((["-"], b"x" * 1001), ([str(large)], b"")):
        said = engaged("attach", "1", *words, "--to", "practice", stdin=stdin)
        assert said.code == 3
        assert "practice takes 1,000 bytes at most" in said.err
        assert "Put it there: sftp://files.example/in." in said.err
    assert engaged.json("files", "1") == []
    told = engaged.json(
        "attach", "1", str(large), "--to", "practice", "--at", "sftp://files.example/in/large"
    )
    assert (told["size"], told["sha256"][:8]) == (1001, hashlib.sha256(b"x" * 1001).hexdigest()[:8])
    assert engaged.json("files", "1") == []
    assert [row["what"] for row in engaged.json("outbox", "list")] == ["create", "comment"]
    assert "large.bin lies elsewhere; practice is told" in engaged("show", "1").out
    assert engaged("attach", "1", str(large), "--at", "https://bob:hunter2@files.example/x").code == 2


def test_what_may_not_leave_is_not_attached_either(engaged: Cli) -> None:
    path = str(engaged.home / "trace.log")
    assert engaged("attach", "1", path, "--to", "practice", "--label", "internal").code == 2
    assert engaged("attach", "1", path, "--to", "nobody").code == 3
    engaged.vendors(with_keys("may_receive = []"))
    said = engaged("attach", "1", path, "--to", "practice")
    assert (said.code, "may receive no files" in said.err) == (3, True)
    assert engaged.json("files", "1") == []


def test_what_is_taken_out_is_said(engaged: Cli) -> None:
    said = engaged("reply", "1", "ring +47 22 33 44 55")
    assert "Taken out before it goes to practice: 1 × phone number" in said.out


def test_a_dry_run_shows_what_would_go_and_leaves_nothing(engaged: Cli) -> None:
    before = engaged.json("verify")["events"]
    words = ["reply", "1", "ring +47 22 33 44 55\nor write", "--internal", "--dry-run"]
    said = engaged(*words)
    assert said.code == 0
    lines = said.out.splitlines()
    assert lines[:4] == [
        "To practice, a comment:",
        "  Text      ring [phone number removed]",
        "            or write",
        "  For their people only.",
    ]
    assert "  The request, as its connector would make it first:" in lines
    assert any(line.startswith("    POST http") and "/TICKET/" in line for line in lines)
    assert "47 22 33" not in said.out
    assert lines[-2:] == [
        'Taken out before it goes to practice: 1 × phone number (may_receive has no "phones").',
        "Nothing was done.",
    ]
    told = engaged.json("engage", "1", "practice", "again", "--again", "--dry-run")
    ((first, *_),) = (told["goes"][0].pop("requests"),)
    assert first[0].startswith("POST http")
    assert "again" in first[-1]
    assert told["goes"][0] == {
        "vendor": "practice",
        "what": "create",
        "title": "Mail is late",
        "body": "again",
        "priority": 3,
        "impact": "medium",
        "urgency": "medium",
        "theirs": {"priority": "Normal"},
    }
    assert engaged("engage", "1", "practice", "again", "--dry-run").code == 3
    assert engaged("note", "1", "x", "--dry-run").code == 2
    assert engaged.json("verify")["events"] == before
    assert len(engaged.json("outbox", "list")) == 1
    assert len(engaged.woken) == 1
