"""What we ask of Opsgenie, held against the vendor's description of its API.

Its answers are examples of every field's type, so that what a connector reads back may fit nothing.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from integrations.connector import Comment, Draft, Ref, Reprioritise, Theirs, Transition
from integrations.errors import Failure
from integrations.opsgenie.config import OpsgenieConfig
from integrations.systems.opsgenie import Opsgenie
from register.core import new_id
from register.incident import Priority
from tests.contracts.conftest import Contract

pytestmark = pytest.mark.contracts

SINCE = "2026-01-05T08:00:00+00:00"
REF = Ref(id="8743a1b2-11da-480e-8493-744660987bef", key="#1")


async def test_all_that_we_ask_is_allowed(
    prism: Callable[[str], Contract], desk_at: Callable[..., Any]
) -> None:
    contract = prism("opsgenie")
    desk = desk_at(contract, Opsgenie, OpsgenieConfig(team="4513b7ea-3b91-438f-b7e4-e3e54af9147c"))
    asked = (
        desk.create(Draft(new_id(), "Pump leaks", "It drips.", Priority.CRITICAL)),
        desk.get(REF),
        desk.find(new_id(), datetime.now(UTC)),
        desk.find_comment(REF, new_id()),
        desk.apply(REF, Comment(new_id(), "any news?")),
        desk.apply(REF, Transition(new_id(), Theirs.CLOSED, "no longer needed")),
        desk.apply(REF, Transition(new_id(), Theirs.WORKING)),
        desk.apply(REF, Reprioritise(new_id(), Priority.LOW)),
        desk.history(REF),
        desk.changes(None),
        desk.changes({"begin": SINCE, "newest": SINCE, "seen": {}, "todo": []}),
        desk.check(),
    )
    for one in asked:
        with contextlib.suppress(Failure):  # what is answered is an example, in which little fits
            await one
    done = {(request.method, request.url.path.rpartition("/")[2]) for request in contract.asked}
    assert {("POST", "alerts"), ("GET", "alerts"), ("POST", "notes"), ("GET", "notes")} <= done
    queries = [request.url.params.get("query", "") for request in contract.asked]
    assert 'tag: "muster" AND updatedAt >= 1767600000000' in queries
    assert {("POST", "close"), ("POST", "acknowledge"), ("PUT", "priority"), ("GET", "account")} <= done
