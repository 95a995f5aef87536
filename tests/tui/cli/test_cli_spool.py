"""The command line while PostgreSQL is taken away, and when it is back."""

from __future__ import annotations

import getpass
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from register.live import Live
from register.store import Store, open_store
from register.store.engine import REACHED
from register.verify import verify
from tests.cuttable import Line, line_to
from tests.register.saying import sql
from tests.tui.cli_help import Cli
from tui.session import Session, register_url


@pytest.fixture
def line(databases: Any, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> Iterator[Line]:
    """A register on PostgreSQL that this person's board has seen, behind a line that can be cut."""
    url = databases.make()
    with line_to(url) as line:
        monkeypatch.setenv("MUSTER_REGISTER", line.url)
        assert cli("log", "before").code == 0
        seen(line)
        yield line
    databases.clear(url)


def seen(line: Line) -> None:
    """Leave a live.json as a board does."""
    store = open_store(line.url)
    live = Live.open(Session(register_url(line.url), Path("/"), "x").live_path)
    live.belongs_to(store.register_id)
    live.save()
    store.close()


@pytest.fixture
def store(line: Line) -> Iterator[Store]:
    """The register, seen from the other end of the line."""
    opened = open_store(line.url.replace(str(line.folder), str(Path(line._server).parent)))
    yield opened
    opened.close()


def test_what_is_said_while_the_register_is_away_is_in_it_once_when_it_is_back(
    cli: Cli, line: Line, store: Store
) -> None:
    line.cut()
    logged = cli("log", "db down", "--impact", "high")
    assert logged.code == 0
    assert logged.out == "~1  not entered yet  log: db down\n"
    assert "does not answer" in logged.err
    assert "It is kept in the spool as ~1 and will be entered, once, when the register is back." in logged.err
    noted = cli.json("note", "~1", "since noon")
    assert (noted["number"], noted["spooled"], noted["refused"]) == ("~2", True, None)
    cli.json("note", "INC-1", "and this")
    assert "~3  " in cli("spool", "list").out
    assert cli("list").code == 5

    line.mend()
    listed = cli("list")
    assert listed.code == 0
    assert "INC-2" in listed.out
    assert listed.err.splitlines() == [
        "~1 is INC-2 now.",
        "The note ~2 is on INC-2 now.",
        "The note ~3 is on INC-1 now.",
    ]
    assert cli("list").err == ""
    assert cli("spool", "list").out == "The spool is empty: everything you said is in the register.\n"
    assert [event.kind for event in store.timeline("INC-2")] == ["created", "note"]
    assert [event.kind for event in store.timeline("INC-1")] == ["created", "note"]
    assert {event.actor for event in store.timeline("INC-2")} == {store.person_id(getpass.getuser())}
    assert verify(store).faults == []
    # the number that a script was given goes on meaning it
    assert cli("note", "~1", "more").code == 0
    assert len(store.timeline("INC-2")) == 3
    assert cli("take", "~1").code == 0


def test_a_server_that_lets_in_and_answers_nothing_is_away_too(
    cli: Cli, line: Line, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(REACHED, "connect_timeout", 2)
    line.freeze()
    begun = time.monotonic()
    ran = cli("log", "nobody answers")
    assert time.monotonic() - begun < 20
    assert (ran.code, ran.out) == (0, "~1  not entered yet  log: nobody answers\n")
    line.cut()
    line.thaw()
    line.mend()
    assert cli("list").err == "~1 is INC-2 now.\n"
    assert len(store.timeline("INC-2")) == 1


def test_without_a_spool_the_error_stands(cli: Cli, line: Line) -> None:
    line.cut()
    ran = cli("log", "db down", "--no-spool")
    assert (ran.code, ran.out) == (5, "")
    assert "spool" not in ran.err
    assert cli("spool", "list").out.startswith("The spool is empty")


def test_of_a_register_that_was_never_seen_nothing_is_kept(cli: Cli, line: Line) -> None:
    line.cut()
    next(Path(cli.home / "state").rglob("live.json")).unlink()
    ran = cli("log", "db down")
    assert ran.code == 5
    assert "It could not be kept in the spool: no board of yours has seen this register yet" in ran.err
    assert cli("spool", "list").out.startswith("The spool is empty")


@pytest.mark.parametrize(
    "said", [("take", "1"), ("ack", "1"), ("resolve", "1", "done", "--code", "workaround")]
)
def test_what_would_not_be_true_later_is_not_kept(cli: Cli, line: Line, said: tuple[str, ...]) -> None:
    line.cut()
    ran = cli(*said)
    assert ran.code == 5, ran.err
    assert cli("spool", "list").out.startswith("The spool is empty")


def test_wrong_use_is_told_and_not_kept(cli: Cli, line: Line) -> None:
    line.cut()
    assert cli("log", "").code == 2
    assert cli("note", "~7", "on nothing").code == 5
    assert cli("note", "nonsense", "x").code == 2
    assert cli("spool", "list").out.startswith("The spool is empty")


def test_a_conflict_is_told_and_can_be_settled(cli: Cli, line: Line, store: Store) -> None:
    line.cut()
    cli("note", "INC-99", "on nothing")
    cli("note", "INC-98", "on nothing either")
    line.mend()
    first = cli("list").err
    assert "~1 (note on INC-99: on nothing) was not entered: There is no INC-99." in first
    assert "`muster spool retry ~1` tries again, `muster spool drop ~1` gives it up." in first
    assert cli("list").err == "~1, ~2 could not be entered and wait for you: `muster spool list` says why.\n"
    assert "not entered: There is no INC-99." in cli("spool", "list").out
    again = cli("spool", "retry", "~1")
    assert again.code == 3
    assert "There is no INC-99" in again.err
    assert "The note ~1 is on INC-1 now." in cli("spool", "retry", "1", "--to", "1").out
    assert cli("spool", "drop", "~2").code == 0
    assert cli("spool", "drop", "~2").code == 4
    assert cli("spool", "drop", "x").code == 4
    assert cli("list").err == ""
    assert [event.kind for event in store.timeline("INC-1")] == ["created", "note"]


def test_the_doctor_looks_into_the_spool(cli: Cli, line: Line) -> None:
    def found() -> list[tuple[bool, str]]:
        findings = cli("doctor", "--json").data["findings"]
        return [(one["ok"], one["says"]) for one in findings if one["name"] == "spool"]

    assert found() == [(True, "empty")]
    line.cut()
    cli("note", "INC-99", "on nothing")
    assert found() == [(True, "waiting for the register: 1")]
    line.mend()
    cli("list")
    assert found() == [(False, "1 could not be entered: ~1")]


def test_another_register_in_its_place_gets_nothing_of_it(cli: Cli, line: Line, store: Store) -> None:
    line.cut()
    cli("log", "for the old one")
    sql(store, "UPDATE head SET register_id = '01ANOTHERREGISTER0000000000'")
    line.mend()
    ran = cli("list")
    assert "for the old one" not in ran.out
    assert "1 in the spool for another register that was here before" in ran.err
    retried = cli("spool", "retry", "~1")
    assert retried.code == 3
    assert "was said to another register" in retried.err
    assert store.incident("INC-2") is None
    assert cli("spool", "drop", "~1").code == 0
    assert cli("list").err == ""
