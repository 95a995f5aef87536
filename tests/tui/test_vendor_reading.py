"""What the Vendors screen reads of a register: a pause, a wait, trouble, and what to do about each."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from register.core import Principal, Role
from register.desk import ServiceDesk
from register.store import Store, hooks, open_store
from register.store.vendors import Standing as Kept
from register.store.vendors import change_standing, heard_from
from register.topics.delivery import PauseVendor
from tui.session import Session
from tui.vendor_reading import read_standing
from tui.vendor_table import Health

COURIER = Principal("engine", Role.ENGINE, "courier")
VENDORS = """
[vendor.practice]
connector = "practice"
title = "Practice supplier"
url = "http://127.0.0.1:8377"
environment = "test"
auth = "none"
phone = "+1 555 0100"
"""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(f"sqlite:///{tmp_path}/r.db")
    yield opened
    opened.close()


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Session:
    home = tmp_path / "home"
    home.mkdir(exist_ok=True)
    (home / "vendors.toml").write_text(VENDORS)
    monkeypatch.chdir(home)
    return Session(f"sqlite:///{tmp_path}/r.db", home, "ana")


def test_health_is_the_worst_that_is_known(store: Store, session: Session) -> None:
    (one,), faults = read_standing(store, session)
    assert (one.health, faults) == (Health.UNUSED, ())
    assert "muster vendors check practice" in one.todo
    assert (one.production, one.system, one.call[0]) == (
        False,
        "Practice Desk",
        "1  Practice supplier  +1 555 0100",
    )
    now = datetime.now(UTC)
    heard_from(store, "practice", now, "")
    (one,), _ = read_standing(store, session)
    assert one.health is Health.UP
    assert one.heard == pytest.approx(now.timestamp(), abs=1)
    hooks.refused(store, "practice", now, "signature wrong", 3)
    (one,), _ = read_standing(store, session)
    assert (one.health, one.why) == (
        Health.TROUBLE,
        f"Webhook refused: signature wrong, since {now.astimezone():%H:%M}, 3 times.",
    )
    hooks.ring(store, "practice", now)
    assert read_standing(store, session)[0][0].health is Health.UP
    heard_from(store, "practice", now, "503 from practice")
    (one,), _ = read_standing(store, session)
    assert (one.health, one.why) == (Health.TROUBLE, "503 from practice")
    until = now + timedelta(hours=1)
    change_standing(store, "practice", lambda _: Kept(failures=5, not_before=until, why="five tries failed"))
    (one,), _ = read_standing(store, session)
    assert (one.health, one.why) == (Health.WAITS, "five tries failed")
    assert one.until == pytest.approx(until.timestamp(), abs=1)
    change_standing(
        store, "practice", lambda _: Kept(failures=5, not_before=now - timedelta(hours=1), why="over")
    )
    (one,), _ = read_standing(store, session)
    assert one.health is Health.TROUBLE
    ServiceDesk(store).do(COURIER, PauseVendor(vendor="practice", why="401: token refused"))
    (one,), _ = read_standing(store, session)
    assert (one.health, one.why) == (Health.PAUSED, "401: token refused")
    assert "muster vendors login practice" in one.todo
