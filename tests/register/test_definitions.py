"""What a matrix may say of clocks, and what is refused when it is loaded."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from register.calendars import Calendar
from register.clocks.book import DEFAULT, DEFAULT_CALENDARS, DEFAULT_CLOCKS, Book
from register.clocks.definition import ClockDefinition, Contract, Kind, Metric, Target
from register.clocks.span import told

HOUR = 3600


def contract(**given: Any) -> Contract:
    return Contract.model_validate(given)


def book(**contracts: Contract) -> Book:
    return Book(DEFAULT_CALENDARS, DEFAULT_CLOCKS, contracts)


def test_the_default_targets_are_the_fields() -> None:
    rules = {rule.name: rule.promises for rule in DEFAULT.rules}
    assert {p: one.seconds for p, one in rules["response"].items()} == {
        "1": 900,
        "2": HOUR,
        "3": 4 * HOUR,
        "4": 8 * HOUR,
    }
    assert {p: one.seconds for p, one in rules["resolution"].items()} == {
        "1": 4 * HOUR,
        "2": 8 * HOUR,
        "3": 2 * 9 * HOUR,
        "4": 5 * 9 * HOUR,
    }
    assert {p for p, one in rules["resolution"].items() if one.calendar == "24x7"} == {"1"}
    assert DEFAULT.faults() == []


@pytest.mark.parametrize(
    ("written", "seconds"),
    [("15m", 900), ("4h", 4 * HOUR), ("1h30m", 5400), ("90 min", 5400), ("2 working days", 2 * 9 * HOUR)],
)
def test_a_length_of_time_is_read(written: str, seconds: int) -> None:
    assert Target(within=written).seconds(9 * HOUR) == seconds
    assert told(seconds) == told(Target(within=told(seconds)).seconds(0))


@pytest.mark.parametrize(
    "written", ["next business day 16:00", "16:00", "end of day", "by Friday", "tomorrow", "before 17:00"]
)
def test_edge_31_a_target_that_is_a_time_of_the_day_is_refused(written: str) -> None:
    with pytest.raises(ValidationError, match="could not be paused"):
        Target(within=written)


@pytest.mark.parametrize(
    ("written", "hint"),
    [
        ("2d", "two ways"),
        ("4", "write 15m"),
        ("", "write 15m"),
        ("0h", "no time at all"),
        ("9999999h", "ten"),
    ],
)
def test_other_lengths_that_cannot_be_read_say_what_to_write(written: str, hint: str) -> None:
    with pytest.raises(ValidationError, match=hint):
        Target(within=written)


def test_a_start_and_a_pause_that_exclude_each_other_are_refused() -> None:
    active = {"state": ["New", "In Progress"]}
    for pause in ({"hold": "caller"}, {"state": "On Hold"}):
        with pytest.raises(ValidationError, match="exclude each other"):
            ClockDefinition.model_validate({"metric": "resolution", "start": active, "pause": pause})
    with pytest.raises(ValidationError, match="exclude each other"):  # the pause is the table's own
        ClockDefinition.model_validate({"metric": "resolution", "start": active})
    doomed = {"metric": "resolution", "start": active, "cancel": {"state": "Canceled"}}
    with pytest.raises(ValidationError, match="exclude each other"):  # a hold would cancel it all the same
        ClockDefinition.model_validate(doomed)
    running = {"metric": "resolution", "start": active, "pause_on": []}
    assert ClockDefinition.model_validate(running).pause_on == ()
    both = {"metric": "resolution", "pause": {"hold": "caller"}, "start": {"priority": "P1"}}
    assert ClockDefinition.model_validate(both).start


@pytest.mark.parametrize(
    ("given", "told_so"),
    [
        ({"metric": "resolution", "when": {"state": "Closed"}}, "never run"),
        ({"metric": "resolution", "when": {}}, "says nothing"),
        ({"metric": "fix"}, "metric"),
        ({"metric": "resolution", "kind": "UC"}, "kind"),
        ({"metric": "resolution", "targets": {"P9": "4h"}}, "P9"),
        ({"metric": "resolution", "pause_on": "rain"}, "pause_on"),
        ({"metric": "resolution", "pause_on": "caller", "pause": {"hold": "caller"}}, "not both"),
        ({"metric": "resolution", "thresholds": [150]}, "100"),
    ],
)
def test_a_definition_that_makes_no_sense_is_refused(given: dict[str, Any], told_so: str) -> None:
    with pytest.raises(ValidationError, match=told_so):
        ClockDefinition.model_validate(given)


def test_names_that_refer_to_nothing_are_told_with_their_place() -> None:
    clocks = {
        "gold": ClockDefinition.model_validate(
            {
                "metric": "resolution",
                "calendar": "ofice",
                "notices": "day",
                "targets": {"P1": {"within": "4h", "calendar": "24/7"}},
            }
        )
    }
    faults = Book(DEFAULT_CALENDARS, clocks, {"acme": contract(calendar="x", fix={"P2": "1h"})}).faults()
    assert [fault.split(":")[0] for fault in faults] == [
        "clocks.gold.calendar",
        "clocks.gold.notices",
        "clocks.gold.targets.P1.calendar",
        "contracts.acme.calendar",
    ]
    assert "'ofice' (known: 24x7, office)" in faults[0]
    shut = {"shut": Calendar(hours="Mon 08:00-09:00", closed="1970-01-01..1979-12-31")}
    clocks = {"gold": ClockDefinition(metric=Metric.RESOLUTION, calendar="shut")}
    assert "never opens" in Book(shut, clocks).faults()[0]


def test_a_contract_must_fit_inside_what_we_have_promised() -> None:
    assert book(acme=contract(fix={"P1": "4h", "P5": "900h"})).faults() == []
    (fault,) = book(acme=contract(fix={"P1": "4h1m"})).faults()
    assert "contracts.acme: P1 does not fit inside clocks.resolution." in fault
    assert "Logged Mon 00:00 UTC: 4h1m of theirs on 24x7 may last until Mon 04:01 UTC" in fault
    (fault,) = book(acme=contract(calendar="office", fix={"P1": "1h"})).faults()
    assert "1h of theirs on office" in fault, "an hour in the night is over before theirs begins"
    assert book(acme=contract(calendar="office", fix={"P1": "1h"}, beyond_promise="signed so")).faults() == []


def test_our_own_handover_counts_into_the_same_promise() -> None:
    clocks = {
        **DEFAULT_CLOCKS,
        "desk": ClockDefinition.model_validate(
            {"kind": "OLA", "metric": "handover", "targets": {"P1": "1h"}}
        ),
    }
    assert Book(DEFAULT_CALENDARS, clocks, {"acme": contract(fix={"P1": "3h"})}).faults() == []
    (fault,) = Book(DEFAULT_CALENDARS, clocks, {"acme": contract(fix={"P1": "3h1m"})}).faults()
    assert "1h of desk and 3h1m of theirs" in fault


def test_a_handover_that_is_shorter_by_its_number_may_be_the_longer_one_by_its_hours() -> None:
    office, always = {"P1": {"within": "1h", "calendar": "office"}}, {"P1": "2h"}
    clocks = {
        "it": ClockDefinition.model_validate({"metric": "resolution", "targets": {"P1": "24h"}}),
        "day": ClockDefinition.model_validate({"kind": "OLA", "metric": "handover", "targets": office}),
        "night": ClockDefinition.model_validate({"kind": "OLA", "metric": "handover", "targets": always}),
    }
    (fault,) = Book(DEFAULT_CALENDARS, clocks, {"acme": contract(fix={"P1": "10h"})}).faults()
    assert "1h of day and 10h of theirs" in fault


def test_a_contract_stands_behind_no_promise_for_another_priority() -> None:
    clocks = {
        "worst": ClockDefinition.model_validate(
            {"metric": "resolution", "when": {"priority": "P1"}, "targets": {"P1": "4h", "P2": "1h"}}
        )
    }
    for fix, faults in (({"P2": "5h"}, 0), ({"P1": "5h"}, 1)):
        assert len(Book(DEFAULT_CALENDARS, clocks, {"acme": contract(fix=fix)}).faults()) == faults


def test_a_contract_for_other_services_stands_behind_no_promise_for_this_one() -> None:
    clocks = {
        "shop": ClockDefinition.model_validate(
            {"metric": "resolution", "when": {"service": ["shop"]}, "targets": {"P1": "1h"}}
        )
    }
    for services, faults in ((["mail"], 0), (["shop", "mail"], 1), (None, 1)):
        acme = contract(fix={"P1": "2h"}, services=services)
        assert len(Book(DEFAULT_CALENDARS, clocks, {"acme": acme}).faults()) == faults


def test_rules_of_a_contract_are_of_the_third_kind() -> None:
    acme = contract(acknowledge={"P1": "15m"}, update={"P1": "1h"}, fix={"P1": "2h"})
    rules = book(acme=acme).supplier_rules["acme"]
    assert [(rule.name, rule.kind) for rule in rules] == [
        ("acme acknowledge", Kind.UC),
        ("acme update", Kind.UC),
        ("acme fix", Kind.UC),
    ]
