"""Two workers on two hosts against one PostgreSQL; the line of the one that sends is cut, and mended.

It goes on reaching the supplier meanwhile: what it sends without being able to tell is the hard part.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "integrations"))
from engine_kit import COORDINATOR, TOP, practice_file, wait_for

from integrations.practice.moods import Slow
from integrations.practice.server import Practice, running_practice
from integrations.vendors import load_vendors, policy_of
from register.core import Command
from register.desk import Receipt, ServiceDesk, kinds
from register.marker import marker_of
from register.store import RegisterUnavailable, Store, open_store, outbox
from register.topics.engagement import Engage, Reply
from register.topics.intake import Log
from register.topics.news import SupplierSaid
from register.verify import verify
from tests.hosts import Host, Hosts, hosts, until_reached
from tests.pg_server import PORT, Server

pytestmark = [pytest.mark.peers, pytest.mark.timeout(900)]
MUSTER = str(Path(sys.executable).with_name("muster"))


class Worker:
    """`muster serve` on a host."""

    def __init__(self, host: Host, url: str, home: Path) -> None:
        env = {**os.environ, "MUSTER_REGISTER": url, "MUSTER_HOME": str(home)}
        self.host = host
        self.log = home / f"{host.name}.log"
        with self.log.open("wb") as log:
            self._process = host.runs(MUSTER, "serve", env=env, cwd=TOP, stdout=log, stderr=log)

    def lives(self) -> bool:
        return self._process.poll() is None

    def stop(self) -> None:
        self._process.kill()
        self._process.wait(30)


class Story:
    """What is asked for and what they answer, while hosts come and go."""

    def __init__(self, store: Store, desk: ServiceDesk, practice: Practice) -> None:
        self.store, self.desk, self.practice = store, desk, practice
        self.made: dict[str, list[str]] = {}  # incident → its operation ids
        self.answered: set[str] = set()

    def engage(self, count: int) -> None:
        for _ in range(count):
            number = self.say(Log(title="Sample outage")).number or ""
            commands = (
                Engage(target=number, vendor="practice", message="please look"),
                Reply(target=number, message="first word"),
                Reply(target=number, message="second word"),
            )
            for command in commands:
                self.say(command)
            self.made[number] = [command.command_id for command in commands]

    def say(self, command: Command) -> Receipt:
        """Say it until it is done: who was cut off may have held the head, for half a minute."""
        end = time.monotonic() + 90
        while True:
            try:
                return self.desk.do(COORDINATOR, command)
            except RegisterUnavailable:
                if time.monotonic() > end:
                    raise

    def answer(self) -> None:
        for ticket in self.practice.desk.tickets:
            if ticket.id not in self.answered:
                self.answered.add(ticket.id)
                self.practice.desk.comment(ticket.id, "their agent", "we look")

    def delivered(self) -> int:
        return sum(kinds(self.store.timeline(number)).count("delivered") for number in self.made)

    def at_peace(self) -> bool:
        if outbox.unfinished(self.store):
            return False
        self.answer()
        return all("supplier_said" in kinds(self.store.timeline(number)) for number in self.made)

    def judge(self) -> None:
        """Nothing doubled, nothing lost: held against what the supplier has."""
        desk = self.practice.desk
        assert sorted(ticket.reference for ticket in desk.tickets) == sorted(
            ops[0] for ops in self.made.values()
        )
        for number, ops in self.made.items():
            (ticket,) = desk.with_reference(ops[0])
            bodies = [c.body for c in desk.changes if c.ticket == ticket.id and c.author != "their agent"]
            marks = [marker_of(body) for body in bodies]
            assert marks == ops, f"{number}: our texts in order and once"
            events = self.store.timeline(number)
            said = [one.event.body for one in events if isinstance(one.event, SupplierSaid)]
            assert said == ["we look"], f"{number}: their one answer once, and no word of ours"
            assert not {"person_needed", "duplicate_found", "send_failed"} & set(kinds(events))
        assert verify(self.store).faults == []


def tell(net: Hosts, home: Path, practice: Practice, server: Server, cuts: list[float]) -> Story:
    """Two workers, the line of the one that sends cut for so many seconds each time, and peace after it."""
    server.listen_at(net.here)
    net.brings(int(practice.url.rpartition(":")[2]))
    for host in net.both:
        until_reached(host, net.here, PORT)
    file = practice_file(home, practice.url, deadline_seconds=5, max_in_flight=4)
    env = {**os.environ, "MUSTER_REGISTER": server.url, "MUSTER_HOME": str(home)}
    subprocess.run([MUSTER, "apply"], env=env, check=True, capture_output=True, timeout=60)
    store = open_store(server.url)
    story = Story(store, ServiceDesk(store, policy_of(load_vendors(file))), practice)
    practice.moods.set(Slow(seconds=0.3, on="writes"))  # so that something is always on its way
    first, second = net.both
    workers = [Worker(first, server.url_at(net.here), home)]
    try:
        story.engage(10)
        wait_for(lambda: story.delivered() > 0, 60, "the first delivery")
        workers.append(Worker(second, server.url_at(net.here), home))
        for turn, seconds in enumerate(cuts):
            off, on = (first, second) if turn % 2 == 0 else (second, first)
            story.engage(20)
            before = story.delivered()
            wait_for(lambda before=before: story.delivered() > before, 60, f"a delivery by {off.name}")
            off.cut()
            over, before = time.monotonic() + seconds, story.delivered()
            while time.monotonic() < over:
                story.engage(1)  # nobody waits for the host that is cut off
                story.answer()
                time.sleep(0.5)
            wait_for(lambda before=before: story.delivered() > before + 8, 60, f"a delivery by {on.name}")
            off.mend()
        wait_for(story.at_peace, 240, "peace")
        assert all(worker.lives() for worker in workers), [worker.log.read_text() for worker in workers]
        story.judge()
    finally:
        for worker in workers:
            worker.stop()
        store.close()
    return story


@pytest.mark.parametrize("cuts", [pytest.param([60.0, 60.0], marks=pytest.mark.chaos), [12.0]])
def test_a_host_is_cut_off_from_the_register(cuts: list[float], tmp_path: Path) -> None:
    server = Server()
    try:
        with hosts() as net, running_practice() as practice:
            began = time.monotonic()
            story = tell(net, tmp_path, practice, server, cuts)
            print(f"\n{len(story.made)} engagements, cut for {cuts} s: {time.monotonic() - began:.0f} s")
    finally:
        server.close()


@pytest.mark.chaos
def test_a_host_is_cut_off_while_it_holds_the_register(tmp_path: Path) -> None:
    """The server hears nothing of it: it asks, and lets go of the head in half a minute, not in two hours."""
    server = Server()
    try:
        with hosts() as net:
            server.listen_at(net.here)
            host = net.both[0]
            until_reached(host, net.here, PORT)
            desk = ServiceDesk(open_store(server.url))
            words = (sys.executable, "-m", "tests.register.holder", server.url_at(net.here))
            holder = host.runs(*words, cwd=TOP, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            assert holder.stdout is not None
            assert holder.stdout.readline() == b"held\n"
            host.cut()
            log, began = Log(title="Sample outage"), time.monotonic()
            while True:
                try:
                    desk.do(COORDINATOR, log)
                    break
                except RegisterUnavailable:
                    assert time.monotonic() < began + 120, "the register stayed held"
            print(f"\nheld for {time.monotonic() - began:.0f} s by a host that is gone")
            holder.kill()
            holder.communicate()
            desk.store.close()
    finally:
        server.close()
