"""What the register keeps of suppliers' webhooks, on both engines: it rang, who answered, who was refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from register.store import Store
from register.store.hooks import (
    Bell,
    answered,
    bell,
    bells,
    forget_deliveries,
    refused,
    ring,
    unanswered,
)
from register.store.vendors import health
from register.store.watcher import Watcher

NOW = datetime(2026, 11, 27, 14, 2, tzinfo=UTC)


def test_it_rings_until_somebody_has_asked(store: Store) -> None:
    assert (bell(store, "acme"), unanswered(store)) == (Bell(), [])
    assert ring(store, "acme", NOW)
    assert ring(store, "acme", NOW + timedelta(seconds=1))
    assert unanswered(store) == ["acme"]
    before = bell(store, "acme")
    assert (before.rung, before.rung_at, before.waits) == (2, NOW + timedelta(seconds=1), True)
    ring(store, "acme", NOW)  # while it is being asked: that answer may have been made before
    answered(store, "acme", before.rung)
    assert unanswered(store) == ["acme"]
    answered(store, "acme", bell(store, "acme").rung)
    assert unanswered(store) == []
    assert not bells(store)["acme"].waits


def test_a_delivery_rings_once_however_often_it_comes(store: Store) -> None:
    assert ring(store, "acme", NOW, "msg_1")
    answered(store, "acme", 1)
    assert not ring(store, "acme", NOW, "msg_1")
    assert unanswered(store) == []
    assert ring(store, "other", NOW, "msg_1"), "another supplier's names are its own"
    assert ring(store, "acme", NOW, "msg_2")


def test_names_of_deliveries_are_kept_for_a_while(store: Store) -> None:
    ring(store, "acme", NOW, "old")
    ring(store, "acme", NOW + timedelta(days=2), "new")
    forget_deliveries(store, NOW + timedelta(days=1))
    assert ring(store, "acme", NOW, "old")
    assert not ring(store, "acme", NOW, "new")


def test_refusals_are_counted_until_a_good_one_comes(store: Store) -> None:
    refused(store, "acme", NOW, "signature wrong", 1)
    refused(store, "acme", NOW, "signature wrong", 40)
    told = health(store)["acme"].bell
    assert (told.refused, told.refused_why, told.refused_since) == (41, "signature wrong", NOW)
    ring(store, "acme", NOW)
    assert (bell(store, "acme").refused, bell(store, "acme").refused_since) == (0, None)


def test_whoever_waits_for_commits_hears_it_ring(store: Store) -> None:
    """PostgreSQL: another host's worker is told at once; a board waits on for commits."""
    worker, board = Watcher(store, bells=True), Watcher(store)
    seq = store.seq()
    for watcher in (worker, board):
        assert not watcher.wait(seq, 0.01)
    ring(store, "acme", NOW)
    assert unanswered(store) == ["acme"]
    elsewhere = store.path is None  # one process alone serves a file: its door asks without a notice
    assert not worker.wait(seq, 30 if elsewhere else 0.01)
    assert worker.rang is elsewhere
    assert not board.wait(seq, 0.01)
    worker.close()
    board.close()
