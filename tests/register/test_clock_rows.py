"""What an incident's row keeps of its clocks, and what the board shows of them, on both databases."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from register.adoption import as_text
from register.clocks.book import DEFAULT, Book, Timeline
from register.clocks.clock import Stage
from register.clocks.definition import Contract
from register.clocks.run import clocks_of
from register.core import Policy
from register.desk import ServiceDesk
from register.incident import Ball, HoldReason, Impact, Urgency
from register.store import Store
from register.store.history import rows_then, then
from register.topics.adoption import AdoptPolicy
from register.topics.ending import WithTheirs
from register.topics.hearing import Hear
from register.topics.hold import PutOnHold, Resume
from register.topics.intake import Log
from register.topics.ownership import Take
from register.topics.resolution import Reopen
from register.verify import verify
from tests.register.clockwork import HOUR, MINUTE, at
from tests.register.saying import ADA, ANA, ENGINE, ask, fixed, heard, log, look, ticket_of

# The test's clock stands at Monday 2026-03-02 09:00 UTC; a P3 has two working days of nine hours each.


def row(store: Store, n: int = 1) -> Any:
    (found,) = ask(store, "SELECT due_at, clocks, board FROM incident WHERE n = :n", n=n)
    return found


def board(store: Store) -> dict[str, Any]:
    return store.rows(ADA)[1][0]


def wait_for_caller(number: str) -> PutOnHold:
    return PutOnHold(target=number, reason=HoldReason.CALLER, on="Eva", note="Which printer?")


def test_a_running_clock_is_known_by_when_it_is_due(desk: ServiceDesk, store: Store) -> None:
    log(desk)
    assert row(store).due_at == "2026-03-04T09:00:00.000000Z"
    assert board(store)["due"] == at("2026-03-04 09:00")
    assert orjson.loads(row(store).clocks) == [
        {"clock": "response", "due": at("2026-03-02 13:00")},
        {"clock": "resolution", "due": at("2026-03-04 09:00")},
    ]


def test_while_it_is_paused_nothing_is_due_and_what_is_left_is_told(
    desk: ServiceDesk, store: Store, clock: Any
) -> None:
    number = log(desk)
    clock.passes(hours=3)
    desk.do(ANA, wait_for_caller(number))
    assert row(store).due_at is None
    assert (board(store)["due"], board(store)["held"]) == (None, 15 * HOUR)
    assert orjson.loads(row(store).clocks)[1] == {"clock": "resolution", "held": 15 * HOUR}
    clock.passes(days=1)
    desk.do(ANA, Resume(target=number))
    assert row(store).due_at == "2026-03-05T09:00:00.000000Z"
    assert "held" not in board(store)
    assert verify(store).faults == []


def test_a_completed_clock_keeps_its_facts(desk: ServiceDesk, store: Store, clock: Any) -> None:
    number = log(desk)
    clock.passes(hours=5)
    desk.do(ANA, Take(target=number))
    clock.passes(hours=1)
    desk.do(ANA, fixed(number))
    response, resolution = orjson.loads(row(store).clocks)
    assert response == {
        "clock": "response",
        "kind": "SLA",
        "metric": "response",
        "p": 3,
        "stage": "completed",
        "began": at("2026-03-02 09:00"),
        "ended": at("2026-03-02 14:00"),
        "target": 4 * HOUR,
        "used": 5 * HOUR,
        "actual": 5 * HOUR,
        "why": "acknowledged",
        "breached": at("2026-03-02 13:00:01"),
    }
    assert (resolution["used"], resolution["stage"], row(store).due_at) == (6 * HOUR, "completed", None)
    assert "breached" not in resolution
    clock.passes(days=30)
    desk.do(ANA, Reopen(target=number, reason="it is back"))
    assert orjson.loads(row(store).clocks)[1:] == [
        resolution,
        {"clock": "resolution, total", "due": board(store)["due"]},
    ]
    assert board(store)["due"] == at("2026-04-03 09:00"), "12 of 18 hours left, on a Wednesday at 15:00"
    assert verify(store).faults == []


def test_nothing_is_promised_for_planning(desk: ServiceDesk, store: Store) -> None:
    log(desk, impact=Impact.LOW, urgency=Urgency.LOW)
    assert (row(store).due_at, row(store).clocks, board(store)["due"]) == (None, "[]", None)


def test_the_board_of_then_shows_what_was_due_then(desk: ServiceDesk, store: Store, clock: Any) -> None:
    number = log(desk)
    before = clock.passes(hours=1)
    clock.passes(hours=1)
    desk.do(ANA, wait_for_caller(number))
    with store.read() as connection:
        (shown,) = rows_then(connection, then(connection, before), ADA)
    assert shown["due"] == at("2026-03-04 09:00")


@pytest.fixture
def contracts(policy: Policy) -> Timeline:
    acme = Contract.model_validate({"acknowledge": {"P3": "15m"}, "fix": {"P3": "4h"}})
    return ((0, Book(DEFAULT.calendars, DEFAULT.clocks, {"acme": acme})),)


def test_a_word_that_is_heard_late_counts_from_when_it_was_said(
    desk: ServiceDesk, clock: Any, contracts: Timeline
) -> None:
    number, bond = ticket_of(desk, clock)
    clock.passes(hours=1)
    desk.do(ANA, wait_for_caller(number))
    said = datetime(2026, 3, 2, 9, 10, tzinfo=UTC)
    words = (
        heard(number, bond, said, change_id="c1", kind="state", raw_state="Working", ball=Ball.THEIRS),
        heard(number, bond, datetime(2026, 3, 2, 8, 0, tzinfo=UTC), change_id="c2"),  # their clock is behind
    )
    desk.do(ENGINE, Hear(vendor="acme", cursor="1", items=words))
    incident = look(desk, number)
    ours, theirs = clocks_of(incident, contracts)[:2], clocks_of(incident, contracts)[2:]
    assert [clock.stage for clock in ours] == [Stage.RUNNING, Stage.PAUSED]
    acknowledge, fix = theirs
    assert (acknowledge.stage, acknowledge.ended) == (Stage.COMPLETED, at("2026-03-02 09:00"))
    assert acknowledge.used(0) == 0, "nothing of theirs is older than the ticket"
    assert fix.stage is Stage.PAUSED
    assert [step[0] for step in incident.track] == sorted(step[0] for step in incident.track)
    assert verify(desk.store).faults == []


def test_what_may_be_our_own_word_is_no_answer_of_theirs(
    desk: ServiceDesk, clock: Any, contracts: Timeline
) -> None:
    number, bond = ticket_of(desk, clock)
    perhaps = heard(number, bond, clock.passes(minutes=5), by_our_account=True)
    desk.do(ENGINE, Hear(vendor="acme", cursor="1", items=(perhaps,)))
    assert [c.stage for c in clocks_of(look(desk, number), contracts)[2:]] == [Stage.RUNNING] * 2
    theirs = heard(number, bond, clock.passes(minutes=5), change_id="c2")
    desk.do(ENGINE, Hear(vendor="acme", after="1", cursor="2", items=(theirs,)))
    acknowledge = clocks_of(look(desk, number), contracts)[2]
    assert (acknowledge.stage, acknowledge.used(0)) == (Stage.COMPLETED, 10 * MINUTE)


def test_the_desk_counts_by_what_its_policy_promises(
    store: Store, policy: Policy, clock: Any, contracts: Timeline
) -> None:
    ticket_of(ServiceDesk(store, Policy(policy.vendors, contracts), clock), clock)
    assert [one["clock"] for one in orjson.loads(row(store).clocks)] == [
        "response",
        "resolution",
        "acme acknowledge",
        "acme fix",
    ]


# Another policy is adopted


def adopt(desk: ServiceDesk, **tables: Any) -> None:
    known = {"fallback_team": "desk", "teams": {"desk": {"name": "Desk"}}} | tables
    vendors = {"vendor": {"acme": {"environment": "production"}}}
    texts = {"matrix": as_text(known), "vendors": as_text(vendors)}
    desk.do(ADA, AdoptPolicy(**texts, digest=str(len(texts["matrix"])), sure=True))


SHORT_DAYS = {"office": {"hours": ["Mon-Fri 08:00-12:00"]}}


def test_edge_30_what_runs_is_counted_anew_when_a_policy_is_adopted(
    desk: ServiceDesk, store: Store, clock: Any
) -> None:
    log(desk)
    done = log(desk)
    clock.passes(hours=1)
    desk.do(ANA, fixed(done))
    seq, before = store.seq(), row(store, 2)
    adopt(desk, calendars=SHORT_DAYS)
    assert row(store).due_at == "2026-03-06T11:00:00.000000Z", "1 used; 2, 4, 4, 4 on Mon to Thu, 3 left"
    assert board(store)["due"] == at("2026-03-06 11:00")
    assert row(store, 2) == before
    _, news, _ = store.changed(seq, ADA)
    assert [(one["number"], one["due"]) for one in news] == [("INC-1", at("2026-03-06 11:00"))]
    assert verify(store).faults == []
    log(desk)
    assert row(store, 3).due_at is not None
    assert verify(store).faults == []


def test_a_supplier_who_goes_on_after_ours_is_resolved_is_counted_anew_too(
    desk: ServiceDesk, store: Store, clock: Any
) -> None:
    adopt(desk, contracts={"acme": {"calendar": "office", "fix": {"P3": "4h"}}})
    clock.passes(seconds=1)  # a version holds from the next full second on
    number, _ = ticket_of(desk, clock)
    desk.do(ANA, fixed(number).model_copy(update={"theirs": WithTheirs.LEAVE}))
    (fix,) = [one for one in orjson.loads(row(store).clocks) if one["clock"] == "acme fix"]
    assert fix["due"] == at("2026-03-02 13:00:01")
    adopt(desk, calendars=SHORT_DAYS, contracts={"acme": {"calendar": "office", "fix": {"P3": "4h"}}})
    (fix,) = [one for one in orjson.loads(row(store).clocks) if one["clock"] == "acme fix"]
    assert fix["due"] == at("2026-03-03 09:00:01")
    assert verify(store).faults == []


def test_in_one_transaction_with_the_adoption_the_newest_promise_counts(
    desk: ServiceDesk, store: Store
) -> None:
    known = {"fallback_team": "desk", "teams": {"desk": {"name": "Desk"}}, "calendars": SHORT_DAYS}
    asked = AdoptPolicy(matrix=as_text(known), vendors="", digest="d", sure=True)
    desk.do_all([(ADA, Log(title="before")), (ADA, asked), (ADA, Log(title="after"))])
    assert row(store, 1).due_at == row(store, 2).due_at
    assert verify(store).faults == []
