"""`muster vendors`, `doctor`, `verify`, `demo`: with a supplier that answers, refuses, or is not there."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from integrations import secrets
from integrations.levels import level_of
from integrations.practice.server import running_practice
from integrations.systems import SYSTEMS
from register.core import Principal, Role
from register.desk import ServiceDesk
from register.store import open_store
from register.store.vendors import health
from register.topics.delivery import PauseVendor
from tests.tui.cli_help import Cli, fresh, vendor_block
from tui.cli.app import OWN

ROOT = Path(__file__).resolve().parents[3]
SAMPLE_VENDORS = ROOT / "vendors.toml"


@pytest.fixture
def keyring(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """A keyring that lives as long as the test."""
    held: dict[str, str] = {}
    monkeypatch.setattr(secrets, "store", lambda name, secret: held.__setitem__(name, secret.strip()))
    monkeypatch.setattr(secrets, "resolve", lambda name: held[name])
    monkeypatch.setattr(secrets, "forget", lambda name: held.pop(name, None) is not None)
    return held


def pause(cli: Cli, why: str) -> None:
    store = open_store(str(cli.home / "r.db"))
    engine = Principal("engine", Role.ENGINE, "courier")
    ServiceDesk(store).do(engine, PauseVendor(vendor="practice", why=why))
    store.close()


def paused(cli: Cli) -> bool:
    store = open_store(str(cli.home / "r.db"))
    try:
        return bool(health(store)["practice"].paused_why)
    finally:
        store.close()


def test_a_supplier_that_answers_passes_and_is_sent_to_again(cli: Cli) -> None:
    with running_practice() as practice:
        cli.vendors(vendor_block(practice.url))
        pause(cli, "its credential was refused")
        assert cli.json("vendors", "list")[0]["standing"] == "paused"
        told = " ".join(cli("vendors", "list").out.split())
        assert "practice is paused: its credential was refused. Nothing is sent" in told
        assert "`muster vendors login practice`" in told
        ran = cli("vendors", "check", "practice")
    assert ran.code == 0
    assert ran.out.startswith("✓ identity: ")
    assert "sending goes on" in ran.out
    assert not paused(cli)
    assert len(cli.woken) == 1
    assert cli.json("vendors", "list")[0]["standing"] == "not used yet"


def test_one_that_is_not_there_does_not(cli: Cli) -> None:
    cli.vendors(vendor_block())
    pause(cli, "its credential was refused")
    ran = cli("vendors", "check", "practice")
    assert ran.code == 6
    assert ran.out.startswith("✗ ")
    told = cli("vendors", "check", "practice", "--json")
    assert (told.code, told.data["ok"], told.data["resumed"]) == (6, False, False)
    assert paused(cli)


def test_a_mapping_that_does_not_fit_says_what_to_do(cli: Cli) -> None:
    with running_practice() as practice:
        cli.vendors(vendor_block(practice.url, queue="No such queue"))
        ran = cli("vendors", "check", "practice")
    assert ran.code == 6
    assert "✗ queue" in ran.out
    assert " → " in ran.out


def test_an_unknown_supplier_is_not_found(cli: Cli) -> None:
    cli.vendors(vendor_block())
    ran = cli("vendors", "check", "nobody")
    assert ran.code == 4
    assert "Known: practice" in ran.err


def test_a_credential_is_stored_checked_and_forgotten(cli: Cli, keyring: dict[str, str]) -> None:
    with running_practice(token="right") as practice:
        cli.vendors(vendor_block(practice.url, auth="keyring"))
        wrong = cli("vendors", "login", "practice", stdin=b"wrong\n")
        assert wrong.code == 6
        assert "wrong" not in wrong.out.replace("went wrong", "") + wrong.err
        right = cli("vendors", "login", "practice", stdin=b"right\n")
        assert right.code == 0, right.out
        assert keyring == {"practice": "right"}
    assert cli.json("vendors", "logout", "practice") == {"vendor": "practice", "forgotten": True}
    assert cli.json("vendors", "logout", "practice")["forgotten"] is False
    assert cli("vendors", "logout", "No Name").code in (0, 2)


def test_the_last_day_of_a_credential_is_on_record_and_warned_of(cli: Cli, keyring: dict[str, str]) -> None:
    soon = (datetime.now(UTC).astimezone().date() + timedelta(days=9)).isoformat()
    with running_practice(token="right") as practice:
        cli.vendors(vendor_block(practice.url, auth="keyring", expires="2020-01-01"))
        assert "ended on 2020-01-01" in cli.json("vendors", "list")[0]["standing"]
        for wrong in ("tomorrow", "31.01.2027"):
            ran = cli("vendors", "login", "practice", "--expires", wrong, stdin=b"right\n")
            assert (ran.code, keyring) == (2, {})
            assert "write it like 2027-01-31" in ran.err
        ran = cli("vendors", "login", "practice", "--expires", soon, stdin=b"right\n")
        assert (ran.code, keyring) == (0, {"practice": "right"}), ran.out + ran.err
        assert f"a fortnight before {soon}" in ran.out
        about = cli.json("vendors", "list")[0]
        assert about["expires"] == soon
        assert f"ends on {soon}, in 9 days" in about["standing"]
        assert any(f"ends on {soon}" in one["says"] for one in cli("doctor", "--json").data["findings"])
        far = cli("vendors", "login", "practice", "--expires", "2999-01-31", stdin=b"right\n")
        assert far.code == 0
        assert "ends" not in cli.json("vendors", "list")[0]["standing"]
        assert cli("vendors", "login", "practice", stdin=b"right\n").code == 0
        assert "ended on 2020-01-01" in cli.json("vendors", "list")[0]["standing"], "by vendors.toml again"


def test_by_oauth2_two_secrets_are_stored_and_the_check_says_until_when_the_token_holds(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    (tmp_path / "muster-key").write_text("a key that is long enough\n")
    with running_practice(oauth="client-secret-1") as practice:
        assert practice.tokens is not None
        tokens = f'[vendor.practice.oauth2]\ntoken_url = "{practice.url}/oauth/token"\n'
        tokens += 'client_id = "muster-client"\ngrant = "refresh_token"\n'
        cli.vendors(f"{vendor_block(practice.url, auth='oauth2')}\n{tokens}")
        alone = cli("vendors", "login", "practice", stdin=b"client-secret-1\n")
        assert alone.code == 2
        assert "client secret, then refresh token" in alone.err
        both = f"client-secret-1\n{practice.tokens.first}\n".encode()
        ran = cli("vendors", "login", "practice", stdin=both)
        assert ran.code == 0, ran.out
        assert "✓ identity: signed in as muster" in ran.out
        assert "✓ token: holds until" in ran.out
        assert practice.tokens.first not in ran.out
        assert cli("vendors", "check", "practice").code == 0
        practice.tokens.take_back()
        refused = cli("vendors", "check", "practice")
        assert refused.code == 6
        assert "muster vendors login practice" in refused.out


def test_the_samples_lines_about_tokens_work_as_they_stand(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The commented block of vendors.toml, with `muster vendors practice --oauth` beside it."""
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    (tmp_path / "muster-key").write_text("a key that is long enough\n")
    sample = SAMPLE_VENDORS.read_text("utf-8")
    start = sample.index("# [vendor.practice.oauth2]")
    lines = sample[start : sample.index("\n\n", start)].splitlines()
    block = "\n".join(line.removeprefix("# ") for line in lines).replace("http://127.0.0.1:8377", "{url}")
    started: dict[str, Any] = {}

    def served(port: int, *, oauth: str | None, ready: Any, **_: Any) -> None:
        started["oauth"] = oauth
        ready("http://127.0.0.1:8377")

    monkeypatch.setattr("integrations.practice.server.serve", served)
    said = cli("vendors", "practice", "--oauth").out
    told = cli.json("vendors", "practice", "--oauth")
    assert "token_url: http://127.0.0.1:8377/oauth/token\nclient_id: muster-client\n" in said
    assert f"client_secret: {told['client_secret']}\n" in said
    assert "muster vendors login practice" in said
    with running_practice(oauth=started["oauth"]) as practice:
        cli.vendors(f"{vendor_block(practice.url, auth='oauth2')}\n{block.replace('{url}', practice.url)}")
        ran = cli("vendors", "login", "practice", stdin=told["client_secret"].encode())
        assert ran.code == 0, ran.out
        assert "✓ token: holds until" in ran.out
    with running_practice() as without:
        cli.vendors(f"{vendor_block(without.url, auth='oauth2')}\n{block.replace('{url}', without.url)}")
        refused = cli("vendors", "check", "practice").out
    assert "is its `token_url` right" in refused
    assert "is its `url` right" not in refused


