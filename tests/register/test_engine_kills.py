"""Engines killed while hundreds of steps are due; two of them; frozen; cut off: each step comes once."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from register.auditing import audit
from register.core import Policy
from register.desk import ServiceDesk
from register.incident import Impact, Urgency
from register.matrix_toml import read_matrix
from register.store import Store, leases, open_store
from register.topics.intake import Log
from register.verify import verify
from register.watch import due
from tests.cuttable import line_to
from tests.register.escalating import MATRIX
from tests.register.saying import ANA, ROOT

pytestmark = [pytest.mark.kills, pytest.mark.timeout(300)]

LEASE = 2.0
AT_ONCE = Policy(matrix=read_matrix(MATRIX), version=1)


@contextmanager
def engine(url: str, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("ab") as out:
        command = [sys.executable, "-m", "tests.register.engine", url, str(LEASE)]
        process = subprocess.Popen(command, cwd=ROOT, stdout=out, stderr=out)
    try:
        yield process
    finally:
        process.kill()
        process.wait(10)


def until(done: Callable[[], bool], seconds: float, what: str) -> None:
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end, f"{what} did not happen within {seconds} s"
        time.sleep(0.02)


def waiting(store: Store, count: int) -> ServiceDesk:
    """So many incidents, each with a first step that is due."""
    desk = ServiceDesk(store, AT_ONCE)
    logs = [Log(title=f"Sample {n}", impact=Impact.HIGH, urgency=Urgency.HIGH) for n in range(count)]
    for at in range(0, count, 50):
        desk.do_all([(ANA, one) for one in logs[at : at + 50]])
    return desk


def fired(store: Store) -> Counter[str]:
    """How many steps each incident has taken."""
    numbers = [one.number for one in store.incidents(everything=True)]
    return Counter(
        {number: sum(one.kind == "step_fired" for one in store.timeline(number)) for number in numbers}
    )


def is_sound(store: Store) -> None:
    assert audit(store, datetime.now(UTC)).found == []
    assert verify(store).faults == []


@pytest.fixture
def own(register_url: str) -> Iterator[Store]:
    store = open_store(register_url)
    yield store
    store.close()


def test_killed_at_random_while_hundreds_are_due_each_step_comes_once(own: Store, tmp_path: Path) -> None:
    count, kills, dice = int(os.environ.get("MUSTER_DUE", "400")), 0, random.Random(3)
    waiting(own, count)
    while left := len(due(own, datetime.now(UTC))):
        assert kills < 60, left
        with engine(own.url, tmp_path / "log"):
            until(lambda left=left: len(due(own, datetime.now(UTC))) < left, 60, "a step")  # type: ignore[misc]
            time.sleep(dice.uniform(0, 0.15))
        kills += 1
    assert kills > 2, "it was killed amid its work"
    assert fired(own) == Counter({f"INC-{n}": 1 for n in range(1, count + 1)})
    is_sound(own)


def test_of_two_engines_one_ticks_and_the_other_takes_over_when_it_dies(own: Store, tmp_path: Path) -> None:
    with engine(own.url, tmp_path / "one") as one:
        until(lambda: leases.seen(own, leases.ENGINE) is not None, 30, "the first engine")
        first = leases.seen(own, leases.ENGINE)
        assert first is not None
        with engine(own.url, tmp_path / "two"):
            until(lambda: b"up" in (tmp_path / "two").read_bytes(), 30, "the second one")
            desk = waiting(own, 60)
            until(lambda: not due(own, datetime.now(UTC)), 60, "all steps")
            time.sleep(LEASE + 1)
            now = leases.seen(own, leases.ENGINE)
            assert now is not None
            assert now.holder == first.holder, "while it lives no other ticks"
            one.kill()
            one.wait(10)
            waiting(own, 20)
            until(lambda: not due(own, datetime.now(UTC)), 60, "steps by the other one")
            last = leases.seen(own, leases.ENGINE)
            assert last is not None
            assert last.holder != first.holder
    assert set(fired(desk.store).values()) == {1}
    assert b"was silent for 2 s: this worker takes the steps" in (tmp_path / "two").read_bytes()
    is_sound(own)


def test_an_engine_that_was_frozen_does_nothing_twice(own: Store, tmp_path: Path) -> None:
    with engine(own.url, tmp_path / "one") as one:
        until(lambda: leases.seen(own, leases.ENGINE) is not None, 30, "the first engine")
        waiting(own, 30)
        until(lambda: len(due(own, datetime.now(UTC))) < 30, 60, "a step")
        one.send_signal(signal.SIGSTOP)
        try:
            if own.path is not None and len(due(own, datetime.now(UTC))):
                one.send_signal(signal.SIGCONT)  # frozen in a transaction, it keeps the file: all wait
                until(lambda: not due(own, datetime.now(UTC)), 60, "what it was at")
                one.send_signal(signal.SIGSTOP)
            with engine(own.url, tmp_path / "two"):
                until(lambda: b"takes the steps" in (tmp_path / "two").read_bytes(), 90, "the second one")
                until(lambda: not due(own, datetime.now(UTC)), 60, "the rest")
                waiting(own, 40)
                one.send_signal(signal.SIGCONT)
                until(lambda: b"Another worker" in (tmp_path / "one").read_bytes(), 30, "that it has lost it")
                until(lambda: not due(own, datetime.now(UTC)), 60, "all")
        finally:
            one.send_signal(signal.SIGCONT)
    assert set(fired(own).values()) == {1}
    is_sound(own)


def test_cut_off_from_postgresql_one_of_two_takes_each_step(
    databases: object, tmp_path: Path, new_register: Callable[[], str], database: str
) -> None:
    if database != "postgresql":
        pytest.skip("one file has no network")
    url = new_register()
    store = open_store(url)
    with line_to(url) as line, engine(line.url, tmp_path / "one"):
        until(lambda: leases.seen(store, leases.ENGINE) is not None, 30, "the first engine")
        with engine(url, tmp_path / "two"):
            until(lambda: b"up" in (tmp_path / "two").read_bytes(), 30, "the second one")
            waiting(store, 100)
            line.cut()
            until(lambda: not due(store, datetime.now(UTC)), 60, "all steps")
            until(lambda: b"takes the steps" in (tmp_path / "two").read_bytes(), 60, "taking over")
            line.mend()
            waiting(store, 50)
            until(lambda: not due(store, datetime.now(UTC)), 60, "all steps")
            until(lambda: b"Another worker" in (tmp_path / "one").read_bytes(), 60, "that it has lost it")
    assert b"could not be looked at" in (tmp_path / "one").read_bytes()
    assert set(fired(store).values()) == {1}
    is_sound(store)
    store.close()
