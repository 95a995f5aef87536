"""`muster vendors new`: a valid, commented block is added, nothing is written over, nothing half is left."""

from __future__ import annotations

import contextlib
import os
import pty
import select
import signal
import sys
from pathlib import Path

import pytest

from integrations.practice.server import running_practice
from integrations.vendor_block import KINDS
from integrations.vendors import load_vendors
from tests.tui.cli_help import Cli, fresh, vendor_block

OWN = {
    "aws_support": [
        *("--set", "service=amazon-elastic-compute-cloud-linux"),
        *("--set", "category=other"),
    ],
    "email": [
        *("--set", "smtp=smtps://mail.example"),
        *("--set", "imap=imaps://mail.example"),
        *("--set", "address=desk@mail.example"),
        *("--set", "to=help@kone.example"),
    ],
    "practice": [],
    "rt": ["--set", "queue=Muster", "--set", "reference_field=External Reference"],
    "redmine": ["--set", "project=muster", "--set", "reference_field=7"],
    "github": ["--set", "repository=acme/desk"],
    "gitlab": ["--set", "project=acme/desk"],
    "opsgenie": [],
    "statuspage": ["--set", "page=2vp47kp8vp10"],
    "freshservice": ["--set", "requester=muster@customer.example"],
    "zendesk": ["--set", "user=muster@customer.example"],
    "servicenow": ["--set", "user=muster.integration"],
    "zammad": ["--set", "group=Support", "--set", "reference_field=muster_ref"],
    "jira": ["--set", "project=OPS", "--set", "user=muster@customer.example"],
    "pagerduty": ["--set", "service=PWIXJZS", "--set", "user=muster@customer.example"],
    "manual": ["--phone", "+1 555 0199"],
}


def words(kind: str) -> list[str]:
    url = [] if kind in ("manual", "email") else ["--url", "https://desk.example"]
    return ["vendors", "new", "acme", "--connector", kind, *url, *OWN[kind]]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_system_gets_a_block_that_is_read(cli: Cli, kind: str) -> None:
    assert cli(*words(kind), "--service", "Web shop", "--title", 'The "ACME" desk').code == 0
    made = load_vendors(cli.home / "vendors.toml")["acme"]
    assert (made.connector, made.title, made.services) == (kind, 'The "ACME" desk', ("Web shop",))
    assert not made.production
    written = (cli.home / "vendors.toml").read_text()
    plain = [line for line in written.splitlines() if " = " in line and not line.startswith(('"', *"12345"))]
    assert all(" # " in line for line in plain)


def test_what_is_needed_may_hang_on_another_key(cli: Cli) -> None:
    about = ["vendors", "new", "acme", "--connector", "pagerduty", "--url", "https://desk.example"]
    ran = cli(*about)
    assert ran.code == 2
    assert "pagerduty needs service" in ran.err
    assert cli(*about, "--set", "api=events").code == 0
    made = load_vendors(cli.home / "vendors.toml")["acme"]
    assert made.info.title == "PagerDuty (events)"
    written = (cli.home / "vendors.toml").read_text()
    keys = {line.partition(" ")[0].strip("[]").removeprefix("vendor.acme.") for line in written.splitlines()}
    assert not keys & {"service", "user", "priorities", "urgencies", "prioritised"}
    assert {"states", "transitions", "severities"} <= keys


def test_a_switch_is_written_as_one(cli: Cli) -> None:
    assert cli(*words("gitlab"), "--set", "internal_comments=true").code == 0
    assert "\ninternal_comments = true " in (cli.home / "vendors.toml").read_text()


def test_what_it_wrote_passes_the_check(cli: Cli) -> None:
    with running_practice() as practice:
        told = cli.json("vendors", "new", "mine", "--connector", "practice", "--url", practice.url)
        assert told["next"] == ["muster vendors check mine", "muster apply"]
        assert cli("vendors", "check", "mine").code == 0


