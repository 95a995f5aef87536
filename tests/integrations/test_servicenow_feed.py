"""What is ServiceNow's own in listening to it, on a played instance: each trap, and what a poll costs."""

from __future__ import annotations

import html
import re
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from integrations.conformance import line
from integrations.conformance.line import Line
from integrations.connector import (
    Change,
    ChangeKind,
    Comment,
    Draft,
    Found,
    Ref,
    Reprioritise,
    Theirs,
    Transition,
)
from integrations.errors import AuthFailed, AuthTrouble, Rejected, Unavailable
from integrations.http import Http, Limits
from integrations.servicenow.code_tags import defused, text_of
from integrations.servicenow.config import ServiceNowConfig
from integrations.servicenow.feed import AGAIN, SECOND, Feed
from integrations.systems.servicenow import ServiceNow
from register.core import new_id
from register.incident import Priority
from register.marker import marker_of, sign
from register.text import clean
from tests.played.servicenow import AUDIT, INCIDENT, JOURNAL, LENA, PASSWORD, USER, PlayedServiceNow
from tests.played.servicenow_world import ServiceNowWorld

TAGS = (
    "[code]",
    "[/code]",
    "[CODE]",
    "[ code ]",
    "[ / code]",
    "[",
    "]",
    "/",
    "code",
    " ",
    "\n",
    "<b>",
    "&lt;",
    "x",
)
QUIET = 2_500
"""Bytes of an answer in which nothing happened."""


