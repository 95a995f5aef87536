"""Listening to suppliers: requests follow changes, memory follows nothing, and the dead slow nobody down.

    python -m benchmarks.polling [--bonds 10000] [--many 100000] [--hours 24] [--check]

Requests: so many bonds are open, ten change; what the supplier, in a process of its own, is asked until all
ten are on record. Memory: the worker as `muster serve` runs it, with many bonds open; and courier, collector
and tick of it through so many simulated hours, in which ten tickets change every ten minutes: the clock is an
argument. Dead: how long an engagement takes until the supplier's ticket is on record, alone and beside a
supplier that takes every connection and answers none, with 100 sendings and polls on their way there.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from benchmarks.bonded import WHO, Supplier, bond, desk_of, supplier, vendors_file
from benchmarks.figures import Figure, conclude, median, percentile
from integrations.budget import Budget
from integrations.collector import Collector
from integrations.courier import Courier
from integrations.hand import Hand
from integrations.listening import Listener
from integrations.policy_files import Person, keep_up
from integrations.vendors import connector_for, load_vendors
from integrations.worker import Worker
from register.core import new_id
from register.desk import ServiceDesk
from register.store import open_store
from register.topics.engagement import Engage
from register.topics.intake import Log
from register.watch import tick

HANDFUL: Final = 5
CHANGES: Final = 10
MEGABYTES: Final = 200
FLAT: Final = 1.05
"""What the last hour may take of the third one's memory."""
NO_SLOWER: Final = 1.3
ENGAGED: Final = 60
DEAD: Final = 100
SECONDS: Final = 20
"""For which the worker is watched."""
EVERY: Final = timedelta(minutes=10)


async def _polled(named: str, home: Path, said: Supplier) -> tuple[int, int, float]:
    """Requests of a poll without news and of one with ten changes, and the seconds of the latter."""
    store = open_store(named)
    vendor = load_vendors(home / "vendors.toml")["practice"]
    hand = Hand(ServiceDesk(store))
    connector = connector_for(vendor, lambda name: "")
    collector = Collector(hand, vendor, connector)
    await collector.poll()  # from here on
    said.says()
    await collector.poll()
    quiet = said.says(random.Random(1).sample(range(len(said.ids)), CHANGES))
    begin = time.perf_counter()
    heard = await collector.poll()
    took = time.perf_counter() - begin
    assert heard == CHANGES, heard
    await connector.http.aclose()
    hand.close()
    store.close()
    return quiet, said.says(), took


def requests(home: Path, bonds: int) -> list[Figure]:
    with supplier(bonds) as said:
        vendors = vendors_file(home, {"practice": said.url})
        named = str(home / "few.db")
        store = open_store(named)
        bond(desk_of(store, vendors), "practice", said.ids)
        store.close()
        quiet, asked, took = asyncio.run(_polled(named, home, said))
    what = f"{bonds:,} bonds open"
    return [
        Figure(f"{what}, none changes: requests", quiet, "a handful", HANDFUL, "", 1.0),
        Figure(f"{what}, {CHANGES} change: requests", asked, "a handful", HANDFUL, "", 1.0),
        Figure(f"{what}, {CHANGES} change: until all are on record", took * 1000, "a second", 1000, "ms"),
    ]


def resident(process: int | str = "self", what: str = "VmRSS") -> float:
    """Megabytes of a process; VmHWM is the most that it ever had."""
    for line in Path(f"/proc/{process}/status").read_text().splitlines():
        if line.startswith(what):
            return int(line.split()[1]) / 1024
    raise ValueError(what)


def serving(named: str, home: Path) -> float:
    """The most megabytes that a worker of its own takes in its first seconds, with couriers and all."""
    env = {**os.environ, "MUSTER_REGISTER": named, "MUSTER_HOME": str(home)}
    command = [sys.executable, "-m", "integrations.worker"]
    with subprocess.Popen(command, env=env, stderr=subprocess.PIPE) as process:
        time.sleep(SECONDS)  # it is watched while it works: that is the measurement
        if process.poll() is not None:
            assert process.stderr is not None
            raise RuntimeError(process.stderr.read().decode())
        most = resident(process.pid, "VmHWM")
        process.terminate()
    return most


async def _day(named: str, home: Path, hours: int) -> list[float]:
    """The megabytes at the end of each simulated hour."""
    now = begin = datetime.now(UTC)
    random_ = random.Random(2)
    found: list[float] = []
    store = open_store(named)
    vendor = load_vendors(home / "vendors.toml")["practice"]
    hand = Hand(ServiceDesk(store, clock=lambda: now), clock=lambda: now)
    connector = connector_for(vendor, lambda name: "")
    budget = Budget(hand, vendor, connector)
    courier = Courier(hand, vendor, connector, new_id(), budget=budget)
    listener = Listener(hand, vendor, Collector(hand, vendor, connector, budget), print)
    due, changes_at = await listener.begin(), begin
    while len(found) < hours:
        now = max(now, due)
        if now >= changes_at:
            print(json.dumps(random_.sample(range(100), CHANGES)), flush=True)
            sys.stdin.readline()  # they are written
            changes_at = now + EVERY
        due = await listener.turn()
        await courier.step()
        await hand.call(lambda: tick(hand.desk, hand.now()))
        if now - begin >= (len(found) + 1) * timedelta(hours=1):
            found.append(resident())
    await connector.http.aclose()
    hand.close()
    store.close()
    return found


