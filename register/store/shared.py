"""A register's file that several people of one host may open: its modes, where it may lie, who may not.

Folder 2770 and file 0660 with the group: what SQLite puts beside the file (-wal, -shm) takes the file's mode
and the folder's group, whatever the umask of who writes first. Everybody in the group can write anything.
"""

from __future__ import annotations

import contextlib
import grp
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from register.core import Refused

FOLDER_MODE: Final = 0o2770
FILE_MODE: Final = 0o660
SAFE_SQLITE: Final = (3, 51, 3)
"""Older ones can lose a committed write when another process' commit races a checkpoint."""
_LOCAL: Final = frozenset({"bcachefs", "fuseblk", "overlay", "ramfs", "tmpfs", "zfs"})
"""File systems without a block device of their own, or on fuse, whose files this host alone changes."""
_CLUSTERED: Final = frozenset({"gfs2", "ocfs2"})
_MOUNTS: Final = Path("/proc/self/mountinfo")
_KINDS: Final = Path("/proc/filesystems")


def is_shared(register: Path) -> bool:
    """Whether the file is there and open to its group; raises OSError where one may not even look."""
    try:
        return bool(register.stat().st_mode & 0o060)
    except FileNotFoundError:
        return False


def open_beside(register: Path, path: Path, flags: int) -> int:
    """Open a file that stands beside the register, and make it for whoever may open the register."""
    shared = is_shared(register)
    try:
        return os.open(path, flags & ~os.O_CREAT | os.O_CLOEXEC)
    except FileNotFoundError:
        handle = os.open(path, flags | os.O_CREAT | os.O_CLOEXEC, FILE_MODE if shared else 0o600)
    if shared:
        _set_mode(handle, FILE_MODE)
    return handle


def make_folder_beside(register: Path, folder: Path) -> None:
    """Make a folder beside the register, if it is not there, for whoever may open the register."""
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700)
        if is_shared(register):
            folder.chmod(FOLDER_MODE)


def _set_mode(handle: int, mode: int) -> None:
    with contextlib.suppress(PermissionError):  # somebody else was first, and has set it
        os.fchmod(handle, mode)


def mend_beside(register: Path) -> None:
    """Open what SQLite keeps beside the file as far as the file is open.

    While the file is read-only SQLite makes them so too, and leaves them there: they would keep everybody
    from writing when the file itself is open again.
    """
    mode = stat.S_IMODE(register.stat().st_mode)
    for end in ("-wal", "-shm"):
        with contextlib.suppress(OSError):  # not there, or another one's: writing will tell
            path = register.with_name(register.name + end)
            found = stat.S_IMODE(path.stat().st_mode)
            if mode & 0o600 & ~found:
                path.chmod(mode)


def is_frozen(register: Path) -> bool:
    """Whether the file lies where nobody can write now, and holds all there is: no log waits beside it."""
    try:
        if not os.statvfs(register).f_flag & os.ST_RDONLY:
            return False
    except OSError:
        return False
    try:
        return not register.with_name(register.name + "-wal").stat().st_size
    except FileNotFoundError:
        return True
    except OSError:
        return False


def why_not_here(register: Path) -> str | None:
    """Return why this process may not use the register's file as it lies there, or None."""
    folder = register.parent
    try:
        about = folder.stat()
        shared = is_shared(register)
    except PermissionError:
        return _outsider(register)
    except OSError:
        return None  # opening it tells
    if shared:
        return _old_library(register)
    if stat.S_IMODE(about.st_mode) == FOLDER_MODE and not register.exists():
        group = _group_name(about.st_gid)
        return (
            f"{register}: there is no register, and its folder is made for one that the group {group} shares."
            f" Nothing was made: check the path, or run `muster init --group {group} {register}`."
        )
    return None


def _outsider(register: Path) -> str | None:
    nearest = next(_seen(register.parent), None)
    if nearest is None or nearest[1].st_gid in (os.getegid(), *os.getgroups()):
        return None
    folder, about = nearest
    group = _group_name(about.st_gid)
    return (
        f"{register}: {folder} is open to the group {group} only, and you are not in it as you are logged in"
        f" now. Nothing was read or written: ask an admin of this host to put you into {group}, then log in"
        " anew."
    )


def _seen(folder: Path) -> Iterator[tuple[Path, os.stat_result]]:
    """Yield the folders on the way that can be looked at, the nearest first."""
    for one in (folder, *folder.parents):
        with contextlib.suppress(OSError):
            yield one, one.stat()


def _old_library(register: Path) -> str | None:
    import pysqlite3

    if tuple(pysqlite3.sqlite_version_info) >= SAFE_SQLITE:
        return None
    safe = ".".join(map(str, SAFE_SQLITE))
    return (
        f"{register} is shared, and the SQLite library here ({pysqlite3.sqlite_version}) can lose what was"
        f" written when two write at once. Nothing was opened: install pysqlite3 with SQLite {safe} or newer"
        " (`make setup` does)."
    )


def _group_name(gid: int) -> str:
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)


def worth_a_look(register: Path) -> list[str]:
    """Return what keeps people of the group out of a shared register, or endangers it; for the doctor."""
    folder, found = register.parent, []
    gid = register.stat().st_gid
    group = _group_name(gid)
    for one, mode in ((folder, FOLDER_MODE), (register, FILE_MODE)):
        about = one.stat()
        if stat.S_IMODE(about.st_mode) != mode or about.st_gid != gid:
            found.append(
                f"{one} is not {group}'s with mode {mode:04o}: `muster init --group {group}` mends it"
            )
    for one in register.parent.glob(f"{register.name}?*"):
        needed = 0o070 if one.is_dir() else 0o060
        if one.stat().st_mode & needed != needed or one.stat().st_gid != gid:
            found.append(
                f"{one} is closed to others of {group}: its owner removes it, or opens it to the group"
            )
    kind = file_system(folder)
    if not is_local(kind):
        found.append(f"{folder} lies on {kind}, a file system of a network: move it to a disk of this host")
    return [*found, *_closed_ways(folder, gid, group), *_not_kept(folder, kind)]


