"""What is PagerDuty's own, on a played account."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from integrations.conformance import line
from integrations.conformance.line import Line
from integrations.connector import Comment, Draft, Found, NoNative, Theirs, Transition
from integrations.errors import RateLimited, Rejected
from integrations.http import Http
from integrations.pagerduty.config import PagerDutyConfig
from integrations.pagerduty.log import CALM, OVERLAP
from integrations.systems.pagerduty import PagerDuty
from register.core import new_id
from register.incident import Priority
from tests.played.pagerduty import SERVICE, TOKEN, USER, PagerDutyWorld, PlayedPagerDuty

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture
def world() -> PagerDutyWorld:
    return PagerDutyWorld()


@pytest.fixture
def played(world: PagerDutyWorld) -> PlayedPagerDuty:
    return world.desk


@pytest.fixture
def wire(world: PagerDutyWorld) -> Line:
    return Line(world.transport())


@pytest.fixture
async def http(world: PagerDutyWorld, wire: Line) -> AsyncIterator[Http]:
    headers = PagerDuty.headers(world.config, TOKEN)
    async with Http(world.url, headers, name="acme", transport=wire) as http:
        yield http


@pytest.fixture
def desk(http: Http, world: PagerDutyWorld) -> PagerDuty:
    return PagerDuty(http, world.config)


def draft(priority: Priority = Priority.CRITICAL) -> Draft:
    return Draft(new_id(), "Checkout is down", "It says 500.", priority)


async def test_the_400_that_means_it_is_there_is_an_answer(desk: PagerDuty, played: PlayedPagerDuty) -> None:
    one = draft()
    ref = await desk.create(one)
    assert await desk.create(one) == ref
    assert len(played.incidents) == 1
    await desk.apply(ref, Transition(new_id(), Theirs.FIXED))
    played.now += timedelta(days=40)
    assert await desk.find(one.op_id, LONG_AGO) == Found((ref,)), "found though its key is free again"
    assert await desk.create(one) != ref, "which makes a second one: so it is looked for before"
    assert isinstance(desk.info.idempotency, NoNative)


async def test_another_400_is_told_by_its_reasons(http: Http) -> None:
    desk = PagerDuty(http, PagerDutyConfig(service="PNONE", user=USER))
    with pytest.raises(Rejected, match="Invalid Incident"):
        await desk.create(draft())


async def test_priorities_are_the_account_s_own_and_urgency_calls(
    desk: PagerDuty, played: PlayedPagerDuty, http: Http, wire: Line
) -> None:
    ref = await desk.create(draft())
    told = played.incidents[ref.id]
    assert (told["urgency"], told["priority"]["summary"]) == ("high", "P1")
    assert played.incidents[(await desk.create(draft(Priority.LOW))).id]["urgency"] == "low"
    assert wire.asked[-1].headers["from"] == USER
    assert sum(request.url.path == "/priorities" for request in wire.asked) == 1
    strange = PagerDutyConfig.model_validate({"service": SERVICE, "user": USER, "priorities": {1: "Sev1"}})
    with pytest.raises(Rejected, match="no priority Sev1, but P1"):
        await PagerDuty(http, strange).create(draft())
    without = PagerDutyConfig(service=SERVICE, user=USER, prioritised=False)
    assert played.incidents[(await PagerDuty(http, without).create(draft())).id]["priority"] is None


async def test_a_note_is_for_all_of_them_and_never_said_to_be_internal(desk: PagerDuty) -> None:
    ref = await desk.create(draft())
    with pytest.raises(Rejected, match="nothing was sent"):
        await desk.apply(ref, Comment(new_id(), "between us", public=False))


async def test_a_quiet_poll_is_one_small_request_and_ten_changed_one(
    desk: PagerDuty, world: PagerDutyWorld, http: Http
) -> None:
    refs = [await desk.create(draft()) for _ in range(10)]
    start = (await desk.changes(None)).next
    for ref in refs:
        await world.says(ref, "a word")
    before = http.asked
    page = await desk.changes(start)
    assert (http.asked - before, len(page.changes)) == (1, 10)
    page = await desk.changes(page.next)
    assert (http.asked - before, page.changes) == (2, ())


async def test_at_rest_it_asks_from_the_newest_entry_on_and_tells_nothing_twice(
    desk: PagerDuty, world: PagerDutyWorld, wire: Line
) -> None:
    refs = [await desk.create(draft()) for _ in range(3)]
    page = await desk.changes(None)
    world.desk.now += timedelta(hours=1)
    for ref in refs:
        await world.says(ref, "a first word")
    page = await desk.changes(page.next)
    assert len(page.changes) == len(refs)
    newest = datetime.fromisoformat(page.next["newest"])
    asked = []
    for _ in range(CALM + 1):
        page = await desk.changes(page.next)
        assert page.changes == ()
        asked.append(wire.asked[-1].url.params["since"])
    assert asked == [f"{at:%Y-%m-%dT%H:%M:%SZ}" for at in [newest - OVERLAP] * CALM + [newest]]
    await world.says(refs[0], "a second word")
    page = await desk.changes(page.next)
    assert [one.body for one in page.changes] == ["a second word"]
    assert (await desk.changes(page.next)).changes == (), "what is looked back over again is known"


async def test_a_log_that_is_longer_than_it_may_be_paged_is_told(desk: PagerDuty, wire: Line) -> None:
    start = (await desk.changes(None)).next

    async def goes_on(request: httpx.Request, forward: line.Forward) -> httpx.Response:
        return line.answer(200, b'{"log_entries": [], "more": true}')

    wire.spoil(goes_on, line.reads, times=1_000)
    with pytest.raises(Rejected, match="more than 10,000 entries"):
        await desk.changes(start)
    asked = wire.asked[-1].url.params
    assert int(asked["offset"]) + int(asked["limit"]) == 10_000


async def test_after_an_outage_a_long_log_is_read_part_by_part(
    desk: PagerDuty, world: PagerDutyWorld, wire: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a busy account there may be more than can be paged: nothing is left out, or told twice."""
    monkeypatch.setattr("integrations.pagerduty.log.AT_ONCE", 200)
    world.desk.now = datetime.now(UTC) - timedelta(hours=100)  # by ours the time is halved
    ref = await desk.create(draft())
    page = await desk.changes(None)
    world.desk.now += timedelta(hours=30)
    for number in range(400):
        world.desk.now += timedelta(minutes=10)
        await world.says(ref, str(number))
    await world.crowds(ref, 230)  # within a second
    before, told, marks = len(wire.asked), [], [page.next["newest"]]
    while len(marks) == 1 or (not page.done and len(marks) < 50):
        page = await desk.changes(page.next)
        told += [one.body for one in page.changes]
        marks.append(page.next["newest"])
    assert told == [*map(str, range(400)), *map(str, range(230))]
    assert marks[:-1] == sorted(set(marks[:-1])), "each page but the last goes further"
    assert len(wire.asked) - before < 300
    assert (await desk.changes(page.next)).changes == ()


async def test_entries_that_say_nothing_move_the_cursor_too(desk: PagerDuty, played: PlayedPagerDuty) -> None:
    ref = await desk.create(draft())
    start = (await desk.changes(None)).next
    played.now += timedelta(hours=1)
    played.write(played.incidents[ref.id], ("PD", "PagerDuty"), "notify_log_entry")
    page = await desk.changes(start)
    assert page.changes == ()
    assert datetime.fromisoformat(page.next["newest"]) == played.now - timedelta(seconds=1)


async def test_429_without_a_word_of_how_long(desk: PagerDuty, wire: Line) -> None:
    wire.spoil(line.says(429), line.reads)
    with pytest.raises(RateLimited) as told:
        await desk.changes(None)
    assert told.value.retry_after is None