class Clock:
    """Ours, as the feed reads it."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


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
def clock() -> Clock:
    return Clock()


@pytest.fixture
def desk(http: Http, world: ServiceNowWorld, clock: Clock) -> ServiceNow:
    return timed(ServiceNow(http, world.config), clock)


def timed(desk: ServiceNow, clock: Clock) -> ServiceNow:
    desk._feed = Feed(desk.http, desk.config, desk._story, clock)
    return desk


async def made(desk: ServiceNow) -> Ref:
    return await desk.create(Draft(new_id(), "Checkout is down", "It says 500.", Priority.HIGH))


async def heard(desk: ServiceNow, cursor: Any) -> tuple[list[Change], Any]:
    found: list[Change] = []
    for _ in range(20):
        page = await desk.changes(cursor)
        assert page.unread == ()
        found += page.changes
        cursor = page.next
        if page.done:
            return found, cursor
    raise AssertionError("the feed does not end")


def asked_of(wire: Line, table: str) -> int:
    return sum(request.url.path.endswith(table) for request in wire.asked)


# What a poll costs


async def test_a_quiet_poll_is_one_small_request_and_ten_changed_incidents_four(
    desk: ServiceNow, world: ServiceNowWorld, wire: Line, http: Http
) -> None:
    refs = [await made(desk) for _ in range(10)]
    _, cursor = await heard(desk, (await desk.changes(None)).next)
    sizes: list[int] = []

    async def measured(request: httpx.Request, forward: line.Forward) -> httpx.Response:
        answer = await forward(request)
        sizes.append(len(await answer.aread()))
        return httpx.Response(
            answer.status_code, headers=answer.headers, stream=httpx.ByteStream(answer.content)
        )

    before = http.asked
    wire.spoil(measured, line.reads)
    page = await desk.changes(cursor)
    assert (http.asked - before, page.changes, page.done) == (1, (), True)
    assert page.next == cursor, "nothing to write down"
    assert sizes[0] <= QUIET, "ten incidents that changed a moment ago, and nothing since"
    for ref in refs:
        await world.says(ref, "a word")
        await world.sets(ref, Theirs.WORKING)
    before = http.asked
    told, _ = await heard(desk, cursor)
    assert len(told) == 20
    assert http.asked - before == 4, "the list, the journals, the audit, the files"


async def test_a_calm_feed_looks_back_no_more(
    desk: ServiceNow, world: ServiceNowWorld, clock: Clock, wire: Line
) -> None:
    ref = await made(desk)
    cursor = (await desk.changes(None)).next
    for _ in range(15):
        clock.now += 30
        _, cursor = await heard(desk, cursor)
    before = len(wire.asked)
    _, cursor = await heard(desk, cursor)
    assert len(wire.asked) - before == 1
    asked = httpx.QueryParams(wire.asked[-1].url.query.decode())["sysparm_query"]
    assert asked.startswith(f"sys_updated_on>={world.of(ref)['sys_updated_on'][:-2]}")
    assert asked[16:35] > world.of(ref)["sys_updated_on"]
    await world.says(ref, "one")
    assert [one.body for one in (await heard(desk, cursor))[0]] == ["one"]


async def test_as_many_pages_as_there_are_hundreds(
    desk: ServiceNow, played: PlayedServiceNow, wire: Line
) -> None:
    start = await desk.changes(None)
    for _ in range(250):
        played.made(LENA, {"correlation_display": "Muster"})
    before = asked_of(wire, INCIDENT)
    _, cursor = await heard(desk, start.next)
    assert asked_of(wire, INCIDENT) - before == 3
    assert 100 < len(cursor["seen"]) < 130, "those of the last two minutes are remembered, no others"


async def test_one_that_was_deleted_keeps_nobody_looking_back(
    desk: ServiceNow, played: PlayedServiceNow, clock: Clock, wire: Line
) -> None:
    await made(desk)
    gone = await made(desk)
    cursor = (await desk.changes(None)).next
    played.rows[INCIDENT] = [row for row in played.rows[INCIDENT] if row["sys_id"] != gone.id]
    for _ in range(15):
        clock.now += 30
        _, cursor = await heard(desk, cursor)
    asked = httpx.QueryParams(wire.asked[-1].url.query.decode())["sysparm_query"]
    assert asked[16:35] > cursor["newest"][:19].replace("T", " ")


async def test_incidents_of_other_customers_are_not_asked_for(
    desk: ServiceNow, played: PlayedServiceNow, wire: Line
) -> None:
    start = await desk.changes(None)
    for _ in range(150):
        played.made(LENA, {"short_description": "another customer's", "comments": "x"})
    before = len(wire.asked)
    assert (await heard(desk, start.next))[0] == []
    assert len(wire.asked) - before == 1


# Nothing is passed over


async def test_a_crowd_of_one_second_comes_whole_and_once_each(
    desk: ServiceNow, world: ServiceNowWorld
) -> None:
    ref = await made(desk)
    start = await desk.changes(None)
    await world.crowds(ref, 230)
    told, cursor = await heard(desk, start.next)
    assert sorted(int(one.body) for one in told) == list(range(230))
    assert (await heard(desk, cursor))[0] == []


async def test_a_block_of_one_second_longer_than_a_page_does_not_wedge_the_cursor(
    desk: ServiceNow, played: PlayedServiceNow, wire: Line
) -> None:
    """Within a second rows come in any order, another with each question, unless it is by sys_id."""
    rows = [played.made(USER, {"correlation_display": "Muster"}) for _ in range(230)]
    start = await desk.changes(None)
    played.stays = True
    for row in rows:
        played.change(row, LENA, {"comments": row["number"]})
    played.stays = False
    before = len(wire.asked)
    told, cursor = await heard(desk, start.next)
    assert sorted(one.body for one in told) == sorted(row["number"] for row in rows)
    lists = [one for one in wire.asked[before:] if one.url.path.endswith("/incident")]
    assert len(lists) == 3, "no page is begun anew"
    assert (await heard(desk, cursor))[0] == []


async def test_a_list_that_moves_while_it_is_read_loses_nobody(
    desk: ServiceNow, played: PlayedServiceNow, wire: Line
) -> None:
    """What changes goes to the end, and its place is taken by the first of the next page."""
    start = await desk.changes(None)
    rows = [played.made(USER, {"correlation_display": "Muster"}) for _ in range(150)]
    for row in rows:
        played.change(row, LENA, {"comments": row["number"]})
    page = await desk.changes(start.next)
    assert not page.done
    for row in rows[:3]:
        played.change(row, LENA, {"comments": "again"})
    told, _ = await heard(desk, page.next)
    words = [one.body for one in (*page.changes, *told)]
    assert {row["number"] for row in rows} <= set(words)
    assert words.count("again") == 3


async def test_a_short_page_is_not_the_last_one(
    desk: ServiceNow, played: PlayedServiceNow, wire: Line
) -> None:
    """The limit counts before access rules do: a whole page may be hidden."""
    start = await desk.changes(None)
    rows = [played.made(USER, {"correlation_display": "Muster"}) for _ in range(230)]
    hidden = {row["sys_id"] for row in rows[:210]}
    played.hides = lambda table, row: row["sys_id"] in hidden
    played.change(rows[-1], LENA, {"comments": "heard"})
    found: list[Change] = []
    whys = []
    cursor = start.next
    for _ in range(5):
        page = await desk.changes(cursor)
        found, cursor = [*found, *page.changes], page.next
        whys += [odd.why for odd in page.unread]
        if page.done:
            break
    assert [one.body for one in found] == ["heard"]
    assert "keeps 100 of 230 changed incidents from us" in whys[0]


async def test_a_record_that_is_there_before_its_journal_is_read_once_more(
    desk: ServiceNow, played: PlayedServiceNow, world: ServiceNowWorld, clock: Clock
) -> None:
    ref = await made(desk)
    start = await desk.changes(None)
    played.late_journal = True
    await world.says(ref, "late")
    told, cursor = await heard(desk, start.next)
    assert told == []
    played.rows[JOURNAL] += played.kept_back
    clock.now += SECOND
    told, cursor = await heard(desk, cursor)
    assert [one.body for one in told] == ["late"]
    before = desk.http.asked
    clock.now += SECOND
    assert (await heard(desk, cursor))[0] == []
    assert desk.http.asked - before == 1, "and no more"


async def test_a_condition_on_the_journals_that_is_ignored_is_told(
    desk: ServiceNow, played: PlayedServiceNow, world: ServiceNowWorld
) -> None:
    one, other = await made(desk), await made(desk)
    await world.says(other, "of another")
    start = await desk.changes(None)
    await world.says(one, "mine")
    played.unsearchable = {"element_id"}
    page = await desk.changes(start.next)
    assert page.changes == ()
    assert [(odd.ticket, "lines of other records" in odd.why) for odd in page.unread] == [(one.id, True)]


async def test_one_incident_that_cannot_be_read_holds_up_the_rest_for_a_while_only(
    desk: ServiceNow, world: ServiceNowWorld, wire: Line
) -> None:
    one, two = await made(desk), await made(desk)
    start = await desk.changes(None)
    await world.says(one, "one")
    await world.says(two, "two")

    def its_journal(request: httpx.Request) -> bool:
        return request.url.path.endswith(JOURNAL) and one.id.encode() in request.url.query

    wire.spoil(line.broken(500, False), its_journal, times=100)
    for _ in range(2):
        with pytest.raises(Unavailable):
            await desk.changes(start.next)
    page = await desk.changes(start.next)
    assert [change.body for change in page.changes] == ["two"]
    assert [odd.ticket for odd in page.unread] == [one.id]


async def test_an_odd_line_is_kept_for_a_person_and_the_rest_is_heard(
    desk: ServiceNow, world: ServiceNowWorld, played: PlayedServiceNow
) -> None:
    ref = await made(desk)
    start = await desk.changes(None)
    await world.says(ref, "one")
    played.rows[JOURNAL].append({**played.rows[JOURNAL][-1], "sys_id": "odd", "sys_created_on": "2026-01-06"})
    page = await desk.changes(start.next)
    assert [one.body for one in page.changes] == ["one"]
    assert [(odd.change_id, odd.ticket) for odd in page.unread] == [("odd", ref.id)]


# What is hidden is no silence


async def test_words_that_are_kept_from_us_are_no_silence(
    desk: ServiceNow, world: ServiceNowWorld, played: PlayedServiceNow
) -> None:
    """ServiceNow answers 200 with an empty list; only the count tells."""
    ref = await made(desk)
    start = await desk.changes(None)
    await world.says(ref, "one")
    played.hides = lambda table, row: table == JOURNAL
    with pytest.raises(AuthFailed, match="let it read sys_journal_field") as told:
        await desk.changes(start.next)
    assert told.value.trouble is AuthTrouble.FORBIDDEN
    assert {one.name for one in (await desk.check()).checks if not one.ok} == {"journals"}


async def test_an_audit_that_is_kept_from_us_is_told_and_the_last_state_with_it(
    desk: ServiceNow, world: ServiceNowWorld, played: PlayedServiceNow
) -> None:
    ref = await made(desk)
    start = await desk.changes(None)
    await world.sets(ref, Theirs.WAITS_FOR_US)
    await world.sets(ref, Theirs.WORKING)
    played.hides = lambda table, row: table == AUDIT
    page = await desk.changes(start.next)
    assert [one.raw_state for one in page.changes if one.kind is ChangeKind.STATE] == ["In Progress"]
    assert [odd.why.endswith("the last one is told.") for odd in page.unread] == [True]
    assert {one.name for one in (await desk.check()).checks if not one.ok} == {"audit"}
    done = await desk.apply(ref, Reprioritise(new_id(), Priority.LOW))
    later = await desk.changes(page.next)
    assert [one.change_id for one in later.changes if one.kind is ChangeKind.PRIORITY] == [*done.change_ids]
    assert [odd.change_id for odd in later.unread] == [page.unread[0].change_id], "one card, not one a poll"


async def test_a_word_that_is_kept_from_us_is_told_beside_those_that_are_not(
    desk: ServiceNow, world: ServiceNowWorld, played: PlayedServiceNow
) -> None:
    ref = await made(desk)
    start = await desk.changes(None)
    await world.says(ref, "one")
    await world.says(ref, "not for you")
    played.hides = lambda table, row: row.get("value") == "not for you"
    page = await desk.changes(start.next)
    assert [one.body for one in page.changes] == ["one"]
    assert "keeps 1 lines" in page.unread[0].why


async def test_who_may_see_no_incident_does_not_begin_to_listen(
    desk: ServiceNow, played: PlayedServiceNow
) -> None:
    await made(desk)
    played.hides = lambda table, row: table == INCIDENT
    with pytest.raises(AuthFailed, match="shows our account none"):
        await desk.changes(None)
    assert "permission" in {one.name for one in (await desk.check()).checks if not one.ok}


# Times


async def test_times_of_another_zone_are_found_out_and_set_right(
    desk: ServiceNow, http: Http, world: ServiceNowWorld, played: PlayedServiceNow, clock: Clock
) -> None:
    """Read as Los Angeles' time, a time of UTC lies eight hours ahead: all changes would be passed over."""
    ref = await made(desk)
    assert "read as UTC" in next(one.says for one in (await desk.check()).checks if one.name == "feed")
    played.zone = "America/Los_Angeles"
    (bad,) = [one for one in (await desk.check()).checks if not one.ok]
    assert (bad.name, bad.todo.split(" in ")[0]) == ("feed", "set `query_zone`")
    with pytest.raises(Rejected, match=rf"and {ref.key} did: a time in a query is not read as UTC"):
        await desk.changes((await desk.changes(None)).next)
    config = world.config.model_copy(update={"query_zone": "America/Los_Angeles"})
    desk = timed(ServiceNow(http, config), clock)
    assert (await desk.check()).ok
    start = await desk.changes(None)
    await world.says(ref, "one")
    told, _ = await heard(desk, start.next)
    assert [one.body for one in told] == ["one"]
    assert abs(told[0].at - played.now) < timedelta(minutes=1), "what is told is UTC all the same"


