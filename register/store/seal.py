"""What keeps a register from being used as one: it is a backup, half a copy, or has moved elsewhere.

The seal is a table of one row that stands in sealed registers alone. Of one that has moved, triggers refuse
every write in the database itself: so do those of processes that had it open before.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, Engine, column, inspect, select, table

from register.store import tables as t

_NAMES: Final = ("kind", "place", "made_at", "register_id", "digests")
_SEAL: Final = table("seal", *(column(name) for name in _NAMES))
_MAKE: Final = (
    "CREATE TABLE IF NOT EXISTS seal (" + ", ".join(f"{name} TEXT NOT NULL" for name in _NAMES) + ")"
)
NAME: Final = "seal"
BACKUP: Final = "backup"
COMING: Final = "coming"
MOVED: Final = "moved"
SIGN: Final = "this register has moved to "
"""What a database says to whoever writes into one that has moved; the new place stands behind it."""
REFUSALS: Final = {
    BACKUP: "this is a backup of {made_at}, not a register that is in use. Nothing was opened:"
    " `muster restore FILE` makes a register of it.",
    COMING: "a register is being moved to here from {place}, and the move is not done. Nothing was opened:"
    " run `muster migrate` there again; it goes on where it was.",
}
"""By the kind of seal, why it is not opened. One that has moved can still be read."""


@dataclass(frozen=True, slots=True)
class Seal:
    """kind: one of the three. place: where it comes from, or went. digests: of the tables, JSON."""

    kind: str
    place: str
    made_at: str
    register_id: str
    digests: str = "{}"


def seal_of(connection: Connection) -> Seal | None:
    """Return what the register is sealed with, or None."""
    if not inspect(connection).has_table(NAME):
        return None
    row = connection.execute(select(_SEAL)).first()
    return None if row is None else Seal(*row)


def put_seal(connection: Connection, seal: Seal) -> None:
    connection.exec_driver_sql(_MAKE)
    connection.execute(_SEAL.delete())
    connection.execute(_SEAL.insert(), {name: getattr(seal, name) for name in _NAMES})


def take_seal(connection: Connection) -> None:
    connection.exec_driver_sql(f"DROP TABLE {NAME}")


def why_sealed(engine: Engine) -> str | None:
    """Return why this may not be opened as a register, or None."""
    with engine.connect() as connection:
        seal = seal_of(connection)
    if seal is None or seal.kind not in REFUSALS:
        return None
    return REFUSALS[seal.kind].format(place=seal.place, made_at=seal.made_at)


def close_writes(connection: Connection, place: str) -> None:
    """Have the database refuse each write from the end of this transaction on, and name the new place."""
    said = f"{SIGN}{place}".replace("'", "''")
    if connection.dialect.name == "postgresql":
        said = said.replace("%", "%%")  # for the driver, which takes it for a parameter
        connection.exec_driver_sql(
            "CREATE OR REPLACE FUNCTION muster_moved() RETURNS trigger LANGUAGE plpgsql AS"
            f" $muster$ BEGIN RAISE EXCEPTION USING MESSAGE = '{said}'; END $muster$"
        )
    for one in t.metadata.sorted_tables:
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql(
                f"CREATE TRIGGER muster_moved BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON {one.name}"
                " FOR EACH STATEMENT EXECUTE FUNCTION muster_moved()"
            )
            continue
        for what in ("INSERT", "UPDATE", "DELETE"):
            connection.exec_driver_sql(
                f"CREATE TRIGGER muster_moved_{one.name}_{what} BEFORE {what} ON {one.name}"
                f" BEGIN SELECT RAISE(ABORT, '{said}'); END"
            )
