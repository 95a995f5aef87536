"""What is Zendesk's own, on a played account: each of its traps, and what a poll costs."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import orjson
import pytest

from integrations.conformance import line
from integrations.conformance.line import Line
from integrations.connector import (
    Absent,
    Attach,
    CannotTell,
    ChangeKind,
    Comment,
    Draft,
    Found,
    Native,
    Ref,
    Reprioritise,
    Theirs,
    Transition,
)
from integrations.errors import Ambiguous, AuthFailed, Conflict, Moved, RateLimited, Rejected, Unavailable
from integrations.http import Http
from integrations.signing import HookRefused
from integrations.systems.zendesk import Zendesk
from integrations.zendesk.config import ZendeskConfig
from register.core import new_id
from register.incident import Priority
from tests.played.zendesk import LENA, TOKEN, USER, WE, PlayedZendesk
from tests.played.zendesk_world import ZendeskWorld

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
FIELD = {"fields": {"contract": "27642"}, "close": {"fields": {"27648": "muster"}}}


@pytest.fixture
def world() -> ZendeskWorld:
    return ZendeskWorld()


@pytest.fixture
def played(world: ZendeskWorld) -> PlayedZendesk:
    return world.desk


@pytest.fixture
async def http(world: ZendeskWorld) -> AsyncIterator[Http]:
    headers = Zendesk.headers(world.config, TOKEN)
    wire = Line(world.transport())
    async with Http(world.url + Zendesk.root, headers, name="acme", transport=wire) as http:
        http.line = wire  # type: ignore[attr-defined]  # what went over it is looked at
        yield http


@pytest.fixture
def wire(http: Http) -> Line:
    found: Line = http.line  # type: ignore[attr-defined]  # put there above
    return found


@pytest.fixture
def desk(http: Http, world: ZendeskWorld) -> Zendesk:
    return Zendesk(http, world.config)


def draft(op_id: str = "", **fields: str) -> Draft:
    return Draft(op_id or new_id(), "Checkout is down", "It says *500*.", Priority.CRITICAL, fields)


async def heard(desk: Zendesk, cursor: Any) -> tuple[list[Any], Any]:
    found: list[Any] = []
    for _ in range(20):
        page = await desk.changes(cursor)
        found += page.changes
        cursor = page.next
        if page.done:
            return found, cursor
    raise AssertionError("the feed does not end")


# Making a ticket


async def test_a_ticket_goes_under_its_key_with_our_reference_and_as_html(
    desk: Zendesk, played: PlayedZendesk, wire: Line
) -> None:
    op_id = new_id()
    ref = await desk.create(draft(op_id, group="98738"))
    ticket = played.tickets[int(ref.id)]
    assert (ticket["external_id"], ticket["priority"], ticket["group_id"]) == (op_id, "urgent", 98738)
    assert ref.url == f"https://acme.zendesk.com/agent/tickets/{ref.id}"
    sent = wire.asked[-1]
    assert sent.headers["idempotency-key"] == op_id
    assert (
        sent.headers["authorization"]
        == "Basic " + base64.b64encode(f"{USER}/token:{TOKEN}".encode()).decode()
    )
    assert b'"html_body":"<p>It says *500*.</p>' in sent.content


async def test_sent_again_under_its_key_it_is_one(desk: Zendesk, played: PlayedZendesk) -> None:
    one = draft()
    assert await desk.create(one) == await desk.create(one)
    assert len(played.tickets) == 1
    played.tick(2 * 3_600 + 1)
    await desk.create(one)
    assert len(played.tickets) == 2, "the key is good for two hours: after them, only looking up helps"
    found = await desk.find(one.op_id, LONG_AGO)
    assert isinstance(found, Found)
    assert len(found.refs) == 2
    assert desk.info.idempotency == Native(timedelta(hours=2))


async def test_a_key_that_is_known_with_other_words_is_in_doubt_not_refused(
    desk: Zendesk, played: PlayedZendesk, wire: Line
) -> None:
    op_id = new_id()
    ref = await desk.create(draft(op_id))
    with pytest.raises(Ambiguous) as told:
        await desk.create(Draft(op_id, "Checkout is down", "Other words.", Priority.CRITICAL))
    assert told.value.op_id == op_id
    assert await desk.find(op_id, LONG_AGO) == Found((ref,))
    wire.spoil(line.says(409))
    with pytest.raises(Ambiguous):
        await desk.create(draft(op_id))


async def test_a_restricted_agent_s_empty_list_proves_nothing(desk: Zendesk, played: PlayedZendesk) -> None:
    assert await desk.find(new_id(), LONG_AGO) == Absent()
    played.restriction = "groups"
    assert isinstance(await desk.find(new_id(), LONG_AGO), CannotTell)


async def test_a_list_that_ignores_our_reference_proves_nothing(
    desk: Zendesk, wire: Line, played: PlayedZendesk
) -> None:
    await desk.create(draft())

    async def ignored(request: httpx.Request, forward: line.Forward) -> httpx.Response:
        return await forward(
            httpx.Request("GET", "https://acme.zendesk.com/api/v2/tickets", headers=request.headers)
        )

    wire.spoil(ignored, line.reads)
    assert isinstance(await desk.find(new_id(), LONG_AGO), CannotTell)


async def test_nobody_is_told_so_with_200(desk: Zendesk, played: PlayedZendesk) -> None:
    played.token = "another"
    health = await desk.check()
    assert not health.ok
    assert [one.name for one in health.checks] == ["identity"]
    with pytest.raises(AuthFailed, match="takes us for nobody"):
        await desk.changes(None)


async def test_an_agent_may_not_read_the_export_and_is_told_before(
    desk: Zendesk, played: PlayedZendesk
) -> None:
    played.role = "agent"
    (bad,) = [one for one in (await desk.check()).checks if not one.ok]
    assert bad.name == "feed"
    assert bad.todo == "ask the supplier to give our account this right"
    played.role = "end-user"
    assert "permission" in {one.name for one in (await desk.check()).checks if not one.ok}


# Writing


async def test_closed_is_for_ever_and_says_what_to_do(desk: Zendesk, world: ZendeskWorld) -> None:
    ref = await desk.create(draft())
    await world.sets(ref, Theirs.CLOSED)
    for update in (
        Comment(new_id(), "one more word"),
        Transition(new_id(), Theirs.WORKING),
        Reprioritise(new_id(), Priority.LOW),
    ):
        with pytest.raises(Rejected, match=rf"#{ref.id} at acme is closed.*engage them anew") as told:
            await desk.apply(ref, update)
        assert told.value.status == 422
    assert len(await world.said(ref)) == 1


async def test_a_merged_one_is_moved_when_written_to(desk: Zendesk, world: ZendeskWorld) -> None:
    ref = await desk.create(draft())
    new = await world.merges(ref)
    with pytest.raises(Moved) as told:
        await desk.apply(ref, Comment(new_id(), "any news?"))
    assert told.value.new.id == new.id


async def test_we_solve_and_leave_closing_to_them(desk: Zendesk, played: PlayedZendesk) -> None:
    ref = await desk.create(draft())
    done = await desk.apply(ref, Transition(new_id(), Theirs.CLOSED, "no longer needed"))
    assert done.ticket is not None
    assert (done.ticket.raw_state, done.ticket.state) == ("solved", Theirs.FIXED)
    assert len(done.change_ids) == 2, "the words and the state"


async def test_a_refusal_is_told_by_its_details(desk: Zendesk, wire: Line) -> None:
    ref = await desk.create(draft())

    async def required(request: httpx.Request, forward: line.Forward) -> httpx.Response:
        told = {"error": "RecordInvalid", "description": "Record validation errors"}
        details = {"base": [{"description": "Type:: is required when solving a ticket", "error": None}]}
        return line.answer(422, orjson.dumps(told | {"details": details}))

    wire.spoil(required)
    with pytest.raises(Rejected, match="Type:: is required when solving a ticket"):
        await desk.apply(ref, Transition(new_id(), Theirs.FIXED))


async def test_a_rule_of_theirs_that_sets_it_back_is_told(desk: Zendesk, played: PlayedZendesk) -> None:
    ref = await desk.create(draft())
    played.rule = lambda ticket: ticket.update(status="open")
    with pytest.raises(Rejected, match=r"left #.* open, not solved"):
        await desk.apply(ref, Transition(new_id(), Theirs.FIXED))


async def test_what_became_private_is_told(desk: Zendesk, played: PlayedZendesk) -> None:
    ref = await desk.create(draft())
    played.light = True
    with pytest.raises(Rejected, match="an internal note"):
        await desk.apply(ref, Comment(new_id(), "for them to read"))


async def test_a_field_that_did_not_take_is_told(http: Http, played: PlayedZendesk) -> None:
    desk = Zendesk(http, ZendeskConfig.model_validate({"user": USER, **FIELD}))
    ref = await desk.create(draft(new_id(), **{"27642": "KLN01"}))
    ticket = played.tickets[int(ref.id)]
    assert ticket["custom_fields"][0] == {"id": 27642, "value": "KLN01"}
    await desk.apply(ref, Transition(new_id(), Theirs.FIXED, fields={"27648": "muster"}))
    assert ticket["custom_fields"][1]["value"] == "muster"
    with pytest.raises(Rejected, match="did not set ticket field 99"):
        await desk.apply(ref, Transition(new_id(), Theirs.FIXED, fields={"99": "x"}))
    assert [one.says for one in (await desk.check()).checks if one.name == "fields"] == ["all are there"]


async def test_our_own_earlier_try_is_no_conflict(desk: Zendesk, wire: Line) -> None:
    ref = await desk.create(draft())
    seen = (await desk.get(ref)).version
    wire.spoil(line.commit_then_cut)
    with pytest.raises(Unavailable):
        await desk.apply(ref, Transition(new_id(), Theirs.WORKING), seen)
    done = await desk.apply(ref, Transition(new_id(), Theirs.WORKING), seen)
    assert done.ticket is not None
    assert done.ticket.raw_state == "open"
    with pytest.raises(Conflict):
        await desk.apply(ref, Transition(new_id(), Theirs.FIXED), seen)


async def test_internal_notes_are_refused_where_they_are_not_set_up(
    http: Http, played: PlayedZendesk
) -> None:
    desk = Zendesk(http, ZendeskConfig(user=USER))
    ref = await desk.create(draft())
    with pytest.raises(Rejected, match="nothing was sent"):
        await desk.apply(ref, Comment(new_id(), "between us", public=False))
    start = await desk.changes(None)
    ticket = played.tickets[int(ref.id)]
    played.audit(ticket, LENA, [played.comment(LENA, "<p>not for them</p>", public=False)])
    assert (await heard(desk, start.next))[0] == []


# Hearing


async def test_the_last_minute_comes_later_and_is_not_lost(
    desk: Zendesk, world: ZendeskWorld, played: PlayedZendesk
) -> None:
    ref = await desk.create(draft())
    played.hurry = False
    start = await desk.changes(None)
    await world.says(ref, "one")
    told, cursor = await heard(desk, start.next)
    assert told == []
    played.tick(50)
    await world.says(ref, "two")  # so the ticket is as new as this one
    played.tick(30)
    told, cursor = await heard(desk, cursor)
    assert told == [], "it changed within the last minute"
    played.tick(60)
    told, cursor = await heard(desk, cursor)
    assert [one.body for one in told] == ["one", "two"]
    assert [one.author for one in told] == ["Lena", "Lena"]
    assert timedelta(seconds=60) < Zendesk.info.feed_lag < timedelta(minutes=2)


async def test_more_than_ten_asks_a_minute_wait(desk: Zendesk, played: PlayedZendesk) -> None:
    played.hurry = False
    cursor = (await desk.changes(None)).next
    for _ in range(9):
        cursor = (await desk.changes(cursor)).next
    with pytest.raises(RateLimited) as told:
        await desk.changes(cursor)
    assert told.value.retry_after is not None
    assert timedelta(seconds=30) < told.value.retry_after <= timedelta(seconds=60)


async def test_a_quiet_poll_is_one_small_request_and_ten_changed_tickets_eleven(
    desk: Zendesk, world: ZendeskWorld, http: Http, wire: Line
) -> None:
    refs = [await desk.create(draft()) for _ in range(10)]
    _, cursor = await heard(desk, (await desk.changes(None)).next)
    before = http.asked
    page = await desk.changes(cursor)
    assert (http.asked - before, page.changes, page.done) == (1, (), True)
    assert page.next == cursor, "nothing to write down"
    for ref in refs:
        await world.says(ref, "a word")
    before = http.asked
    told, _ = await heard(desk, cursor)
    assert len(told) == 10
    assert http.asked - before <= 11


async def test_tickets_of_other_customers_cost_no_request(
    desk: Zendesk, played: PlayedZendesk, http: Http
) -> None:
    start = await desk.changes(None)
    for number in range(150):
        played.made(LENA, f"Another customer's {number}", played.comment(LENA, "<p>x</p>"))
    before = http.asked
    told, cursor = await heard(desk, start.next)
    assert told == []
    assert http.asked - before == 2, "two pages, and none of theirs is read"
    ours = played.made(LENA, "Ours, made by a colleague", played.comment(LENA, "<p>x</p>"), organization_id=7)
    desk = Zendesk(http, ZendeskConfig(user=USER, organization=7))
    played.audit(ours, LENA, [played.comment(LENA, "<p>heard</p>")])
    assert [one.body for one in (await heard(desk, cursor))[0]] == ["heard"]


async def test_what_a_rule_did_in_our_update_is_theirs(desk: Zendesk, played: PlayedZendesk) -> None:
    ref = await desk.create(draft())
    start = await desk.changes(None)
    ticket = played.tickets[int(ref.id)]
    rule = {"via": {"channel": "rule", "source": {"from": {"id": 1}, "to": {}, "rel": "trigger"}}}
    played.audit(
        ticket, WE, [played.change(ticket, "priority", "low"), played.change(ticket, "status", "open") | rule]
    )
    told, _ = await heard(desk, start.next)
    assert {one.kind: one.by_our_account for one in told} == {
        ChangeKind.PRIORITY: True,
        ChangeKind.STATE: False,
    }


async def test_a_merger_is_told_by_its_tag_where_the_sentence_is_another(
    desk: Zendesk, played: PlayedZendesk
) -> None:
    ref = await desk.create(draft())
    start = await desk.changes(None)
    ticket = played.tickets[int(ref.id)]
    note = played.comment(LENA, "<p>Diese Anfrage wurde mit #777 zusammengeführt.</p>")
    tags = played.change(ticket, "tags", ["closed_by_merge"])
    played.audit(ticket, LENA, [note, played.change(ticket, "status", "closed"), tags])
    with pytest.raises(Moved) as told:
        await desk.get(ref)
    assert told.value.new.id == "777"
    ((moved,), _) = await heard(desk, start.next)
    assert (moved.moved, moved.raw_state, moved.state) == (True, "merged into #777", Theirs.UNMAPPED)


async def test_words_about_a_merger_close_nothing(desk: Zendesk, world: ZendeskWorld) -> None:
    ref = await desk.create(draft())
    start = await desk.changes(None)
    await world.says(ref, "It may be merged into request #12.")
    ((word,), _) = await heard(desk, start.next)
    assert (word.kind, word.moved) == (ChangeKind.COMMENT, False)
    assert (await desk.get(ref)).state is Theirs.NEW


async def test_a_follow_up_of_a_closed_ticket_is_told_beside_it(desk: Zendesk, played: PlayedZendesk) -> None:
    ref = await desk.create(draft())
    start = await desk.changes(None)
    origin = {"ticket_id": int(ref.id), "subject": "Checkout is down"}
    via = {"channel": "web", "source": {"from": origin, "to": {}, "rel": "follow_up"}}
    new = played.made(LENA, "Re: Checkout is down", played.comment(LENA, "<p>still</p>"), via=via)
    ((link,), _) = await heard(desk, start.next)
    assert (link.kind, link.ref.id, link.link.id) == (ChangeKind.LINK, ref.id, str(new["id"]))


async def test_an_odd_audit_is_kept_for_a_person_and_the_rest_is_heard(
    desk: Zendesk, world: ZendeskWorld, played: PlayedZendesk
) -> None:
    ref = await desk.create(draft())
    start = await desk.changes(None)
    await world.says(ref, "one")
    played.audits[int(ref.id)].append({"id": 5, "created_at": "never", "events": []})
    await world.says(ref, "two")
    page = await desk.changes(start.next)
    assert [one.body for one in page.changes] == ["one", "two"]
    ((odd),) = page.unread
    assert (odd.change_id, odd.ticket) == ("5", ref.id)


async def test_a_state_that_our_words_brought_about_is_news(desk: Zendesk, played: PlayedZendesk) -> None:
    ref = await desk.create(draft())
    ticket = played.tickets[int(ref.id)]
    played.audit(ticket, LENA, [played.change(ticket, "status", "pending")])
    start = await desk.changes(None)
    played.reopens = True
    done = await desk.apply(ref, Comment(new_id(), "here is the log"))
    told, _ = await heard(desk, start.next)
    (state,) = [one for one in told if one.kind is ChangeKind.STATE]
    assert (state.raw_state, state.change_id in done.change_ids) == ("open", False)


async def test_a_file_is_told_with_the_word_that_brought_it(desk: Zendesk, played: PlayedZendesk) -> None:
    ref = await desk.create(draft())
    start = await desk.changes(None)
    op_id, content = new_id(), b"trace"
    digest = hashlib.sha256(content).hexdigest()
    done = await desk.apply(ref, Attach(op_id, "trace.log", "text/plain", digest, content))
    told, _ = await heard(desk, start.next)
    assert [(one.kind, one.marker, one.by_our_account) for one in told] == [
        (ChangeKind.COMMENT, op_id, True),
        (ChangeKind.FILE, op_id, True),
    ]
    assert [one.change_id for one in told] == list(done.change_ids)
    assert (told[1].body, told[1].size) == ("trace.log", 5)


async def test_a_ticket_that_cannot_be_read_holds_up_the_rest_for_a_while_only(
    desk: Zendesk, world: ZendeskWorld, wire: Line
) -> None:
    one, two = await desk.create(draft()), await desk.create(draft())
    start = await desk.changes(None)
    await world.says(one, "one")
    await world.says(two, "two")

    def its_audits(request: httpx.Request) -> bool:
        return request.url.path.endswith(f"/{one.id}/audits")

    wire.spoil(line.broken(500, False), its_audits, times=3)
    for _ in range(2):
        with pytest.raises(Unavailable):
            await desk.changes(start.next)
    page = await desk.changes(start.next)
    assert [change.body for change in page.changes] == ["two"]
    assert [odd.ticket for odd in page.unread] == [one.id]


async def test_a_bearer_goes_where_no_address_is(played: PlayedZendesk) -> None:
    assert Zendesk.headers(ZendeskConfig(), "made") == {"Authorization": "Bearer made"}


def test_a_webhook_is_proved_as_zendesk_signs_it() -> None:
    secret, body, now = "dGhpc19zZWNyZXRfaXNfZm9yX3Rlc3Rpbmdfb25seQ==", b'{"ticket":"7"}', datetime.now(UTC)
    at = now.strftime("%Y-%m-%dT%H:%M:%SZ")
    signature = base64.b64encode(hmac.digest(secret.encode(), at.encode() + body, "sha256")).decode()
    headers = {"x-zendesk-webhook-signature": signature, "x-zendesk-webhook-signature-timestamp": at}
    proof = Zendesk.hooks(ZendeskConfig(), (secret,))
    assert proof.verify_and_parse(headers, body, now).delivery
    with pytest.raises(HookRefused):
        proof.verify_and_parse(headers, body + b" ", now)
    with pytest.raises(HookRefused):
        proof.verify_and_parse(headers, body, now + timedelta(hours=1))


async def test_a_number_that_is_none_is_never_sent(desk: Zendesk, wire: Line) -> None:
    with pytest.raises(Rejected, match="no ticket number"):
        await desk.apply(Ref(id="7/../8", key="7"), Comment(new_id(), "x"))
    with pytest.raises(Rejected, match="by number"):
        await desk.create(draft(new_id(), Contract="x"))
    assert wire.asked == []
