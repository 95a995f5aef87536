"""What is Opsgenie's own, on a played one: writes that are taken and not done yet, or never."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import httpx
import pytest

from integrations.connector import Absent, ChangeKind, Comment, Draft, Found, Page, Theirs, Transition
from integrations.errors import Ambiguous, Gone, Rejected, Unavailable
from integrations.http import Http
from integrations.opsgenie.news import CALM
from integrations.patience import PATIENCE
from integrations.systems.opsgenie import MAX_NOTE, Opsgenie
from register.core import new_id
from register.incident import Priority
from tests.played.opsgenie import KEY, OpsgenieWorld, PlayedOpsgenie

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
LENA = "lena@supplier.example"


@pytest.fixture
def world() -> OpsgenieWorld:
    return OpsgenieWorld()


@pytest.fixture
def there(world: OpsgenieWorld) -> PlayedOpsgenie:
    return world.played


@pytest.fixture
async def desk(world: OpsgenieWorld) -> AsyncIterator[Opsgenie]:
    headers = Opsgenie.headers(world.config, KEY)
    async with Http(world.url + Opsgenie.root, headers, name="acme", transport=world.transport()) as http:
        yield Opsgenie(http, world.config)


def draft(title: str = "Pump leaks") -> Draft:
    return Draft(new_id(), title, "It drips.", Priority.HIGH)


async def test_what_is_taken_and_not_done_yet_is_in_doubt_until_it_is_found(
    desk: Opsgenie, there: PlayedOpsgenie
) -> None:
    there.late = True
    told = draft()
    with pytest.raises(Ambiguous, match="does not say yet") as caught:
        await desk.create(told)
    assert caught.value.op_id == told.op_id
    assert await desk.find(told.op_id, LONG_AGO) == Absent()
    there.catch_up()
    found = await desk.find(told.op_id, LONG_AGO)
    assert isinstance(found, Found)
    ref, comment = found.refs[0], Comment(new_id(), "any news?")
    with pytest.raises(Ambiguous):
        await desk.apply(ref, comment)
    assert await desk.find_comment(ref, comment.op_id) == Absent()
    there.catch_up()
    assert isinstance(await desk.find_comment(ref, comment.op_id), Found)
    with pytest.raises(Unavailable):  # said again, it is so once
        await desk.apply(ref, Transition(new_id(), Theirs.WORKING))


async def test_the_same_create_once_more_makes_no_second_alert(desk: Opsgenie, there: PlayedOpsgenie) -> None:
    told = draft()
    assert await desk.create(told) == await desk.create(told)
    assert [one["count"] for one in there.alerts.values()] == [2]


async def test_what_was_taken_and_then_not_done_is_told_with_their_reason(
    desk: Opsgenie, there: PlayedOpsgenie
) -> None:
    ref = await desk.create(draft())
    there.do(ref.id, "close", LENA)
    with pytest.raises(Rejected, match="Alert is already closed"):
        await desk.apply(ref, Transition(new_id(), Theirs.CLOSED, "no longer needed"))
    assert (await desk.apply(ref, Transition(new_id(), Theirs.CLOSED))).ticket is not None
    with pytest.raises(Rejected, match="can be"):
        await desk.apply(ref, Transition(new_id(), Theirs.NEW))


async def test_a_closed_alert_is_found_no_more_so_that_proves_nothing(desk: Opsgenie) -> None:
    told = draft()
    await desk.apply(await desk.create(told), Transition(new_id(), Theirs.CLOSED))
    assert await desk.find(told.op_id, LONG_AGO) == Absent()
    assert type(desk.info.lookup).__name__ == "Lagging"


async def test_a_long_title_stands_whole_in_the_text(desk: Opsgenie, there: PlayedOpsgenie) -> None:
    title = "Pump leaks " * 20
    ref = await desk.create(draft(title))
    alert = there.alerts[ref.id]
    assert len(alert["message"]) <= 130
    assert alert["description"].startswith(title.strip())


async def test_what_they_would_cut_or_show_to_all_is_not_sent(desk: Opsgenie, there: PlayedOpsgenie) -> None:
    ref = await desk.create(draft())
    for comment in (Comment(new_id(), "x" * MAX_NOTE), Comment(new_id(), "between us", public=False)):
        with pytest.raises(Rejected, match="nothing was sent"):
            await desk.apply(ref, comment)
    assert there.notes[ref.id] == []


async def test_requests_follow_what_changed(desk: Opsgenie, there: PlayedOpsgenie) -> None:
    refs = [await desk.create(draft(f"Pump {number}")) for number in range(40)]
    page = await desk.changes(None)
    before = desk.http.asked
    quiet = await desk.changes(page.next)
    assert (quiet.changes, desk.http.asked - before) == ((), 1)
    for ref in refs[:10]:
        there.say(ref.id, "we look", LENA)
    before = desk.http.asked
    page = await desk.changes(quiet.next)
    assert [change.body for change in page.changes if change.body] == ["we look"] * 10
    assert desk.http.asked - before == 11


async def test_what_changed_is_looked_back_at_no_longer_than_it_may_be_late(
    desk: Opsgenie, there: PlayedOpsgenie
) -> None:
    refs = [await desk.create(draft(f"Pump {number}")) for number in range(10)]
    page = await desk.changes(None)
    for ref in refs:
        there.say(ref.id, "we look", LENA)
    sizes = []
    for _ in range(CALM + 2):
        before, asked = there.listed, desk.http.asked
        page = await desk.changes(page.next)
        sizes.append((there.listed - before, desk.http.asked - asked))
    assert sizes == [(10, 11), *[(10, 1)] * CALM, (1, 1)]


@pytest.mark.parametrize("refuses", [False, True])
async def test_that_it_cannot_be_asked_by_time_makes_no_silence(
    desk: Opsgenie, there: PlayedOpsgenie, refuses: bool
) -> None:
    refs = [await desk.create(draft(f"Pump {number}")) for number in range(4)]
    page = await desk.changes(None)
    there.timed, there.refuses = False, refuses
    for ref in refs:
        there.say(ref.id, "we look", LENA)
    page = await desk.changes(page.next)
    assert [change.body for change in page.changes if change.body] == ["we look"] * 4
    before = desk.http.asked
    assert (await desk.changes(page.next)).changes == ()
    assert desk.http.asked - before == 3  # the question that tells nothing, and two pages without it


async def test_their_priority_is_heard_as_it_is(desk: Opsgenie, there: PlayedOpsgenie) -> None:
    ref = await desk.create(draft())
    page = await desk.changes(None)
    heard = []
    for to in ("P1", "P5", "P1"):
        there.set_priority(ref.id, to)
        page = await desk.changes(page.next)
        heard += page.changes
    assert [(one.kind, one.raw_priority, one.priorities) for one in heard] == [
        (ChangeKind.PRIORITY, "P1", (Priority.CRITICAL,)),
        (ChangeKind.PRIORITY, "P5", (Priority.PLANNING,)),
        (ChangeKind.PRIORITY, "P1", (Priority.CRITICAL,)),
    ]
    assert len({one.change_id for one in heard}) == 3
    assert heard[-1].change_id in {one.change_id for one in (await desk.history(ref)).changes}


async def test_more_alerts_than_are_read_at_once_are_all_told(desk: Opsgenie, there: PlayedOpsgenie) -> None:
    refs = [await desk.create(draft(f"Pump {number}")) for number in range(60)]
    page: Page = await desk.changes(None)
    for ref in refs:
        there.say(ref.id, ref.id, LENA)
    del there.alerts[refs[-1].id]  # deleted before it could be read
    heard: list[str] = []
    while True:
        page = await desk.changes(page.next)
        heard += [change.body for change in page.changes if change.body]
        if page.done:
            break
    assert sorted(heard) == sorted(ref.id for ref in refs[:-1])


class Broken(httpx.AsyncBaseTransport):
    """The way to a played Opsgenie that cannot give the notes of one alert."""

    def __init__(self, world: OpsgenieWorld) -> None:
        self.way = world.transport()
        self.alert = "none"

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self.alert in request.url.path and request.url.path.endswith("/notes"):
            return httpx.Response(500, json={"message": "Internal error"})
        return await self.way.handle_async_request(request)


async def test_an_alert_that_cannot_be_read_is_told_and_holds_up_nobody_for_ever(
    world: OpsgenieWorld, there: PlayedOpsgenie
) -> None:
    headers, line = Opsgenie.headers(world.config, KEY), Broken(world)
    async with Http(world.url + Opsgenie.root, headers, name="acme", transport=line) as http:
        desk = Opsgenie(http, world.config)
        bad, good = [await desk.create(draft(name)) for name in ("Bad", "Good")]
        cursor = (await desk.changes(None)).next
        line.alert = bad.id
        for ref in (bad, good):
            there.say(ref.id, "we look", LENA)
        for _ in range(PATIENCE - 1):
            with pytest.raises(Unavailable):
                await desk.changes(cursor)
        page = await desk.changes(cursor)
    assert [(change.ref.id, change.body) for change in page.changes if change.body] == [(good.id, "we look")]
    assert {change.ref.id for change in page.changes} == {good.id}
    assert [(one.ticket, one.raw) for one in page.unread] == [(bad.id, f"alert {bad.id}")]


async def test_an_alert_that_was_deleted_is_gone(desk: Opsgenie, there: PlayedOpsgenie) -> None:
    ref = await desk.create(draft())
    there.alerts.clear()
    with pytest.raises(Gone):
        await desk.get(ref)


async def test_a_time_that_is_none_harms_nothing(desk: Opsgenie, there: PlayedOpsgenie) -> None:
    ref = await desk.create(draft())
    there.do(ref.id, "acknowledge", LENA)
    there.alerts[ref.id]["report"]["closeTime"] = -(2**62)
    there.say(ref.id, "we look", LENA)
    told = await desk.history(ref)
    heard = [change.raw_state or change.body or change.raw_priority for change in told.changes]
    assert heard == ["acknowledged", "we look", "P2"]
