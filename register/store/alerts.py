"""The alert's rows: which incident has which key. Made of the incidents' folds, and made anew from them.

Only how often a firing alert was repeated, and when last, runs ahead of the events for up to a minute.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, and_, bindparam, case, func, literal_column, select

from register.canon import stamp
from register.core import AlertAsked, AlertFacts
from register.incident import Incident
from register.policy import Correlation
from register.row import number_of
from register.store import tables as t
from register.store.carry import Writing, carry
from register.store.reading import incident_of
from register.topics.alerts import CountAlert

_A: Final = t.alert.c
_OPEN: Final[ColumnElement[bool]] = literal_column("alert.closed = 0")  # as the index says it
_KNOWN: Final = (
    select(_A.incident, _A["count"], _A.closed)
    .where(and_(_A.service == bindparam("service"), _A.last_key == bindparam("key")))
    .order_by(_A.closed, _A.incident.desc())
    .limit(1)
)
_HEARD: Final = select(t.heard.c.change_id).where(
    and_(t.heard.c.vendor == bindparam("vendor"), t.heard.c.change_id == bindparam("said"))
)
_GROWING: Final = ("count", "last_seen")
_GONE: Final = -1
"""Stands for the leader while rows are made anew: what has it at the end belongs to nothing."""


def look(
    connection: Connection,
    asked: AlertAsked,
    correlation: Correlation,
    now: datetime,
    is_open: Callable[[str], bool],
) -> AlertFacts:
    """Return what is known of an alert, and of those that a new one would belong together with."""
    row = connection.execute(_KNOWN, {"service": asked.service.casefold(), "key": asked.key}).first()
    incident, count = (None, 0) if row is None else (f"INC-{row[0]}", int(row[1]))
    heard = {"vendor": _feed(asked.source), "said": asked.said}
    counted = bool(asked.said) and connection.execute(_HEARD, heard).first() is not None
    beside, leader, firing = None, None, 0
    if asked.new and (row is None or row.closed or not is_open(f"INC-{row[0]}")):
        beside, leader, firing = _together(connection, asked, correlation, now)
    return AlertFacts(incident, count, counted, beside, leader, firing)


def _feed(source: str) -> str:
    """Under which name the messages of a source are remembered; no supplier can have it."""
    return f"alert:{source}"


def _together(
    connection: Connection, asked: AlertAsked, correlation: Correlation, now: datetime
) -> tuple[str | None, str | None, int]:
    """Return the first incident of those whose window is open for such an alert and which fires, the one
    that the window began with, and how many of them fire."""
    own = {"service": asked.service.casefold(), "category": asked.category, "source": asked.source}
    if not all(own[name] for name in correlation.same):
        return None, None, 0
    edge = stamp(now - correlation.window)
    fires = and_(_OPEN, _A.firing == 1, _A.first_seen >= edge)
    alike = [_A[name] == own[name] for name in correlation.same]
    first = t.alert.alias("first")
    query = select(_A.incident, _A.leader).join(first, first.c.incident == _A.leader)
    found = query.where(and_(fires, first.c.first_seen >= edge, *alike)).order_by(_A.first_seen).limit(1)
    row = connection.execute(found).first()
    if row is None:
        return None, None, 0
    count = select(func.count()).select_from(t.alert).where(and_(fires, _A.leader == row.leader))
    firing = int(connection.execute(count).scalar_one())
    return f"INC-{row.incident}", f"INC-{row.leader}", firing


def row_of(incident: Incident) -> dict[str, Any] | None:
    """Return the alert's row as the incident's events make it; None for one that no alert opened."""
    alert = incident.alert
    if alert is None:
        return None
    return {
        "id": alert.id,
        "incident": number_of(incident.number),
        "source": alert.source,
        "service": alert.service.casefold(),
        "key": alert.key if incident.holds_key else None,
        "closed": int(not incident.holds_key),
        "last_key": alert.key,
        "category": alert.category,
        "severity": alert.severity.value,
        "firing": int(alert.firing),
        "count": alert.count,
        "first_seen": stamp(alert.first_seen),
        "last_seen": stamp(alert.last_seen),
        "leader": number_of(alert.leader),
    }


def put_alert(connection: Connection, incident: Incident) -> None:
    """Write the row of an incident's alert. What was counted since the last event is not lost."""
    row = row_of(incident)
    if row is None:
        return
    query = t.insert(connection, t.alert).values(row)
    new = query.excluded
    changed = {name: new[name] for name in row if name not in ("id", *_GROWING)}
    changed |= {name: case((_A[name] > new[name], _A[name]), else_=new[name]) for name in _GROWING}
    connection.execute(query.on_conflict_do_update(index_elements=["id"], set_=changed))


@carry.register
def _(effect: CountAlert, transaction: Writing, now: str) -> None:
    counted = t.alert.update().where(_A.id == effect.alert)
    transaction.connection.execute(counted.values(count=_A["count"] + 1, last_seen=now))
    if effect.said:
        heard = t.insert(transaction.connection, t.heard)
        known = {"vendor": _feed(effect.source), "change_id": effect.said, "at": now}
        transaction.connection.execute(heard.values(known).on_conflict_do_nothing())


def counts_of(connection: Connection, incident: Incident) -> tuple[int, str] | None:
    """Return how often an incident's alert was said and when last, to the last one."""
    if incident.alert is None:
        return None
    found = connection.execute(select(_A["count"], _A.last_seen).where(_A.id == incident.alert.id)).first()
    return None if found is None else (int(found[0]), str(found[1]))


def rebuild_alerts(connection: Connection) -> int:
    """Make the rows of all alerts anew from the incidents' rows, and return how many there are."""
    connection.execute(t.alert.update().values(key=None, closed=1, leader=_GONE))
    made = 0
    for incident in _with_alert(connection):
        put_alert(connection, incident)
        made += 1
    connection.execute(t.alert.delete().where(_A.leader == _GONE))
    return made


def _with_alert(connection: Connection) -> Iterator[Incident]:
    last = 0
    while True:
        query = select(t.incident.c.n, t.incident.c.doc).where(t.incident.c.n > last)
        query = query.where(t.incident.c.doc.contains('"alert":{', autoescape=True))
        rows = connection.execute(query.order_by(t.incident.c.n).limit(500)).all()
        yield from (incident_of(row.doc, row.n) for row in rows)
        if not rows:
            return
        last = rows[-1].n


def faults_in(connection: Connection, incidents: Iterable[Incident]) -> Iterator[str]:
    """Yield what the rows of these incidents' alerts say otherwise than their events."""
    expected = {one.number: row_of(one) for one in incidents}
    numbers = [number_of(number) for number in expected]
    kept: dict[int, list[Any]] = {n: [] for n in numbers}
    for row in connection.execute(select(t.alert).where(_A.incident.in_(numbers))):
        kept[row.incident].append(row._mapping)
    for number, wanted in expected.items():
        rows = kept[number_of(number)]
        if wanted is None and not rows:
            continue
        if wanted is None or [row["id"] for row in rows] != [wanted["id"]]:
            yield f"{number}: the rows of its alerts are not those that its events tell of."
            continue
        wrong = [name for name, value in wanted.items() if not _holds(name, rows[0][name], value)]
        if wrong:
            yield f"{number}: its alert's row says otherwise than its events ({', '.join(wrong)})."


def _holds(name: str, kept: Any, told: Any) -> bool:
    return bool(kept >= told) if name in _GROWING else bool(kept == told)
