"""Real suppliers, a register on either database, and what makes a storm over both."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Protocol, TypeVar

import httpx
from engine_kit import COORDINATOR, MORTAL, TOP

from register.core import Command
from register.desk import Receipt, ServiceDesk, kinds
from register.marker import marker_of, unsigned
from register.store import RegisterUnavailable, Store, outbox
from register.topics.engagement import Engage, Reply
from register.topics.intake import Log
from tests.pg_server import Server

T = TypeVar("T")
PATIENCE: Final = 120.0
"""Seconds for which a database may be away in one go."""


def patiently(ask: Callable[[], T]) -> T:
    """Ask until the register is there: a command keeps its id, so it is carried out once."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            return ask()
        except RegisterUnavailable:
            assert time.monotonic() < end, "the register stayed away"
            time.sleep(0.2)


# Suppliers


class Supplier(Protocol):
    """A real ticketing system, seen with its own people's account and never through the cut line."""

    kind: str
    secret: str
    url: str

    def block(self, url: str) -> str: ...

    def count(self, run: str) -> int: ...

    def tickets(self, op_id: str) -> list[str]: ...

    def ours(self, ticket: str) -> list[tuple[str | None, str]]: ...

    def answer(self, ticket: str, text: str) -> None: ...


class RtSupplier:
    kind = "rt"

    def __init__(self, peer: Mapping[str, str]) -> None:
        self.peer = peer
        self.url, self.secret = peer["RT5_URL"], peer["RT5_TOKEN"]
        headers = {"Authorization": f"token {peer['RT5_AGENT_TOKEN']}"}
        self._client = httpx.Client(base_url=f"{self.url}/REST/2.0", headers=headers, timeout=120)

    def block(self, url: str) -> str:
        return f'url = "{url}"\nqueue = "{self.peer["RT5_QUEUE"]}"\nreference_field = "External Reference"\n'

    def count(self, run: str) -> int:
        query = f"Queue = '{self.peer['RT5_QUEUE']}' AND Subject LIKE '{run}'"
        return int(self._get("/tickets", query=query)["total"])

    def tickets(self, op_id: str) -> list[str]:
        query = f"Queue = '{self.peer['RT5_QUEUE']}' AND CF.{{External Reference}} = '{op_id}'"
        return [str(one["id"]) for one in self._get("/tickets", query=query)["items"]]

    def ours(self, ticket: str) -> list[tuple[str | None, str]]:
        query = (
            f"ObjectType = 'RT::Ticket' AND ObjectId = {ticket} AND (Type = 'Create' OR Type = 'Correspond')"
        )
        rows = self._get("/transactions", query=query, orderby="id", fields="Type,Creator", per_page="100")
        mine = [row["id"] for row in rows["items"] if row["Creator"]["id"] == self.peer["RT5_USER"]]
        told = []
        for number in mine:
            links = self._get(f"/transaction/{number}")["_hyperlinks"]
            part = next(link["_url"] for link in links if link["ref"] == "attachment")
            text = self._client.get(part).json()["Content"]
            told.append(_told(base64.b64decode(text).decode()))
        return told

    def answer(self, ticket: str, text: str) -> None:
        body = {"Content": text, "ContentType": "text/plain"}
        said = self._client.post(f"/ticket/{ticket}/correspond", json=body)
        assert said.is_success, said.text

    def _get(self, path: str, **params: str) -> Any:
        said = self._client.get(path, params=params)
        assert said.is_success, said.text
        return said.json()


