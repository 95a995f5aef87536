"""The working set: each board's open incidents as slim rows, in memory in TinyDB and in `live.json`.

It is a copy for reading and never the record. It gives the first paint before the database driver is
imported, and it is what the board still shows when the database cannot be reached. Nothing here may
import more than the standard library and tinydb: the first paint waits for it.

A row is a plain dict of at most 400 bytes (`n` is the number without its prefix, and TinyDB's doc_id)::

    {"number": "INC-7", "n": 7, "title": str, "p": 1..5, "state": "New", "hold": "vendor" | None,
     "owner": "p3" | None, "acked": bool, "team": str, "service": str, "category": str,
     "opened": epoch s, "updated": epoch s, "due": epoch s | None, "restricted": bool,
     "firing": True, only where the alert that opened it still fires,
     "mute": until when nobody is paged for it (epoch s), only where it is silenced,
     "run": [paging, steps taken, the next one (0: none), of how many, when it is due (epoch s) | None], only
     where an escalation runs,
     "masked": True, only where this reader may not see the incident: all but the number is empty then,
     "bonds": [[vendor, state, ball, ball since (epoch s), their key, FLAG], …]}

FLAG is "ok", "ask" (a person is asked something), "call", "?" (in doubt) or "dead" (given up).
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from tinydb import TinyDB
from tinydb.storages import Storage
from tinydb.table import Document

from register.disk import replace_file

Row = dict[str, Any]

FORMAT: Final = 2
SAVE_EVERY: Final = 30.0
"""Seconds between two writings of live.json."""
MAX_BYTES: Final = 256 * 1024 * 1024
"""A larger live.json is not ours."""

_ROW_SHAPE: Final[Mapping[str, type | tuple[type, ...]]] = {
    "number": str,
    "n": int,
    "title": str,
    "p": int,
    "state": str,
    "hold": (str, type(None)),
    "owner": (str, type(None)),
    "acked": bool,
    "team": str,
    "service": str,
    "category": str,
    "opened": (int, float),
    "updated": (int, float),
    "due": (int, float, type(None)),
    "restricted": bool,
    "bonds": list,
}
NEEDED: Final = frozenset(_ROW_SHAPE)
"""What a row must have to be shown."""
_RUN_SHAPE: Final[tuple[type | tuple[type, ...], ...]] = (str, int, int, int, (int, float, type(None)))
_BOND_SHAPE: Final[tuple[type | tuple[type, ...], ...]] = (str, str, str, (int, float), str, str)


def live_path(register_url: str) -> Path:
    """Return where this person's copy of that register's open incidents is kept."""
    from platformdirs import user_state_dir

    name = hashlib.sha256(register_url.encode()).hexdigest()[:16]
    return Path(user_state_dir("muster")) / name / "live.json"


class Snapshot(Storage):
    """TinyDB storage that reads its file once, lives in memory, and is written whole when told."""

    def __init__(self, path: str) -> None:
        self.path = Path(path)
        self._data: dict[str, dict[str, Any]] = _read(self.path)
        self.dirty = False

    def read(self) -> dict[str, dict[str, Any]]:
        return self._data

    def write(self, data: dict[str, dict[str, Any]]) -> None:
        self._data = data
        self.dirty = True

    def flush(self) -> None:
        """Write the file so that a reader finds the old one or the new one, whole; raises OSError."""
        text = json.dumps(self._data, ensure_ascii=False, separators=(",", ":"))
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        replace_file(self.path, text.encode("utf-8", "replace"), ".live-")
        self.dirty = False


class Live:
    """The open incidents as this board knows them, and as of when."""

    def __init__(self, storage_path: Path) -> None:
        self._db = TinyDB(str(storage_path), storage=Snapshot)
        self._incidents = self._db.table("incidents", cache_size=0)
        self._rows: dict[str, Row] = {row["number"]: row for row in self._stored().values()}
        self._listed: list[Row] | None = None
        self._waiting: dict[str, Row] = {}  # in the spool: shown, and never written here
        about = self._about()
        self.seq = int(about.get("seq", 0))
        self.register_id = str(about.get("register_id", ""))
        self.saved_at: float = about.get("saved_at", 0.0)
        self.me: str | None = about.get("me")
        self.seen_as = str(about.get("seen_as", ""))  # with whose eyes the rows were read
        self.people: dict[str, str] = dict(about.get("people", {}))
        self._saved_clock = time.monotonic()

    @classmethod
    def open(cls, path: Path) -> Live:
        """Return what `path` holds; a missing, half-written or foreign file is an empty working set."""
        return cls(path)

    @classmethod
    def nowhere(cls) -> Live:
        """Return an empty working set that is never written."""
        return cls(Path(os.devnull))

    @property
    def rows(self) -> list[Row]:
        """All rows, in no promised order. They are the working set's own: do not change them."""
        if self._listed is None:
            self._listed = [*self._rows.values(), *self._waiting.values()]
        return self._listed

    def row(self, number: str) -> Row | None:
        return self._rows.get(number) or self._waiting.get(number)

    def show_waiting(self, rows: Iterable[Row]) -> frozenset[str]:
        """Take over the rows of what waits in the spool; return the provisional numbers that differ now."""
        before, self._waiting = self._waiting, {row["number"]: row for row in rows}
        self._listed = None
        both = before.keys() | self._waiting.keys()
        return frozenset(name for name in both if before.get(name) != self._waiting.get(name))

    def apply(
        self, changed: Iterable[Row], gone: Iterable[str], people: Mapping[str, str] | None, seq: int
    ) -> frozenset[str]:
        """Take over one tick's changes in one go and return the numbers that really differ now.

        changed: rows as they are now, new ones among them.
        gone: numbers of incidents that are not open any more; unknown ones are passed over.
        people: names by id, added to those known; None when none changed.
        seq: the feed's position that this brings the copy to.
        """
        put = {row["number"]: row for row in changed if self._rows.get(row["number"]) != row}
        dropped = {number for number in gone if number in self._rows and number not in put}
        out = [self._rows[number]["n"] for number in (*put, *dropped) if number in self._rows]
        if out:
            self._incidents.remove(doc_ids=out)
        if put:
            self._incidents.insert_multiple(Document(row, doc_id=row["n"]) for row in put.values())
            stored = self._stored()  # TinyDB has made copies: hold these alone
            self._rows.update((number, stored[str(row["n"])]) for number, row in put.items())
        for number in dropped:
            del self._rows[number]
        if put or dropped:
            self._listed = None
        self.seq = seq
        self.people.update(people or {})
        return frozenset(put) | frozenset(dropped)

    def belongs_to(self, register_id: str) -> frozenset[str]:
        """Keep the copy only if it is of that register; return the numbers that were dropped."""
        if self.register_id == register_id:
            return frozenset()
        gone = frozenset(self._rows)
        self._incidents.truncate()
        self._rows, self._listed = {}, None
        self.people, self.seq, self.me, self.register_id = {}, 0, None, register_id
        return gone

    def save(self, now: float | None = None) -> None:
        """Write live.json, readable by its owner alone; raises OSError."""
        self.saved_at = time.time() if now is None else now
        about = self._db.table("meta")
        about.truncate()
        about.insert(
            Document(
                {
                    "format": FORMAT,
                    "seq": self.seq,
                    "register_id": self.register_id,
                    "saved_at": self.saved_at,
                    "me": self.me,
                    "seen_as": self.seen_as,
                },
                doc_id=1,
            )
        )
        names = self._db.table("people")
        names.truncate()
        names.insert(Document({"names": dict(self.people)}, doc_id=1))
        self._storage.flush()
        self._saved_clock = time.monotonic()

    def save_if_due(self) -> bool:
        """Write live.json unless it was written less than 30 s ago; say whether it was."""
        if time.monotonic() - self._saved_clock < SAVE_EVERY:
            return False
        self.save()
        return True

    def _stored(self) -> dict[str, Row]:
        """The rows as TinyDB holds them, by doc_id; `all()` would copy each."""
        return self._storage.read().get("incidents", {})

    @property
    def _storage(self) -> Snapshot:
        storage = self._db.storage
        assert isinstance(storage, Snapshot)  # noqa: S101 - tells the type checker what __init__ made
        return storage

    def _about(self) -> dict[str, Any]:
        data = self._storage.read()
        about = dict(data.get("meta", {}).get("1", {}))
        about["people"] = data.get("people", {}).get("1", {}).get("names", {})
        return about


