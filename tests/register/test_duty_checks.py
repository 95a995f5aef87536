"""matrix.toml about being on call: what names nothing is refused where it stands, what is odd is told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from register.cover import findings
from register.matrix_toml import SAMPLE, read_matrix
from register.policy_notes import notes
from register.roster import Roster
from register.toml_file import FileFaults

PEOPLE = """\
fallback_team = "ops"
[people.ana]
name = "Ana"
login = "ana"
teams = ["ops"]
role = "admin"
[teams.ops]
name = "Operations"
first_line = true
"""
ROTA = '[[rotas.ops.shifts]]\npeople = ["ana"]\n'
LINES = PEOPLE.count("\n")


def fault(text: str) -> str:
    with pytest.raises(FileFaults) as error:
        read_matrix(text)
    (found,) = error.value.faults
    return found


@pytest.mark.parametrize(
    ("text", "place", "says"),
    [
        ('rota = "op"\n' + ROTA, "line 10, teams.ops.rota:", "there is no rota 'op': did you mean ops?"),
        ('policy = "all"\n', "line 10, teams.ops.policy:", "None is declared: write a [policies.NAME]."),
        ('authority = ["ben"]\n', "line 10, teams.ops.authority:", "there is no person 'ben'. Known: ana."),
        ('lead = "ben"\n', "line 10, teams.ops.lead:", "Known: ana."),
        (ROTA.replace("ana", "an"), "line 11, rotas.ops.shifts.people:", "did you mean ana? Known: ana."),
        ('[rotas.ops]\nzone = "UTC"\n', "line 10, rotas.ops:", "has no shifts, so nobody is ever on call"),
        ('[rotas.ops]\nzone = "Oslo"\n' + ROTA, "line 11, rotas.ops.zone:", "write one like Europe/Oslo"),
        (ROTA + 'rotate = "daily"\n', "line 10, rotas.ops.shifts:", "add start, write a time"),
        (ROTA + 'rotate = "daily"\nstart = "9"\n', "line 13, rotas.ops.shifts.start:", "2026-11-02 09:00"),
        (ROTA + 'rotate = "often"\n', "line 12, rotas.ops.shifts.rotate:", "'hourly', 'daily', 'weekly'"),
        (ROTA + 'hours = "9-5"\n', "line 12, rotas.ops.shifts.hours:", "write Mon-Fri 08:00-17:00"),
        (ROTA + 'peple = "ana"\n', "line 12, rotas.ops.shifts.peple:", "did you mean people?"),
        (ROTA.replace('["ana"]', "[]"), "line 11, rotas.ops.shifts.people:", "is empty"),
        ('[[policies.all.steps]]\nto = "rota:ops"\n', "line 11, policies.all.steps.to:", "no rota 'ops'"),
        ('[[policies.all.steps]]\nto = "person:bo"\n', "line 11, policies.all.steps.to:", "no person 'bo'"),
        ('[[policies.all.steps]]\nto = "team:op"\n', "line 11, policies.all.steps.to:", "mean ops?"),
        ('[[policies.all.steps]]\nto = "lead:net"\n', "line 11, policies.all.steps.to:", "no team 'net'"),
        ('[[policies.all.steps]]\nto = "chief"\n', "line 11, policies.all.steps.to:", "could be told"),
        ('[[ownership]]\nteam = "ops"\npolicy = "p"\n', "line 12, ownership.policy:", "no policy 'p'"),
    ],
)  # fmt: skip
def test_what_names_nothing_is_told_where_it_stands(text: str, place: str, says: str) -> None:
    found = fault(PEOPLE + text)
    assert found.startswith(f"matrix.toml {place}"), found
    assert says in found


def test_a_default_policy_must_be_one() -> None:
    assert "default_policy: there is no policy 'p'." in fault('default_policy = "p"\n' + PEOPLE)


def test_a_faulty_rota_leaves_the_rest_to_be_checked_and_is_still_a_name() -> None:
    with pytest.raises(FileFaults) as error:
        read_matrix(PEOPLE + 'rota = "ops"\npolicy = "x"\n' + ROTA + "every = 0\n")
    assert [one.split(": ")[0] for one in error.value.faults] == [
        "matrix.toml line 11, teams.ops.policy",
        "matrix.toml line 14, rotas.ops.shifts.every",
    ]


def test_what_is_odd_about_being_on_call_is_a_note() -> None:
    steps = '[[policies.all.steps]]\nto = ["oncall", "lead", "supplier:acme"]\n'
    matrix = read_matrix('default_policy = "all"\n' + PEOPLE + ROTA + steps)
    assert notes(matrix, {}) == [
        "policies.all engages acme, which is no supplier of vendors.toml.",
        "policies.all tells oncall of the owning team, and ops has no rota: that tells nobody. Give the team"
        " a rota, or name whom to tell.",
        "policies.all tells lead of the owning team, and ops has no lead: that tells nobody. Give the team"
        " a lead, or name whom to tell.",
        "No team and no policy asks who is on call by ops: give it to a team, as its rota.",
    ]
    assert notes(matrix, {"acme": {}})[0].startswith("policies.all tells oncall")


def test_by_the_sample_somebody_is_on_call_at_every_moment() -> None:
    matrix = read_matrix(SAMPLE.read_text("utf-8"))
    ids = {key: f"p{n}" for n, key in enumerate(matrix.people)}
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    for rota in matrix.rotas:
        told = Roster(matrix, ids=ids).shifts(rota, begin, begin + timedelta(days=400))
        covered = begin
        for one in told:
            assert one.begin <= covered, f"{rota}: nobody from {covered}"
            covered = max(covered, one.end)
        assert covered == begin + timedelta(days=400)
        assert len({one.person for one in told}) > 1
    sample = Roster(matrix, ids=ids)
    assert findings(sample, begin, begin + timedelta(days=400)) == ()