def test_what_stands_there_stays_and_a_name_is_taken_once(cli: Cli) -> None:
    before = vendor_block() + "\n# mine, by hand"
    cli.vendors(before)
    assert cli(*words("rt")).code == 0
    after = (cli.home / "vendors.toml").read_text()
    assert after.startswith(before + "\n")
    assert list(load_vendors(cli.home / "vendors.toml")) == ["practice", "acme"]
    again = cli(*words("manual"))
    assert again.code == 2
    assert "has a [vendor.acme] already" in again.err
    assert (cli.home / "vendors.toml").read_text() == after


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        (["acme", "--connector", "lotus"], "is no kind of system"),
        (["acme"], "Say --connector as well"),
        (["acme", "--connector", "rt"], "Say --url as well"),
        (["acme", "--connector", "rt", "--url", "https://a.example"], "rt needs queue"),
        (["ACME!", "--connector", "practice", "--url", "https://a.example"], "is no name"),
        (["acme", "--connector", "practice", "--url", "http://a.example"], "unencrypted"),
        (["acme", "--connector", "manual"], "nobody would know how to reach it"),
        (["acme", "--connector", "practice", "--url", "https://a.example", "--set", "x=1"], "is no key"),
    ],
)
def test_what_cannot_be_is_told_and_nothing_is_written(cli: Cli, argv: list[str], says: str) -> None:
    ran = cli("vendors", "new", *argv)
    assert ran.code == 2
    assert says in ran.err
    assert not (cli.home / "vendors.toml").exists()


def test_a_file_that_is_broken_is_left_as_it_is(cli: Cli) -> None:
    cli.vendors("[vendor.x\n")
    ran = cli(*words("manual"))
    assert ran.code == 2
    assert "nothing was written" in ran.err
    assert (cli.home / "vendors.toml").read_text() == "[vendor.x\n"


def test_on_a_terminal_it_asks(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui.cli.questions.asks", lambda: True)
    typed = b"lotus\nrt\nACME\nhttps://a.example\nproduction\n-\nDB, Web\nMuster\nExternal Reference\n"
    assert cli("vendors", "new", "acme", stdin=typed).code == 0
    made = load_vendors(cli.home / "vendors.toml")["acme"]
    assert (made.title, made.production, made.phone, made.services) == ("ACME", True, "", ("DB", "Web"))


@pytest.mark.parametrize("typed", [b"", b"rt\n", b"rt\nACME\nhttps://a.example\ntest\n-\nDB\n"])
def test_a_question_that_is_broken_off_is_no_fault_of_ours(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, typed: bytes
) -> None:
    """At the first one, in between, and at one of its connector's own."""
    monkeypatch.setattr("tui.cli.questions.asks", lambda: True)
    ran = cli("vendors", "new", "acme", stdin=typed)
    assert ran.code == 130
    assert ran.err.endswith("Broken off at a question: nothing was done.\n")
    assert not (cli.home / "vendors.toml").exists()
    assert not (cli.home / "state" / "muster" / "muster.log").exists()


@pytest.mark.parametrize("key", [b"\x03", b"\x04"])
def test_so_it_is_by_each_key_on_a_real_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: bytes
) -> None:
    fresh(tmp_path, monkeypatch)
    pid, terminal = pty.fork()
    if pid == 0:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # whoever runs the tests in the background ignores it
        os.execv(sys.executable, [sys.executable, "-m", "tui.main", "vendors", "new", "acme"])
    seen = b""
    while b"its system: " not in seen:
        assert select.select([terminal], [], [], 60)[0], seen
        seen += os.read(terminal, 4096)
    os.write(terminal, key)
    with contextlib.suppress(OSError):  # so Linux says that nobody has the terminal any more
        while True:
            if select.select([terminal], [], [], 2)[0]:
                seen += os.read(terminal, 4096)
            else:  # Python misses one that comes between its prompt and its waiting: nobody types so fast
                os.write(terminal, key)
    _, status = os.waitpid(pid, 0)
    os.close(terminal)
    assert os.waitstatus_to_exitcode(status) == 130
    assert b"\r\nBroken off at a question: nothing was done." in seen
    assert not (tmp_path / "vendors.toml").exists()


