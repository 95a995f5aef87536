"""Forwarding incidents to one supplier through the durable outbox, beside a bare loop of the same requests.

    python -m benchmarks.forwarding [--incidents 1000] [--at-once 16] [--register URL] [--check]

The supplier is the practice one, in a process of its own, answering at once or after 100 ms. The bare loop
posts the same tickets over one httpx client, as many at once, and keeps nothing. Ours is the worker as
`muster serve` runs it, from its start until the last ticket is on record. CPU is this process's alone,
without what it spends on looking whether all is done.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import httpx

from benchmarks.figures import Figure, conclude
from integrations.policy_files import Person, keep_up
from integrations.worker import Worker
from register.core import Command, Principal, Role, new_id
from register.desk import ServiceDesk
from register.marker import sign
from register.store import open_store, outbox
from register.topics.engagement import Engage
from register.topics.intake import Log

DELAY: Final = 0.1
"""Seconds that the slower supplier takes."""
SHARE_SLOW: Final = 0.7
SHARE_INSTANT: Final = 0.3
CPU_MS: Final = 3.0
"""Milliseconds of CPU a delivery may take."""
WHO: Final = Principal("ana", Role.ADMIN, "benchmark")
WORDS: Final = "Primary database unreachable since 01:53. Sample data."
_BATCH: Final = 200


@contextmanager
def supplier(delay: float) -> Iterator[str]:
    """A practice supplier in a process of its own; its address."""
    command = [sys.executable, "-c", _SUPPLIER, str(delay)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield json.loads(process.stdout.readline())["url"]
        finally:
            process.terminate()


_SUPPLIER: Final = """
import json, sys
from integrations.practice.moods import Slow
from integrations.practice.server import running_practice
with running_practice() as practice:
    if float(sys.argv[1]):
        practice.moods.set(Slow(seconds=float(sys.argv[1]), on="create"))
    print(json.dumps({"url": practice.url}), flush=True)
    sys.stdin.read()
"""


def vendors_file(home: Path, url: str, at_once: int) -> None:
    block = {
        "connector": "practice",
        "title": "Practice",
        "url": url,
        "environment": "test",
        "auth": "none",
        "poll_seconds": 60,
        "max_in_flight": at_once,
    }
    lines = "\n".join(f"{key} = {json.dumps(value)}" for key, value in block.items())
    (home / "vendors.toml").write_text(f"[vendor.practice]\n{lines}\n")


async def bare(url: str, incidents: int, at_once: int) -> float:
    """Seconds that the same requests take with nothing kept of them."""
    room = asyncio.Semaphore(at_once)
    limits = httpx.Limits(max_connections=at_once, keepalive_expiry=2.0)
    async with httpx.AsyncClient(base_url=url, limits=limits, timeout=30) as client:

        async def post(number: int) -> None:
            op_id = new_id()
            ticket = {
                "title": f"Sample outage {number}",
                "body": sign(WORDS, op_id),
                "reference": op_id,
                "priority": "Normal",
                "queue": "Support",
            }
            async with room:
                answer = await client.post("/tickets", json=ticket)
                answer.raise_for_status()
                answer.json()

        begin = time.perf_counter()
        await asyncio.gather(*map(post, range(incidents)))
        return time.perf_counter() - begin


def fill(desk: ServiceDesk, incidents: int) -> None:
    """Log so many incidents and engage the supplier for each: nothing is sent yet."""
    logged = [desk.do_all([(WHO, Log(title=f"Sample outage {n}"))])[0] for n in range(incidents)]
    asked: list[tuple[Principal, Command]] = [
        (WHO, Engage(target=receipt.number or "", vendor="practice", message=WORDS)) for receipt in logged
    ]
    for at in range(0, len(asked), _BATCH):
        desk.do_all(asked[at : at + _BATCH])


async def ours(register: str, env: dict[str, str], incidents: int) -> tuple[float, float]:
    """Seconds, and seconds of CPU, from the worker's start until the outbox is empty."""
    store, looking = open_store(register), open_store(register)
    worker = Worker(store, env, say=io.StringIO())
    begin, cpu = time.perf_counter(), time.process_time()
    serving = asyncio.create_task(worker.run(sole=True))
    try:
        spent_looking = 0.0
        while True:
            looked = time.thread_time()
            left = outbox.unfinished_count(looking)
            spent_looking += time.thread_time() - looked
            if not left:
                break
            await asyncio.sleep(0.05)
        took, used = time.perf_counter() - begin, time.process_time() - cpu - spent_looking
    finally:
        worker.stop()
        await serving
    made = [one.bonds[0].ref for one in looking.incidents(everything=True, limit=incidents)]
    assert len(made) == incidents
    assert all(made)
    looking.close()
    store.close()
    return took, used


def measure(register: str | None, incidents: int, at_once: int, delay: float) -> list[Figure]:
    budget = SHARE_SLOW if delay else SHARE_INSTANT
    what = f"{incidents:,} incidents, {at_once} at once, answers after {delay * 1000:.0f} ms"
    with tempfile.TemporaryDirectory(prefix="muster-bench-") as folder, supplier(delay) as url:
        home = Path(folder)
        vendors_file(home, url, at_once)
        env = {"MUSTER_HOME": folder}
        bare_seconds = asyncio.run(bare(url, incidents, at_once))
        named = register or str(home / "register.db")
        store = open_store(named)
        keep_up(store, env, Person.here(), "benchmark")
        fill(ServiceDesk(store), incidents)
        store.close()
        seconds, cpu = asyncio.run(ours(named, env, incidents))
    rate, bare_rate = incidents / seconds, incidents / bare_seconds
    return [
        Figure(f"{what}: bare loop's share wanted", budget * bare_rate, "ours", rate, "/s", 1.0),
        Figure(f"{what}: ours", rate, "bare", bare_rate, "/s"),
        Figure(f"{what}: CPU a delivery", cpu / incidents * 1000, "allowed", CPU_MS, "ms", 1.0),
    ]


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.forwarding", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--incidents", type=int, default=1000)
    parser.add_argument("--at-once", type=int, default=16)
    parser.add_argument("--register", help="PostgreSQL URL of an empty register (default: a SQLite file)")
    parser.add_argument("--check", action="store_true", help="exit 1 when a budget does not hold")
    options = parser.parse_args(argv)
    told: list[Figure] = []
    for delay in (DELAY, 0.0):
        told += measure(options.register, options.incidents, options.at_once, delay)
    return conclude(told, check=options.check)


if __name__ == "__main__":
    sys.exit(main())
