"""What we ask of ServiceNow, held against a third party's description of its API (Microsoft's connector's).

It knows incidents and attachments alone: journals, the audit and ourselves are left to the played one. All of
its fields are strings that may be anything, so it says little of what is answered; its examples have no ids.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import orjson
import pytest

from integrations.connector import Attach, Comment, Draft, Ref, Reprioritise, Theirs, Transition
from integrations.errors import AuthFailed, Failure
from integrations.servicenow.config import ServiceNowConfig
from integrations.systems.servicenow import ServiceNow
from register.core import new_id
from register.incident import Priority
from tests.contracts.conftest import Contract

pytestmark = pytest.mark.contracts

CONFIG = ServiceNowConfig(account="muster.integration", caller="a" * 32, internal_comments=True)
REF = Ref(id="a9e30c7dc61122760116894de7bcc7bd", key="INC0000046")
LEFT_OUT = ("sys_journal_field", "sys_audit", "sys_user", "sys_choice")


def spelt(request: httpx.Request) -> None:
    """The description has JSON for all that is sent, a file as well; ServiceNow takes any kind of one."""
    if request.url.path.endswith("/attachment/file"):
        assert request.headers["content-type"] == "text/plain"
        _send(request, "trace")
        request.headers["content-type"] = "application/json"


def _send(request: httpx.Request, body: object) -> None:
    told = orjson.dumps(body)
    request.headers["content-length"] = str(len(told))
    request.stream = httpx.ByteStream(told)


def known(contract: Contract) -> None:
    """Take out what was refused only because the description does not have it."""
    contract.refused = [
        one for one in contract.refused if "not in the description" not in one or not _left_out(one)
    ]


def _left_out(refused: str) -> bool:
    return any(f"/table/{table}:" in refused for table in LEFT_OUT)


async def test_all_that_we_ask_is_allowed(
    prism: Callable[[str], Contract], desk_at: Callable[..., Any]
) -> None:
    contract = prism("servicenow-ms")
    desk = desk_at(contract, ServiceNow, CONFIG, change=spelt)
    op_id = new_id()
    asked = (
        desk.create(Draft(op_id, "Checkout is down", "We see 500.", Priority.CRITICAL)),
        desk.get(REF),
        desk.find(new_id(), datetime.now(UTC)),
        desk.find_comment(REF, new_id()),
        desk.apply(REF, Comment(new_id(), "any news?")),
        desk.apply(REF, Comment(new_id(), "between us", public=False)),
        desk.apply(REF, Transition(new_id(), Theirs.CLOSED, "no longer needed")),
        desk.apply(REF, Transition(new_id(), Theirs.WORKING)),
        desk.apply(REF, Reprioritise(new_id(), Priority.LOW)),
        desk.apply(REF, Attach(new_id(), "trace.log", "text/plain", "", b"trace")),
        desk._story._files({REF.id: REF}, None),
        desk.changes(None),
        desk.check(),
    )
    for one in asked:
        with contextlib.suppress(Failure):  # what is answered is an example, in which nothing fits
            await one
    done = [(request.method, request.url.path.removeprefix("/api/now/")) for request in contract.asked]
    table, one = "v2/table/incident", f"v2/table/incident/{REF.id}"
    assert done.count(("POST", table)) == 1
    assert done.count(("PUT", one)) == 5
    assert {("GET", table), ("GET", one), ("GET", "v1/attachment"), ("POST", "v1/attachment/file")} <= {*done}
    sent = orjson.loads(contract.asked[0].content)
    assert (sent["correlation_id"], sent["correlation_display"]) == (op_id, "Muster")
    known(contract)


async def test_what_it_does_not_allow_fails(
    prism: Callable[[str], Contract], desk_at: Callable[..., Any]
) -> None:
    """So that what is allowed above is worth something."""
    contract = prism("servicenow-ms")

    def spoilt(request: httpx.Request) -> None:
        _send(request, {"short_description": {"not": "a string"}})

    desk = desk_at(contract, ServiceNow, CONFIG, change=spoilt)
    with pytest.raises(Failure):
        await desk.create(Draft(new_id(), "Checkout is down", "We see 500.", Priority.CRITICAL))
    assert "short_description" in contract.refused.pop()
    with pytest.raises(AuthFailed):
        await desk_at(contract, ServiceNow, CONFIG, "").create(
            Draft(new_id(), "Checkout is down", "We see 500.", Priority.CRITICAL)
        )
    contract.refused.clear()  # that was meant
