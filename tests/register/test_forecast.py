"""The forecast is what happens: who is told, when, under which rule; and a lint that sees silence coming."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from register.core import VendorFacts
from register.desk import ServiceDesk
from register.escalation_notes import escalation_notes, otherwise
from register.forecast import MOST, Case, forecast, paths, supposed
from register.incident import Impact, Urgency
from register.matrix_toml import read_matrix
from register.policy import Matrix
from register.roster import Roster
from register.store import Store
from register.store.rosters import roster_now, world_now
from register.toml_file import FileFaults
from register.topics.ownership import Acknowledge
from register.topics.steps import EscalatedHierarchical, StepFired
from register.watch import next_after, tick
from tests.register.escalating import BEGIN, MATRIX, escalating, urgent
from tests.register.saying import ANA, look

SHIFTS = """
[rotas.desk]
zone = "Europe/Oslo"
[[rotas.desk.shifts]]
rotate = "daily"
start = "2026-03-01 02:30"
people = ["ana", "carl"]
"""
ON_CALL = (
    MATRIX.replace('to = ["person:ana"]', 'to = ["oncall"]').replace(
        "[teams.apps]\n", '[teams.apps]\nrota = "desk"\n'
    )
    + SHIFTS
)


def happened(desk: ServiceDesk, number: str) -> list[tuple[datetime, tuple[str, ...]]]:
    """Whom steps and authority told, when."""
    return [
        (one.at, one.event.told)
        for one in desk.store.timeline(number)
        if isinstance(one.event, StepFired | EscalatedHierarchical)
    ]


def lives(desk: ServiceDesk, clock: Any) -> None:
    """Tick at each instant at which something falls due, until nothing does."""
    while (due := next_after(desk.store, clock.now)) is not None:
        clock.now = due
        tick(desk, due)


@pytest.mark.parametrize("acked", [False, True])
def test_what_is_foreseen_is_what_happens(store: Store, acked: bool) -> None:
    desk, clock = escalating(store, ON_CALL)
    clock.now = datetime(2026, 3, 29, 0, 15, tzinfo=UTC)  # the clocks go forward, at the hour of the handoff
    number = urgent(desk)
    if acked:
        desk.do(ANA, Acknowledge(target=number))
    tick(desk, clock.now)
    foreseen = forecast(look(desk, number), world_now(store, desk.policy, clock.now))
    assert len(foreseen) >= 5
    before = len(happened(desk, number))
    lives(desk, clock)
    after = happened(desk, number)[before:]
    told = [(one.at, one.who) for one in foreseen if one.who and one.what != "asks again"]
    assert [who for _, who in told] == [who for _, who in after]
    assert all(abs(at - was) < timedelta(seconds=1) for (at, _), (was, _) in zip(told, after, strict=True))
    assert all(one.rule for one in foreseen)


def test_it_writes_nothing_and_is_of_the_moment_when_it_is_asked(store: Store) -> None:
    desk, clock = escalating(store, ON_CALL)
    number = urgent(desk)
    seq = store.seq()
    world = world_now(store, desk.policy, clock.now)
    first = forecast(look(desk, number), world)
    assert store.seq() == seq
    later = forecast(look(desk, number), replace(world, now=clock.now + timedelta(hours=3)))
    assert later[0].at == clock.now + timedelta(hours=3)
    assert [one.what for one in later] == [one.what for one in first]


def test_the_same_night_through_both_changes_of_the_clocks() -> None:
    matrix = read_matrix(ON_CALL)
    roster = Roster(matrix, ids={key: key for key in matrix.people})
    zone = ZoneInfo("Europe/Oslo")
    for day, handoff in ((29, "03:00"), (25, "02:30")):
        month = 3 if day == 29 else 10
        evening = datetime(2026, month, day, 0, 28, tzinfo=UTC)
        incident, world = supposed(Case(), matrix, roster, evening)
        told = [one for one in forecast(incident, world) if "step 1" in one.rule]
        assert len({one.who for one in told}) in (1, 2)
        change = roster.change("desk", evening - timedelta(hours=3))
        assert change is not None
        assert f"{change[0].astimezone(zone):%H:%M}" == handoff


def test_on_a_holiday_whoever_is_on_call_then_is_told() -> None:
    """Whit Monday: the office is closed in Norway, and the watch is told in its place."""
    office = """
