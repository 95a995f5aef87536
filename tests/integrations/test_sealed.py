"""The encrypted file of a headless host: its keys, its modes, and that no death costs a credential."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import select
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from integrations import master_key, sealed, secrets
from integrations.errors import AuthFailed, AuthTrouble
from integrations.practice.server import running_practice
from tests.tui.cli_help import Cli, fresh, vendor_block

KEY = "correct horse battery"
SECRET = "s3cr3t-of-acme"
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def _cheap(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A derivation that takes no time: what it must cost is the last test's."""
    monkeypatch.setattr(sealed.Head, "new", lambda: sealed.Head(os.urandom(16), sealed.Cost(64, 1, 1)))
    master_key.forget()
    yield
    master_key.forget()
    sealed._DERIVED.clear()


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    """A command line in a fresh home, without a systemd credential."""
    fresh(tmp_path, monkeypatch)
    return Cli(tmp_path, monkeypatch, capsys)


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    """A service's environment: the key is a systemd credential."""
    (tmp_path / "given").mkdir()
    (tmp_path / "given" / "muster-key").write_text(f"{KEY}\n")
    return {"MUSTER_HOME": str(tmp_path / "home"), "CREDENTIALS_DIRECTORY": str(tmp_path / "given")}


def file_of(env: dict[str, str]) -> Path:
    return Path(env["MUSTER_HOME"]) / "credentials.sealed"


def another_key(env: dict[str, str], key: str) -> None:
    (Path(env["CREDENTIALS_DIRECTORY"]) / "muster-key").write_text(key)


def refusal(do: Any, *args: Any) -> str:
    with pytest.raises(AuthFailed) as failure:
        do(*args)
    assert failure.value.trouble is AuthTrouble.MISSING
    assert failure.value.__cause__ is None
    for word in (SECRET, KEY):
        assert word not in failure.value.why
    return failure.value.why


def test_what_was_sealed_is_resolved_until_it_is_forgotten(env: dict[str, str]) -> None:
    assert "No credential for acme" in refusal(secrets.resolve, "acme", env)
    secrets.store("acme", SECRET, env)
    secrets.store("other", "another", env)
    assert (secrets.resolve("acme", env), secrets.resolve("other", env)) == (SECRET, "another")
    assert secrets.forget("acme", env) is True
    assert secrets.forget("acme", env) is False
    assert secrets.resolve("other", env) == "another"
    text = file_of(env).read_text()
    for word in ("acme", "other", SECRET, KEY):
        assert word not in text


def test_only_its_owner_can_read_it_even_under_a_careless_umask(env: dict[str, str]) -> None:
    before = os.umask(0)
    try:
        secrets.store("acme", SECRET, env)
        secrets.store("acme", SECRET, env)
    finally:
        os.umask(before)
    home = file_of(env).parent
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (home, *home.iterdir())}
    assert modes == {"home": 0o700, "credentials.sealed": 0o600, ".credentials.sealed.lock": 0o600}


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o666])
def test_a_file_that_others_get_at_is_not_used(env: dict[str, str], mode: int) -> None:
    secrets.store("acme", SECRET, env)
    file_of(env).chmod(mode)
    assert f"chmod 600 {file_of(env)}" in refusal(secrets.resolve, "acme", env)
    told = secrets.describe(env)
    assert (told.usable, "chmod 600" in told.todo) == (False, True)


def test_a_wrong_key_is_told_and_changes_nothing(env: dict[str, str]) -> None:
    secrets.store("acme", SECRET, env)
    before = file_of(env).read_bytes()
    another_key(env, "another long enough key")
    for do, args in ((secrets.resolve, ()), (secrets.store, ("x",)), (secrets.forget, ())):
        why = refusal(do, "acme", *args, env)
        assert f"The key does not open {file_of(env)}" in why
    assert "does not open" in secrets.describe(env).todo
    assert file_of(env).read_bytes() == before
    another_key(env, KEY)
    assert secrets.resolve("acme", env) == SECRET


