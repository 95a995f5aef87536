"""Paging many people at once through a local receiver, beside a bare loop of apprise.

    python -m benchmarks.paging [--pages 600] [--people 60] [--register URL] [--check]

The receiver is a json:// of apprise in a process of its own, which answers at once, or after 300 ms as a
gateway far away does. Ours is the pager as `muster serve` runs it: from its start, with all pages due, until
each has arrived and that is on record. The bare loop opens each address and sends, one after the other, and
keeps nothing. What is lost, and what comes twice, is counted where it arrives.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from benchmarks.figures import Figure, conclude
from benchmarks.receiver import receiver
from integrations import paging
from integrations.hand import Hand
from integrations.page_text import Words
from integrations.pager import Pager
from register.core import Command, Policy, Principal, Role, VendorFacts, new_id
from register.desk import ServiceDesk
from register.incident import Impact, Urgency
from register.matrix_toml import read_matrix
from register.store import open_store, pages
from register.topics.engagement import Engage
from register.topics.intake import Log
from register.watch import tick

WANTED: Final = 100.0
"""Pages a second."""
DELAYS: Final = (0.0, 0.3)
"""Seconds that the receiver takes to answer."""
_BATCH: Final = 200


def policy_of(people: int) -> Policy:
    """Whoever may be paged: so many, each by one channel."""
    named = "".join(
        f'[people.p{n}]\nname = "Person {n} (sample)"\nlogin = "p{n}"\nreach = ["chat"]\n'
        for n in range(people)
    )
    matrix = read_matrix(f'fallback_team = "desk"\n[teams.desk]\nname = "Desk"\n{named}')
    facts = VendorFacts("acme", "Acme (sample)", production=False, phone="+47 22 00 00 00")
    return Policy(matrix=matrix, vendors={"acme": facts})


def fill(desk: ServiceDesk, count: int, people: int) -> None:
    """Have so many pages due: P1s that their supplier has not confirmed, of each person as many."""
    asked: list[tuple[Principal, Command]] = []
    for n in range(count):
        who = Principal(f"p{n % people}", Role.COORDINATOR, "benchmark")
        log = Log(title=f"Sample outage {n}", impact=Impact.HIGH, urgency=Urgency.HIGH)
        number = desk.do(who, log).number or ""
        asked.append((who, Engage(target=number, vendor="acme", message="please look")))
    for at in range(0, len(asked), _BATCH):
        desk.do_all(asked[at : at + _BATCH])


def bare(url: str, count: int) -> float:
    """Seconds that as many pages take with nothing kept of them."""
    words = Words("INC-1 P1: call Acme (sample)", "Please call Acme (sample).\n" * 8)
    paging.fault_in(url)  # what is imported is imported
    begin = time.perf_counter()
    for _ in range(count):
        assert not paging._sent(url, words)
    return time.perf_counter() - begin


async def ours(register: str, policy: Policy, env: Mapping[str, str], most: float) -> tuple[float, float]:
    """Seconds, and seconds of CPU, from the pager's start until nothing is to be sent any more."""
    store, looking = open_store(register), open_store(register)
    hand = Hand(ServiceDesk(store, policy))
    pager, stop = Pager(hand, env, new_id()), asyncio.Event()
    begin, cpu = time.perf_counter(), time.process_time()
    running = asyncio.create_task(pager.run(sole=True, stop=stop))
    spent_looking = 0.0
    while time.perf_counter() - begin < most:
        looked = time.thread_time()
        left = pages.are_waiting(looking)
        spent_looking += time.thread_time() - looked
        if not left:
            break
        await asyncio.sleep(0.05)
    took, used = time.perf_counter() - begin, time.process_time() - cpu - spent_looking
    stop.set()
    await running
    hand.close()
    looking.close()
    store.close()
    return took, used


def measure(register: str | None, count: int, people: int, delay: float) -> list[Figure]:
    with tempfile.TemporaryDirectory(prefix="muster-bench-") as folder, receiver(delay) as there:
        home, policy = Path(folder), policy_of(people)
        for n in range(people):
            (home / f"muster-page.p{n}.chat").write_text(f"{there.url}/p{n}")
        named = register or str(home / "register.db")
        store, past = open_store(named), datetime.now(UTC) - timedelta(minutes=3)
        fill(ServiceDesk(store, policy, lambda: past), count, people)
        desk = ServiceDesk(store, policy)
        while tick(desk, datetime.now(UTC)):
            pass
        due = len(pages.unfinished(store))
        store.close()
        reference = bare(there.url, 20 if delay else count) / (20 if delay else count)
        there.came()
        env = {**os.environ, "CREDENTIALS_DIRECTORY": folder}
        seconds, cpu = asyncio.run(ours(named, policy, env, count / 10))
        came = Counter(title for _, title in there.came())
    what = f"{count:,} pages to {people} people, answers after {delay * 1000:.0f} ms"
    once = sum(times == 1 for times in came.values())
    return [
        Figure(f"{what}: wanted", WANTED, "ours", len(came) / seconds, "/s", 1.0),
        Figure(f"{what}: due", due, "arrived once", once, "pages", 1.0),
        Figure(f"{what}: sent", sum(came.values()), "wanted", count, "pages", 1.0),
        Figure(f"{what}: ours", seconds / count * 1000, "a bare loop", reference * 1000, "ms a page"),
        Figure(f"{what}: CPU", cpu / count * 1000, "a bare loop takes", reference * 1000, "ms a page"),
    ]


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.paging", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--pages", type=int, default=600)
    parser.add_argument("--people", type=int, default=60)
    parser.add_argument("--register", help="PostgreSQL URL of an empty register (default: a SQLite file)")
    parser.add_argument("--check", action="store_true", help="exit 1 when a budget does not hold")
    options = parser.parse_args(argv)
    told: list[Figure] = []
    for delay in DELAYS:
        told += measure(options.register, options.pages, options.people, delay)
    return conclude(told, check=options.check)


if __name__ == "__main__":
    sys.exit(main())
