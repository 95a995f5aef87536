"""Every benchmark, one after the other: `python -m benchmarks [--check]`. Takes some minutes."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from typing import Final

ALL: Final = (
    "cold_start",
    "log_one",
    "many_writers",
    "noticing",
    "folding",
    "filtering",
    "full_text",
    "opening",
    "verifying",
    "forwarding",
    "polling",
    "asking",
    "pulling",
    "creating",
    "paging",
    "ticking",
    "large",
    "stock_tinydb",
)


def main(argv: Sequence[str] | None = None) -> int:
    arguments = list(sys.argv[1:] if argv is None else argv)
    worst = 0
    for name in ALL:
        print(f"== {name}", flush=True)
        worst = max(worst, importlib.import_module(f"benchmarks.{name}").main(arguments))
    return worst


if __name__ == "__main__":
    sys.exit(main())