async def test_neither_the_zone_of_a_supplier_s_block_nor_of_this_host_changes_a_time(
    http: Http, desk: ServiceNow, played: PlayedServiceNow, monkeypatch: pytest.MonkeyPatch
) -> None:
    http.zone = "America/Los_Angeles"
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    ref = await made(desk)
    try:
        assert abs((await desk.get(ref)).updated_at - played.now) < timedelta(minutes=1)
    finally:
        monkeypatch.undo()
        time.tzset()


async def test_a_right_to_compare_times_that_was_taken_away_is_no_silence(
    desk: ServiceNow, world: ServiceNowWorld, played: PlayedServiceNow, clock: Clock
) -> None:
    """Query ACLs came to instances by an update; whoever lacks one finds nothing."""
    ref = await made(desk)
    cursor = (await desk.changes(None)).next
    for _ in range(2 * AGAIN + 5):
        clock.now += 30
        before = desk.http.asked
        _, cursor = await heard(desk, cursor)
    assert desk.http.asked - before == 1
    played.ranges = False
    await world.says(ref, "not heard")

    async def a_few_polls(cursor: Any) -> None:
        for _ in range(AGAIN):
            _, cursor = await heard(desk, cursor)

    with pytest.raises(Rejected, match="may not query by sys_updated_on"):
        await a_few_polls(cursor)
    assert {one.name for one in (await desk.check()).checks if not one.ok} >= {"feed"}


