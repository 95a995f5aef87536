"""Incidents that PagerDuty merged into another one, on a played account."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from integrations.conformance import line
from integrations.conformance.line import Line
from integrations.connector import Change, Comment, Draft, Ref, Theirs, Transition
from integrations.errors import AuthFailed, Moved, Unavailable
from integrations.http import Http
from integrations.pagerduty.log import MOST_ENDS
from integrations.systems.pagerduty import PagerDuty
from register.core import new_id
from register.incident import Priority
from tests.played.pagerduty import LENA, TOKEN, PagerDutyWorld


@pytest.fixture
def world() -> PagerDutyWorld:
    return PagerDutyWorld()


@pytest.fixture
def wire(world: PagerDutyWorld) -> Line:
    return Line(world.transport())


@pytest.fixture
async def desk(world: PagerDutyWorld, wire: Line) -> AsyncIterator[PagerDuty]:
    headers = PagerDuty.headers(world.config, TOKEN)
    async with Http(world.url, headers, name="acme", transport=wire) as http:
        yield PagerDuty(http, world.config)


async def made(desk: PagerDuty) -> Ref:
    return await desk.create(Draft(new_id(), "Checkout is down", "It says 500.", Priority.CRITICAL))


def states(changes: tuple[Change, ...], ref: Ref) -> list[tuple[str, bool]]:
    return [(one.raw_state, one.moved) for one in changes if one.ref.id == ref.id and one.raw_state]


async def test_what_was_merged_twice_is_followed_to_what_is_left(
    desk: PagerDuty, world: PagerDutyWorld
) -> None:
    ref = await made(desk)
    between = await world.merges(ref)
    left = await world.merges(between)
    with pytest.raises(Moved, match=f"has merged {ref.key} into {left.key}") as told:
        await desk.get(ref)
    assert told.value.new == (await desk.get(left)).ref == left


async def test_mergers_in_a_ring_end(desk: PagerDuty, world: PagerDutyWorld) -> None:
    ref = await made(desk)
    other = await world.merges(ref)
    world.desk.merges(world.desk.incidents[other.id], LENA, world.desk.incidents[ref.id])
    with pytest.raises(Moved) as told:
        await desk.get(ref)
    assert told.value.new == other


async def test_nothing_is_written_to_what_was_merged(
    desk: PagerDuty, world: PagerDutyWorld, wire: Line
) -> None:
    ref = await made(desk)
    into = await world.merges(ref)
    before = len(world.desk.log)
    for wish in (Comment(new_id(), "any news?"), Transition(new_id(), Theirs.WORKING, "it is back")):
        with pytest.raises(Moved) as told:
            await desk.apply(ref, wish)
        assert told.value.new == into
    assert len(world.desk.log) == before


async def test_the_log_tells_a_merger_as_no_fix_and_once(desk: PagerDuty, world: PagerDutyWorld) -> None:
    ref, fixed = await made(desk), await made(desk)
    start = (await desk.changes(None)).next
    await world.sets(fixed, Theirs.FIXED)
    into = await world.merges(ref)
    page = await desk.changes(start)
    assert states(page.changes, ref) == [(f"merged into {into.key}", True)]
    assert states(page.changes, fixed) == [("resolved", False)]
    assert (await desk.changes(page.next)).changes == ()
    assert states((await desk.history(ref)).changes, ref) == [(f"merged into {into.key}", True)]


async def test_one_that_was_resolved_and_then_merged_is_told_by_its_alerts_going(
    desk: PagerDuty, world: PagerDutyWorld
) -> None:
    ref = await made(desk)
    await world.sets(ref, Theirs.FIXED)
    start = (await desk.changes(None)).next
    into = await world.merges(ref)
    world.desk.write(world.desk.incidents[ref.id], LENA, "unlink_log_entry")
    assert states((await desk.changes(start)).changes, ref) == [(f"merged into {into.key}", True)]


async def test_only_what_was_resolved_on_our_service_is_looked_at(
    desk: PagerDuty, world: PagerDutyWorld, wire: Line
) -> None:
    ref, theirs = await made(desk), await made(desk)
    world.desk.incidents[theirs.id]["service"] = {"id": "POTHER", "type": "service_reference"}
    start = (await desk.changes(None)).next
    await world.sets(ref, Theirs.FIXED)
    await world.sets(theirs, Theirs.FIXED)
    await world.says(ref, "a word")
    before = len(wire.asked)
    assert len((await desk.changes(start)).changes) == 3
    assert [request.url.path for request in wire.asked[before:]] == ["/log_entries", f"/incidents/{ref.id}"]


async def test_one_that_is_hidden_from_us_holds_up_nothing(
    desk: PagerDuty, world: PagerDutyWorld, wire: Line
) -> None:
    ref = await made(desk)
    start = (await desk.changes(None)).next
    await world.sets(ref, Theirs.FIXED)
    for status in (403, 404):
        wire.spoil(line.says(status), lambda request: "log_entries" not in request.url.path)
        assert states((await desk.changes(start)).changes, ref) == [("resolved", False)]
    wire.spoil(line.says(401), lambda request: "log_entries" not in request.url.path)
    with pytest.raises(AuthFailed):
        await desk.changes(start)


async def test_a_reason_of_another_kind_is_no_merger(desk: PagerDuty, world: PagerDutyWorld) -> None:
    ref = await made(desk)
    incident = world.desk.incidents[ref.id]
    another = {"type": "timeout_resolve_reason", "incident": {"id": "POTHER"}}
    for odd in ("merged", another, {"type": "merge_resolve_reason"}, [7]):
        incident["resolve_reason"] = odd
        assert (await desk.get(ref)).ref == ref


async def test_after_an_outage_what_was_resolved_is_looked_at_part_by_part(
    desk: PagerDuty, world: PagerDutyWorld, wire: Line
) -> None:
    refs = [await made(desk) for _ in range(MOST_ENDS + 5)]
    start = (await desk.changes(None)).next
    for ref in refs:
        await world.sets(ref, Theirs.FIXED)
    into = await world.merges(await made(desk))
    page = await desk.changes(start)
    assert (len(page.changes), page.done) == (MOST_ENDS, False)
    rest = await desk.changes(page.next)
    assert rest.done
    heard = [one.ref.id for one in (*page.changes, *rest.changes)]
    assert heard[:-1] == [ref.id for ref in refs]
    assert rest.changes[-1].raw_state == f"merged into {into.key}"
    assert (await desk.changes(rest.next)).changes == ()


async def test_an_answer_lost_in_a_look_has_the_page_told_again(
    desk: PagerDuty, world: PagerDutyWorld, wire: Line
) -> None:
    ref = await made(desk)
    start = (await desk.changes(None)).next
    await world.merges(ref)
    wire.spoil(line.broken(503, False), lambda request: "log_entries" not in request.url.path)
    with pytest.raises(Unavailable):
        await desk.changes(start)
    assert [moved for _, moved in states((await desk.changes(start)).changes, ref)] == [True]
