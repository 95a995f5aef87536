"""A supplier that closes what waits for us: told once a turn of ours, whose turn it is and until when."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from register.closing import warn_of_closing
from register.core import Policy
from register.desk import ServiceDesk
from register.incident import Ball
from register.topics.closing import warned_before
from register.topics.hearing import Hear
from register.verify import verify
from tests.register.saying import ENGINE, arrived, claim, heard, look, reply, story, ticket_of


@pytest.fixture
def strict(desk: ServiceDesk) -> ServiceDesk:
    """A desk whose supplier acme closes after five days."""
    acme = replace(desk.policy.vendors["acme"], closes_after=timedelta(days=5))
    policy = Policy({**desk.policy.vendors, "acme": acme})
    return ServiceDesk(desk.store, policy, desk._clock)


def asks(desk: ServiceDesk, clock: Any) -> tuple[str, str, datetime]:
    """Their ticket waits for us: number, bond, since when."""
    number, bond = ticket_of(desk, clock)
    at = clock()
    desk.do(ENGINE, Hear(vendor="acme", items=(heard(number, bond, at),)))
    return number, bond, at


def test_it_is_told_a_day_before_and_once(strict: ServiceDesk, clock: Any) -> None:
    number, bond, at = asks(strict, clock)
    clock.now = at + timedelta(days=4) - timedelta(seconds=1)
    assert warn_of_closing(strict, clock.now) == 0
    clock.passes(seconds=2)
    assert warn_of_closing(strict, clock.now) == 1
    assert warn_of_closing(strict, clock.now) == 0
    event = strict.store.timeline(number)[-1].event
    assert (event.bond, event.since, event.closes_at) == (bond, at, at + timedelta(days=5))  # type: ignore[union-attr]
    assert look(strict, number).bonds[0].closing_at == at + timedelta(days=5)
    assert verify(strict.store).faults == []


def test_our_answer_ends_it_and_the_next_turn_is_told_anew(strict: ServiceDesk, clock: Any) -> None:
    number, bond, at = asks(strict, clock)
    clock.now = at + timedelta(days=4, minutes=1)
    warn_of_closing(strict, clock.now)
    row_id = reply(strict, number)
    claim(strict.store, clock())
    arrived(strict, row_id, None)
    assert look(strict, number).bonds[0].ball is Ball.THEIRS
    assert look(strict, number).bonds[0].closing_at is None
    clock.passes(days=9)
    assert warn_of_closing(strict, clock.now) == 0
    strict.do(ENGINE, Hear(vendor="acme", items=(heard(number, bond, clock(), change_id="c2"),)))
    clock.passes(days=4, minutes=1)
    assert warn_of_closing(strict, clock.now) == 1
    assert story(strict, number).count("closing_near") == 2


def test_of_a_supplier_that_never_closes_nothing_is_told(desk: ServiceDesk, clock: Any) -> None:
    asks(desk, clock)
    clock.passes(days=400)
    assert warn_of_closing(desk, clock.now) == 0


@pytest.mark.parametrize(
    ("closes", "before"),
    [
        (timedelta(days=30), timedelta(days=6)),
        (timedelta(days=5), timedelta(days=1)),
        (timedelta(days=3), timedelta(days=1)),
        (timedelta(hours=8), timedelta(hours=4)),
    ],
)
def test_how_long_before(closes: timedelta, before: timedelta) -> None:
    assert warned_before(closes) == before
