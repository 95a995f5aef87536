"""What we ask of PagerDuty, held against the vendor's two descriptions; neither has the account's log."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import orjson
import pytest

from integrations.connector import Comment, Draft, Ref, Reprioritise, Theirs, Transition
from integrations.errors import Failure, Rejected
from integrations.pagerduty.config import PagerDutyConfig
from integrations.pagerduty.wire import MERGED
from integrations.systems.pagerduty import PagerDuty
from register.core import new_id
from register.incident import Priority
from tests.contracts.conftest import CONTRACTS, Contract
from tests.played.pagerduty_events import KEY

pytestmark = pytest.mark.contracts

CONFIG = PagerDutyConfig(service="PWIXJZS", user="muster@customer.example")
REF = Ref(id="PT4KHLK", key="#1234")


async def test_all_that_we_ask_is_allowed(
    prism: Callable[[str], Contract], desk_at: Callable[..., Any]
) -> None:
    contract = prism("pagerduty")
    desk = desk_at(contract, PagerDuty, CONFIG)
    assert (await desk.create(Draft(new_id(), "Checkout is down", "It says 500.", Priority.CRITICAL))).id
    assert (await desk.get(REF)).raw_state
    asked = (
        desk.find(new_id(), datetime.now(UTC)),
        desk.find_comment(REF, new_id()),
        desk.apply(REF, Comment(new_id(), "any news?")),
        desk.apply(REF, Transition(new_id(), Theirs.FIXED, "it works again")),
        desk.apply(REF, Transition(new_id(), Theirs.WORKING)),
        desk.apply(REF, Reprioritise(new_id(), Priority.HIGH)),
        desk.history(REF),
        desk.check(),
    )
    for one in asked:
        with contextlib.suppress(Failure):  # what is answered is an example, in which little fits
            await one
    # not ours: examples of its own that break its schemas, and the account's log, which is not described
    contract.refused[:] = [
        one
        for one in contract.refused
        if '["response"' not in one and one != "GET /log_entries: not in the description"
    ]
    done = {(request.method, request.url.path) for request in contract.asked}
    at = f"/incidents/{REF.id}"
    assert {("POST", "/incidents"), ("GET", "/incidents"), ("GET", at), ("PUT", at)} <= done
    assert {("POST", f"{at}/notes"), ("GET", f"{at}/log_entries"), ("GET", "/users/me")} <= done
    reason = (CONTRACTS / "pagerduty.yaml").read_text().partition("\n    ResolveReason:\n")[2][:700]
    assert f"- {MERGED}\n        incident:\n" in reason, "by this a merger is known, and where it went"


async def test_each_event_is_allowed(prism: Callable[[str], Contract], desk_at: Callable[..., Any]) -> None:
    contract = prism("pagerduty-events")
    config = PagerDutyConfig.model_validate({"api": "events"})
    desk = desk_at(contract, PagerDuty, config, KEY, change=_without_version)
    ref = await desk.create(Draft(new_id(), "Checkout is down", "It says 500.", Priority.CRITICAL))
    await desk.apply(ref, Transition(new_id(), Theirs.WORKING))
    await desk.apply(ref, Transition(new_id(), Theirs.CLOSED, "it works again"))
    assert (await desk.check()).ok
    events = [orjson.loads(request.content) for request in contract.asked]
    assert [one["event_action"] for one in events] == ["trigger", "acknowledge", "resolve", "resolve"]
    assert {one["routing_key"] for one in events} == {KEY}


def _without_version(request: httpx.Request) -> None:
    """The description has it in its server's address."""
    assert request.url.path == "/v2/enqueue"
    request.url = request.url.copy_with(path="/enqueue")


async def test_what_it_does_not_allow_is_told_in_a_header_alone(
    prism: Callable[[str], Contract], desk_at: Callable[..., Any]
) -> None:
    """Where a description has refusals of its own Prism answers with their example, which gives no reason."""
    contract = prism("pagerduty")

    def spoilt(request: httpx.Request) -> None:
        if request.method != "POST":
            return
        body = orjson.dumps({"incident": {"type": "incident", "title": "x"}})
        request.headers["content-length"] = str(len(body))
        request.stream = httpx.ByteStream(body)

    desk = desk_at(contract, PagerDuty, CONFIG, change=spoilt)
    with pytest.raises(Rejected):
        await desk.create(Draft(new_id(), "Checkout is down", "It says 500.", Priority.CRITICAL))
    assert "service" in contract.refused.pop()
