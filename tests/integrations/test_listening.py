"""When suppliers are asked, how much they are asked, and that nothing of what they say stops the rest."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from engine_kit import COORDINATOR, Engine, practice_file

from integrations import collector
from integrations.listening import AT_MOST, SPREAD, Listener
from integrations.pacing import Why
from integrations.practice.moods import Hang, RateLimit, Refuse500
from integrations.practice.server import Practice, running_practice
from integrations.systems.practice import PracticeDesk
from integrations.vendors import load_vendors, policy_of
from integrations.worker import Worker
from register.store import Store, hooks, open_store, outbox
from register.store.listening import listening
from register.store.vendors import cursor_of, health, standing, unread_bonds
from register.topics import heard
from register.topics.engagement import Engage
from register.topics.intake import Log


@dataclass
class Clock:
    now: datetime

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock(datetime.now(UTC))


@pytest.fixture
async def slow(
    practice: Practice, own_store: Store, tmp_path: Path, clock: Clock
) -> AsyncIterator[Callable[..., Engine]]:
    """Makes engines over one register whose time stands still until it is moved."""
    made: list[Engine] = []

    def over(**keys: object) -> Engine:
        made.append(Engine.over(own_store, practice_file(tmp_path, practice.url, **keys), clock=clock))
        return made[-1]

    yield over
    for engine in made:
        await engine.close()  # type: ignore[misc]
        engine.hand.close()


async def bonded(engine: Engine, count: int = 1) -> list[str]:
    """Incidents with a ticket each, from whose cursor on is listened."""
    await engine.collector.poll()
    numbers = [engine.engaged()[0] for _ in range(count)]
    await engine.courier.until_quiet()
    return numbers


def listener(engine: Engine, place: int = 0) -> Listener:
    return Listener(engine.hand, engine.vendor, engine.collector, lambda said: None, place)


@pytest.mark.parametrize("form", ["seconds", "date", "iso"])
async def test_a_wait_that_a_poll_is_told_holds_for_all_and_outlives_a_restart(
    slow: Callable[..., Engine], practice: Practice, clock: Clock, form: Any
) -> None:
    engine = slow()
    await bonded(engine)
    practice.mood = RateLimit(on="changes", times=1, retry_after=3600, form=form)
    await engine.collector.poll()
    after = slow()
    until = standing(after.store, "practice").not_before
    assert until is not None
    assert abs(until - clock.now - timedelta(hours=1)) < timedelta(minutes=1)
    after.engaged()
    asked = [e.courier._connector.http for e in (engine, after)]
    was = [http.asked for http in asked]
    await after.courier.step()
    assert await after.collector.poll() == 0
    assert [http.asked for http in asked] == was
    clock.now = until + timedelta(seconds=1)
    await after.courier.until_quiet()
    assert len(practice.desk.tickets) == 2


async def test_one_change_that_cannot_be_taken_in_keeps_no_other_waiting(
    engine: Engine, practice: Practice, monkeypatch: pytest.MonkeyPatch
) -> None:
    (number,) = await bonded(engine)
    await engine.collector.poll()
    ticket = practice.desk.tickets[0].id
    taken_in = heard._comment

    def poisoned(item: Any, *about: Any) -> Any:
        if "poison" in item.body:
            raise ZeroDivisionError
        return taken_in(item, *about)

    monkeypatch.setitem(heard._TOLD, "comment", poisoned)
    for words in ("before", "poison", "after"):
        practice.desk.comment(ticket, "Theo", words)
    assert await engine.collector.poll() == 2
    said = [e.event.body for e in engine.store.timeline(number) if e.kind == "supplier_said"]  # type: ignore[union-attr]
    assert said == ["before", "after"]
    assert engine.kinds(number)[-1] == "set_aside"
    assert health(engine.store)["practice"].unread == 1
    was = cursor_of(engine.store, "practice")
    assert await engine.collector.poll() == 0
    assert cursor_of(engine.store, "practice") == was


async def test_tickets_are_read_whole_some_at_a_time(
    engine: Engine, practice: Practice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(collector, "MOST_WHOLE", 2)
    await bonded(engine, 3)
    await engine.collector.poll()
    assert len(unread_bonds(engine.store, "practice", 9)) == 1
    await engine.collector.poll()
    assert unread_bonds(engine.store, "practice", 9) == []


async def test_a_ticket_that_is_gone_is_asked_for_once_and_then_a_persons_matter(
    engine: Engine, practice: Practice
) -> None:
    await bonded(engine)
    practice.desk.delete(practice.desk.tickets[0].id)
    await engine.collector.poll()
    assert health(engine.store)["practice"].unread == 1
    http = engine.courier._connector.http
    was = http.asked
    await engine.collector.poll()
    assert http.asked == was + 1


async def test_no_more_requests_a_minute_than_are_allowed(
    slow: Callable[..., Engine], practice: Practice, clock: Clock
) -> None:
    engine = slow(requests_a_minute=20, max_in_flight=16)
    http = engine.courier._connector.http
    for _ in range(10):
        engine.engaged()
    begin, made = clock.now, []
    while len(practice.desk.tickets) < 10:
        await engine.courier.until_quiet()
        made += [clock.now] * (http.asked - len(made))
        clock.now = engine.courier.next_at(None) or clock.now + timedelta(seconds=1)
        assert clock.now - begin < timedelta(minutes=5)
    assert clock.now - begin > timedelta(seconds=20)
    assert all(sum(a <= at < a + timedelta(minutes=1) for at in made) <= 20 for a in made)
    again = slow(requests_a_minute=20)  # a restart, or another process
    for _ in range(10):
        again.engaged()
    await again.courier.until_quiet()
    assert len(practice.desk.tickets) < 15


async def test_the_pace_slows_down_is_told_and_outlives_a_restart(
    slow: Callable[..., Engine], practice: Practice, clock: Clock
) -> None:
    engine = slow(poll_seconds=10)
    await bonded(engine)
    listens = listener(engine)
    assert await listens.begin() == clock.now
    listens.stir()  # as a courier does that had something to send
    due = await listens.turn()
    assert (due - clock.now, listening(engine.store, "practice").why) == (timedelta(seconds=10), Why.HOT)
    clock.now += timedelta(hours=2)
    due = await listens.turn()
    assert due - clock.now == timedelta(seconds=80)
    told = health(engine.store)["practice"]
    assert (told.poll_every, told.poll_why, told.polled_at) == (80, "at rest", clock.now)
    clock.now += timedelta(seconds=5)
    assert await listener(slow(poll_seconds=10), place=3).begin() == due
    clock.now += timedelta(minutes=5)  # overdue: one after another
    places = [await listener(slow(poll_seconds=10), place).begin() for place in (0, 3)]
    assert places == [clock.now, clock.now + 3 * SPREAD]
    listens.stir()
    assert await listens._nearer(clock.now + timedelta(hours=1)) <= clock.now + timedelta(seconds=10)


async def test_a_webhook_is_answered_by_a_poll_also_after_a_restart(
    slow: Callable[..., Engine], practice: Practice, clock: Clock
) -> None:
    engine = slow(poll_seconds=600)
    (number,) = await bonded(engine)
    await listener(engine).turn()
    practice.desk.comment(practice.desk.tickets[0].id, "Theo", "news")
    hooks.ring(engine.store, "practice", clock.now)  # answered 200, and its worker died
    after = listener(slow(poll_seconds=600))
    assert await after.begin() == clock.now
    await after.turn()
    assert engine.kinds(number)[-1] == "supplier_said"
    assert hooks.unanswered(engine.store) == []
    clock.now += timedelta(seconds=1)
    assert await listener(engine).begin() > clock.now + timedelta(minutes=1)


async def test_behind_webhooks_it_is_asked_less_until_one_is_missed_or_they_fall_silent(
    slow: Callable[..., Engine], practice: Practice, clock: Clock
) -> None:
    engine = slow(poll_seconds=10)
    await bonded(engine)
    ticket, listens = practice.desk.tickets[0].id, listener(engine)
    policy = engine.desk.policy  # no P1 or P2 is open, and it is nobody's night

    async def polled(*, says: bool = False, rings: bool = False) -> tuple[float, str]:
        clock.now += timedelta(seconds=1)
        if says:
            practice.desk.comment(ticket, "Theo", f"at {clock.now}")
        if rings:
            hooks.ring(engine.store, "practice", clock.now)
        due = await listens.turn()
        assert engine.desk.policy is policy
        return (due - clock.now).total_seconds(), listening(engine.store, "practice").why

    assert await polled(says=True) == (10, Why.HOT)
    assert await polled(says=True, rings=True) == (80, Why.RINGS)
    assert await polled() == (80, Why.RINGS), "nothing came that no webhook had told of"
    assert await polled(says=True) == (10, Why.HOT), "one was lost: so may be the next"
    assert await polled() == (10, Why.HOT)
    assert await polled(rings=True) == (80, Why.RINGS)
    clock.now += timedelta(minutes=61)
    assert (await polled())[1] == Why.REST, "they have fallen silent"


async def test_a_feed_that_lags_is_asked_once_more_when_it_should_tell_of_a_webhook(
    slow: Callable[..., Engine], clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    info = replace(PracticeDesk.info, feed_lag=timedelta(seconds=60))
    monkeypatch.setattr(PracticeDesk, "info", info)
    engine = slow(poll_seconds=10)
    await bonded(engine)
    listens = listener(engine)
    hooks.ring(engine.store, "practice", clock.now)
    assert await listens.turn() == clock.now + timedelta(seconds=60), "and no later, though webhooks arrive"
    clock.now += timedelta(seconds=60)
    assert await listens.turn() == clock.now + timedelta(seconds=80)


async def test_a_hundred_webhooks_are_no_hundred_polls(
    slow: Callable[..., Engine], practice: Practice, clock: Clock
) -> None:
    engine = slow(poll_seconds=60)
    listens = listener(engine)
    await listens.turn()
    listens.ask()
    assert listens._soonest() == clock.now + AT_MOST
    practice.mood = Refuse500(on="changes", times=1)
    await listens.turn()
    assert listens._soonest() == clock.now + timedelta(minutes=1), "in trouble: no sooner for being asked"


async def until(done: Callable[[], object]) -> None:
    async with asyncio.timeout(30):
        while not done():
            await asyncio.sleep(0.02)


def engage(made: Worker, vendor: str) -> None:
    number = made._hand.desk.do(COORDINATOR, Log(title="db down")).number or ""
    made._hand.desk.do(COORDINATOR, Engage(target=number, vendor=vendor, message="please look"))
    made._speaking[vendor].wake()


async def test_a_supplier_that_never_answers_keeps_no_other_from_being_served_anew(
    practice: Practice, tmp_path: Path
) -> None:
    with running_practice() as dead:
        dead.mood = Hang()
        known = {
            name: load_vendors(practice_file(tmp_path, url, deadline_seconds=60))["practice"].model_copy(
                update={"name": name}
            )
            for name, url in (("dead", dead.url), ("well", practice.url))
        }
        store = open_store(str(tmp_path / "r.db"))
        made = Worker(store, {}, say=io.StringIO())
        made._hand.desk.policy = policy_of(known)
        try:
            made._settle(known, sole=True)
            engage(made, "dead")
            await until(lambda: [row.state for row in outbox.unfinished(store)] == ["sending"])
            both = {
                name: vendor.model_copy(update={"title": "Another title"}) for name, vendor in known.items()
            }
            made._settle(both, sole=True)
            engage(made, "well")
            await until(lambda: practice.desk.tickets)
            assert [row.state for row in outbox.unfinished(store, "dead")] == ["sending"]
        finally:
            for one in made._speaking.values():
                one.task.cancel()
            await asyncio.gather(*(one.task for one in made._speaking.values()), return_exceptions=True)
            made._hand.close()
            made._watching.close()
            store.close()
