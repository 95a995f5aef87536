"""A keyring in one encrypted file, for hosts without a desktop.

Argon2id (RFC 9106) makes the cipher's key from ours, ChaCha20-Poly1305 (RFC 8439) seals all credentials as
one; both are the library's, `cryptography`. The file is JSON, mode 0600, replaced whole under a lock: whoever
dies while writing leaves the old one.
"""

from __future__ import annotations

import base64
import contextlib
import fcntl
import json
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Final

from keyring.backend import KeyringBackend
from keyring.errors import PasswordDeleteError

from integrations import master_key
from integrations.vendors import home_of
from register.disk import open_lock, replace_file, sync_folder

FILE: Final = "credentials.sealed"
TEMPORARY: Final = ".credentials-"
MOST: Final = 10_000_000
"""Bytes of the largest file that is read."""
VERSION: Final = 1
Secrets = dict[str, dict[str, str]]
"""service -> user -> secret"""


class Unfit(Exception):
    """The file cannot be used. One sentence of ours, without a secret: what it means and what to do."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Argon2id's parameters; those of a new file are RFC 9106's second recommended ones."""

    memory_kib: int = 65_536
    iterations: int = 3
    lanes: int = 4

    @property
    def bearable(self) -> bool:
        """Whether a file may make us work so hard: a foreign one could ask for all memory."""
        return (
            8 * self.lanes <= self.memory_kib <= 1_048_576
            and 1 <= self.iterations <= 20
            and 1 <= self.lanes <= 16
        )


@dataclass(frozen=True, slots=True)
class Head:
    """What stands readable in the file. It is sealed with the rest: who changes it makes it unreadable."""

    salt: bytes
    cost: Cost

    @classmethod
    def new(cls) -> Head:
        return cls(os.urandom(16), Cost())

    def as_json(self) -> dict[str, Any]:
        about = {
            "memory_kib": self.cost.memory_kib,
            "iterations": self.cost.iterations,
            "lanes": self.cost.lanes,
        }
        kdf = {"name": "argon2id", "salt": _text(self.salt), **about}
        return {"muster": "credentials", "version": VERSION, "cipher": "chacha20-poly1305", "kdf": kdf}

    def as_bytes(self) -> bytes:
        return json.dumps(self.as_json(), sort_keys=True, separators=(",", ":")).encode()


def path_in(env: Any = os.environ) -> Path:
    """The file: beside vendors.toml."""
    return home_of(env) / FILE


