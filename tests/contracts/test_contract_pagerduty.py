"""What we ask of PagerDuty, held against the vendor's description of its API: it lacks the account's log."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from integrations.connector import Comment, Draft, Ref, Reprioritise, Theirs, Transition
from integrations.errors import Failure
from integrations.pagerduty.config import PagerDutyConfig
from integrations.systems.pagerduty import PagerDuty
from register.core import new_id
from register.incident import Priority
from tests.contracts.conftest import Contract

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