async def test_a_list_in_another_order_is_not_paged_through(
    desk: ServiceNow, played: PlayedServiceNow, wire: Line
) -> None:
    for _ in range(2):
        await made(desk)
    start = await desk.changes(None)

    async def turned(request: httpx.Request, forward: line.Forward) -> httpx.Response:
        told = orjson.loads(await (await forward(request)).aread())
        told["result"].reverse()
        return line.answer(200, orjson.dumps(told), x_total_count="2")

    wire.spoil(turned, line.reads)
    with pytest.raises(Rejected, match="query_range"):
        await desk.changes(start.next)


async def test_an_answer_that_was_cut_off_there_is_none(
    desk: ServiceNow, world: ServiceNowWorld, played: PlayedServiceNow
) -> None:
    """A request that runs too long ends with 200, a part of the list, and an error behind it."""
    ref = await made(desk)
    start = await desk.changes(None)
    await world.says(ref, "one")
    played.cancelled = True
    with pytest.raises(Unavailable):
        await desk.changes(start.next)
    with pytest.raises(Unavailable):
        await desk.find(new_id(), played.now)
    played.cancelled = False
    assert [one.body for one in (await heard(desk, start.next))[0]] == ["one"]


# What is told


async def test_a_state_that_our_answer_brought_about_is_news(
    desk: ServiceNow, world: ServiceNowWorld, played: PlayedServiceNow
) -> None:
    ref = await made(desk)
    await world.sets(ref, Theirs.WAITS_FOR_US)
    start = await desk.changes(None)
    done = await desk.apply(ref, Comment(new_id(), "here is the log"))
    told, _ = await heard(desk, start.next)
    word, state = told
    assert (word.kind, word.change_id in done.change_ids) == (ChangeKind.COMMENT, True)
    assert (state.raw_state, state.change_id in done.change_ids) == ("In Progress", False)


