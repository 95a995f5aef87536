"""The spool: what a person says while the register does not answer, kept until it can be entered.

Beside `live.json` each person has, for each register, a folder `spool`: one TinyDB file for each process
that kept something (`<pid>-….json`), and `book.json` with the last provisional number and what became of
those that were entered. Every file is 0600, replaced whole, fsynced, and locked only while it is written:
a process that dies leaves files that anybody of the same uid takes up. An entry goes when the register has
it, under the id that the command was given when it was said, so entering it again changes nothing.

Nothing here may import more than the standard library and tinydb: the board opens with it.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from tinydb import TinyDB
from tinydb.table import Document

from register.disk import sync_folder
from register.paper import Unreadable, held, look, sweep
from register.provisional import SIGN

FORMAT: Final = 1
WAIT: Final = 5.0
"""Seconds that one process waits for another one of the same person to be done with a file."""
_MOST_IN_ONE: Final = 100
"""Entries of a file; it is written whole for each."""
_REMEMBERED: Final = 500
"""So many of those that were entered are known by their provisional number still."""
_BOOK: Final = "book.json"
_DAMAGED: Final = ".damaged"


class NotKept(Exception):
    """The spool could not take it. The sentence says why."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One command that waits. `fields` are as JSON has them, without target and command id.

    no: 1 for ~1. said_at: epoch s. source: the door it came through.
    target: the incident it is about. about: the command id of the entry that it is about instead.
    refused: why the register did not take it; a person decides then. "" while it simply waits.
    """

    no: int
    register_id: str
    command_id: str
    verb: str
    fields: Mapping[str, Any]
    said_at: float
    source: str
    target: str = ""
    about: str = ""
    refused: str = ""
    file: str = ""

    @property
    def name(self) -> str:
        return f"{SIGN}{self.no}"


@dataclass(frozen=True, slots=True)
class Looked:
    """What lies in the spool, in the order it was said; and what could not be read, a sentence each."""

    entries: tuple[Entry, ...] = ()
    faults: tuple[str, ...] = ()
    entered: Mapping[int, str] = field(default_factory=dict)  # numbers of incidents by provisional number

    def named(self, name: str) -> Entry | None:
        return next((one for one in self.entries if one.name == name), None)

    def meant(self, name: str) -> tuple[str, str] | None:
        """Return what a provisional number stands for: an incident's number, or the id of the entry that
        will make it; None where it stands for nothing any more."""
        found = self.named(name)
        if found is not None:
            return (found.target, found.about or ("" if found.target else found.command_id))
        number = self.entered.get(int(name[1:]))
        return None if number is None else (number, "")

    def waiting(self) -> tuple[Entry, ...]:
        """Those that are entered as soon as the register answers."""
        return tuple(entry for entry in self.entries if not entry.refused)

    def refused(self) -> tuple[Entry, ...]:
        """Those that wait for a person."""
        return tuple(entry for entry in self.entries if entry.refused)


def folder_beside(live_path: Path) -> Path:
    return live_path.with_name("spool")


class Spool:
    """One person's spool for one register, as this process uses it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._own: Path | None = None

    def is_empty(self) -> bool:
        """Whether there is nothing to be read at all: quick, for every start asks it."""
        try:
            return not any(_is_entries(name) for name in os.listdir(self.folder))
        except OSError:
            return True

    def look(self) -> Looked:
        """Return what is there. A damaged file is put aside, where nothing touches it, and told."""
        entries: list[Entry] = []
        faults: list[str] = []
        for path in self._files():
            try:
                entries += _entries(path)
            except FileNotFoundError:
                continue  # it was entered meanwhile
            except Unreadable as why:
                faults.append(_put_aside(path, why))
            except OSError as error:
                faults.append(f"{path} cannot be read ({error.strerror}): what is kept in it waits there.")
        faults += [_aside(path) for path in sorted(self.folder.glob(f"*{_DAMAGED}"))]
        entries.sort(key=lambda entry: (entry.no, entry.command_id))
        return Looked(tuple(entries), tuple(dict.fromkeys(faults)), self._entered())

    def keep(self, entry: Entry) -> Entry:
        """Write an entry and return it with its number, once it is on the disk; raises NotKept.

        What was kept under the same command id before stays as it is, and is returned.
        """
        try:
            self._make_folder()
            with self._book() as book:
                known = self.look().entries
                same = next((one for one in known if one.command_id == entry.command_id), None)
                if same is not None:
                    return same
                no = max([_last(book), *(one.no for one in known)]) + 1
                kept = replace(entry, no=no, file=self._write(replace(entry, no=no)))
                _set_last(book, no)
                return kept
        except (OSError, Unreadable) as error:
            why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            raise NotKept(f"It could not be kept in the spool either ({self.folder}: {why}).") from error

    def is_entered(self, entry: Entry, number: str | None) -> None:
        """The register has it: note under which number, then let the entry go."""
        with self._book() as book:
            done = book.table("entered")
            if number is not None and entry.verb and not done.contains(doc_id=entry.no):
                done.insert(Document({"number": number, "command_id": entry.command_id}, doc_id=entry.no))
                old = sorted(one.doc_id for one in done.all())[:-_REMEMBERED]
                if old:
                    done.remove(doc_ids=old)
        self.drop(entry)

    def drop(self, entry: Entry) -> bool:
        """Take an entry away; whether it was there."""
        with self._file_of(entry) as file:
            if file is None or not file.table("entries").contains(doc_id=entry.no):
                return False
            entries = file.table("entries")
            if len(entries) > 1:
                entries.remove(doc_ids=[entry.no])
            else:
                (self.folder / entry.file).unlink(missing_ok=True)
                sync_folder(self.folder)
        return True

    def mark(self, entry: Entry, refused: str, target: str | None = None) -> None:
        """Note why the register did not take it; "" lets it be tried again. target: about which instead."""
        with self._file_of(entry) as file:
            if file is not None and file.table("entries").contains(doc_id=entry.no):
                other = {} if target is None else {"target": target, "about": ""}
                file.table("entries").update({"refused": refused} | other, doc_ids=[entry.no])

    @contextlib.contextmanager
    def replaying(self) -> Iterator[bool]:
        """Be the only one who enters, so that the order holds; False where another one is at it."""
        self._make_folder()
        sweep(self.folder)
        with held(self.folder / "replay.json") as file:
            yield file is not None

    # Files

    def _make_folder(self) -> None:
        self.folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.folder.mkdir(mode=0o700, exist_ok=True)

    def _files(self) -> list[Path]:
        try:
            names = sorted(name for name in os.listdir(self.folder) if _is_entries(name))
        except OSError:
            return []
        return [self.folder / name for name in names]

    def _write(self, entry: Entry) -> str:
        """Write into this process's own file; into a new one where it is full, or held by who enters."""
        document = {"v": FORMAT} | {name: getattr(entry, name) for name in _KEPT}
        for _ in range(3):
            path = self._own or self.folder / f"{os.getpid()}-{secrets.token_hex(4)}.json"
            with held(path) as file:
                if file is not None and len(file.table("entries")) < _MOST_IN_ONE:
                    file.table("entries").insert(Document(document, doc_id=entry.no))
                    self._own = path
                    return path.name
            self._own = None
        raise OSError(f"{self.folder} is not to be written")

    @contextlib.contextmanager
    def _file_of(self, entry: Entry) -> Iterator[TinyDB | None]:
        path = self.folder / entry.file
        with held(path, wait=WAIT, make=False) as file:
            yield file

    @contextlib.contextmanager
    def _book(self) -> Iterator[TinyDB]:
        path = self.folder / _BOOK
        try:
            with held(path, wait=WAIT) as book:
                if book is None:
                    raise OSError(f"another Muster of yours holds {path}")
                yield book
        except Unreadable as why:
            _put_aside(path, why)  # it is for convenience: numbers go on behind the highest one that waits
            with held(path, wait=WAIT) as book:
                if book is None:
                    raise OSError(f"another Muster of yours holds {path}") from None
                yield book

    def _entered(self) -> dict[int, str]:
        try:
            known = look(self.folder / _BOOK).get("entered", {})
            return {int(no): str(one["number"]) for no, one in known.items()}
        except (OSError, Unreadable, ValueError, TypeError, KeyError):
            return {}


