"""What we ask of Zendesk, held against a copy of the vendor's description of its API.

It knows no audits, no ticket fields and no content of an upload, and takes a custom field's value for the
field's own description: those are left to the played one. It asks for `start_time` beside a cursor, which
Zendesk's guide leaves out. Its example of ourselves has no number, which is nobody to us, and that of an
update no comment: so little of what is answered fits.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import orjson
import pytest

from integrations.connector import CannotTell, Comment, Draft, Ref, Reprioritise, Theirs, Transition
from integrations.errors import AuthFailed, Failure
from integrations.systems.zendesk import Zendesk
from integrations.zendesk.config import ZendeskConfig
from integrations.zendesk.feed import Place
from register.core import new_id
from register.incident import Priority
from tests.contracts.conftest import Contract

pytestmark = pytest.mark.contracts

CONFIG = ZendeskConfig(user="muster@customer.example", group=98738, internal_comments=True)
REF = Ref(id="35436", key="#35436")
NOW = datetime.now(UTC).replace(microsecond=0)


async def test_all_that_we_ask_is_allowed(
    prism: Callable[[str], Contract], desk_at: Callable[..., Any]
) -> None:
    contract = prism("zendesk")
    desk = desk_at(contract, Zendesk, CONFIG)
    told = Draft(new_id(), "Checkout is down", "We see 500.", Priority.CRITICAL)
    assert (await desk.create(told)).id == REF.id
    ticket = await desk.get(REF)
    assert (ticket.raw_state, ticket.state, ticket.raw_priority) == ("open", Theirs.WORKING, "high")
    assert isinstance(await desk.find(new_id(), NOW), CannotTell), "its example has another reference"
    asked = (
        desk.find_comment(REF, new_id()),
        desk.apply(REF, Comment(new_id(), "any news?")),
        desk.apply(REF, Comment(new_id(), "between us", public=False)),
        desk.apply(REF, Transition(new_id(), Theirs.CLOSED, "no longer needed"), ticket.version),
        desk.apply(REF, Transition(new_id(), Theirs.WORKING)),
        desk.apply(REF, Reprioritise(new_id(), Priority.LOW), ticket.version),
        desk.changes(Place(int(NOW.timestamp()) - 300, NOW, NOW, NOW).cursor()),
        desk.check(),
    )
    for one in asked:
        with contextlib.suppress(Failure):  # what is answered is an example, in which little fits
            await one
    done = [(request.method, request.url.path.removeprefix("/api/v2/")) for request in contract.asked]
    reads = {path for method, path in done if method == "GET"}
    assert {"tickets", "tickets/35436", "tickets/35436/comments", "users/me"} <= reads
    assert "incremental/tickets/cursor" in reads
    assert ("POST", "tickets") in done
    assert done.count(("PUT", "tickets/35436")) == 5


async def test_what_it_does_not_allow_fails(
    prism: Callable[[str], Contract], desk_at: Callable[..., Any]
) -> None:
    """So that what is allowed above is worth something: Prism answers this in a form of its own."""
    contract = prism("zendesk")

    def spoilt(request: httpx.Request) -> None:
        body = orjson.dumps({"ticket": {"comment": {"body": "x"}, "priority": "Critical"}})
        request.headers["content-length"] = str(len(body))
        request.stream = httpx.ByteStream(body)

    desk = desk_at(contract, Zendesk, CONFIG, change=spoilt)
    with pytest.raises(Failure):
        await desk.create(Draft(new_id(), "Checkout is down", "We see 500.", Priority.CRITICAL))
    assert "priority" in contract.refused.pop()
    with pytest.raises(AuthFailed):
        await desk_at(contract, Zendesk, CONFIG, "").get(REF)
    contract.refused.clear()  # that was meant
