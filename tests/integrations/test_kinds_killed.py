"""Whatever kind of system a supplier has: the worker is killed over it, and there is one ticket, a word once.

A few kinds are tried with the other kills; all of them, with many, by `make test-chaos`.
"""

from __future__ import annotations

import os
from pathlib import Path

import httpx
import pytest
from engine_kit import wait_for
from kill_kit import Run, killed, run_of

from integrations.systems import SYSTEMS
from tests.played.serving import APPS, KINDS, played_in, world_of

pytestmark = pytest.mark.timeout(600)
LEFT_OUT = {
    "practice": "has moods, and is killed over in test_kills.py and test_chaos.py",
    "redmine": "is killed over for real in tests/peers/test_storm.py",
    "rt": "is killed over for real in tests/peers/test_storm.py",
}
"""Kinds whose played one, if there is any, is not killed over here, and why."""
KILLS = int(os.environ.get("MUSTER_KILLS", "20"))
SEED = int(os.environ.get("MUSTER_CHAOS_SEED", "20"))
SAMPLE = ("freshservice", "aws_support", "rest")


def test_no_kind_lags() -> None:
    assert {*KINDS, *LEFT_OUT} == {*SYSTEMS}
    assert all(len(played_in(world_of(kind))) == 1 for kind in APPS), "one app that can be served"


@pytest.mark.kills
@pytest.mark.parametrize("kind", SAMPLE)
def test_kills_over_a_supplier(kind: str, tmp_path: Path) -> None:
    with run_of(kind, tmp_path, seed=3, hold=0.1) as run:
        killed(run, kills=3, amid=1, seed=11, seconds=120)


@pytest.mark.chaos
@pytest.mark.timeout(3_600)
@pytest.mark.parametrize("kind", sorted(KINDS))
def test_many_kills_over_a_supplier(kind: str, tmp_path: Path) -> None:
    with run_of(kind, tmp_path, seed=SEED, hold=0.2) as run:
        killed(run, kills=KILLS, amid=KILLS // 4, seed=SEED, seconds=1_200)
        print(f"\n{kind}: {told(run)}")


@pytest.mark.chaos
@pytest.mark.timeout(3_600)
@pytest.mark.parametrize("kind", sorted(KINDS))
def test_muster_serve_itself_is_killed_over_a_supplier(kind: str, tmp_path: Path) -> None:
    """With every wait as it is in real life: minutes until an empty answer proves anything."""
    with run_of(kind, tmp_path, seed=SEED, hold=0.2, in_haste=False) as run:
        killed(run, kills=4, amid=1, seed=SEED, seconds=1_800)
        print(f"\n{kind}, by muster serve: {told(run)}")


def told(run: Run) -> str:
    return (
        f"{len(run.op_ids)} engagements, {run.kills} kills, {run.amid} of them while it wrote;"
        f" a person was asked {run.persons} times"
    )


@pytest.mark.kills
@pytest.mark.parametrize("arrives", [False, True], ids=["lost", "done all the same"])
def test_a_kill_between_two_requests_of_one_operation(arrives: bool, tmp_path: Path) -> None:
    """A message first, then an issue that names it: killed in between, each is there once."""
    with run_of("rest", tmp_path, seed=3, hold=0.02) as run:
        for method in ("POST", "PATCH"):  # a ticket is made, a note is put on it
            run.served.stops(method, "/data/issue")
            if method == "POST":
                run.engage(1, replies=0)
            else:
                run.reply("INC-1")
            (row,) = run.left
            with run.worker() as process:
                wait_for(lambda: run.served.state["stopped"], 60, "the second request")
                run.kill(process)
            assert messages(run, row.op_id) == 1, "the first one was answered"
            run.served.goes_on(arrives=arrives)
            run.until_done(120)
            assert messages(run, row.op_id) == 1, "what the first life made is taken, and not made again"
        run.judged()


def messages(run: Run, op_id: str) -> int:
    """How many messages carry it, linked or not."""
    about = {"messageid:": op_id}
    user, _, password = str(run.served.block["secret"]).partition(":")
    answer = httpx.get(f"{run.served.block['url']}/data/msg", params=about, auth=(user, password))
    return len(answer.json()["data"]["collection"])
