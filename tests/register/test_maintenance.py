"""Maintenance: who may say it of what, for how long, and what is remembered of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from register.core import NotFound, Policy, Refused
from register.desk import ServiceDesk
from register.matrix_toml import read_matrix
from register.rebuild import rebuild
from register.store import open_store
from register.store.duty import duty_now
from register.store.erasing import erase, who_is
from register.topics.maintenance import (
    EndMaintenance,
    ExtendMaintenance,
    MaintenanceStarted,
    StartMaintenance,
    in_force,
)
from register.verify import verify
from tests.register.saying import ADA, BEN, story

HOUR = timedelta(hours=1)


def start(desk: ServiceDesk, *services: str, hours: float = 2, why: str = "deploying") -> str:
    """Ben starts a maintenance, of all where none is named; its id."""
    length = timedelta(hours=hours)
    command = StartMaintenance(services=services, for_=length, why=why, all=not services)
    event = desk.do(BEN, command).events[0].event
    assert isinstance(event, MaintenanceStarted)
    return event.id


def held(desk: ServiceDesk, service: str, at: Any) -> Any:
    return duty_now(desk.store).held_until(service, at)


def test_escalation_of_a_service_waits_until_the_end_and_of_others_it_does_not(
    desk: ServiceDesk, clock: Any
) -> None:
    began = clock.now
    assert held(desk, "Payments", began) is None
    assert start(desk, "Payments", "Web shop") == "M-1"
    (window,) = duty_now(desk.store).windows
    assert window.end - window.begin == timedelta(hours=2)
    for service in ("Payments", "payments", "WEB SHOP"):
        assert held(desk, service, window.begin) == window.end
    assert held(desk, "Mail", window.begin) is None
    assert held(desk, "", window.begin) is None
    assert held(desk, "Payments", window.begin - timedelta(seconds=1)) is None
    assert held(desk, "Payments", window.end - timedelta(milliseconds=1)) == window.end
    assert held(desk, "Payments", window.end) is None  # a step that is due in that very moment is taken


def test_all_is_every_service_and_what_has_none(desk: ServiceDesk, clock: Any) -> None:
    start(desk)
    assert held(desk, "Mail", clock.now) == held(desk, "", clock.now) == duty_now(desk.store).windows[0].end


@pytest.mark.parametrize("given", [{"services": ("Mail",), "all": True}, {}])
def test_it_says_which_services_or_all_and_not_both(desk: ServiceDesk, given: dict[str, Any]) -> None:
    with pytest.raises(Refused, match="and not both") as refused:
        desk.do(BEN, StartMaintenance(for_=HOUR, why="x", **given))
    assert refused.value.ask == "services"
    assert duty_now(desk.store).windows == ()


def test_none_is_without_an_end_and_none_takes_longer_than_a_day(desk: ServiceDesk, clock: Any) -> None:
    with pytest.raises(ValidationError):
        StartMaintenance(services=("Mail",), why="x")  # type: ignore[call-arg]
    with pytest.raises(ValidationError):
        StartMaintenance(services=("Mail",), why=" ", for_=HOUR)
    with pytest.raises(Refused, match="more than 24h"):
        start(desk, "Mail", hours=24.01)
    start(desk, "Mail", hours=24)
    clock.passes(hours=1)
    desk.do(BEN, ExtendMaintenance(id="M-1", for_=timedelta(minutes=59)))
    with pytest.raises(Refused, match="may take 1m more at most") as refused:
        desk.do(BEN, ExtendMaintenance(id="M-1", for_=HOUR))
    assert refused.value.ask == "for_"
    (window,) = duty_now(desk.store).windows
    assert window.end - window.begin == timedelta(hours=24, minutes=59)


def test_the_same_services_are_in_maintenance_once_and_others_beside_them(
    desk: ServiceDesk, clock: Any
) -> None:
    start(desk, "Mail")
    with pytest.raises(Refused, match="in maintenance already: M-1"):
        start(desk, "mail", "MAIL")
    assert start(desk, "Mail", "Payments", hours=4) == "M-2"
    assert start(desk) == "M-3"
    windows = duty_now(desk.store).windows
    assert held(desk, "Mail", clock.now) == windows[1].end
    desk.do(BEN, EndMaintenance(id="m-2"))
    assert held(desk, "Mail", clock.now) == windows[2].end


def test_it_is_over_when_somebody_says_so_or_its_time_has_come(desk: ServiceDesk, clock: Any) -> None:
    start(desk, "Mail")
    desk.do(BEN, EndMaintenance(id="1"))
    assert held(desk, "Mail", clock()) is None
    with pytest.raises(NotFound, match="no maintenance M-1 now"):
        desk.do(BEN, EndMaintenance(id="M-1"))
    start(desk, "Mail")
    clock.passes(hours=2)
    assert in_force(duty_now(desk.store), clock()) == ()
    with pytest.raises(NotFound, match="no maintenance M-2 now"):
        desk.do(BEN, ExtendMaintenance(id="M-2", for_=HOUR))
    assert story(desk, "duty") == ["maintenance_started", "maintenance_ended", "maintenance_started"]


def test_no_name_is_given_twice_and_what_is_over_is_forgotten(desk: ServiceDesk, clock: Any) -> None:
    for n in range(1, 6):
        assert start(desk, "Mail", hours=1) == f"M-{n}"
        clock.passes(hours=2)
    assert [one.id for one in duty_now(desk.store).windows] == ["M-5"]


def test_the_matrix_knows_which_services_there_are(desk: ServiceDesk, policy: Policy) -> None:
    text = 'fallback_team = "desk"\n[teams.desk]\nname = "Desk"\n[services]\n"Web shop" = "sells"\n'
    known = ServiceDesk(desk.store, replace(policy, matrix=read_matrix(text)))
    with pytest.raises(NotFound, match="did you mean Web shop"):
        start(known, "web shopp")
    start(known, "WEB SHOP")
    assert duty_now(desk.store).windows[0].services == ("Web shop",)


def test_another_process_and_a_rebuilt_register_know_the_same(desk: ServiceDesk, clock: Any) -> None:
    start(desk, "Mail", why="Grace deploys")
    desk.do(BEN, ExtendMaintenance(id="M-1", for_=HOUR))
    start(desk, "Payments")
    desk.do(BEN, EndMaintenance(id="M-2"))
    was = duty_now(desk.store)
    other = open_store(desk.store.url)
    assert duty_now(other) == was
    rebuild(other)
    assert duty_now(other) == was
    assert verify(other).faults == []
    other.close()


def test_who_is_erased_is_not_quoted_and_the_window_stands(desk: ServiceDesk, clock: Any) -> None:
    start(desk, "Mail", why="Grace Hopper deploys")
    assert held(desk, "Mail", clock.now) is not None
    erase(desk, ADA, who_is(desk.store, "ben", also=["Grace Hopper"]), "asked for it")
    (window,) = duty_now(desk.store).windows
    assert (window.services, window.why) == (("Mail",), "")
    assert held(desk, "Mail", clock.now) == window.end