def _cut(text: str) -> str:
    return text[: len(text) // 2]


def _foreign(text: str) -> str:
    return '["nothing", "of ours"]'


def _greedy(text: str) -> str:
    return text.replace('"memory_kib": 64', '"memory_kib": 64000000')


def _added(text: str) -> str:
    return json.dumps(json.loads(text) | {"note": "x"})


def _newer(text: str) -> str:
    return text.replace('"version": 1', '"version": 2')


def _salted(text: str) -> str:
    found = json.loads(text)
    found["kdf"]["salt"] = "AAAAAAAAAAAAAAAAAAAAAA=="
    return json.dumps(found)


def _turned(text: str) -> str:
    found = json.loads(text)
    sealed_part = found["sealed"]
    found["sealed"] = ("B" if sealed_part[0] == "A" else "A") + sealed_part[1:]
    return json.dumps(found)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (_cut, "damaged"),
        (_foreign, "damaged"),
        (_greedy, "damaged"),
        (_added, "damaged"),
        (_newer, "newer Muster"),
        (_salted, "does not open"),
        (_turned, "does not open"),
    ],
)
def test_a_changed_file_is_told_and_never_written_over(env: dict[str, str], change: Any, says: str) -> None:
    secrets.store("acme", SECRET, env)
    text = file_of(env).read_text()
    assert change(text) != text
    file_of(env).write_text(change(text))
    for do, args in ((secrets.resolve, ()), (secrets.store, ("x",))):
        assert says in refusal(do, "acme", *args, env)
    assert file_of(env).read_text() == change(text)


def test_a_link_in_its_place_is_not_followed(env: dict[str, str], tmp_path: Path) -> None:
    secrets.store("acme", SECRET, env)
    file_of(env).rename(tmp_path / "elsewhere")
    file_of(env).symlink_to(tmp_path / "elsewhere")
    assert "cannot be read" in refusal(secrets.resolve, "acme", env)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "empty"),
        (b"\n", "empty"),
        (b"\xff\xfe", "no text"),
        (b"x" * 5_000, "longer"),
        (b"short", "short"),
    ],
)
def test_what_is_no_key_begins_no_file(env: dict[str, str], content: bytes, says: str) -> None:
    (Path(env["CREDENTIALS_DIRECTORY"]) / "muster-key").write_bytes(content)
    assert says in refusal(secrets.store, "acme", SECRET, env)
    assert not file_of(env).exists()


def test_the_key_never_goes_to_a_supplier_that_is_called_key(env: dict[str, str]) -> None:
    assert "No credential for key" in refusal(secrets.resolve, "key", env)
    secrets.store("key", SECRET, env)
    assert secrets.resolve("key", env) == SECRET


def test_a_systemd_credential_of_a_supplier_goes_before_the_file(env: dict[str, str]) -> None:
    secrets.store("acme", "from the file", env)
    (Path(env["CREDENTIALS_DIRECTORY"]) / "muster-acme").write_text(SECRET)
    assert secrets.resolve("acme", env) == SECRET


def test_the_doctor_is_told_which_and_where_from(env: dict[str, str]) -> None:
    told = secrets.describe(env)
    assert told.usable
    assert f"the encrypted file {file_of(env)}, not made yet" in told.name
    assert "the systemd credential" in told.name
    secrets.store("acme", SECRET, env)
    assert "not made yet" not in secrets.describe(env).name
    typed = secrets.describe({"MUSTER_HOME": env["MUSTER_HOME"], "MUSTER_KEYRING": "file"})
    assert typed.usable
    assert "asked for on the terminal" in typed.name


def test_a_process_that_could_not_ask_never_asks_later(env: dict[str, str]) -> None:
    typed = {"MUSTER_HOME": env["MUSTER_HOME"], "MUSTER_KEYRING": "file"}
    secrets.unlock(typed)
    assert "Start it again" in refusal(secrets.store, "acme", SECRET, typed)


# A key by file descriptor


def by_descriptor(data: bytes, more: dict[str, str]) -> dict[str, str]:
    reads, writes = os.pipe()
    os.write(writes, data)
    os.close(writes)
    env = more | {"MUSTER_KEY_FD": str(reads)}
    master_key.take(env)
    assert "MUSTER_KEY_FD" not in env
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(reads)
    return env


def test_a_key_by_descriptor_is_read_once_and_opens_the_file(tmp_path: Path) -> None:
    env = by_descriptor(f"{KEY}\nnot a part of it".encode(), {"MUSTER_HOME": str(tmp_path)})
    secrets.store("acme", SECRET, env)
    master_key.forget()
    sealed._DERIVED.clear()
    env = by_descriptor(KEY.encode(), {"MUSTER_HOME": str(tmp_path)})
    assert secrets.resolve("acme", env) == SECRET
    assert "was given to this process" in secrets.describe(env).name


@pytest.mark.parametrize(
    ("number", "says"),
    [("987654", "No key could be read"), ("x", "number"), ("-1", "number"), ("2", "1 or 2")],
)
def test_a_descriptor_that_is_none_is_told(tmp_path: Path, number: str, says: str) -> None:
    env = {"MUSTER_HOME": str(tmp_path), "MUSTER_KEY_FD": number}
    master_key.take(env)
    assert says in refusal(secrets.store, "acme", SECRET, env)
    assert says in refusal(secrets.store, "acme", SECRET, env | {"MUSTER_KEYRING": "file"})


