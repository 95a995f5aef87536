"""vendors.toml: what is taken, what is refused, and where a person is sent to mend it."""

from __future__ import annotations

import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.addresses import is_loopback
from integrations.connector import Connector, Theirs
from integrations.errors import AuthFailed, AuthTrouble
from integrations.oauth.config import OAuth2
from integrations.practice.config import PracticeConfig
from integrations.practice.server import running_practice
from integrations.systems.practice import PracticeDesk
from integrations.urls import checked_base
from integrations.vendor import Block, ByHand
from integrations.vendors import (
    Vendor,
    VendorsFileError,
    VendorsFileMissing,
    connector_for,
    find_vendors_file,
    load_vendors,
    read_vendors,
    vendors_path,
)
from register.leaks import secret_key, secret_value
from register.toml_lines import key_lines, line_of
from tests.tui.cli_help import vendor_block

ACME = """\
[vendor.acme]
connector = "practice"
title = "ACME Support"
url = "https://support.acme.example/"
environment = "production"
"""
LOOPBACK = ACME.replace("https://support.acme.example/", "http://127.0.0.1:1")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return vendors_path(tmp_path)


def load(file: Path, text: str) -> dict[str, Vendor]:
    file.write_text(text, "utf-8")
    return load_vendors(file)


def faults(file: Path, text: str) -> tuple[str, ...]:
    with pytest.raises(VendorsFileError) as error:
        load(file, text)
    assert str(error.value) == "\n".join(error.value.faults)
    assert all(fault.endswith(".") and fault.isprintable() for fault in error.value.faults)
    return error.value.faults


# What is taken


def test_a_short_block_is_filled_in(file: Path) -> None:
    acme = load(file, ACME)["acme"]
    assert (acme.name, acme.title, acme.connector) == ("acme", "ACME Support", "practice")
    assert (acme.url, acme.production, acme.auth) == ("https://support.acme.example", True, "keyring")
    assert (acme.poll_seconds, acme.deadline_seconds, acme.max_in_flight) == (15, 30, 1)
    assert (acme.services, acme.phone, acme.on_resolved) == ((), "", "propose")
    assert acme.config == PracticeConfig()
    assert acme.info is PracticeDesk.info


def test_everything_can_be_said(file: Path) -> None:
    acme = load(
        file,
        LOOPBACK.replace("production", "test")
        + 'phone = "+49 30 1"\nauth = "none"\nservices = ["Webshop", "Mail"]\npoll_seconds = 2.5\n'
        'deadline_seconds = 10\nmax_in_flight = 4\non_resolved = "propose"\nqueue = "Network"\n'
        '[vendor.acme.states]\n"Needs customer" = "waits_for_us"\n[vendor.acme.priorities]\n1 = "Urgent"\n',
    )["acme"]
    assert (acme.production, acme.auth, acme.services) == (False, "none", ("Webshop", "Mail"))
    assert (acme.poll_seconds, acme.deadline_seconds, acme.max_in_flight) == (2.5, 10, 4)
    assert acme.config == PracticeConfig.model_validate(
        {"queue": "Network", "states": {"Needs customer": Theirs.WAITS_FOR_US}, "priorities": {1: "Urgent"}}
    )


def test_vendors_keep_their_order_and_an_empty_file_has_none(file: Path) -> None:
    assert list(load(file, ACME.replace("acme]", "zeta]") + ACME)) == ["zeta", "acme"]
    assert load(file, "") == {}
    assert load(file, "\ufeff" + ACME.replace("\n", "\r\n"))["acme"].title == "ACME Support"


# What is refused, and how it is told


