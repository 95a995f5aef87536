"""A supplier of any kind in a process of its own, a worker that is killed while it writes, and the count."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from engine_kit import COORDINATOR, TOP, engage_many, mortal, wait_for

from integrations.vendors import load_vendors, policy_of
from register.core import Refused
from register.desk import ServiceDesk
from register.store import Store, open_store, outbox
from register.store.outbox import Sending
from register.topics.delivery import RetrySending
from register.topics.engagement import Reply
from register.verify import verify

NAME = "theirs"
MUSTER = Path(sys.executable).with_name("muster")
SETTLE = 1.5
LOOKUPS = (0.2, 0.5, 1.0)
"""Seconds, in place of a connector's own, after which nothing found proves something; and until looked up."""


class Served:
    """The played supplier's process, as a test sees it: what it holds, and what it is about."""

    def __init__(self, kind: str, told: Mapping[str, Any], hold: float) -> None:
        self.kind, self.hold = kind, hold
        self.block: Mapping[str, Any] = told
        self._control = told["control"]
        self._client = httpx.Client(timeout=30, trust_env=False)

    def asks(self, **asked: Any) -> Any:
        answer = self._client.post(self._control, json=asked)
        assert answer.is_success, answer.text
        return answer.json()

    @property
    def state(self) -> Any:
        return self._client.get(self._control).json()

    @property
    def is_writing(self) -> bool:
        """Whether a write came that is not answered yet."""
        return bool(self.state["under_way"])

    def stops(self, method: str, part: str) -> None:
        """Hold the next request of this method, with this in its path, before anything is done about it."""
        self.asks(stop=[method, part])

    def goes_on(self, *, arrives: bool) -> None:
        """Do what was stopped all the same, or let it be lost."""
        self.asks(go=arrives)

    def tickets(self, *op_ids: str) -> dict[str, int]:
        """How many of its tickets carry each operation id."""
        found: dict[str, int] = self.asks(tickets=op_ids)["tickets"]
        return found

    def said(self, *refs: tuple[str, str]) -> list[list[str]]:
        """What stands on tickets, by id and key."""
        found: list[list[str]] = self.asks(said=refs)["said"]
        return found

    def close(self) -> None:
        self._client.close()


@contextmanager
def serving(kind: str, *, seed: int, hold: float) -> Iterator[Served]:
    """Play a supplier of this kind, each answer of which is held up to so many seconds before and after."""
    about = json.dumps({"kind": kind, "seed": seed, "hold": hold})
    with subprocess.Popen(
        [sys.executable, "-m", "tests.played.serving", about], cwd=TOP, stdout=subprocess.PIPE
    ) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line, f"the played {kind} ended with {process.wait(10)}"
            served = Served(kind, json.loads(line), hold)
            yield served
            served.close()
            assert process.poll() is None, f"the played {kind} ended"
        finally:
            process.kill()


def vendors_file(home: Path, served: Served, **more: Any) -> Path:
    """Write a vendors.toml in which it is, and what systemd would hand the worker of its credential."""
    told = served.block
    keys: dict[str, Any] = {
        "connector": served.kind,
        "title": "Theirs",
        "environment": "test",
        "poll_seconds": 1,
    }
    keys |= {name: told[name] for name in ("url", "zone") if told[name]} | more
    lines = [
        f"{name} = {_toml(value)}" for name, value in (keys | told["config"]).items() if value is not None
    ]
    file = home / "vendors.toml"
    file.write_text(f"[vendor.{NAME}]\n" + "\n".join(lines) + "\n")
    (home / "credentials").mkdir(exist_ok=True)
    (home / f"credentials/muster-{NAME}").write_text(told["secret"])
    return file


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        pairs = (f"{json.dumps(str(name))} = {_toml(one)}" for name, one in value.items() if one is not None)
        return "{ " + ", ".join(pairs) + " }"
    if isinstance(value, list):
        return f"[{', '.join(_toml(one) for one in value)}]"
    return json.dumps(value)


