"""`muster oncall login`, and what doctor and the board say of rotas' calendars."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from integrations import secrets
from integrations.hand import Hand
from integrations.ics.keeping import Feeds
from register.desk import ServiceDesk
from register.store import feeds, open_store
from register.topics.feeds import FeedHeard
from tests.integrations.feed_kit import SECRET, Host, hosting
from tests.played.calendars import calendar, event
from tests.tui.cli_help import Cli
from tui.reading import alarm_of

MATRIX = """fallback_team = "desk"
[teams.desk]
name = "Desk"
rota = "ops"
[people.ana]
name = "Ana Sample"
login = "ana"
[rotas.ops]
feed = "keyring"
[rotas.web]
feed = "{open}"
[[rotas.own.shifts]]
people = "ana"
"""
URL = f"webcal://sample.example.com/private/{SECRET}/feed"


@pytest.fixture
def keyring(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    held: dict[str, str] = {}
    monkeypatch.setattr(secrets, "store", lambda name, secret: held.__setitem__(name, secret))
    monkeypatch.setattr(secrets, "look", lambda name, env: held.get(name))
    monkeypatch.setattr(secrets, "forget", lambda name: held.pop(name, None) is not None)
    return held


@pytest.fixture
def host() -> Iterator[Host]:
    with hosting() as made:
        now = datetime.now(UTC)
        made.body = calendar(
            event(f"{now:%Y%m%dT000000Z}", f"{now + timedelta(days=9):%Y%m%dT000000Z}")
        ).encode()
        yield made


@pytest.fixture
def fed(cli: Cli, keyring: dict[str, str], host: Host) -> Cli:
    (cli.home / "matrix.toml").write_text(MATRIX.format(open=host.open))
    return cli


def look(cli: Cli) -> str:
    """A worker's look at the calendars; return the board's alarm after it."""
    store = open_store(str(cli.home / "r.db"))
    hand = Hand(ServiceDesk(store))
    try:
        asyncio.run(Feeds(hand, {}, lambda said: None).look())
        return alarm_of(store)
    finally:
        hand.close()
        store.close()


def doctor(cli: Cli) -> list[dict[str, Any]]:
    return [one for one in cli("doctor", "--json").data["findings"] if one["name"] == "calendars"]


def test_the_address_of_a_calendar_is_stored_and_taken_out(fed: Cli, keyring: dict[str, str]) -> None:
    ran = fed("oncall", "login", "ops", stdin=f"{URL}\n".encode())
    assert (ran.code, SECRET in ran.out) == (0, False)
    assert keyring == {"rota.ops": URL.replace("webcal", "https")}
    assert "whoever runs `muster serve`" in " ".join(ran.out.split())
    assert fed.json("oncall", "logout", "ops") == {"rota": "ops", "forgotten": True}
    assert keyring == {}


@pytest.mark.parametrize(
    ("rota", "given", "code", "told"),
    [
        ("none", URL, 4, "There is no [rotas.none] in matrix.toml. Nothing was done. Known: ops, own, web."),
        ("web", URL, 4, 'names its calendar\'s address itself. Nothing was stored: write feed = "keyring"'),
        ("own", URL, 4, "has no calendar. Nothing was stored"),
        ("ops", "", 2, "What was given is no address"),
        ("ops", f"http://sample.example.com/{SECRET}", 2, "would be asked for unencrypted"),
        ("ops", f"https://ana:{SECRET}@sample.example.com/", 2, "has a name or password in it"),
    ],
)
def test_what_is_not_stored(
    fed: Cli, keyring: dict[str, str], rota: str, given: str, code: int, told: str
) -> None:
    ran = fed("oncall", "login", rota, stdin=given.encode())
    said = " ".join((ran.out + ran.err).split())
    assert (ran.code, SECRET in said) == (code, False)
    assert told in said
    assert keyring == {}


def test_doctor_and_the_board_tell_of_a_calendar_until_it_is_read(
    fed: Cli, keyring: dict[str, str], host: Host
) -> None:
    assert fed("apply").code == 0
    ops, web = doctor(fed)
    assert ops["says"] == "ops: nobody has asked for its calendar yet: nobody is on call by it"
    assert "muster serve" in ops["todo"]
    said = " ".join(fed("oncall").out.split())
    assert "‼ ops: nobody has asked for its calendar yet: nobody is on call by it." in said
    assert not web["ok"]
    assert look(fed) == "‼ CALENDAR OF ops IN TROUBLE: muster doctor"
    ops, web = doctor(fed)
    assert "The address of the calendar of ops is not stored where Muster serves." in ops["says"] + "."
    assert "`muster oncall login ops`" in ops["todo"]
    assert web["ok"]
    keyring["rota.ops"] = host.url
    fed("oncall", "login", "ops", stdin=host.url.encode())
    assert look(fed) == ""
    ops, web = doctor(fed)
    assert ops["ok"]
    assert ops["says"].startswith("ops: read ")


def test_a_calendar_that_is_gone_is_told_and_its_shifts_stay(
    fed: Cli, keyring: dict[str, str], host: Host
) -> None:
    keyring["rota.ops"] = host.url
    assert fed("apply").code == 0
    look(fed)
    host.status = 410
    store = open_store(str(fed.home / "r.db"))
    for rota in ("ops", "web"):
        feeds.ask_now(store, rota)
    assert look(fed) == "‼ 2 CALENDARS IN TROUBLE: muster doctor"
    ops, _ = doctor(fed)
    assert "The calendar of ops is gone: nothing is at its address any more." in ops["says"]
    assert "what it said holds, until" in ops["says"]
    kinds = [type(one.event) for one in store.timeline("duty")]
    assert kinds == [FeedHeard, FeedHeard]
    store.close()
