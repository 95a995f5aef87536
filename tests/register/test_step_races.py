"""A tick against what people do, and people against each other: whoever commits first wins, and no third."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from register.auditing import audit
from register.core import Command, Policy, Refused
from register.desk import ServiceDesk
from register.incident import Impact, Paging, Urgency
from register.matrix_toml import read_matrix
from register.store import Store, open_store
from register.topics.escalate import Functional
from register.topics.ownership import Acknowledge, PassOn
from register.topics.waking import WakeUp
from register.verify import verify
from register.watch import WATCH
from tests.register.escalating import MATRIX
from tests.register.saying import ANA, BEN, fixed, log, look

pytestmark = [pytest.mark.kills, pytest.mark.timeout(300)]

POLICY = Policy(matrix=read_matrix(MATRIX), version=1)
HEAD_START = random.Random(7)
ROUNDS = 12


@pytest.fixture
def desks(store: Store) -> Iterator[tuple[ServiceDesk, ServiceDesk]]:
    """Two processes' worth: nothing but the database is common to them."""
    other = open_store(store.url)
    yield ServiceDesk(store, POLICY), ServiceDesk(other, POLICY)
    other.close()


def wake(number: str) -> tuple[Any, Command]:
    return WATCH, WakeUp(target=number)


Doing = Callable[[str], tuple[Any, Command]]
RACES: dict[str, tuple[Doing, Doing]] = {
    "ack against tick": (wake, lambda n: (ANA, Acknowledge(target=n))),
    "resolve against tick": (wake, lambda n: (ANA, fixed(n))),
    "pass against tick": (wake, lambda n: (BEN, PassOn(target=n, to="dora"))),
    "next step by hand against tick": (wake, lambda n: (BEN, Functional(target=n))),
    "tick against tick": (wake, wake),
    "ack against resolve": (lambda n: (BEN, fixed(n)), lambda n: (ANA, Acknowledge(target=n))),
}


def do(desk: ServiceDesk, asked: tuple[Any, Command], late: float = 0.0) -> str:
    time.sleep(late)
    try:
        return "done" if desk.do(*asked).events else "nothing"
    except Refused:
        return "refused"


def stands(desk: ServiceDesk, number: str) -> tuple[Any, ...]:
    """All that a race could spoil: the events, and how its escalation stands."""
    incident = look(desk, number)
    run = incident.run
    kinds = [one.kind for one in desk.store.timeline(number)]
    at = None if run is None else (run.state, run.place, run.fired, run.cycle, run.next_at is None)
    return kinds, incident.state, at, None if run is None else [one.person for one in run.told]


def due(desk: ServiceDesk) -> str:
    return log(desk, impact=Impact.HIGH, urgency=Urgency.HIGH)


@pytest.mark.parametrize("race", RACES)
def test_property_f_either_serial_result_and_nothing_else(
    desks: tuple[ServiceDesk, ServiceDesk], race: str
) -> None:
    one, other = RACES[race]
    desk = desks[0]
    serial = []
    for first, second in ((one, other), (other, one)):
        number = due(desk)
        said = {do(desk, first(number)), do(desk, second(number))}
        serial.append((said, *stands(desk, number)))
    for _ in range(ROUNDS):
        number, start, early = due(desk), threading.Barrier(2), HEAD_START.uniform(-0.003, 0.003)

        def run(which: int, asked: tuple[Any, Command], late: float, start: Any = start) -> str:
            start.wait()
            return do(desks[which], asked, max(0.0, late))

        with ThreadPoolExecutor(2) as threads:
            a = threads.submit(run, 0, one(number), -early)
            b = threads.submit(run, 1, other(number), early)
            said = {a.result(30), b.result(30)}
        assert (said, *stands(desk, number)) in serial, race
    found = audit(desk.store, datetime.now(UTC) + timedelta(seconds=1))
    assert found.faults == []
    assert verify(desk.store).faults == []


def test_edge_13_resolve_wins_and_the_late_word_is_kept(desks: tuple[ServiceDesk, ServiceDesk]) -> None:
    number = due(desks[0])
    do(desks[0], (BEN, fixed(number)))
    do(desks[1], (ANA, Acknowledge(target=number)))
    assert look(desks[0], number).paging is Paging.NONE
    assert [one.kind for one in desks[0].store.timeline(number)][-1] == "acknowledged"
    assert do(desks[0], wake(number)) == "nothing"
