"""Finished sendings on the command line: listed, found by incident, kept from whoever may not see."""

from __future__ import annotations

import pytest

from tests.tui.cli_help import Cli, vendor_block


@pytest.fixture
def one(cli: Cli) -> Cli:
    """With INC-1, of which two sendings are over, and INC-2, of which one waits."""
    cli.vendors(vendor_block())
    for number in ("1", "2"):
        cli.json("log", "Mail is late")
        cli.json("engage", number, "practice", "No mail since noon.")
    cli.json("reply", "1", "And hurry.")
    cli.json("outbox", "drop", cli.json("outbox", "list")[0]["row_id"])
    return cli


def test_finished_sendings_are_listed_newest_first(one: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    assert [row["number"] for row in one.json("outbox", "list")] == ["INC-2"]
    rows = one.json("outbox", "list", "--all")
    assert [(row["number"], row["what"]) for row in rows] == [
        ("INC-1", "comment"),
        ("INC-2", "create"),
        ("INC-1", "create"),
    ]
    monkeypatch.setattr("tui.cli.looking.MOST_SENDINGS", 2)
    told = one("outbox", "list", "--all").out
    assert "The newest 2; there are older ones" in told
    assert rows[2]["row_id"] not in told


def test_an_incident_shows_its_sending_or_lists_them(one: Cli) -> None:
    assert one.json("outbox", "show", "INC-2")["number"] == "INC-2"
    assert [row["what"] for row in one.json("outbox", "show", "1")] == ["comment", "create"]
    assert "`muster outbox show SENDING`" in one("outbox", "show", "1").out
    for row in one.json("outbox", "show", "1"):
        assert one.json("outbox", "show", row["row_id"])["state"] == row["state"]
    one.json("log", "Printer is out")
    assert "INC-3 has no sending" in one("outbox", "show", "3").err


def test_none_and_several_are_told_apart(one: Cli) -> None:
    some = one.json("outbox", "list", "--all")[0]["row_id"]
    assert "Several sendings begin with" in one("outbox", "show", some[:4]).err
    assert "No sending that you may see begins with" in one("outbox", "show", "ZZZZZZ").err
    assert "too short" in one("outbox", "show", "0").err


def test_a_restricted_incident_s_are_not_shown(one: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    row_id = one.json("outbox", "show", "2")["row_id"]
    one.json("restrict", "2")
    monkeypatch.setattr("tui.cli.here.Here.unseen", lambda self, numbers: frozenset(numbers) & {"INC-2"})
    for asked in ("2", row_id):
        ran = one("outbox", "show", asked)
        assert ran.code == 4
        assert "that you may see" in ran.err
    (masked,) = (row for row in one.json("outbox", "list", "--all") if row["number"] == "INC-2")
    assert (masked["vendor"], masked["what"], masked["why"]) == ("", "", "restricted")
