"""Who may send what now: order, leases, pauses, and that no two workers ever hold the same row."""

from __future__ import annotations

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from register.desk import ServiceDesk
from register.store import Store, leases, open_store, outbox
from register.store.vendors import health, heard_from
from register.topics.delivery import PauseVendor
from register.topics.engagement import Engage
from register.topics.intake import Log
from tests.register.saying import ANA, BEN, ENGINE, arrived, claim, engaged, reply, row_of

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def ids(rows: list[Any]) -> list[str]:
    return [row.row_id for row in rows]


def test_a_claimed_row_says_what_the_courier_needs(desk: ServiceDesk) -> None:
    number, bond = engaged(desk)
    (row,) = claim(desk.store, NOW)
    assert (row.row_id, row.op_id, row.incident, row.bond, row.kind) == (bond, bond, number, bond, "create")
    assert (row.state, row.tries, row.remote_id, row.first_tried_at) == ("sending", 1, None, NOW)
    assert (row.deadline_at, row.lease_until) == (NOW + timedelta(seconds=15), NOW + timedelta(seconds=30))


def test_one_bonds_sendings_go_out_one_after_the_other(desk: ServiceDesk) -> None:
    number, bond = engaged(desk)
    first, second = reply(desk, number, "one"), reply(desk, number, "two")
    gone = []
    for row_id in (bond, first, second):
        assert ids(claim(desk.store, NOW)) == [row_id]
        assert claim(desk.store, NOW) == []
        arrived(desk, row_id)
        gone.append(row_id)
    assert outbox.unfinished(desk.store) == []


def test_different_bonds_go_out_side_by_side_in_the_order_they_were_asked_for(desk: ServiceDesk) -> None:
    bonds = [engaged(desk)[1] for _ in range(4)]
    assert ids(claim(desk.store, NOW, most=3)) == bonds[:3]
    assert ids(claim(desk.store, NOW, most=3)) == bonds[3:]


def test_one_suppliers_rows_are_not_anothers(desk: ServiceDesk) -> None:
    mine, theirs = engaged(desk, "acme")[1], engaged(desk, "practice")[1]
    assert ids(claim(desk.store, NOW, "acme")) == [mine]
    assert ids(claim(desk.store, NOW, "practice")) == [theirs]


def test_a_paused_supplier_gives_nothing_and_the_others_go_on(desk: ServiceDesk) -> None:
    engaged(desk, "acme")
    theirs = engaged(desk, "practice")[1]
    desk.do(ENGINE, PauseVendor(vendor="acme", why="no token"))
    assert claim(desk.store, NOW, "acme") == []
    assert ids(claim(desk.store, NOW, "practice")) == [theirs]


def test_a_waiting_row_waits_and_holds_back_what_is_behind_it(desk: ServiceDesk) -> None:
    number, bond = engaged(desk)
    reply(desk, number)
    (row,) = claim(desk.store, NOW)
    outbox.wait(desk.store, row, NOW + timedelta(seconds=60), "They are busy.", NOW)
    assert row_of(desk.store, bond)["why"] == "They are busy."
    assert outbox.next_due(desk.store, "acme") == NOW + timedelta(seconds=60)
    assert claim(desk.store, NOW + timedelta(seconds=59)) == []
    (again,) = claim(desk.store, NOW + timedelta(seconds=60))
    assert (again.row_id, again.tries, again.first_tried_at) == (bond, 2, NOW)


def test_waiting_is_only_for_the_try_that_it_is_about(desk: ServiceDesk) -> None:
    engaged(desk)
    (old,) = claim(desk.store, NOW)
    outbox.wait(desk.store, old, NOW, "later", NOW)
    (new,) = claim(desk.store, NOW)
    outbox.wait(desk.store, old, NOW + timedelta(days=1), "late word", NOW)
    assert row_of(desk.store, new.row_id)["state"] == "sending"


def test_a_dead_senders_row_is_found_when_its_lease_has_run_out_and_not_before(desk: ServiceDesk) -> None:
    bond = engaged(desk)[1]
    claim(desk.store, NOW)
    assert outbox.expired(desk.store, "acme", NOW + timedelta(seconds=29)) == []
    assert ids(outbox.expired(desk.store, "acme", NOW + timedelta(seconds=30))) == [bond]
    assert outbox.expired(desk.store, "practice", NOW + timedelta(days=1)) == []
    assert claim(desk.store, NOW + timedelta(days=1)) == []


