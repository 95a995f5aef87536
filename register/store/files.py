"""Attached files in the tables: bytes once by their digest, and a row for each place that has them.

Bytes are written before the event that attaches them, in a transaction of their own that takes no lock on the
head; who dies in between leaves bytes that nothing has, and the next attaching or `sweep` takes them out.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, and_, select

from register.canon import moment
from register.core import Refused
from register.row import number_of
from register.store import tables as t
from register.store.carry import Writing, carry
from register.store.folding import events_of
from register.store.scrub import wipes
from register.store.store import Store
from register.topics.files import Attached, DropFile, PutFile, held

_F: Final = t.attachment.c
_COMPARED: Final = ("name", "media_type", "size", "sha256", "label")


class BytesGone(Refused):
    """The bytes went with the last place that had them, between being written and being attached."""


@dataclass(frozen=True, slots=True)
class File:
    """One attached file. added_by: a person's id."""

    id: str
    number: str
    name: str
    media_type: str
    size: int
    sha256: str
    label: str
    added_by: str
    added_at: datetime


def put_bytes(store: Store, digest: str, content: bytes) -> None:
    """Have these bytes in the register, once; without a lock on the head."""
    with store.rows_only() as connection:
        row = {"sha256": digest, "size": len(content), "bytes": content}
        connection.execute(t.insert(connection, t.blob).values(row).on_conflict_do_nothing())


@carry.register
def _(effect: PutFile, transaction: Writing, now: str) -> None:
    connection = transaction.connection
    there = select(t.blob.c.size).where(t.blob.c.sha256 == effect.sha256).with_for_update()
    if connection.execute(there).first() is None:
        raise BytesGone("The file's bytes are not in the register. Nothing was attached: attach it again.")
    added_by = select(t.event.c.actor).where(
        and_(t.event.c.stream == effect.incident, t.event.c.command_id == effect.file)
    )
    connection.execute(
        t.attachment.insert(),
        {
            "id": effect.file,
            "incident": number_of(effect.incident),
            "name": effect.name,
            "media_type": effect.media_type,
            "size": effect.size,
            "sha256": effect.sha256,
            "label": effect.label,
            "added_by": connection.execute(added_by.limit(1)).scalar_one(),
            "added_at": now,
        },
    )


@carry.register
def _(effect: DropFile, transaction: Writing, now: str) -> None:
    transaction.wiped = True
    drop(transaction.connection, [effect.file])


def drop(connection: Connection, files: Iterable[str]) -> None:
    """Take these rows out, and the bytes that nothing has any more."""
    wipes(connection)
    for file in files:
        digest = connection.execute(select(_F.sha256).where(_F.id == file)).scalar_one_or_none()
        connection.execute(t.attachment.delete().where(_F.id == file))
        if digest is not None:
            others = select(_F.id).where(_F.sha256 == digest).exists()
            connection.execute(t.blob.delete().where(and_(t.blob.c.sha256 == digest, ~others)))


def made_anew(connection: Connection, stream: str, events: Iterable[Any]) -> None:
    """Bring an incident's rows to what its events say, after some of them lost their texts."""
    left = held(event.event for event in events)
    rows = connection.execute(select(_F.id).where(_F.incident == number_of(stream))).scalars()
    drop(connection, [file for file in list(rows) if file not in left])
    for file, event in left.items():
        connection.execute(t.attachment.update().where(_F.id == file), {"name": event.name})


def files_of(connection: Connection, number: str) -> list[File]:
    """Return what is attached to an incident, oldest first."""
    columns = (_F.id, _F.name, _F.media_type, _F.size, _F.sha256, _F.label, _F.added_by, _F.added_at)
    query = select(*columns).where(_F.incident == number_of(number)).order_by(_F.added_at, _F.id)
    return [
        File(**(dict(row._mapping) | {"number": number, "added_at": moment(row.added_at)}))
        for row in connection.execute(query)
    ]


def content_of(store: Store, file: File) -> bytes:
    """Return a file's bytes; raises Refused where they are not what was attached."""
    query = select(t.blob.c.bytes).where(t.blob.c.sha256 == file.sha256)
    with store.read() as connection:
        found = connection.execute(query).scalar_one_or_none()
    content = b"" if found is None else bytes(found)
    if found is None or hashlib.sha256(content).hexdigest() != file.sha256:
        raise Refused(
            f"The bytes of {file.name} are not those that were attached: `muster verify` tells more."
            " Nothing was written; a backup may have them."
        )
    return content


def bytes_of(store: Store, digest: str) -> bytes | None:
    """What the register has under a digest, or None."""
    with store.read() as connection:
        found = connection.execute(
            select(t.blob.c.bytes).where(t.blob.c.sha256 == digest)
        ).scalar_one_or_none()
    return None if found is None else bytes(found)


def sweep(store: Store) -> int:
    """Take out bytes that nothing has, left by who died while attaching; return how many there were."""
    nowhere = ~select(_F.id).where(_F.sha256 == t.blob.c.sha256).exists()
    with store.rows_only() as connection:
        return int(connection.execute(t.blob.delete().where(nowhere)).rowcount)


def faults_in(connection: Connection) -> Iterator[str]:
    """Yield what is wrong with attached files: bytes that are others, rows that no event tells of."""
    for digest in list(connection.execute(select(t.blob.c.sha256).order_by(t.blob.c.sha256)).scalars()):
        row = connection.execute(select(t.blob.c.size, t.blob.c.bytes).where(t.blob.c.sha256 == digest)).one()
        if hashlib.sha256(row.bytes).hexdigest() != digest or len(row.bytes) != row.size:
            yield f"The file with the digest {digest[:12]}… has other bytes than those that were attached."
    told = _told(connection)
    rows = {row.id: row._mapping for row in connection.execute(select(t.attachment))}
    for file in sorted(rows.keys() - told.keys()):
        yield f"INC-{rows[file]['incident']} has the file {file}, of which its events say nothing."
    for file, (stream, event) in told.items():
        there = rows.get(file)
        if there is None or there["incident"] != number_of(stream):
            yield f"{stream} should have the file {file}, and has not."
            continue
        said = event.model_dump(mode="json")
        wrong = [name for name in _COMPARED if there[name] != said[name]]
        if wrong:
            yield f"{stream}: its file {file} is otherwise than its events say ({', '.join(wrong)})."
    nowhere = select(_F.id).where(_F.sha256.not_in(select(t.blob.c.sha256)))
    for file in connection.execute(nowhere).scalars():
        yield f"The bytes of the file {file} are gone."


def _told(connection: Connection) -> dict[str, tuple[str, Attached]]:
    """Return the files that events leave attached, with their incidents."""
    streams = select(t.event.c.stream).where(t.event.c.kind == Attached.kind).distinct()
    found: dict[str, tuple[str, Attached]] = {}
    for stream in list(connection.execute(streams).scalars()):
        events = events_of(connection, stream)
        found |= {file: (stream, event) for file, event in held(one.event for one in events).items()}
    return found