def test_a_child_is_given_the_key_through_a_pipe_of_its_own(tmp_path: Path) -> None:
    env = by_descriptor(KEY.encode(), {"MUSTER_HOME": str(tmp_path), "PATH": os.environ["PATH"]})
    secrets.store("acme", SECRET, env)
    code = (
        "import os; from integrations import master_key, secrets; master_key.take(os.environ);"
        "print(secrets.resolve('acme'), sorted(name for name in os.environ if 'KEY' in name))"
    )
    with master_key.handed_on(env | {"MUSTER_KEY_FD": "99"}) as (known, descriptors):
        assert KEY not in str(known)
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=ROOT,
            env=known,
            pass_fds=descriptors,
            capture_output=True,
            text=True,
            check=False,
            timeout=100,
        )
    assert (done.stdout, done.stderr) == (f"{SECRET} []\n", "")
    master_key.forget()
    with master_key.handed_on({"MUSTER_KEY_FD": "99", "A": "b"}) as (known, descriptors):
        assert (known, descriptors) == ({"A": "b"}, ())


# Real processes

WRITE = """
import itertools, os, sys
from integrations import sealed, secrets
sealed.Head.new = lambda: sealed.Head(os.urandom(16), sealed.Cost(64, 1, 1))
for n in itertools.count():
    secrets.store(sys.argv[1], f"value-{n}")
    print(n, flush=True)
"""


@pytest.mark.kills
def test_writers_that_are_killed_leave_a_whole_file(env: dict[str, str], tmp_path: Path) -> None:
    """Two write at once until they are killed. What either said that is kept, is."""
    writers = {}
    for name in ("acme", "other"):
        with (tmp_path / name).open("wb") as out:
            writers[name] = subprocess.Popen(
                [sys.executable, "-c", WRITE, name], cwd=ROOT, env=os.environ | env, stdout=out
            )
    until = time.monotonic() + 60
    while time.monotonic() < until and any(len(said_by(tmp_path / name)) < 3 for name in writers):
        time.sleep(0.01)
    for writer in writers.values():
        with contextlib.suppress(ProcessLookupError):
            writer.send_signal(signal.SIGKILL)
        assert writer.wait(30) == -signal.SIGKILL
    for name in writers:
        told = said_by(tmp_path / name)[-1]
        assert told >= 2
        assert secrets.resolve(name, env) in (f"value-{told}", f"value-{told + 1}")
    secrets.store("third", SECRET, env)
    assert sorted(os.listdir(file_of(env).parent)) == [".credentials.sealed.lock", "credentials.sealed"]


def said_by(path: Path) -> list[int]:
    """The numbers of the whole lines."""
    return [int(line) for line in path.read_bytes().splitlines(keepends=True) if line.endswith(b"\n")]


@pytest.mark.kills
@pytest.mark.parametrize("point", ["fsync", "replace"])
def test_death_at_the_worst_moment_costs_nothing(env: dict[str, str], point: str) -> None:
    secrets.store("acme", SECRET, env)
    code = (
        "import os, signal\n"
        "from integrations import secrets\n"
        f"os.{point} = lambda *_: os.kill(os.getpid(), signal.SIGKILL)\n"
        "secrets.store('acme', 'the new one')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=os.environ | env, check=False, timeout=100
    )
    assert done.returncode == -signal.SIGKILL
    assert [name for name in os.listdir(file_of(env).parent) if name.startswith(".credentials-")]
    assert secrets.resolve("acme", env) == SECRET
    secrets.store("acme", "the next one", env)
    assert secrets.resolve("acme", env) == "the next one"
    assert sorted(os.listdir(file_of(env).parent)) == [".credentials.sealed.lock", "credentials.sealed"]


def on_terminal(code: str, env: dict[str, str], answers: list[tuple[bytes, bytes]]) -> tuple[int, bytes]:
    """Run with a terminal of its own; each answer is typed when its question stands there."""
    pid, ours = pty.fork()
    if pid == 0:
        os.chdir(ROOT)
        os.execve(sys.executable, [sys.executable, "-c", code], os.environ | env)
    shown, waiting, until = b"", list(answers), time.monotonic() + 60
    with contextlib.suppress(OSError):  # EIO: it has ended
        while time.monotonic() < until:
            if waiting and waiting[0][0] in shown:
                os.write(ours, waiting.pop(0)[1] + b"\n")
            if select.select([ours], [], [], 0.05)[0]:
                data = os.read(ours, 4_096)
                if not data:
                    break
                shown += data
    os.close(ours)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), shown


