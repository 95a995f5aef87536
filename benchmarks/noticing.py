"""How soon a commit of one process is seen by a board in another, and what waiting for it costs.

    python -m benchmarks.noticing [--commits 200] [--idle 20] [--register URL] [--check]

A writer logs an incident at odd moments, on average six times a second, as a desk does. Another process waits
as a board does, and reads what changed. Told is the time from where the writer asked for it until the other
process holds the new row: writing it to the disk is in it. Then nothing happens, and the share of one core
that the waiting process takes is told. On a file of SQLite and, without --register, on a PostgreSQL of the
tests' wheel too.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import IO, Final

from benchmarks.figures import Figure, conclude, percentile
from benchmarks.many_writers import postgresql
from register.core import Principal, Role
from register.desk import ServiceDesk
from register.store import open_store
from register.store.watcher import Watcher
from register.topics.intake import Log

BUDGET_MS: Final = 20.0
BUDGET_CPU: Final = 0.3
"""Percent of one core."""
SLICE: Final = 0.5
"""Seconds after which a board looks whether it shall end."""
WARM_UP: Final = 10
SETTLES: Final = 1.0
"""Seconds after the last commit before waiting counts as idle."""


def watch(register: str, commits: int, idle: float) -> None:
    """Say when each commit's row was here, then what waiting took in percent of a core; for a parent."""
    store = open_store(register)
    watcher, seq, seen = Watcher(store), store.seq(), 0
    print("ready", flush=True)
    while seen < commits:
        if watcher.wait(seq, SLICE):
            seq, rows, _ = store.changed(seq)
            now = time.monotonic()
            seen += len(rows)
            for row in rows:
                print(json.dumps({"number": row["number"], "at": now}), flush=True)
    _wait(watcher, seq, SETTLES)
    took, began = time.process_time(), time.monotonic()
    _wait(watcher, seq, idle)
    share = 100 * (time.process_time() - took) / (time.monotonic() - began)
    print(json.dumps({"percent": share}), flush=True)
    watcher.close()
    store.close()


def _wait(watcher: Watcher, seq: int, seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        watcher.wait(seq, SLICE)


def notice(register: str, commits: int, idle: float) -> tuple[list[float], float]:
    """Milliseconds until each commit was seen, and what waiting took in percent of a core."""
    store = open_store(register)
    desk, who, chance = ServiceDesk(store), Principal("ana", Role.RESPONDER, "benchmark"), Random(1)
    total = WARM_UP + commits
    command = (sys.executable, "-m", "benchmarks.noticing", "--watch", register)
    child = subprocess.Popen(
        [*command, "--commits", str(total), "--idle", str(idle)], stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "ready\n"
    asked: dict[str, float] = {}
    for _ in range(total):
        time.sleep(chance.uniform(0.05, 0.3))  # people write at any moment of another one's look
        began = time.monotonic()
        number = desk.do(who, Log(title="Replica is behind", service="database")).number
        asked[str(number)] = began
    store.close()
    return _answers(child.stdout, asked)


def _answers(said: IO[str], asked: dict[str, float]) -> tuple[list[float], float]:
    late: list[float] = []
    for line in said:
        told = json.loads(line)
        if "percent" in told:
            return late[WARM_UP:], told["percent"]
        late.append(1000 * (told["at"] - asked[told["number"]]))
    raise RuntimeError("the watching process ended early")


def figures(name: str, late: Sequence[float], percent: float, idle: float) -> list[Figure]:
    what = f"a commit seen in another process, {name}"
    return [
        Figure(f"{what}, median", percentile(late, 50), "allowed", BUDGET_MS, "ms", 1.0),
        Figure(f"{what}, p99", percentile(late, 99), "allowed at the median", BUDGET_MS, "ms"),
        Figure(
            f"waiting for {idle:g} s, {name}", percent, "allowed of one core", BUDGET_CPU, "% of a core", 1.0
        ),
    ]


def measure(commits: int, idle: float, register: str | None) -> list[Figure]:
    if register is not None:
        return figures(register, *notice(register, commits, idle), idle)
    with tempfile.TemporaryDirectory(prefix="muster-bench-") as folder:
        told = figures("SQLite", *notice(str(Path(folder) / "register.db"), commits, idle), idle)
    with postgresql() as url:
        return told + figures("PostgreSQL", *notice(url, commits, idle), idle)


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.noticing", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--commits", type=int, default=200)
    parser.add_argument("--idle", type=float, default=20.0, help="seconds of waiting that are measured")
    parser.add_argument("--register", help="a path or URL (default: new ones, on both databases)")
    parser.add_argument("--watch", help=argparse.SUPPRESS)
    parser.add_argument("--check", action="store_true", help="exit 1 when a budget does not hold")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(argv)
    if options.watch:
        watch(options.watch, options.commits, options.idle)
        return 0
    told = measure(options.commits, options.idle, options.register)
    return conclude(told, check=options.check, as_json=options.json)


if __name__ == "__main__":
    sys.exit(main())
