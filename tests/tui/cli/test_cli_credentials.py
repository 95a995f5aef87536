"""What the doctor says of suppliers' credentials: those that are not here, and those that end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from integrations import secrets
from tests.tui.cli_help import Cli, vendor_block


def test_a_credential_that_is_not_here_is_told_by_doctor_and_its_day_forgotten_with_it(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    held: dict[str, str] = {}
    monkeypatch.setattr(secrets, "store", lambda name, secret: held.__setitem__(name, secret.strip()))
    monkeypatch.setattr(secrets, "resolve", lambda name: held[name])
    monkeypatch.setattr(secrets, "look", lambda name, env: held.get(name))
    monkeypatch.setattr(secrets, "forget", lambda name: held.pop(name, None) is not None)
    lacks = "✗ credential: practice: none is stored here → muster vendors login practice"
    soon = (datetime.now(UTC).astimezone().date() + timedelta(days=9)).isoformat()
    cli.vendors(vendor_block(auth="keyring"))
    assert lacks in cli("doctor").out
    cli("vendors", "login", "practice", "--expires", soon, stdin=b"right\n")
    ran = cli("doctor")
    assert f"✗ credential: practice: its credential ends on {soon}" in ran.out
    assert lacks not in ran.out
    assert cli.json("vendors", "logout", "practice")["forgotten"]
    ran = cli("doctor")
    assert (ran.out.count("✗ credential"), lacks in ran.out) == (1, True)
    assert "ends on" not in cli("vendors", "list").out
    cli.vendors(vendor_block(auth="none"))
    cli.json("vendors", "list")
    assert "credential:" not in cli("doctor").out
