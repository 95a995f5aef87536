"""What a rota's calendar says, on record: only where it says something new; and how it stands with each."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from register.core import Policy, Refused
from register.desk import ServiceDesk
from register.duty import Shift
from register.feed_health import FeedState
from register.matrix_toml import read_matrix
from register.rota import Rota
from register.store import Store, feeds
from register.store.adopted import adopted
from register.store.duty import duty_now
from register.store.erasing import erase, who_is
from register.topics.feeds import FeedShift, HearFeed
from register.verify import verify
from tests.register.saying import ADA, BEN, ENGINE

MATRIX = read_matrix(
    """
fallback_team = "desk"
[teams.desk]
name = "Desk"
[people.ana]
name = "Ana Sample"
login = "ana"
[people.ben]
name = "Ben Sample"
login = "ben"
"""
)
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@pytest.fixture
def policy(policy: Policy) -> Policy:
    return replace(policy, matrix=MATRIX.model_copy(update={"rotas": {"ops": Rota(), "web": Rota()}}))


def at(days: float) -> datetime:
    return NOW + timedelta(days=days)


def hear(desk: ServiceDesk, *shifts: tuple[float, float, str], until: float = 60, rota: str = "ops") -> int:
    said = tuple(FeedShift(begin=at(b), end=at(e), person=who) for b, e, who in shifts)
    return len(desk.do(ENGINE, HearFeed(rota=rota, until=at(until), shifts=said)).events)


def test_what_a_calendar_says_is_on_record_by_ids_and_once(desk: ServiceDesk, store: Store) -> None:
    assert hear(desk, (-1, 6, "ana"), (6, 13, "ben"), (13, 20, "stranger")) == 1
    ids = {name: key for key, name in store.people().items()}
    assert duty_now(store).feeds == {
        "ops": (Shift(at(-1), at(6), ids["ana"]), Shift(at(6), at(13), ids["ben"])),
    }
    assert hear(desk, (-1, 6, "ana"), (6, 13, "ben")) == 0
    assert hear(desk, (-1, 6, "ana"), (6, 13, "ben"), rota="gone") == 0
    assert hear(desk, (0, 9, "ben"), rota="web") == 1
    assert set(duty_now(store).feeds) == {"ops", "web"}
    with store.read() as connection:
        (data,) = connection.exec_driver_sql(
            "SELECT data FROM event WHERE kind = 'feed_heard' AND n = 1"
        ).one()
    assert "ana" not in data
    assert verify(store).faults == []


def test_a_calendar_that_only_moves_on_writes_nothing_for_a_month(
    desk: ServiceDesk, store: Store, clock: Any
) -> None:
    everything = [(7.0 * week, 7.0 * week + 7, ("ana", "ben")[week % 2]) for week in range(30)]
    written = 0
    for day in range(90):
        clock.now = at(day) + timedelta(minutes=5)
        # what is over is left out, the running shift begins now, and each day reaches one further
        said = [(max(b, float(day)), e, who) for b, e, who in everything if e > day and b < day + 60]
        written += hear(desk, *said, until=day + 60)
    assert written == 3  # at the beginning, and where what is known reaches less than a month ahead
    assert duty_now(store).feeds_until["ops"] >= at(90 + 30)


def test_a_change_is_on_record_at_once(desk: ServiceDesk, store: Store, clock: Any) -> None:
    hear(desk, (0, 7, "ana"), (7, 14, "ben"))
    clock.passes(hours=1)
    assert hear(desk, (0, 7, "ana"), (7, 13, "ben")) == 1
    assert hear(desk, (0, 7, "ana"), (7, 13, "ben"), (20, 21, "ana")) == 1
    assert hear(desk, (0, 7, "ben"), (7, 13, "ben")) == 1
    assert len(duty_now(store).feeds["ops"]) == 2


def test_only_the_worker_says_what_a_calendar_says(desk: ServiceDesk) -> None:
    with pytest.raises(Refused, match="what the worker does by itself"):
        desk.do(BEN, HearFeed(rota="ops", until=at(60), shifts=()))


def test_who_is_erased_is_in_no_shift_by_name(desk: ServiceDesk, store: Store) -> None:
    hear(desk, (0, 7, "ana"))
    feeds.claim(store, "ops", "v1", NOW, at(1))
    feeds.heard(store, "ops", NOW, at(1), "matrix.toml knows nobody by ana (from 2026-03-02).")
    erase(desk, ADA, who_is(store, "ana"), "they asked for it")
    assert "ana" not in store.people().values()
    assert "ana " not in feeds.feeds(store)["ops"].lost
    assert duty_now(store).feeds["ops"] == ()
    assert verify(store).faults == []


def test_one_worker_asks(store: Store) -> None:
    until, later = at(0.1), at(0.2)
    assert feeds.due(store, {"ops": "v1"}, NOW) == ["ops"]
    assert feeds.claim(store, "ops", "v1", NOW, until)
    assert not feeds.claim(store, "ops", "v1", NOW, until)
    assert feeds.due(store, {"ops": "v1"}, NOW) == []
    assert feeds.due(store, {"ops": "v2", "web": "v1"}, NOW) == ["ops", "web"]  # another is said of it
    assert feeds.claim(store, "ops", "v2", NOW, until)
    assert not feeds.claim(store, "ops", "v2", NOW, until)
    assert feeds.claim(store, "ops", "v2", until, later)  # the other one died of it
    feeds.ask_now(store, "ops")
    assert feeds.due(store, {"ops": "v2"}, NOW) == ["ops"]


def test_how_it_stands_with_a_calendar(store: Store) -> None:
    assert feeds.feeds(store) == {}
    feeds.claim(store, "ops", "v1", NOW, at(1))
    feeds.failed(store, "ops", at(1), "It is gone.", grave=True)
    feeds.failed(store, "ops", at(1), "It is gone.", grave=True)
    assert feeds.feeds(store)["ops"] == FeedState(None, NOW, 2, "It is gone.", True, "")
    feeds.heard(store, "ops", at(1), at(2), "Zoe is nobody.")
    assert feeds.feeds(store)["ops"] == FeedState(at(1), NOW, 0, "", False, "Zoe is nobody.")
    feeds.heard(store, "ops", at(1.5), at(2), None)  # as it was
    assert feeds.feeds(store)["ops"].lost == "Zoe is nobody."
    feeds.lacks(store, "ops", "Its address is not here.", at(1))  # another worker knows it
    assert feeds.feeds(store)["ops"].trouble == ""
    feeds.lacks(store, "ops", "Its address is not here.", at(1.6))
    assert feeds.feeds(store)["ops"].trouble == "Its address is not here."
    feeds.lacks(store, "web", "Its address is not here.", at(1))
    assert feeds.feeds(store)["web"] == FeedState(
        None, None, 0, "Its address is not here.", True, "", lacking=True
    )


def test_nothing_is_adopted_here(store: Store) -> None:
    assert adopted(store).policy.matrix.rotas == {}
