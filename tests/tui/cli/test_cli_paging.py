"""`muster page`, and what of paging stands in the outbox, in doctor, in erase and in an incident's story."""

from __future__ import annotations

import getpass
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import keyring as keyring_library
import pytest
from keyring.backends import fail

from integrations import secrets
from register.core import Principal, Role
from register.store import open_store, pages
from register.topics.paging import MissPage, Tried
from register.watch import tick
from tests.integrations.page_kit import Arrivals, arrivals
from tests.tui.cli_help import Cli, vendor_block

ME = getpass.getuser()
MATRIX = f"""fallback_team = "desk"
[teams.desk]
name = "Desk"
[people.myself]
name = "Ana Sample"
login = "{ME}"
role = "admin"
teams = ["desk"]
reach = ["sms", "mail"]
[people.eva]
name = "Eva Sample"
login = "eva"
teams = ["desk"]
"""


@pytest.fixture
def keyring(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """A keyring that lives as long as the test."""
    held: dict[str, str] = {}

    monkeypatch.setattr(secrets, "store", lambda name, secret: held.__setitem__(name, secret))
    monkeypatch.setattr(secrets, "look", lambda name, env: held.get(name))
    monkeypatch.setattr(secrets, "forget", lambda name: held.pop(name, None) is not None)
    return held


@pytest.fixture
def paged(cli: Cli, keyring: dict[str, str]) -> Cli:
    (cli.home / "matrix.toml").write_text(MATRIX)
    cli.vendors(vendor_block())
    return cli


@pytest.fixture
def receiver() -> Iterator[Arrivals]:
    with arrivals() as made:
        yield made


def test_an_address_is_stored_tried_and_taken_out(
    paged: Cli, keyring: dict[str, str], receiver: Arrivals
) -> None:
    ran = paged("page", "login", "me", "sms", stdin=f"{receiver.url}/x?token=hunter2\n".encode())
    assert (ran.code, "hunter2" in ran.out) == (0, False)
    assert "muster page test myself" in ran.out
    assert keyring == {"page.myself.sms": f"{receiver.url}/x?token=hunter2"}
    ran = paged("page", "test", "me")
    assert ran.code == 6
    assert "✓ sms: delivered" in ran.out
    assert "✗ mail: failed: its address is not stored here: `muster page login myself mail`" in ran.out
    assert [got["title"] for got in receiver.got] == ["Muster: test page for Ana Sample"]
    assert paged.json("page", "logout", "me", "sms")["forgotten"] is True
    assert keyring == {}


@pytest.mark.parametrize(
    ("line", "stdin", "code", "told"),
    [
        (("login", "nobody", "sms"), b"x", 4, "no [people.nobody]"),
        (("login", "myself", "fax"), b"x", 4, "put it into `reach` of [people.myself]"),
        (("login", "myself", "sms"), b"json://example.com/hunter2", 2, "write jsons://"),
        (("login", "myself", "sms"), b"hunter2", 2, "no address"),
        (("test", "eva"), b"", 4, "eva has no `reach`"),
        (("login", "myself", "sms"), b" \n", 2, "The address is empty. Nothing was stored."),
        (("logout", "../x", "sms"), b"", 2, "no name of matrix.toml"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_stored(
    paged: Cli, keyring: dict[str, str], line: tuple[str, ...], stdin: bytes, code: int, told: str
) -> None:
    ran = paged("page", *line, stdin=stdin)
    assert (ran.code, told in ran.err) == (code, True), ran.err
    assert "hunter2" not in ran.out + ran.err
    assert keyring == {}


def _to_page(cli: Cli) -> tuple[str, str]:
    """A P1 whose supplier has not confirmed, three minutes on: (number, the page)."""
    number = cli.json("log", "Checkout answers 500", "--impact", "high", "--urgency", "high")["number"]
    cli.json("engage", number, "practice", "The database is down.")
    store = open_store(str(cli.home / "r.db"))
    from register.desk import ServiceDesk

    later = datetime.now(UTC) + timedelta(minutes=3)
    tick(ServiceDesk(store, clock=lambda: later), later)
    (row,) = pages.unfinished(store)
    store.close()
    return number, row.row_id


def _fail(cli: Cli, row_id: str) -> None:
    from register.desk import ServiceDesk

    store, now = open_store(str(cli.home / "r.db")), datetime.now(UTC) + timedelta(minutes=3)
    far = now + timedelta(seconds=60)
    pages.claim(store, "w1", now, far, far, now, 9, 9, {})
    tried = (Tried(channel="sms", ok=False, why="the service answered 401"),)
    miss = MissPage(row_id=row_id, tries=1, tried=tried, why="nobody was reached")
    ServiceDesk(store).do(Principal("muster", Role.ENGINE, "pager"), miss)
    store.close()


def test_a_page_stands_in_the_outbox_and_reaches_nobody_loudly(paged: Cli, keyring: dict[str, str]) -> None:
    number, row_id = _to_page(paged)
    create, page = paged.json("outbox", "list")
    assert (create["what"], create["person"], page["vendor"]) == ("create", "", "")
    assert (page["row_id"], page["what"], page["person"]) == (row_id, "page", ME)
    assert (page["number"], page["state"]) == (number, "queued")
    (practice,) = paged.json("vendors", "list")
    assert (practice["unsent"], practice["dead"]) == (1, 0)
    _fail(paged, row_id)
    assert "nobody was reached; sms: the service answered 401" in paged("outbox", "list").out
    told = paged("show", number).out
    assert f"COULD NOT PAGE {ME} by sms (failed)" in told
    assert "sms: the service answered 401" in told
    doctor = paged("doctor").out
    assert f"✗ pages: 1 reached nobody: {number}" in doctor
    assert "✗ pages: myself cannot be paged by sms from here" in doctor
    paged.json("outbox", "retry", row_id)
    assert [one["state"] for one in paged.json("outbox", "list") if one["what"] == "page"] == ["queued"]


def test_who_is_erased_is_named_with_the_addresses_to_take_out(paged: Cli) -> None:
    _to_page(paged)
    found = paged.json("erase", ME, "--reason", "they left")
    assert found["channels"] == [
        {"person": "myself", "channel": "sms"},
        {"person": "myself", "channel": "mail"},
    ]
    number = paged.json("log", "Another")["number"]
    assert number == "INC-2"


def test_without_the_key_of_the_encrypted_file_that_is_what_is_told(cli: Cli) -> None:
    (cli.home / "matrix.toml").write_text(MATRIX)
    cli.json("log", "x")
    backend = keyring_library.get_keyring()
    keyring_library.set_keyring(fail.Keyring())
    try:
        without = " ".join(cli("doctor").out.split())
        (cli.home / "credentials.sealed").write_text("{}")
        ran, doctor = cli("page", "test", "me"), " ".join(cli("doctor").out.split())
        out = cli("page", "logout", "myself", "sms").err
    finally:
        keyring_library.set_keyring(backend)
    assert "✗ keyring: none: No keyring is here" in without.replace(" → ", ": ")
    assert (ran.code, "not stored" in ran.err + doctor) == (6, False), ran.err + doctor
    for told in (ran.err, doctor, out):
        assert f"The key of {cli.home / 'credentials.sealed'} is not here" in told
        assert "MUSTER_KEY_FD=3" in told
    assert "✗ keyring: none" in doctor
    assert ("Nothing was taken out" in out, "page login" in out) == (True, False), out


def test_doctor_says_whether_anybody_is_paged(paged: Cli, keyring: dict[str, str]) -> None:
    paged.json("log", "x")
    keyring |= {"page.myself.sms": "json://127.0.0.1:9/x", "page.myself.mail": "json://example.com/hunter2"}
    doctor = paged("doctor").out
    assert "✗ pages: myself cannot be paged by mail from here: json:// would send it unencrypted" in doctor
    assert "hunter2" not in doctor
    keyring["page.myself.mail"] = "jsons://example.com/hunter2"
    assert "✓ pages: 1 can be paged from here" in paged("doctor").out
    paged.monkeypatch.setattr(secrets, "asks", lambda: True)
    keyring.clear()
    assert "✓ pages: 1 have a `reach`; whether their addresses are here" in paged("doctor").out
    (paged.home / "matrix.toml").write_text(MATRIX.replace('reach = ["sms", "mail"]\n', ""))
    paged.json("log", "y")
    assert "✓ pages: nobody is paged" in paged("doctor").out


POLICY = """
[[policies.usual.steps]]
to = ["oncall", "lead"]
wait = "5m"
"""


def test_doctor_names_whom_an_escalation_tells_and_nothing_pages(paged: Cli, keyring: dict[str, str]) -> None:
    """Also before anything is adopted: that is when it is set up."""
    matrix = MATRIX.replace('fallback_team = "desk"\n', 'fallback_team = "desk"\ndefault_policy = "usual"\n')
    matrix = matrix.replace('name = "Desk"\n', 'name = "Desk"\nlead = "eva"\nauthority = ["vic"]\n')
    more = '[people.vic]\nname = "Vic"\nlogin = "vic"\n'
    (paged.home / "matrix.toml").write_text(matrix + more + POLICY)
    keyring |= {f"page.myself.{channel}": "jsons://example.com/x" for channel in ("sms", "mail")}
    for _ in range(2):
        doctor = paged("doctor").out
        told = "eva (leads teams.desk), vic (of what teams.desk leaves unanswered)"
        assert f"✗ pages: nothing pages {told}: an escalation tells them on the board alone" in doctor
        assert "muster page login eva sms" in doctor
        paged.json("log", "x")
    silent = matrix.replace('reach = ["sms", "mail"]\n', "")
    (paged.home / "matrix.toml").write_text(silent + more + POLICY)
    paged.json("log", "y")
    doctor = paged("doctor").out
    assert "✓ pages: nobody is paged" in doctor
    assert "escalations tell people on the board alone" in doctor


def test_who_is_in_no_matrix_is_told_what_to_write(cli: Cli) -> None:
    ran = cli("page", "test", "me")
    assert ran.code == 4
    assert f'with name = "…", login = "{ME}" and reach = ["sms"] to {cli.home / "matrix.toml"}' in ran.err