async def test_two_states_of_one_second_are_both_told_in_their_order(
    desk: ServiceNow, world: ServiceNowWorld, played: PlayedServiceNow
) -> None:
    ref = await made(desk)
    start = await desk.changes(None)
    played.stays = True
    for to in (Theirs.WORKING, Theirs.WAITS_FOR_US, Theirs.WORKING, Theirs.FIXED):
        await world.sets(ref, to)
    played.stays = False
    told, _ = await heard(desk, start.next)
    assert [one.raw_state for one in told] == [
        "In Progress",
        "On Hold: Awaiting Caller",
        "In Progress",
        "Resolved",
    ]


async def test_two_states_of_one_second_are_both_told_where_no_version_is(
    desk: ServiceNow, world: ServiceNowWorld, played: PlayedServiceNow
) -> None:
    ref = await made(desk)
    start = await desk.changes(None)
    played.stays, played.versions = True, False
    await world.sets(ref, Theirs.WORKING)
    await world.sets(ref, Theirs.FIXED)
    told, _ = await heard(desk, start.next)
    assert {one.raw_state for one in told} == {"In Progress", "Resolved"}


async def test_another_reason_on_hold_is_another_state(
    desk: ServiceNow, world: ServiceNowWorld, played: PlayedServiceNow
) -> None:
    ref = await made(desk)
    await world.sets(ref, Theirs.WAITS_FOR_US)
    start = await desk.changes(None)
    played.change(world.of(ref), LENA, {"hold_reason": "4"})
    ((state,), _) = await heard(desk, start.next)
    assert (state.raw_state, state.state) == ("On Hold: Awaiting Vendor", Theirs.WORKING)


