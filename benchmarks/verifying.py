"""Verify a register: events a second, beside the budget of 20,000.

    python -m benchmarks.verifying [--incidents 50000] [--register PATH-OR-URL] [--check]

All that `muster verify` does: along the chain, then every incident folded anew and laid beside its row.
Memory is the growth of the process' peak while it does so.
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from benchmarks.figures import Figure, conclude
from benchmarks.seed import seed
from register.store import open_store
from register.verify import verify

BUDGET: Final = 20_000.0
"""Events a second."""


def measure(register: str) -> list[Figure]:
    store = open_store(register)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    begin = time.perf_counter()
    verdict = verify(store)
    took = time.perf_counter() - begin
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    store.close()
    assert verdict.ok, verdict.faults
    what = f"verify {verdict.events:,} events of {verdict.incidents:,} incidents"
    return [
        Figure(f"{what}, events a second wanted", BUDGET, "done", verdict.events / took, "/s", 1.0),
        Figure(f"{what}, took", took, "allowed", verdict.events / BUDGET, "s"),
        Figure(f"{what}, memory grew by", grown, "of before", before / 1024, "MB"),
    ]


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.verifying", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--incidents", type=int, default=50_000)
    parser.add_argument("--register", help="a register that is there (default: one that is thrown away)")
    parser.add_argument("--check", action="store_true", help="exit 1 when the budget does not hold")
    options = parser.parse_args(argv)
    with tempfile.TemporaryDirectory(prefix="muster-bench-") as folder:
        register = options.register or str(Path(folder) / "register.db")
        if options.register is None:
            seed(register, incidents=options.incidents, open_ones=options.incidents // 100, progress=True)
        told = measure(register)
    return conclude(told, check=options.check)


if __name__ == "__main__":
    sys.exit(main())