@pytest.mark.parametrize(
    ("line", "place", "says"),
    [
        ('queu = "x"', "line 6, vendor.acme.queu:", "did you mean queue?"),
        ('poll_second = "x"', "line 6, vendor.acme.poll_second:", "did you mean poll_seconds?"),
        ("zzz = 1", "line 6, vendor.acme.zzz:", "is not a key of such a supplier. Take it out"),
        ('queue = ""', "line 6, vendor.acme.queue:", "is empty"),
        ("queue = 7", "line 6, vendor.acme.queue:", "text in quotes"),
        ('poll_seconds = "15"', "line 6, vendor.acme.poll_seconds:", "how often it is asked for news"),
        ("poll_seconds = 0", "line 6, vendor.acme.poll_seconds:", "greater than or equal to 1"),
        ("poll_seconds = nan", "line 6, vendor.acme.poll_seconds:", "a number that ends"),
        ("deadline_seconds = inf", "line 6, vendor.acme.deadline_seconds:", "a number that ends"),
        ("max_in_flight = true", "line 6, vendor.acme.max_in_flight:", "a whole number, without quotes"),
        ("max_in_flight = 17", "line 6, vendor.acme.max_in_flight:", "less than or equal to 16"),
        ('on_resolved = "close"', "line 6, vendor.acme.on_resolved:", "propose"),
        ('auth = "password"', "line 6, vendor.acme.auth:", "keyring"),
        ('auth = "none"', "line 6, vendor.acme.auth:", "for this machine alone"),
        ('services = "Webshop"', "line 6, vendor.acme.services:", 'list: ["one", "two"]'),
        ('services = ["Webshop", ""]', "line 6, vendor.acme.services:", "is empty"),
        ('states = { Open = "newish" }', "line 6, vendor.acme.states.Open:", "waits_for_us"),
        ('[vendor.acme.states]\nOpen = "newish"', "line 7, vendor.acme.states.Open:", "waits_for_us"),
        ('[vendor.acme.priorities]\n9 = "Low"', "line 7, vendor.acme.priorities.9:", "1, 2, 3, 4 or 5"),
        ("\n# more\n[vendr]", "line 8, vendr:", "did you mean vendor?"),
        ("[other]", "line 6, other:", "is not known here"),
        ("[vendor.Acme]", "line 6, vendor.Acme:", "lower-case letters"),
        ('[vendor."a b"]', "line 6, vendor.a b:", "lower-case letters"),
        ("[vendor]\nx = 1", "line 7, vendor.x:", "must be a block: write [vendor.x]"),
    ],
)
def test_a_fault_is_told_with_its_place_and_what_to_do(file: Path, line: str, place: str, says: str) -> None:
    text = f"{ACME}{line}\n"
    (fault,) = faults(file, text)
    assert fault.startswith(f"vendors.toml {place} ")
    assert says in fault


@pytest.mark.parametrize("key", ["connector", "title", "url", "environment"])
def test_what_must_be_said_is_asked_for(file: Path, key: str) -> None:
    text = "".join(row + "\n" for row in ACME.splitlines() if not row.startswith(key))
    (fault,) = faults(file, text)
    assert fault.startswith(f"vendors.toml line 1, vendor.acme.{key}: is missing: add it (")


def test_production_or_test_is_never_taken_for_granted(file: Path) -> None:
    (fault,) = faults(file, ACME.replace('"production"', '"prod"'))
    assert fault.startswith("vendors.toml line 5, vendor.acme.environment: ")
    assert "must be 'production' or 'test'" in fault


def test_all_faults_of_a_file_are_told_in_the_order_of_its_lines(file: Path) -> None:
    bad = (
        ACME.replace('"practice"', '"practise"')
        + ACME.replace("acme", "zeta")
        + 'queu = "x"\npoll_seconds = 0\n'
    )
    assert [fault.split(":")[0] for fault in faults(file, bad)] == [
        "vendors.toml line 2, vendor.acme.connector",
        "vendors.toml line 11, vendor.zeta.queu",
        "vendors.toml line 12, vendor.zeta.poll_seconds",
    ]
    assert "did you mean practice?" in faults(file, bad)[0]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[vendor.acme\n", "line 1: this is not TOML"),
        ("\n\nx = \n", "line 3: this is not TOML"),
        (ACME + 'title = "again"\n', "line 6: vendor.acme.title stands twice."),
        (ACME + "[vendor.acme]\n", "line 6: vendor.acme stands twice."),
        ('[[x]]\na = 1\n[[x]]\na = 1\n[x.b]\nc = """\n"""\nc = 1\n', "line 8: x.1.b.c stands twice."),
        ("x = { a = 1, a = 2 }\n", "line 1: this is not TOML"),
        ("x = \x1b[31m\n", "line 1: this is not TOML"),
        ('x = """\n', "this is not TOML"),
    ],
)
def test_broken_toml_is_told_by_line(file: Path, text: str, says: str) -> None:
    (fault,) = faults(file, text)
    assert fault.startswith("vendors.toml")
    assert says in fault


def test_a_file_that_is_no_text_or_too_large_or_not_there(file: Path, tmp_path: Path) -> None:
    file.write_bytes(b"# ok\n# caf\xe9\n")
    with pytest.raises(VendorsFileError, match="line 2: this is not UTF-8"):
        load_vendors(file)
    file.write_bytes(b"#" * 1_000_001)
    with pytest.raises(VendorsFileError, match="1,000,001 bytes"):
        load_vendors(file)
    with pytest.raises(VendorsFileError, match="cannot be read"):
        load_vendors(tmp_path)
    with pytest.raises(VendorsFileMissing, match="MUSTER_HOME"):
        load_vendors(tmp_path / "gone" / "vendors.toml")


