"""Credentials: from systemd, from a keyring, and the many ways of having neither."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.backends import chainer, fail, null
from keyring.errors import KeyringLocked, PasswordDeleteError

from integrations import secrets
from integrations.errors import AuthFailed, AuthTrouble

SECRET = "s3cr3t-of-acme"
HERE = __name__


class _Held(KeyringBackend):
    """Holds secrets in a dict; never the one that keyring would choose by itself."""

    priority: ClassVar[float] = -2  # type: ignore[assignment]
    held: ClassVar[dict[tuple[str, str], str]] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.held.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.held[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        if (service, username) not in self.held:
            raise PasswordDeleteError(username)
        del self.held[service, username]


class GoodKeyring(_Held):
    held: ClassVar[dict[tuple[str, str], str]] = {}


class PlaintextKeyring(_Held):
    held: ClassVar[dict[tuple[str, str], str]] = {}


class _Raises(_Held):
    error: ClassVar[Exception]

    def get_password(self, service: str, username: str) -> str | None:
        raise self.error


class LockedKeyring(_Raises):
    error = KeyringLocked(f"cannot open with {SECRET}")


class PromptingKeyring(_Raises):
    error = EOFError(f"EOF when reading {SECRET}")


@pytest.fixture(autouse=True)
def _empty() -> Iterator[None]:
    before = keyring.get_keyring()
    yield
    keyring.set_keyring(before)
    GoodKeyring.held.clear()
    PlaintextKeyring.held.clear()


def refusal(do: Any, *args: Any, **named: Any) -> str:
    with pytest.raises(AuthFailed) as failure:
        do(*args, **named)
    assert failure.value.trouble is AuthTrouble.MISSING
    assert SECRET not in failure.value.why
    assert failure.value.__cause__ is None
    return failure.value.why


def test_what_was_stored_is_resolved_until_it_is_forgotten() -> None:
    keyring.set_keyring(GoodKeyring())
    secrets.store("acme", f" {SECRET}\n", {})
    assert GoodKeyring.held == {("muster", "acme"): SECRET}
    assert secrets.resolve("acme", {}) == SECRET
    assert secrets.forget("acme", {}) is True
    assert secrets.forget("acme", {}) is False
    assert "muster vendors login acme" in refusal(secrets.resolve, "acme", {})


def test_a_systemd_credential_goes_before_the_keyring(tmp_path: Path) -> None:
    keyring.set_keyring(GoodKeyring())
    secrets.store("acme", "from-the-keyring", {})
    (tmp_path / "muster-acme").write_text("from-systemd\n")
    env = {"CREDENTIALS_DIRECTORY": str(tmp_path)}
    assert secrets.resolve("acme", env) == "from-systemd"
    assert secrets.resolve("acme", {}) == "from-the-keyring"
    (tmp_path / "muster-acme").unlink()
    assert secrets.resolve("acme", env) == "from-the-keyring"


def test_a_systemd_credential_needs_no_keyring(tmp_path: Path) -> None:
    keyring.set_keyring(fail.Keyring())
    (tmp_path / "muster-acme").write_text(SECRET)
    assert secrets.resolve("acme", {"CREDENTIALS_DIRECTORY": str(tmp_path)}) == SECRET


@pytest.mark.parametrize("content", [b"", b"\n", b"\xff\xfe", None])
def test_a_broken_systemd_credential_is_told_and_not_passed_over(
    tmp_path: Path, content: bytes | None
) -> None:
    keyring.set_keyring(GoodKeyring())
    secrets.store("acme", SECRET, {})
    path = tmp_path / "muster-acme"
    path.mkdir() if content is None else path.write_bytes(content)
    assert str(path) in refusal(secrets.resolve, "acme", {"CREDENTIALS_DIRECTORY": str(tmp_path)})


@pytest.mark.parametrize("backend", [fail.Keyring, null.Keyring])
def test_without_a_keyring_every_call_says_what_to_do(backend: type[KeyringBackend]) -> None:
    keyring.set_keyring(backend())
    for do, args in ((secrets.resolve, ()), (secrets.store, (SECRET,))):
        why = refusal(do, "acme", *args, env={})
        assert "No keyring is here" in why
        assert "MUSTER_KEYRING=file muster vendors login acme" in why
        assert why.count("muster vendors login") == 1, "not the command alone, which has just failed"
        assert "LoadCredentialEncrypted=muster-acme:" in why
    why = refusal(secrets.forget, "acme", env={})
    assert why == "No keyring is here to hold credentials. Nothing was taken out."
    told = secrets.describe({})
    assert (told.usable, "No keyring" in told.todo) == (False, True)


def test_a_plaintext_keyring_is_refused_unless_chosen_by_name() -> None:
    keyring.set_keyring(PlaintextKeyring())
    why = refusal(secrets.store, "acme", SECRET, env={})
    assert f"MUSTER_KEYRING={HERE}.PlaintextKeyring" in why
    assert PlaintextKeyring.held == {}
    assert not secrets.describe({}).usable
    for name in ("MUSTER_KEYRING", "PYTHON_KEYRING_BACKEND"):
        env = {name: f"{HERE}.PlaintextKeyring"}
        secrets.store("acme", SECRET, env)
        assert secrets.resolve("acme", env) == SECRET
        assert secrets.describe(env) == secrets.Store(f"{HERE}.PlaintextKeyring", True, "")
    refusal(secrets.resolve, "acme", {"MUSTER_KEYRING": f"{HERE}.GoodKeyring"})


def test_of_several_keyrings_a_plaintext_one_is_never_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chainer.ChainerBackend, "backends", [PlaintextKeyring(), GoodKeyring()])
    keyring.set_keyring(chainer.ChainerBackend())
    PlaintextKeyring.held["muster", "acme"] = "left there by somebody"
    refusal(secrets.resolve, "acme", {})
    secrets.store("acme", SECRET, {})
    assert GoodKeyring.held == {("muster", "acme"): SECRET}
    assert secrets.describe({}).name == f"{HERE}.GoodKeyring"


@pytest.mark.parametrize(
    ("chosen", "says"),
    [
        ("LockedKeyring", "locked"),
        ("PromptingKeyring", "EOFError"),
        ("NoSuchKeyring", "cannot be loaded"),
        ("no.such.module.Keyring", "cannot be loaded"),
        ("nonsense", "cannot be loaded"),
    ],
)
def test_a_keyring_that_breaks_is_told_without_its_words(chosen: str, says: str) -> None:
    name = chosen if "." in chosen or chosen == "nonsense" else f"{HERE}.{chosen}"
    assert says in refusal(secrets.resolve, "acme", {"MUSTER_KEYRING": name})


def test_a_chosen_keyring_that_cannot_be_loaded_is_described() -> None:
    told = secrets.describe({"MUSTER_KEYRING": "no.such.Keyring"})
    assert (told.name, told.usable) == ("no.such.Keyring", False)
    assert "cannot be loaded" in told.todo


def test_a_keyring_that_keeps_nothing_is_found_out() -> None:
    env = {"MUSTER_KEYRING": "keyring.backends.null.Keyring"}
    assert "did not keep it" in refusal(secrets.store, "acme", SECRET, env=env)


@pytest.mark.parametrize("bad", ["", "  \n", "two\nlines", "ünïcode", "x" * 8_193, "tab\there"])
def test_what_cannot_be_a_credential_is_not_stored(bad: str) -> None:
    keyring.set_keyring(GoodKeyring())
    with pytest.raises(ValueError, match="nothing was stored") as error:
        secrets.store("acme", bad, {})
    assert GoodKeyring.held == {}
    assert not bad.strip() or bad not in str(error.value)


@pytest.mark.parametrize("name", ["", "../etc/passwd", "Acme", "a b", "acme\n", "x" * 41])
def test_a_name_that_is_none_reaches_no_file_and_no_keyring(name: str, tmp_path: Path) -> None:
    for do, args in ((secrets.resolve, ()), (secrets.store, (SECRET,)), (secrets.forget, ())):
        with pytest.raises(ValueError, match="supplier's name"):
            do(name, *args, {"CREDENTIALS_DIRECTORY": str(tmp_path)})  # type: ignore[operator]


def test_on_a_host_without_any_session_the_real_library_finds_nothing(tmp_path: Path) -> None:
    """The installed keyring with no D-Bus, no home and nothing chosen, in a process of its own."""
    gone = {
        "DBUS_SESSION_BUS_ADDRESS",
        "XDG_RUNTIME_DIR",
        "DISPLAY",
        "MUSTER_KEYRING",
        "PYTHON_KEYRING_BACKEND",
    }
    env = {k: v for k, v in os.environ.items() if k not in gone} | {"HOME": str(tmp_path)}
    env["DBUS_SESSION_BUS_ADDRESS"] = f"unix:path={tmp_path}/nobody"
    code = (
        "from integrations import secrets\n"
        "from integrations.errors import AuthFailed\n"
        "print(secrets.describe().usable)\n"
        "try: secrets.resolve('acme')\n"
        "except AuthFailed as failure: print(failure.trouble, failure.why)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=env, capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.startswith("False\nmissing No keyring is here")
    assert "muster vendors login acme" in done.stdout
    assert done.stderr == ""


def test_the_keyring_is_not_imported_before_it_is_asked() -> None:
    code = "import sys, integrations.secrets; print('keyring' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout == "False\n"
