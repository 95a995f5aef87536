"""Alerts: one incident for a (service, key) that is not over, however often it is said."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from register.core import Policy, Refused
from register.desk import Receipt, ServiceDesk, kinds
from register.incident import Incident, Severity, State
from register.policy import Correlation, Matrix, Ownership, Service, Team
from register.row import board_row
from register.store import Store, open_store
from register.store.alerts import counts_of, rebuild_alerts
from register.store.folding import fold_all
from register.topics.alerts import EACH_UP_TO, TakeAlert
from register.topics.notes import Note
from register.topics.ownership import Acknowledge
from register.topics.resolution import Cancel, Close, Reopen
from register.topics.sight import Restrict
from register.verify import verify
from tests.register.saying import (
    ANA,
    BEN,
    ENGINE,
    VIC,
    ask,
    everything,
    fixed,
    log,
    look,
    run_script,
    sql,
    story,
)

FLAP = timedelta(minutes=30)
WINDOW = timedelta(minutes=15)


@pytest.fixture
def policy() -> Policy:
    """Nothing belongs together but what comes from one source: these tests say who comes from where."""
    return Policy(matrix=matrix())


def matrix(**more: Any) -> Matrix:
    known = {
        "fallback_team": "desk",
        "teams": {"desk": Team(name="Desk")},
        "correlation": Correlation(window=WINDOW, same=("source",)),
        "flap_window": FLAP,
    }
    return Matrix(**(known | more))


def alert(key: str = "disk", **more: Any) -> TakeAlert:
    return TakeAlert(
        **({"service": "web", "key": key, "source": f"probe {key}", "title": "Disk is full"} | more)
    )


def fires(desk: ServiceDesk, key: str = "disk", **more: Any) -> Receipt:
    return desk.do(ANA, alert(key, **more))


def ok(desk: ServiceDesk, key: str = "disk", **more: Any) -> Receipt:
    return desk.do(ANA, alert(key, status="ok", **more))


def opened(desk: ServiceDesk, key: str = "disk", **more: Any) -> str:
    """An alert fires for the first time; the number of its incident."""
    receipt = fires(desk, key, **more)
    assert kinds(receipt.events)[:2] == ["created", "alert_fired"]
    assert receipt.number is not None
    return receipt.number


def rows(desk: ServiceDesk) -> list[dict[str, Any]]:
    return [dict(row._mapping) for row in ask(desk.store, "SELECT * FROM alert ORDER BY incident")]


def alert_of(desk: ServiceDesk, number: str) -> Any:
    found = look(desk, number).alert
    assert found is not None
    return found


@pytest.fixture
def desk(store: Store, policy: Policy, clock: Any) -> Iterator[ServiceDesk]:
    """A desk; after each test the rows must be what the events say."""
    yield ServiceDesk(store, policy, clock)
    assert verify(store).faults == []


# One key, one incident


def test_an_alert_that_fires_opens_an_incident(desk: ServiceDesk, clock: Any) -> None:
    number = opened(desk, severity="critical", description="97 % of /var")
    incident, found = look(desk, number), alert_of(desk, number)
    assert (incident.title, incident.service, incident.state) == ("Disk is full", "web", State.NEW)
    assert (str(incident.priority), incident.firing, incident.holds_key) == ("P1", True, True)
    assert (found.source, found.key, found.count) == ("probe disk", "disk", 1)
    assert found.first_seen == found.last_seen == found.started == incident.opened_at
    (row,) = rows(desk)
    assert (row["service"], row["key"], row["closed"], row["firing"], row["count"]) == (
        "web",
        "disk",
        0,
        1,
        1,
    )
    assert ask(desk.store, "SELECT firing FROM incident")[0].firing == 1
    assert board_row(incident)["firing"] is True


@pytest.mark.parametrize(
    ("severity", "priority"), [("critical", "P1"), ("error", "P2"), ("warning", "P3"), ("info", "P5")]
)
def test_the_severity_says_impact_and_urgency(desk: ServiceDesk, severity: str, priority: str) -> None:
    assert str(look(desk, opened(desk, severity=severity)).priority) == priority


def test_a_duplicate_is_counted_and_opens_nothing(desk: ServiceDesk, clock: Any) -> None:
    number = opened(desk)
    clock.passes(minutes=5)
    receipt = fires(desk)
    assert (receipt.number, kinds(receipt.events)) == (number, ["duplicate_suppressed"])
    found = alert_of(desk, number)
    assert found.count == 2
    assert found.last_seen - found.first_seen > timedelta(minutes=5)
    assert [row["count"] for row in rows(desk)] == [2]
    assert receipt.remarks == (f"{number} is open for this alert already: it was said 2 times by now.",)


def test_a_key_is_one_services_own_whatever_the_capitals(desk: ServiceDesk) -> None:
    number = opened(desk)
    assert fires(desk, service="WEB").number == number
    assert fires(desk, service="mail").number != number
    assert fires(desk, "DISK").number != number


def test_another_source_with_the_same_key_is_the_same_alert(desk: ServiceDesk) -> None:
    number = opened(desk)
    assert fires(desk, source="another probe").number == number


def test_a_severity_that_rises_is_told_and_the_priority_stays(desk: ServiceDesk) -> None:
    number = opened(desk)
    remarks = fires(desk, severity="critical").remarks
    assert "critical now, no longer warning. The priority stays P3" in remarks[1]
    assert alert_of(desk, number).severity is Severity.CRITICAL
    assert str(look(desk, number).priority) == "P3"
    assert len(fires(desk, severity="info").remarks) == 1


def test_its_team_is_the_one_that_owns_service_and_category(store: Store) -> None:
    owns = (Ownership(team="net", service=("web",)),)
    desk = ServiceDesk(store, Policy(matrix=matrix(ownership=owns)))
    assert look(desk, opened(desk)).team == "net"
    assert look(desk, opened(desk, "cpu", service="db")).team == "desk"


def test_a_key_without_a_title_names_the_incident(desk: ServiceDesk) -> None:
    assert look(desk, opened(desk, title=None)).title == "disk on web"


def test_what_the_matrix_does_not_know_is_kept_with_the_alert_and_nothing_is_refused(store: Store) -> None:
    known = matrix(services={"Web": Service()}, categories={"storage": {"team": "desk"}})
    desk = ServiceDesk(store, Policy(matrix=known))
    one = look(desk, opened(desk, category="STORAGE"))
    other = look(desk, opened(desk, "cpu", service="db", category="heat"))
    assert (one.service, one.category) == ("Web", "storage")
    assert (other.service, other.category) == ("", "")
    assert other.alert is not None
    assert (other.alert.service, other.alert.category) == ("db", "heat")


def test_over_and_firing_again_while_open_is_one_incident(desk: ServiceDesk) -> None:
    number = opened(desk)
    ok(desk)
    assert (look(desk, number).state, look(desk, number).firing) == (State.NEW, False)
    receipt = fires(desk)
    assert (receipt.number, kinds(receipt.events)) == (number, ["alert_fired"])
    assert (alert_of(desk, number).count, look(desk, number).firing) == (2, True)


def test_the_engine_may_say_it_and_a_viewer_may_not(desk: ServiceDesk) -> None:
    assert desk.do(ENGINE, alert()).number == "INC-1"
    with pytest.raises(Refused):
        desk.do(VIC, alert("cpu"))


def test_an_alert_reaches_a_restricted_incident(desk: ServiceDesk) -> None:
    number = opened(desk)
    desk.do(ANA, Restrict(target=number))
    assert desk.do(BEN, alert()).number == number


# The same message twice


def test_the_same_message_twice_adds_nothing(desk: ServiceDesk, clock: Any) -> None:
    said = {"service": "web", "key": "disk", "source": "probe", "id": "msg-1"}
    first = desk.do(ANA, TakeAlert(**said))
    was = everything(desk.store)
    second = desk.do(BEN, TakeAlert(**said))
    assert (first.replayed, second.replayed, second.number) == (False, True, first.number)
    assert everything(desk.store) == was


def test_a_message_that_was_only_counted_is_not_counted_twice(desk: ServiceDesk) -> None:
    for n in range(EACH_UP_TO + 5):
        fires(desk, id=f"msg-{n}")
    was = everything(desk.store)
    assert rows(desk)[0]["count"] == EACH_UP_TO + 5
    receipt = fires(desk, id=f"msg-{EACH_UP_TO + 4}")
    assert (receipt.number, receipt.events, receipt.replayed) == ("INC-1", (), True)
    assert "taken in before" in receipt.remarks[0]
    assert everything(desk.store) == was


def test_one_name_for_firing_and_over_does_not_lose_the_end(desk: ServiceDesk) -> None:
    number = opened(desk, id="1bfe09bedcedc021")
    ok(desk, id="1bfe09bedcedc021")
    assert not look(desk, number).firing


def test_without_a_name_each_message_counts(desk: ServiceDesk) -> None:
    opened(desk)
    fires(desk)
    fires(desk)
    assert rows(desk)[0]["count"] == 3


# A storm


def test_a_thousand_duplicates_bloat_neither_log_nor_row_and_fold_in_time(
    desk: ServiceDesk, clock: Any
) -> None:
    number = opened(desk)
    size = len(ask(desk.store, "SELECT doc FROM incident")[0].doc)
    desk.do_all([(ANA, alert()) for _ in range(1000)])
    assert story(desk, number) == ["created", "alert_fired", *["duplicate_suppressed"] * (EACH_UP_TO - 1)]
    assert rows(desk)[0]["count"] == 1001
    assert len(ask(desk.store, "SELECT doc FROM incident")[0].doc) < size + 10
    for _ in range(290):  # and where each is an event, as of a source that says it every minute
        clock.passes(minutes=1)
        fires(desk)
    assert rows(desk)[0]["count"] == 1291
    assert len(story(desk, number)) == 301
    noted = log(desk)
    desk.do_all([(ANA, Note(target=noted, text="Looked at it.")) for _ in range(300)])
    took = [min(_folding(desk, one) for _ in range(7)) for one in (number, noted)]
    assert took[0] < 5 * took[1], took  # notes change nothing; the budget is held by benchmarks.folding


def _folding(desk: ServiceDesk, number: str) -> float:
    events = desk.store.timeline(number)
    begun = time.process_time()
    folded = fold_all(events)
    took = time.process_time() - begun
    assert folded == look(desk, number)
    return took


def test_what_is_only_counted_wakes_nobody(desk: ServiceDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(EACH_UP_TO):
        fires(desk)
    woken: list[Any] = []
    monkeypatch.setattr("register.store.transaction._MOVE_HEAD", lambda *given: woken.append(given))
    monkeypatch.setattr("register.store.store.poke", woken.append)
    fires(desk, id="msg-1")
    assert woken == []
    assert rows(desk)[0]["count"] == EACH_UP_TO + 1
    assert fires(desk, id="msg-1").replayed


def test_the_next_event_tells_what_was_only_counted(desk: ServiceDesk, clock: Any) -> None:
    number = opened(desk)
    for _ in range(50):
        fires(desk)
    assert alert_of(desk, number).count == EACH_UP_TO
    assert counts_of_now(desk, number) == 51
    clock.passes(minutes=1)
    assert kinds(fires(desk).events) == ["duplicate_suppressed"]
    assert alert_of(desk, number).count == 52
    for _ in range(5):
        fires(desk)
    ok(desk)
    assert alert_of(desk, number).count == 57
    desk.do(ANA, fixed(number))
    assert counts_of_now(desk, number) == 57


def counts_of_now(desk: ServiceDesk, number: str) -> int:
    found = desk.store.ask(lambda connection: counts_of(connection, look(desk, number)))
    assert found is not None
    return int(found[0])


def test_a_change_of_state_does_not_lose_what_was_only_counted(desk: ServiceDesk) -> None:
    number = opened(desk)
    for _ in range(50):
        fires(desk)
    desk.do(ANA, Acknowledge(target=number))
    desk.do(ANA, fixed(number))
    assert counts_of_now(desk, number) == 51
    desk.do(ANA, Close(target=number))  # its row is written anew: the key is free
    assert rows(desk)[0]["key"] is None
    assert counts_of_now(desk, number) == 51


# Whose time


def test_edge_19_a_sources_time_is_kept_and_nothing_is_ordered_by_it(desk: ServiceDesk, clock: Any) -> None:
    began = clock.now - timedelta(hours=3)
    number = opened(desk, at=began)
    later = opened(desk, "cpu", at=clock.now - timedelta(hours=9))
    found = alert_of(desk, number)
    assert found.started == began
    assert found.first_seen == look(desk, number).opened_at > began
    fired = desk.store.timeline(number)[1]
    assert (fired.event.claimed, fired.at) == (began, fired.recorded_at)  # type: ignore[union-attr]
    assert [event.seq for event in desk.store.timeline(number)] == [1, 2]
    assert alert_of(desk, later).first_seen > found.first_seen
    assert alert_of(desk, later).started < found.started


@pytest.mark.parametrize("ahead", [timedelta(minutes=1), timedelta(days=4000)])
def test_edge_19_a_start_that_lies_ahead_is_ours(desk: ServiceDesk, clock: Any, ahead: timedelta) -> None:
    number = opened(desk, at=clock.now + ahead)
    assert alert_of(desk, number).started == look(desk, number).opened_at


@pytest.mark.parametrize(
    "never", ["0001-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"]
)
def test_a_time_that_means_none_is_none(desk: ServiceDesk, never: str) -> None:
    number = opened(desk, at=never)
    assert alert_of(desk, number).started == look(desk, number).opened_at
    assert desk.store.timeline(number)[1].event.claimed is None or never[0] == "9"  # type: ignore[union-attr]


@pytest.mark.parametrize("how", ["reopened", "new"])
def test_edge_20_a_start_before_our_last_resolve_is_the_time_observed(
    desk: ServiceDesk, clock: Any, how: str
) -> None:
    began = clock.now
    number = opened(desk, at=began)
    desk.do(ANA, fixed(number))
    clock.passes(minutes=1 if how == "reopened" else 90)
    receipt = fires(desk, at=began)
    found = alert_of(desk, str(receipt.number))
    assert (receipt.number == number) is (how == "reopened")
    assert found.started == found.last_seen
    assert receipt.events[1].event.claimed == began  # type: ignore[union-attr]


def test_edge_20_a_start_after_our_last_resolve_is_taken(desk: ServiceDesk, clock: Any) -> None:
    number = opened(desk)
    desk.do(ANA, fixed(number))
    begins = clock.passes(minutes=5)
    clock.passes(minutes=5)
    fires(desk, at=begins)
    assert alert_of(desk, number).started == begins


# Resolved, closed, canceled


def test_edge_34_back_within_the_flap_window_the_same_incident_opens_again(
    desk: ServiceDesk, clock: Any
) -> None:
    number = opened(desk)
    ok(desk)
    desk.do(ANA, fixed(number))
    clock.now = look(desk, number).resolved_at + FLAP - timedelta(milliseconds=1)
    receipt = fires(desk)
    incident = look(desk, number)
    assert (receipt.number, kinds(receipt.events)) == (number, ["reopened", "alert_fired"])
    assert (incident.state, incident.reopened, incident.firing) == (State.IN_PROGRESS, 1, True)
    assert alert_of(desk, number).count == 2
    assert len(desk.store.incidents(everything=True)) == 1


def test_edge_34_back_after_the_flap_window_is_a_new_incident_that_names_the_old_one(
    desk: ServiceDesk, clock: Any
) -> None:
    number = opened(desk)
    desk.do(ANA, fixed(number))
    clock.now = look(desk, number).resolved_at + FLAP
    receipt = fires(desk)
    assert receipt.number == "INC-2"
    assert alert_of(desk, "INC-2").recurrence_of == number
    assert alert_of(desk, number).passed_to == "INC-2"
    assert look(desk, number).state is State.RESOLVED
    assert [(row["incident"], row["key"], row["closed"]) for row in rows(desk)] == [
        (1, None, 1),
        (2, "disk", 0),
    ]
    assert fires(desk).number == "INC-2"


@pytest.mark.parametrize("end", ["close", "cancel"])
def test_the_key_is_free_when_its_incident_is_over(desk: ServiceDesk, end: str) -> None:
    number = opened(desk)
    if end == "close":
        desk.do(ANA, fixed(number))
    desk.do(ANA, Close(target=number) if end == "close" else Cancel(target=number, reason="A test."))
    (row,) = rows(desk)
    assert (row["key"], row["closed"], row["last_key"]) == (None, 1, "disk")
    assert fires(desk).number == "INC-2"
    assert alert_of(desk, "INC-2").recurrence_of == (number if end == "close" else None)


def test_edge_35_a_late_ok_goes_to_the_latest_resolved_one_and_opens_nothing(
    desk: ServiceDesk, clock: Any
) -> None:
    first = opened(desk)
    desk.do(ANA, fixed(first))
    clock.passes(hours=1)
    second = str(fires(desk).number)
    desk.do(ANA, fixed(second))
    receipt = ok(desk)
    assert (receipt.number, kinds(receipt.events)) == (second, ["alert_ok"])
    assert receipt.events[0].event.late  # type: ignore[union-attr]
    assert [look(desk, n).firing for n in (first, second)] == [True, False]
    assert look(desk, second).state is State.RESOLVED
    assert len(desk.store.incidents(everything=True)) == 2


def test_edge_35_a_late_ok_of_a_closed_one_is_on_record(desk: ServiceDesk) -> None:
    number = opened(desk)
    for step in (fixed(number), Close(target=number)):
        desk.do(ANA, step)
    assert ok(desk).number == number
    assert (look(desk, number).state, look(desk, number).firing) == (State.CLOSED, False)


def test_edge_35_of_two_that_are_closed_the_latest_gets_the_late_ok(desk: ServiceDesk) -> None:
    first, second = (closed_one(desk) for _ in range(2))
    assert ok(desk).number == second
    assert [look(desk, number).firing for number in (first, second)] == [True, False]
    assert alert_of(desk, str(fires(desk).number)).recurrence_of == second


def closed_one(desk: ServiceDesk) -> str:
    number = str(fires(desk).number)
    for step in (fixed(number), Close(target=number)):
        desk.do(ANA, step)
    return number


def test_an_ok_of_what_nobody_knows_changes_nothing_and_says_so(desk: ServiceDesk) -> None:
    was = everything(desk.store)
    receipt = ok(desk)
    assert (receipt.number, receipt.events) == (None, ())
    assert receipt.remarks == ("No alert disk of web is known here: nothing was opened and nothing written.",)
    del was["person"], was["head"]  # ana is known now
    assert {name: now for name, now in everything(desk.store).items() if name in was} == was


def test_over_and_over_is_told_once_more_and_then_no_more(desk: ServiceDesk) -> None:
    number = opened(desk)
    for _ in range(5):
        assert ok(desk).number == number
    assert story(desk, number) == ["created", "alert_fired", "alert_ok", "alert_ok"]


def test_a_late_acknowledgement_is_on_record_and_changes_nothing(desk: ServiceDesk) -> None:
    number = opened(desk)
    for step in (fixed(number), Close(target=number)):
        desk.do(ANA, step)
    desk.do(ANA, Acknowledge(target=number))
    assert story(desk, number)[-1] == "acknowledged"
    assert rows(desk)[0]["closed"] == 1


def test_edge_37_resolving_what_still_fires_is_warned_of_and_stays_marked(desk: ServiceDesk) -> None:
    number = opened(desk)
    receipt = desk.do(ANA, fixed(number))
    assert "still fires: probe disk has not said that it is over" in receipt.remarks[0]
    assert kinds(receipt.events) == ["resolved"]  # nobody is told anew
    incident = look(desk, number)
    assert (incident.state, incident.firing, incident.holds_key) == (State.RESOLVED, True, True)
    assert ask(desk.store, "SELECT firing FROM incident")[0].firing == 1
    assert "still fires" in desk.do(ANA, Close(target=number)).remarks[0]


def test_edge_37_what_is_over_is_resolved_without_a_word(desk: ServiceDesk) -> None:
    number = opened(desk)
    ok(desk)
    assert desk.do(ANA, fixed(number)).remarks == ()
    assert desk.do(ANA, fixed(log(desk))).remarks == ()


# Reopening by hand what came back


def came_back(desk: ServiceDesk, clock: Any) -> tuple[str, str]:
    first = opened(desk)
    desk.do(ANA, fixed(first))
    clock.passes(hours=1)
    return first, str(fires(desk).number)


def test_the_old_one_is_not_reopened_while_the_new_one_is_open(desk: ServiceDesk, clock: Any) -> None:
    first, second = came_back(desk, clock)
    with pytest.raises(Refused, match=rf"came back as {second}, and that one is open"):
        desk.do(ANA, Reopen(target=first, reason="It is this one."))
    assert look(desk, first).state is State.RESOLVED


@pytest.mark.parametrize("end", ["resolved", "canceled"])
def test_the_old_one_takes_its_key_back_when_the_new_one_is_not_open(
    desk: ServiceDesk, clock: Any, end: str
) -> None:
    first, second = came_back(desk, clock)
    desk.do(ANA, fixed(second) if end == "resolved" else Cancel(target=second, reason="The same."))
    desk.do(ANA, Reopen(target=first, reason="It is this one."))
    assert [row["key"] for row in rows(desk)] == ["disk", None]
    assert fires(desk).number == first
    assert ok(desk).number == first
    assert look(desk, first).holds_key


# Two at once


def test_edge_36_two_identical_triggers_at_once_are_one_incident(store: Store, policy: Policy) -> None:
    said: list[Receipt] = []
    ready = threading.Barrier(4)

    def say() -> None:
        desk = ServiceDesk(open_store(store.url), policy)
        ready.wait(30)
        said.append(fires(desk))
        desk.store.close()

    threads = [threading.Thread(target=say) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(kinds(receipt.events)[0] for receipt in said) == ["created", *["duplicate_suppressed"] * 3]
    assert {receipt.number for receipt in said} == {"INC-1"}
    assert rows(ServiceDesk(store))[0]["count"] == 4
    assert verify(store).faults == []


def test_edge_36_from_two_processes_with_the_same_name(store: Store) -> None:
    children = [run_script("writer", store.url, "alert-once", "msg-1") for _ in range(2)]
    answers = []
    for child in children:
        out, err = child.communicate(timeout=60)
        assert child.returncode == 0, err
        answers.append(out.strip())
    assert sorted(answers) == ["INC-1 new", "INC-1 replayed"]
    assert rows(ServiceDesk(store))[0]["count"] == 1


def test_edge_36_the_database_takes_no_second_holder_of_a_key(desk: ServiceDesk) -> None:
    opened(desk)
    columns = (
        "incident, source, service, key, closed, last_key, category, severity, firing, count, first_seen"
    )
    same = f"{columns}, last_seen, leader"
    copy = f"INSERT INTO alert (id, {same}) SELECT 'x', {same} FROM alert"
    with pytest.raises(Exception, match=r".") as failed:
        sql(desk.store, copy)
    assert "IntegrityError" in type(failed.value.__cause__).__name__
    with pytest.raises(Exception, match=r"."):
        sql(desk.store, "UPDATE alert SET closed = 1")
    assert len(rows(desk)) == 1


# Together


def test_edge_38_what_comes_within_the_window_is_related_and_never_merged(
    desk: ServiceDesk, clock: Any
) -> None:
    first = opened(desk, source="core")
    clock.passes(minutes=5)
    second = opened(desk, "cpu", source="core")
    assert look(desk, first).related == (second,)
    assert look(desk, second).related == (first,)
    assert [story(desk, n)[-1] for n in (first, second)] == ["correlated", "correlated"]
    assert [row["leader"] for row in rows(desk)] == [1, 1]
    assert [row["count"] for row in rows(desk)] == [1, 1]


def test_edge_38_a_storm_after_the_window_begins_a_new_group(desk: ServiceDesk, clock: Any) -> None:
    first = opened(desk, source="core")
    clock.passes(minutes=10)
    second = opened(desk, "cpu", source="core")
    clock.passes(minutes=6)  # the first one's window is over, the second one's would not be
    third = opened(desk, "swap", source="core")
    fourth = opened(desk, "net", source="core")
    assert look(desk, third).related == (fourth,)
    assert look(desk, second).related == (first,)
    assert [row["leader"] for row in rows(desk)] == [1, 1, 3, 3]


def test_edge_39_only_what_fires_within_the_window_is_related_and_counted(
    desk: ServiceDesk, clock: Any
) -> None:
    for key in ("a", "b", "c"):
        opened(desk, key, source="core")
    ok(desk, "a", source="core")
    clock.passes(minutes=1)
    fourth = opened(desk, "d", source="core")
    (told,) = [e.event for e in desk.store.timeline(fourth) if e.kind == "correlated"]
    assert (told.to, told.count) == ("INC-2", 3)  # type: ignore[union-attr]
    for key in ("b", "c", "d"):
        ok(desk, key, source="core")
    fifth = opened(desk, "e", source="core")
    assert look(desk, fifth).related == ()


def test_edge_39_what_is_over_is_not_counted(desk: ServiceDesk) -> None:
    opened(desk, "a", source="core")
    second = opened(desk, "b", source="core")
    desk.do(ANA, Cancel(target=second, reason="A test."))
    third = opened(desk, "c", source="core")
    assert look(desk, third).related == ("INC-1",)
    assert desk.store.timeline(third)[-1].event.count == 2  # type: ignore[union-attr]


def test_what_must_be_alike_and_is_not_said_relates_nothing(store: Store) -> None:
    desk = ServiceDesk(store, Policy(matrix=matrix(correlation=Correlation(same=("service", "category")))))
    one = opened(desk, "a")
    other = opened(desk, "b")
    third = opened(desk, "c", category="heat")
    fourth = opened(desk, "d", category="heat")
    assert [look(desk, n).related for n in (one, other)] == [(), ()]
    assert look(desk, fourth).related == (third,)


def test_the_first_of_a_storm_does_not_grow_with_it(desk: ServiceDesk) -> None:
    desk.do_all([(ANA, alert(f"k{n}", source="core")) for n in range(70)])
    assert len(look(desk, "INC-1").related) == 20
    assert story(desk, "INC-1").count("correlated") == 21  # 2 to 20, 32, 64
    assert len(desk.store.incidents()) == 70


# The rows, made anew


def test_the_rows_are_made_anew_from_the_incidents(desk: ServiceDesk, clock: Any) -> None:
    came_back(desk, clock)
    opened(desk, "cpu")
    log(desk)
    was = rows(desk)
    sql(desk.store, "UPDATE alert SET key = NULL, closed = 1, service = 'x', leader = 9 WHERE incident > 1")
    sql(desk.store, "DELETE FROM alert WHERE incident = 1")
    assert verify(desk.store).faults
    with desk.store.rows_only() as connection:
        assert rebuild_alerts(connection) == 3
    assert rows(desk) == was


def test_a_row_of_nobodys_goes_when_they_are_made_anew(desk: ServiceDesk) -> None:
    opened(desk)
    log(desk)
    sql(desk.store, "UPDATE alert SET id = 'another'")
    assert "INC-1: the rows of its alerts are not those" in verify(desk.store).faults[0]
    with desk.store.rows_only() as connection:
        rebuild_alerts(connection)
    assert verify(desk.store).faults == []


@pytest.mark.parametrize("change", ["firing = 0", "last_key = 'x'", "count = 0", "key = 'y'"])
def test_a_row_changed_by_hand_is_named(desk: ServiceDesk, change: str) -> None:
    opened(desk)
    (row,) = rows(desk)
    name = change.split()[0]
    sql(desk.store, f"UPDATE alert SET {change}")
    (fault,) = verify(desk.store).faults
    assert fault.startswith("INC-1: its alert's row")
    assert name in fault
    sql(desk.store, f"UPDATE alert SET {name} = :was", was=row[name])


# Input


@pytest.mark.parametrize(
    "wrong",
    [{"key": ""}, {"key": "x" * 256}, {"service": " "}, {"severity": "bad"}, {"at": "2026-01-01T00:00:00"}],
)
def test_what_is_no_alert_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        alert(**wrong)


def test_a_hostile_alert_is_cleaned_at_the_door(desk: ServiceDesk) -> None:
    nasty = "a\x00b\x1b[31mc\u202ed\n\te"
    number = opened(desk, nasty, source=nasty, title=nasty, service=nasty, description=nasty, id=nasty)
    for table in ("event", "alert", "incident"):
        text = repr([tuple(row) for row in ask(desk.store, f"SELECT * FROM {table}")])
        for bad in ("\\x00", "\\x1b", "\\u202e", "u0000", "u001b"):
            assert bad not in text
    assert fires(desk, nasty, service=nasty).number == number


# The law


KEYS = st.sampled_from(["disk", "cpu"])
STEP = st.one_of(
    st.tuples(st.just("fires"), KEYS),
    st.tuples(st.just("ok"), KEYS),
    st.tuples(st.sampled_from(["resolve", "close", "cancel", "reopen"]), st.integers(1, 5)),
    st.tuples(st.just("wait"), st.sampled_from([1, 40])),
)


@settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=st.lists(STEP, min_size=3, max_size=25))
@example(
    steps=[
        ("fires", "disk"),
        ("resolve", 1),
        ("wait", 40),
        ("fires", "disk"),
        ("resolve", 2),
        ("reopen", 1),
        ("fires", "disk"),
    ]
)
@example(
    steps=[
        ("fires", "disk"),
        ("resolve", 1),
        ("wait", 40),
        ("fires", "disk"),
        ("reopen", 1),
        ("cancel", 2),
        ("reopen", 1),
    ]
)
def test_whatever_happens_a_key_has_one_open_incident_at_most(
    store: Store, policy: Policy, clock: Any, emptied: Callable[[Store], None], steps: list[tuple[str, Any]]
) -> None:
    emptied(store)
    desk = ServiceDesk(store, policy, clock)
    make: dict[str, Callable[[Any], Any]] = {
        "fires": alert,
        "ok": lambda key: alert(key, status="ok"),
        "resolve": lambda n: fixed(f"INC-{n}"),
        "close": lambda n: Close(target=f"INC-{n}"),
        "cancel": lambda n: Cancel(target=f"INC-{n}", reason="A test."),
        "reopen": lambda n: Reopen(target=f"INC-{n}", reason="Again."),
    }
    for what, about in steps:
        if what == "wait":
            clock.passes(minutes=about)
            continue
        before = len(store.incidents(everything=True))
        try:
            receipt = desk.do(ANA, make[what](about))
        except Refused:
            continue
        if what == "ok":
            assert len(store.incidents(everything=True)) == before
        if what == "fires":
            assert receipt.incident is not None
            assert (receipt.incident.is_open, receipt.incident.firing) == (True, True)  # no alert is lost
        check_the_law(desk)
    assert verify(store).faults == []
    was = rows(desk)
    with store.rows_only() as connection:
        rebuild_alerts(connection)
    assert rows(desk) == was


def check_the_law(desk: ServiceDesk) -> None:
    incidents: list[Incident] = desk.store.incidents(everything=True)
    open_ = [one.alert.key for one in incidents if one.alert is not None and one.is_open]
    assert len(open_) == len(set(open_))
    kept = {row["incident"]: row for row in rows(desk)}
    for one in incidents:
        row = kept[int(one.number[4:])]
        assert (row["closed"] == 1) == (row["key"] is None) == (not one.holds_key)
        assert not one.is_open or one.holds_key
    held = [row["key"] for row in kept.values() if row["key"] is not None]
    assert len(held) == len(set(held))
