"""Files of theirs on a played Jira, Cloud and Data Center: fetched whole, from Jira itself, or not at all."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from integrations.conformance.line import Line
from integrations.connector import ChangeKind, Draft, Fetches, Ref
from integrations.errors import Failure, Gone, Rejected
from integrations.http import Http
from integrations.systems.jira import Jira
from register.core import new_id
from register.incident import Priority
from tests.played.jira_site import LENA
from tests.played.jira_world import JiraWorld

NAME = "dump ü 100%/a.bin"
pytestmark = pytest.mark.parametrize("world", ["cloud", "datacenter"], indirect=True)


@pytest.fixture
def world(request: pytest.FixtureRequest) -> JiraWorld:
    return JiraWorld(request.param)


@pytest.fixture
def wire(world: JiraWorld) -> Line:
    return Line(world.transport())


@pytest.fixture
async def desk(world: JiraWorld, wire: Line) -> AsyncIterator[Jira]:
    headers = Jira.headers(world.config, world.secret)
    async with Http(world.url, headers, name="acme", transport=wire) as http:
        yield Jira(http, world.config)


async def put(desk: Jira, world: JiraWorld, content: bytes, size: int | None) -> tuple[Ref, str]:
    """A file of theirs on an issue of ours; its issue, and its place as it was told."""
    ref = await desk.create(Draft(new_id(), "Pump leaks", "It drips.", Priority.HIGH))
    site, number = world.desk, world.desk.number()
    site.files[number] = content
    issue = site.issues[ref.id]
    issue["fields"]["attachment"].append({"id": number, "filename": NAME, "size": size})
    site.changes(issue, LENA, {"field": "Attachment", "from": None, "to": number, "toString": NAME})
    told = [one for one in (await desk.history(ref)).changes if one.kind is ChangeKind.FILE]
    assert [(one.body, one.size) for one in told] == [(NAME, size)]
    return ref, told[0].place


async def test_a_file_comes_whole_and_from_jira_itself(desk: Jira, world: JiraWorld, wire: Line) -> None:
    ref, place = await put(desk, world, b"\x00\xff" * 500, 1_000)
    assert isinstance(desk, Fetches)
    before = len(wire.asked)
    assert await desk.fetch(ref, place, 1_000) == b"\x00\xff" * 500
    assert [one.url.host for one in wire.asked[before:]] == [wire.asked[0].url.host] * 2


@pytest.mark.parametrize("size", [1_001, None])
async def test_one_that_is_too_large_is_not_asked_for(
    desk: Jira, world: JiraWorld, wire: Line, size: int | None
) -> None:
    ref, place = await put(desk, world, b"x", size)
    before = len(wire.asked)
    with pytest.raises(Rejected, match="1,000 is the most"):
        await desk.fetch(ref, place, 1_000)
    assert len(wire.asked) - before == 1


async def test_another_file_than_was_told_of_is_none(desk: Jira, world: JiraWorld) -> None:
    ref, place = await put(desk, world, b"<html>Log in</html>", 1_000)
    with pytest.raises(Failure, match="another file than it told of"):
        await desk.fetch(ref, place, 1_000)


async def test_one_that_is_gone_is_said_to_be_gone(desk: Jira, world: JiraWorld) -> None:
    ref, place = await put(desk, world, b"x", 1)
    world.desk.issues[ref.id]["fields"]["attachment"].clear()
    with pytest.raises(Gone):
        await desk.fetch(ref, place, 1_000)


async def test_a_place_that_is_no_number_is_asked_of_nobody(desk: Jira, world: JiraWorld, wire: Line) -> None:
    before = len(wire.asked)
    with pytest.raises(Rejected, match="is no file of acme"):
        await desk.fetch(Ref(id="1", key="OPS-1"), "../issue/1", 1_000)
    assert len(wire.asked) == before
