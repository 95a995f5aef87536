"""A register with many tickets open at a supplier, and that supplier, for benchmarks of listening.

The supplier runs in a process of its own and counts the requests that it gets.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from integrations.vendors import load_vendors, policy_of
from register.core import Command, Principal, Role
from register.desk import ServiceDesk
from register.incident import TicketRef
from register.store import Store
from register.topics.delivery import ConfirmSending
from register.topics.engagement import Engage
from register.topics.hearing import Hear
from register.topics.intake import Log

WHO: Final = Principal("ana", Role.ADMIN, "benchmark")
ENGINE: Final = Principal("muster", Role.ENGINE, "benchmark")
BATCH: Final = 500

_SUPPLIER: Final = """
import json, sys
from integrations.practice.moods import Hang
from integrations.practice.server import running_practice
tickets, hangs = int(sys.argv[1]), sys.argv[2] == "hangs"
asked = 0
with running_practice() as practice:
    take = practice.moods.take
    def counted(operation):
        global asked
        asked += 1
        return take(operation)
    practice.moods.take = counted
    ids = [practice.desk.create("muster", f"Sample outage {n}").id for n in range(tickets)]
    if hangs:
        practice.moods.set(Hang())
    print(json.dumps({"url": practice.url, "ids": ids}), flush=True)
    for line in sys.stdin:
        for number in json.loads(line):
            practice.desk.comment(ids[number], "Theo", "We look into it. Sample data.")
        print(json.dumps(asked), flush=True)
        asked = 0
"""


class Supplier:
    """A practice supplier in another process. ids: of its tickets, in order."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        told = self._read()
        self.url: str = told["url"]
        self.ids: list[str] = told["ids"]

    def says(self, tickets: Sequence[int] = ()) -> int:
        """Have its people write to these tickets; return the requests that it got since it was asked last."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(list(tickets)) + "\n")
        self._process.stdin.flush()
        return int(self._read())

    def _read(self) -> Any:
        assert self._process.stdout is not None
        return json.loads(self._process.stdout.readline())


@contextmanager
def supplier(tickets: int = 0, *, hangs: bool = False) -> Iterator[Supplier]:
    """hangs: it takes every connection, and never answers."""
    command = [sys.executable, "-c", _SUPPLIER, str(tickets), "hangs" if hangs else "answers"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True) as process:
        try:
            yield Supplier(process)
        finally:
            process.terminate()


def vendors_file(home: Path, urls: dict[str, str], **more: object) -> Path:
    """Write a vendors.toml with these suppliers, by name."""
    blocks = []
    for name, url in urls.items():
        keys: dict[str, object] = {
            "connector": "practice",
            "title": name.title(),
            "url": url,
            "environment": "test",
            "auth": "none",
        } | more
        lines = (f"{key} = {json.dumps(value)}" for key, value in keys.items())
        blocks.append(f"[vendor.{name}]\n" + "\n".join(lines) + "\n")
    path = home / "vendors.toml"
    path.write_text("\n".join(blocks))
    return path


def desk_of(store: Store, vendors: Path) -> ServiceDesk:
    return ServiceDesk(store, policy_of(load_vendors(vendors)))


def bond(desk: ServiceDesk, vendor: str, ids: Sequence[str]) -> None:
    """Log an incident for each ticket, engage the supplier for it, and know the ticket as its answer."""
    for start in range(0, len(ids), BATCH):
        some = ids[start : start + BATCH]
        logged = _do(desk, [(WHO, Log(title=f"Sample outage {start + n}")) for n in range(len(some))])
        numbers = [receipt.number or "" for receipt in logged]
        engaged = [Engage(target=number, vendor=vendor, message="Sample data.") for number in numbers]
        _do(desk, [(WHO, command) for command in engaged])
        made = [
            ConfirmSending(row_id=command.command_id, ref=TicketRef(id=ticket, key=ticket))
            for command, ticket in zip(engaged, some, strict=True)
        ]
        _do(desk, [(ENGINE, command) for command in made])
        read = [
            Hear(vendor=vendor, whole=command.command_id, target=number)
            for command, number in zip(engaged, numbers, strict=True)
        ]
        _do(desk, [(ENGINE, command) for command in read])


def _do(desk: ServiceDesk, asked: Sequence[tuple[Principal, Command]]) -> list[Any]:
    return list(desk.do_all(asked))