class Keyring(KeyringBackend):
    """The file as a backend of `keyring`. Raises Unfit and master_key.NoKey."""

    priority: ClassVar[float] = -1  # keyring never takes it by itself: we name it

    def __init__(self, path: Path | None = None, env: Any = os.environ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # keyring annotates no __init__
        self.path = path or path_in(env)
        self._env = env

    def get_password(self, service: str, username: str) -> str | None:
        return self._read()[1].get(service, {}).get(username)

    def set_password(self, service: str, username: str, password: str) -> None:
        self._key(new=not self.path.exists())  # before the lock: a person may take long to type it
        with self._alone():
            head, secrets = self._read()
            secrets.setdefault(service, {})[username] = password
            self._write(head, secrets)

    def delete_password(self, service: str, username: str) -> None:
        with self._alone():
            head, secrets = self._read()
            if secrets.get(service, {}).pop(username, None) is None:
                raise PasswordDeleteError(username)
            self._write(head, secrets)

    def look(self) -> str:
        """What the doctor tells of it. The file is opened only with a key that nobody must type."""
        where = master_key.source(self._env)
        data = _bytes_of(self.path)
        if data is not None:
            _parts(data, self.path)
        if where:
            self._read()
        made = "" if data is not None else ", not made yet"
        return f"the encrypted file {self.path}{made}; {where or 'its key is asked for on the terminal'}"

    def unlock(self) -> None:
        """Have the key ready and derived, before something runs that cannot ask for it."""
        try:
            if self.path.exists() or master_key.source(self._env):
                self._read()
                return
        except master_key.NoKey as error:
            master_key.give_up(str(error))
            raise
        master_key.give_up(
            f"{self.path} was not there when this process began, so its key was not asked for. "
            "Start it again."
        )

    def _read(self) -> tuple[Head | None, Secrets]:
        data = _bytes_of(self.path)
        if data is None:
            return None, {}
        head, nonce, sealed = _parts(data, self.path)
        return head, _opened(head, nonce, sealed, self._key(new=False), self.path)

    def _write(self, head: Head | None, secrets: Secrets) -> None:
        _replace(self.path, _sealed(head or Head.new(), secrets, self._key(new=head is None)))

    def _key(self, *, new: bool) -> str:
        key = master_key.key(self._env, self.path, new=new)
        if new and len(key) < master_key.LEAST:
            master_key.forget()
            raise Unfit(
                f"The key is too short to begin {self.path} with: take {master_key.LEAST} characters or "
                "more. Nothing was stored."
            )
        return key

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """Nobody else reads to write meanwhile, and what a dead writer left is swept."""
        folder = self.path.parent
        try:
            lock = open_lock(self.path.with_name(f".{FILE}.lock"))
        except OSError as error:
            raise Unfit(_why(folder, "cannot be written in", error)) from None
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            for left in folder.glob(f"{TEMPORARY}*"):
                left.unlink(missing_ok=True)
            yield
        finally:
            os.close(lock)


def _bytes_of(path: Path) -> bytes | None:
    """What the file holds; None when there is none. One that others can read or write is not used."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise Unfit(_why(path, "cannot be read", error)) from None
    with os.fdopen(handle, "rb") as file:
        about = os.fstat(handle)
        if not stat.S_ISREG(about.st_mode):
            raise Unfit(f"{path} is no file, so it is not used. Move it away.")
        if about.st_uid not in (os.geteuid(), 0):
            raise Unfit(
                f"{path} belongs to somebody else, so it is not used: it may be a trap. "
                "chown it, or move it away."
            )
        if stat.S_IMODE(about.st_mode) & 0o077:
            raise Unfit(f"{path} can be read or written by others, so it is not used. Do: chmod 600 {path}")
        if about.st_size > MOST:
            raise Unfit(f"{path} is too large to be a file of ours. Move it away, or bring back its backup.")
        return file.read()


def _parts(data: bytes, path: Path) -> tuple[Head, bytes, bytes]:
    try:
        found = json.loads(data)
        if found["muster"] == "credentials" and found["version"] != VERSION:
            raise Unfit(f"{path} was written by a newer Muster: use that one.")
        kdf = found["kdf"]
        head = Head(_bytes(kdf["salt"]), Cost(kdf["memory_kib"], kdf["iterations"], kdf["lanes"]))
        nonce, sealed = _bytes(found["nonce"]), _bytes(found["sealed"])
        # all that stands there but the sealed part is what we would write: nothing is passed over
        fits = found == head.as_json() | {"nonce": found["nonce"], "sealed": found["sealed"]}
        fits = fits and head.cost.bearable and len(head.salt) == 16 and len(nonce) == 12
    except (ValueError, KeyError, TypeError, RecursionError):
        fits = False
    if not fits:
        raise Unfit(
            f"{path} is damaged or no file of ours. Nothing was changed: bring back its backup, or move it "
            "away and log in again."
        )
    return head, nonce, sealed


_DERIVED: Final[dict[tuple[Head, str], bytes]] = {}
"""Of this process: a derivation takes half a second and 64 MB, and a worker asks for each supplier."""


def _derived(head: Head, key: str) -> bytes:
    from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

    found = _DERIVED.get((head, key))
    if found is None:
        cost = head.cost
        derive = Argon2id(
            salt=head.salt,
            length=32,
            iterations=cost.iterations,
            lanes=cost.lanes,
            memory_cost=cost.memory_kib,
        )
        found = _DERIVED[head, key] = derive.derive(key.encode())
    return found


def _opened(head: Head, nonce: bytes, sealed: bytes, key: str, path: Path) -> Secrets:
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

    try:
        plain = ChaCha20Poly1305(_derived(head, key)).decrypt(nonce, sealed, head.as_bytes())
    except InvalidTag:
        raise Unfit(
            f"The key does not open {path}: it is not the one that it was sealed with, or the file was "
            "changed. Nothing was changed now. Try again with the right key, or bring back the file's backup."
        ) from None
    found: Secrets = json.loads(plain)
    return found


def _sealed(head: Head, secrets: Secrets, key: str) -> bytes:
    from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

    nonce = os.urandom(12)
    plain = json.dumps(secrets, sort_keys=True).encode()
    sealed = ChaCha20Poly1305(_derived(head, key)).encrypt(nonce, plain, head.as_bytes())
    return (
        json.dumps(head.as_json() | {"nonce": _text(nonce), "sealed": _text(sealed)}, indent=1).encode()
        + b"\n"
    )


def _replace(path: Path, data: bytes) -> None:
    """Put the file in the place of the old one, whole, and on the disk."""
    try:
        replace_file(path, data, TEMPORARY)
        sync_folder(path.parent)
    except OSError as error:
        raise Unfit(_why(path, "cannot be written", error)) from None


def _why(path: Path, what: str, error: OSError) -> str:
    return f"{path} {what} ({os.strerror(error.errno or 0)}). Nothing was stored."


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _bytes(text: str) -> bytes:
    return base64.b64decode(text, validate=True)
