"""A reminder on its way to a supplier: it arrives as ours, once; one without a reason never leaves."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from engine_kit import Engine

from integrations.policy_files import Person, keep_up
from integrations.practice.server import Practice
from register.store import outbox
from register.watch import tick

MATRIX = """
fallback_team = "desk"
[teams.desk]
name = "Desk"
[contracts.practice]
acknowledge = { P3 = "100s" }
nudge = [1]
"""


async def nudged(engine: Engine, home: Path) -> str:
    """An incident of whose contract the supplier is reminded in a second; the reminder waits to be sent."""
    (home / "matrix.toml").write_text(MATRIX)
    keep_up(engine.store, {"MUSTER_HOME": str(home)}, Person(0, "ana"), "test")
    number, _ = engine.engaged()
    await engine.settle_all()
    end = time.monotonic() + 30
    while not tick(engine.desk, engine.hand.now()):
        assert time.monotonic() < end
        await asyncio.sleep(0.05)
    return number


def reminders(practice: Practice) -> list[str]:
    return [one.body for one in practice.desk.changes if "A reminder by our service desk" in one.body]


async def test_it_arrives_once_and_comes_back_as_no_news(
    engine: Engine, practice: Practice, tmp_path: Path
) -> None:
    await engine.collector.poll()
    number = await nudged(engine, tmp_path)
    await engine.settle_all()
    assert tick(engine.desk, engine.hand.now()) == 0
    await engine.collector.poll()
    assert len(reminders(practice)) == 1
    assert engine.kinds(number)[-2:] == ["nudged", "delivered"]


async def test_who_answers_before_it_leaves_is_not_reminded(
    engine: Engine, practice: Practice, tmp_path: Path
) -> None:
    await engine.collector.poll()
    number = await nudged(engine, tmp_path)
    practice.desk.set_state(practice.desk.tickets[0].id, "Lena", "Working")
    await engine.collector.poll()
    await engine.settle_all()
    assert reminders(practice) == []
    assert outbox.unfinished(engine.store) == []
    assert engine.kinds(number)[-2:] == ["supplier_updated", "send_dropped"]
