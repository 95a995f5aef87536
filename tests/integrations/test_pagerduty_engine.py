"""Suppliers at PagerDuty and the engine: by events engaged, called off, answers lost; a merger followed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from integrations.budget import Budget
from integrations.collector import Collector
from integrations.conformance import line
from integrations.conformance.line import Line
from integrations.courier import Courier
from integrations.hand import Hand
from integrations.vendors import connector_for, policy_of, read_vendors
from register.bond import BondState
from register.desk import ServiceDesk
from register.incident import Bond
from register.store import Store
from register.topics.engagement import Engage, Reply
from register.topics.intake import Log
from register.topics.withdrawal import Withdraw
from tests.integrations.engine_kit import FAST, Engine
from tests.integrations.test_pagerduty_events import BLOCK
from tests.played.pagerduty import SERVICE, TOKEN, USER, PagerDutyWorld
from tests.played.pagerduty_events import KEY, EventsWorld

NAME = "dba"


@pytest.fixture
def world() -> EventsWorld:
    return EventsWorld()


@pytest.fixture
def wire(world: EventsWorld) -> Line:
    return Line(world.transport())


def engine_of(store: Store, block: str, secret: str, wire: Line) -> Engine:
    known = read_vendors(block)
    hand = Hand(ServiceDesk(store, policy_of(known)), lambda: datetime.now(UTC))
    connector = connector_for(known[NAME], lambda _: secret, wire)
    budget = Budget(hand, known[NAME], connector)
    courier = Courier(hand, known[NAME], connector, "me", FAST, budget=budget)
    collector = Collector(hand, known[NAME], connector, budget)
    return Engine(store, hand.desk, known[NAME], courier, collector, hand, connector.http.aclose)


@pytest.fixture
async def engine(store: Store, wire: Line) -> AsyncIterator[Engine]:
    yield engine_of(store, BLOCK, KEY, wire)
    await wire.aclose()


def engaged(engine: Engine) -> str:
    number = engine.do(Log(title="db down")).number or ""
    engine.do(Engage(target=number, vendor=NAME, message="please look"))
    return number


def bond(engine: Engine, number: str) -> Bond:
    (one,) = engine.store.incident(number).bonds
    return one


async def test_engaged_and_called_off(engine: Engine, world: EventsWorld) -> None:
    number = engaged(engine)
    await engine.settle_all()
    (alert,) = world.desk.alerts
    ref = bond(engine, number).ref
    assert ref is not None
    assert (ref.id, ref.key) == (alert["key"], alert["key"])
    assert await engine.collector.poll() == 0
    engine.do(Withdraw(target=number, reason="it came back by itself"))
    await engine.settle_all()
    assert alert["status"] == "resolved"
    assert alert["events"][-1]["payload"]["summary"] == "it came back by itself"
    assert bond(engine, number).state is BondState.ENDED


async def test_a_lost_answer_is_sent_again_and_calls_nobody_twice(
    engine: Engine, world: EventsWorld, wire: Line
) -> None:
    wire.spoil(line.commit_then_cut, times=2)
    number = engaged(engine)
    await engine.settle_all()
    (alert,) = world.desk.alerts
    assert len(alert["events"]) == 3
    assert "send_ambiguous" not in engine.kinds(number)
    assert bond(engine, number).ref is not None


async def test_words_wait_for_a_person_and_hold_nothing_up(engine: Engine, world: EventsWorld) -> None:
    number = engaged(engine)
    await engine.settle_all()
    engine.do(Reply(target=number, message="any news?"))
    await engine.settle_all()
    assert "send_failed" in engine.kinds(number)
    engine.do(Withdraw(target=number, reason="solved"))
    await engine.settle_all()
    assert world.desk.alerts[0]["status"] == "resolved"


async def test_a_merger_is_followed_and_taken_for_no_fix(store: Store) -> None:
    world = PagerDutyWorld()
    whole = BLOCK.replace('api = "events"', f'service = "{SERVICE}"\nuser = "{USER}"')
    engine = engine_of(store, whole, TOKEN, Line(world.transport()))
    number = engaged(engine)
    await engine.settle_all()
    await engine.collector.poll()
    before = bond(engine, number).ref
    assert before is not None
    into = await world.merges(before)
    await world.says(into, "we look at both")
    await engine.collector.poll()
    now = bond(engine, number)
    assert (now.ref, now.state) == (into, BondState.OPEN)
    engine.do(Reply(target=number, message="any news?"))
    await engine.settle_all()
    assert [one.body.split("\n")[0] for one in await world.said(into)][1:] == ["we look at both", "any news?"]
    assert "supplier_said" in engine.kinds(number)