_KEPT: Final = tuple(name for name in Entry.__dataclass_fields__ if name != "file")
_SHAPE: Final[Mapping[str, type | tuple[type, ...]]] = {
    "no": int,
    "register_id": str,
    "command_id": str,
    "verb": str,
    "fields": dict,
    "said_at": (int, float),
    "source": str,
    "target": str,
    "about": str,
    "refused": str,
}


def _is_entries(name: str) -> bool:
    return name.endswith(".json") and name[:1].isdigit()


def _entries(path: Path) -> list[Entry]:
    """Return the entries of one file; raises OSError and Unreadable."""
    found = look(path).get("entries", {})
    if any(isinstance(one, dict) and one.get("v") != FORMAT for one in found.values()):
        raise Unreadable(f"{path} was written by another version of Muster, which can enter what is in it.")
    if not all(_is_entry(key, one) for key, one in found.items()):
        raise Unreadable(f"{path} cannot be read: it is damaged.")
    return [Entry(**{name: one[name] for name in _KEPT}, file=path.name) for one in found.values()]


def _is_entry(key: str, one: Any) -> bool:
    return (
        isinstance(one, dict)
        and all(isinstance(one.get(name), kind) for name, kind in _SHAPE.items())
        and key == str(one["no"])
    )


def _put_aside(path: Path, why: Unreadable) -> str:
    """Rename a damaged file, so that it is neither read nor written again; what is not ours stays."""
    if "damaged" not in str(why) and "no file of ours" not in str(why):
        return str(why)
    aside = path.with_name(f"{path.name}{_DAMAGED}")
    with contextlib.suppress(OSError):
        os.replace(path, aside)
        sync_folder(path.parent)
    return _aside(aside)


def _aside(path: Path) -> str:
    return (
        f"{path} is damaged: what is in it was not entered. Look into it, log by hand what is missing, then"
        " remove it."
    )


def _last(book: TinyDB) -> int:
    found: Any = book.table("numbers").get(doc_id=1)
    last = found.get("last") if isinstance(found, dict) else None
    return last if isinstance(last, int) else 0


def _set_last(book: TinyDB, no: int) -> None:
    book.table("numbers").upsert(Document({"last": no}, doc_id=1))


def entry(
    register_id: str,
    command_id: str,
    verb: str,
    fields: Mapping[str, Any],
    *,
    source: str,
    target: str = "",
    about: str = "",
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Entry:
    """Return an entry that is said now and has no number yet."""
    return Entry(
        no=0,
        register_id=register_id,
        command_id=command_id,
        verb=verb,
        fields=dict(fields),
        said_at=clock().timestamp(),
        source=source,
        target=target,
        about=about,
    )


def notes_on(entries: Sequence[Entry], about: Entry) -> list[Entry]:
    """Return those that are about this one."""
    return [one for one in entries if one.about == about.command_id]
