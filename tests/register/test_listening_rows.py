"""What the register keeps of the listening to a supplier, on both engines."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from register.desk import ServiceDesk
from register.incident import Impact, Urgency
from register.store.listening import Listening, has_open_bonds, has_urgent, listening, put_listening
from register.store.vendors import (
    Standing,
    change_standing,
    health,
    heard_from,
    spend,
    spent_until,
    standing,
)
from register.topics.correction import Correct
from tests.register.saying import ANA, ticket_of


def test_how_often_it_is_asked_is_kept_beside_when_it_was_asked_last(desk: ServiceDesk, clock: Any) -> None:
    store, now = desk.store, clock.now
    assert listening(store, "acme") == Listening()
    put_listening(store, "acme", Listening(None, 120, "at rest", now))
    heard_from(store, "acme", now, "it did not answer")
    assert listening(store, "acme") == Listening(now, 120, "at rest", now)
    told = health(store)["acme"]
    assert (told.poll_every, told.poll_why, told.polled_at, told.heard_at) == (120, "at rest", now, None)


def test_what_is_open_with_them_and_whether_it_is_urgent(desk: ServiceDesk, clock: Any) -> None:
    assert (has_open_bonds(desk.store, "acme"), has_urgent(desk.store, "acme")) == (False, False)
    number, _ = ticket_of(desk, clock)
    low = {"impact": Impact.LOW, "urgency": Urgency.LOW}
    desk.do(ANA, Correct(target=number, reason="not so bad", **low))
    assert (has_open_bonds(desk.store, "acme"), has_urgent(desk.store, "acme")) == (True, False)
    desk.do(ANA, Correct(target=number, reason="worse", impact=Impact.HIGH, urgency=Urgency.HIGH))
    assert (has_urgent(desk.store, "acme"), has_urgent(desk.store, "practice")) == (True, False)


def test_what_two_learn_of_a_supplier_at_once_is_put_together(desk: ServiceDesk, clock: Any) -> None:
    store, now = desk.store, clock.now
    first = change_standing(store, "acme", lambda was: Standing(failures=was.failures + 1))
    second = change_standing(
        store, "acme", lambda was: Standing(failures=was.failures + 1, not_before=now, why="wait")
    )
    assert (first.failures, second.failures) == (1, 2)
    assert standing(store, "acme") == Standing(failures=2, not_before=now, why="wait")


def test_requests_are_spent_from_what_others_have_spent(desk: ServiceDesk, clock: Any) -> None:
    store, second = desk.store, timedelta(seconds=1)
    assert spent_until(store, "acme") is None

    def more(was: datetime | None) -> datetime:
        return (was or clock.now) + second

    assert spend(store, "acme", more) == clock.now + second
    assert spend(store, "acme", more) == clock.now + 2 * second == spent_until(store, "acme")
