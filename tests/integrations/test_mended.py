"""A supplier whose credential was refused: it is paused, and goes on when another one works."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from engine_kit import COORDINATOR, practice_file

from integrations import speaking
from integrations.connector import Health
from integrations.policy_files import Person, keep_up
from integrations.practice.moods import Refuse500
from integrations.practice.server import running_practice
from integrations.vendors import connector_for
from integrations.worker import Worker
from register.desk import ServiceDesk
from register.store import Store
from register.store.adopted import adopted
from register.store.vendors import paused
from register.topics.engagement import Engage
from register.topics.intake import Log
from register.topics.pausing import HoldBack


async def until(done: Callable[[], bool], what: str) -> None:
    for _ in range(600):
        if done():
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"{what} did not happen")


@pytest.mark.parametrize("away", [False, True])
async def test_it_goes_on_by_itself_when_another_credential_works(
    own_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, away: bool
) -> None:
    """Even if the supplier was away for a while when it was stored."""
    monkeypatch.setattr(speaking, "ONCE_MORE", 0.0)
    secret = tmp_path / "muster-practice"
    secret.write_text("wrong-token")
    secret.chmod(0o400)
    env = {"MUSTER_HOME": str(tmp_path), "CREDENTIALS_DIRECTORY": str(tmp_path)}
    with running_practice(token="right-token") as practice:
        practice_file(tmp_path, practice.url, auth="keyring")
        keep_up(own_store, env, Person.here(), "test")
        desk = ServiceDesk(own_store, adopted(own_store).policy)
        number = desk.do(COORDINATOR, Log(title="db down")).number or ""
        desk.do(COORDINATOR, Engage(target=number, vendor="practice", message="please look"))
        worker = Worker(own_store, env, say=io.StringIO())
        serving = asyncio.create_task(worker.run(sole=True))
        try:
            await until(lambda: "practice" in paused(own_store), "a pause")
            assert practice.desk.tickets == ()
            secret.unlink()
            secret.write_text("wrong-again")
            secret.unlink()
            if away:
                practice.moods.set(Refuse500(on="reads", times=1))
            secret.write_text("right-token")
            await until(lambda: "practice" not in paused(own_store), "going on")
            await until(lambda: len(practice.desk.tickets) == 1, "a ticket")
        finally:
            worker.stop()
            await serving


async def test_what_a_person_holds_back_meanwhile_stays_held_back(
    own_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = tmp_path / "muster-practice"
    secret.write_text("wrong-token")
    env = {"MUSTER_HOME": str(tmp_path), "CREDENTIALS_DIRECTORY": str(tmp_path)}
    checked = asyncio.Event()

    def connected(*args: Any, **more: Any) -> Any:
        connector = connector_for(*args, **more)
        check = connector.check

        async def held_meanwhile() -> Health:
            health = await check()
            desk.do(COORDINATOR, HoldBack(vendor="practice", reason="they move"))
            checked.set()
            return health

        monkeypatch.setattr(connector, "check", held_meanwhile)
        return connector

    monkeypatch.setattr(speaking, "connector_for", connected)
    with running_practice(token="right-token") as practice:
        practice_file(tmp_path, practice.url, auth="keyring")
        keep_up(own_store, env, Person.here(), "test")
        desk = ServiceDesk(own_store, adopted(own_store).policy)
        number = desk.do(COORDINATOR, Log(title="db down")).number or ""
        desk.do(COORDINATOR, Engage(target=number, vendor="practice", message="please look"))
        worker = Worker(own_store, env, say=io.StringIO())
        serving = asyncio.create_task(worker.run(sole=True))
        try:
            await until(lambda: "practice" in paused(own_store), "a pause")
            secret.write_text("right-token")
            await asyncio.wait_for(checked.wait(), 30)
        finally:
            worker.stop()
            await serving
        assert paused(own_store)["practice"][:2] == ("they move", True)
        assert practice.desk.tickets == ()
