"""PagerDuty by events alone: what of the rules holds for who hears nothing, and what is its own."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import httpx
import orjson
import pytest

from integrations.conformance import line
from integrations.conformance.line import Line
from integrations.conformance.rules import Rule, all_rules
from integrations.conformance.stage import Stage
from integrations.connector import (
    Cap,
    Comment,
    Draft,
    Finds,
    Native,
    NoLookup,
    Polls,
    Ref,
    Reprioritise,
    Theirs,
    Transition,
)
from integrations.errors import AuthFailed, AuthTrouble, Failure, RateLimited, Rejected, Unavailable
from integrations.exchange import begin, told
from integrations.http import Http
from integrations.pagerduty.config import PagerDutyConfig
from integrations.pagerduty.events import MAX_EVENT, Events
from integrations.systems.pagerduty import PagerDuty
from integrations.trying import tried
from integrations.vendors import Vendor, VendorsFileError, connector_for, read_vendors
from register.core import new_id
from register.incident import Priority
from tests.played.pagerduty_events import KEY, EventsWorld

BLOCK = """
[vendor.dba]
connector = "pagerduty"
title = "Database on call"
url = "https://events.eu.pagerduty.com"
environment = "production"
api = "events"
"""
LEVELS = ("high", "medium", "low")
MATRIX = "[vendor.dba.impact_urgency]\n" + "\n".join(f'"{i}/{u}" = "P1"' for i in LEVELS for u in LEVELS)
KEPT = {
    *("checks-well", "checks-ill", "as-written", "refused-credential", "never-left", "stays-at-home"),
    "side-by-side",
}
"""Rules that need nothing read back; so do those of a ticket in doubt."""
RULES = [one for one in all_rules() if one.name in KEPT or one.name.startswith("ticket-in-doubt-")]


@pytest.fixture
def world() -> EventsWorld:
    return EventsWorld()


@pytest.fixture
def wire(world: EventsWorld) -> Line:
    return Line(world.transport())


@pytest.fixture
async def http(world: EventsWorld, wire: Line) -> AsyncIterator[Http]:
    signer = PagerDuty.signer(world.config, KEY)
    headers = PagerDuty.headers(world.config, KEY)
    async with Http(world.url, headers, signer=signer, name="acme", transport=wire) as http:
        yield http


@pytest.fixture
def desk(http: Http, world: EventsWorld) -> Events:
    made = PagerDuty(http, world.config)
    assert isinstance(made, Events)
    return made


@pytest.fixture
def vendor() -> Vendor:
    (one,) = read_vendors(BLOCK).values()
    return one


def draft(priority: Priority = Priority.CRITICAL, body: str = "It says 500.") -> Draft:
    return Draft(new_id(), "Checkout is down", body, priority)


def answers(status: int, body: bytes) -> line.Trouble:
    async def trouble(request: httpx.Request, forward: line.Forward) -> httpx.Response:
        return line.answer(status, body)

    return trouble


@pytest.mark.parametrize("rule", RULES, ids=str)
async def test_conforms_as_far_as_one_way_goes(rule: Rule, world: EventsWorld) -> None:
    stage = Stage(world)
    try:
        await rule.run(stage)
    finally:
        await stage.close()


def test_what_it_cannot_do_is_not_offered(desk: Events, vendor: Vendor) -> None:
    assert vendor.info is Events.info
    assert vendor.info.caps == Cap.CREATE | Cap.SET_STATE | Cap.WITHDRAW
    assert isinstance(vendor.info.lookup, NoLookup)
    assert isinstance(vendor.info.idempotency, Native)
    assert not isinstance(desk, Finds | Polls)
    assert PagerDuty.informed(PagerDutyConfig(service="P1A", user="a@b")) is PagerDuty.info


async def test_the_same_event_twice_is_one_alert(desk: Events, world: EventsWorld, wire: Line) -> None:
    one = draft()
    for trouble in (line.commit_then_cut, line.broken(503, True), line.page(True)):
        wire.spoil(trouble)
        with contextlib.suppress(Failure):
            await desk.create(one)
    assert await desk.create(one) == Ref(id=one.op_id, key=one.op_id)
    (alert,) = world.desk.alerts
    assert len(alert["events"]) == 4
    assert alert["events"][0]["payload"] | {"custom_details": {}} == {
        "summary": "Checkout is down",
        "source": "Muster",
        "severity": "critical",
        "custom_details": {},
    }


async def test_what_is_late_is_known_before_the_engine_calls_it_in_doubt(
    desk: Events, vendor: Vendor, wire: Line
) -> None:
    """The engine's own time for it begins when it takes it up, which is before the request is made."""
    connector = connector_for(vendor, lambda _: KEY, wire)
    assert connector.http.limits.total == 0.9 * vendor.deadline_seconds
    await connector.http.aclose()
    wire.spoil(line.hang)
    desk.http.limits = replace(desk.http.limits, total=0.05)
    with pytest.raises(Unavailable):
        await desk.create(draft())


async def test_it_is_acknowledged_and_resolved_by_its_key(desk: Events, world: EventsWorld) -> None:
    ref = await desk.create(draft())
    done = await desk.apply(ref, Transition(new_id(), Theirs.WORKING))
    assert done.ticket is not None
    assert (done.ticket.state, done.ticket.raw_state) == (Theirs.UNMAPPED, ""), "nobody told us how it stands"
    assert world.desk.alerts[0]["status"] == "acknowledged"
    await desk.apply(ref, Transition(new_id(), Theirs.CLOSED, "not needed any more"))
    assert world.desk.alerts[0]["status"] == "resolved"
    assert (await world.said(ref))[-1].body.startswith("not needed any more\n")
    with pytest.raises(Rejected, match="No event makes an alert at acme triggered"):
        await desk.apply(ref, Transition(new_id(), Theirs.NEW))
    assert world.desk.dropped == []


