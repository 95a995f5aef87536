"""The key of the credentials' file: where it comes from, and that it is asked for once.

From a file descriptor (`MUSTER_KEY_FD=N`), else a systemd credential (`muster-key`), else the terminal
without echo. Never from the value of an environment variable, nor the command line, which others can read.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator, Mapping, MutableMapping
from pathlib import Path
from typing import Final

FD: Final = "MUSTER_KEY_FD"
CREDENTIAL: Final = "muster-key"
MOST: Final = 4_096
"""Bytes of the longest key; below what any pipe takes at once."""
LEAST: Final = 12
"""Characters of the shortest key that a new file is sealed with."""
HOW: Final = (
    f"Give it on the terminal, by a file descriptor ({FD}=3 with 3<FILE), or as the systemd credential "
    f"{CREDENTIAL} (LoadCredentialEncrypted={CREDENTIAL}:…)."
)


class NoKey(Exception):
    """There is no key, or it is none; says what to do. Never carries the key."""


class _Held:
    """What this process was given: asked for, or read, only once."""

    key: str | None = None
    fault: str = ""  # why what was given is none


def take(env: MutableMapping[str, str]) -> None:
    """Read the key of `MUSTER_KEY_FD` before anything else is opened, which could get that number.

    The number is taken out of `env`: for a child it would name something else.
    """
    number = env.pop(FD, None)
    if number is None:
        return
    try:
        # without a buffer: what follows the key, on standard input for instance, is another one's
        with os.fdopen(_descriptor(number), "rb", buffering=0) as source:
            _Held.key = _line(source.readline(MOST + 2), f"What {FD} names")
    except NoKey as error:
        _Held.fault = str(error)
    except OSError as error:
        _Held.fault = f"No key could be read where {FD} says ({type(error).__name__}). {HOW}"


def source(env: Mapping[str, str]) -> str:
    """Where the key comes from without a person, in words; empty when only the terminal is left."""
    if _Held.key is not None or _Held.fault:
        return "the key was given to this process"
    path = _credential(env)
    return f"the key is the systemd credential {path}" if path is not None and path.exists() else ""


def key(env: Mapping[str, str], about: Path, *, new: bool) -> str:
    """The key of the file `about`. new: it is about to be made, so a typed key is asked for twice.

    Raises NoKey.
    """
    if _Held.fault:
        raise NoKey(_Held.fault)
    if _Held.key is None:
        path = _credential(env)
        if path is not None and path.exists():
            return _from_file(path)
        _Held.key = _typed(about, new=new)
    return _Held.key


def give_up(why: str) -> None:
    """Never ask on the terminal from now on, where nobody would answer; `why` is told instead."""
    if _Held.key is None:
        _Held.fault = why


def forget() -> None:
    """Know no key any more."""
    _Held.key, _Held.fault = None, ""


@contextlib.contextmanager
def handed_on(env: Mapping[str, str]) -> Iterator[tuple[dict[str, str], tuple[int, ...]]]:
    """The environment and the descriptors for a child that is to know the key as this process does."""
    known = {name: value for name, value in env.items() if name != FD}
    if _Held.key is None:
        yield known, ()
        return
    reads, writes = os.pipe()
    try:
        with os.fdopen(writes, "wb") as pipe:
            pipe.write(_Held.key.encode() + b"\n")
        yield known | {FD: str(reads)}, (reads,)
    finally:
        os.close(reads)


def _descriptor(number: str) -> int:
    if not (number.isascii() and number.isdigit() and len(number) < 10):
        raise NoKey(f"{FD} must be the number of an open file descriptor. {HOW}")
    if int(number) in (1, 2):
        raise NoKey(f"{FD} must not be 1 or 2: there Muster writes. {HOW}")
    return os.dup(0) if int(number) == 0 else int(number)


def _credential(env: Mapping[str, str]) -> Path | None:
    folder = env.get("CREDENTIALS_DIRECTORY")
    return Path(folder) / CREDENTIAL if folder else None


def _from_file(path: Path) -> str:
    try:
        with path.open("rb") as source:
            return _line(source.readline(MOST + 2), f"The systemd credential {path}")
    except OSError as error:
        raise NoKey(
            f"The systemd credential {path} cannot be read ({type(error).__name__}): mend it in the "
            "service's unit and restart the service."
        ) from None


def _line(data: bytes, what: str) -> str:
    """The first line, as a key."""
    try:
        text = data.decode("utf-8").removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        raise NoKey(f"{what} is no text, so it is no key. {HOW}") from None
    if not text:
        raise NoKey(f"{what} is empty, so it is no key. {HOW}")
    if len(text.encode()) > MOST:
        raise NoKey(f"{what} is longer than {MOST:,} bytes, so it is no key.")
    return text


def _typed(about: Path, *, new: bool) -> str:
    from getpass import getpass

    # a worker in the background may still have a terminal that is not its to ask on
    if not (sys.stderr.isatty() and _in_front()):
        raise NoKey(f"The key of {about} is not here, and there is no terminal to ask on. {HOW}")
    try:
        if not new:
            return _line(getpass(f"Key of {about} (not shown): ").encode(), "What was typed")
        print(
            f"{about} is made now. Keep its key well: without it nobody can read the file.", file=sys.stderr
        )
        first = _line(getpass("A new key for it (not shown): ").encode(), "What was typed")
        again = getpass("The same again: ")
    except (EOFError, OSError):
        raise NoKey(f"No key was typed for {about}. {HOW}") from None
    if first != again:
        raise NoKey("The two keys were not the same: nothing was stored. Begin again.")
    return first


def _in_front() -> bool:
    try:
        return os.tcgetpgrp(sys.stderr.fileno()) == os.getpgrp()
    except (OSError, ValueError):
        return False