@dataclass
class Run:
    """Engagements with one supplier, each with replies, and the worker that is killed over them."""

    served: Served
    store: Store
    home: Path
    in_haste: bool = True  # with waits as a test can have them; else it is `muster serve` itself
    desk: ServiceDesk = field(init=False)
    said: dict[str, list[str]] = field(default_factory=dict)  # incident → what was replied, in order
    op_ids: dict[str, str] = field(default_factory=dict)  # incident → the operation that makes its ticket
    kills: int = 0
    amid: int = 0  # kills while a write of ours was at the supplier's
    persons: int = 0  # times that a person had to decide
    decided: set[tuple[str, int]] = field(default_factory=set)  # a row and its tries, of each time

    def __post_init__(self) -> None:
        self.desk = ServiceDesk(self.store, policy_of(load_vendors(self.home / "vendors.toml")))

    @property
    def left(self) -> list[Sending]:
        return outbox.unfinished(self.store)

    def engage(self, count: int, replies: int = 1) -> None:
        """Engage the supplier for so many more incidents, and reply to each."""
        for number, op_id in engage_many(self.desk, count, NAME):
            self.op_ids[number], self.said[number] = op_id, []
            for _ in range(replies):
                self.reply(number)

    def reply(self, number: str) -> None:
        text = f"Word{len(self.said[number])} about {number.replace('-', '')} in full"
        self.desk.do(COORDINATOR, Reply(target=number, message=text))
        self.said[number].append(text)

    @contextmanager
    def worker(self) -> Iterator[subprocess.Popen[bytes]]:
        """The worker's process."""
        register, env = str(self.store.path), {"CREDENTIALS_DIRECTORY": str(self.home / "credentials")}
        if not self.in_haste:
            with muster_serve(self.home, env | {"MUSTER_REGISTER": register}) as process:
                yield process
            return
        with mortal(register, self.home, settle=SETTLE, env=env, lookups=LOOKUPS) as process:
            assert process.stdout is not None
            process.stdout.readline()  # it is up
            yield process

    def kill(self, process: subprocess.Popen[bytes]) -> None:
        """SIGKILL, while a write is under way there or not."""
        self.amid += self.served.is_writing
        process.send_signal(signal.SIGKILL)
        assert process.wait(10) == -signal.SIGKILL, process.stderr and process.stderr.read()[-3000:]
        self.kills += 1

    def struck_down(self, dice: random.Random) -> None:
        """One life: until it writes, at times a while longer, and mostly amid a write."""
        with self.worker() as process:
            self._until_it_writes(process)
            if dice.random() < 0.4:
                time.sleep(dice.uniform(0, 5 * self.served.hold))
                self._until_it_writes(process)
            time.sleep(dice.uniform(0, self.served.hold))
            self.kill(process)

    def _until_it_writes(self, process: subprocess.Popen[bytes]) -> None:
        end = time.monotonic() + 30
        while not self.served.is_writing and time.monotonic() < end and self.left:
            self._lives(process)
            time.sleep(0.01)

    def _lives(self, process: subprocess.Popen[bytes]) -> None:
        """See that it runs and that nothing has failed for good; do what a person is asked for."""
        assert process.poll() is None, process.stderr and process.stderr.read()[-3000:]
        dead = [row for row in self.left if row.state == "dead"]
        assert not dead, dead
        self.decide()

    def decide(self) -> None:
        """Do what a person does who is asked: look there, and have what is not there sent again.

        What is there is looked for once more, when their index has it. Without haste nobody waits to be
        asked, which takes a quarter of an hour: what is in doubt is seen by whoever looks.
        """
        doubtful = [row for row in self.left if row.state == "ambiguous"]
        asks = [row for row in doubtful if (row.row_id, row.tries) not in self.decided]
        asks = [row for row in asks if row.next_at is None or not self.in_haste]
        if not asks or self.served.is_writing:
            return
        time.sleep(1.2)  # their index has by then what is there
        for row in asks:
            with suppress(Refused):  # it was found, or is on its way again
                self.desk.do(COORDINATOR, RetrySending(row_id=row.row_id))
            self.decided.add((row.row_id, row.tries))
            self.persons += 1

    def until_done(self, seconds: float) -> None:
        """A worker that lives, until all is said."""

        def done() -> bool:
            self._lives(process)
            return not self.left

        with self.worker() as process:
            wait_for(done, seconds, f"an empty outbox: {self.left[:3]}, which")

    def judged(self) -> None:
        """One ticket each, each word there once and in order, and a register in which nothing is wrong."""
        assert self.served.tickets(*self.op_ids.values()) == dict.fromkeys(self.op_ids.values(), 1)
        refs = [self._ref(number) for number in self.said]
        for (number, words), texts in zip(self.said.items(), self.served.said(*refs), strict=True):
            found = [word for text in texts for word in words if word in text]
            assert found == words, f"{number}: {texts}"
            assert len(texts) == 1 + len(words), f"{number}: {texts}"
        assert verify(self.store).faults == []
        if not self.in_haste:
            env = {**os.environ, "MUSTER_HOME": str(self.home), "MUSTER_REGISTER": str(self.store.path)}
            done = subprocess.run([MUSTER, "verify"], env=env, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stdout + done.stderr

    def _ref(self, number: str) -> tuple[str, str]:
        incident = self.store.incident(number)
        assert incident is not None
        (bond,) = incident.bonds
        assert bond.ref is not None
        return bond.ref.id, bond.ref.key


@contextmanager
def muster_serve(home: Path, env: Mapping[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    with (home / "serve.log").open("ab") as out:
        process = subprocess.Popen(
            [MUSTER, "serve"],
            cwd=TOP,
            env={**os.environ, "MUSTER_HOME": str(home), **env},
            stdout=out,
            stderr=out,
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait(10)


@contextmanager
def run_of(
    kind: str, home: Path, *, seed: int, hold: float, in_haste: bool = True, **more: Any
) -> Iterator[Run]:
    """A supplier of this kind, and a register of its own."""
    with serving(kind, seed=seed, hold=hold) as served:
        vendors_file(home, served, **({"deadline_seconds": 2, "max_in_flight": 4} | more))
        store = open_store(str(home / "register.db"))
        try:
            yield Run(served, store, home, in_haste)
        finally:
            store.close()


def killed(run: Run, *, kills: int, amid: int, seed: int, seconds: float) -> None:
    """Kill so many workers over it, at least `amid` of them while it wrote; then let one live, and count."""
    dice = random.Random(seed)
    run.engage(1)
    while run.kills < kills or run.amid < amid:
        assert run.kills < 4 * kills, f"only {run.amid} of {run.kills} fell while it wrote"
        run.engage(1)
        run.struck_down(dice)
    run.until_done(seconds)
    run.judged()
