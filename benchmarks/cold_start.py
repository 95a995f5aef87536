"""Cold start to a painted board with 1,000 open incidents, beside the plainest Textual table of 1,000 rows.

    python -m benchmarks.cold_start [--runs 9] [--open 1000] [--vendors FILE] [--cross-check] [--check]

Both programs start in turn on the same pty. Painted means that eleven different incident numbers are to be
read. The board starts as it does every morning: its register is there, and so is the copy that it left.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from benchmarks.figures import Figure, conclude, median
from benchmarks.ptyprobe import Start, Terminal, measure_start
from benchmarks.seed import seed, write_live

NUMBER: Final = r"INC-?\d+"
ROWS: Final = 11
"""Different numbers that make a painted board; a screen of 40 lines shows more."""
REFERENCE_ROWS: Final = 1000
BUDGET: Final[Mapping[int, float]] = {1000: 1.0, 10_000: 1.2}
"""Open incidents → how many times the reference's start is allowed; others are told, not judged."""
HERE: Final = Path(__file__).resolve().parent
REFERENCE: Final = (sys.executable, str(HERE / "reference_board.py"), str(REFERENCE_ROWS))
TOOLS: Final = HERE.parent.parent / "shared" / "tools"


def muster_command() -> list[str]:
    """The installed console script, or the module where there is none."""
    script = Path(sys.executable).with_name("muster")
    return [str(script)] if script.exists() else [sys.executable, "-m", "tui.main"]


@contextlib.contextmanager
def household(incidents: int, vendors: Path | None = None) -> Iterator[None]:
    """A seeded register with its copy for the first paint; while it stands, our environment names it.

    vendors: the vendors.toml that its user has, if any.
    """
    before = dict(os.environ)
    with tempfile.TemporaryDirectory(prefix="muster-bench-") as folder:
        for name in ("XDG_STATE_HOME", "XDG_DATA_HOME", "XDG_RUNTIME_DIR", "MUSTER_HOME"):
            os.environ[name] = f"{folder}/{name.lower()}"
            Path(os.environ[name]).mkdir(mode=0o700)
        if vendors is not None:
            shutil.copy(vendors, f"{os.environ['MUSTER_HOME']}/vendors.toml")
        register = os.environ["MUSTER_REGISTER"] = f"{folder}/register/bench.db"
        try:
            seed(register, incidents=incidents, open_ones=incidents)
            write_live(register)
            yield
        finally:
            os.environ.clear()
            os.environ.update(before)
            end_workers(folder)


def end_workers(folder: str) -> None:
    """End the processes whose environment names `folder`: workers that a board started for itself."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal() and int(entry.name) != os.getpid():
            with contextlib.suppress(OSError):
                if folder.encode() in (entry / "environ").read_bytes():
                    os.kill(int(entry.name), signal.SIGKILL)


def start(command: Sequence[str]) -> tuple[Start, str]:
    """One start, and the eleventh number that was painted."""
    with Terminal(command) as terminal:
        seen = measure_start(terminal, NUMBER, ROWS)
        numbers = list(dict.fromkeys(re.findall(NUMBER, terminal.text.seen)))
        return seen, numbers[ROWS - 1]


def interleaved(runs: int) -> tuple[list[Start], list[Start]]:
    """Starts of the board and of the reference in turn, after one of each that only warms the caches."""
    ours: list[Start] = []
    theirs: list[Start] = []
    for turn in range(runs + 1):
        for command, seen in ((muster_command(), ours), (list(REFERENCE), theirs)):
            told, _ = start(command)
            if turn:
                seen.append(told)
    return ours, theirs


def cross_check(runs: int) -> Figure:
    """The same two starts seen with other eyes: ptybench.py and its own trivial board."""
    _, eleventh = start(muster_command())
    ours = _ptybench(runs, f"{eleventh}\\b", muster_command())
    trivial = [sys.executable, str(TOOLS / "trivial_board.py"), str(REFERENCE_ROWS)]
    theirs = _ptybench(runs, "INC0000010", trivial)
    return Figure("by ptybench.py", 1000 * ours, "trivial_board.py", 1000 * theirs, "ms")


def _ptybench(runs: int, marker: str, command: Sequence[str]) -> float:
    told = subprocess.run(
        [
            sys.executable,
            str(TOOLS / "ptybench.py"),
            *("--json", "--runs", str(runs), "--marker", marker),
            "--",
            *command,
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    return float(json.loads(told.stdout)["marker"])


def figures(ours: Sequence[Start], theirs: Sequence[Start], incidents: int) -> list[Figure]:
    against = f"stock DataTable of {REFERENCE_ROWS:,} rows"

    def figure(what: str, of: str, unit: str, scale: float = 1, budget: float | None = None) -> Figure:
        left, right = (median([getattr(each, of) * scale for each in seen]) for seen in (ours, theirs))
        return Figure(what, left, against, right, unit, budget)

    return [
        figure(f"board of {incidents:,} painted", "painted", "ms", 1000, BUDGET.get(incidents)),
        figure("first byte", "first_byte", "ms", 1000),
        figure("at rest", "settled", "ms", 1000),
        figure("bytes until at rest", "start_bytes", "bytes"),
        figure("resident memory", "rss_mb", "MB"),
    ]


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cold_start", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--runs", type=int, default=9)
    parser.add_argument(
        "--open", type=int, default=1000, dest="incidents", help="open incidents on the board"
    )
    parser.add_argument(
        "--vendors",
        type=Path,
        help="the user's vendors.toml, as tests/described/redmine.toml (default: none)",
    )
    parser.add_argument("--cross-check", action="store_true", help="also by ../shared/tools, where it is")
    parser.add_argument("--check", action="store_true", help="exit 1 when the budget does not hold")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(argv)
    with household(options.incidents, options.vendors):
        ours, theirs = interleaved(options.runs)
        told = figures(ours, theirs, options.incidents)
        if options.cross_check and (TOOLS / "ptybench.py").exists():
            told.append(cross_check(options.runs))
        elif options.cross_check:
            print(f"No {TOOLS}: nothing to cross-check with.", file=sys.stderr)
    return conclude(told, check=options.check, as_json=options.json)


if __name__ == "__main__":
    sys.exit(main())
