"""How things stand, at the moment of sending, with what a sending takes along: is it still to leave?"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import orjson
from sqlalchemy import and_, select

from register.row import number_of
from register.store import outbox
from register.store import tables as t
from register.store.contracts import is_wanted
from register.store.outbox import Sending
from register.store.store import Store


@dataclass(frozen=True, slots=True)
class Stands:
    """restricted: the incident is. wiped: something that it quotes was redacted.

    label: of its file, "" where the file was taken away, None where it takes none.
    over: it was to remind of something that is over.
    """

    restricted: bool = False
    wiped: bool = False
    label: str | None = None
    over: bool = False


PLAIN: Final = Stands()


def claim(store: Store, *about: Any) -> list[tuple[Sending, Stands]]:
    """Take what is due as `outbox.claim` does, and look at what it takes along."""
    rows = outbox.claim(store, *about)
    found = stand(store, rows)
    return [(row, found.get(row.row_id, PLAIN)) for row in rows]


def stand(store: Store, rows: Iterable[Sending]) -> dict[str, Stands]:
    """Return how things stand with these rows, by their ids, where there is anything to say of one."""
    some = list(rows)
    if not some:
        return {}
    numbers = {number_of(row.incident) for row in some}
    taken = {row.row_id: _taken(row) for row in some}
    quoted = {int(seq) for told in taken.values() for seq in told.get("quotes", ())}
    files = {str(told["file"]) for told in taken.values() if "file" in told}
    incident, event, file = t.incident.c, t.event.c, t.attachment.c
    with store.read() as connection:
        query = select(incident.n).where(and_(incident.n.in_(numbers), incident.restricted == 1))
        hidden = set(connection.execute(query).scalars())
        wiped: set[int] = set()
        labels: dict[str, str] = {}
        if quoted:
            gone = select(event.seq).where(and_(event.seq.in_(quoted), event.data.is_(None)))
            wiped = set(connection.execute(gone).scalars())
        if files:
            there = select(file.id, file.label).where(file.id.in_(files))
            labels = {row.id: row.label for row in connection.execute(there)}
    found = {
        row.row_id: Stands(
            restricted=number_of(row.incident) in hidden,
            wiped=any(int(seq) in wiped for seq in taken[row.row_id].get("quotes", ())),
            label=labels.get(str(taken[row.row_id]["file"]), "") if "file" in taken[row.row_id] else None,
            over="about" in taken[row.row_id] and not is_wanted(store, row),
        )
        for row in some
    }
    return {row_id: stands for row_id, stands in found.items() if stands != PLAIN}


def _taken(row: Sending) -> dict[str, Any]:
    """The part of a payload that names other things; most name none, and are not read."""
    if not any(name in row.payload for name in ('"quotes"', '"file"', '"about"')):
        return {}
    found: dict[str, Any] = orjson.loads(row.payload)
    return found