# Credentials do not stand in files

RT_TOKEN = "1-14-" + "d1f5e0a7" * 4


@pytest.mark.parametrize(
    ("line", "key"),
    [
        (f'token = "{RT_TOKEN}"', "token"),
        ('password = "hunter22"', "password"),
        ('api_key = "hunter22"', "api_key"),
        ('apiKey = "hunter22"', "apiKey"),
        ('clientSecret = "hunter22"', "clientSecret"),
        ("secret = 12345678", "secret"),
        ('headers = { Authorization = "hunter22" }', "headers.Authorization"),
        (f'queue = "{RT_TOKEN}"', "queue"),
        ('queue = "Bearer hunter22hunter22"', "queue"),
        ('phone = "token hunter22"', "phone"),
        ('services = ["ok", "ghp_hunter22hunter22"]', "services"),
        ('states = { "eyJhunter22hunter22" = "new", Open = "glpat-hunter22" }', "states.Open"),
    ],
)
def test_a_credential_is_refused_and_never_repeated(file: Path, line: str, key: str) -> None:
    told = faults(file, ACME + line + "\n")
    (fault,) = told
    assert fault.startswith(f"vendors.toml line 6, vendor.acme.{key}: looks like a credential")
    assert "muster vendors login acme" in fault
    assert "hunter22" not in fault
    assert RT_TOKEN not in fault


@pytest.mark.parametrize("user", ["joe:hunter22@", "hunter22@", ":hunter22@"])
def test_an_address_with_a_credential_in_it_is_refused(file: Path, user: str) -> None:
    (fault,) = faults(file, ACME.replace("https://", f"https://{user}"))
    assert fault.startswith("vendors.toml line 4, vendor.acme.url: looks like a credential")
    assert "hunter22" not in fault


@pytest.mark.parametrize(
    "harmless",
    [
        "auth",
        "title",
        "queue",
        "reference_field",
        "on_resolved",
        "max_in_flight",
        "path",
        "pattern",
        "secretary",
        "compass",
        "tokenizer",
    ],
)
def test_a_harmless_key_is_none(harmless: str) -> None:
    assert not secret_key(harmless)


@pytest.mark.parametrize(
    "harmless",
    [
        "Support",
        "https://support.acme.example/rt",
        "customer-support-emea-level-2-tickets-open",
        "0b2c3d4e-5f60-7182-93a4-b5c6d7e8f901",
        "Waiting for token",
        "+49 30 1234567",
        "desk@acme.example",
        "CF.{External Reference}",
        "Order 4711 of 2030-01-01",
    ],
)
def test_a_harmless_value_is_none(harmless: str) -> None:
    assert not secret_value(harmless)


# Addresses


STRICTER = ("https://acme.example:99999", "https://acme.example\\@evil.example", "https://ac me.example")


@pytest.mark.parametrize(
    "url",
    [
        "https://support.acme.example",
        "https://support.acme.example:8443/rt/",
        "http://127.0.0.1:8377",
        "http://localhost/rt",
        "http://[::1]:80",
        "http://127.8.9.1",
        "http://support.acme.example",
        "http://127.0.0.1.acme.example",
        "http://localhost.acme.example",
        "http://10.0.0.1",
        "http://0.0.0.0",
        "ftp://support.acme.example",
        "support.acme.example",
        "https://",
        "https:///x",
        "",
        "https://acme.example?q=1",
        "https://acme.example/#x",
        "https://acme.example:99999",
        "https://acme.example:x",
        "https://ac me.example",
        "https://acme.example\\@evil.example",
        "file:///etc/passwd",
    ],
)
def test_addresses_are_judged_as_the_client_will_judge_them(url: str) -> None:
    """Two judges, for one needs an HTTP library: what the file lets pass, the client takes too."""
    given = {"connector": "practice", "title": "x", "url": url, "environment": "test"}
    try:
        block = Block.model_validate(given)
    except ValueError:
        block = None
    try:
        base = checked_base(url)
    except ValueError:
        base = None
    if block is not None:
        assert base is not None
        assert is_loopback(block.url) or block.url.startswith("https://")
    elif base is not None:
        assert url in STRICTER


