"""The rows by which a supplier's ticket finds its incident."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

from sqlalchemy import Connection, select, text

from register.canon import stamp
from register.incident import LIVE_BONDS, Bond, Incident
from register.store import tables as t
from register.store.hot import Hot
from register.topics.closing import waits_for_us

_PUT: Final = Hot(
    text(
        "INSERT INTO bond (id, whole, incident, vendor, remote_id, live, our_since)"
        " VALUES (:id, 0, :incident, :vendor, :remote_id, :live, :our_since)"
        " ON CONFLICT (id) DO UPDATE SET incident = excluded.incident, vendor = excluded.vendor,"
        " remote_id = excluded.remote_id, live = excluded.live, our_since = excluded.our_since"
    )
)


def put_bonds(connection: Connection, incident: Incident) -> None:
    """Write an incident's. That a ticket was read whole stays."""
    _PUT.many(connection, [{"id": bond.id, **_row_of(incident, bond)} for bond in incident.bonds])


def _row_of(incident: Incident, bond: Bond) -> dict[str, Any]:
    return {
        "incident": incident.number,
        "vendor": bond.vendor,
        "remote_id": None if bond.ref is None else bond.ref.id,
        "live": int(bond.state in LIVE_BONDS),
        "our_since": stamp(bond.ball_since) if waits_for_us(bond) else None,
    }


def faults_in(connection: Connection, incidents: Iterable[Incident]) -> Iterator[str]:
    """Yield what the rows of these incidents' bonds say otherwise than their events."""
    told = {one.number: {bond.id: _row_of(one, bond) for bond in one.bonds} for one in incidents}
    kept: dict[str, dict[str, Any]] = {number: {} for number in told}
    for row in connection.execute(select(t.bond).where(t.bond.c.incident.in_(list(told)))):
        kept[row.incident][row.id] = row._mapping
    for number, wanted in told.items():
        rows = kept[number]
        if rows.keys() != wanted.keys():
            yield f"{number}: the rows of its suppliers' tickets are not those that its events tell of."
            continue
        for bond, values in wanted.items():
            wrong = [name for name, value in values.items() if rows[bond][name] != value]
            if wrong:
                yield (
                    f"{number}: the row of its ticket at {values['vendor']} says otherwise than its events"
                    f" ({', '.join(wrong)})."
                )
