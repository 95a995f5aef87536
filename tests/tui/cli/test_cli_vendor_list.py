"""What `muster vendors list` says of suppliers, and which last days of a credential are taken."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from integrations import secrets
from register.store import open_store
from register.store.vendors import heard_from
from tests.tui.cli_help import Cli, vendor_block


@pytest.fixture
def keyring(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """A keyring that lives as long as the test."""
    held: dict[str, str] = {}
    monkeypatch.setattr(secrets, "store", lambda name, secret, **kind: held.__setitem__(name, secret.strip()))
    monkeypatch.setattr(secrets, "resolve", lambda name: held[name])
    return held


def standing(cli: Cli) -> str:
    return str(cli.json("vendors", "list")[0]["standing"])


@pytest.mark.usefixtures("keyring")
def test_a_supplier_that_was_only_checked_is_not_used_yet(cli: Cli) -> None:
    cli.vendors(vendor_block(auth="keyring"))
    assert cli("vendors", "login", "practice", stdin=b"a token\n").code == 6, "nobody answers there"
    assert standing(cli) == "not used yet"
    store = open_store(str(cli.home / "r.db"))
    heard_from(store, "practice", datetime.now(UTC), "")
    store.close()
    assert standing(cli) == "ok, 0 open"


def test_one_that_was_sent_to_is_used(cli: Cli) -> None:
    cli.vendors(vendor_block())
    cli("log", "Mail is late")
    cli.json("engage", "1", "practice", "No mail since noon.")
    assert standing(cli) == "1 to send"
    cli.json("outbox", "drop", cli.json("outbox", "list")[0]["row_id"])
    assert standing(cli).startswith("ok, ")


def test_what_is_cut_in_the_table_stands_below_it_in_full(cli: Cli) -> None:
    cli.vendors(vendor_block(expires="2020-01-31", title="Practice of the long name of all"))
    told = cli("vendors", "list").out
    assert "\npractice, standing: not used yet; its credential ended on 2020-01-31\n" in told
    assert "\npractice, title: Practice of the long name of all\n" in told
    assert "phone:" not in told


def test_a_last_day_that_is_over_is_refused(cli: Cli, keyring: dict[str, str]) -> None:
    cli.vendors(vendor_block(auth="keyring"))
    today = datetime.now(UTC).astimezone().date()
    over = (today - timedelta(days=1)).isoformat()
    ran = cli("vendors", "login", "practice", "--expires", over, stdin=b"a token\n")
    assert (ran.code, keyring) == (2, {})
    assert f"{over} is over" in ran.err
    assert cli("vendors", "login", "practice", "--expires", "2999-12-31", stdin=b"a token\n").code == 6
    assert keyring == {"practice": "a token"}


@pytest.mark.parametrize(
    ("pair", "says"),
    [
        (("--webhook", "--expires", "2999-12-31"), "--expires is the last day of the credential"),
        (("--pin", "support_pin", "--expires", "2999-12-31"), "leave it out with --pin"),
        (("--webhook", "--pin", "support_pin"), "two secrets"),
    ],
)
def test_options_of_login_that_do_not_go_together_are_refused(
    cli: Cli, keyring: dict[str, str], pair: tuple[str, ...], says: str
) -> None:
    cli.vendors(vendor_block(auth="keyring"))
    ran = cli("vendors", "login", "practice", *pair, stdin=b"a secret that is long enough\n")
    assert (ran.code, keyring) == (2, {})
    assert says in " ".join(ran.err.split())


def test_a_level_is_that_of_the_api_it_is_spoken_to_by(cli: Cli) -> None:
    block = '[vendor.{0}]\nconnector = "pagerduty"\ntitle = "{0}"\nurl = "https://pd.example"\n{1}\n'
    keys = {"whole": 'service = "PWIXJZS"\nuser = "us@desk.example"', "one_way": 'api = "events"'}
    cli.vendors("".join(block.format(name, f'environment = "test"\n{more}') for name, more in keys.items()))
    levels = {one["name"]: one["level"] for one in cli.json("vendors", "list")}
    assert levels == {"whole": "gold", "one_way": "not measured"}


def test_what_waits_for_a_credential_that_is_not_here_says_so(cli: Cli) -> None:
    cli.vendors(vendor_block())
    cli("log", "Mail is late")
    cli.json("engage", "1", "practice", "No mail since noon.")
    why = "No keyring is here to hold credentials."
    store = open_store(str(cli.home / "r.db"))
    heard_from(store, "practice", datetime.now(UTC), why)
    store.close()
    waits = (
        f"It waits: practice is in trouble: {why[:-1]} → `muster vendors check practice` asks it from here"
    )
    assert waits in cli("reply", "1", "And none since one.").out
    assert (
        f"\npractice is in trouble: {why[:-1]} → `muster vendors check practice`"
        in cli("vendors", "list").out
    )
    behind = "behind an earlier one to the same ticket"
    assert [one["why"] for one in cli.json("outbox", "list")] == [why, behind]
    assert [one["why"] for one in cli.json("outbox", "list", "--all")] == [behind, why]
    assert f"queued  0      {why}\n" in cli("outbox", "list").out
    cli.json("outbox", "drop", cli.json("outbox", "list")[1]["row_id"])
    assert [one["why"] for one in cli.json("outbox", "list", "--all")][1] == why


def test_doctor_tells_of_a_supplier_in_trouble_for_which_something_waits(cli: Cli) -> None:
    cli.vendors(vendor_block())
    cli("log", "Mail is late")
    assert cli.json("note", "1", "Mail it is.")["remarks"] == []
    assert cli.json("engage", "1", "practice", "No mail since noon.")["remarks"] == []
    assert "supplier:" not in cli("doctor").out
    store = open_store(str(cli.home / "r.db"))
    heard_from(store, "practice", datetime.now(UTC), "It does not answer.")
    store.close()
    ran = cli("doctor")
    told = "supplier: practice is in trouble: It does not answer (1 to send, 1 open) → `muster vendors check"
    assert (ran.code, f"✗ {told} practice`" in ran.out) == (1, True), ran.out
    assert cli.json("vendors", "pause", "practice", "They move.")
    ran = cli("doctor")
    told = "✓ supplier: practice is held back by a person: They move. Nothing is sent to it; nothing is lost"
    assert (ran.code, f"{told} (1 to send, 1 open) → `muster vendors unpause" in ran.out) == (0, True), (
        ran.out
    )
    assert "held back by a person: They move." in cli.json("reply", "1", "Any news?")["remarks"][0]