def test_each_answer_is_checked_when_it_is_given(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui.cli.questions.asks", lambda: True)
    typed = (
        "rest",
        "practice",
        "x" * 81,
        "ACME",
        "",
        "ftp://a.example",
        "http://a.example",
        "https://a.example",
        "live",
        "test",
        "5" * 81,
        "-",
        f"DB, {'x' * 81}",
        "DB",
        "https://login.example",
        "https://login.example/token",
        "two words",
        "muster",
        "password",
        "client_credentials",
        "é",
        "-",
    )
    ran = cli("vendors", "new", "acme", stdin="\n".join((*typed, "")).encode())
    assert ran.code == 0, ran.err
    for says in (
        "A REST system is described by hand: docs/rest.md",
        "What people call it [acme]:It is too long: 80 at most.",
        "(https://…):It is needed.",
        "It is no web address: begin it with https://.",
        "It would send everything to a.example unencrypted: write it with https://",
        "Take production, test.",
        "nobody [-]:It is too long: 80 at most.",
        "none [-]:It is too long: 80 at most.",
        "It ends with the host: write the whole address",
        "OAuth client id: who we are there:It is not written right",
        "Take client_credentials, refresh_token.",
    ):
        assert says in ran.err
    made = load_vendors(cli.home / "vendors.toml")["acme"]
    assert (made.url, made.phone, made.services) == ("https://a.example", "", ("DB",))
    assert made.oauth2 is not None
    assert (made.oauth2.client_id, made.oauth2.scope) == ("muster", "")


def test_so_is_an_answer_of_its_connectors_own(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui.cli.questions.asks", lambda: True)
    typed = b"github\nACME\nhttps://a.example\ntest\n-\n-\ndesk\n\nacme/desk\n"
    ran = cli("vendors", "new", "acme", stdin=typed)
    assert ran.code == 0, ran.err
    assert "repository cannot be 'desk'" in ran.err
    assert "It is needed." in ran.err


def test_who_is_reached_by_hand_needs_a_way(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui.cli.questions.asks", lambda: True)
    ran = cli("vendors", "new", "acme", stdin=b"manual\nACME\n-\ntest\n-\n\n+1 555 0199\n-\n")
    assert ran.code == 0, ran.err
    assert "nobody would know how to reach them" in ran.err
    assert load_vendors(cli.home / "vendors.toml")["acme"].phone == "+1 555 0199"


def test_no_line_is_named_of_a_file_that_was_not_written(cli: Cli) -> None:
    ran = cli("vendors", "new", "acme", "--connector", "manual")
    assert (ran.code, "line" in ran.err) == (2, False)
    assert ran.err.startswith("vendor.acme: nobody would know")


def test_kinds_are_not_broken_inside_a_word(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui.cli.questions.asks", lambda: True)
    monkeypatch.setattr("tui.width.width_of", lambda _: 80)
    ran = cli("vendors", "new", "acme", stdin=b"")
    lines = ran.err.splitlines()
    assert max(map(len, lines)) <= 80
    kinds = " ".join(lines).partition("Kinds of system: ")[2].partition(".")[0].split(", ")
    assert set(KINDS) <= set(kinds)


TOKENS = ["--oauth2", "token_url=https://login.example/token", "--oauth2", "client_id=muster"]


def test_how_tokens_are_got_is_a_table_of_its_own(cli: Cli) -> None:
    told = cli.json(*words("practice"), *TOKENS, "--oauth2", "scope=a b")
    assert told["next"][0] == "muster vendors login acme"
    made = load_vendors(cli.home / "vendors.toml")["acme"]
    assert made.auth == "oauth2"
    assert made.oauth2 is not None
    assert (made.oauth2.client_id, made.oauth2.scope, made.oauth2.grant) == (
        "muster",
        "a b",
        "client_credentials",
    )


@pytest.mark.parametrize(
    ("kind", "more", "says"),
    [
        ("redmine", TOKENS, "takes no OAuth"),
        ("practice", TOKENS[:2], "client_id"),
        ("practice", [*TOKENS, "--oauth2", "grant=password"], "grant"),
        ("practice", [*TOKENS, "--oauth2", "client_secret=abc"], "client_secret"),
    ],
)
def test_tokens_that_cannot_be_got_so_are_told(cli: Cli, kind: str, more: list[str], says: str) -> None:
    ran = cli(*words(kind), *more)
    assert ran.code == 2
    assert says in ran.err
    assert not (cli.home / "vendors.toml").exists()
