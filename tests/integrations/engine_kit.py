"""A service desk, a supplier and an engine for tests: in this process, or as a worker that can be killed."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
from tenacity import wait_fixed

from integrations.budget import Budget
from integrations.collector import Collector
from integrations.courier import Courier
from integrations.hand import Hand
from integrations.outcomes import Timing
from integrations.practice.server import Practice
from integrations.vendor import Vendor
from integrations.vendors import connector_for, load_vendors, policy_of
from register.core import Command, Principal, Role
from register.desk import Receipt, ServiceDesk, kinds
from register.store import Store, open_store, outbox
from register.topics.engagement import Engage
from register.topics.intake import Log

TOP = Path(__file__).resolve().parent.parent.parent
COORDINATOR = Principal("ana", Role.COORDINATOR, "test")
FAST = Timing(
    lookups=(timedelta(milliseconds=20), timedelta(milliseconds=100), timedelta(milliseconds=300)),
    retry=wait_fixed(0.05),
    settle=timedelta(milliseconds=300),
    lease_margin=timedelta(milliseconds=50),
    probe=timedelta(milliseconds=100),
)


def practice_file(home: Path, url: str, **more: object) -> Path:
    """Write a vendors.toml with the practice supplier in it."""
    keys: dict[str, object] = {
        "connector": "practice",
        "title": "Practice",
        "url": url,
        "environment": "test",
        "auth": "none",
        "poll_seconds": 1,
        "deadline_seconds": 1,
    } | more
    lines = [f"{key} = {json.dumps(value)}" for key, value in keys.items()]
    file = home / "vendors.toml"
    file.write_text("[vendor.practice]\n" + "\n".join(lines) + "\n")
    return file


@dataclass
class Engine:
    """One vendor's courier and collector over a store, in this process."""

    store: Store
    desk: ServiceDesk
    vendor: Vendor
    courier: Courier
    collector: Collector
    hand: Hand
    close: Callable[[], object]

    @classmethod
    def over(
        cls,
        store: Store,
        file: Path,
        fault: Callable[[str], None] = lambda point: None,
        holder: str = "me",
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        secret: str = "",
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> Engine:
        """transport: the way to a supplier that is played in this process."""
        known = load_vendors(file)
        vendor = known["practice"]
        hand = Hand(ServiceDesk(store, policy_of(known), clock), clock)
        connector = connector_for(vendor, lambda name: secret, transport)
        budget = Budget(hand, vendor, connector)
        courier = Courier(hand, vendor, connector, holder, FAST, fault, budget)
        collector = Collector(hand, vendor, connector, budget)
        return cls(store, hand.desk, vendor, courier, collector, hand, connector.http.aclose)

    def do(self, command: Command) -> Receipt:
        return self.desk.do(COORDINATOR, command)

    def engaged(self, title: str = "db down") -> tuple[str, str]:
        """Log an incident and engage the supplier: (number, row id)."""
        number = self.do(Log(title=title)).number or ""
        engage = Engage(target=number, vendor="practice", message="please look")
        self.do(engage)
        return number, engage.command_id

    def kinds(self, number: str) -> list[str]:
        return kinds(self.store.timeline(number))

    async def settle_all(self, seconds: float = 60) -> None:
        """Step until the outbox holds nothing that will still move by itself."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            await self.courier.until_quiet()
            left = [r for r in outbox.unfinished(self.store) if r.state != "dead"]
            if all(r.state == "ambiguous" and r.next_at is None for r in left):
                return
            import asyncio

            await asyncio.sleep(0.02)
        raise AssertionError(f"still unsettled: {outbox.unfinished(self.store)}")


# A worker that can be killed

MORTAL = """
import json, os, signal, sys
from datetime import timedelta
from tenacity import wait_fixed
from integrations.outcomes import Timing
from integrations.worker import run
about = json.loads(sys.argv[1])
seen = {}
def fault(point):
    seen[point] = seen.get(point, 0) + 1
    if [point, seen[point]] == about.get("die"):
        os.kill(os.getpid(), signal.SIGKILL)
print("up", flush=True)
short = about.get("settle")
timing = None if short is None else Timing(
    lookups=tuple(timedelta(seconds=s) for s in about["lookups"]), retry=wait_fixed(0.2),
    settle=timedelta(seconds=short), lease_margin=timedelta(seconds=0.2), probe=timedelta(seconds=0.2))
sys.exit(run(about["register"], timing=timing, fault=fault))
"""


@contextmanager
def mortal(
    register: str,
    home: Path,
    *,
    die: tuple[str, int] | None = None,
    settle: float | None = 1.0,
    env: Mapping[str, str] | None = None,
    lookups: Sequence[float] = (0.2, 1, 2, 4, 8),
) -> Iterator[subprocess.Popen[bytes]]:
    """A real worker process that kills itself with SIGKILL at the given fault point, or lives.

    settle, lookups: seconds, in place of a connector's own; settle None: all as it is in real life.
    """
    about = {"register": register, "die": die, "settle": settle, "lookups": lookups}
    process = subprocess.Popen(
        [sys.executable, "-c", MORTAL, json.dumps(about)],
        cwd=TOP,
        env={**os.environ, "MUSTER_HOME": str(home), **(env or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
        process.wait(10)
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                stream.close()


def wait_for(done: Callable[[], bool], seconds: float, what: str = "it") -> None:
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end, f"{what} did not happen within {seconds} s"
        time.sleep(0.05)


def engage_many(desk: ServiceDesk, count: int, vendor: str) -> list[tuple[str, str]]:
    """Log and engage `count` incidents; return their numbers and operation ids."""
    made = []
    for n in range(count):
        number = desk.do(COORDINATOR, Log(title=f"Sample outage {n}")).number or ""
        engage = Engage(target=number, vendor=vendor, message=f"please look at {n}")
        desk.do(COORDINATOR, engage)
        made.append((number, engage.command_id))
    return made


def killed_at_random(
    register: str,
    home: Path,
    *,
    settle: float | None,
    seed: int,
    seconds: tuple[float, float],
    limit: float,
    env: Mapping[str, str] | None = None,
) -> int:
    """Run workers that die at random moments until the outbox is empty; return how many were killed."""
    store, random_ = open_store(register), random.Random(seed)
    kills, end = 0, time.monotonic() + limit
    while outbox.unfinished(store):
        assert time.monotonic() < end, f"not empty after {kills} kills: {outbox.unfinished(store)[:3]}"
        with mortal(register, home, settle=settle, env=env) as worker:
            assert worker.stdout is not None
            worker.stdout.readline()  # however slowly the machine starts it, its life is counted from here
            span = time.monotonic() + random_.uniform(*seconds)
            while time.monotonic() < span and outbox.unfinished(store):
                assert worker.poll() is None, worker.stderr and worker.stderr.read()
                time.sleep(0.05)
        kills += 1
    store.close()
    return kills


def tickets_by_reference(practice: Practice) -> dict[str, int]:
    """How many tickets the practice supplier holds for each operation id."""
    counts: dict[str, int] = {}
    for ticket in practice.desk.tickets:
        counts[ticket.reference] = counts.get(ticket.reference, 0) + 1
    return counts