async def test_the_number_that_their_people_see_is_no_key(desk: Events, world: EventsWorld) -> None:
    with pytest.raises(Rejected, match="#1234 is not the key of ours"):
        await desk.apply(Ref(id="1234", key="#1234"), Transition(new_id(), Theirs.CLOSED))
    assert world.desk.dropped == []


async def test_words_priorities_and_files_are_refused_before_anything_is_sent(
    desk: Events, wire: Line
) -> None:
    ref = await desk.create(draft())
    asked = len(wire.asked)
    for update in (Comment(new_id(), "any news?"), Reprioritise(new_id(), Priority.LOW)):
        with pytest.raises(Rejected, match=r"nothing was sent\. Call them"):
            await desk.apply(ref, update)
    with pytest.raises(Rejected, match=f"takes {MAX_EVENT:,} bytes at most"):
        await desk.create(draft(body="€" * 200_000))
    assert len(wire.asked) == asked


@pytest.mark.parametrize(
    ("priority", "severity"),
    [(1, "critical"), (2, "error"), (3, "warning"), (4, "info"), (5, "info")],
)
async def test_our_priority_is_their_severity(
    desk: Events, world: EventsWorld, priority: int, severity: str
) -> None:
    await desk.create(draft(Priority(priority)))
    assert world.desk.alerts[0]["events"][0]["payload"]["severity"] == severity
    assert world.config.translation.priorities[priority] == severity


async def test_what_stands_for_nothing_is_refused(http: Http, wire: Line) -> None:
    config = PagerDutyConfig.model_validate({"api": "events", "severities": {"1": "critical"}})
    desk = PagerDuty(http, config)
    with pytest.raises(Rejected, match=r"Add it to `severities` in vendors.toml \(3 = "):
        await desk.create(draft(Priority.MODERATE))
    assert wire.asked == []
    assert [one.ok for one in (await desk.check()).checks] == [True, True, False]


async def test_a_key_that_is_refused_is_a_refused_credential(desk: Events, world: EventsWorld) -> None:
    await world.expires()
    with pytest.raises(AuthFailed, match="Invalid routing key") as told_:
        await desk.create(draft())
    assert told_.value.trouble is AuthTrouble.REFUSED
    health = await desk.check()
    assert not health.ok
    assert "muster vendors login acme" in health.checks[0].todo


async def test_a_check_opens_no_alert(desk: Events, world: EventsWorld) -> None:
    assert (await desk.check()).ok
    assert (world.desk.alerts, len(world.desk.dropped)) == ([], 1)


async def test_another_400_is_told_by_its_reasons(desk: Events, wire: Line) -> None:
    says = {"status": "invalid event", "message": "Event object is invalid", "errors": ["'x' is wrong"]}
    wire.spoil(answers(400, orjson.dumps(says)))
    with pytest.raises(Rejected, match=r"acme said no: HTTP 400 \('x' is wrong\)"):
        await desk.create(draft())
    wire.spoil(answers(202, b'{"status":"throttled","message":"not now"}'))
    with pytest.raises(Rejected, match="not now"):
        await desk.create(draft())


async def test_429_says_nothing_of_how_long_and_their_documentation_does(desk: Events, wire: Line) -> None:
    wire.spoil(line.says(429))
    with pytest.raises(RateLimited) as waits:
        await desk.create(draft())
    assert waits.value.retry_after == timedelta(seconds=30)
    wire.spoil(line.says(429, retry_after="120"))
    with pytest.raises(RateLimited) as waits:
        await desk.create(draft())
    assert waits.value.retry_after == timedelta(seconds=120)


async def test_the_key_is_in_the_body_and_is_shown_to_nobody(desk: Events, http: Http, wire: Line) -> None:
    kept = begin()
    await desk.create(draft())
    (request,) = wire.asked
    assert orjson.loads(request.content)["routing_key"] == KEY
    assert int(request.headers["content-length"]) == len(request.content)
    assert not any(KEY in value for value in request.headers.values())
    shown = told(kept)
    assert "routing_key" in shown
    assert KEY not in shown + repr(http) + repr(http.masked(f"your {KEY}")) + repr(
        PagerDuty.signer(desk.config, KEY)
    )


async def test_a_rehearsal_shows_the_event_without_the_key(vendor: Vendor) -> None:
    done = await asyncio.create_task(tried(vendor, "create", {"title": "Try"}, send=False))
    (request,) = done.requests
    assert request["url"] == "https://events.eu.pagerduty.com/v2/enqueue"
    assert orjson.loads(request["body"])["routing_key"] == "CREDENTIAL"


@pytest.mark.parametrize(
    ("block", "says"),
    [
        (BLOCK.replace('"events"', '"event"'), "'incidents' or 'events'"),
        (BLOCK.replace('api = "events"', 'user = "a@b.example"'), "service"),
        (BLOCK.replace('api = "events"', 'service = "P1A"'), 'or write api = "events"'),
        (BLOCK + '[vendor.dba.severities]\n1 = "fatal"\n', "severities"),
        (BLOCK + MATRIX, "no severity"),
    ],
    ids=["api", "no service", "no user", "no such severity", "no severities in the matrix"],
)
def test_a_block_that_lacks_what_its_api_needs_is_told(block: str, says: str) -> None:
    with pytest.raises(VendorsFileError, match=says):
        read_vendors(block)