def test_without_a_keyring_login_says_what_to_do(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    cli.vendors(vendor_block(auth="keyring"))
    ran = cli("vendors", "login", "practice", stdin=b"a secret\n")
    assert ran.code == 6
    assert "keyring" in ran.err
    assert "a secret" not in ran.out + ran.err


def test_a_supplier_without_a_credential_takes_none(cli: Cli) -> None:
    cli.vendors(vendor_block())
    assert cli("vendors", "login", "practice", stdin=b"x\n").code == 2


def test_a_taken_port_is_told(cli: Cli) -> None:
    with running_practice() as practice:
        ran = cli("vendors", "practice", "--port", str(practice.address[1]))
    assert ran.code == 6
    assert "--port" in ran.err


def test_the_doctor_names_a_file_once(cli: Cli) -> None:
    cli.vendors(f"{vendor_block()}\n[vendor.practice]\n")
    told = [line for line in cli("doctor").out.splitlines() if line.startswith("✗ vendors.toml")]
    assert [line.count("vendors.toml") for line in told] == [1], told
    assert "vendor.practice stands twice" in told[0]


def test_doctor_and_verify_on_a_sound_register(cli: Cli) -> None:
    cli.vendors(vendor_block())
    cli("log", "Mail is late")
    told = cli.json("doctor")
    assert told["ok"]
    looks = {
        "python",
        "register",
        "spool",
        "sqlite",
        "policy",
        "role",
        "worker",
        "keyring",
        "vendors.toml",
        "terminal",
    }
    assert looks == {finding["name"] for finding in told["findings"]}
    assert cli.json("verify")["ok"]


def test_a_credential_that_ended_is_told_by_list_and_doctor(cli: Cli) -> None:
    cli.vendors(vendor_block(expires="2020-01-31"))
    told = cli.json("vendors", "list")[0]
    assert (told["expires"], told["standing"]) == (
        "2020-01-31",
        "not used yet; its credential ended on 2020-01-31",
    )
    ran = cli("doctor")
    assert ran.code == 1
    assert "✗ credential: practice: its credential ended on 2020-01-31" in ran.out
    assert "muster vendors login practice" in ran.out.replace("\n", " ")


def test_doctor_names_every_fault_of_the_suppliers_file(cli: Cli) -> None:
    cli.vendors(vendor_block(titel="x", quue="y"))
    ran = cli("doctor")
    assert ran.code == 1
    assert ran.out.count("✗ vendors.toml") == 2


def test_verify_tells_what_was_changed_by_hand(cli: Cli) -> None:
    import pysqlite3

    cli("log", "Mail is late")
    connection = pysqlite3.connect(str(cli.home / "r.db"))
    connection.execute("UPDATE event SET data = replace(data, 'late', 'early')")
    connection.commit()
    connection.close()
    ran = cli("verify")
    assert ran.code == 1
    assert "changed after it was written" in ran.out


def test_a_second_worker_of_a_file_is_refused(cli: Cli) -> None:
    from integrations.lock import alone

    cli("log", "Mail is late")
    with alone(cli.home / "r.db") as free:
        assert free
        assert cli("serve").code == 3
        assert cli("serve", "--until-idle").code == 0


@pytest.mark.parametrize(("group", "name"), [entry[:2] for entry in OWN])
def test_every_other_command_has_help_and_json(cli: Cli, group: str, name: str) -> None:
    shown = cli(*group.split(), *([name] if name else []), "--help")
    assert shown.code == 0
    assert "--json" in shown.out
    assert "--as-json" not in shown.out


# The demonstration, in a process of its own


def demo(env: dict[str, str], *args: str, **how: Any) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "tui.main", "demo", *args],
        cwd=ROOT,
        env=os.environ | env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        **how,
    )


