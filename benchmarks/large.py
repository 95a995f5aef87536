"""A large register on both engines: filled, opened to its live set, verified.

    python -m benchmarks.large [--incidents 50000] [--check]

One in a hundred is open. Both engines are filled by the same seed, so both tell the same story; PostgreSQL is
the tests' wheel with its own settings. What each part measures: `benchmarks.opening`, `benchmarks.verifying`.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks import opening, verifying
from benchmarks.figures import Figure, conclude
from benchmarks.many_writers import postgresql
from benchmarks.seed import seed
from register.incident import State
from register.store import open_store


def measure(register: str, engine: str, incidents: int) -> list[Figure]:
    """Fill a register, open it, verify it."""
    print(f"== {engine}", flush=True)
    begin = time.perf_counter()
    done = seed(register, incidents=incidents, open_ones=incidents // 100)
    speed = done / (time.perf_counter() - begin)
    filled = Figure(f"{engine}: fill {incidents:,} incidents", speed, "commands in all", done, "/s")
    return [filled, *opening.measure(register, 3), *verifying.measure(register)]


def stories(register: str) -> list[tuple[str, str, State]]:
    """How each incident stands: what both engines must agree on."""
    store = open_store(register)
    found = [(one.number, one.title, one.state) for one in store.incidents(everything=True, limit=10**9)]
    store.close()
    return found


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.large", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--incidents", type=int, default=50_000)
    parser.add_argument("--check", action="store_true", help="exit 1 when a budget does not hold")
    options = parser.parse_args(argv)
    with tempfile.TemporaryDirectory(prefix="muster-bench-") as folder, postgresql() as url:
        file = str(Path(folder) / "register.db")
        told = measure(file, "SQLite", options.incidents)
        told += measure(url, "PostgreSQL", options.incidents)
        same = stories(file) == stories(url)
    print(f"{options.incidents:,} incidents tell the same story on both: {'yes' if same else 'NO'}")
    return max(conclude(told, check=options.check), int(not same))


if __name__ == "__main__":
    sys.exit(main())
