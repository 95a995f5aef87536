"""Make tickets in a real system, through a connector and by a bare httpx loop of the same requests.

    set -a; . <(../shared/peers/redmine/up.sh); . <(../shared/peers/rt5/up.sh)
    python -m benchmarks.creating [--tickets 60] [--others] [--check]

One in flight, the two in turns, so that what the machine does besides meets both; a ticket's whole time,
from asking until its number is known, the sum of all. A system whose address is not in the environment
(REDMINE_URL, RT5_URL) is left out, and that is said. `--others` sets up the clients that others wrote
(python-redmine, and `rt` of PyPI) in an environment of their own, to be measured beside these.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import httpx

from benchmarks.figures import Figure, conclude
from benchmarks.others import Others
from integrations.connector import Connector, Draft
from integrations.http import Http, Limits
from integrations.redmine.config import RedmineConfig
from integrations.rt.config import RtConfig
from integrations.systems.redmine import Redmine
from integrations.systems.rt import RequestTracker
from register.core import new_id
from register.incident import Priority
from register.marker import sign

ALLOWED: Final = 1.05
LIMITS: Final = Limits(connect=60, read=60, total=60)
WORDS: Final = "Primary database unreachable since 01:53. Sample data."
BLOCK: Final = 10
"""Tickets in a row on one connection, one more before them: one thread of Redmine lets others wait."""
PACKAGES: Final = ("rt==3.8.1", "python-redmine==2.5.0")
_CREATE: Final = """
import json, sys, time
which, url, key, place, field, words, tickets = json.load(sys.stdin)
if which == "rt":
    from rt.rest2 import Rt
    client = Rt(url, token=key)
    def create(number):
        made = {"subject": "Sample outage", "content": words}
        client.create_ticket(place, **made, CustomFields={field: f"other {number}"})
else:
    from redminelib import Redmine
    client = Redmine(url, key=key)
    def create(number):
        fields = [{"id": int(field), "value": f"other {number}"}]
        made = {"tracker_id": 1, "priority_id": 3, "description": words, "custom_fields": fields}
        client.issue.create(project_id=place, subject="Sample outage", **made)
create(0)
begin = time.perf_counter()
for number in range(int(tickets)):
    create(number)
print(json.dumps({"ms": (time.perf_counter() - begin) * 1000}))
"""
Body = Callable[[str], Mapping[str, Any]]
Made = tuple[Http, Connector]


async def _timed(one: Callable[[], Awaitable[Any]]) -> float:
    """Milliseconds of a block."""
    await one()
    begin = time.perf_counter()
    for _ in range(BLOCK):
        await one()
    return (time.perf_counter() - begin) * 1000


async def _bare(headers: Mapping[str, str], where: str, body: Body) -> float:
    async with httpx.AsyncClient(headers=headers, timeout=60) as client:

        async def one() -> None:
            answer = await client.post(where, json=body(new_id()))
            answer.raise_for_status()
            answer.json()

        return await _timed(one)


async def _ours(made: Made) -> float:
    http, connector = made
    async with http:
        return await _timed(lambda: connector.create(Draft(new_id(), "Sample outage", WORDS, Priority.HIGH)))


@dataclass(frozen=True, slots=True)
class Way:
    """A real system: our connector there, the same requests by hand, and what another one's client takes."""

    name: str
    make: Callable[[], Made]
    headers: Mapping[str, str]
    where: str
    body: Body
    client: str
    given: tuple[str, ...]


async def _measured(way: Way, tickets: int, others: Others | None) -> list[Figure]:
    blocks = -(-tickets // BLOCK)
    loop = own = other = 0.0
    for _ in range(blocks):
        loop += await _bare(way.headers, way.where, way.body)
        own += await _ours(way.make())
        if others is not None:
            told = await asyncio.to_thread(others.told, _CREATE, way.client, *way.given, WORDS, str(BLOCK))
            other += told["ms"]
    each = blocks * BLOCK
    what, bare = f"{way.name}: make {each} tickets, each", "a bare httpx loop"
    told = [Figure(what, own / each, bare, loop / each, "ms", ALLOWED)]
    if others is not None:
        told.append(Figure(f"{what}, by {way.client}", other / each, bare, loop / each, "ms"))
    return told


def redmine(env: Mapping[str, str]) -> Way:
    field = int(env["REDMINE_CF_EXTERNAL_REF"])
    config = RedmineConfig(project=env["REDMINE_PROJECT"], reference_field=field)
    headers = Redmine.headers(config, env["REDMINE_KEY_CONNECTOR"])

    def make() -> Made:
        http = Http(env["REDMINE_URL"], headers, name="redmine", limits=LIMITS)
        return http, Redmine(http, config)

    def body(op_id: str) -> Mapping[str, Any]:
        issue = {"project_id": config.project, "tracker_id": 1, "priority_id": 3, "subject": "Sample outage"}
        fields = [{"id": field, "value": op_id}]
        return {"issue": {**issue, "description": sign(WORDS, op_id), "custom_fields": fields}}

    given = (env["REDMINE_URL"], env["REDMINE_KEY_CONNECTOR"], config.project, str(field))
    where = f"{env['REDMINE_URL']}/issues.json"
    return Way("Redmine", make, headers, where, body, "python-redmine", given)


def rt(env: Mapping[str, str]) -> Way:
    config = RtConfig(queue=env["RT5_QUEUE"], reference_field="External Reference")
    headers = RequestTracker.headers(config, env["RT5_TOKEN"])
    base = env["RT5_URL"] + RequestTracker.root

    def make() -> Made:
        http = Http(base, headers, name="rt", limits=LIMITS)
        return http, RequestTracker(http, config)

    def body(op_id: str) -> Mapping[str, Any]:
        ticket = {"Queue": config.queue, "Subject": "Sample outage", "ContentType": "text/plain"}
        return {**ticket, "Content": sign(WORDS, op_id), "CustomFields": {config.reference_field: op_id}}

    given = (f"{base}/", env["RT5_TOKEN"], config.queue, config.reference_field)
    return Way("Request Tracker", make, headers, f"{base}/ticket", body, "rt", given)


SYSTEMS: Final = (("REDMINE_URL", redmine), ("RT5_URL", rt))


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.creating", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--tickets", type=int, default=60)
    parser.add_argument("--check", action="store_true", help="exit 1 when a budget does not hold")
    parser.add_argument("--others", action="store_true", help="python-redmine and rt, too (needs pip)")
    parser.add_argument("--json", action="store_true")
    given, _ = parser.parse_known_args(argv)
    there = [variable for variable, _ in SYSTEMS if variable in os.environ]
    others = Others("creating", PACKAGES) if given.others and there else None
    figures: list[Figure] = []
    for variable, way in SYSTEMS:
        if variable in there:
            figures += asyncio.run(_measured(way(os.environ), given.tickets, others))
        else:
            print(f"      LEFT OUT: no {variable}: the first line of --help starts one", file=sys.stderr)
    return conclude(figures, check=given.check, as_json=given.json)


if __name__ == "__main__":
    sys.exit(main())
