"""Open a large register to its live set: how long it takes, and how much memory.

    python -m benchmarks.opening [--incidents 50000] [--register PATH-OR-URL] [--runs 5] [--check]

One in a hundred is open. Each run is a process of its own, timed from where the register is opened until all
open incidents are in the working set; with its imports it is told as well. Memory is the process' peak.
--register keeps the register, or uses the one that is there: `python -m benchmarks.seed` makes a larger one.
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
from typing import Final

from benchmarks.figures import Figure, conclude, median

BUDGET_MS: Final = 500.0
BUDGET_MB: Final = 120.0


def open_it(register: str) -> dict[str, float]:
    """Bring the working set of a register into memory; milliseconds, megabytes and how many are open."""
    from register.live import Live
    from register.store import open_store

    begin = time.perf_counter()
    store = open_store(register)
    live = Live.nowhere()
    live.belongs_to(store.register_id)
    seq, rows = store.rows()
    live.apply(rows, (), store.people(), seq)
    took = 1000 * (time.perf_counter() - begin)
    store.close()
    return {"ms": took, "mb": peak_mb(), "open": len(live.rows)}


def peak_mb() -> float:
    """The most memory this program has had; getrusage would count what its parent had at the fork."""
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")) / 1024


def in_a_process(register: str) -> dict[str, float]:
    begin = time.perf_counter()
    command = (sys.executable, "-m", "benchmarks.opening", "--open", register)
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found | {"wall": 1000 * (time.perf_counter() - begin)}


def measure(register: str, runs: int) -> list[Figure]:
    in_a_process(register)  # what the system reads once, it has read now
    seen = [in_a_process(register) for _ in range(runs)]
    what = f"open to {seen[0]['open']:,.0f} live incidents"

    def of(name: str) -> float:
        return median([run[name] for run in seen])

    return [
        Figure(what, of("ms"), "allowed", BUDGET_MS, "ms", 1.0),
        Figure(f"{what}, memory", of("mb"), "allowed", BUDGET_MB, "MB", 1.0),
        Figure(f"{what}, interpreter and imports included", of("wall"), "allowed without", BUDGET_MS, "ms"),
    ]


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.opening", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--incidents", type=int, default=50_000)
    parser.add_argument("--register", help="a path or URL (default: one that is thrown away)")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--open", help=argparse.SUPPRESS)
    parser.add_argument("--check", action="store_true", help="exit 1 when a budget does not hold")
    options = parser.parse_args(argv)
    if options.open:
        json.dump(open_it(options.open), sys.stdout)
        return 0
    with tempfile.TemporaryDirectory(prefix="muster-bench-") as folder:
        register = options.register or str(Path(folder) / "register.db")
        if options.register is None or ("://" not in register and not Path(register).exists()):
            from benchmarks.seed import seed  # here: what it imports would count as the register's memory

            seed(register, incidents=options.incidents, open_ones=options.incidents // 100, progress=True)
        told = measure(register, options.runs)
    return conclude(told, check=options.check)


if __name__ == "__main__":
    sys.exit(main())
