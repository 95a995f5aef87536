"""A supplier that does not answer is probed, not hammered; one that asks to wait is let wait."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from engine_kit import Engine

from integrations.breaker import LONGEST, TRIPS_AT, UNTOLD, after, room_in
from integrations.errors import (
    Ambiguous,
    AuthFailed,
    Conflict,
    Failure,
    NotSent,
    RateLimited,
    Rejected,
    Unavailable,
)
from integrations.practice.moods import Calm, RateLimit
from integrations.practice.server import Practice
from register.store import outbox, vendors
from register.store.vendors import Standing
from register.topics.engagement import Engage
from register.topics.intake import Log

NOW = datetime(2030, 5, 1, 12, tzinfo=UTC)
FIRST = timedelta(seconds=15)


def said(*outcomes: object) -> Standing:
    standing = Standing()
    for outcome in outcomes:
        standing = after(standing, outcome, NOW, FIRST)
    return standing


@pytest.mark.parametrize("kind", [NotSent, Unavailable, Ambiguous])
def test_five_silences_in_a_row_leave_one_probe_at_a_time(kind: type[Failure]) -> None:
    few = said(*[kind("no answer")] * (TRIPS_AT - 1))
    assert room_in(few, 16, NOW) == 16
    tripped = said(*[kind("no answer")] * TRIPS_AT)
    assert room_in(tripped, 16, NOW) == 0
    assert room_in(tripped, 16, NOW + FIRST) == 1
    assert said(*[kind("no answer")] * 40).not_before == NOW + LONGEST


@pytest.mark.parametrize("answer", ["a ticket", Rejected("no"), Conflict("changed")])
def test_any_answer_closes_it_again(answer: object) -> None:
    assert said(*[NotSent("no answer")] * 9, answer) == Standing()


def test_a_wait_they_ask_for_holds_for_all_however_long_and_whatever_else_they_answer() -> None:
    day = timedelta(days=1)
    asked = said(RateLimited("slowly", day), "a ticket", RateLimited("slowly", timedelta(seconds=1)))
    assert asked.not_before == NOW + day
    assert room_in(asked, 16, NOW + day - timedelta(seconds=1)) == 0
    assert room_in(asked, 16, NOW + day) == 16
    assert said(RateLimited("slowly")).not_before == NOW + UNTOLD


def test_a_refused_credential_is_not_its_business_and_a_pause_leaves_no_room() -> None:
    assert said(AuthFailed("who are you")) == Standing()
    assert room_in(Standing(paused=True), 16, NOW) == 0


async def test_one_no_to_all_is_enough(engine: Engine, practice: Practice) -> None:
    for n in range(12):
        number = engine.do(Log(title=f"Sample outage {n}")).number or ""
        engine.do(Engage(target=number, vendor="practice", message="please look"))
    practice.moods.set(RateLimit(on="create", retry_after=1))
    await engine.courier.until_quiet()
    assert sum(bool(row.tries) for row in outbox.unfinished(engine.store)) == 1
    assert vendors.standing(engine.store, "practice").not_before is not None
    practice.moods.set(Calm())
    await engine.settle_all(20)
    assert len(practice.desk.tickets) == 12