def left_of(folder: Path) -> list[int]:
    """Processes that still know this folder, half a minute after they were to end."""
    until = time.monotonic() + 30
    while (found := _who_knows(folder)) and time.monotonic() < until:
        time.sleep(0.05)
    return found


def _who_knows(folder: Path) -> list[int]:
    found = []
    for process in Path("/proc").glob("[0-9]*/environ"):
        try:
            if str(folder).encode() in process.read_bytes():
                found.append(int(process.parent.name))
        except OSError:
            continue
    return [pid for pid in found if pid != os.getpid()]


@pytest.fixture
def temp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    (tmp_path / "t").mkdir()
    return fresh(tmp_path, monkeypatch) | {"TMPDIR": str(tmp_path / "t")}


@pytest.mark.kills
def test_the_demo_prints_its_board_and_leaves_nothing(temp: dict[str, str]) -> None:
    child = demo(temp)
    out, err = child.communicate(timeout=60)
    assert (child.returncode, err) == (0, b"")
    board = out.decode()
    assert "Webshop answers 500 at checkout" in board
    assert board.count("practice PD-") == 2
    assert os.listdir(temp["TMPDIR"]) == []
    assert left_of(Path(temp["TMPDIR"])) == []
    assert not (Path(temp["HOME"]) / "r.db").exists()


