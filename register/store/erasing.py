"""Erasing a person from the register: finding what quotes them, and taking it out, one stream at a time.

Whoever is interrupted begins again: the person's row, which knows the name, goes last.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any, Final

from sqlalchemy import Connection, or_, select

from register.core import NotFound, Principal, Refused
from register.desk import ServiceDesk
from register.forgetting import Quoted, is_short
from register.policy import Person
from register.row import number_of
from register.store import tables as t
from register.store.adopted import adopted
from register.store.people import find
from register.store.reading import incident_of
from register.store.scrub import compact, left_in_files
from register.store.store import Store
from register.store.transaction import POLICY
from register.text import clip, one_line
from register.topics.erasure import EraseIn, ErasePerson
from register.topics.privacy import Redacted

Progress = Callable[[int, int], None]
_AT_ONCE: Final = 5_000


@dataclass(slots=True)
class Erased:
    """What an erasure came to. Numbers are of incidents.

    names: that were looked for. short: those that were too short to look for. texts: events that were wiped.
    left: under legal hold, untouched. copies: suppliers that have it: vendor, ticket, incident.
    channels: by what they are paged: their key in the matrix, and the channel's name.
    files: names of files for a person to decide on, with their incidents. exports: who took out what, when.
    where: why something may be left in the database's files, or "". bytes: how often the name is still found
    in an SQLite register's files.
    """

    person: str
    kind: str = "person"
    names: tuple[str, ...] = ()
    short: tuple[str, ...] = ()
    texts: int = 0
    streams: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    copies: list[tuple[str, str, str]] = field(default_factory=list)
    channels: tuple[tuple[str, str], ...] = ()
    files: list[tuple[str, str, str]] = field(default_factory=list)
    exports: list[tuple[str, str, str]] = field(default_factory=list)
    where: str = ""
    bytes: int = 0

    @property
    def incidents(self) -> list[str]:
        return [stream for stream in self.streams if stream.startswith("INC-")]


def who_is(store: Store, said: str, also: Iterable[str] = ()) -> Erased:
    """Return who is meant and by which names they are known; raises NotFound and Refused."""
    with store.read() as connection:
        found = find(connection, said)
    if not found:
        raise NotFound(
            f"Nobody here has the id, login or name {clip(one_line(said), 40)!r}. Nothing was done:"
            " `muster show` tells names as they are written.",
            "person",
        )
    if len(found) > 1:
        told = ", ".join(f"{row.id} ({'a supplier' if row.kind != 'person' else 'ours'})" for row in found)
        raise Refused(
            f"{clip(one_line(said), 40)!r} may be several: {told}. Nothing was done: say the id.", "person"
        )
    row = found[0]
    key, person = _in_matrix(store, row)
    called = () if person is None else (person.name,)
    known = () if row.erased_at is not None else (row.login, row.name, *called)
    names = [name for name in dict.fromkeys((*known, *also)) if name.strip()]
    if not names:
        raise Refused(
            f"{row.id} is erased already. Nothing was done: --also NAME finds what quotes them still.",
            "also",
        )
    long = tuple(name for name in names if not is_short(name))
    short = tuple(name for name in names if name not in long)
    channels = () if person is None else tuple((key, channel) for channel in person.reach)
    return Erased(str(row.id), str(row.kind), long, short, channels=channels)


def _in_matrix(store: Store, row: Any) -> tuple[str, Person | None]:
    """Return who somebody of ours is in the adopted matrix: the key there, and what it says."""
    matrix = adopted(store).policy.matrix
    key = matrix.person(None, row.login) if row.kind == "person" else None
    if key is None:
        key = next((key for key, one in matrix.people.items() if one.login == row.login), None)
    return ("", None) if key is None else (key, matrix.people[key])


def quoting(
    store: Store, quoted: Quoted, after: int = 0, progress: Progress | None = None
) -> tuple[list[str], int, int]:
    """Return the streams whose events past `after` quote somebody, how many events do, and the last seq."""
    event, streams, texts = t.event.c, dict[str, None](), 0
    last, head = after, store.seq()
    while last < head:
        with store.read() as connection:
            query = select(event.seq, event.stream, event.data).where(event.seq > last)
            rows = connection.execute(query.order_by(event.seq).limit(_AT_ONCE)).all()
        for row in rows:
            if row.data is not None and quoted.in_json(row.data):
                streams[row.stream] = None
                texts += 1
        if not rows:
            break
        last = rows[-1].seq
        if progress is not None:
            progress(last - after, max(1, head - after))
    return list(streams), texts, last


def erase(
    desk: ServiceDesk,
    principal: Principal,
    found: Erased,
    reason: str,
    progress: Progress | None = None,
) -> Erased:
    """Take somebody out of the register; raises Refused before anything is written."""
    quoted = Quoted(found.names)
    if Quoted((*found.names, *found.short)).in_text(reason):
        raise Refused(
            "The reason says the name that is to go. Nothing was done: give one without it.", "reason"
        )
    streams, _, last = quoting(desk.store, quoted, 0, progress)
    _take_out(desk, principal, found, streams, progress)
    person = ErasePerson(person=found.person, reason=reason, names=found.names, left=tuple(found.left))
    desk.do(principal, person)
    desk.store.forget(found.person)
    while True:  # what others wrote meanwhile
        streams, _, last = quoting(desk.store, quoted, last)
        streams = [one for one in streams if one not in found.left]
        if not streams:
            break
        _take_out(desk, principal, found, streams, None)
    with desk.store.read() as connection:
        _tell(connection, found)
    found.where = compact(desk.store.engine)
    if desk.store.path is not None:
        found.bytes = left_in_files(desk.store.path, found.names)
    return found


def _take_out(
    desk: ServiceDesk,
    principal: Principal,
    found: Erased,
    streams: list[str],
    progress: Progress | None,
) -> None:
    in_order = sorted(streams, key=lambda stream: stream == POLICY)  # it knows what they are called: last
    for at, stream in enumerate(in_order, 1):
        command = EraseIn(stream=stream, person=found.person, names=found.names)
        receipt = desk.do(principal, command)
        wiped = [one.event for one in receipt.events if isinstance(one.event, Redacted)]
        if wiped:
            found.texts += sum(len(one.wiped) for one in wiped)
            found.streams += [stream] if stream not in found.streams else []
        elif _is_held(desk.store, stream) and stream not in found.left:
            found.left.append(stream)
        if progress is not None:
            progress(at, len(streams))


def _is_held(store: Store, stream: str) -> bool:
    incident = store.incident(stream) if stream.startswith("INC-") else None
    return incident is not None and incident.legal_hold


def look_for(store: Store, found: Erased, progress: Progress | None = None) -> Erased:
    """Return what an erasure would reach, and write nothing."""
    streams, texts, _ = quoting(store, Quoted(found.names), 0, progress)
    found = replace(found, texts=texts, streams=streams)
    found.left = [stream for stream in streams if _is_held(store, stream)]
    found.streams = [stream for stream in streams if stream not in found.left]
    with store.read() as connection:
        _tell(connection, found)
    return found


def _tell(connection: Connection, found: Erased) -> None:
    """What a person must see to: suppliers with copies, files, and what was taken out of the register."""
    numbers = sorted(number_of(one) for one in (*found.incidents, *found.left) if one.startswith("INC-"))
    for at in range(0, len(numbers), 500):
        some = numbers[at : at + 500]
        for row in connection.execute(
            select(t.incident.c.n, t.incident.c.doc).where(t.incident.c.n.in_(some))
        ):
            incident = incident_of(row.doc, row.n)
            for bond in incident.bonds:
                keys = [ref.key for ref in bond.known_refs] or [""]
                found.copies += [(bond.vendor, key, incident.number) for key in keys]
    file, few = t.attachment.c, numbers[:500]
    theirs = or_(file.added_by == found.person, file.incident.in_(few))
    files = connection.execute(select(file.id, file.incident, file.name).where(theirs))
    found.files += [(f"INC-{one.incident}", one.id, one.name) for one in files]
    person, event = t.person.c, t.event.c
    exported = select(event.seq, event.recorded_at, person.name).join(t.person, person.id == event.actor)
    exports = connection.execute(exported.where(event.kind == "exported"))
    found.exports += [(str(one.seq), one.recorded_at, one.name) for one in exports]
