"""What is Statuspage's own, on a played page."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import httpx
import pytest

from integrations.connector import Absent, CannotTell, Comment, Draft, Found, Theirs, Transition
from integrations.errors import RateLimited, Rejected
from integrations.http import Http
from integrations.statuspage.config import StatuspageConfig
from integrations.systems.statuspage import MAX_BODY, PAGES, ROWS, Statuspage
from register.core import new_id
from register.incident import Priority
from tests.played.statuspage import PAGE, TOKEN, PlayedStatuspage, StatuspageWorld

COMPONENT = "gcvfrw2r8w36"
CONFIG = StatuspageConfig.model_validate(
    {
        "page": PAGE,
        "component_status": {1: "major_outage"},
        "fields": {"service": "component"},
        "service_names": {"Webshop": COMPONENT},
    }
)
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture
def world() -> StatuspageWorld:
    return StatuspageWorld(CONFIG)


@pytest.fixture
def page(world: StatuspageWorld) -> PlayedStatuspage:
    return world.played


@pytest.fixture
async def desk(world: StatuspageWorld) -> AsyncIterator[Statuspage]:
    headers = Statuspage.headers(CONFIG, TOKEN)
    async with Http(world.url + Statuspage.root, headers, name="status", transport=world.transport()) as http:
        yield Statuspage(http, CONFIG)


def draft(priority: Priority = Priority.CRITICAL, **fields: str) -> Draft:
    return Draft(new_id(), "Checkout is down", "We look into it.", priority, fields)


async def test_nothing_of_ours_stands_in_the_words_that_the_public_reads(
    desk: Statuspage, page: PlayedStatuspage
) -> None:
    told = draft()
    ref = await desk.create(told)
    comment = Comment(new_id(), "A cause is found.")
    await desk.apply(ref, comment)
    words = " ".join(update["body"] for update in page.incidents[ref.id]["incident_updates"])
    assert words.split(". ") == ["A cause is found", "We look into it."], "the newest first"
    assert "muster" not in words
    assert told.op_id not in words
    assert page.incidents[ref.id]["metadata"] == {"muster": {"op": told.op_id, "said": [comment.op_id]}}


async def test_what_others_noted_on_it_stays(desk: Statuspage, page: PlayedStatuspage) -> None:
    ref = await desk.create(draft())
    page.incidents[ref.id]["metadata"]["jira"] = {"issue_id": "OPS-7"}
    await desk.apply(ref, Comment(new_id(), "A cause is found."))
    assert page.incidents[ref.id]["metadata"]["jira"] == {"issue_id": "OPS-7"}


async def test_a_component_is_down_until_its_incident_is_resolved(
    desk: Statuspage, page: PlayedStatuspage
) -> None:
    ref = await desk.create(draft(component=COMPONENT))
    assert page.components == {COMPONENT: "major_outage"}
    await desk.apply(ref, Transition(new_id(), Theirs.FIXED))
    assert page.components == {COMPONENT: "major_outage"}
    await desk.apply(ref, Transition(new_id(), Theirs.CLOSED, "All is well again."))
    assert page.components == {COMPONENT: "operational"}
    low = await desk.create(draft(Priority.LOW, component=COMPONENT))
    assert page.incidents[low.id]["components"] == [{"id": COMPONENT}]
    assert page.components == {COMPONENT: "operational"}


async def test_what_has_no_place_on_a_public_page_is_refused(
    desk: Statuspage, page: PlayedStatuspage
) -> None:
    ref = await desk.create(draft())
    with pytest.raises(Rejected, match="is public"):
        await desk.apply(ref, Comment(new_id(), "between us", public=False))
    with pytest.raises(Rejected, match="nothing was sent"):
        await desk.apply(ref, Comment(new_id(), "x" * (MAX_BODY + 1)))
    assert len(page.incidents[ref.id]["incident_updates"]) == 1


async def test_one_that_was_made_long_ago_is_not_said_to_be_absent(
    desk: Statuspage, page: PlayedStatuspage
) -> None:
    first, last = draft(), draft()
    await desk.create(first)
    for _ in range(ROWS * PAGES - 1):
        await desk.create(draft())
    assert isinstance(await desk.find(first.op_id, LONG_AGO), Found)
    assert isinstance(await desk.find(new_id(), LONG_AGO), CannotTell)
    await desk.create(last)
    assert isinstance(await desk.find(first.op_id, LONG_AGO), CannotTell)
    assert isinstance(await desk.find(last.op_id, LONG_AGO), Found)
    assert isinstance(await desk.find(new_id(), datetime(2026, 1, 6, tzinfo=UTC)), Absent)


async def test_their_own_way_to_say_that_we_are_too_fast() -> None:
    busy = httpx.MockTransport(lambda request: httpx.Response(420, json={"error": "slow down"}))
    async with Http("https://api.statuspage.example/v1", transport=busy) as http:
        with pytest.raises(RateLimited):
            await Statuspage(http, CONFIG).create(draft())


async def test_a_page_that_the_key_does_not_see_is_named_with_those_that_it_sees(
    world: StatuspageWorld,
) -> None:
    headers = Statuspage.headers(CONFIG, TOKEN)
    wrong = CONFIG.model_copy(update={"page": "another"})
    async with Http(world.url + Statuspage.root, headers, transport=world.transport()) as http:
        health = await Statuspage(http, wrong).check()
    says = next(check.says for check in health.checks if check.name == "page")
    assert not health.ok
    assert f"{PAGE} (Sample status)" in says
