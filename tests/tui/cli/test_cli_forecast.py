"""`muster matrix forecast`, and what apply and lint say of who would be told."""

from __future__ import annotations

import os

import pytest

from register.matrix_toml import SAMPLE
from tests.tui.cli_help import Cli

MATRIX = """
fallback_team = "desk"
default_policy = "usual"
[teams.desk]
name = "Desk"
lead = "eva"
[people.me]
name = "Me Sample"
uid = {uid}
zone = "Europe/Oslo"
teams = ["desk"]
[people.eva]
name = "Eva Sample"
login = "eva"
teams = ["desk"]
[policies.usual]
repeat = 0
[[policies.usual.steps]]
to = ["person:me"]
wait = "5m"
[[policies.usual.steps]]
to = ["team"]
wait = "10m"
"""


def write(cli: Cli, text: str = MATRIX) -> None:
    (cli.home / "matrix.toml").write_text(text.replace("{uid}", str(os.getuid())))


def test_who_would_be_told_when_and_under_which_rule(cli: Cli) -> None:
    write(cli)
    assert cli("log", "--title", "Checkout answers 500", "--impact", "high", "--urgency", "high").code == 0
    told = cli.json("matrix", "forecast", "INC-1")
    assert (told["number"], told["team"], told["policy"]) == ("INC-1", "desk", "usual")
    assert [(one["what"], one["who"]) for one in told["forecast"]] == [
        ("told", ["me"]),
        ("told", ["me", "eva"]),
        ("exhausted", []),
        ("authority", ["eva"]),
    ]
    text = cli("matrix", "forecast", "1").out
    assert "policies.usual, step 2 of 2: team" in text
    assert "CET" in text or "CEST" in text
    cli("ack", "INC-1")
    assert cli.json("matrix", "forecast", "INC-1")["paging"] == "acknowledged"


def test_of_an_incident_that_there_is_not(cli: Cli) -> None:
    write(cli)
    told = cli.json("matrix", "forecast", "--priority", "P4", "--at", "2026-12-24 23:00")
    assert [one["who"] for one in told["forecast"]] == [["me"]]
    assert told["forecast"][0]["at"].startswith("2026-12-24T")
    assert "would be desk's" in cli("matrix", "forecast").out


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("INC-9",), "There is no INC-9"),
        (("--priority", "P9"), "P1 to P5"),
        (("--at", "soonish"), "soonish"),
    ],
)
def test_what_cannot_be_foreseen_says_why(cli: Cli, words: tuple[str, ...], says: str) -> None:
    write(cli)
    asked = cli("matrix", "forecast", *words)
    assert asked.code != 0
    assert says in asked.err


def test_apply_shows_for_whom_it_would_be_otherwise(cli: Cli) -> None:
    write(cli)
    assert cli("apply").code == 0
    write(cli, MATRIX.replace('wait = "5m"', 'wait = "30m"'))
    shown = cli("apply", "--dry-run").out
    assert "~ forecast of a P1 of desk:" in shown
    assert "was  +0m me; +5m me, eva" in shown
    assert "now  +0m me; +30m me, eva" in shown
    assert cli.json("apply", "--dry-run")["forecasts"][0]["team"] == "desk"


def test_lint_sees_silence_coming(cli: Cli) -> None:
    write(cli, MATRIX.replace('lead = "eva"\n', ""))
    assert "ends in silence for desk" in cli("matrix", "lint").out
    (cli.home / "matrix.toml").write_text(SAMPLE.read_text())
    assert "policies." not in cli("matrix", "lint").out
