"""`muster page key` and `muster page replies`, and what doctor and the story say of answering pages."""

from __future__ import annotations

import getpass
from datetime import UTC, datetime, timedelta

import pytest

from integrations import secrets
from integrations.acks.key import look as key_of
from integrations.acks.tokens import fingerprint
from register.core import Principal, Role
from register.desk import ServiceDesk
from register.store import open_store
from register.store.ack_links import AckLink, put
from register.topics.notes import Note
from register.topics.ownership import Acknowledge
from tests.tui.cli_help import Cli

ME = getpass.getuser()
MATRIX = f"""fallback_team = "desk"
[teams.desk]
name = "Desk"
[people.myself]
name = "Ana Sample"
login = "{ME}"
role = "admin"
teams = ["desk"]
reach = ["mail"]
"""
PAGES = """[pages]
link = "https://muster.example.net"
[pages.replies]
imap = "imap://127.0.0.1:1"
user = "desk@muster.test"
"""
KEY = "0123456789abcdef0123456789abcdef"


@pytest.fixture
def keyring(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """A keyring that lives as long as the test."""
    held: dict[str, str] = {}
    monkeypatch.setattr(secrets, "store", lambda name, secret, env=None, kind="": held.update({name: secret}))
    monkeypatch.setattr(secrets, "look", lambda name, env=None, kind="": held.get(name))
    monkeypatch.setattr(secrets, "forget", lambda name: held.pop(name, None) is not None)
    return held


def doctor(cli: Cli) -> list[str]:
    return [line for line in cli("doctor").out.splitlines() if " page " in line or " page" in line[:7]]


def test_hosts_that_serve_together_share_a_key(cli: Cli, keyring: dict[str, str]) -> None:
    told = cli("page", "key").out
    assert "No key is here yet" in told
    assert "muster page key --store" in told
    assert cli("page", "key", "--store", stdin=b"short\n").code == 2
    ran = cli("page", "key", "--store", stdin=f"{KEY}\n".encode())
    assert ran.code == 0
    assert KEY not in ran.out
    known = fingerprint(KEY.encode())
    assert known in cli("page", "key").out
    assert cli.json("page", "key")["key"] == known


def test_without_a_mailbox_in_the_matrix_nothing_is_stored(cli: Cli, keyring: dict[str, str]) -> None:
    ran = cli("page", "replies", "login", stdin=b"secret-password\n")
    assert ran.code == 4
    assert "[pages.replies]" in ran.out + ran.err
    assert keyring == {}


def test_the_password_of_the_mailbox_is_stored_tried_and_taken_out(cli: Cli, keyring: dict[str, str]) -> None:
    (cli.home / "matrix.toml").write_text(MATRIX + PAGES)
    ran = cli("page", "replies", "login", stdin=b"secret-password\n")
    assert ran.code == 6  # nobody listens there
    assert "does not open: it cannot be reached" in ran.out
    assert "secret-password" not in ran.out
    assert keyring["page.replies"].strip() == "secret-password"
    assert cli("page", "replies", "check").code == 6
    assert cli.json("page", "replies", "logout")["forgotten"] is True
    assert "its password is not stored here" in cli("page", "replies", "check").out


def test_doctor_says_whether_pages_can_be_answered_from_here(cli: Cli, keyring: dict[str, str]) -> None:
    (cli.home / "matrix.toml").write_text(MATRIX)
    cli("log", "x", "--impact", "high", "--urgency", "high")
    assert not [line for line in doctor(cli) if "page links" in line or "page replies" in line]
    (cli.home / "matrix.toml").write_text(MATRIX + PAGES)
    cli("apply")
    told = "\n".join(doctor(cli))
    assert "✗ page replies: replies to pages cannot be read from here" in told
    assert "✓ page links: pages are acknowledged at https://muster.example.net/ack/…" in told
    keyring["page.replies"] = "secret-password"
    assert "✓ page replies" in "\n".join(doctor(cli))
    keyring["page.key"] = KEY
    held = key_of()
    assert held is not None
    _signed(cli, fingerprint(held))
    assert "✓ page links" in "\n".join(doctor(cli))
    _signed(cli, "another")
    assert "✗ page links: pages are signed with another key" in "\n".join(doctor(cli))


def _signed(cli: Cli, signer: str) -> None:
    """A page went out with a link that this key has signed."""
    now = datetime.now(UTC)
    store = open_store(str(cli.home / "r.db"))
    put(store, [AckLink(signer, "page", "INC-1", "p1", now, now + timedelta(days=1), None)], signer, now)
    store.close()


def test_the_story_says_by_which_door_somebody_answered(cli: Cli) -> None:
    cli("log", "x", "--impact", "high", "--urgency", "high")
    store = open_store(str(cli.home / "r.db"))
    desk = ServiceDesk(store)
    desk.do(Principal("ben", Role.RESPONDER, "mail"), Note(target="INC-1", text="I look"))
    desk.do(Principal("ben", Role.RESPONDER, "link"), Acknowledge(target="INC-1"))
    store.close()
    told = cli("show", "INC-1").out
    assert "ben: note (internal), by a reply to a page" in told
    assert "ben: acknowledged, by the link of a page" in told


def test_who_acknowledges_at_a_terminal_is_told_that_they_have_it(cli: Cli) -> None:
    for title in ("x", "y", "z"):
        cli("log", title, "--impact", "high", "--urgency", "high")
    assert "INC-1 is yours to look after: you have it." in cli("ack", "1").out
    store = open_store(str(cli.home / "r.db"))
    desk = ServiceDesk(store)
    desk.do(Principal("ben", Role.RESPONDER, "link"), Acknowledge(target="INC-2"))
    store.close()
    assert "Somebody else has acknowledged INC-2 before" in cli("ack", "2").out
    cli("cancel", "3", "no incident")
    assert "INC-3 is over" in cli("ack", "3").out
