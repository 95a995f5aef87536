"""The storm: a real supplier behind a line that breaks, workers killed, databases restarted; then we count.

`make test-peers` runs a few engagements on each system. All of them: `.ci/peers -m "peers and chaos" -s`;
MUSTER_CHAOS_ENGAGEMENTS says how many (500), MUSTER_CHAOS_SEED with which dice.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "integrations"))
from storm_kit import (
    Database,
    Engagements,
    File,
    Postgres,
    RedmineSupplier,
    RtSupplier,
    Serving,
    Supplier,
    Told,
    home_of,
)
from ulid import ULID

from integrations.vendors import load_vendors, policy_of
from register.desk import ServiceDesk, kinds
from register.store import Store, open_store, outbox
from register.topics.news import SupplierSaid
from register.verify import verify
from tests.cutting import cutting

pytestmark = [pytest.mark.peers, pytest.mark.timeout(7200)]
SEED = int(os.environ.get("MUSTER_CHAOS_SEED", "20"))
COUNT = int(os.environ.get("MUSTER_CHAOS_ENGAGEMENTS", "500"))


@pytest.fixture(params=["rt", "redmine"])
def supplier(request: pytest.FixtureRequest) -> Supplier:
    if request.param == "rt":
        return RtSupplier(request.getfixturevalue("peer"))
    return RedmineSupplier(request.getfixturevalue("redmine_peer"))


@pytest.fixture(params=["sqlite", "postgresql"])
def where(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    made: Database = File(tmp_path) if request.param == "sqlite" else Postgres()
    yield made
    made.close()


def storm(
    supplier: Supplier,
    where: Database,
    tmp_path: Path,
    *,
    count: int,
    limit: float,
    share: float,
    pause: float,
    between: tuple[float, float],
    settle: float | None = None,
    blows: int = 1_000_000,
    **vendor: Any,
) -> Told:
    """Engage, reply and be answered while everything breaks; then wait for peace, and count."""
    run, dice, began = f"run {str(ULID())[-8:]}", random.Random(SEED), time.monotonic()
    told = Told(count)
    with cutting(supplier.url, SEED, share) as line, home_of(supplier, line.url, **vendor) as (home, env):
        env["MUSTER_REGISTER"] = where.url
        store = open_store(where.url)
        muster = Path(sys.executable).with_name("muster")
        subprocess.run([muster, "apply", "--json"], env=env, check=True, capture_output=True, timeout=120)
        desk = ServiceDesk(store, policy_of(load_vendors(home / "vendors.toml")))
        work = Engagements(store, desk, "theirs", supplier, run)
        serving = Serving(where.url, env, tmp_path / "serve.log", settle)
        serving.start()
        threads = work.begin(count, pause)
        try:
            while not work.at_peace(count):
                assert time.monotonic() < began + limit, left(store, work)
                assert not work.failed, work.failed
                wait(dice.uniform(*between), lambda: work.at_peace(count))
                if work.at_peace(count) or told.restarts + serving.kills >= blows:
                    continue
                if told.restarts < serving.kills:
                    where.shake(dice)
                    told.restarts += 1
                else:
                    serving.kill()
                    serving.start()
            for thread in threads:
                thread.join(30)
        finally:
            serving.stop()
            told.kills = serving.kills
            told.cuts = {cut.value: number for cut, number in sorted(line.cuts.items())}
        told.seconds = time.monotonic() - began
        told.events = judged(store, work, count)
        store.close()
    print(f"\n{supplier.kind} on {type(where).__name__}: {told}", flush=True)
    return told


def wait(seconds: float, done: Callable[[], bool]) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end and not done():
        time.sleep(0.5)


def left(store: Store, work: Engagements) -> str:
    rows = outbox.unfinished(store)
    return f"no peace: {len(work.made)} made, {len(work.answered)} answered, {len(rows)} unsent: {rows[:3]}"


def judged(store: Store, work: Engagements, count: int) -> Counter[str]:
    """Hold what the supplier has against what was asked for; return how often each kind of event is there."""
    supplier, seen = work.supplier, Counter[str]()
    assert len(work.made) == count
    for n, (number, ops) in enumerate(sorted(work.made.items(), key=lambda made: made[1][0])):
        events = store.timeline(number)
        seen.update(kinds(events))
        incident = store.incident(number)
        assert incident is not None
        bond = incident.bonds[0]
        assert bond.ref is not None
        assert supplier.tickets(ops[0]) == [bond.ref.id], f"{number}: one ticket, the one that we know"
        words = [f"first word on {n}", f"second word on {n}"]
        texts = supplier.ours(bond.ref.id)
        assert [op for op, _ in texts] == list(ops), f"{number}: our texts in order and once"
        assert [text for _, text in texts[1:]] == words
        said = [one.event.body for one in events if isinstance(one.event, SupplierSaid)]
        assert said == [f"we look at {number}"], f"{number}: their one answer once, and no word of ours"
    assert supplier.count(work.run) == count, "as many tickets as engagements, with our reference or without"
    assert not {"person_needed", "duplicate_found", "send_failed"} & seen.keys(), seen
    assert verify(store).faults == []
    return seen


@pytest.mark.chaos
def test_the_storm(supplier: Supplier, where: Database, tmp_path: Path) -> None:
    told = storm(
        supplier,
        where,
        tmp_path,
        count=COUNT,
        limit=5400,
        share=0.05,
        pause=0.2,
        between=where.pause,
        max_in_flight=4,
    )
    assert told.kills
    assert told.restarts
    assert told.cuts


@pytest.mark.parametrize(("supplier", "where"), [("rt", "sqlite"), ("redmine", "postgresql")], indirect=True)
def test_a_gust(supplier: Supplier, where: Database, tmp_path: Path) -> None:
    """Ten engagements on each system: the same with shorter waits."""
    told = storm(
        supplier,
        where,
        tmp_path,
        count=10,
        limit=300,
        share=0.1,
        pause=0.5,
        between=where.brief,
        settle=4.0,
        blows=4,
        deadline_seconds=8,
        poll_seconds=1,
    )
    # a quick machine may be done before the first blow: then it was the line that broke
    assert told.kills + told.restarts + sum(told.cuts.values())
