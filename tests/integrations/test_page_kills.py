"""A real worker pages a real receiver, and is killed with SIGKILL before and after a page was sent."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from engine_kit import mortal, wait_for
from page_kit import DESK, arrivals, engage_urgently

from integrations.vendors import load_vendors, policy_of
from register.core import Principal, Role
from register.desk import ServiceDesk, kinds
from register.store import Store, pages
from register.verify import verify

pytestmark = pytest.mark.kills

ANA = Principal("ana", Role.COORDINATOR, "test")
MATRIX = f"""{DESK}
[people.ana]
name = "Ana Sample"
login = "ana"
role = "admin"
reach = ["sms"]
"""
VENDORS = """[vendor.acme]
connector = "manual"
title = "Acme (sample)"
environment = "test"
phone = "+47 22 00 00 00"
"""


@pytest.mark.parametrize(
    ("point", "times"),
    [("page sent", 2), pytest.param("page claimed", 1, marks=pytest.mark.chaos)],
    ids=["after it was sent", "before"],
)
def test_a_page_comes_rather_twice_than_not_at_all(
    point: str, times: int, own_store: Store, tmp_path: Path
) -> None:
    (tmp_path / "matrix.toml").write_text(MATRIX)
    (tmp_path / "vendors.toml").write_text(VENDORS)
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    policy = policy_of(load_vendors(tmp_path / "vendors.toml"))
    past = datetime.now(UTC) - timedelta(minutes=3)
    number, _ = engage_urgently(ServiceDesk(own_store, policy, lambda: past), ANA)
    register, env = str(own_store.path), {"CREDENTIALS_DIRECTORY": str(secrets)}
    with arrivals() as receiver:
        (secrets / "muster-page.ana.sms").write_text(receiver.url)
        with mortal(register, tmp_path, die=(point, 1), settle=None, env=env) as worker:
            assert worker.wait(60) == -9
        assert [row.state for row in pages.unfinished(own_store)] == ["sending"]
        assert len(receiver.got) == times - 1
        with mortal(register, tmp_path, settle=None, env=env):
            wait_for(lambda: not pages.unfinished(own_store), 60, "an arrived page")
    assert len(receiver.got) == times
    assert "+47 22 00 00 00" in receiver.got[0]["message"]
    assert kinds(own_store.timeline(number))[-2:] == ["call_due", "notified"]
    assert verify(own_store).faults == []
