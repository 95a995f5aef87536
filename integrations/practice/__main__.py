"""`python -m integrations.practice`: the practice supplier by itself."""

from __future__ import annotations

import argparse
import sys

from integrations.practice.server import PortTaken, serve


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m integrations.practice", description=__doc__)
    parser.add_argument("--port", type=int, default=8377, help="0 takes any free one (default 8377)")
    parser.add_argument("--no-agent", action="store_true", help="nobody answers by themselves")
    parser.add_argument("--seed", type=int, default=1, help="of what the agent says and how soon")
    parser.add_argument("--token", help="callers must bear it; to practise a refused credential")
    asked = parser.parse_args()
    try:
        serve(asked.port, agent=not asked.no_agent, seed=asked.seed, token=asked.token)
    except PortTaken as taken:
        print(taken, file=sys.stderr)
        return 5
    return 0


if __name__ == "__main__":
    sys.exit(main())
