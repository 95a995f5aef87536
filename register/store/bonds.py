"""The rows by which a supplier's ticket finds its incident."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from sqlalchemy import Connection, and_, select, text

from register.canon import stamp
from register.incident import LIVE_BONDS, Bond, Incident
from register.store import tables as t
from register.store.hot import Hot
from register.topics.closing import waits_for_us

_PUT: Final = Hot(
    text(
        "INSERT INTO bond (id, whole, incident, vendor, remote_id, live, differs, our_since)"
        " VALUES (:id, 0, :incident, :vendor, :remote_id, :live, :differs, :our_since)"
        " ON CONFLICT (id) DO UPDATE SET incident = excluded.incident, vendor = excluded.vendor,"
        " remote_id = excluded.remote_id, live = excluded.live,"
        " differs = excluded.differs, our_since = excluded.our_since"
    )
)


_PUT_REF: Final = Hot(
    text(
        "INSERT INTO bond_ref (bond, remote_id, vendor, former, whole)"
        " VALUES (:bond, :remote_id, :vendor, :former, :whole)"
        " ON CONFLICT (bond, remote_id) DO UPDATE SET vendor = excluded.vendor, former = excluded.former"
    )
)
_DROP_REF: Final = Hot(text("DELETE FROM bond_ref WHERE bond = :bond AND remote_id = :remote_id"))


def put_bonds(connection: Connection, incident: Incident, before: Incident | None = None) -> None:
    """Write an incident's. That a ticket was read whole stays.

    before: as its rows are; without it, what else of it stands there is looked for, and taken out.
    """
    _PUT.many(connection, [{"id": bond.id, **_row_of(incident, bond)} for bond in incident.bonds])
    wanted = _refs_of(incident)
    kept = _kept_refs(connection, incident) if before is None else _refs_of(before)
    for gone in kept.keys() - wanted.keys():
        _DROP_REF(connection, _named(gone))
    for key, row in wanted.items():
        if kept.get(key) != row:  # one that was the bond's own is heard still, and not read whole any more
            _PUT_REF(connection, {**_named(key), **row, "whole": row["former"]})


def _named(key: tuple[str, str]) -> dict[str, Any]:
    return {"bond": key[0], "remote_id": key[1]}


def _refs_of(incident: Incident) -> dict[tuple[str, str], dict[str, Any]]:
    """The tickets besides each bond's own: by bond and id, what stands of them."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for bond in incident.bonds:
        if bond.former or bond.further:
            found |= {(bond.id, ref.id): {"vendor": bond.vendor, "former": 1} for ref in bond.former}
            found |= {(bond.id, one.ref.id): {"vendor": bond.vendor, "former": 0} for one in bond.further}
            found.pop((bond.id, bond.ref.id if bond.ref is not None else ""), None)
    return found


def _kept_refs(connection: Connection, incident: Incident) -> dict[tuple[str, str], dict[str, Any]]:
    r = t.bond_ref.c
    query = select(r.bond, r.remote_id, r.vendor, r.former).where(r.bond.in_([b.id for b in incident.bonds]))
    rows = connection.execute(query) if incident.bonds else ()
    return {(row.bond, row.remote_id): {"vendor": row.vendor, "former": row.former} for row in rows}


def _row_of(incident: Incident, bond: Bond) -> dict[str, Any]:
    return {
        "incident": incident.number,
        "vendor": bond.vendor,
        "remote_id": None if bond.ref is None else bond.ref.id,
        "live": int(bond.state in LIVE_BONDS),
        "differs": len(bond.differences),
        "our_since": stamp(bond.ball_since) if waits_for_us(bond) else None,
    }


def faults_in(connection: Connection, some: Iterable[Incident]) -> Iterator[str]:
    """Yield what the rows of these incidents' bonds say otherwise than their events."""
    incidents = list(some)
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
    yield from _faulty_refs(connection, {one.number: one for one in incidents})


def _faulty_refs(connection: Connection, incidents: Mapping[str, Incident]) -> Iterator[str]:
    owner = {bond.id: number for number, one in incidents.items() for bond in one.bonds}
    if not owner:
        return
    wanted = {key: row for one in incidents.values() for key, row in _refs_of(one).items()}
    r = t.bond_ref.c
    of_these = and_(t.bond.c.id == r.bond, t.bond.c.incident.in_(list(incidents)))
    query = select(r.bond, r.remote_id, r.vendor, r.former).join(t.bond, of_these)
    kept = {
        (row.bond, row.remote_id): {"vendor": row.vendor, "former": row.former}
        for row in connection.execute(query)
    }
    for bond in sorted({key[0] for key in wanted.keys() | kept.keys() if wanted.get(key) != kept.get(key)}):
        yield f"{owner[bond]}: the rows of its further tickets are not those that its events tell of."
