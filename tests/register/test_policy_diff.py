"""What differs between two policies, and what is odd about one."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from register.matrix_toml import SAMPLE, read_matrix
from register.policy import DEFAULT_MATRIX, Matrix
from register.policy_diff import changes, in_short
from register.policy_notes import notes

NONE: tuple[dict[str, Any], dict[str, Any]] = ({}, {})
TEAMS = {"desk": {"name": "Desk"}, "net": {"name": "Net"}, "app": {"name": "App"}}


def matrix(**more: Any) -> Matrix:
    return Matrix.model_validate({"fallback_team": "desk", "teams": TEAMS} | more)


def said(before: Matrix, after: Matrix) -> list[str]:
    return [str(one) for one in changes(before, after, NONE)]


def test_a_policy_differs_from_itself_in_nothing() -> None:
    sample = read_matrix(SAMPLE.read_text(encoding="utf-8"))
    for one in (sample, DEFAULT_MATRIX, matrix()):
        assert changes(one, one, ({"a": {"title": "A"}}, {"a": {"title": "A"}})) == []


def test_each_change_is_said_in_a_line() -> None:
    people = {"ana": {"name": "Ana Sample", "login": "ana", "teams": ["net"]}}
    moved = {"ana": people["ana"] | {"role": "admin"}}
    assert said(matrix(people=people), matrix(people=moved)) == ["~ person ana: role none → admin"]
    assert said(matrix(), matrix(people=people)) == [
        "+ person ana: name Ana Sample, login ana, teams net, zone UTC"
    ]
    assert said(matrix(people=people), matrix())[0].startswith("- person ana")
    assert said(matrix(), matrix(flap_window="1h")) == ["~ flap_window: 30m → 1h"]


def test_owners_are_told_together_where_they_go_the_same_way() -> None:
    services = {"services": {"Shop": "", "Pay": "", "Net": ""}, "categories": {"hardware": "", "access": ""}}
    rule = {"team": "net", "service": ["Net"]}
    assert said(matrix(**services), matrix(**services, ownership=[rule])) == [
        "~ owner of Net × *: desk → net"
    ]
    broken = {"team": "app", "category": "hardware"}
    assert said(matrix(**services), matrix(**services, ownership=[broken])) == [
        "~ owner of Shop, Pay, Net, others × hardware: desk → app"
    ]


def test_suppliers_are_told_key_by_key() -> None:
    before, after = {"acme": {"title": "Acme", "url": "a"}}, {"acme": {"title": "Acme", "url": "b"}}
    assert [str(one) for one in changes(matrix(), matrix(), (before, after))] == [
        "~ supplier acme: url a → b"
    ]


@settings(max_examples=30, deadline=None)
@given(st.sets(st.from_regex(r"[a-z]{3}", fullmatch=True), max_size=60), st.integers(3, 20))
def test_in_short_it_is_never_longer_and_says_what_is_left_out(names: set[str], most: int) -> None:
    people = {name: {"name": name, "login": name, "role": "viewer"} for name in names}
    other = {name: one | {"role": "admin"} for name, one in people.items()}
    for before, after in ((matrix(), matrix(people=people)), (matrix(people=people), matrix(people=other))):
        found = changes(before, after, NONE)
        lines = in_short(found, most)
        assert len(lines) <= most
        told = "\n".join(lines)
        assert all(name in told for name in names) or "more: --json" in told


def test_the_sample_is_odd_in_nothing_but_what_it_says_itself() -> None:
    sample = read_matrix(SAMPLE.read_text(encoding="utf-8"))
    assert [note.split(":")[0] for note in notes(sample, {"practice": {}})] == ["Categories without a team"]


def test_what_is_odd_is_named() -> None:
    people = {"ana": {"name": "Ana Sample", "login": "ana"}}
    teams = TEAMS | {"net": {"name": "Net", "lead": "ana"}}
    odd = "\n".join(notes(matrix(people=people, teams=teams, services={"Shop": "", "Net": ""}), {}))
    for words in ("Nobody is admin", "In no team: ana", "teams.app has no members", "led by ana, who is not"):
        assert words in odd
    assert "No rule names Shop, Net" in odd
