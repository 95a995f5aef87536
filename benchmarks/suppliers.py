"""All figures of the supplier side, one after the other, with other people's clients beside ours.

    set -a; . <(../shared/peers/redmine/up.sh); . <(../shared/peers/rt5/up.sh)
    python -m benchmarks.suppliers [--alone] [--check] [--json]

What each kind of supplier is asked, against budget and limit (`asking`); what a client takes of its own to
fetch and read 5,000 issues, beside python-redmine and bugwarrior (`pulling`); a ticket made in a real Redmine
and a real Request Tracker, beside python-redmine and `rt` (`creating`), if they run. `--alone` leaves the
clients of others out, which pip sets up in environments of their own. Takes some minutes.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from benchmarks import asking, creating, pulling

PARTS: Final[Mapping[str, Callable[[Sequence[str] | None], int]]] = {
    "asking": asking.main,
    "pulling": pulling.main,
    "creating": creating.main,
}


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.suppliers", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--alone", action="store_true", help="without python-redmine, bugwarrior and rt")
    parser.add_argument("--check", action="store_true", help="exit 1 when a budget does not hold")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args(argv)
    passed = [f"--{name}" for name in ("check", "json") if getattr(given, name)]
    worst = 0
    for name, part in PARTS.items():
        print(f"== {name}", file=sys.stderr if given.json else sys.stdout, flush=True)
        others = [] if given.alone or name == "asking" else ["--others"]
        worst = max(worst, part([*passed, *others]))
    return worst


if __name__ == "__main__":
    sys.exit(main())