class RedmineSupplier:
    kind = "redmine"

    def __init__(self, peer: Mapping[str, str]) -> None:
        self.peer = peer
        self.url, self.secret = peer["REDMINE_URL"], peer["REDMINE_KEY_CONNECTOR"]
        headers = {"X-Redmine-API-Key": peer["REDMINE_KEY_AGENT"]}
        self._client = httpx.Client(base_url=self.url, headers=headers, timeout=120)

    def block(self, url: str) -> str:
        project, number = self.peer["REDMINE_PROJECT"], self.peer["REDMINE_CF_EXTERNAL_REF"]
        return f'url = "{url}"\nproject = "{project}"\nreference_field = {number}\n'

    def count(self, run: str) -> int:
        return int(self._list(subject=f"~{run}")["total_count"])

    def tickets(self, op_id: str) -> list[str]:
        field_ = f"cf_{self.peer['REDMINE_CF_EXTERNAL_REF']}"
        return [str(one["id"]) for one in self._list(**{field_: op_id})["issues"]]

    def ours(self, ticket: str) -> list[tuple[str | None, str]]:
        said = self._client.get(f"/issues/{ticket}.json", params={"include": "journals"})
        issue = said.json()["issue"]
        notes = [each for each in issue["journals"] if each["notes"]]
        mine = [each["notes"] for each in notes if each["user"]["name"] == issue["author"]["name"]]
        return [_told(issue["description"]), *map(_told, mine)]

    def answer(self, ticket: str, text: str) -> None:
        said = self._client.put(f"/issues/{ticket}.json", json={"issue": {"notes": text}})
        assert said.status_code == 204, said.text

    def _list(self, **params: str) -> Any:
        path = f"/projects/{self.peer['REDMINE_PROJECT']}/issues.json"
        said = self._client.get(path, params={"status_id": "*", **params})
        assert said.is_success, said.text
        return said.json()


def _told(text: str) -> tuple[str | None, str]:
    return marker_of(text), unsigned(text.replace("\r\n", "\n")).strip()


# Databases


class Database(Protocol):
    """Where the register is. `pause`, `brief`: seconds between two blows, in a long run and a short one."""

    url: str
    pause: tuple[float, float]
    brief: tuple[float, float]

    def shake(self, dice: random.Random) -> None: ...

    def close(self) -> None: ...


class File:
    """SQLite. It is no server to restart: another writer holds it and dies in its transaction."""

    pause, brief = (3.0, 15.0), (2.0, 5.0)

    def __init__(self, home: Path) -> None:
        self.url = str(home / "register.db")

    def shake(self, dice: random.Random) -> None:
        told = [sys.executable, "-c", _DIES_WRITING, self.url, str(dice.uniform(0.5, 3))]
        subprocess.run(told, check=False, timeout=60)

    def close(self) -> None:
        pass


_DIES_WRITING: Final = """
import os, signal, sys, time
from pysqlite3 import dbapi2
line = dbapi2.connect(sys.argv[1], timeout=30, isolation_level=None)
line.execute("BEGIN IMMEDIATE")
line.execute("UPDATE head SET seq = seq + 1")
line.execute("PRAGMA cache_spill = 1")
time.sleep(float(sys.argv[2]))
os.kill(os.getpid(), signal.SIGKILL)
"""


class Postgres(Server):
    """A PostgreSQL of this run's own, stopped without a goodbye and started again."""

    # a killed worker's lease runs out after 20 s, before that no other may send
    pause, brief = (25.0, 50.0), (8.0, 12.0)

    def shake(self, dice: random.Random) -> None:
        self.crash()
        time.sleep(dice.uniform(0.5, 4))
        self.start()


# What serves


@dataclass
class Serving:
    """A real `muster serve`, or for a short run the same worker with a short settle time, killed at will."""

    register: str
    env: Mapping[str, str]
    log: Path
    settle: float | None = None
    kills: int = 0
    _process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        words = [str(Path(sys.executable).with_name("muster")), "serve"]
        if self.settle is not None:
            about = {
                "register": self.register,
                "die": None,
                "settle": self.settle,
                "lookups": (0.2, 1, 2, 4, 8),
            }
            words = [sys.executable, "-c", MORTAL, json.dumps(about)]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(words, cwd=TOP, env=dict(self.env), stdout=log, stderr=log)

    def kill(self) -> None:
        if self._process is None:
            return
        assert self._process.poll() is None, self.log.read_text()[-2000:]
        self._process.send_signal(signal.SIGKILL)
        self._process.wait(30)
        self._process = None
        self.kills += 1

    def stop(self) -> None:
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            self._process.wait(30)
            self._process = None


# What is written, here and there


