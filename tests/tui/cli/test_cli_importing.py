"""`muster import`: what went out comes in, once, with its own times; faulty lines are told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from register.store import open_store
from register.verify import verify
from tests.tui.cli_help import Cli

KEPT = (
    *("state", "priority", "title", "impact", "urgency", "service", "category", "resolution", "cause"),
    *("opened_at", "acknowledged_at", "resolved_at", "closed_at", "owner", "caller", "reporter"),
)
"""What a round trip must not change; numbers and times of recording are the register's own."""


@pytest.fixture
def lived(cli: Cli) -> Cli:
    cli(
        "log", "Mail is late", "--impact", "high", "--urgency", "high", "--caller", "eva", "--service", "Mail"
    )
    cli("take", "1")
    cli("note", "1", "Queue of geheimnisvoll length.")
    cli("log", "Printer is out")
    cli("resolve", "2", "New toner", "--code", "fixed_permanent", "--cause", "hardware")
    cli("log", "Door is stuck")
    cli("resolve", "3", "Oil", "--code", "workaround")
    cli("close", "3")
    cli("log", "A test")
    cli("cancel", "4", "A test")
    cli("log", "Salaries leaked", "--restricted")
    return cli


def exported(cli: Cli, name: str) -> Path:
    path = cli.home / name
    assert cli("export", "--all", "--to", str(path)).code == 0
    return path


def elsewhere(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MUSTER_REGISTER", str(cli.home / "other.db"))


def told(path: Path) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in path.read_text().splitlines()[1:]]
    return [{name: line[name] for name in (*KEPT, "visibility")} for line in lines]


def test_what_went_out_comes_in_with_its_own_times(lived: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    file = exported(lived, "out.jsonl")
    elsewhere(lived, monkeypatch)
    lived("log", "Already here")
    assert lived.json("import", str(file)) == {"added": 5, "known": 0, "faults": [], "dry_run": False}
    again = exported(lived, "again.jsonl")
    assert told(again)[1:] == told(file)
    store = open_store(str(lived.home / "other.db"))
    assert verify(store).faults == []
    assert [one.number for one in store.incidents(everything=True)] == [f"INC-{n}" for n in range(1, 7)]
    store.close()
    shown = lived.json("show", "2")
    assert shown["timeline"][-1]["data"]["number"] == "INC-1"  # its number there is kept
    assert "INC-2" in lived("search", "geheimnisvoll").out  # and its story is found
    assert "completed" in lived("clock", "4").out  # a closed one has its clocks done
    assert "in progress" in lived("clock", "2").out


def test_the_same_file_twice_adds_nothing(lived: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    file = exported(lived, "out.jsonl")
    elsewhere(lived, monkeypatch)
    lived("import", str(file))
    before = (lived.home / "other.db").stat().st_size, lived.json("list", "--all")
    assert lived.json("import", str(file))["known"] == 5
    assert lived.json("list", "--all") == before[1]


def test_a_dry_run_writes_nothing(lived: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    file = exported(lived, "out.jsonl")
    elsewhere(lived, monkeypatch)
    assert lived.json("import", str(file), "--dry-run")["added"] == 5
    assert lived.json("list", "--all") == []


def test_faulty_lines_are_told_and_the_others_go_in(lived: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    file = exported(lived, "out.jsonl")
    head, first, second, *_ = file.read_bytes().splitlines()
    changed = json.loads(first) | {
        "number": "X-1",
        "resolved_at": None,
        "state": "Resolved",
        "resolution": None,
    }
    ahead = json.loads(first) | {
        "number": "X-2",
        "opened_at": "2999-01-01T00:00:00Z",
        "acknowledged_at": None,
    }
    bad = (
        b"not json",
        b'{"number": "X-3", "title": "\xff"}',
        b'{"number": "X-4"}',
        b"[" * 100_000,
        json.dumps(changed).encode(),
        json.dumps(ahead).encode(),
        b'{"x": "' + b"y" * (9 << 20) + b'"}',
    )
    file.write_bytes(b"\n".join([head, first, *bad, b"", second]) + b"\n")
    elsewhere(lived, monkeypatch)
    ran = lived("import", str(file), "--json")
    assert ran.code == 1
    assert ran.data["added"] == 2
    assert [fault["line"] for fault in ran.data["faults"]] == [3, 4, 5, 6, 9, 7, 8]
    assert all(fault["why"].strip() for fault in ran.data["faults"])
    assert "mend them and import the file again" in lived("import", str(file)).out


def test_a_csv_of_another_system_with_a_column_map(cli: Cli) -> None:
    file = cli.home / "old tickets.csv"
    file.write_bytes(
        "\ufeffTicket,Summary,Status,Created,Closed on,Fix,Who\r\n"
        'T-1,"Mail, again",Closed,2026-01-01 10:00,2026-01-02 11:00,workaround,carl\r\n'
        '=1+1,"Two\nlines \x1b[31m",new,2026-07-01T10:00+00:00,,,\r\n'
        "T-3,No time,New,yesterday,,,\r\n"
        "\r\n".encode()
    )
    columns = {"Ticket": "number", "Summary": "title", "Status": "state", "Created": "opened_at"}
    columns |= {"Closed on": "closed_at", "Fix": "resolution", "Who": "owner"}
    mapped = [part for one in columns.items() for part in ("--map", "=".join(one))]
    ran = cli("import", str(file), *mapped, "--zone", "Europe/Oslo", "--json")
    assert ran.code == 1
    assert ran.data["added"] == 2
    assert [fault["line"] for fault in ran.data["faults"]] == [5]
    first, second = cli.json("list", "--all", "--sort", "oldest")
    assert (first["title"], first["state"], first["owner"]) == ("Mail, again", "Closed", "carl")
    assert first["opened_at"] == "2026-01-01T09:00:00Z"
    assert second["title"] == "Two lines [31m"


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "no export of Muster"),
        (b"{}\n", "no export of Muster"),
        (b'{"muster": "export", "version": 9, "register": "r"}\n', "version 9"),
    ],
)
def test_a_file_that_is_none_of_ours_is_refused_whole(cli: Cli, content: bytes, why: str) -> None:
    file = cli.home / "x.jsonl"
    file.write_bytes(content)
    ran = cli("import", str(file))
    assert ran.code == 2
    assert why in ran.err
    assert "Nothing was done" in ran.err


def test_wrong_use_says_what_to_write(cli: Cli) -> None:
    assert cli("import", str(cli.home / "none.jsonl")).code == 4
    file = cli.home / "x.csv"
    file.write_text("a,b\n1,2\n")
    assert "--map COLUMN=title" in cli("import", str(file)).err
    assert "There is no column c" in cli("import", str(file), "--map", "c=title").err
    assert "write COLUMN=FIELD" in cli("import", str(file), "--map", "a=colour").err


def test_who_may_not_is_refused(lived: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    from register.core import Principal, Role

    file = exported(lived, "out.jsonl")
    elsewhere(lived, monkeypatch)
    lived("list")
    monkeypatch.setattr(
        "tui.cli.here.principal", lambda store, session, source: Principal("ana", Role.RESPONDER, source)
    )
    assert lived("import", str(file)).code == 3
