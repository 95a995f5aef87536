"""What a database's errors mean to a person: what happened, what that means, what to do next."""

from __future__ import annotations

import os
import pwd
import shlex
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple

from register.store.seal import SIGN

WAIT_SECONDS: Final = 10
"""How long a transaction waits for another one before it says that the register is busy."""
LEAST_ROOM: Final = 256 * 1024
"""Bytes of free disk below which SQLite cannot work: what it maps beside the file takes some at once."""
BESIDE: Final = ("", "-wal", "-shm")
"""What is behind the file's name in the names of the files that SQLite needs to write."""


class Mishap(NamedTuple):
    """`what` happened, and what `todo`; sure: whether it is certain then that nothing was written."""

    what: str
    todo: str
    sure: bool = True


class Unreadable(ValueError):
    """Something that stands in the register is not what was ever written there."""


def sentence(path: Path | None, said: str, *, writes: bool) -> str:
    """Return what to tell of a database's error.

    path: the file of a register on SQLite. said: the driver's own words. writes: whether something was to
    be written.
    """
    where = str(path) if path is not None else "The register on PostgreSQL"
    words = " ".join(said.split()) or "no reason given"
    found = _found(path, words)
    if found is None:
        found = Mishap(f"it cannot be used now ({words[:200]})", "Try again.")
    outcome = ""
    if writes:
        outcome = " Nothing was written." if found.sure else _UNSURE
    return f"{where}: {found.what}.{outcome} {found.todo}"


_UNSURE: Final = " What was to be written may be on record or not: look before you repeat it."


def _found(path: Path | None, said: str) -> Mishap | None:
    if SIGN in said:
        place = said.partition(SIGN)[2].partition(" CONTEXT:")[0]
        return Mishap(f"{SIGN}{place}", f"Set MUSTER_REGISTER={place} and say it again.")
    words = said.casefold()
    for sign, mishap in (_OF_POSTGRESQL if path is None else _OF_SQLITE).items():
        if all(part in words for part in sign.split("…")):
            if path is not None and sign in _MAY_BE_THE_PLACE:
                return in_the_way(path) or mishap
            return mishap
    return None


_HELD: Final = Mishap(f"another program held it for over {WAIT_SECONDS} s", "Try again.")
_PART: Final = Mishap(
    "a part of the register is missing there", "Stop Muster and restore a backup, or name another register."
)
_NO_FIT: Final = Mishap(
    "its head does not fit its log: one of them was changed by hand, or restored in part",
    "`muster verify` names what is wrong.",
)
_LOST: Final = Mishap("the connection was lost", "Check that it runs and is reachable.", sure=False)
_SILENT: Final = Mishap("it does not answer", "Check that it runs and is reachable.")
_TOO_MANY: Final = Mishap(
    "it has no connection left for us (too many clients)",
    "Try again in a moment; its admin ends what nobody uses, or raises max_connections.",
)

_MAY_BE_THE_PLACE: Final = frozenset({"unable to open", "readonly", "disk i/o"})
"""Signs after which a look at the disk and the files tells more than SQLite does."""

_OF_SQLITE: Final[Mapping[str, Mishap]] = {
    "locked": _HELD,
    "unable to open": Mishap("the file cannot be opened", "Check that its folder exists and is yours."),
    "readonly": Mishap("the file is read-only here", "Check its owner and mode."),
    "not a database": Mishap("this file is no register", "Name another one in MUSTER_REGISTER."),
    "malformed": Mishap(
        "the file is damaged", "Stop Muster, keep a copy of the file as it is, and restore a backup."
    ),
    "is full": Mishap("the disk is full", "Make room and try again."),
    "disk i/o": Mishap(
        "the disk gave an error", "`dmesg` tells what the disk has; keep a backup at hand.", sure=False
    ),
    "no such table": _PART,
    "no such column": _PART,
    "constraint failed": _NO_FIT,
}
"""By what SQLite says, the first that fits."""

_OF_POSTGRESQL: Final[Mapping[str, Mishap]] = {
    "lock timeout": _HELD,
    "idle-in-transaction timeout": Mishap("it let go of us: we were silent for a minute", "Try again."),
    "deadlock": Mishap("another session was in the way", "Try again."),
    "too many c": _TOO_MANY,
    "remaining connection slots": _TOO_MANY,
    'database "…does not exist': Mishap(
        "there is no such database", "Check its name in MUSTER_REGISTER; `createdb` makes one."
    ),
    'role "…does not exist': Mishap(
        "it does not know this user", "Check the user in MUSTER_REGISTER, or ask its admin to add it."
    ),
    "authentication failed": Mishap("it does not let this user in", "Check ~/.pgpass, or ask its admin."),
    "no password supplied": Mishap("it asks for a password", "Put it in ~/.pgpass, readable by you alone."),
    "pg_hba": Mishap("it does not let this host or user in", "Ask its admin for an entry in pg_hba.conf."),
    "permission denied": Mishap("this user may not do that there", "Ask its admin to grant it."),
    "not currently accepting": Mishap(
        "it takes no connections now", "Try again when its admin has opened it."
    ),
    "the database system is": Mishap("it is starting, or being shut down", "Try again in a moment."),
    "read-only transaction": Mishap(
        "it can only be read there: it is a standby, or was set so", "Name the primary in MUSTER_REGISTER."
    ),
    "no space left": Mishap("its disk is full", "Its admin makes room; then try again."),
    "relation…does not exist": _PART,
    "column…does not exist": _PART,
    "duplicate key": _NO_FIT,
    "resolve host": Mishap("no such host is known here", "Check the host in MUSTER_REGISTER."),
    "connection failed": _SILENT,
    "connection to server…failed": _SILENT,
    "connection timeout": _SILENT,
    "connection": _LOST,
    "ssl": _LOST,
}
"""By what PostgreSQL or its driver says, the first that fits; … stands for anything."""


def in_the_way(register: Path) -> Mishap | None:
    """Return what keeps this process from writing into a register's file as it lies there."""
    try:
        disk = os.statvfs(register.parent)
    except OSError:
        return None
    if disk.f_flag & os.ST_RDONLY:
        return Mishap(
            "its file system is mounted read-only",
            "`mount` shows it, `dmesg` tells whether a disk is failing.",
        )
    for path in (register.parent, *(register.with_name(register.name + end) for end in BESIDE)):
        if path.exists() and not os.access(path, os.W_OK):
            return _closed(path, register)
    if disk.f_bavail * disk.f_frsize < LEAST_ROOM or (disk.f_files and not disk.f_favail):
        return _OF_SQLITE["is full"]
    return None


def _closed(path: Path, register: Path) -> Mishap:
    about = path.stat()
    name = {register: "the file", register.parent: "its folder"}.get(path, str(path))
    how = "read-only for" if os.access(path, os.R_OK) else "closed to"
    try:
        owner = pwd.getpwuid(about.st_uid).pw_name
    except KeyError:
        owner = str(about.st_uid)
    return Mishap(
        f"{name} is {how} you (mode {stat.S_IMODE(about.st_mode):04o}, of {owner})",
        f"`chmod u+rwX {shlex.quote(str(path))}` opens it to its owner.",
    )


def unreadable(what: str) -> Unreadable:
    """Return what is raised of something in the tables that nobody of ours has written like that."""
    return Unreadable(
        f"{what} cannot be read: it was changed by hand, or is damaged. Nothing was written. `muster verify`"
        " names all that is wrong; then stop Muster and restore a backup."
    )
