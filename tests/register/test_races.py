"""Property (f) of the domain: two commands that race give one of the two serial results, and no third."""

from __future__ import annotations

import os
import random
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from typing import Any

import pytest

from register.core import Command, Policy, Principal, Refused
from register.desk import ServiceDesk
from register.incident import State
from register.store import Store, open_store
from register.topics.engagement import Engage
from register.verify import verify
from tests.register.saying import ADA, BEN, everything, incident_in, log, look, story
from tests.register.test_rules import VERB_ON

pytestmark = pytest.mark.kills

RACES = int(os.environ.get("MUSTER_RACES", "120"))
MAKE: dict[str, Callable[[str], Command]] = VERB_ON | {
    "engage": lambda n: Engage(target=n, vendor="acme", message="Help."),
}
TOLD_APART = {"number", "ref", "bonds", "track"}
"""What names an incident or a moment; the rest must be the same."""
HEAD_START = random.Random(5)
Asked = tuple[Principal, Command]


@pytest.fixture
def two_desks(store: Store, policy: Policy) -> Iterator[tuple[ServiceDesk, ServiceDesk]]:
    """Two processes' worth of desks: nothing but the database is common to them."""
    other = open_store(store.url)
    yield ServiceDesk(store, policy), ServiceDesk(other, policy)
    other.close()


def do(desk: ServiceDesk, asked: Asked) -> str:
    try:
        desk.do(*asked)
    except Refused:
        return "refused"
    return "done"


def how_it_stands(desk: ServiceDesk, number: str, said: tuple[str, str]) -> tuple[Any, ...]:
    """All that a race could spoil: answers, events, the fold without its name and times."""
    facts = without_times(look(desk, number).model_dump(mode="json", exclude=TOLD_APART))
    bonds = [(bond.vendor, bond.state, bond.dead) for bond in look(desk, number).bonds]
    return said, story(desk, number), facts, bonds


def without_times(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    return {name: without_times(one) for name, one in value.items() if not name.endswith(("_at", "until"))}


def race(desks: tuple[ServiceDesk, ServiceDesk], one: Asked, other: Asked) -> tuple[str, str]:
    """Both at once, each from a thread and a connection of its own; one of them a hair earlier."""
    start = threading.Barrier(2)
    early = HEAD_START.uniform(-0.001, 0.001)

    def run(desk: ServiceDesk, asked: Asked, late: float) -> str:
        start.wait()
        time.sleep(max(0.0, late))
        return do(desk, asked)

    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(run, desks[0], one, -early)
        second = threads.submit(run, desks[1], other, early)
        return first.result(30), second.result(30)


@pytest.mark.timeout(600)
def test_property_f_two_racing_commands_give_one_of_the_two_serial_results(
    two_desks: tuple[ServiceDesk, ServiceDesk],
) -> None:
    desk, chance = two_desks[0], random.Random(11)
    cases = list(product(State, MAKE, MAKE))
    won = {"first": 0, "second": 0, "either": 0}
    for state, one, other in chance.sample(cases, min(RACES, len(cases))):
        there, back, raced = (incident_in(desk, state) for _ in range(3))

        def asked(number: str, one: str = one, other: str = other) -> tuple[Asked, Asked]:
            return (BEN, MAKE[one](number)), (ADA, MAKE[other](number))

        a, b = asked(there)
        in_order = how_it_stands(desk, there, (do(desk, a), do(desk, b)))
        a, b = asked(back)
        last = do(desk, b)
        reversed_ = how_it_stands(desk, back, (do(desk, a), last))
        found = how_it_stands(desk, raced, race(two_desks, *asked(raced)))
        assert found in (in_order, reversed_), (state, one, other)
        won["either" if in_order == reversed_ else "first" if found == in_order else "second"] += 1
    print(f"{sum(won.values())} races: {won}")
    assert won["first"]
    assert won["second"], "the threads never overlapped"
    assert verify(desk.store).faults == []


def test_two_who_take_the_same_incident_are_one_owner_and_a_count(
    two_desks: tuple[ServiceDesk, ServiceDesk],
) -> None:
    number = log(two_desks[0])
    said = race(two_desks, (BEN, MAKE["take"](number)), (ADA, MAKE["take"](number)))
    assert said == ("done", "done")  # the later one takes it over, and that is on record
    assert story(two_desks[0], number) == ["created", "assigned", "assigned"]
    assert look(two_desks[0], number).reassigned == 1


def test_the_same_command_from_two_places_at_once_is_carried_out_once(
    two_desks: tuple[ServiceDesk, ServiceDesk],
) -> None:
    number = log(two_desks[0])
    command = MAKE["note"](number)
    assert race(two_desks, (BEN, command), (BEN, command)) == ("done", "done")
    assert story(two_desks[0], number) == ["created", "note"]
    before = everything(two_desks[0].store)
    assert race(two_desks, (BEN, command), (BEN, command)) == ("done", "done")
    assert everything(two_desks[0].store) == before
