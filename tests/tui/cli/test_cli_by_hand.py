"""A supplier by phone on the command line: engaged, told, called, and its contract shown."""

from __future__ import annotations

import pytest

from tests.tui.cli_help import Cli

CABLE = """
[vendor.cable-co]
connector = "manual"
title = "Cable Co"
environment = "production"
phone = "+1 555 0199"
p1 = "ticket+call"
"""


@pytest.fixture
def one(cli: Cli) -> Cli:
    """With one incident, INC-1, and a supplier by phone."""
    cli.vendors(CABLE)
    assert cli("log", "No light", "--impact", "high", "--urgency", "high").code == 0
    return cli


def test_engaged_handed_over_called_and_called_off(one: Cli) -> None:
    told = one.json("engage", "1", "cable-co", "Fibre 7 is dark.")["bonds"][0]
    assert (told["by_hand"], told["to_hand"], told["call"]["why"]) == (True, 1, "p1")
    assert "`muster outbox card` says" in one("reply", "1", "And hurry.").out
    one("outbox", "drop", one.json("outbox", "list")[1]["row_id"])
    (row,) = one.json("outbox", "list")
    assert row["by_hand"]
    assert "by hand" in one("outbox", "list").out
    assert one.json("outbox", "show", row["row_id"])["requests"] == []
    assert "a person hands it over" in one("outbox", "show", row["row_id"]).out
    card = one("outbox", "card", row["row_id"]).out.splitlines()
    assert card[0] == "Call 1  Cable Co  +1 555 0199"
    assert "Fibre 7 is dark." in card
    assert "--ticket NUMBER" in card[-1]
    assert one("outbox", "handed", row["row_id"]).code == 3
    done = one.json("outbox", "handed", row["row_id"], "--ticket", "CS-7", "--whom", "Lena", "--until", "+2h")
    assert (done["bonds"][0]["key"], done["bonds"][0]["to_hand"], done["bonds"][0]["call"]) == (
        "CS-7",
        0,
        None,
    )
    assert done["bonds"][0]["promised_until"] is not None
    assert one.json("outbox", "list") == []
    called = one("call", "1", "Lena", "--said", "It is fixed.", "--stands", "fixed")
    assert "fixed" in called.out
    shown = one("show", "1").out
    assert "called cable-co: Lena" in shown
    assert "It is fixed." in shown
    assert one("accept", "1").code == 0
    assert "close the ticket" in one("outbox", "card", one.json("outbox", "list")[0]["row_id"]).out


def test_what_may_not_leave_any_more_is_not_to_be_said(one: Cli) -> None:
    one.json("engage", "1", "cable-co", "Fibre 7 is dark.")
    (row,) = one.json("outbox", "list")
    one.json("restrict", "1")
    card = one("outbox", "card", row["row_id"]).out
    assert "NOT TO BE SAID" in card
    assert "Fibre 7" not in card
    assert "muster outbox drop" in card


def test_whom_to_call_and_what_can_be_tested(one: Cli) -> None:
    assert one.json("vendors", "contacts", "cable-co")[0]["phone"] == "+1 555 0199"
    assert "Cable Co" in one("vendors", "contacts", "cable-co").out
    assert one("vendors", "contacts", "nobody").code == 4
    assert one("vendors", "check", "cable-co").code == 0
    assert one("vendors", "login", "cable-co").code == 2
    assert one("outbox", "card", "ZZZZZZ").code == 4


def test_the_policy_shows_contracts_and_how_they_fit(one: Cli) -> None:
    (one.home / "matrix.toml").write_text(
        'fallback_team = "desk"\n[teams.desk]\nname = "Desk"\n[contracts.cable-co]\nfix = { P1 = "6h" }\n'
        'nudge = [50]\nbeyond_promise = "nobody else has fibre there"\n'
    )
    assert one("apply").code == 0
    shown = one("matrix", "show").out
    assert "resolution: 2h TOO LATE" in shown
    assert "nobody else has fibre there" in shown
    (contract,) = one.json("matrix", "show")["contracts"]
    assert contract["back_to_back"] == [
        {"priority": "P1", "clock": "resolution", "seconds_to_spare": -7200},
    ]
