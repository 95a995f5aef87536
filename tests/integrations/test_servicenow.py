"""What is ServiceNow's own, on a played instance: finding and writing, and each of its traps there."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import orjson
import pytest
from pydantic import ValidationError

from integrations.conformance import line
from integrations.conformance.line import Line
from integrations.connector import (
    Absent,
    Attach,
    CannotTell,
    Comment,
    Draft,
    Found,
    Ref,
    Reprioritise,
    Theirs,
    Transition,
)
from integrations.errors import (
    Ambiguous,
    AuthFailed,
    AuthTrouble,
    Gone,
    RateLimited,
    Rejected,
    Unavailable,
)
from integrations.http import Http
from integrations.servicenow.config import ServiceNowConfig
from integrations.signing import HookRefused
from integrations.systems.servicenow import ServiceNow
from register.core import new_id
from register.incident import Priority
from register.marker import sign
from tests.played.servicenow import AUDIT, INCIDENT, JOURNAL, LENA, PASSWORD, TOKEN, USER, PlayedServiceNow
from tests.played.servicenow_world import ServiceNowWorld

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture
def world() -> ServiceNowWorld:
    return ServiceNowWorld()


@pytest.fixture
def played(world: ServiceNowWorld) -> PlayedServiceNow:
    return world.desk


@pytest.fixture
def wire(world: ServiceNowWorld) -> Line:
    return Line(world.transport())


@pytest.fixture
async def http(world: ServiceNowWorld, wire: Line) -> AsyncIterator[Http]:
    headers = ServiceNow.headers(world.config, PASSWORD)
    async with Http(world.url + ServiceNow.root, headers, name="acme", transport=wire) as http:
        yield http


@pytest.fixture
def desk(http: Http, world: ServiceNowWorld) -> ServiceNow:
    return ServiceNow(http, world.config)


def draft(op_id: str = "", title: str = "Checkout is down", **fields: str) -> Draft:
    return Draft(op_id or new_id(), title, "It says *500*.", Priority.HIGH, fields)


# Making an incident, and finding it


async def test_an_incident_carries_our_reference_and_what_makes_its_priority(
    desk: ServiceNow, world: ServiceNowWorld, wire: Line
) -> None:
    op_id = new_id()
    ref = await desk.create(draft(op_id, category="network"))
    row, sent = world.of(ref), orjson.loads(wire.asked[-1].content)
    assert (row["correlation_id"], row["correlation_display"]) == (op_id, "Muster")
    assert (row["category"], row["priority"], sent["impact"], sent["urgency"]) == ("network", "2", "1", "2")
    assert "priority" not in sent, "it is theirs to work out"
    assert (ref.id, ref.key) == (row["sys_id"], row["number"])
    assert ref.url.startswith("https://acme.service-now.com/nav_to.do?uri=incident.do")
    pair = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
    assert wire.asked[-1].headers["authorization"] == f"Basic {pair}"


async def test_a_long_title_stands_whole_in_the_text(
    desk: ServiceNow, world: ServiceNowWorld, wire: Line
) -> None:
    title = "x" * 100 + " " + "y" * 99
    row = world.of(await desk.create(draft(title=title)))
    assert len(orjson.loads(wire.asked[-1].content)["short_description"]) <= 160
    assert row["description"].startswith(title + "\n\nIt says")


async def test_caller_and_group_go_with_it(http: Http, world: ServiceNowWorld) -> None:
    caller, group = "a" * 32, "b" * 32
    desk = ServiceNow(http, ServiceNowConfig(user=USER, caller=caller, assignment_group=group))
    row = world.of(await desk.create(draft()))
    assert (row["caller_id"], row["assignment_group"]) == (caller, group)


async def test_a_search_that_is_ignored_finds_everything_and_proves_nothing(
    desk: ServiceNow, played: PlayedServiceNow
) -> None:
    await desk.create(draft())
    assert await desk.find(new_id(), LONG_AGO) == Absent()
    played.unreadable = {"correlation_id"}
    assert isinstance(await desk.find(new_id(), LONG_AGO), CannotTell)


async def test_a_reference_that_was_left_out_is_found_by_our_words(
    desk: ServiceNow, played: PlayedServiceNow, world: ServiceNowWorld
) -> None:
    played.unwritable = {"correlation_id"}
    op_id = new_id()
    ref = await desk.create(draft(op_id))
    assert world.of(ref)["correlation_id"] == ""
    assert await desk.find(op_id, datetime(2026, 1, 5, 8, tzinfo=UTC)) == Found((ref,))


async def test_a_query_that_finds_nothing_where_a_part_is_unknown_hides_no_incident(
    desk: ServiceNow, played: PlayedServiceNow
) -> None:
    """With glide.invalid_query.returns_no_rows, a column that we may not search by finds nothing at all."""
    op_id = new_id()
    ref = await desk.create(draft(op_id))
    played.unreadable, played.strict = {"correlation_id"}, True
    assert await desk.find(op_id, datetime(2026, 1, 5, 8, tzinfo=UTC)) == Found((ref,))


async def test_words_that_only_quote_our_reference_are_not_ours(
    desk: ServiceNow, played: PlayedServiceNow
) -> None:
    op_id = new_id()
    played.made(LENA, {"short_description": "Re", "description": f"they wrote\n> [muster:{op_id}]"})
    assert isinstance(await desk.find(op_id, LONG_AGO), CannotTell)


async def test_an_incident_that_is_hidden_from_us_is_not_absent(
    desk: ServiceNow, played: PlayedServiceNow
) -> None:
    op_id = new_id()
    ref = await desk.create(draft(op_id))
    played.hides = lambda table, row: row["sys_id"] == ref.id
    assert isinstance(await desk.find(op_id, LONG_AGO), CannotTell)
    with pytest.raises(Rejected, match="does not let our account at it"):
        await desk.get(ref)
    with pytest.raises(Rejected, match="does not let our account at it"):
        await desk.apply(ref, Comment(new_id(), "any news?"))
    played.rows[INCIDENT].clear()
    with pytest.raises(Gone):
        await desk.get(ref)


async def test_what_is_no_sys_id_is_never_asked_for(desk: ServiceNow, wire: Line) -> None:
    for odd in ("INC0010001", "a" * 31, "../" + "a" * 29, "a" * 31 + "^"):
        with pytest.raises(Rejected, match="is no sys_id"):
            await desk.apply(Ref(id=odd, key="x"), Comment(new_id(), "x"))
        with pytest.raises(Rejected, match="is no sys_id"):
            await desk.find_comment(Ref(id=odd, key="x"), new_id())
    assert wire.asked == []


async def test_a_hibernating_instance_is_no_answer(desk: ServiceNow, played: PlayedServiceNow) -> None:
    ref = await desk.create(draft())
    played.asleep = True
    with pytest.raises(Ambiguous):
        await desk.create(draft())
    with pytest.raises(Unavailable):
        await desk.get(ref)
    with pytest.raises(Unavailable):
        await desk.find(new_id(), LONG_AGO)
    (said,) = (await desk.check()).checks
    assert (said.name, said.ok, said.passing) == ("identity", False, True)
    assert "hibernates" in said.todo


async def test_a_limit_by_the_hour_is_waited_for(desk: ServiceNow, wire: Line) -> None:
    reset = str(int((datetime.now(UTC) + timedelta(minutes=20)).timestamp()))
    for headers, least in (({"x_ratelimit_reset": reset}, 19), ({"retry_after": "900"}, 14)):
        wire.spoil(line.says(429, **headers))
        with pytest.raises(RateLimited) as told:
            await desk.create(draft())
        assert told.value.retry_after is not None
        assert timedelta(minutes=least) < told.value.retry_after < timedelta(minutes=21)


# Refusals


async def test_a_data_policy_is_no_lost_right_and_says_what_it_wants(
    desk: ServiceNow, played: PlayedServiceNow
) -> None:
    """It comes as 403, by which a supplier would be paused."""
    played.policy = lambda row: None if row["caller_id"] else "Data Policy Exception: Caller is mandatory"
    with pytest.raises(Rejected, match="Data Policy Exception: Caller is mandatory") as told:
        await desk.create(draft())
    assert told.value.status == 403
    assert played.rows[INCIDENT] == []
    played.policy = lambda row: "Operation against file 'incident' was aborted by Business Rule 'Check^1'"
    with pytest.raises(Rejected, match="aborted by Business Rule"):
        await desk.create(draft())


async def test_a_right_that_we_lost_is_told_as_one(
    desk: ServiceNow, played: PlayedServiceNow, wire: Line
) -> None:
    played.policy = lambda row: "ACL Exception Insert Failed due to security constraints"
    with pytest.raises(AuthFailed, match="security constraints") as told:
        await desk.create(draft())
    assert told.value.trouble is AuthTrouble.FORBIDDEN


async def test_a_rule_about_one_incident_pauses_nobody(desk: ServiceNow, played: PlayedServiceNow) -> None:
    ref = await desk.create(draft())
    played.policy = lambda row: "ACL Exception Update Failed due to security constraints"
    with pytest.raises(Rejected, match="this is a rule about it"):
        await desk.apply(ref, Comment(new_id(), "any news?"))


async def test_a_refusal_carries_no_secret(desk: ServiceNow, played: PlayedServiceNow) -> None:
    played.policy = lambda row: f"Data Policy Exception: {PASSWORD} is \x1b[31mmandatory"
    with pytest.raises(Rejected) as told:
        await desk.create(draft())
    assert PASSWORD not in told.value.why
    assert "\x1b" not in told.value.why


async def test_closed_is_told_with_what_to_do(desk: ServiceNow, world: ServiceNowWorld) -> None:
    ref = await desk.create(draft())
    await world.sets(ref, Theirs.CLOSED)
    for update in (Comment(new_id(), "one more word"), Transition(new_id(), Theirs.WORKING)):
        with pytest.raises(Rejected, match=rf"{ref.key} at acme is Closed.*engage them anew"):
            await desk.apply(ref, update)
    assert len(await world.said(ref)) == 1


# States


async def test_resolving_takes_a_code_and_a_note(desk: ServiceNow, world: ServiceNowWorld) -> None:
    ref = await desk.create(draft())
    done = await desk.apply(ref, Transition(new_id(), Theirs.CLOSED, "no longer needed"))
    row = world.of(ref)
    assert (row["state"], row["close_code"], row["close_notes"]) == (
        "6",
        "Solution provided",
        "no longer needed",
    )
    assert done.ticket is not None
    assert done.ticket.raw_state == "Resolved", "closing is theirs"
    assert (await world.said(ref))[-1].body.startswith("no longer needed\n\n[muster:")
    other = await desk.create(draft())
    await desk.apply(other, Transition(new_id(), Theirs.FIXED, "", {"close_code": "Resolved by caller"}))
    assert world.of(other)["close_code"] == "Resolved by caller"


async def test_a_note_that_is_kept_with_other_line_ends_is_what_we_wrote(
    desk: ServiceNow, played: PlayedServiceNow
) -> None:
    ref = await desk.create(draft())
    played.rule = lambda row: row.update(close_notes=row["close_notes"].replace("\n", "\r\n") + " ")
    done = await desk.apply(ref, Transition(new_id(), Theirs.FIXED, "two\nlines"))
    assert done.ticket is not None


async def test_what_their_instance_wants_besides_is_asked_for_or_given(
    http: Http, played: PlayedServiceNow, world: ServiceNowWorld
) -> None:
    wants = "Data Policy Exception: The following fields are mandatory: Category"
    played.policy = lambda row: wants if row["state"] == "6" and not row["category"] else None
    ref = await ServiceNow(http, world.config).create(draft())
    with pytest.raises(Rejected, match=r"mandatory: Category.*fields` of \[vendor\.acme\.close\]"):
        await ServiceNow(http, world.config).apply(ref, Transition(new_id(), Theirs.FIXED))
    more = ServiceNowConfig.model_validate({"user": USER, "close": {"fields": {"category": "network"}}})
    await ServiceNow(http, more).apply(ref, Transition(new_id(), Theirs.FIXED))
    assert world.of(ref)["state"] == "6"


async def test_a_reason_on_hold_says_whose_turn_it_is(desk: ServiceNow, world: ServiceNowWorld) -> None:
    ref = await desk.create(draft())
    row = world.of(ref)
    for reason, word, means in (
        ("1", "On Hold: Awaiting Caller", Theirs.WAITS_FOR_US),
        ("4", "On Hold: Awaiting Vendor", Theirs.WORKING),
        ("", "On Hold", Theirs.WORKING),
        ("77", "On Hold", Theirs.WORKING),
    ):
        world.desk.change(row, LENA, {"state": "3", "hold_reason": reason})
        ticket = await desk.get(ref)
        assert (ticket.raw_state, ticket.state) == (word, means)
    await desk.apply(ref, Transition(new_id(), Theirs.WAITS_FOR_US, "wait for our log"))
    assert (row["state"], row["hold_reason"]) == ("3", "1")
    world.desk.change(row, LENA, {"state": "42", "hold_reason": ""})
    assert ((await desk.get(ref)).raw_state, (await desk.get(ref)).state) == ("state 42", Theirs.UNMAPPED)


async def test_a_state_model_of_their_own_is_a_table(http: Http, world: ServiceNowWorld) -> None:
    own = {"Fresh": "new", "With engineers": "working", "Done": "fixed"}
    codes = {"Fresh": "10", "With engineers": "20", "Done": "-5"}
    told = {"user": USER, "states": own, "state_codes": codes, "transitions": {"closed": "Done"}}
    desk = ServiceNow(http, ServiceNowConfig.model_validate(told))
    ref = await desk.create(draft())
    await desk.apply(ref, Transition(new_id(), Theirs.WORKING))
    assert world.of(ref)["state"] == "20"
    assert (await desk.get(ref)).raw_state == "With engineers"
    with pytest.raises(Rejected, match="No state of acme means refused"):
        await desk.apply(ref, Transition(new_id(), Theirs.REFUSED))
    with pytest.raises(ValidationError, match="add it to `state_codes`"):
        ServiceNowConfig.model_validate({"states": {"Elsewhere": "working"}})


async def test_a_state_that_a_rule_of_theirs_sets_back_is_told(
    desk: ServiceNow, played: PlayedServiceNow
) -> None:
    ref = await desk.create(draft())
    played.rule = lambda row: row.update(state="1")
    with pytest.raises(Rejected, match=r"left INC\d+ New, not In Progress"):
        await desk.apply(ref, Transition(new_id(), Theirs.WORKING))


# Priorities and columns


async def test_a_matrix_of_their_own_is_found_out(desk: ServiceNow, played: PlayedServiceNow) -> None:
    ref = await desk.create(draft())
    played.rule = lambda row: row.update(priority="4")
    with pytest.raises(Rejected, match=r"makes 4 - Low of impact/urgency 1/1.*Mend `grades`"):
        await desk.apply(ref, Reprioritise(new_id(), Priority.CRITICAL))
    with pytest.raises(ValidationError, match="add it to `grades`"):
        ServiceNowConfig.model_validate({"priorities": {"1": "P1"}})


async def test_a_priority_may_be_theirs_to_work_out(http: Http, world: ServiceNowWorld) -> None:
    told = {
        "user": USER,
        "fields": {"impact": "impact", "urgency": "urgency"},
        "impact": {"high": "1", "medium": "2", "low": "3"},
        "urgency": {"high": "1", "medium": "2", "low": "3"},
    }
    desk = ServiceNow(http, ServiceNowConfig.model_validate(told))
    ref = await desk.create(draft(impact="2", urgency="1"))
    assert world.of(ref)["priority"] == "2"
    done = await desk.apply(ref, Reprioritise(new_id(), Priority.LOW, fields={"impact": "3", "urgency": "2"}))
    assert done.ticket is not None
    assert (world.of(ref)["priority"], done.ticket.raw_priority) == ("4", "")


async def test_a_column_that_is_left_out_without_a_word_is_told(
    desk: ServiceNow, played: PlayedServiceNow
) -> None:
    ref = await desk.create(draft())
    played.unwritable = {"close_code", "impact"}
    with pytest.raises(Rejected, match="did not set impact"):
        await desk.apply(ref, Reprioritise(new_id(), Priority.LOW))
    played.unwritable = {"category"}
    with pytest.raises(Rejected, match="did not set category, nonsense"):
        await desk.apply(
            ref, Transition(new_id(), Theirs.WORKING, fields={"category": "network", "nonsense": "x"})
        )


# Words and files


async def test_words_that_are_left_out_without_a_word_are_told(
    desk: ServiceNow, played: PlayedServiceNow
) -> None:
    ref = await desk.create(draft())
    played.unwritable = {"comments"}
    with pytest.raises(Rejected, match="our words are not on INC"):
        await desk.apply(ref, Comment(new_id(), "any news?"))


async def test_words_that_are_there_and_not_shown_are_in_doubt(
    desk: ServiceNow, played: PlayedServiceNow, wire: Line
) -> None:
    ref, op_id = await desk.create(draft()), new_id()
    played.hides = lambda table, row: table == JOURNAL
    with pytest.raises(Ambiguous) as told:
        await desk.apply(ref, Comment(op_id, "any news?"))
    assert told.value.op_id == op_id
    assert isinstance(await desk.find_comment(ref, op_id), CannotTell)
    played.hides = lambda table, row: False
    assert isinstance(await desk.find_comment(ref, op_id), Found)


async def test_words_whose_place_cannot_be_asked_for_now_are_in_doubt_not_said_again(
    desk: ServiceNow, wire: Line, world: ServiceNowWorld
) -> None:
    ref = await desk.create(draft())

    def its_journal(request: httpx.Request) -> bool:
        return request.url.path.endswith(JOURNAL)

    wire.spoil(line.broken(503, False), its_journal)
    with pytest.raises(Ambiguous):
        await desk.apply(ref, Comment(new_id(), "any news?"))
    assert len(await world.said(ref)) == 2


async def test_words_in_the_wrong_journal_are_told(desk: ServiceNow, played: PlayedServiceNow) -> None:
    ref = await desk.create(draft())

    def swapped(row: dict[str, Any]) -> None:
        for one in played.rows[JOURNAL]:
            one["element"] = "comments"

    played.rule = swapped
    with pytest.raises(Rejected, match="public to whoever sees it"):
        await desk.apply(ref, Comment(new_id(), "between us", public=False))


async def test_work_notes_are_refused_where_they_are_not_set_up(http: Http, wire: Line) -> None:
    desk = ServiceNow(http, ServiceNowConfig(user=USER))
    ref = await desk.create(draft())
    before = len(wire.asked)
    with pytest.raises(Rejected, match="nothing was sent"):
        await desk.apply(ref, Comment(new_id(), "between us", public=False))
    assert len(wire.asked) == before


async def test_a_file_is_known_by_its_name_and_fetched_by_its_size(
    desk: ServiceNow, played: PlayedServiceNow, world: ServiceNowWorld
) -> None:
    ref, op_id, content = await desk.create(draft()), new_id(), b"trace" * 100
    digest = hashlib.sha256(content).hexdigest()
    done = await desk.apply(ref, Attach(op_id, "trace.log", "text/plain", digest, content))
    (file,) = played.rows["sys_attachment"]
    assert file["file_name"] == f"trace.muster-{op_id}.log"
    assert done.change_ids == (file["sys_id"],)
    assert await desk.fetch(ref, file["sys_id"], 500) == content
    with pytest.raises(Rejected, match="500 bytes, and 499 is the most"):
        await desk.fetch(ref, file["sys_id"], 499)
    file["size_bytes"] = "501"
    with pytest.raises(Unavailable, match="another file"):
        await desk.fetch(ref, file["sys_id"], 1_000)


async def test_a_file_for_what_is_not_there_is_gone(desk: ServiceNow) -> None:
    with pytest.raises(Gone):
        await desk.apply(Ref(id="c" * 32, key="INC7"), Attach(new_id(), "a.log", "text/plain", "", b"x"))


# Who we are


async def test_a_bearer_asks_who_it_is(world: ServiceNowWorld, wire: Line) -> None:
    config = ServiceNowConfig(internal_comments=True)
    headers = ServiceNow.headers(config, TOKEN)
    assert headers == {"Authorization": f"Bearer {TOKEN}"}
    async with Http(world.url + ServiceNow.root, headers, name="acme", transport=wire) as http:
        desk, op_id = ServiceNow(http, config), new_id()
        ref = await desk.create(draft())
        assert len((await desk.apply(ref, Comment(op_id, "any news?"))).change_ids) == 1
        assert isinstance(await desk.find_comment(ref, op_id), Found)
        assert (await desk.check()).account == USER
        world.desk.rows["sys_user"].clear()
        with pytest.raises(Rejected, match="does not tell our account its own name"):
            await ServiceNow(http, config).history(ref)
        world.desk.rows["sys_user"] = [
            {"sys_id": "d" * 32, "user_name": name, "name": name} for name in (LENA, "x")
        ]
        world.desk.scripts = False
        with pytest.raises(Rejected, match="does not tell our account its own name"):
            await ServiceNow(http, config).history(ref)
        named = ServiceNow(http, ServiceNowConfig(account=USER))
        assert (await named.history(ref)).changes[0].by_our_account


async def test_our_words_in_their_mouth_are_not_ours(desk: ServiceNow, world: ServiceNowWorld) -> None:
    ref, op_id = await desk.create(draft()), new_id()
    await world.says(ref, sign("any news?", op_id))
    assert await desk.find_comment(ref, op_id) == Absent()


def test_a_webhook_brings_the_secret_itself() -> None:
    now, secret = datetime.now(UTC), "of-a-business-rule-0123"
    proof = ServiceNow.hooks(ServiceNowConfig(), (secret,))
    assert proof.verify_and_parse({"x-muster-secret": secret}, b"{}", now).delivery == ""
    with pytest.raises(HookRefused):
        proof.verify_and_parse({"x-muster-secret": secret + "4"}, b"{}", now)


def test_a_condition_cannot_break_out_of_ours() -> None:
    for odd in ("active=true^ORDERBYnumber", "active=true^NQpriority=1", "a\nb=c", ""):
        with pytest.raises(ValidationError):
            ServiceNowConfig(listen=odd)
    with pytest.raises(ValidationError, match="is no time zone"):
        ServiceNowConfig(query_zone="Mars")


async def test_the_audit_tells_which_priority_was_ours(desk: ServiceNow, played: PlayedServiceNow) -> None:
    ref = await desk.create(draft())
    done = await desk.apply(ref, Reprioritise(new_id(), Priority.LOW))
    ids = [one["sys_id"] for one in played.rows[AUDIT] if one["fieldname"] == "priority"]
    assert list(done.change_ids) == ids
    assert (await desk.apply(ref, Reprioritise(new_id(), Priority.LOW))).change_ids == done.change_ids