@pytest.mark.kills
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_demo_that_is_told_to_end_leaves_nothing(temp: dict[str, str], number: signal.Signals) -> None:
    folder = Path(temp["TMPDIR"])
    child = demo(temp)
    until = time.monotonic() + 30
    while not list(folder.glob("*/vendors.toml")) and time.monotonic() < until:
        time.sleep(0.02)
    child.send_signal(number)
    child.communicate(timeout=30)
    assert child.returncode == 128 + number
    assert os.listdir(folder) == []
    assert left_of(folder) == []


@pytest.mark.kills
def test_the_demo_as_json_is_a_list(temp: dict[str, str]) -> None:
    out, _ = demo(temp, "--json").communicate(timeout=60)
    listed = json.loads(out)
    assert len(listed) == 13
    assert {one["priority"] for one in listed} == {"P1", "P2", "P3", "P4"}


def demo_on_a_terminal(temp: dict[str, str]) -> tuple[int, subprocess.Popen[bytes]]:
    """A demo on 80 × 24: our end of its terminal, which the caller closes, and its process."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    child = subprocess.Popen(
        [sys.executable, "-m", "tui.main", "demo"],
        cwd=ROOT,
        env=os.environ | temp | {"TERM": "xterm"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    return ours, child


@pytest.mark.kills
def test_a_demo_on_a_terminal_that_is_told_to_end_gives_it_back(temp: dict[str, str]) -> None:
    ours, child = demo_on_a_terminal(temp)
    painted, until, told = b"", time.monotonic() + 60, False
    with contextlib.suppress(OSError):  # EIO: the last one that had the terminal has gone
        while time.monotonic() < until:
            if select.select([ours], [], [], 0.1)[0]:
                painted += os.read(ours, 65_536)
            if b"Webshop" in painted and not told:
                told = True
                child.send_signal(signal.SIGTERM)
    os.close(ours)
    assert child.wait(10) == 128 + signal.SIGTERM
    assert painted.count(b"\x1b[?1049l") == 1
    assert os.listdir(temp["TMPDIR"]) == []
    assert left_of(Path(temp["TMPDIR"])) == []


@pytest.mark.kills
def test_a_demo_whose_terminal_goes_without_a_signal_ends_by_itself(temp: dict[str, str]) -> None:
    """As under a `make` that leads the session: it alone is told, and waits for us."""
    ours, child = demo_on_a_terminal(temp)
    painted, until = b"", time.monotonic() + 60
    while b"Webshop" not in painted and time.monotonic() < until:
        if select.select([ours], [], [], 0.1)[0]:
            painted += os.read(ours, 65_536)
    os.close(ours)
    child.wait(30)
    assert os.listdir(temp["TMPDIR"]) == []
    assert left_of(Path(temp["TMPDIR"])) == []


def test_the_kinds_of_system_are_listed_with_what_they_can_and_their_level(cli: Cli) -> None:
    told = {about["kind"]: about for about in cli.json("vendors", "systems")}
    assert set(told) == set(SYSTEMS)
    practice = told["practice"]
    assert (practice["level"], practice["not_kept"], practice["oauth2"]) == ("gold", [], True)
    assert {"create", "poll", "etag"} <= set(practice["can"])
    assert all(about["level"] == (level_of(kind) or "not measured") for kind, about in told.items())
    ran = cli("vendors", "systems")
    assert ran.code == 0
    table = ran.out.splitlines()[: len(told) + 1]
    assert all(len(line) <= 80 for line in table), "it fits where most terminals begin"
    (row,) = [line.split() for line in table if line.startswith("rt ")]
    rt = dict(zip(table[0].split(), row, strict=True))
    assert (rt["HEAR"], rt["HOOK"], rt["FOUND"]) == ("yes", "-", "now")
    assert all(
        f"{kind} does not keep: {about['not_kept'][0]}" in " ".join(ran.out.split())
        for kind, about in told.items()
        if about["not_kept"]
    )


def test_a_rule_that_was_not_tried_does_not_count_as_kept(cli: Cli) -> None:
    told = {about["kind"]: about for about in cli.json("vendors", "systems")}
    for about in told.values():
        parts = [about["rules_kept"], *(len(about[what]) for what in ("not_kept", "exempt", "not_offered"))]
        assert sum(parts) == about["rules"]
    email = told["email"]
    assert email["exempt"]["waits-date"].startswith("SMTP")
    assert email["rules_kept"] < email["rules"]
    said = " ".join(cli("vendors", "systems").out.split())
    assert f"email is exempt from: {', '.join(email['exempt'])}" in said
    assert f"email gold {email['rules_kept']}/{email['rules_kept']} late" in said
