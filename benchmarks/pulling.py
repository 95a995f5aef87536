"""Bring 5,000 issues here and read them: what a client takes of its own, where the server takes nothing.

    python -m benchmarks.pulling [--issues 5000] [--runs 5] [--others] [--check]

A real Redmine takes 98 % of such a pull, whoever asks; so its answers are replayed out of memory by another
process, and what counts is the client's own processor time, the median of so many runs, taken in turns: a
bare httpx loop that reads the JSON and keeps it, and the Redmine connector, whose rows are checked and typed.
`--others` sets python-redmine and bugwarrior up in an environment of their own, to be measured beside these.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import time
import venv
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Final

import httpx

from benchmarks.figures import Figure, conclude, median
from benchmarks.replaying import AT, PAGE, Counted, Replayed, replayed
from integrations.http import Http
from integrations.redmine.config import RedmineConfig
from integrations.redmine.feed import Feed, Place

ALLOWED: Final = 2.2
"""Of a bare loop's time: what python-redmine takes, measured beside it."""
OTHERS: Final = ("python-redmine==2.5.0", "bugwarrior==2.1.0")
_PULL: Final = """
import json, sys, time
from types import SimpleNamespace
which, url, pages = sys.argv[1], sys.argv[2], int(sys.argv[3])
if which == "python-redmine":
    from redminelib import Redmine
    def pull():
        asked = {"project_id": "supplier", "status_id": "*", "sort": "id:asc"}
        return list(Redmine(url, key="sample").issue.filter(**asked))
else:  # bugwarrior asks for one page: its own call, as often as it takes
    from bugwarrior.services.redmine import RedMineClient, RedMineIssue
    def pull():
        client = RedMineClient(url, "sample", None, 100, True)
        found = [one for page in range(pages)
                 for one in client.find_issues(100, f"status_id=*&offset={page * 100}")]
        if which == "bugwarrior":
            return found
        ours = SimpleNamespace(url=url, project_name="", default_priority="M")
        local = SimpleNamespace(taskrc="")
        return [RedMineIssue(one, ours, local, {}).to_taskwarrior() for one in found]
begin = time.process_time()
pull()
begin = time.process_time()
found = pull()
print(json.dumps({"ms": (time.process_time() - begin) * 1000, "issues": len(found)}))
"""


async def _bare(url: str, issues: int) -> int:
    """What whoever has no connector would write: page by page, by offset."""
    found: list[object] = []
    async with httpx.AsyncClient(base_url=url, headers={"X-Redmine-API-Key": "sample"}) as client:
        for offset in range(0, issues, PAGE):
            params: dict[str, str | int] = {
                "status_id": "*",
                "sort": "id:asc",
                "limit": PAGE,
                "offset": offset,
            }
            answer = await client.get("/projects/supplier/issues.json", params=params)
            answer.raise_for_status()
            found += answer.json()["issues"]
    return len(found)


async def _ours(url: str, issues: int) -> int:
    """The walk of a poll that finds them all changed; not in it: what is read of each afterwards."""
    config = RedmineConfig(project="supplier", reference_field=1)
    async with Http(url, {"X-Redmine-API-Key": "sample"}, name="delta") as http:
        feed = Feed(http, config)
        feed._walks = 1  # the poll that asks other projects, too, is each twentieth
        begin = AT - timedelta(days=1)
        place = await feed.walk(Place(newest=begin, elsewhere=begin, begin=begin, floor=begin, seen={}))
    return len(place.todo)


def _took(pull: Callable[[], int], issues: int) -> float:
    """Milliseconds of processor time."""
    begin = time.process_time()
    found = pull()
    took = (time.process_time() - begin) * 1000
    assert found == issues, found
    return took


class Others:
    """python-redmine and bugwarrior, in an environment of their own."""

    def __init__(self) -> None:
        home = Path(".cache/pulling").resolve()
        self._python = home / "bin/python"
        if not self._python.exists():
            venv.create(home, with_pip=True)
        subprocess.run([self._python, "-m", "pip", "install", "--quiet", "--quiet", *OTHERS], check=True)

    def took(self, which: str, url: str, issues: int) -> float:
        command = [str(self._python), "-c", _PULL, which, url, str(-(-issues // PAGE))]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        told = json.loads(done.stdout)
        assert told["issues"] == issues, told
        return float(told["ms"])


def measured(server: Replayed, issues: int, runs: int, others: Others | None) -> list[Figure]:
    pulls: dict[str, Callable[[], float]] = {
        "a bare httpx loop": lambda: _took(lambda: asyncio.run(_bare(server.url, issues)), issues),
        "ours": lambda: _took(lambda: asyncio.run(_ours(server.url, issues)), issues),
    }
    if others is not None:
        for which in ("python-redmine", "bugwarrior", "bugwarrior, mapped"):
            pulls[which] = partial(others.took, which, server.url, issues)
    took: dict[str, list[float]] = {name: [] for name in pulls}
    asked: dict[str, Counted] = {}
    server.counted()
    for _ in range(runs + 1):
        for name, pull in pulls.items():
            took[name].append(pull())
            asked[name] = server.counted()
    ms = {name: median(all_[1:]) for name, all_ in took.items()}  # the first run imports and warms up
    pages = -(-issues // PAGE)
    bare = "a bare httpx loop"
    figures = [
        Figure(f"fetch and read {issues:,} issues, own time", ms["ours"], bare, ms[bare], "ms", ALLOWED),
        Figure(
            f"fetch and read {issues:,} issues: requests", asked["ours"].requests, "pages", pages, "", 1.0
        ),
        Figure(
            f"fetch and read {issues:,} issues: connections", asked["ours"].connections, "one", 1, "", 1.0
        ),
    ]
    rest = [name for name in pulls if name not in ("ours", bare)]
    return figures + [Figure(f"{name}, own time", ms[name], bare, ms[bare], "ms") for name in rest]


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--issues", type=int, default=5_000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument(
        "--others", action="store_true", help="python-redmine and bugwarrior, too (needs pip)"
    )
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--json", action="store_true")
    given, _ = parser.parse_known_args(argv)
    others = Others() if given.others else None
    with replayed(given.issues) as server:
        figures = measured(server, given.issues, given.runs, others)
    if others is None:
        print("      python-redmine, bugwarrior: LEFT OUT: --others sets them up", file=sys.stderr)
    return conclude(figures, check=given.check, as_json=given.json)


if __name__ == "__main__":
    sys.exit(main())
