"""Retention: incidents that have been over for as long as a rule says lose their texts and people.

Each is a transaction of its own, marked in its row: whoever is interrupted goes on where it ended.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any, Final

from sqlalchemy import Connection, and_, or_, select

from register.canon import stamp
from register.core import Principal, Refused
from register.desk import ServiceDesk
from register.incident import Incident
from register.policy import Matrix
from register.store import tables as t
from register.store.adopted import adopted
from register.store.files import sweep
from register.store.reading import incident_of
from register.store.scrub import compact
from register.store.transaction import Transaction
from register.topics.erasure import OVER, ErasePerson, Retire, is_due

Progress = Callable[[int, int], None]
REASON: Final = "a rule of retention: nothing of theirs is left"
_AT_ONCE: Final = 200


@dataclass(slots=True)
class Retired:
    """What a run came to. held: left, for they are under legal hold. waits: why others were left."""

    due: list[str] = field(default_factory=list)
    done: list[str] = field(default_factory=list)
    held: list[str] = field(default_factory=list)
    waits: list[str] = field(default_factory=list)
    people: list[str] = field(default_factory=list)
    rules: int = 0
    where: str = ""


def due(desk: ServiceDesk, now: datetime) -> Retired:
    """Return what is due, and write nothing."""
    matrix = adopted(desk.store, desk.policy).policy.matrix
    found = Retired(rules=len(matrix.retention))
    for some in _over(desk, matrix, now):
        for incident in some:
            (found.held if incident.legal_hold else found.due).append(incident.number)
    return found


def retire(
    desk: ServiceDesk,
    principal: Principal,
    now: datetime,
    progress: Progress | None = None,
    most: int | None = None,
    *,
    whole_file: bool = True,
) -> Retired:
    """Take texts and people out of what is due.

    most: so many incidents at the most that were not refused. whole_file: write the file anew at the end,
    for which all others wait.
    """
    found = due(desk, now)
    numbers = found.due
    for at, number in enumerate(numbers, 1):
        if len(found.done) == most:
            break
        try:
            desk.do(principal, Retire(target=number))
        except Refused as refused:  # put under hold meanwhile, or something of it is on its way
            found.waits.append(refused.sentence)
            continue
        found.done.append(number)
        if progress is not None:
            progress(at, len(numbers))
    with desk.store.read() as connection:
        people = sorted(_nowhere_else(connection, _callers(connection)))
        seen = int(connection.execute(select(t.head.c.seq)).scalar_one())
    for person in people:
        gone = ErasePerson(person=person, reason=REASON)
        if desk.do_if(principal, gone, partial(_is_still_nowhere_else, person, seen)) is not None:
            found.people.append(person)
    sweep(desk.store)
    if found.done and whole_file:
        found.where = compact(desk.store.engine)
    return found


def _over(desk: ServiceDesk, matrix: Matrix, now: datetime) -> Iterator[list[Incident]]:
    """Yield incidents for which a rule says so, in steps."""
    if not matrix.retention:
        return
    edge = stamp(now - min(rule.after for rule in matrix.retention))
    row, last = t.incident.c, 0
    asked = and_(row.retired == 0, row.closed_at <= edge, row.state.in_([state.value for state in OVER]))
    while True:
        query = select(row.n, row.doc).where(and_(asked, row.n > last)).order_by(row.n).limit(_AT_ONCE)
        with desk.store.read() as connection:
            rows = connection.execute(query).all()
        if not rows:
            return
        last = rows[-1].n
        yield [one for one in (incident_of(row.doc, row.n) for row in rows) if is_due(one, matrix, now)]


def _callers(connection: Connection) -> set[str]:
    """Return who called of what is retired and is not erased: of a run that was interrupted, too."""
    person = t.person.c
    query = select(person.id).where(and_(person.retired_at.is_not(None), person.erased_at.is_(None)))
    return set(connection.execute(query).scalars())


def _nowhere_else(connection: Connection, people: set[str]) -> set[str]:
    """Return those who called, and of whom nothing else is on record: they did nothing here, no incident
    that is kept names them."""
    if not people:
        return set()
    event, row = t.event.c, t.incident.c
    alone = people - set(connection.execute(select(event.actor).distinct()).scalars())
    return {person for person in alone if not _is_named(connection, person, row)}


def _is_still_nowhere_else(person: str, seen: int, transaction: Transaction) -> bool:
    """Whether nothing past seq `seen` names them: they may have called again just now."""
    row, event = t.incident.c, t.event.c
    named = or_(
        row.caller == person, row.owner == person, row.reporter == person, row.seers.contains(f"|{person}|")
    )
    asked = (
        select(row.n).where(and_(row.seq > seen, row.retired == 0, named)),
        select(event.seq).where(and_(event.seq > seen, event.actor == person)),
    )
    return not any(transaction.connection.execute(query.limit(1)).first() for query in asked)


def _is_named(connection: Connection, person: str, row: Any) -> bool:
    named = or_(
        row.caller == person, row.owner == person, row.reporter == person, row.seers.contains(f"|{person}|")
    )
    query = select(row.n).where(and_(row.retired == 0, named)).limit(1)
    return connection.execute(query).first() is not None
