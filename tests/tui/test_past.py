"""The board of a time gone by: it says so, shows what was known, and changes nothing."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path

from register.core import Principal, Role
from register.desk import ServiceDesk
from register.live import Live
from register.store import open_store
from register.topics.intake import Log
from register.topics.ownership import Take
from register.topics.resolution import Resolve
from tests.tui.test_board import settled, text_of
from tui.app import MusterApp
from tui.past import Past
from tui.session import Session

BEN = Principal("ben", Role.ADMIN, "cli")


async def test_the_board_of_the_past_says_so_and_changes_nothing(tmp_path: Path) -> None:
    session = Session(f"sqlite:///{tmp_path}/r.db", tmp_path / "home", "ana")
    store = open_store(session.register_url)
    desk = ServiceDesk(store)
    desk.do(BEN, Log(title="disk is full"))
    time.sleep(0.01)
    moment = datetime.now(UTC).timestamp()
    time.sleep(0.01)
    desk.do(BEN, Resolve(target="INC-1", code="workaround", notes="made room"))
    desk.do(BEN, Log(title="later trouble"))
    seq = store.seq()
    app = MusterApp(session, Live.nowhere(), Past(session, moment), as_of=moment)
    async with app.run_test(size=(120, 30)) as pilot:
        for _ in range(100):
            await settled(pilot)
            if "disk is full" in "\n".join(text_of(app)):
                break
        told = "\n".join(text_of(app))
        assert "AS OF 20" in told
        assert "read only" in told
        assert "disk is full" in told
        assert "later trouble" not in told
        await pilot.press("a", "t", "i")
        await settled(pilot)
        await pilot.press("4")
        await settled(pilot)
        assert "outbox is known only as it is now" in "\n".join(text_of(app))
        await pilot.press("enter")
        for _ in range(100):
            await settled(pilot)
            if "logged: impact" in "\n".join(text_of(app)):
                break
        assert "logged: impact" in "\n".join(text_of(app))
        assert "resolved" not in "\n".join(text_of(app))
        app.door.do(Take(target="INC-1"), "take:1")
        await settled(pilot)
        assert "shows the past" in "\n".join(text_of(app))
    assert store.seq() == seq
    assert not session.live_path.exists()
    store.close()
