"""The secrets of webhooks on the command line, and what is told of those that were refused."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta

import pytest

from integrations import hook_secrets, secrets
from register.store import hooks, open_store
from tests.tui.cli_help import Cli, vendor_block


def test_the_secret_of_webhooks_is_another_one_and_two_count_while_it_is_changed(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    held: dict[str, str] = {}

    def name_of(vendor: str, kind: str) -> str:
        return f"{vendor}.{kind}" if kind else vendor

    def put(vendor: str, secret: str, env: object, kind: str = "") -> None:
        held[name_of(vendor, kind)] = secret

    monkeypatch.setattr(secrets, "store", put)
    monkeypatch.setattr(secrets, "look", lambda vendor, env, kind="": held.get(name_of(vendor, kind)))
    monkeypatch.setattr(
        secrets, "forget", lambda vendor, env, kind="": held.pop(name_of(vendor, kind), None) is not None
    )
    cli.vendors(vendor_block())
    short = cli("vendors", "login", "practice", "--webhook", stdin=b"guess me\n")
    assert (short.code, held) == (2, {})
    first = cli("vendors", "login", "practice", "--webhook", stdin=b"the-first-of-the-secrets\n")
    assert (first.code, held) == (0, {"practice.webhook": "the-first-of-the-secrets"})
    assert "/hooks/practice" in first.out
    told = cli.json("vendors", "login", "practice", "--webhook", stdin=b"the-second-of-the-secrets\n")
    assert held["practice.webhook"] == "the-second-of-the-secrets"
    now = datetime.fromisoformat(told["before_counts_until"])
    until, _, before = held["practice.webhook-before"].partition(" ")
    assert (abs(datetime.fromisoformat(until) - now) < timedelta(seconds=1), before) == (
        True,
        "the-first-of-the-secrets",
    )
    now = datetime.fromisoformat(until)
    both = ("the-second-of-the-secrets", "the-first-of-the-secrets")
    assert hook_secrets.secrets_of("practice", {}, now - timedelta(seconds=1)) == both
    assert hook_secrets.secrets_of("practice", {}, now) == both[:1]
    assert "the-" not in first.out + first.err + json.dumps(told)
    assert cli.json("vendors", "logout", "practice", "--webhook")["forgotten"]
    assert held == {}


def test_refused_webhooks_are_told_in_the_list(cli: Cli) -> None:
    cli.vendors(vendor_block())
    cli("vendors", "list")
    store = open_store(str(cli.home / "r.db"))
    hooks.refused(store, "practice", datetime.now(UTC), "signature wrong", 3)
    store.close()
    told = " ".join(cli("vendors", "list").out.split())
    assert re.search(r"webhook refused: signature wrong, since \d\d:\d\d", told)
    (one,) = cli.json("vendors", "list")
    assert (one["webhooks_refused"], one["webhooks_refused_why"]) == (3, "signature wrong")


def test_a_wrong_address_is_told_and_nothing_starts(cli: Cli) -> None:
    cli.vendors(vendor_block())
    assert cli("serve", "--webhooks", "8790").code == 2
