"""Whom the escalations of a matrix may tell."""

from __future__ import annotations

from register.matrix_toml import read_matrix
from register.told_people import told_people

MATRIX = """fallback_team = "desk"
[people]
ana = { name = "Ana", login = "ana", teams = ["desk"] }
ben = { name = "Ben", login = "ben", teams = ["net"] }
cat = { name = "Cat", login = "cat" }
dan = { name = "Dan", login = "dan" }
eva = { name = "Eva", login = "eva" }
vic = { name = "Vic", login = "vic", teams = ["quiet"] }
[teams.desk]
name = "Desk"
[teams.net]
name = "Network"
rota = "net"
lead = "ben"
authority = ["eva"]
policy = "usual"
[teams.quiet]
name = "Told of nothing"
lead = "vic"
[[rotas.net.shifts]]
people = ["cat", "ben"]
[[policies.usual.steps]]
to = ["oncall", "supplier:acme"]
[[policies.usual.steps]]
to = ["team:desk", "person:dan", "lead"]
"""


def test_each_is_told_as_what_a_policy_says_and_who_is_in_none_is_not() -> None:
    assert told_people(read_matrix(MATRIX)) == {
        "cat": "in rotas.net",
        "ben": "in rotas.net",
        "ana": "in teams.desk",
        "dan": "by policies.usual",
        "eva": "of what teams.net leaves unanswered",
    }


def test_without_policies_nobody_is() -> None:
    matrix = read_matrix(MATRIX.partition("[[policies")[0].replace('policy = "usual"\n', ""))
    assert told_people(matrix) == {}
