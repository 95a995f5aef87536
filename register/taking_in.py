"""Reading files of incidents: JSON Lines as `muster export` writes them, or CSV with a column map.

Line by line, in memory that does not grow. What cannot be read is a fault of its line, and the next is read.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import IO, Any, Final
from zoneinfo import ZoneInfo

from register.text import MAX_TEXT, clip, one_line

LONGEST: Final = 8 * 1024 * 1024
"""Bytes of one line."""
FIELDS: Final = (
    *("number", "title", "state", "impact", "urgency", "service", "category", "visibility", "reporter"),
    *("caller", "owner", "opened_at", "acknowledged_at", "resolved_at", "closed_at", "hold", "resolution"),
    *("cause", "description"),
)
"""What a column may be taken for."""
_PEOPLE: Final = ("owner", "caller", "reporter")
_STATES: Final = {
    "new": "New",
    "in progress": "In Progress",
    "on hold": "On Hold",
    "resolved": "Resolved",
    "closed": "Closed",
    "canceled": "Canceled",
    "cancelled": "Canceled",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One incident of a file, or why it is none. `at` is the line's number."""

    at: int
    fields: Mapping[str, Any] | None
    fault: str = ""


class NotOurs(Exception):
    """The file as a whole cannot be read. The sentence says why."""


def json_lines(file: IO[bytes]) -> tuple[str, Iterator[Line]]:
    """Return the register that a file was exported from, and its lines; raises NotOurs."""
    head = _loaded(file.readline(LONGEST))
    if not isinstance(head, dict) or head.get("muster") != "export" or not head.get("register"):
        raise NotOurs("This is no export of Muster: its first line does not say of which register it is.")
    if head.get("version") != 1:
        raise NotOurs(f"This export is of version {head.get('version')!r}; this program reads version 1.")
    return str(head["register"]), _each(file)


def _each(file: IO[bytes]) -> Iterator[Line]:
    at = 1
    while raw := file.readline(LONGEST):
        at += 1
        if not raw.strip():
            continue
        if len(raw) == LONGEST and not raw.endswith(b"\n"):
            while (rest := file.readline(LONGEST)) and not rest.endswith(b"\n"):
                pass
            yield Line(at, None, f"it has more than {LONGEST:,} bytes")
            continue
        found = _loaded(raw)
        if not isinstance(found, dict):
            yield Line(at, None, "this is no JSON object in UTF-8: was the file cut or edited?")
            continue
        yield Line(at, _of_export(found))


def _loaded(raw: bytes) -> Any:
    try:
        return json.loads(raw.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return None


def _of_export(found: Mapping[str, Any]) -> dict[str, Any]:
    """What an exported incident says, in the words of an import. People are told by their logins."""
    fields: dict[str, Any] = {name: found[name] for name in FIELDS if found.get(name) not in (None, "")}
    logins = found.get("logins")
    for name in _PEOPLE:
        if isinstance(logins, dict) and logins.get(name):
            fields[name] = logins[name]
    if isinstance(found.get("hold"), dict):
        fields["hold"] = found["hold"].get("reason")
    timeline = found.get("timeline")
    events = [one for one in timeline if isinstance(one, dict)] if isinstance(timeline, list) else []
    if events and isinstance(events[0].get("data"), dict):
        fields.setdefault("description", events[0]["data"].get("description") or "")
    fields["story"] = clip("\n".join(map(_told, events)), MAX_TEXT)
    return fields


def _told(event: Mapping[str, Any]) -> str:
    data = event.get("data")
    words = [
        str(data[name])
        for name in ("description", "text", "notes", "note", "reason", "message", "body", "story")
        if isinstance(data, dict) and data.get(name)
    ]
    head = f"{event.get('at')} {event.get('actor')}: {event.get('kind')}"
    return one_line(f"{head}: {' '.join(words)}" if words else head)


def csv_rows(file: IO[bytes], columns: Mapping[str, str], zone: ZoneInfo) -> Iterator[Line]:
    """Yield the rows of a CSV file; columns: which field each column is. Raises NotOurs.

    A column of a field's own name need not be mapped. zone: of times that name none.
    """
    csv.field_size_limit(MAX_TEXT * 4)
    reader = csv.reader(io.TextIOWrapper(file, "utf-8-sig", errors="surrogateescape", newline=""))
    head = [name.strip() for name in next(reader, [])]
    places = {at: columns.get(name, name.casefold().replace(" ", "_")) for at, name in enumerate(head)}
    known = {at: field for at, field in places.items() if field in FIELDS}
    missing = set(columns) - set(head)
    if missing:
        raise NotOurs(f"There is no column {', '.join(sorted(missing))}; the file has: {', '.join(head)}.")
    for needed in ("title", "opened_at"):
        if needed not in known.values():
            raise NotOurs(f"No column is the {needed}: name one with --map COLUMN={needed}.")
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield Line(reader.line_num, None, f"{error}")
            continue
        if any(cell.strip() for cell in row):
            yield _of_row(reader.line_num, row, known, zone)


def _of_row(at: int, row: list[str], known: Mapping[int, str], zone: ZoneInfo) -> Line:
    fields: dict[str, Any] = {
        known[n]: cell.strip() for n, cell in enumerate(row) if n in known and cell.strip()
    }
    if any(not cell.isascii() and "\udc80" <= max(cell) <= "\udcff" for cell in fields.values()):
        return Line(at, None, "this is not UTF-8 text")
    for name in ("state", "impact", "urgency", "visibility", "hold"):
        if name in fields:
            fields[name] = _STATES.get(fields[name].casefold(), fields[name].casefold())
    for name in (name for name in fields if name.endswith("_at")):
        fields[name] = _zoned(fields[name], zone)
    content = hashlib.sha256("\0".join(row).encode("utf-8", "replace")).hexdigest()
    fields.setdefault("number", f"row {content[:12]}")
    return Line(at, fields)


def _zoned(text: str, zone: ZoneInfo) -> Any:
    """A time without a zone is of the zone that was named; what is no time is told by the command."""
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        return text
    return read if read.tzinfo is not None else read.replace(tzinfo=zone)
