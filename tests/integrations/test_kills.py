"""The worker is killed with SIGKILL, for real, at every point at which it can die."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from engine_kit import (
    COORDINATOR,
    engage_many,
    killed_at_random,
    mortal,
    practice_file,
    tickets_by_reference,
    wait_for,
)

from integrations.practice.moods import CommitThenDrop, DropBeforeCommit
from integrations.practice.server import Practice
from integrations.vendors import load_vendors, policy_of
from register.desk import ServiceDesk
from register.incident import BondState
from register.store import Store, outbox
from register.topics.withdrawal import Withdraw
from register.verify import verify

pytestmark = pytest.mark.kills


def _desk(store: Store, home: Path, practice: Practice, **more: object) -> ServiceDesk:
    return ServiceDesk(store, policy_of(load_vendors(practice_file(home, practice.url, **more))))


@pytest.mark.parametrize("point", ["claimed", "answered", "settled", "looked"])
def test_kill_at_a_point(point: str, practice: Practice, own_store: Store, tmp_path: Path) -> None:
    desk = _desk(own_store, tmp_path, practice)
    if point == "looked":
        practice.moods.set(CommitThenDrop(times=1, on="create"))
    made = engage_many(desk, 3, "practice")
    register = str(own_store.path)
    with mortal(register, tmp_path, die=(point, 1)) as worker:
        assert worker.wait(20) == -9
    with mortal(register, tmp_path):
        wait_for(lambda: not outbox.unfinished(own_store), 25, "an empty outbox")
    assert tickets_by_reference(practice) == {op_id: 1 for _, op_id in made}
    assert all(own_store.incident(number).bonds[0].ref for number, _ in made)
    assert verify(own_store).faults == []


@pytest.mark.parametrize("point", ["claimed", "answered", "settled", "looked"])
def test_kill_while_a_supplier_is_called_off(
    point: str, practice: Practice, own_store: Store, tmp_path: Path
) -> None:
    """Closed once, with the reason once, whenever the worker dies; and nothing of it comes back as news."""
    desk = _desk(own_store, tmp_path, practice)
    made = engage_many(desk, 2, "practice")
    register = str(own_store.path)
    with mortal(register, tmp_path):
        wait_for(lambda: not outbox.unfinished(own_store), 25, "an empty outbox")
    if point == "looked":
        practice.moods.set(CommitThenDrop(times=1, on="comment"))
    for number, _ in made:
        desk.do(COORDINATOR, Withdraw(target=number, reason="it was our own router"))
    with mortal(register, tmp_path, die=(point, 1)) as worker:
        assert worker.wait(20) == -9
    with mortal(register, tmp_path):
        wait_for(lambda: not outbox.unfinished(own_store), 25, "an empty outbox")
    assert [ticket.state for ticket in practice.desk.tickets] == ["Closed", "Closed"]
    changes = [change.kind for change in practice.desk.changes]
    assert (changes.count("state"), changes.count("comment")) == (2, 2)
    assert all(own_store.incident(number).bonds[0].state is BondState.ENDED for number, _ in made)
    assert verify(own_store).faults == []


def test_kills_at_random_moments(practice: Practice, own_store: Store, tmp_path: Path) -> None:
    count = int(os.environ.get("MUSTER_KILLED_ENGAGEMENTS", "16"))
    desk = _desk(own_store, tmp_path, practice, max_in_flight=4)
    made = engage_many(desk, count, "practice")
    practice.moods.set(
        *(
            kind(times=1, on="create")
            for _ in range(count // 8)
            for kind in (CommitThenDrop, DropBeforeCommit)
        )
    )
    kills = killed_at_random(str(own_store.path), tmp_path, settle=1.0, seed=7, seconds=(0.3, 2.0), limit=80)
    assert kills >= 1
    assert tickets_by_reference(practice) == {op_id: 1 for _, op_id in made}
    assert all(own_store.incident(number).bonds[0].ref for number, _ in made)
    assert verify(own_store).faults == []
