"""`muster oncall` as a person uses it: who it is now, what they arrange, and what is wrong with that."""

from __future__ import annotations

import json
import os
import pwd
from typing import Any

import pytest

LOGIN = pwd.getpwuid(os.getuid()).pw_name
MATRIX = f"""\
fallback_team = "ops"
default_policy = "all"
[teams.ops]
name = "Operations"
rota = "ops"
[people.me]
name = "Myself Sample"
login = "{LOGIN}"
role = "admin"
[people.ben]
name = "Ben Sample"
login = "ben.s"
[rotas.ops]
zone = "Europe/Oslo"
[[rotas.ops.shifts]]
people = ["me"]
[rotas.override]
[[rotas.override.shifts]]
people = ["ben"]
rotate = "daily"
start = 2026-01-01 08:00:00
[[policies.all.steps]]
to = "oncall"
"""


@pytest.fixture
def rotas(cli: Any) -> Any:
    (cli.home / "matrix.toml").write_text(MATRIX)
    assert cli("apply").code == 0
    return cli


def test_who_is_on_call_and_that_nothing_is_wrong(rotas: Any) -> None:
    shown = rotas("oncall")
    assert shown.code == 0
    assert [line.split()[0] for line in shown.out.splitlines()[:3]] == ["ROTA", "ops", "override"]
    assert "Myself Sample  for over a year" in shown.out
    assert "No gaps and no conflicts in the 14 days from then." in shown.out
    told = json.loads(rotas("oncall", "ops", "--json", "--at", "+3d").out)
    assert told["rotas"] == [
        {
            "rota": "ops",
            "about": "",
            "zone": "Europe/Oslo",
            "on_call": [{"person": "me", "name": "Myself Sample"}],
            "until": None,
            "next": [],
        }
    ]
    assert rotas("oncall", "show", "override").code == 0  # a rota that is called as a verb is
    missing = rotas("oncall", "op")
    assert missing.code == 4
    assert "did you mean ops?" in missing.err


def test_a_shift_is_given_away_asked_for_and_taken_back(rotas: Any) -> None:
    off = rotas("oncall", "override", "ops", "dentist", "--remove", "me", "--from", "+1h", "--until", "+3h")
    assert off.code == 0, off.err
    assert "O-1: Myself Sample is off call by ops" in off.out
    shown = " ".join(rotas("oncall").out.split())
    assert "without Myself Sample: dentist" in shown
    assert "ops: nobody is on call from" in shown
    assert "(O-1), and nobody is in their place." in shown
    assert rotas("oncall", "end", "O-1").code == 0
    asked = rotas("oncall", "swap", "ops", "ben.s", "--until", "+3h", "--why", "moving")
    assert "S-2: Ben Sample is asked to take ops" in asked.out
    assert "Ben Sample is asked to take it for Myself Sample: moving" in " ".join(rotas("oncall").out.split())
    mine = rotas("oncall", "accept", "S-2")
    assert mine.code == 3
    assert "only they can answer" in mine.err
    assert rotas("oncall", "end", "S-2").code == 0
    made = rotas(
        "oncall", "schedule", "ops", "x", "--people", "ben,me", "--rotate", "hourly", "--until", "+2h"
    )
    assert made.code == 0, made.err
    told = json.loads(rotas("oncall", "--json").out)
    assert [one["id"] for one in told["arranged"]] == ["T-3"]
    assert told["rotas"][0]["on_call"][0]["person"] == "ben"


def test_a_register_without_rotas_says_so(cli: Any) -> None:
    assert "nobody is on call by anything" in cli("oncall").out
