"""The rows by which a supplier's ticket finds its incident."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from register.incident import LIVE_BONDS, Incident
from register.store import tables as t


def put_bonds(connection: Connection, incident: Incident) -> None:
    """Write an incident's. That a ticket was read whole stays."""
    for bond in incident.bonds:
        values: dict[str, Any] = {
            "incident": incident.number,
            "vendor": bond.vendor,
            "remote_id": None if bond.ref is None else bond.ref.id,
            "live": int(bond.state in LIVE_BONDS),
        }
        query = t.insert(connection, t.bond).values(id=bond.id, whole=0, **values)
        connection.execute(query.on_conflict_do_update(index_elements=["id"], set_=values))