# Making one


def make_shared(register: Path, group: str) -> list[str]:
    """Make the folder and the empty file of a shared register; return what is worth a look.

    Done again for the same group it mends the modes. Raises Refused, and OSError.
    """
    gid = _gid(group)
    if os.geteuid() != 0 and gid not in (os.getegid(), *os.getgroups()):
        raise Refused(
            f"You are not in the group {group} as you are logged in now, so you cannot give it a file."
            " Nothing was made: ask an admin of this host to put you into it, then log in anew.",
            "group",
        )
    folder = register.parent
    _refuse_foreign(folder, register, gid, group)
    home = next(one for one, _ in _seen(folder))
    kind = file_system(home)
    if not is_local(kind):
        raise Refused(
            f"{home} lies on {kind}, a file system of a network: SQLite's locks do not hold there, and writes"
            " would be lost. Nothing was made: name a folder on a disk of this host, or use PostgreSQL"
            " (MUSTER_REGISTER=postgresql://host/database).",
            "path",
        )
    _make_folder(folder, gid)
    _make_file(register, gid)
    return [*_closed_ways(folder, gid, group), *_not_kept(folder, kind)]


def _gid(group: str) -> int:
    try:
        return grp.getgrnam(group).gr_gid
    except KeyError:
        if group.isascii() and group.isdigit() and len(group) < 10:
            return int(group)
        raise Refused(
            f"This host has no group {group!r}. Nothing was made: `groupadd` makes one, `getent group` lists"
            " them.",
            "group",
        ) from None


def _refuse_foreign(folder: Path, register: Path, gid: int, group: str) -> None:
    """Nothing that serves something else is opened to a group."""
    if not folder.exists():
        if not folder.parent.is_dir():
            raise Refused(
                f"There is no {folder.parent}. Nothing was made: make it first, so that everybody in"
                f" {group} can pass through it.",
                "path",
            )
        return
    about, mine = folder.stat(), os.geteuid()
    fits = stat.S_IMODE(about.st_mode) == FOLDER_MODE and about.st_gid == gid
    if register.exists():
        file = register.stat()
        begun = file.st_size == 0 and file.st_uid == mine and fits  # an init that was interrupted
        if not begun and not (fits and is_shared(register) and file.st_gid == gid):
            raise Refused(
                f"{register} is there already, and the group {group} does not share it. Nothing was changed:"
                " name another path.",
                "path",
            )
    elif not fits and (about.st_uid != mine or any(folder.iterdir())):
        raise Refused(
            f"{folder} is there already and is not a folder of {group}'s own. Nothing was changed: name"
            f" one that does not exist yet, as in {folder / 'muster' / register.name}.",
            "path",
        )


def _make_folder(folder: Path, gid: int) -> None:
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    about = folder.stat()
    if about.st_gid != gid:
        os.chown(folder, -1, gid)
    if stat.S_IMODE(folder.stat().st_mode) != FOLDER_MODE:
        folder.chmod(FOLDER_MODE)


def _make_file(register: Path, gid: int) -> None:
    """Make the file before SQLite does, which would make it 0644 and lock the second user out."""
    try:
        handle = os.open(register, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        handle = os.open(register, os.O_RDWR | os.O_CLOEXEC)
    try:
        about = os.fstat(handle)
        if about.st_gid != gid:
            os.fchown(handle, -1, gid)
        if stat.S_IMODE(about.st_mode) != FILE_MODE:
            os.fchmod(handle, FILE_MODE)
        os.fsync(handle)
    finally:
        os.close(handle)


def _closed_ways(folder: Path, gid: int, group: str) -> list[str]:
    """Folders on the way through which the group does not come, as far as modes tell."""
    closed = []
    for one in folder.parents:
        about = one.stat()
        needed = 0o010 if about.st_gid == gid else 0o001
        if not about.st_mode & needed:
            closed.append(
                f"{one} is closed to {group} (mode {stat.S_IMODE(about.st_mode):04o}): open the way with"
                f" `chmod a+x {one}`, or use another path."
            )
    return closed


def _not_kept(folder: Path, kind: str) -> list[str]:
    if kind not in ("tmpfs", "ramfs"):
        return []
    return [f"{folder} lies in memory ({kind}): all is gone when this host restarts."]


def file_system(path: Path) -> str:
    """Return the kind of file system that an existing path lies on, as in ext4 or nfs4; "" when not told."""
    device = path.stat().st_dev
    wanted = f"{os.major(device)}:{os.minor(device)}"
    place, best, kind = path.resolve(), -1, ""
    with contextlib.suppress(OSError):
        for line in _MOUNTS.read_text(errors="surrogateescape").splitlines():
            about, _, rest = line.partition(" - ")
            mount = Path(about.split()[4].encode().decode("unicode_escape"))
            if mount != place and mount not in place.parents:
                continue
            rating = 1_000_000 * (about.split()[2] == wanted) + len(mount.parts)
            if rating >= best:  # of two on one place the later one is on top
                best, kind = rating, rest.split()[0]
    return kind


def is_local(kind: str) -> bool:
    """Whether the files of such a file system are changed by this host alone; "" is taken for one."""
    if kind in _LOCAL or not kind:
        return True
    if kind in _CLUSTERED:
        return False
    try:
        lines = _KINDS.read_text().splitlines()
    except OSError:
        return False
    return kind in {line.strip() for line in lines if not line.startswith("nodev")}