def _read(path: Path) -> dict[str, dict[str, Any]]:
    """Return the tables of a live.json of ours, or no tables."""
    try:
        if path.stat().st_size > MAX_BYTES:
            return {}
        data = json.loads(path.read_bytes())
        return data if _is_ours(data) else {}
    except (OSError, ValueError, RecursionError):
        return {}


def _is_ours(data: Any) -> bool:
    """Whether every row can be shown as it is; one that cannot makes the whole file foreign."""
    try:
        meta, names = data["meta"]["1"], data["people"]["1"]["names"]
        incidents = data.get("incidents", {})
        return bool(
            meta["format"] == FORMAT
            and isinstance(meta["seq"], int)
            and isinstance(meta["register_id"], str)
            and isinstance(meta["saved_at"], (int, float))
            and isinstance(meta["me"], (str, type(None)))
            and all(isinstance(name, str) for name in names.values())
            and all(_is_row(key, row) for key, row in incidents.items())
        )
    except (AttributeError, KeyError, TypeError):
        return False


def _is_row(key: str, row: Any) -> bool:
    return (
        all(isinstance(row[name], kind) for name, kind in _ROW_SHAPE.items())
        and key == str(row["n"])
        and all(_has_shape(bond, _BOND_SHAPE) for bond in row["bonds"])
        and isinstance(row.get("mute", 0), int)
        and ("run" not in row or _has_shape(row["run"], _RUN_SHAPE))
    )


def _has_shape(given: Any, shape: tuple[type | tuple[type, ...], ...]) -> bool:
    return (
        isinstance(given, list)
        and len(given) >= len(shape)
        and all(isinstance(value, kind) for value, kind in zip(given, shape, strict=False))
    )