def day(named: str, home: Path, said: Supplier, hours: int) -> tuple[list[float], int]:
    """The same from a process of its own, and the requests that the supplier got."""
    command = [sys.executable, "-m", "benchmarks.polling", "--day", named, str(home), str(hours)]
    said.says()
    asked = 0
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for line in process.stdout:
            told = json.loads(line)
            if isinstance(told, dict):
                return told["megabytes"], asked + said.says()
            asked += said.says(told)
            process.stdin.write("\n")
            process.stdin.flush()
    raise RuntimeError("the simulated day ended early")


def memory(home: Path, bonds: int, hours: int) -> list[Figure]:
    with supplier(bonds) as said:
        vendors = vendors_file(home, {"practice": said.url}, poll_seconds=15)
        named = str(home / "many.db")
        store = open_store(named)
        bond(desk_of(store, vendors), "practice", said.ids)
        store.close()
        most = serving(named, home)
        hourly, asked = day(named, home, said, hours)
    settled = hourly[min(2, len(hourly) - 1)]
    what = f"{bonds:,} bonds open"
    return [
        Figure(f"{what}: the worker's most memory", most, "allowed", MEGABYTES, "MB", 1.0),
        Figure(f"{what}: after {hours} simulated hours", hourly[-1], "allowed", MEGABYTES, "MB", 1.0),
        Figure(f"{what}: after {hours} simulated hours", hourly[-1], "after three", settled, "MB", FLAT),
        Figure(f"{what}: requests in {hours} hours", asked, "one each 15 s", hours * 240, ""),
    ]


async def _latencies(named: str, env: dict[str, str], dead: int) -> list[float]:
    """Seconds from each engagement until the healthy supplier's ticket is on record."""
    store, serving_ = open_store(named), open_store(named)
    desk = ServiceDesk(store)
    for n in range(dead):
        number = desk.do(WHO, Log(title=f"Sample outage {n}")).number or ""
        desk.do(WHO, Engage(target=number, vendor="dead", message="Sample data."))
    worker = Worker(serving_, env, say=io.StringIO())
    running = asyncio.create_task(worker.run(sole=True))
    found = []
    try:
        await asyncio.sleep(3)
        for n in range(ENGAGED):
            number = desk.do(WHO, Log(title=f"Sample outage {n}")).number or ""
            begin = time.perf_counter()
            desk.do(WHO, Engage(target=number, vendor="healthy", message="Sample data."))
            while True:
                incident = store.incident(number)
                if incident is not None and incident.bonds[0].ref is not None:
                    break
                await asyncio.sleep(0.002)
            found.append(time.perf_counter() - begin)
    finally:
        worker.stop()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        store.close()
        serving_.close()
    return found


def beside(home: Path, dead: int) -> list[float]:
    home.mkdir()
    with supplier() as said, supplier(hangs=True) as hanging:
        urls = {"healthy": said.url, "dead": hanging.url}
        vendors_file(home, urls, poll_seconds=1, max_in_flight=16, deadline_seconds=30)
        named, env = str(home / "register.db"), {"MUSTER_HOME": str(home)}
        store = open_store(named)
        keep_up(store, env, Person.here(), "benchmark")
        store.close()
        return asyncio.run(_latencies(named, env, dead))


def dead_one(home: Path) -> list[Figure]:
    alone, both = beside(home / "alone", 0), beside(home / "both", DEAD)
    return [
        Figure(
            "one engagement beside a dead supplier, median",
            median(both) * 1000,
            "alone",
            median(alone) * 1000,
            "ms",
            NO_SLOWER,
        ),
        Figure(
            "the same, 95th of 100",
            percentile(both, 95) * 1000,
            "alone",
            percentile(alone, 95) * 1000,
            "ms",
        ),
    ]


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.polling", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--bonds", type=int, default=10_000)
    parser.add_argument("--many", type=int, default=100_000)
    parser.add_argument("--hours", type=int, default=24)
    parser.add_argument("--check", action="store_true", help="exit 1 when a budget does not hold")
    parser.add_argument("--day", nargs=3, help=argparse.SUPPRESS)  # the process that simulates
    options = parser.parse_args(argv)
    if options.day:
        named, home, hours = options.day
        print(json.dumps({"megabytes": asyncio.run(_day(named, Path(home), int(hours)))}), flush=True)
        return 0
    with tempfile.TemporaryDirectory(prefix="muster-bench-") as folder:
        told = dead_one(Path(folder))
        told += requests(Path(folder), options.bonds)
        told += memory(Path(folder), options.many, options.hours)
    return conclude(told, check=options.check)


if __name__ == "__main__":
    sys.exit(main())
