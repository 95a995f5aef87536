"""Bringing a register of an older Muster to the tables of this one: all of it in one transaction, or nothing.

Imported, and Alembic with it, only where the version differs. Events are never rewritten; what is folded
from them is folded again. Killed in the middle, the register is as it was.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import islice
from typing import Any, Final

from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Column, Connection, Engine, Integer, Table, bindparam, func, inspect, select, text

from register.incident import Incident
from register.refold import Refolded, refold
from register.store import tables as t
from register.store.alerts import rebuild_alerts
from register.store.bonds import put_bonds
from register.store.fulltext import rebuild_index
from register.store.promises import timeline_of
from register.store.transaction import columns_of

LOCK: Final = "SELECT pg_advisory_xact_lock(778878)"
"""What a process holds on PostgreSQL while it makes or changes tables."""


def upgrade(engine: Engine) -> None:
    """Bring the register to this program's tables, unless another process has just done so."""
    with engine.connect().execution_options(muster_writes=True) as connection, connection.begin():
        if engine.dialect.name == "postgresql":
            connection.exec_driver_sql(LOCK)
        found = connection.execute(text("SELECT schema FROM head")).scalar_one()
        if found >= t.SCHEMA:
            return
        operations = Operations(MigrationContext.configure(connection))
        for version in range(found + 1, t.SCHEMA + 1):
            STEPS[version](operations, connection)
        t.metadata.create_all(connection)
        _refill(connection)
        rebuild_index(connection)
        connection.execute(t.head.update().values(schema=t.SCHEMA))


def _to_2(operations: Operations, connection: Connection) -> None:
    """Clocks, alerts, files, restricted incidents; time of recording that never goes back."""
    for table in (t.head, t.person, t.incident):
        _add_columns(operations, table)
    newest = select(func.coalesce(func.max(t.event.c.recorded_at), "")).scalar_subquery()
    connection.execute(t.head.update().values(recorded_at=newest))
    for table in (t.event, t.incident):
        _add_indexes(connection, table)


def _to_3(operations: Operations, connection: Connection) -> None:
    """Alerts that belong together; what is filtered on is casefolded; clocks counted as rows are filled."""
    _add_columns(operations, t.incident)
    if inspect(connection).has_table(t.alert.name):
        _add_columns(operations, t.alert)
        _add_indexes(connection, t.alert)


def _to_4(operations: Operations, connection: Connection) -> None:
    """What a supplier was told last stands in the bond; what the hub keeps of sendings and suppliers."""
    for table in (t.person, t.sending, t.bond, t.quarantine, t.vendor):
        if inspect(connection).has_table(table.name):
            _add_columns(operations, table)
            _add_indexes(connection, table)


def _to_5(operations: Operations, connection: Connection) -> None:
    """Escalation: how far it has come stands in the incident's row; who has duty is a stream of its own."""
    _add_columns(operations, t.head)
    _add_columns(operations, t.incident)
    _add_indexes(connection, t.incident)


STEPS: Final[Mapping[int, Callable[[Operations, Connection], None]]] = {
    2: _to_2,
    3: _to_3,
    4: _to_4,
    5: _to_5,
}
"""By the version that they lead to."""


def _add_columns(operations: Operations, table: Table) -> None:
    there = {column["name"] for column in inspect(operations.get_bind()).get_columns(table.name)}
    for column in table.columns:
        if column.name not in there:
            empty = None if column.nullable else "0" if isinstance(column.type, Integer) else ""
            added: Column[Any] = Column(
                column.name, column.type, nullable=column.nullable, server_default=empty
            )
            operations.add_column(table.name, added)


def _add_indexes(connection: Connection, table: Table) -> None:
    there = {index["name"] for index in inspect(connection).get_indexes(table.name)}
    for index in table.indexes:
        if index.name not in there:
            index.create(connection)


def _refill(connection: Connection) -> None:
    """Write every incident's row anew, from its events."""
    write = t.incident.update().where(t.incident.c.n == bindparam("number"))
    incidents, timeline = refold(connection), timeline_of(connection)
    while some := list(islice(incidents, 500)):
        whole = [(made.n, _incident(connection, made)) for made in some]
        connection.execute(write, [{"number": n, **columns_of(one, timeline)} for n, one in whole])
        for _, one in whole:
            put_bonds(connection, one)
    rebuild_alerts(connection)


def _incident(connection: Connection, made: Refolded) -> Incident:
    """Return the fold; what its events do not tell any more is as the row had it."""
    if made.incident is not None and made.proved and not made.faults:
        return made.incident
    doc = connection.execute(select(t.incident.c.doc).where(t.incident.c.n == made.n)).scalar_one()
    return Incident.model_validate_json(doc)
