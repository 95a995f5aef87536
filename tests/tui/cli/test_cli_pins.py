"""The secret part of an entitlement on the command line: stored, told of, and never shown."""

from __future__ import annotations

import pytest

from integrations import secrets
from tests.tui.cli_help import Cli, vendor_block


def test_a_support_pin_is_stored_told_of_before_sending_and_shown_nowhere(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    held: dict[str, str] = {}

    def put(vendor: str, secret: str, env: object = None, kind: str = "") -> None:
        held[vendor + kind] = secret.strip()

    monkeypatch.setattr(secrets, "store", put)
    monkeypatch.setattr(secrets, "look", lambda vendor, env=None, kind="": held.get(vendor + kind))
    monkeypatch.setattr(
        secrets, "forget", lambda vendor, env=None, kind="": held.pop(vendor + kind, None) is not None
    )
    first, _, rest = vendor_block().partition("\n")
    cli.vendors(f'{first}\nentitlement_secret = ["support_pin"]\n{rest}')
    cli("log", "db down")
    engage = ("engage", "1", "practice", "please look", "--dry-run")
    assert "support_pin  ✗ not in the keyring here: muster vendors login practice --pin support_pin" in (
        cli(*engage).out
    )
    wrong = cli("vendors", "login", "practice", "--pin", "code", stdin=b"8842-kestrel\n")
    assert (wrong.code, held) == (2, {})
    assert "code is not in entitlement_secret of practice (there: support_pin)" in wrong.err
    stored = cli("vendors", "login", "practice", "--pin", "support_pin", stdin=b"8842-kestrel\n")
    assert (stored.code, held) == (0, {"practicepin-support_pin": "8842-kestrel"})
    told = cli(*engage)
    assert "support_pin  ✓ (keyring)" in told.out
    assert "Support pin: SECRET" in told.out
    assert "kestrel" not in stored.out + stored.err + told.out + told.err
    assert cli.json("vendors", "logout", "practice", "--pin", "support_pin")["forgotten"]
    assert held == {}