def test_unencrypted_addresses_are_for_this_machine_alone(file: Path) -> None:
    (fault,) = faults(file, ACME.replace("https", "http"))
    assert fault.startswith(
        "vendors.toml line 4, vendor.acme.url: would send everything to support.acme.example"
    )
    assert "write it with https://" in fault
    assert load(file, LOOPBACK)["acme"].url == "http://127.0.0.1:1"


# Which file


def test_the_home_is_looked_at_first_and_the_sample_last(tmp_path: Path) -> None:
    env = {"MUSTER_HOME": str(tmp_path)}
    sample = find_vendors_file(env)
    assert tmp_path not in sample.parents
    assert list(load_vendors(sample)) == ["practice"]
    vendors_path(tmp_path).write_text(ACME)
    assert find_vendors_file(env) == tmp_path / "vendors.toml"


def test_without_a_home_it_is_the_users_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    (tmp_path / "muster").mkdir()
    (tmp_path / "muster" / "vendors.toml").write_text(ACME)
    assert find_vendors_file({}) == tmp_path / "muster" / "vendors.toml"


def test_the_sample_explains_every_key_and_its_commented_blocks_are_right(file: Path) -> None:
    sample = find_vendors_file({"MUSTER_HOME": "/nonexistent"}).read_text()
    for key in Block.model_fields.keys() - {"oauth2"}:
        assert f"\n{key} = " in sample, f"{key} is not explained"
    tokens = sample.partition("# [vendor.practice.oauth2]")[2].partition("\n\n")[0].replace("\n# ", "\n")
    for key in OAuth2.model_fields:
        assert f"\n{key} = " in tokens, f"{key} is not explained"
    with_tokens = sample.replace('auth = "none"', 'auth = "oauth2"') + f"\n[vendor.practice.oauth2]{tokens}\n"
    assert load(file, with_tokens)["practice"].auth == "oauth2"
    practice = load(file, sample)["practice"]
    assert practice.config == PracticeConfig()
    assert (practice.production, practice.auth) == (False, "none")
    for name, kind in {"acme": "rt", "delta": "redmine", "kone": "email", "gamma": "rest"}.items():
        block, _, _ = sample.partition(f"# [vendor.{name}]")[2].partition("\n\n")
        commented = block.replace("\n# ", "\n")
        one = load(file, f"{sample}\n[vendor.{name}]{commented}\n")[name]
        assert (one.info.kind, one.production, one.auth) == (kind, True, "keyring")
        for key in one.info.config.model_fields:
            assert key in commented, f"{key} is not explained"


def test_the_sample_s_manual_block_is_right(file: Path) -> None:
    sample = find_vendors_file({"MUSTER_HOME": "/nonexistent"}).read_text()
    commented = sample.partition("# [vendor.cable-co]")[2].partition("\n\n")[0].replace("\n# ", "\n")
    cable = load(file, f"{sample}\n[vendor.cable-co]{commented}")["cable-co"]
    assert (cable.by_hand, cable.system_title) == (True, "portal, by hand")
    assert [contact.level for contact in cable.to_call] == [1, 2]
    for key in ByHand.model_fields:
        assert key in commented, f"{key} is not explained"


def test_nobody_is_reached_without_a_way(file: Path) -> None:
    block = '[vendor.cable-co]\nconnector = "manual"\ntitle = "Cable Co"\nenvironment = "production"\n'
    (fault,) = faults(file, block)
    assert "nobody would know how to reach it" in fault
    phone = load(file, block + 'phone = "+1 555 0199"\n')["cable-co"]
    assert (phone.system_title, str(phone.to_call[0])) == ("by phone", "1  Cable Co  +1 555 0199")
    (fault,) = faults(file, block + 'phone = "1"\n[[vendor.cable-co.contacts]]\nname = "Lena"\n')
    assert "neither phone nor mail" in fault
    (fault,) = faults(file, block + 'phone = "1"\nqueue = "Support"\n')
    assert "is not a key of such a supplier" in fault


def test_a_system_that_needs_a_credential_has_one_even_on_this_machine(file: Path) -> None:
    rt = LOOPBACK.replace("practice", "rt") + 'queue = "Muster"\nreference_field = "Ref"\nauth = "none"\n'
    (fault,) = faults(file, rt)
    assert fault.startswith("vendors.toml line 8, vendor.acme.auth: Request Tracker 5 needs a credential")
    assert "muster vendors login acme" in fault