async def test_a_parent_of_theirs_is_told_beside_it(
    desk: ServiceNow, world: ServiceNowWorld, played: PlayedServiceNow
) -> None:
    ref = await made(desk)
    start = await desk.changes(None)
    parent = played.made(LENA, {"short_description": "All of the data centre"})
    played.change(world.of(ref), LENA, {"parent_incident": parent["sys_id"]})
    ((link,), cursor) = await heard(desk, start.next)
    assert link.link is not None
    assert (link.kind, link.body) == (ChangeKind.LINK, "is a child of")
    assert (link.link.id, link.link.key) == (parent["sys_id"], parent["number"])
    played.hides = lambda table, row: row["sys_id"] == parent["sys_id"]
    played.change(world.of(ref), LENA, {"parent_incident": ""})
    played.change(world.of(ref), LENA, {"parent_incident": parent["sys_id"]})
    told, _ = await heard(desk, cursor)
    assert {one.change_id for one in told} <= {link.change_id}, "one that is hidden from us is no link"


async def test_a_file_of_theirs_comes_with_the_next_change(
    desk: ServiceNow, world: ServiceNowWorld, played: PlayedServiceNow
) -> None:
    """A file does not touch its incident, so nothing tells of it by itself."""
    ref = await made(desk)
    start = await desk.changes(None)
    played.tick(3_600)
    played.put_file(world.of(ref), LENA, "dump.txt", b"12345", "text/plain")
    told, cursor = await heard(desk, start.next)
    assert told == []
    played.tick(3_600)
    await world.says(ref, "see the file")
    told, _ = await heard(desk, cursor)
    assert [(one.kind, one.body, one.size) for one in told] == [
        (ChangeKind.FILE, "dump.txt", 5),
        (ChangeKind.COMMENT, "see the file", None),
    ]


async def test_work_notes_are_heard_only_where_they_are_set_up(
    http: Http, desk: ServiceNow, world: ServiceNowWorld, played: PlayedServiceNow
) -> None:
    ref = await made(desk)
    start = await desk.changes(None)
    played.change(world.of(ref), LENA, {"work_notes": "between us"})
    assert [one.public for one in (await heard(desk, start.next))[0]] == [False]
    assert (await heard(ServiceNow(http, ServiceNowConfig(user=USER)), start.next))[0] == []