def test_on_a_terminal_it_is_asked_for_without_echo(tmp_path: Path) -> None:
    env = {"MUSTER_HOME": str(tmp_path), "MUSTER_KEYRING": "file"}
    code = f"from integrations import secrets; secrets.store('acme', {SECRET!r}); print('do', 'ne')"
    ended, shown = on_terminal(code, env, [(b"A new key", KEY.encode()), (b"again", KEY.encode())])
    assert (ended, b"do ne" in shown) == (0, True), shown
    assert KEY.encode() not in shown
    code = "from integrations import secrets; print(secrets.resolve('acme').upper())"
    ended, shown = on_terminal(code, env, [(b"Key of", KEY.encode())])
    assert (ended, SECRET.upper().encode() in shown) == (0, True), shown
    assert KEY.encode() not in shown
    told = json.loads(file_of(env).read_text())["kdf"]
    assert (told["memory_kib"], told["iterations"], told["lanes"]) == (65_536, 3, 4)  # RFC 9106, section 4


def test_two_keys_that_differ_begin_no_file(tmp_path: Path) -> None:
    env = {"MUSTER_HOME": str(tmp_path), "MUSTER_KEYRING": "file"}
    code = (
        "from integrations import secrets, errors\n"
        "try: secrets.store('acme', 'x')\n"
        "except errors.AuthFailed as failure: print(failure.why)\n"
    )
    ended, shown = on_terminal(code, env, [(b"A new key", KEY.encode()), (b"again", b"mistyped, alas")])
    assert (ended, b"not the same" in shown) == (0, True), shown
    assert not file_of(env).exists()


def test_without_a_terminal_it_says_how_to_give_it(tmp_path: Path) -> None:
    env = {"MUSTER_HOME": str(tmp_path), "MUSTER_KEYRING": "file"}
    code = (
        "from integrations import secrets, errors\n"
        "try: secrets.store('acme', 'x')\n"
        "except errors.AuthFailed as failure: print(failure.why)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=os.environ | env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        start_new_session=True,
        timeout=100,
        check=True,
    )
    assert "no terminal to ask on" in done.stdout
    assert "MUSTER_KEY_FD=3" in done.stdout
    assert "LoadCredentialEncrypted=muster-key" in done.stdout
    assert done.stderr == ""


def test_a_supplier_is_logged_in_to_and_spoken_to_with_it(cli: Cli) -> None:
    by_descriptor(KEY.encode(), {})
    path = cli.home / "credentials.sealed"
    with running_practice(token="right") as practice:
        cli.vendors(vendor_block(practice.url, auth="keyring"))
        ran = cli("vendors", "login", "practice", stdin=b"right\n")
        assert (ran.code, f"is in the encrypted file {path}" in ran.out) == (0, True), ran
        assert f"✓ keyring: the encrypted file {path}; the key was given" in cli("doctor").out
        checked = check("another key of theirs")
        assert (checked.returncode, b"The key does not open" in checked.stdout) == (6, True), checked
        assert cli("vendors", "check", "practice").code == 0
    assert cli.json("vendors", "logout", "practice")["forgotten"] is True


def check(key: str) -> subprocess.CompletedProcess[bytes]:
    """The command as a script would run it: a process of its own, the key through a pipe."""
    reads, writes = os.pipe()
    os.write(writes, key.encode())
    os.close(writes)
    try:
        return subprocess.run(
            [sys.executable, "-m", "tui.main", "vendors", "check", "practice"],
            cwd=ROOT,
            env=os.environ | {"MUSTER_KEY_FD": str(reads)},
            pass_fds=(reads,),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=100,
            check=False,
        )
    finally:
        os.close(reads)


def test_an_address_of_somebodys_is_kept_as_well_and_its_lack_told_as_theirs(env: dict[str, str]) -> None:
    assert not secrets.asks(env)  # the key is a credential of the service
    assert secrets.asks({"MUSTER_KEYRING": "file"})
    assert not secrets.asks({})
    name = secrets.slot("ana", "sms")
    told = refusal(secrets.resolve, name, env)
    assert "No address of ana's sms is stored here" in told
    assert "muster page login ana sms" in told
    secrets.store(name, f"tgram://{SECRET}/1", env)
    assert secrets.resolve(name, env) == f"tgram://{SECRET}/1"
    assert secrets.forget(name, env) is True
    for bad in ("page.ana", "page.ana.sms.x", "page.../x", "other.ana.sms"):
        with pytest.raises(ValueError, match="name"):
            secrets.resolve(bad, env)
