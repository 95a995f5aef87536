"""Opening a register: SQLite by default, PostgreSQL by URL; the same code path behind both."""

from __future__ import annotations

import logging
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlsplit

from sqlalchemy import Engine, create_engine, event, inspect, select
from sqlalchemy.exc import DBAPIError, DisconnectionError, SQLAlchemyError

from register.canon import GENESIS
from register.core import new_id
from register.store import seal
from register.store.away import is_away
from register.store.hot import as_sqlalchemy_says, driver
from register.store.mishaps import WAIT_SECONDS, Unreadable, sentence, unreadable
from register.store.shared import is_frozen, mend_beside, why_not_here
from register.store.tables import SCHEMA, head, metadata
from register.text import clip, one_line


class RegisterUnavailable(Exception):
    """The register cannot be opened, read or written now. The sentence says what to do."""


class RegisterReplaced(RegisterUnavailable):
    """Its file was moved, deleted or replaced while it was open: what bears the name now is another one."""


class RegisterAway(RegisterUnavailable):
    """It does not answer: it is down, starting, full of sessions, or the line to it is cut.

    What a person says meanwhile will be as right when it is back: the spool keeps it.
    """


REACHED: Final[dict[str, Any]] = {
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}
"""Within which time a connection to PostgreSQL is there, or is known to be lost: not in hours."""
_SERVER_SIDE: Final[dict[str, object]] = {
    "tcp_keepalives_idle": 10,
    "tcp_keepalives_interval": 5,
    "tcp_keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}
"""What the server does for us: a host whose line is cut lets go of its locks in half a minute, not hours."""
_ANY_THREAD: Final = {"check_same_thread": False}


def sqlite_path(url: str) -> Path | None:
    """Return the file of an SQLite register, or None for one on PostgreSQL."""
    if url.startswith("sqlite:///"):
        return Path(url.removeprefix("sqlite:///"))
    return None


def as_url(named: str) -> str:
    """Return the database URL for a path or a URL; raises RegisterUnavailable for what is neither."""
    if "://" not in named:
        return f"sqlite:///{Path(named).expanduser().absolute()}"
    scheme, rest = named.split("://", 1)
    if scheme == "sqlite":
        return named
    if scheme in ("postgresql", "postgres", "postgresql+psycopg"):
        if urlsplit(f"postgresql://{rest}").password:
            raise RegisterUnavailable(
                "The register's URL holds a password, which every process list would show."
                " Put it in ~/.pgpass, or use peer authentication, and leave it out of MUSTER_REGISTER."
            )
        return f"postgresql+psycopg://{rest}"
    raise RegisterUnavailable(
        f"{scheme}:// is no register: give a path, or a postgresql:// URL, in MUSTER_REGISTER."
    )


def connect(url: str) -> Engine:
    """Return an engine whose transactions begin as the register needs them."""
    if sqlite_path(url) is not None:
        return _sqlite(url)
    # what psycopg has to say of a connection that breaks is told once, by us
    logging.getLogger("psycopg").setLevel(logging.CRITICAL)
    told = _SERVER_SIDE | {"lock_timeout": f"{WAIT_SECONDS}s"}
    options = {"options": " ".join(f"-c {name}={value}" for name, value in told.items())}
    engine = create_engine(url, pool_pre_ping=True, connect_args=options | REACHED)

    @event.listens_for(engine, "do_connect")
    def _(dialect: object, record: object, args: Any, given: Any) -> Any:
        from register.store.patience import Patient

        return Patient.connect(*args, **given)

    return engine


def _sqlite(url: str) -> Engine:
    import pysqlite3

    path = Path(url.removeprefix("sqlite:///"))

    def opened() -> Any:
        if is_frozen(path):  # nobody can write there: SQLite may, and must, do without its locks
            frozen = f"file:{quote(str(path))}?mode=ro&immutable=1"
            return pysqlite3.connect(frozen, uri=True, **_ANY_THREAD)
        return pysqlite3.connect(str(path), timeout=WAIT_SECONDS, **_ANY_THREAD)

    engine = create_engine(url, module=pysqlite3, creator=opened)

    @event.listens_for(engine, "checkout")
    def _(connection: Any, record: Any, proxy: object) -> None:
        if record.info["frozen"] is not is_frozen(path):
            raise DisconnectionError("opened anew")

    @event.listens_for(engine, "connect")
    def _(connection: Any, record: Any) -> None:
        record.info["frozen"] = is_frozen(path)
        connection.isolation_level = None  # transactions are begun by us, below
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.execute("PRAGMA secure_delete=ON")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _(connection: Any) -> None:
        writes = connection.get_execution_options().get("muster_writes")
        statement = "BEGIN IMMEDIATE" if writes else "BEGIN"
        with as_sqlalchemy_says(connection, statement):
            driver(connection).execute(statement)

    return engine


def make_file(path: Path) -> None:
    """Make a private register's file, readable by its owner alone, in a folder that exists or is made.

    A shared one is there already, and is opened only by those it is shared with.
    """
    if (why := why_not_here(path)) is not None:
        raise RegisterUnavailable(why)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    except FileExistsError:
        mend_beside(path)


def is_private(url: str) -> bool:
    """Whether this register is a file of mine that nobody else may open."""
    path = sqlite_path(url)
    if path is None:
        return False
    try:
        about = path.stat()
    except PermissionError:
        return False
    except OSError:
        return True  # it is not there yet: it will be
    return about.st_uid == os.getuid() and not stat.S_IMODE(about.st_mode) & 0o077


def prepare(engine: Engine) -> str:
    """Make the tables of a new register, or bring an older one's up to date; return the register's id.

    Refuses one of a newer program.
    """
    there = set(inspect(engine).get_table_names())
    if seal.NAME in there and (why := seal.why_sealed(engine)) is not None:
        raise RegisterUnavailable(f"{sqlite_path(str(engine.url)) or 'The register on PostgreSQL'}: {why}")
    if head.name in there:
        with engine.connect() as connection:
            found = connection.execute(select(head.c.register_id, head.c.schema)).first()
        if found is None:
            raise unreadable("The register's head")
        if found.schema > SCHEMA:
            raise RegisterUnavailable(
                f"This register is of a newer Muster (schema {found.schema}, known here: {SCHEMA})."
                " Nothing was changed: use the newer program."
            )
        if found.schema < SCHEMA:
            from register.store.upgrade import upgrade

            upgrade(engine)
        return str(found.register_id)
    _refuse_foreign(engine, there)
    with engine.connect().execution_options(muster_writes=True) as connection, connection.begin():
        if engine.dialect.name == "postgresql":
            connection.exec_driver_sql("SELECT pg_advisory_xact_lock(778878)")
        metadata.create_all(connection)
        row = connection.execute(select(head.c.register_id)).first()
        if row is not None:  # another process was first
            return str(row.register_id)
        register_id = new_id()
        connection.execute(
            head.insert(),
            {
                "one": 1,
                "register_id": register_id,
                "schema": SCHEMA,
                "seq": 0,
                "hash": GENESIS,
                "incident": 0,
                "person": 0,
                "recorded_at": "",
                "policy_seq": 0,
                "duty_seq": 0,
                "skew": 0,
            },
        )
    return register_id


def _refuse_foreign(engine: Engine, there: set[str]) -> None:
    """Make no register in what is another program's, or the rest of one."""
    ours = there & metadata.tables.keys()
    if ours:
        raise unreadable("The register's head")
    if there and engine.dialect.name == "sqlite":
        raise RegisterUnavailable(
            f"{sqlite_path(str(engine.url))}: this is another program's database (it has the table"
            f" {clip(one_line(min(there)), 40)}). Nothing was changed: name another path in MUSTER_REGISTER."
        )


@contextmanager
def told(url: str, *, writes: bool = True) -> Iterator[None]:
    """Turn a database's errors into one sentence for a person. writes: whether it was to be written."""
    try:
        yield
    except DBAPIError as error:
        said = str(error.orig or error) or type(error).__name__
        kind = RegisterAway if is_away(error) else RegisterUnavailable
        raise kind(sentence(sqlite_path(url), said, writes=writes)) from error
    except Unreadable as error:
        raise RegisterUnavailable(f"{sqlite_path(url) or 'The register on PostgreSQL'}: {error}") from error
    except SQLAlchemyError as error:
        raise RegisterUnavailable(f"The register could not be used: {type(error).__name__}.") from error
    except OSError as error:
        raise RegisterUnavailable(
            f"{sqlite_path(url) or url}: the register's file cannot be used ({error.strerror or error})."
            " Nothing was written; check the path in MUSTER_REGISTER and that its folder is yours."
        ) from error
