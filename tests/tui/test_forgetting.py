"""Copies of a board: what was erased or redacted is on no screen and in no live.json, on or off."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from register.desk import ServiceDesk
from register.live import Live
from register.store import open_store
from register.store.erasing import erase, who_is
from register.topics.intake import Log
from register.topics.ownership import Take
from register.topics.privacy import Redact
from tests.tui.test_board import text_of
from tests.tui.test_follow import ADA, until
from tui.app import MusterApp
from tui.follow import Follower
from tui.session import Session

NAME = "theodora"
THEO = ADA.__class__(NAME, ADA.role, "cli")


@pytest.fixture
def session(tmp_path: Path) -> Session:
    return Session(f"sqlite:///{tmp_path}/r.db", tmp_path / "home", "ana")


@pytest.fixture
def desk(session: Session) -> Iterator[ServiceDesk]:
    store = open_store(session.register_url)
    made = ServiceDesk(store)
    made.do(ADA, Log(title=f"{NAME} calls"))
    made.do(ADA, Log(title="hunter2"))
    made.do(THEO, Take(target="INC-2"))
    yield made
    store.close()


def shown(app: MusterApp) -> str:
    return "\n".join(text_of(app))


def forget(desk: ServiceDesk) -> None:
    erase(desk, ADA, who_is(desk.store, NAME), "a letter")
    desk.do(ADA, Redact(target="INC-2", reason="a code"))


def copy_of(session: Session) -> str:
    return session.live_path.read_text()


async def test_an_open_board_forgets_at_once_on_screen_and_on_disk(
    session: Session, desk: ServiceDesk
) -> None:
    app = MusterApp(session, Live.open(session.live_path), Follower(session))
    async with app.run_test(size=(120, 30)) as pilot:
        await until(pilot, lambda: "hunter2" in shown(app) and shown(app).count(NAME) >= 2)
        app.model.live.save()
        assert NAME in copy_of(session)
        forget(desk)
        await until(pilot, lambda: NAME not in shown(app) and "hunter2" not in shown(app))
        await until(pilot, lambda: NAME not in copy_of(session) and "hunter2" not in copy_of(session))


async def test_a_board_that_was_off_forgets_when_it_is_started(session: Session, desk: ServiceDesk) -> None:
    app = MusterApp(session, Live.open(session.live_path), Follower(session))
    async with app.run_test(size=(120, 30)) as pilot:
        await until(pilot, lambda: "hunter2" in shown(app) and NAME in shown(app))
    assert NAME in copy_of(session)
    forget(desk)
    again: Any = MusterApp(session, Live.open(session.live_path), Follower(session))
    async with again.run_test(size=(120, 30)) as pilot:
        await until(pilot, lambda: NAME not in shown(again) and "hunter2" not in shown(again))
        await until(pilot, lambda: NAME not in copy_of(session) and "hunter2" not in copy_of(session))
        assert "(redacted)" in shown(again)