async def test_html_in_a_journal_is_read_as_its_readers_see_it(
    desk: ServiceNow, world: ServiceNowWorld
) -> None:
    ref = await made(desk)
    start = await desk.changes(None)
    await world.says(ref, 'See [code]<b>this</b><br><a href="https://a.example">link</a>[/code]. 1 < 2')
    ((word,), _) = await heard(desk, start.next)
    assert word.body.startswith("See this\nlink")
    assert word.body.endswith(". 1 < 2")


def shown_there(value: str) -> str:
    """What a journal's reader sees of an entry: HTML between code tags, however these are spelled."""
    tags = re.compile(r"\[\s*code\s*\](.*?)\[\s*/\s*code\s*\]", re.DOTALL | re.IGNORECASE)
    shown = tags.sub(lambda found: re.sub(r"<[^>]*>", "", html.unescape(found[1])), value)
    return shown.replace("\u2060", "")  # a word joiner is seen by nobody


@given(st.lists(st.sampled_from(TAGS), max_size=12).map("".join) | st.text(max_size=80))
@example("[code]<b>x</b>[/code]")
@example("[[CODE]&lt;[ / code ] [code-review]")
def test_what_we_write_is_no_html_in_a_journal_and_reads_back_the_same(text: str) -> None:
    text = clean(text).replace("\u2060", "")
    op_id = new_id()
    sent = sign(defused(text), op_id)
    assert shown_there(sent) == sign(text, op_id)
    assert text_of(sent) == sign(text, op_id)
    assert marker_of(text_of(sent)) == op_id
    assert defused(defused(text)) == defused(text)
    assert "[" in text or sent == sign(text, op_id), "what holds no tag goes out as it is"


@pytest.mark.parametrize(
    "text",
    ["[code]" * 20_000, "[\u2060" + " " * 60_000, "[" + " " * 60_000],
    ids=["no end", "a joiner", "blanks"],
)
def test_a_text_in_which_no_code_ends_is_read_in_no_time(text: str) -> None:
    begun = time.perf_counter()
    assert text_of(text) == clean(text)
    assert text_of(defused(text))
    assert time.perf_counter() - begun < 10


async def test_code_tags_in_our_own_words_are_none_there(desk: ServiceNow, world: ServiceNowWorld) -> None:
    """In a word, in a closing note, and in what an incident is about; and ours is known as ours."""
    words = 'Their page has [code]<img src="https://a.example/x">[/code] in it, and [CODE]&lt;[/Code].'
    ref = await desk.create(Draft(new_id(), "Page broken", words, Priority.HIGH))
    start = await desk.changes(None)
    comment = Comment(new_id(), words)
    ids = (await desk.apply(ref, comment)).change_ids
    note = Transition(new_id(), Theirs.FIXED, words)
    await desk.apply(ref, note)
    told = (await heard(desk, start.next))[0]
    assert [(one.body, one.marker) for one in told if one.kind is ChangeKind.COMMENT] == [
        (words, comment.op_id),
        (words, note.op_id),
    ]
    found = await desk.find_comment(ref, comment.op_id)
    assert isinstance(found, Found)
    assert tuple(one.id for one in found.refs) == ids
    there = [one.body for one in await world.said(ref)]
    assert [shown_there(text).partition("\n")[0] for text in there] == [words] * 3
    assert shown_there(world.of(ref)["close_notes"]) == words


# Without the audit


async def test_without_the_audit_the_last_state_is_told_and_ours_is_known(
    http: Http, world: ServiceNowWorld, played: PlayedServiceNow, wire: Line, clock: Clock
) -> None:
    desk = timed(ServiceNow(http, ServiceNowConfig(user=USER, audit=False)), clock)
    ref = await made(desk)
    start = await desk.changes(None)
    await world.sets(ref, Theirs.WORKING)
    await world.sets(ref, Theirs.WAITS_FOR_US)
    told, cursor = await heard(desk, start.next)
    assert [one.raw_state for one in told if one.kind is ChangeKind.STATE] == ["On Hold: Awaiting Caller"]
    assert not told[0].by_our_account
    for update, kind in (
        (Transition(new_id(), Theirs.FIXED, "thanks"), ChangeKind.STATE),
        (Reprioritise(new_id(), Priority.LOW), ChangeKind.PRIORITY),
        (Transition(new_id(), Theirs.WORKING), ChangeKind.STATE),
    ):
        done = await desk.apply(ref, update)
        told, cursor = await heard(desk, cursor)
        assert [one.change_id in done.change_ids for one in told if one.kind is kind] == [True]
        assert all(one.by_our_account for one in told)
    assert asked_of(wire, AUDIT) == 0
    assert (await desk.check()).ok


