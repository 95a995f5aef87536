"""Bring 5,000 issues here and read them: what a client takes of its own, where the server takes nothing.

    python -m benchmarks.pulling [--issues 5000] [--runs 5] [--others] [--check]

A real Redmine takes 98 % of such a pull, whoever asks; so its answers are replayed out of memory by another
process, and what counts is the client's own processor time, the median of so many runs, taken in turns: a
bare httpx loop that reads the JSON and keeps it; the Redmine connector, whose rows are checked and typed; and
a `rest` block that describes a Redmine (`tests/described/redmine.toml`). `--others` sets python-redmine and
bugwarrior up in an environment of their own, to be measured beside these.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import Callable, Coroutine, Sequence
from datetime import timedelta
from functools import cache, partial
from pathlib import Path
from typing import Any, Final

import httpx

from benchmarks.figures import Figure, conclude, median
from benchmarks.others import Others
from benchmarks.replaying import AT, PAGE, Counted, Replayed, replayed
from integrations.http import Http
from integrations.redmine.config import RedmineConfig
from integrations.redmine.feed import Feed, Place
from integrations.rest import feed as described
from integrations.rest.config import RestConfig
from integrations.systems.rest import Rest
from integrations.vendors import read_vendors

ALLOWED: Final = 2.2
"""Of a bare loop's time: what python-redmine takes, measured beside it."""
PACKAGES: Final = ("python-redmine==2.5.0", "bugwarrior==2.1.0")
_PULL: Final = """
import json, sys, time
from types import SimpleNamespace
which, url, pages = json.load(sys.stdin)
pages = int(pages)
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


@cache
def _block() -> RestConfig:
    """What a `rest` block says of a Redmine."""
    text = Path(__file__).parents[1] / "tests/described/redmine.toml"
    config = read_vendors(text.read_text())["redmine"].config
    assert isinstance(config, RestConfig)
    return config


async def _described(url: str, issues: int) -> int:
    """The same walk, of a system that vendors.toml alone knows."""
    config = _block()
    async with Http(url, Rest.headers(config, "sample"), name="delta") as http:
        begin = AT - timedelta(days=1)
        place = described.Place(newest=begin, begin=begin, floor=begin, seen={})
        todo = (await Rest(http, config).feed._walk(place)).todo
    return len({row["id"] for row in todo})  # the last of a page is the first of the next


def _took(pull: Callable[[], int], issues: int) -> float:
    """Milliseconds of processor time."""
    begin = time.process_time()
    found = pull()
    took = (time.process_time() - begin) * 1000
    assert found == issues, found
    return took


def _others_took(others: Others, which: str, url: str, issues: int) -> float:
    told = others.told(_PULL, which, url, str(-(-issues // PAGE)))
    assert told["issues"] == issues, told
    return float(told["ms"])


BARE: Final = "a bare httpx loop"
OURS: Final = {"redmine": _ours, "rest": _described}
"""By the kind of connector."""


def measured(server: Replayed, issues: int, runs: int, others: Others | None) -> list[Figure]:
    def pull(of: Callable[[str, int], Coroutine[Any, Any, int]]) -> float:
        return _took(lambda: asyncio.run(of(server.url, issues)), issues)

    pulls: dict[str, Callable[[], float]] = {BARE: partial(pull, _bare)}
    pulls |= {name: partial(pull, of) for name, of in OURS.items()}
    if others is not None:
        for which in ("python-redmine", "bugwarrior", "bugwarrior, mapped"):
            pulls[which] = partial(_others_took, others, which, server.url, issues)
    took: dict[str, list[float]] = {name: [] for name in pulls}
    asked: dict[str, Counted] = {}
    server.counted()
    for _ in range(runs + 1):
        for name, one in pulls.items():
            took[name].append(one())
            asked[name] = server.counted()
    ms = {name: median(all_[1:]) for name, all_ in took.items()}  # the first run imports and warms up
    figures = []
    for name in OURS:
        what, fresh = f"{name}: fetch and read {issues:,} issues", PAGE - (name == "rest")
        pages = -(-issues // fresh)  # the block goes on with the last one of a page, for it cannot count
        figures += [
            Figure(f"{what}, own time", ms[name], BARE, ms[BARE], "ms", ALLOWED),
            Figure(f"{what}: requests", asked[name].requests, "pages", pages, "", 1.0),
            Figure(f"{what}: connections", asked[name].connections, "one", 1, "", 1.0),
        ]
    rest = [name for name in pulls if name not in OURS and name != BARE]
    return figures + [Figure(f"{name}, own time", ms[name], BARE, ms[BARE], "ms") for name in rest]


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
    others = Others("pulling", PACKAGES) if given.others else None
    with replayed(given.issues) as server:
        figures = measured(server, given.issues, given.runs, others)
    if others is None:
        print("      python-redmine, bugwarrior: LEFT OUT: --others sets them up", file=sys.stderr)
    return conclude(figures, check=given.check, as_json=given.json)


if __name__ == "__main__":
    sys.exit(main())