@dataclass
class Engagements:
    """Engagements with two replies each, while the storm blows; and their people, who answer each once."""

    store: Store
    desk: ServiceDesk
    vendor: str
    supplier: Supplier
    run: str
    made: dict[str, tuple[str, str, str]] = field(default_factory=dict)  # incident → its operation ids
    answered: set[str] = field(default_factory=set)
    heard: set[str] = field(default_factory=set)
    failed: list[BaseException] = field(default_factory=list)

    def begin(self, count: int, pause: float) -> list[threading.Thread]:
        works = (lambda: self._engage(count, pause), lambda: self._answer(count))
        threads = [threading.Thread(target=self._kept, args=(work,), daemon=True) for work in works]
        for thread in threads:
            thread.start()
        return threads

    def at_peace(self, count: int) -> bool:
        """Whether all is sent, all is answered, and every answer is heard."""
        if len(self.answered) < count or patiently(lambda: outbox.unfinished(self.store)):
            return False
        for number in set(self.made) - self.heard:
            if "supplier_said" not in kinds(patiently(lambda n=number: self.store.timeline(n))):
                return False
            self.heard.add(number)
        return True

    def _kept(self, work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as error:
            self.failed.append(error)
            raise

    def _do(self, command: Command) -> Receipt:
        return patiently(lambda: self.desk.do(COORDINATOR, command))

    def _engage(self, count: int, pause: float) -> None:
        for n in range(count):
            number = self._do(Log(title=f"{self.run} outage {n}")).number or ""
            engage = Engage(target=number, vendor=self.vendor, message=f"please look at {n}")
            replies = [Reply(target=number, message=f"{word} word on {n}") for word in ("first", "second")]
            for command in (engage, *replies):
                self._do(command)
            self.made[number] = (engage.command_id, replies[0].command_id, replies[1].command_id)
            time.sleep(pause)

    def _answer(self, count: int) -> None:
        while len(self.answered) < count:
            for number in set(self.made) - self.answered:
                bond = patiently(lambda number=number: self.store.incident(number)).bonds[0]
                if bond.ref is not None:
                    self.supplier.answer(bond.ref.id, f"we look at {number}")
                    self.answered.add(number)
            time.sleep(0.5)


@dataclass
class Told:
    """What a run came to."""

    engagements: int
    seconds: float = 0.0
    kills: int = 0
    restarts: int = 0
    cuts: Mapping[str, int] = field(default_factory=dict)
    events: Counter[str] = field(default_factory=Counter)

    def __str__(self) -> str:
        cuts = ", ".join(f"{count} {where}" for where, count in self.cuts.items())
        seen = ", ".join(f"{self.events[kind]} {kind}" for kind in _OF_NOTE if self.events[kind])
        return (
            f"{self.engagements} engagements, {self.seconds:.0f} s: {self.kills} workers killed, "
            f"{self.restarts} databases shaken, {sum(self.cuts.values())} lines cut ({cuts}); {seen}"
        )


_OF_NOTE: Final = (
    "ticket_made",
    "ticket_adopted",
    "delivered",
    "supplier_said",
    "send_ambiguous",
    "sent_again",
)


@contextlib.contextmanager
def home_of(supplier: Supplier, url: str, **more: Any) -> Iterator[tuple[Path, dict[str, str]]]:
    """A folder with a vendors.toml and the credential, as a service has it; and the environment of it."""
    with tempfile.TemporaryDirectory(prefix="ch") as folder:
        home = Path(folder)
        keys = {"poll_seconds": 2, "max_in_flight": 2} | more
        lines = "".join(f"{key} = {json.dumps(value)}\n" for key, value in keys.items())
        (home / "vendors.toml").write_text(
            f'[vendor.theirs]\nconnector = "{supplier.kind}"\ntitle = "Sample supplier"\n'
            f'environment = "test"\n{lines}{supplier.block(url)}'
        )
        credentials = home / "credentials"
        credentials.mkdir(mode=0o700)
        (credentials / "muster-theirs").write_text(supplier.secret)
        env = {**os.environ, "MUSTER_HOME": folder, "CREDENTIALS_DIRECTORY": str(credentials)}
        env.pop("MUSTER_REGISTER", None)
        yield home, env