[rotas.desk]
zone = "Europe/Oslo"
[[rotas.desk.shifts]]
people = "ana"
hours = "Mon-Fri 08:00-17:00"
holidays = "NO"
[[rotas.desk.shifts]]
people = "carl"
"""
    matrix = read_matrix(ON_CALL.replace(SHIFTS, office))
    roster = Roster(matrix, ids={key: key for key in matrix.people})
    for day, first in ((18, ("ana", "carl")), (25, ("carl",))):
        incident, world = supposed(Case(), matrix, roster, datetime(2026, 5, day, 10, 0, tzinfo=UTC))
        assert forecast(incident, world)[0].who == first
    with pytest.raises(FileFaults, match=r"rotas.desk.shifts.*does not know 'XX'"):
        read_matrix(ON_CALL.replace(SHIFTS, office.replace('"NO"', '"XX"')))


def test_a_supposed_incident_is_as_a_logged_one_would_be(store: Store) -> None:
    desk, clock = escalating(store)
    number = urgent(desk)
    real = forecast(look(desk, number), world_now(store, desk.policy, clock.now))
    incident, world = supposed(
        Case(), desk.policy.matrix, roster_now(store, desk.policy.matrix), look(desk, number).opened_at
    )
    assert [(one.what, one.who) for one in forecast(incident, world)] == [(one.what, one.who) for one in real]


def test_a_low_urgency_is_told_once_and_no_policy_tells_nobody() -> None:
    matrix = read_matrix(MATRIX)
    roster = Roster(matrix, ids={key: key for key in matrix.people})
    low = Case(impact=Impact.HIGH, urgency=Urgency.LOW)
    incident, world = supposed(low, matrix, roster, BEGIN)
    assert [one.who for one in forecast(incident, world)] == [("ana",)]
    bare = Matrix(fallback_team="desk")
    incident, world = supposed(Case(), bare, Roster(bare), BEGIN)
    assert forecast(incident, world) == ()


def test_it_ends(store: Store) -> None:
    endless = MATRIX.replace("repeat = 1", "repeat = 9").replace('wait = "5m"', 'wait = "5m"\nremind = 9', 1)
    matrix = read_matrix(endless)
    roster = Roster(matrix, ids={key: key for key in matrix.people})
    incident, world = supposed(Case(), matrix, roster, BEGIN)
    assert len(forecast(incident, world)) == MOST


# Lint


def said(text: str, vendors: Any = None) -> str:
    matrix = read_matrix(text)
    roster = Roster(matrix, ids={key: key for key in matrix.people})
    return "\n".join(escalation_notes(matrix, roster, vendors or {}, BEGIN))


def test_a_matrix_without_a_flaw_has_no_note() -> None:
    flawless = ON_CALL.replace('lead = "dora"', 'lead = "dora"\npolicy = "pair"', 1).replace(
        'policy = "pair"\npolicy = "pair"', 'policy = "pair"'
    )
    heads = '[teams.heads]\nname = "Heads"\n'
    assert heads in flawless
    assert said(flawless.replace(heads, heads + 'rota = "desk"\nlead = "eva"\n')) == ""


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('fallback_team = "a"\n[teams.a]\nname = "A"\n', "No policy says who is told"),
        (MATRIX.replace('policy = "pair"\n', ""), "policies.pair is for nothing"),
        (MATRIX.replace('default_policy = "usual"\n', ""), "Nobody is told of what apps, heads own"),
        (MATRIX, "policies.usual ends in silence for heads"),
        (ON_CALL.replace('people = ["ana", "carl"]', 'people = ["ana"]\nhours = "Mon-Fri 08:00-17:00"'),
         "step 1 (oncall), tells nobody for apps from Mon 09 Mar 16:00 UTC until Tue 10 Mar 07:00 UTC:"),
        (MATRIX.replace('to = ["lead", "person:carl"]', 'to = ["person:ana"]'),
         "policies.usual, step 2, tells only whom the step before has told already"),
        (MATRIX.replace('wait = "5m"', 'wait = "9000m"\nremind = 3', 1), "usual, step 2, is never reached"),
        (MATRIX.replace('to = ["lead", "person:carl"]', 'to = ["supplier:acme"]'), "acme, which is no"),
        (MATRIX.replace('reach = ["sms"]', "", 1), "Nothing pages ana, whom a step or a rota names"),
    ],
)  # fmt: skip
def test_each_kind_of_silence_is_seen(text: str, says: str) -> None:
    assert says in said(text)


def test_every_path_of_an_incident_is_looked_at() -> None:
    rule = '[services]\nWeb = "shop"\n[[ownership]]\nteam = "nets"\nservice = "Web"\npolicy = "usual"\n'
    ways = paths(read_matrix(MATRIX + rule))
    assert set(ways) == {("nets", "usual"), ("nets", "pair"), ("apps", "usual"), ("heads", "usual")}
    assert ways["nets", "usual"].service == "Web"


def test_a_changed_matrix_says_for_whom_it_would_be_otherwise() -> None:
    before = read_matrix(MATRIX)
    after = read_matrix(
        MATRIX.replace('wait = "5m"', 'wait = "15m"', 1).replace('lead = "dora"', 'lead = "carl"')
    )
    rosters = [(one, Roster(one, ids={key: key for key in one.people})) for one in (before, after)]
    found = {one.team: one for one in otherwise(rosters[0], rosters[1], BEGIN)}
    assert set(found) == {"apps", "heads", "nets"}
    assert found["apps"].was[:2] == ("+0m ana", "+5m ben, carl")
    assert found["apps"].would[:2] == ("+0m ana", "+15m ben, carl")
    assert list(otherwise(rosters[0], rosters[0], BEGIN)) == []


def test_a_step_that_engages_a_supplier_is_foreseen_of_one_that_there_is_not() -> None:
    text = MATRIX.replace('to = ["person:ana"]', 'to = ["person:ana", "supplier:acme"]')
    matrix = read_matrix(text)
    roster = Roster(matrix, ids={key: key for key in matrix.people})
    acme = VendorFacts("acme", "Acme", production=False)
    for vendors, engaged in (({}, ()), ({"acme": acme}, ("acme",))):
        incident, world = supposed(Case(), matrix, roster, BEGIN, vendors=vendors)
        first = forecast(incident, world)[0]
        assert (first.who, first.suppliers) == (("ana",), engaged)