async def test_the_path_of_a_systems_api_is_added_once(file: Path) -> None:
    for path in ("", "/", "/REST/2.0", "/REST/2.0/"):
        rt = LOOPBACK.replace("practice", "rt").replace(":1", f":1{path}")
        vendor = load(file, rt + 'queue = "Muster"\nreference_field = "Ref"\n')["acme"]
        connector = connector_for(vendor, lambda _: "secret-token")
        assert str(connector.http.base) == "http://127.0.0.1:1/REST/2.0"
        await connector.http.aclose()


# The connector


async def test_a_vendor_becomes_a_working_connector(file: Path) -> None:
    with running_practice(token="right-token") as supplier:
        text = LOOPBACK.replace("http://127.0.0.1:1", supplier.url)
        connector = connector_for(load(file, text)["acme"], {"acme": "right-token"}.__getitem__)
        contract: Connector = connector
        assert (await contract.check()).ok
        await connector.http.aclose()


async def test_without_auth_no_secret_is_asked_for(file: Path) -> None:
    def ask(name: str) -> str:
        raise AssertionError(name)

    with running_practice() as supplier:
        text = LOOPBACK.replace("http://127.0.0.1:1", supplier.url) + 'auth = "none"\n'
        connector = connector_for(load(file, text)["acme"], ask)
        assert (await connector.check()).ok
        await connector.http.aclose()


async def test_a_missing_secret_is_this_processs_lack(file: Path) -> None:
    def ask(name: str) -> str:
        raise AuthFailed(f"none for {name}", AuthTrouble.MISSING)

    with pytest.raises(AuthFailed, match="none for acme"):
        connector_for(load(file, LOOPBACK)["acme"], ask)


async def test_the_deadline_is_the_vendors_own(file: Path) -> None:
    connector = connector_for(
        load(file, LOOPBACK + "deadline_seconds = 3\n")["acme"], lambda _: "right-token"
    )
    assert (connector.http.limits.total, connector.http.limits.connect) == (3, 3)
    assert connector.http.name == "acme"
    await connector.http.aclose()


# Lines


TOML = '''\
# a = 1
a = 1
"b c" = 'x = 1'
d.e = """
f = 1
[g]
"""
h = [
  "i = 1", # ]
  [1, 2],
]
[j]
k = { l = 1 }
[j . "m.n"] # [o]
p = "[q]\\""
[[r]]
s = \'\'\'
t = 1\'\'\'
[[r]]
s = 2
'''


def test_keys_are_found_in_the_lines_where_they_stand() -> None:
    assert key_lines(TOML) == {
        ("a",): 2,
        ("b c",): 3,
        ("d", "e"): 4,
        ("h",): 8,
        ("j",): 12,
        ("j", "k"): 13,
        ("j", "m.n"): 14,
        ("j", "m.n", "p"): 15,
        ("r",): 16,
        ("r", "0"): 16,
        ("r", "0", "s"): 17,
        ("r", "1"): 19,
        ("r", "1", "s"): 20,
    }
    assert line_of(key_lines(TOML), ("j", "k", "l")) == 13
    assert line_of({}, ("x",)) == 1


@given(
    st.lists(
        st.sampled_from(
            ['"', "'", '"""', "'''", "\\", "#", "[", "]", "{", "}", "=", "\n", "a", ".", " ", "1"]
        )
    )
)
def test_any_text_that_is_toml_can_be_scanned(pieces: list[str]) -> None:
    import tomllib

    text = "".join(pieces)
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return
    heads = {path[0] for path in key_lines(text)}
    assert heads == set(tables)


def test_reading_vendors_brings_no_http_library() -> None:
    code = "import sys, integrations.vendors; print({'httpx', 'keyring', 'starlette'} & set(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout == "set()\n"


@pytest.mark.parametrize(
    ("day", "says"),
    [
        ("", ""),
        ("2027-02-15", ""),
        ("2027-02-14", "its credential ends on 2027-02-14, in 14 days"),
        ("2027-02-01", "its credential ends on 2027-02-01, in 1 day"),
        ("2027-01-31", "its credential ends on 2027-01-31, today"),
        ("2027-01-30", "its credential ended on 2027-01-30"),
    ],
)
def test_a_credential_that_ends_is_told_a_fortnight_before(day: str, says: str) -> None:
    known = read_vendors(vendor_block(**({"expires": day} if day else {})))
    assert known["practice"].ending(date(2027, 1, 31)) == says


@pytest.mark.parametrize("day", ["31.1.2027", "2027-02-30", "soon"])
def test_a_day_that_is_none_is_told(day: str) -> None:
    with pytest.raises(VendorsFileError, match="2027-01-31"):
        read_vendors(vendor_block(expires=day))
