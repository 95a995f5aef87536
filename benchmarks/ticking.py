"""The tick of escalations: over many open incidents, and how soon a step reaches somebody's phone.

    python -m benchmarks.ticking [--open 10000] [--due 100] [--rounds 7] [--register URL] [--check]

First a register with so many open incidents, each with an escalation that runs; a round makes so many more,
whose first step is due, and measures one tick that takes all of these steps, with a page each. Then a real
`muster serve` with the real clock: from the moment at which a step falls due, which is when its incident is
logged, until its page has arrived at a json:// receiver in a process of its own.
"""

from __future__ import annotations

import argparse
import gc
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from benchmarks.figures import Figure, conclude, median, percentile
from benchmarks.receiver import Receiver, receiver
from integrations.policy_files import Person, keep_up
from register.core import Policy, Principal, Role
from register.desk import ServiceDesk
from register.incident import Impact, Urgency
from register.matrix_toml import read_matrix
from register.store import Store, open_store
from register.topics.intake import Log
from register.watch import tick

TICK_MS: Final = 100.0
"""Milliseconds that a tick may take in which one of a hundred open incidents is due."""
FIRES: Final = 2.0
"""Seconds from when a step falls due until it has fired; here until its page is there."""
WHO: Final = Principal("p0", Role.RESPONDER, "benchmark")
PEOPLE: Final = 20
_BATCH: Final = 250
_NAMED: Final = "".join(
    f'[people.p{n}]\nname = "Person {n} (sample)"\nlogin = "p{n}"\nteams = ["ops"]\nreach = ["chat"]\n'
    for n in range(PEOPLE)
)
MATRIX: Final = f"""fallback_team = "ops"
default_policy = "usual"
default_role = "admin"
{_NAMED}
[teams.ops]
name = "Operations"
lead = "p1"
rota = "ops"
[services]
Quiet = "told once, and then not for days"
Webshop = "where customers order"
[[ownership]]
service = "Quiet"
team = "ops"
policy = "quiet"
[[rotas.ops.shifts]]
people = [{", ".join(f'"p{n}"' for n in range(PEOPLE))}]
rotate = "daily"
start = "2026-01-05 08:00"
[[policies.usual.steps]]
to = ["oncall"]
wait = "5m"
[[policies.usual.steps]]
to = ["lead"]
wait = "10m"
[[policies.quiet.steps]]
to = ["lead"]
wait = "9000m"
"""


def log_many(desk: ServiceDesk, count: int, service: str) -> None:
    """Log so many P1s: the first step of each is due from then on."""
    urgent = {"impact": Impact.HIGH, "urgency": Urgency.HIGH}
    for at in range(0, count, _BATCH):
        some = range(at, min(at + _BATCH, count))
        desk.do_all([(WHO, Log(title=f"Sample outage {n}", service=service, **urgent)) for n in some])


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 3, 9, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


def ticks(store: Store, open_ones: int, due: int, rounds: int) -> list[tuple[float, float]]:
    """Milliseconds, and those of CPU, of each tick that takes `due` steps among so many open incidents."""
    clock = Clock()
    desk = ServiceDesk(store, Policy(matrix=read_matrix(MATRIX), version=1), clock)
    log_many(desk, open_ones, "Quiet")
    while tick(desk, clock.now):
        pass
    seen = []
    gc.collect()
    gc.freeze()  # what filling left behind is nothing to search through at each tick
    for _ in range(rounds):
        clock.now += timedelta(seconds=1)
        log_many(desk, due, "Webshop")
        begin, cpu = time.perf_counter(), time.process_time()
        woken = tick(desk, clock.now)
        took, used = time.perf_counter() - begin, time.process_time() - cpu
        seen.append((took * 1000, used * 1000))
        assert woken == due, f"{woken} of {due} steps were taken"
    return seen


