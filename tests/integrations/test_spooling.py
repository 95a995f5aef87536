"""The worker enters what its user said while the register was away."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from integrations.hand import Hand
from integrations.spooling import keep_entered, spool_of
from register.desk import ServiceDesk
from register.live import live_path
from register.login import login_of
from register.replay import fields_of
from register.spool import Spool, entry, folder_beside
from register.store import Store
from register.topics.intake import Log
from tests.register.saying import story


@pytest.fixture
def hand(store: Store) -> Iterator[Hand]:
    made = Hand(ServiceDesk(store))
    yield made
    made.close()


@pytest.fixture
def spool(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Spool:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    return spool_of(store, {})


def say(spool: Spool, register_id: str, verb: str, fields: dict[str, Any], target: str = "") -> str:
    command_id = Log(title="x").command_id
    spool.keep(entry(register_id, command_id, verb, fields, source="cli", target=target))
    return command_id


async def test_it_enters_in_its_users_name_and_tells(hand: Hand, spool: Spool) -> None:
    say(spool, hand.store.register_id, "log", fields_of(Log(title="db down")))
    say(spool, hand.store.register_id, "note", {"text": "on nothing"}, "INC-9")
    say(spool, "01ANOTHERREGISTER0000000000", "log", {"title": "elsewhere"})
    told: list[str] = []
    task = asyncio.create_task(keep_entered(hand, {}, told.append))
    while len(told) < 2:
        await asyncio.sleep(0.01)
    task.cancel()
    assert told == [
        "~1 of the spool is entered: INC-1.",
        "~2 of the spool was not entered: There is no INC-9. `muster list` shows the open ones."
        " `muster spool list` shows it.",
    ]
    assert story(hand.desk, "INC-1") == ["created"]
    (created,) = hand.store.timeline("INC-1")
    assert hand.store.logins()[created.actor] == login_of(os.getuid())
    assert [one.name for one in spool.look().entries] == ["~2", "~3"]


async def test_a_spool_that_cannot_be_written_ends_nothing(
    hand: Hand, spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    say(spool, hand.store.register_id, "log", {"title": "db down"})
    monkeypatch.setattr("integrations.spooling.EVERY", 0.01)
    real, told = Spool.is_entered, list[str]()

    def full(*_: object) -> None:
        monkeypatch.setattr(Spool, "is_entered", real)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Spool, "is_entered", full)
    task = asyncio.create_task(keep_entered(hand, {}, told.append))
    while len(told) < 2:
        await asyncio.sleep(0.01)
    task.cancel()
    assert "No space left on device" in told[0]
    assert told[1] == "~1 of the spool is entered: INC-1."
    assert hand.store.count_events() == 1  # entered by the first try, found by the second


def test_it_is_the_folder_of_the_board_and_the_command_line(store: Store, tmp_path: Path) -> None:
    named = "postgresql://db.invalid/register"
    assert spool_of(store, {"MUSTER_REGISTER": named}).folder == folder_beside(live_path(named))
    assert spool_of(store, {"MUSTER_REGISTER": "r.db"}).folder == folder_beside(live_path(store.url))
