"""The matrix as of an instant: whose is what, who is told at each step, which line an incident belongs to."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from register.duty import Shift
from register.policy import DEFAULT_MATRIX, Matrix
from register.roster import Roster
from tests.tui.fakes import NOW, row
from tests.tui.matrix_sample import AT, HOUR, MATRIX, SHIFTS, sample
from tui.chips import MOST, Chips
from tui.matrix_reading import Grid, Place, grid

GRID = sample()


def place(grid: Grid, category: str, services: tuple[str, ...] = ()) -> Place:
    return next(one for one in grid.places if (one.category, one.services) == (category, services))


def told(place: Place, step: int) -> list[tuple[str, ...]]:
    return [one.names for one in place.steps[step - 1].told]


def test_each_category_has_a_line_and_what_rules_give_to_others_has_its_own() -> None:
    assert [(one.category, one.services, one.team, one.policy) for one in GRID.places] == [
        ("application", (), "app-ops", "app"),
        ("network", (), "net-ops", "net"),
        ("network", ("edge", "vpn"), "infra", "app"),
        ("", (), "app-ops", "app"),
    ]


@pytest.mark.parametrize(
    ("where", "step", "names"),
    [
        (("application", ()), 1, [("Ana Sample",)]),
        (("application", ()), 2, [("Ben Sample",)]),
        (("application", ()), 3, [(), ("Dan Sample",)]),
        (("network", ()), 1, [()]),
        (("network", ()), 2, [("Carl Long Name",)]),  # never met here, and on call all the same
        (("network", ()), 3, [("nordnet",)]),
        (("network", ("edge", "vpn")), 2, [()]),  # infra has no lead
    ],
)
def test_a_step_tells_who_would_be_told_now(
    where: tuple[str, tuple[str, ...]], step: int, names: list[tuple[str, ...]]
) -> None:
    assert told(place(GRID, *where), step) == names


def test_waits_and_reminders_add_up() -> None:
    assert [step.after for step in place(GRID, "application").steps] == [0, 300, 900]
    assert [step.after for step in place(GRID, "network").steps] == [0, 300, 1500]


def test_until_when_somebody_is_on_call_is_said_where_it_is_known() -> None:
    (ana,) = place(GRID, "application").steps[0].told
    assert ana.until == (AT + 10 * HOUR).timestamp()
    (carl,) = place(GRID, "network").steps[1].told
    assert carl.until is None  # longer than it is looked ahead


def test_at_the_handover_the_next_one_is_told() -> None:
    later = sample(now=AT + 10 * HOUR)
    assert told(place(later, "application"), 1) == [("Dan Sample",)]
    gap = sample(now=AT + 19 * HOUR)
    assert told(place(gap, "application"), 1) == [()]
    assert place(gap, "application").steps[0].nobody
    assert place(gap, "application").next_somebody(0) == 2


def test_an_empty_step_leads_to_the_next_one_that_tells_somebody() -> None:
    line = place(GRID, "network", ("edge", "vpn"))
    assert [line.next_somebody(at) for at in range(3)] == [3, 3, None]


def test_those_with_authority_are_the_lead_and_who_stands_above() -> None:
    assert place(GRID, "application").authority == ("Ben Sample", "Eva Sample")
    assert place(GRID, "network", ("edge", "vpn")).authority == ()


def test_the_next_day_of_a_rota_has_its_gaps_and_no_holes() -> None:
    some = GRID.shifts["app"]
    assert [((one.end - NOW) / 3600, one.names) for one in some] == [
        (10, ("Ana Sample",)),
        (18, ("Dan Sample",)),
        (20, ()),
        (24, ("Ana Sample",)),
    ]
    assert some[0].begin == NOW
    assert all(before.end == after.begin for before, after in pairwise(some))
    assert [one.names for one in GRID.shifts["net"]] == [()]


def test_two_on_call_at_once_are_both_named() -> None:
    both = {"app": (*SHIFTS["app"], Shift(AT - HOUR, AT + HOUR, "p2"))}
    some = sample(shifts=both).shifts["app"]
    assert [one.names for one in some][:2] == [("Ana Sample", "Ben Sample"), ("Ana Sample",)]


def test_a_register_without_a_matrix_has_one_line_and_no_policy() -> None:
    empty = grid(Roster(DEFAULT_MATRIX), {}, AT)
    assert not empty.policies
    assert [(one.category, one.team, one.policy, one.steps) for one in empty.places] == [
        ("", "service-desk", None, ())
    ]


@pytest.mark.parametrize(
    ("service", "category", "line"),
    [
        ("shop-web", "application", 0),
        ("SHOP-WEB", "Application", 0),
        ("shop-web", "network", 1),
        ("edge", "network", 2),
        ("VPN", "NETWORK", 2),
        ("somewhere", "network", 1),
        ("edge", "printing", 3),
        ("", "", 3),
        ("ed…", "netw…", 2),  # cut: its row had no room
    ],
)
def test_an_incident_belongs_to_the_line_of_its_service_and_category(
    service: str, category: str, line: int
) -> None:
    assert GRID.place_of(service, category) == line


def test_a_rule_for_services_that_nobody_declared_ends_at_the_category() -> None:
    matrix = Matrix.model_validate(
        {
            "fallback_team": "desk",
            "teams": {"desk": {"name": "Desk"}, "other": {"name": "Other"}},
            "categories": {"network": {"team": "desk"}},
            "ownership": [{"team": "other", "service": ["lab-*"], "category": ["network"]}],
        }
    )
    assert grid(Roster(matrix), {}, AT).place_of("lab-7", "network") == 0


def test_incidents_move_between_lines_and_leave() -> None:
    chips = Chips(GRID, [row(1), row(2, category="network"), row(3, run=["exhausted", 3, 0, 3, None])])
    assert [one["number"] for one in chips.first(0)] == ["INC-3", "INC-1"]
    assert [chips.count(line) for line in range(4)] == [2, 1, 0, 0]
    chips.put("INC-3", row(3, category="network", service="edge"))
    chips.put("INC-1", None)
    chips.put("INC-99", None)
    assert [chips.count(line) for line in range(4)] == [0, 1, 1, 0]
    assert chips.first(0) == ()


def test_of_many_incidents_the_most_urgent_can_be_walked_through() -> None:
    some = [row(n, run=["triggered", 1, 2, 3, NOW + n]) for n in range(1, 101)]
    chips = Chips(GRID, reversed(some))
    assert chips.count(0) == 100
    assert [one["n"] for one in chips.first(0)] == list(range(1, MOST + 1))


def test_nothing_but_the_policy_says_which_line_is_whose() -> None:
    assert GRID.same_lines(sample(now=AT + HOUR))
    other = MATRIX.model_copy(update={"ownership": ()})
    assert not GRID.same_lines(sample(matrix=other))


def test_a_spring_night_has_one_hour_less_and_no_hole() -> None:
    """The strip is cut in absolute time: 24 hours are 24 hours."""
    night = datetime(2026, 3, 28, 23, tzinfo=UTC)
    some = sample(shifts={"app": (Shift(night, night + timedelta(hours=7), "p1"),)}, now=night).shifts["app"]
    assert [one.end - one.begin for one in some] == [7 * 3600, 17 * 3600]