def test_a_doubtful_row_is_looked_up_when_it_is_time(desk: ServiceDesk) -> None:
    from register.topics.delivery import DoubtSending

    bond = engaged(desk)[1]
    (row,) = claim(desk.store, NOW)
    at = NOW + timedelta(seconds=60)
    desk.do(ENGINE, DoubtSending(row_id=bond, tries=row.tries, why="no answer", next_at=at))
    assert outbox.overdue(desk.store, "acme", NOW)[1] == []
    (row,) = outbox.overdue(desk.store, "acme", at)[1]
    outbox.look_again(desk.store, row, at + timedelta(seconds=60), "still unknown", at, counts=True)
    assert outbox.overdue(desk.store, "acme", at)[1] == []
    (row,) = outbox.overdue(desk.store, "acme", at + timedelta(seconds=60))[1]
    assert row.lookups == 1
    outbox.look_again(desk.store, row, at, "they did not answer", at, counts=False)
    assert row_of(desk.store, bond)["lookups"] == 1


def test_two_workers_never_get_the_same_row(desk: ServiceDesk) -> None:
    asked = [(ANA, Log(title=f"Trouble {n}")) for n in range(60)]
    numbers = [receipt.number for receipt in desk.do_all(asked)]
    desk.do_all([(BEN, Engage(target=n, vendor="acme", message="Help.")) for n in numbers])
    start = threading.Barrier(3)

    def worker(name: str) -> list[str]:
        store = open_store(desk.store.url)
        start.wait()
        got: list[str] = []
        for _ in range(40):
            got += ids(claim(store, NOW, most=3, holder=name))
        store.close()
        return got

    with ThreadPoolExecutor(3) as pool:
        results = list(pool.map(worker, ("w1", "w2", "w3")))
    counted = Counter(row_id for result in results for row_id in result)
    assert set(counted.values()) == {1}
    assert len(counted) == 60


def test_while_a_claim_is_open_another_worker_passes_over_its_rows_and_takes_the_next(
    desk: ServiceDesk,
) -> None:
    """PostgreSQL skips what is locked; SQLite has one writer, so the second comes after."""
    if desk.store.path is not None:
        pytest.skip("one writer at a time")
    bonds = [engaged(desk)[1] for _ in range(2)]
    with desk.store.rows_only() as connection:
        connection.exec_driver_sql(f"SELECT * FROM sending WHERE row_id = '{bonds[0]}' FOR UPDATE")
        other = open_store(desk.store.url)
        assert ids(claim(other, NOW)) == [bonds[1]]
        other.close()


def test_claiming_takes_no_head_lock(desk: ServiceDesk) -> None:
    """A person's long transaction holds the head; the courier goes on (PostgreSQL)."""
    if desk.store.path is not None:
        pytest.skip("one writer at a time")
    bond = engaged(desk)[1]
    other = open_store(desk.store.url)
    with desk.store.write():
        assert ids(claim(other, NOW)) == [bond]
    other.close()


# Which worker


def test_a_lease_has_one_holder_until_it_runs_out(store: Store) -> None:
    until = NOW + timedelta(seconds=30)
    assert leases.take(store, "acme", "w1", NOW, until)
    assert leases.take(store, "acme", "w1", NOW, until)
    assert not leases.take(store, "acme", "w2", NOW, until)
    assert leases.take(store, "practice", "w2", NOW, until)
    assert leases.running_until(store, "acme") == until
    assert leases.take(store, "acme", "w2", until, until + timedelta(seconds=30))
    assert not leases.take(store, "acme", "w1", until, until + timedelta(seconds=30))


def test_a_lease_of_one_who_is_known_to_be_dead_is_taken_at_once(store: Store) -> None:
    until = NOW + timedelta(seconds=30)
    assert leases.take(store, "acme", "w1", NOW, until)
    assert leases.take(store, "acme", "w2", NOW, until, from_anyone=True)
    assert not leases.take(store, "acme", "w1", NOW, until)


def test_a_released_lease_is_free(store: Store) -> None:
    leases.take(store, "acme", "w1", NOW, NOW + timedelta(seconds=30))
    leases.release(store, "w1")
    assert leases.running_until(store, "acme") is None
    assert leases.take(store, "acme", "w2", NOW, NOW + timedelta(seconds=30))


def test_of_workers_that_start_at_once_one_gets_the_lease(store: Store) -> None:
    for turn in range(8):
        start = threading.Barrier(4)

        def take(holder: int, turn: int = turn, start: threading.Barrier = start) -> bool:
            start.wait()
            return leases.take(store, f"v{turn}", f"w{holder}", NOW, NOW + timedelta(seconds=30))

        with ThreadPoolExecutor(4) as pool:
            assert sorted(pool.map(take, range(4))) == [False, False, False, True]


def test_the_first_poll_of_a_supplier_is_noted_once_by_any_number_of_workers(store: Store) -> None:
    start = threading.Barrier(4)

    def note(_: int) -> None:
        start.wait()
        heard_from(store, "acme", NOW, "")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(note, range(4)))
    assert health(store)["acme"].heard_at == NOW
    heard_from(store, "acme", NOW + timedelta(minutes=1), "They do not answer.")
    kept = health(store)["acme"]
    assert (kept.heard_at, kept.trouble) == (NOW, "They do not answer.")
