"""What is AWS Support's own, on a played one: refusals of one status, no feed, no numbers, one state."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from pydantic import ValidationError

from integrations.answers import Answer
from integrations.aws_support.config import AwsSupportConfig
from integrations.aws_support.faults import failure_of
from integrations.aws_support.news import CALM, EVERY
from integrations.budget import Budget
from integrations.collector import Collector
from integrations.conformance import line
from integrations.connector import (
    Absent,
    Attach,
    Change,
    ChangeKind,
    Comment,
    Cursor,
    Draft,
    Found,
    Ref,
    Reprioritise,
    Theirs,
    Transition,
)
from integrations.courier import Courier
from integrations.errors import (
    Ambiguous,
    AuthFailed,
    AuthTrouble,
    Failure,
    Gone,
    NotSent,
    RateLimited,
    Rejected,
    Unavailable,
)
from integrations.hand import Hand
from integrations.http import Http
from integrations.systems.aws_support import MAX_BODY, MAX_FILE, RESOLVING, AwsSupport
from integrations.vendors import connector_for, policy_of, read_vendors
from register.core import new_id
from register.desk import ServiceDesk
from register.incident import Priority
from register.store import Store
from register.topics.engagement import Engage
from register.topics.intake import Log
from register.topics.withdrawal import Withdraw
from tests.integrations.engine_kit import FAST, Engine
from tests.played.aws_support import (
    KEY,
    LENA,
    SECRET,
    US,
    AwsLine,
    AwsSupportWorld,
    Fault,
    PlayedAws,
    operation_of,
)

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture
def world() -> AwsSupportWorld:
    return AwsSupportWorld()


@pytest.fixture
def there(world: AwsSupportWorld) -> PlayedAws:
    return world.played


@pytest.fixture
def way(world: AwsSupportWorld) -> AwsLine:
    return world.line()


def http_of(world: AwsSupportWorld, way: httpx.AsyncBaseTransport, secret: str = "") -> Http:
    signer = AwsSupport.signer(world.config, secret or world.secret)
    return Http(world.url, AwsSupport.headers(world.config, ""), signer=signer, name="aws", transport=way)


@pytest.fixture
async def desk(world: AwsSupportWorld, way: AwsLine) -> AsyncIterator[AwsSupport]:
    async with http_of(world, way) as http:
        yield AwsSupport(http, world.config)


def draft(title: str = "Pump leaks", **more: Any) -> Draft:
    return Draft(new_id(), title, "It drips.", Priority.HIGH, **more)


async def news(desk: AwsSupport, cursor: Cursor) -> tuple[list[Change], Cursor]:
    page = await desk.changes(cursor)
    assert page.done
    assert page.unread == ()
    return list(page.changes), page.next


# What a refusal means


@pytest.mark.parametrize(
    ("fault", "kind", "says"),
    [
        (Fault("ThrottlingException", "Throttle limit exceeded."), RateLimited, "asks us to wait"),
        (Fault("Throttling", "Rate exceeded"), RateLimited, "asks us to wait"),
        (Fault("com.amazonaws.support#TooManyRequestsException", ""), RateLimited, "asks us to wait"),
        (
            Fault("AccessDeniedException", "not authorized to perform: support:CreateCase"),
            AuthFailed,
            "CreateCase",
        ),
        (Fault("AccessDeniedException", "", 403), AuthFailed, "does not allow"),
        (Fault("UnrecognizedClientException", ""), AuthFailed, "ACCESS-KEY-ID:SECRET"),
        (Fault("InvalidClientTokenId", "", 403), AuthFailed, "access key"),
        (Fault("SubscriptionRequiredException", "Premium Support"), AuthFailed, "support plan"),
        (Fault("CaseCreationLimitExceeded", "limit"), Rejected, "no more cases"),
        (Fault("CaseIdNotFound", "no"), Gone, "no such case"),
        (Fault("ValidationException", "subject is bad"), Rejected, "subject is bad"),
        (Fault("AttachmentSetExpired", ""), NotSent, "the file no more"),
        (Fault("UnknownOperationException", "", 404), Rejected, "404"),
        (Fault("InternalServerError", "", 500), Ambiguous, "looked up"),
        (Fault("InternalServerError", "", 400), Ambiguous, "looked up"),
        (Fault("ServiceUnavailableException", "", 503), Ambiguous, "looked up"),
    ],
    ids=lambda value: f"{value.name}-{value.status}" if isinstance(value, Fault) else "",
)
async def test_a_refusal_is_told_apart_by_its_name(
    desk: AwsSupport, there: PlayedAws, fault: Fault, kind: type[Failure], says: str
) -> None:
    there.faults = [fault]
    with pytest.raises(kind, match=says):
        await desk.create(draft())
    assert there.cases == {}


@pytest.mark.parametrize(
    ("headers", "body", "kind"),
    [
        ({"x-amzn-errortype": "ThrottlingException:http://internal.amazon.com/coral/"}, b"{}", RateLimited),
        ({"x-amzn-errortype": "CaseIdNotFound"}, b"", Gone),
        ({"retry-after": "90"}, b'{"__type": "SlowDown"}', RateLimited),
        ({}, b'{"__type": 7}', Rejected),
        ({}, b"[]", Rejected),
    ],
)
async def test_the_name_is_looked_for_in_a_header_too(
    world: AwsSupportWorld, headers: dict[str, str], body: bytes, kind: type[Failure]
) -> None:
    async with http_of(world, world.transport()) as http:
        failure = failure_of(Answer(400, headers, body, "aws"), http)
    assert type(failure) is kind
    assert "retry-after" not in headers or getattr(failure, "retry_after", None) == timedelta(seconds=90)


async def test_trouble_on_a_read_is_no_doubt(desk: AwsSupport, there: PlayedAws) -> None:
    ref = await desk.create(draft())
    there.faults = [Fault("InternalServerError", "", 500)]
    with pytest.raises(Unavailable):
        await desk.get(ref)


@pytest.mark.parametrize(("ahead", "way_off"), [(12, "behind"), (-12, "ahead")])
async def test_a_wrong_clock_is_told_and_sends_nothing_and_stops_nobody(
    desk: AwsSupport, there: PlayedAws, ahead: int, way_off: str
) -> None:
    there.skew, there._last = timedelta(minutes=ahead), LONG_AGO
    with pytest.raises(NotSent, match=f"clock of this host is wrong.*12 min {way_off}"):
        await desk.create(draft())
    health = await desk.check()
    assert [(one.ok, "NTP" in one.todo) for one in health.checks] == [(False, True)]
    there.skew, there._last = timedelta(), LONG_AGO
    await desk.create(draft())


async def test_a_plan_without_the_api_is_told_by_the_check(desk: AwsSupport, there: PlayedAws) -> None:
    there.plan = False
    (only,) = (await desk.check()).checks
    assert not only.ok
    assert "Business Support or a plan above it" in only.says
    assert "support plan" in only.todo


@pytest.mark.parametrize(
    ("secret", "says"),
    [
        (f"{KEY}:another-secret", "the secret is not that of the access key"),
        (f"AKIAOTHEROTHEROTHER1:{SECRET}", "does not accept the stored access key"),
        (SECRET, "stored as ACCESS-KEY-ID:SECRET-ACCESS-KEY"),
    ],
)
async def test_a_wrong_key_is_refused_and_never_shown(
    world: AwsSupportWorld, way: AwsLine, secret: str, says: str
) -> None:
    async with http_of(world, way, secret) as http:
        with pytest.raises(AuthFailed, match=says) as caught:
            await AwsSupport(http, world.config).create(draft())
    assert caught.value.trouble is AuthTrouble.REFUSED
    assert SECRET not in caught.value.why
    assert all(SECRET not in str(request.headers) for request in way.asked)


async def test_another_region_than_that_of_the_address_is_refused(
    way: AwsLine, world: AwsSupportWorld
) -> None:
    world.config = world.config.model_copy(update={"region": "us-gov-west-1"})
    async with http_of(world, way) as http:
        with pytest.raises(AuthFailed, match=r"signed for this region .*`region` in vendors.toml"):
            await AwsSupport(http, world.config).create(draft())


# Making a case, and finding it again


async def test_a_case_is_made_with_all_that_it_needs(world: AwsSupportWorld, way: AwsLine) -> None:
    world.config = AwsSupportConfig.model_validate(
        {
            "service": world.config.service,
            "category": "other",
            "cc": ["ops@customer.example"],
            "language": "ja",
        }
    )
    async with http_of(world, way) as http:
        ref = await AwsSupport(http, world.config).create(draft(fields={"categoryCode": "instance-issue"}))
    row = world.played.cases[ref.id]
    assert (row["severityCode"], row["categoryCode"], row["language"]) == ("high", "instance-issue", "ja")
    assert row["ccEmailAddresses"] == ["ops@customer.example"]
    assert (ref.key, ref.url.rpartition("=")[2]) == (row["displayId"], row["displayId"])


async def test_the_number_comes_later_where_it_cannot_be_read_now(
    desk: AwsSupport, there: PlayedAws, way: AwsLine
) -> None:
    way.spoil(line.cut, line.reads)
    ref = await desk.create(draft())
    assert ref.key == ref.id
    assert (await desk.get(ref)).ref.key == there.cases[ref.id]["displayId"]


async def test_a_case_is_asked_for_by_the_number_that_people_see(desk: AwsSupport) -> None:
    ref = await desk.create(draft())
    shown = Ref(id=ref.key, key=ref.key)
    assert (await desk.get(shown)).ref == ref
    await desk.apply(shown, Comment(new_id(), "any news?"))
    with pytest.raises(Gone):
        await desk.get(Ref(id="99999999", key="99999999"))
    with pytest.raises(Rejected, match="is no case"):
        await desk.get(Ref(id="../case", key="x"))


@pytest.mark.parametrize("by_words", [False, True])
async def test_a_case_is_found_whatever_was_written_on_it_since(
    desk: AwsSupport, there: PlayedAws, by_words: bool
) -> None:
    """A list shows five words: the first, which has our operation id, is not among them any more."""
    there.by_words = by_words
    old = await desk.create(draft())
    there.cases[old.id]["timeCreated"] = "2026-01-05T08:00:00.000Z"
    began, told = datetime.now(UTC), draft()
    ref = await desk.create(told)
    for number in range(12):
        there.say(old.id, LENA, f"step {number}")
        there.say(ref.id, LENA, f"step {number}")
    there.sets_state(ref.id, "resolved")
    there.done.clear()
    assert await desk.find(told.op_id, began) == Found((ref,))
    assert there.done == ["DescribeCases", "DescribeCommunications"], "those made before cost nothing"
    assert await desk.find(new_id(), began) == Absent()


async def test_a_case_is_found_where_their_clock_is_behind(desk: AwsSupport, there: PlayedAws) -> None:
    there.skew, there._last = timedelta(minutes=-4), LONG_AGO
    began, told = datetime.now(UTC), draft()
    assert await desk.create(told)
    assert isinstance(await desk.find(told.op_id, began), Found)


async def test_a_case_is_not_found_by_our_words_in_their_mouth(desk: AwsSupport, there: PlayedAws) -> None:
    ref, op_id = await desk.create(draft()), new_id()
    there.say(ref.id, LENA, f"you wrote [muster:{op_id}]")
    assert await desk.find(op_id, LONG_AGO) == Absent()
    assert await desk.find_comment(ref, op_id) == Absent()


async def test_that_none_is_found_is_never_believed(there: PlayedAws, desk: AwsSupport) -> None:
    """Its list may lag: a case that is there is not on it yet."""
    told = draft()
    there.hidden.add((await desk.create(told)).id)
    assert await desk.find(told.op_id, LONG_AGO) == Absent()
    assert type(AwsSupport.info.lookup).__name__ == "Lagging"


async def test_what_is_too_long_is_refused_before_it_is_sent(desk: AwsSupport, there: PlayedAws) -> None:
    ref = await desk.create(draft())
    before = list(there.done)
    with pytest.raises(Rejected, match="8,000 characters"):
        await desk.apply(ref, Comment(new_id(), "x" * MAX_BODY))
    with pytest.raises(Rejected, match="no place there"):
        await desk.apply(ref, Comment(new_id(), "between us", public=False))
    with pytest.raises(Rejected, match="severity"):
        await desk.apply(ref, Reprioritise(new_id(), Priority.CRITICAL))
    large = Attach(new_id(), "core.bin", "application/octet-stream", "", b"x" * (MAX_FILE + 1))
    with pytest.raises(Rejected, match="at most 5,242,880 bytes"):
        await desk.apply(ref, large)
    assert there.done == before


# States


async def test_a_case_is_resolved_once_and_may_be_so_again(
    desk: AwsSupport, there: PlayedAws, way: AwsLine
) -> None:
    ref = await desk.create(draft())
    way.spoil(line.commit_then_cut, lambda request: operation_of(request) == "ResolveCase")
    with pytest.raises(Unavailable):
        await desk.apply(ref, Transition(new_id(), Theirs.CLOSED))
    for _ in range(2):
        applied = await desk.apply(ref, Transition(new_id(), Theirs.FIXED))
        assert applied.ticket is not None
        assert applied.ticket.state is Theirs.FIXED
    assert there.done.count("ResolveCase") == 1


async def test_a_word_that_was_to_resolve_does_so_when_it_is_found(
    desk: AwsSupport, there: PlayedAws, way: AwsLine
) -> None:
    ref, op_id = await desk.create(draft()), new_id()
    way.spoil(line.commit_then_cut, lambda request: operation_of(request) == "AddCommunicationToCase")
    with pytest.raises(Ambiguous):
        await desk.apply(ref, Transition(op_id, Theirs.CLOSED, "no longer needed"))
    assert there.cases[ref.id]["status"] == "unassigned"
    assert RESOLVING in there.words[ref.id][-1]["body"]
    assert isinstance(await desk.find_comment(ref, op_id), Found)
    assert there.cases[ref.id]["status"] == "resolved"


async def test_nothing_is_resolved_by_a_look_up_when_they_wrote_since(
    desk: AwsSupport, there: PlayedAws, way: AwsLine
) -> None:
    ref, op_id = await desk.create(draft()), new_id()
    way.spoil(line.commit_then_cut, lambda request: operation_of(request) == "AddCommunicationToCase")
    with pytest.raises(Ambiguous):
        await desk.apply(ref, Transition(op_id, Theirs.CLOSED, "no longer needed"))
    there.say(ref.id, LENA, "wait, it is not over")
    assert isinstance(await desk.find_comment(ref, op_id), Found)
    plain = Comment(new_id(), "we wait")
    await desk.apply(ref, plain)
    assert isinstance(await desk.find_comment(ref, plain.op_id), Found)
    assert there.cases[ref.id]["status"] == "unassigned"


async def test_a_dispute_is_a_word_that_opens_the_case_again(desk: AwsSupport, there: PlayedAws) -> None:
    ref = await desk.create(draft())
    there.sets_state(ref.id, "resolved")
    with pytest.raises(Rejected, match="Write what is still wrong"):
        await desk.apply(ref, Transition(new_id(), Theirs.WORKING))
    applied = await desk.apply(ref, Transition(new_id(), Theirs.WORKING, "it drips again"))
    assert applied.ticket is not None
    assert (applied.ticket.raw_state, applied.ticket.state) == ("reopened", Theirs.WORKING)
    assert len(applied.change_ids) == 1


async def test_after_fourteen_days_a_case_cannot_be_opened_again_and_nothing_is_sent(
    desk: AwsSupport, there: PlayedAws
) -> None:
    ref = await desk.create(draft())
    there.sets_state(ref.id, "resolved")
    old = "2026-01-05T08:00:00.000Z"
    there.words[ref.id][0]["timeCreated"] = there.cases[ref.id]["timeCreated"] = old
    with pytest.raises(Rejected, match=r"after 14 days .* Engage them anew. Nothing was sent"):
        await desk.apply(ref, Transition(new_id(), Theirs.WORKING, "it drips again"))
    assert len(there.words[ref.id]) == 1


# Files


async def test_a_file_is_brought_and_one_that_is_too_large_is_not(desk: AwsSupport, there: PlayedAws) -> None:
    ref, content = await desk.create(draft()), bytes(range(256)) * 8
    start = await desk.changes(None)
    there.files["attachment-1"] = "trace.log", content
    there.say(ref.id, LENA, "see the trace", files=["attachment-1"])
    heard, _ = await news(desk, start.next)
    word, file = heard
    assert (word.kind, file.kind, file.body, file.place) == ("comment", "file", "trace.log", "attachment-1")
    assert await desk.fetch(ref, file.place, len(content)) == content
    with pytest.raises(Rejected):
        await desk.fetch(ref, file.place, len(content) - 1)
    with pytest.raises(Gone):
        await desk.fetch(ref, "attachment-none", 100)


async def test_our_own_file_is_known_when_it_comes_back(desk: AwsSupport, there: PlayedAws) -> None:
    ref = await desk.create(draft())
    start, op_id = await desk.changes(None), new_id()
    file = Attach(op_id, "trace.log", "text/plain", hashlib.sha256(b"x").hexdigest(), b"x")
    applied = await desk.apply(ref, file)
    heard, _ = await news(desk, start.next)
    assert [(one.kind, one.marker, one.by_our_account) for one in heard] == [
        (ChangeKind.COMMENT, op_id, True),
        (ChangeKind.FILE, op_id, True),
    ]
    assert applied.change_ids == tuple(one.change_id for one in heard)


# The feed


async def test_a_state_and_a_severity_are_heard_in_every_poll(desk: AwsSupport, there: PlayedAws) -> None:
    ref = await desk.create(draft())
    page = await desk.changes(None)
    cursor: Cursor = page.next
    ids: set[str] = set()
    said = ["work-in-progress", "pending-customer-action", "work-in-progress", "resolved"]
    for state in said:
        there.sets_state(ref.id, state)
        heard, cursor = await news(desk, cursor)
        assert [(one.kind, one.raw_state) for one in heard] == [(ChangeKind.STATE, state)]
        ids |= {one.change_id for one in heard}
    assert len(ids) == len(said), "each change is one of its own, though the state was there before"
    assert (await news(desk, cursor))[0] == []
    there.say(ref.id, US, "it drips again")
    heard, cursor = await news(desk, cursor)
    assert [(one.kind, one.raw_state, one.body) for one in heard[-2:]] == [
        (ChangeKind.COMMENT, "", "it drips again"),
        (ChangeKind.STATE, "reopened", ""),
    ]
    there.cases[ref.id]["severityCode"] = "low"
    (heard, _) = await news(desk, cursor)
    assert [(one.kind, one.raw_priority) for one in heard] == [(ChangeKind.PRIORITY, "low")]
    assert heard[0].priorities == (Priority.LOW, Priority.PLANNING)


async def test_ten_cases_with_news_cost_one_request(desk: AwsSupport, there: PlayedAws) -> None:
    refs = [await desk.create(draft()) for _ in range(12)]
    cursor = (await desk.changes(None)).next
    for ref in refs[:10]:
        for number in range(4):
            there.say(ref.id, LENA, f"{ref.id} {number}")
    there.done.clear()
    heard, cursor = await news(desk, cursor)
    assert len(heard) == 40
    assert there.done == ["DescribeCases"]
    for number in range(7):
        there.say(refs[0].id, LENA, f"more {number}")
    there.done.clear()
    heard, _ = await news(desk, cursor)
    assert [one.body for one in heard] == [f"more {number}" for number in range(7)]
    assert there.done == ["DescribeCases", "DescribeCommunications"]


async def test_many_open_cases_cost_pages_and_never_one_each(desk: AwsSupport, there: PlayedAws) -> None:
    told = dict.fromkeys(("subject", "serviceCode", "categoryCode", "language"), "x") | {
        "severityCode": "low"
    }
    numbers = [there.make(told) for _ in range(230)]
    for number in numbers:
        there.say(number, US, "it drips")
    cursor = (await desk.changes(None)).next
    for number in numbers[:150]:
        there.sets_state(number, "resolved")
    there.done.clear()
    heard, cursor = await news(desk, cursor)
    assert sorted(one.ref.id for one in heard) == sorted(numbers[:150])
    assert there.done == ["DescribeCases"] * 3  # the rest in one page, and those that are gone in two
    there.done.clear()
    await news(desk, cursor)
    assert there.done == ["DescribeCases"]


async def test_a_list_of_many_long_words_is_read_to_its_end(desk: AwsSupport, there: PlayedAws) -> None:
    """Some 9 MB, which is more than is taken of other answers."""
    refs = [await desk.create(draft()) for _ in range(80)]
    cursor = (await desk.changes(None)).next
    for ref in refs:
        for _ in range(5):
            there.say(ref.id, LENA, "€" * 8_000)
    heard, _ = await news(desk, cursor)
    assert len(heard) == 400


async def test_after_quiet_polls_most_lists_are_without_words_and_nothing_is_lost(
    desk: AwsSupport, there: PlayedAws
) -> None:
    ref = await desk.create(draft())
    cursor = (await desk.changes(None)).next
    sizes = []
    for _ in range(CALM + EVERY):
        heard, cursor = await news(desk, cursor)
        assert heard == []
        sizes.append(there.sent)
    small, large = min(sizes), max(sizes)
    assert small < 600 < large
    assert sizes[-EVERY:].count(small) == EVERY - 1
    there.sets_state(ref.id, "work-in-progress")
    there.say(ref.id, LENA, "we look")
    heard, cursor = await news(desk, cursor)
    assert {one.body or one.raw_state for one in heard} == {"work-in-progress", "we look"}
    for _ in range(CALM):
        _, cursor = await news(desk, cursor)
    there.say(ref.id, LENA, "without a state")
    bodies: list[str] = []
    for _ in range(EVERY):
        heard, cursor = await news(desk, cursor)
        bodies += [one.body for one in heard]
    assert bodies == ["without a state"]


async def test_a_case_that_is_too_old_hides_none_of_the_others(desk: AwsSupport, there: PlayedAws) -> None:
    """One unknown id fails the question for all of them."""
    refs = [await desk.create(draft()) for _ in range(9)]
    cursor = (await desk.changes(None)).next
    for ref in refs:
        there.sets_state(ref.id, "resolved")
    there.forgotten = {refs[3].id}
    heard, cursor = await news(desk, cursor)
    assert {one.ref.id for one in heard} == {ref.id for ref in refs} - {refs[3].id}
    there.done.clear()
    assert (await news(desk, cursor))[0] == []
    assert there.done == ["DescribeCases"], "it is not asked for again"
    with pytest.raises(Gone, match="of its age"):
        await desk.get(refs[3])


async def test_the_same_words_said_again_are_two(desk: AwsSupport, there: PlayedAws) -> None:
    ref = await desk.create(draft())
    cursor = (await desk.changes(None)).next
    at = there.now()
    for when in (at, at, None):
        there.say(ref.id, LENA, "any news?", when)
    heard, cursor = await news(desk, cursor)
    assert [one.body for one in heard] == ["any news?"] * 3
    assert len({one.change_id for one in heard}) == 3
    assert {one.change_id for one in heard} < {one.change_id for one in (await desk.history(ref)).changes}
    assert (await news(desk, cursor))[0] == []
    there.say(ref.id, LENA, "any news?")
    assert [one.body for one in (await news(desk, cursor))[0]] == ["any news?"]


async def test_what_cannot_be_read_is_told_once_and_hides_nothing(desk: AwsSupport, there: PlayedAws) -> None:
    one, two = await desk.create(draft()), await desk.create(draft())
    cursor = (await desk.changes(None)).next
    there.cases[one.id]["timeCreated"] = "yesterday"
    there.say(two.id, LENA, "we look")
    there.words[two.id].append({"caseId": two.id, "body": 7, "timeCreated": "2026-01-05T08:00:00Z"})
    page = await desk.changes(cursor)
    assert [change.body for change in page.changes] == ["we look"]
    assert {odd.ticket for odd in page.unread} == {one.id, two.id}
    again = await desk.changes(page.next)
    assert (again.changes, again.unread) == ((), ())
    with pytest.raises(Unavailable, match="cannot read"):
        await desk.get(one)


# The configuration


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"fields": {"contract": "Contract"}}, "no field besides its text"),
        ({"close": {"field": "Resolution", "codes": {"*": "x"}}}, "takes `note` alone"),
        ({"priorities": {1: "blocker"}}, "severity|Input should be"),
        ({"region": "https://x"}, "pattern"),
        ({"cc": [f"a{n}@customer.example" for n in range(11)]}, "at most 10"),
    ],
)
def test_what_a_case_cannot_hold_is_refused_when_it_is_read(more: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        AwsSupportConfig.model_validate({"service": "amazon-s3", "category": "other", **more})


async def test_the_check_looks_at_each_service_with_each_category(
    world: AwsSupportWorld, way: AwsLine
) -> None:
    mysql = "amazon-relational-database-service-mysql"
    world.config = AwsSupportConfig.model_validate(
        {
            "service": world.config.service,
            "category": "instance-issue",
            "fields": {"service": "serviceCode"},
            "service_names": {"Orders": mysql, "*": "amazon-nothing"},
            "priorities": {1: "critical", 2: "high", 3: "normal", 4: "low", 5: "low"},
        }
    )
    async with http_of(world, way) as http:
        lines = {one.name: one for one in (await AwsSupport(http, world.config).check()).checks if not one.ok}
    assert set(lines) == {"priorities", "services"}
    assert "critical" in lines["priorities"].says
    assert lines["services"].says == f"there is no amazon-nothing, instance-issue of {mysql} there"


def block(world: AwsSupportWorld) -> str:
    return (
        '[vendor.aws]\nconnector = "aws_support"\ntitle = "AWS"\nenvironment = "production"\n'
        f'url = "{world.url}"\nservice = "{world.config.service}"\ncategory = "other"\n'
    )


async def test_one_of_vendors_toml_signs_with_the_stored_key(world: AwsSupportWorld, way: AwsLine) -> None:
    vendor = read_vendors(block(world))["aws"]
    desk: Any = connector_for(vendor, lambda _: world.secret, way, {})
    try:
        ref = await desk.create(draft())
        assert (await desk.check()).account == "AWS account 123456789012"
    finally:
        await desk.http.aclose()
    assert ref.id in world.played.cases


async def test_the_engine_calls_them_off_though_the_answer_to_our_word_is_lost(
    store: Store, world: AwsSupportWorld, way: AwsLine, there: PlayedAws
) -> None:
    known = read_vendors(block(world))
    vendor, register = known["aws"], ServiceDesk(store, policy_of(known))
    hand = Hand(register, lambda: datetime.now(UTC))
    connector = connector_for(vendor, lambda _: world.secret, way, {})
    budget = Budget(hand, vendor, connector)
    courier = Courier(hand, vendor, connector, "me", FAST, budget=budget)
    collector = Collector(hand, vendor, connector, budget)
    engine = Engine(store, register, vendor, courier, collector, hand, connector.http.aclose)
    try:
        number = engine.do(Log(title="db down")).number or ""
        engine.do(Engage(target=number, vendor="aws", message="please look"))
        await engine.settle_all()
        await collector.poll()
        (case,) = there.cases
        there.say(case, LENA, "we look")
        way.spoil(line.commit_then_cut, lambda request: operation_of(request) == "AddCommunicationToCase")
        engine.do(Withdraw(target=number, reason="it was ours"))
        await engine.settle_all()
        await collector.poll()
    finally:
        await connector.http.aclose()
    assert there.cases[case]["status"] == "resolved"
    said = [one["body"].split("\n")[0] for one in there.words[case]]
    assert said == ["please look", "we look", "it was ours"]
    incident = store.incident(number)
    assert incident is not None
    assert [bond.raw_state for bond in incident.bonds] == ["resolved"]
