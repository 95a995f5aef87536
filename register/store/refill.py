"""Writing incidents' rows anew from what their events make of them: an upgrade does, and a rebuild."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, select

from register.clocks.book import Timeline
from register.refold import Refolded
from register.store import tables as t
from register.store.bonds import put_bonds
from register.store.transaction import columns_of


def refill(connection: Connection, made: Iterable[Refolded], timeline: Timeline) -> list[str]:
    """Write the rows that differ; return their numbers. What events do not tell any more stays as it is."""
    folds = {one.n: one for one in made}
    kept = connection.execute(select(t.incident).where(t.incident.c.n.in_(list(folds))))
    rows = {row.n: dict(row._mapping) for row in kept}
    mended = []
    for n, one in folds.items():
        if one.incident is None or not one.proved or one.faults:
            continue
        wanted = {"n": n, "version": one.version, "seq": one.seq, **columns_of(one.incident, timeline)}
        if rows.get(n) != wanted:
            mended.append(one.number)
            row = t.insert(connection, t.incident).values(wanted)
            connection.execute(row.on_conflict_do_update(index_elements=["n"], set_=wanted))
        put_bonds(connection, one.incident)
    return mended