def quiet_tick(store: Store) -> float:
    """Milliseconds of a tick in which nothing is due."""
    desk = ServiceDesk(store)
    seen = []
    for _ in range(20):
        begin = time.perf_counter()
        tick(desk, datetime(2026, 3, 9, tzinfo=UTC))
        seen.append((time.perf_counter() - begin) * 1000)
    return median(seen)


@contextmanager
def serving(register: str, home: Path) -> Iterator[None]:
    """A `muster serve` of its own."""
    env = {
        **os.environ,
        "MUSTER_HOME": str(home),
        "MUSTER_REGISTER": register,
        "CREDENTIALS_DIRECTORY": str(home),
    }
    command = [sys.executable, "-c", "from tui.main import main; main()", "serve"]
    with subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            yield
        finally:
            process.terminate()
            process.wait(60)


def fires(register: str | None, times: int) -> list[float]:
    """Seconds from the moment a step falls due until its page arrives, of so many steps."""
    with tempfile.TemporaryDirectory(prefix="muster-bench-") as folder, receiver(0) as there:
        home = Path(folder)
        (home / "matrix.toml").write_text(MATRIX)
        for n in range(PEOPLE):
            (home / f"muster-page.p{n}.chat").write_text(f"{there.url}/p{n}")
        named = register or str(home / "register.db")
        store = open_store(named)
        keep_up(store, {"MUSTER_HOME": folder}, Person.here(), "benchmark")
        desk = ServiceDesk(store)
        with serving(named, home):
            _arrives(desk, there, 60)  # until it is up
            seen = []
            for _ in range(times):
                time.sleep(random.uniform(0.3, 2.5))  # at no particular moment of its round
                seen.append(_arrives(desk, there, 20))
        store.close()
    return seen


def _arrives(desk: ServiceDesk, there: Receiver, most: float) -> float:
    """Log one; seconds until its first page is there."""
    begin = time.time()
    log = Log(title="Sample outage", service="Webshop", impact=Impact.HIGH, urgency=Urgency.HIGH)
    number = desk.do(WHO, log).number or ""
    while time.time() - begin < most:
        for at, title in there.came():
            if title.startswith(f"{number} "):
                return at - begin
        time.sleep(0.05)  # how exactly the arrival is taken: the receiver itself says when it was
    raise RuntimeError(f"no page of {number} came within {most:g} s")


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ticking", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--open", type=int, default=10_000, dest="open_ones")
    parser.add_argument("--due", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--steps", type=int, default=12, help="how many to wait for at a `muster serve`")
    parser.add_argument("--register", help="PostgreSQL URL of an empty register (default: a SQLite file)")
    parser.add_argument("--check", action="store_true", help="exit 1 when a budget does not hold")
    options = parser.parse_args(argv)
    told: list[Figure] = []
    with tempfile.TemporaryDirectory(prefix="muster-bench-") as folder:
        store = open_store(options.register or str(Path(folder) / "register.db"))
        seen = ticks(store, options.open_ones, options.due, options.rounds)
        took, cpu = [each for each, _ in seen], [each for _, each in seen]
        what = f"tick, {options.due:,} of {options.open_ones:,} due"
        told += [
            Figure(f"{what}, the least disturbed", min(took), "allowed", TICK_MS, "ms", 1.0),
            Figure(f"{what}, p50", median(took), "allowed", TICK_MS, "ms"),
            Figure(f"{what}, its CPU", median(cpu), "allowed", TICK_MS, "ms", 1.0),
            Figure("tick, nothing due", quiet_tick(store), "of the full one", median(took), "ms"),
        ]
        store.close()
    if options.steps:
        late = fires(None, options.steps)
        what = f"{options.steps} steps at a muster serve, due until the page is there"
        told += [
            Figure(f"{what}, worst", max(late), "allowed", FIRES, "s", 1.0),
            Figure(f"{what}, p50", percentile(late, 50), "allowed", FIRES, "s"),
        ]
    return conclude(told, check=options.check)


if __name__ == "__main__":
    sys.exit(main())
