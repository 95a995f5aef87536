"""Whoever keeps and enters is killed, for real, at any moment: nothing is lost, nothing is there twice."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import time
from collections import Counter
from pathlib import Path

import pytest

from register.core import Principal, Role, new_id
from register.desk import ServiceDesk
from register.replay import replay
from register.spool import Spool, entry
from register.store import Store
from register.verify import verify
from tests.register.saying import ask, run_script

pytestmark = pytest.mark.kills

WHO = Principal("ana", Role.RESPONDER, "spool")


def test_forty_killed_and_nothing_is_lost_or_twice(store: Store, tmp_path: Path) -> None:
    kill(store, tmp_path / "spool", 40, seed=7)


@pytest.mark.parametrize("point", ["looked", "done", "noted", "let go"])
def test_killed_between_any_two_steps_of_entering(store: Store, tmp_path: Path, point: str) -> None:
    spool = Spool(tmp_path / "spool")
    first = spool.keep(entry(store.register_id, new_id(), "log", {"title": "one"}, source="cli"))
    for text in ("two", "three"):
        about = first.command_id
        spool.keep(entry(store.register_id, new_id(), "note", {"text": text}, source="cli", about=about))
    kept = {one.command_id for one in spool.look().entries}
    other = run_script("spooler", store.url, str(spool.folder), store.register_id)
    out, error = other.communicate(f"enter:{point}\n", timeout=30)
    assert (out.splitlines()[-1], error) == ("ended", "")
    assert 0 < len(spool.look().entries) < 3 or point == "noted"  # it died in between
    outcome = replay(ServiceDesk(store), WHO, spool)
    assert (outcome.refused, outcome.faults, outcome.why) == ([], [], "")
    rows = ask(store, "SELECT command_id, stream, kind FROM event ORDER BY seq")
    assert [(row.stream, row.kind) for row in rows] == [
        ("INC-1", "created"),
        ("INC-1", "note"),
        ("INC-1", "note"),
    ]
    assert {row.command_id for row in rows} == kept
    assert spool.is_empty()
    assert spool.look().entered == {1: "INC-1", 2: "INC-1", 3: "INC-1"}
    assert verify(store).faults == []


def test_two_who_enter_at_once(store: Store, tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool")
    kept = [
        spool.keep(entry(store.register_id, new_id(), "log", {"title": f"one {n}"}, source="cli")).command_id
        for n in range(30)
    ]
    words = (store.url, str(spool.folder), store.register_id)
    others = [run_script("spooler", *words) for _ in range(3)]
    for one in others:
        assert one.stdin is not None
        print("enter", file=one.stdin, flush=True)
    pids = [int(one.stdout.readline().removeprefix("pid ")) for one in others if one.stdout is not None]
    end = time.monotonic() + 30
    while not spool.is_empty() and time.monotonic() < end:
        time.sleep(0.02)
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):  # it may have come to its end by itself
            os.kill(pid, signal.SIGKILL)
    for one in others:
        one.communicate(timeout=30)
    rows = ask(store, "SELECT command_id FROM event ORDER BY seq")
    assert [row.command_id for row in rows] == kept  # once each, in the order they were said
    assert verify(store).faults == []


@pytest.mark.chaos
def test_four_hundred_killed(store: Store, tmp_path: Path) -> None:
    kill(store, tmp_path / "spool", 400, seed=8)


def kill(store: Store, folder: Path, kills: int, seed: int) -> None:
    chance = random.Random(seed)
    said: list[list[str]] = []
    others = run_script("spooler", store.url, str(folder), store.register_id)
    assert others.stdin is not None
    assert others.stdout is not None
    for _ in range(kills):
        print(chance.choice(("keep", "enter", "both")), file=others.stdin, flush=True)
        pid = int(others.stdout.readline().removeprefix("pid "))
        time.sleep(chance.uniform(0, 0.06))
        os.kill(pid, signal.SIGKILL)
        while (line := others.stdout.readline()) != "ended\n":
            assert line, others.communicate()[1]
            if line.endswith("\n"):
                said.append(line.split())
    assert others.communicate(timeout=30)[1] == ""

    spool = Spool(folder)
    outcome = replay(ServiceDesk(store), WHO, spool)
    assert (outcome.refused, outcome.foreign, outcome.faults, outcome.why) == ([], [], [], "")
    assert spool.look().entries == ()

    kept = {words[1]: words for words in said if words[0] in ("log", "note")}
    rows = ask(store, "SELECT command_id, stream, kind FROM event WHERE kind IN ('created', 'note')")
    assert Counter(row.command_id for row in rows).most_common(1)[0][1] == 1  # nothing twice
    found = {row.command_id: row for row in rows}
    assert set(kept) <= set(found)  # nothing lost
    for command_id, words in kept.items():
        if words[0] == "note":
            assert found[command_id].stream == found[words[2]].stream
    assert all(found[words[1]].stream == words[2] for words in said if words[0] == "entered")
    assert len(kept) >= kills // 8
    assert len(rows) - len(kept) <= 2 * kills  # those whose acknowledgement died with who gave it
    assert verify(store).faults == []
    assert [path.name for path in folder.iterdir() if path.name[0].isdigit()] == []
    print(f"{kills} killed: {len(kept)} acknowledged, {len(rows)} entered, once each")