async def test_without_the_audit_a_state_that_our_answer_brought_about_is_news_too(
    http: Http, world: ServiceNowWorld
) -> None:
    desk = ServiceNow(http, ServiceNowConfig(user=USER, audit=False))
    ref = await made(desk)
    await world.sets(ref, Theirs.WAITS_FOR_US)
    start = await desk.changes(None)
    done = await desk.apply(ref, Comment(new_id(), "here is the log"))
    told, _ = await heard(desk, start.next)
    (state,) = [one for one in told if one.kind is ChangeKind.STATE]
    assert (state.raw_state, state.change_id in done.change_ids) == ("In Progress", False)


# The check


async def test_a_check_says_what_is_wrong(
    desk: ServiceNow, world: ServiceNowWorld, played: PlayedServiceNow
) -> None:
    def wrong(health: Any) -> set[str]:
        return {one.name for one in health.checks if not one.ok}

    assert (await desk.check()).ok, "before there is any incident"
    ref = await made(desk)
    await world.says(ref, "one")
    assert wrong(await desk.check()) == set()
    played.unreadable = {"correlation_id"}
    assert wrong(await desk.check()) == {"look-up"}
    played.unreadable, played.unsearchable = set(), {"correlation_id"}
    (bad,) = [one for one in (await desk.check()).checks if not one.ok]
    assert bad.says == "a search by correlation_id is ignored: it finds other incidents"
    played.unsearchable = set()
    played.of(ref.id)["correlation_id"] = ""
    assert wrong(await desk.check()) == {"look-up"}
    played.of(ref.id)["correlation_id"] = new_id()
    played.counts = False
    played.hides = lambda table, row: table == JOURNAL
    assert wrong(await desk.check()) == {"journals"}, "by the words that the incident itself shows"
    played.hides = lambda table, row: False
    played.rows["sys_choice"].append({**played.rows["sys_choice"][0], "value": "-5", "label": "Triage"})
    (bad,) = [one for one in (await desk.check()).checks if not one.ok]
    assert (bad.name, bad.says) == ("states", "Triage (-5) means nothing to us")
    played.rows["sys_choice"] = played.rows["sys_choice"][1:-1]
    assert "there is no New (1) there" in {one.says.split(",")[0] for one in (await desk.check()).checks}


async def test_a_check_takes_another_name_for_a_fault(http: Http, played: PlayedServiceNow) -> None:
    bad = (await ServiceNow(http, ServiceNowConfig(user="Muster")).check()).checks[0]
    assert (bad.name, bad.ok, bad.todo.startswith("mend `user`")) == ("identity", False, True)


async def test_a_deadline_below_theirs_is_told(world: ServiceNowWorld, wire: Line) -> None:
    """They let a request run for a minute: who waits less takes more for lost than is."""
    headers = ServiceNow.headers(world.config, PASSWORD)
    for seconds, says in ((30.0, "deadline_seconds = 120 is better"), (120.0, "longer than they let")):
        limits = Limits(read=seconds, total=seconds)
        async with Http(world.url + "/api/now", headers, name="acme", limits=limits, transport=wire) as http:
            lines = (await ServiceNow(http, world.config).check()).checks
            assert says in next(one.says for one in lines if one.name == "deadline")
