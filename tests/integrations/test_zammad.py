"""What is Zammad's own, on a played one."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from integrations.connector import (
    Absent,
    CannotTell,
    ChangeKind,
    Comment,
    Draft,
    Found,
    Page,
    Reprioritise,
    Theirs,
    Transition,
)
from integrations.errors import AuthFailed, Gone, Moved, Rejected, Unavailable
from integrations.http import Http
from integrations.patience import PATIENCE
from integrations.signing import HookRefused
from integrations.systems.zammad import Zammad
from integrations.zammad.news import AT_ONCE, CALM
from integrations.zammad.tickets import PAGE
from register.core import new_id
from register.incident import Priority
from tests.played.zammad import FIELD, LENA, LOGINS, TOKEN, PlayedZammad, ZammadWorld

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture
def world() -> ZammadWorld:
    return ZammadWorld()


@pytest.fixture
def there(world: ZammadWorld) -> PlayedZammad:
    return world.played


@pytest.fixture
async def desk(world: ZammadWorld) -> AsyncIterator[Zammad]:
    headers = Zammad.headers(world.config, TOKEN)
    async with Http(world.url + Zammad.root, headers, name="acme", transport=world.transport()) as http:
        yield Zammad(http, world.config)


def draft(title: str = "Pump leaks") -> Draft:
    return Draft(new_id(), title, "It drips.", Priority.HIGH)


async def every(desk: Zammad, page: Page) -> tuple[list[str], Page]:
    heard: list[str] = []
    while True:
        page = await desk.changes(page.next)
        heard += [change.body or change.raw_state for change in page.changes]
        if page.done:
            return heard, page


async def test_an_attribute_that_is_not_there_is_dropped_and_check_says_so_before(
    desk: Zammad, world: ZammadWorld, there: PlayedZammad
) -> None:
    wrong = world.config.model_copy(update={"reference_field": "muster_reff"})
    made = Zammad(desk.http, wrong)
    told = draft()
    ref = await made.create(told)
    assert "muster_reff" not in there.tickets[int(ref.id)]
    with pytest.raises(Rejected, match="does not exist"):  # it is refused, not found absent
        await made.find(told.op_id, LONG_AGO)
    health = await made.check()
    says = next(check for check in health.checks if check.name == "reference")
    assert not says.ok
    assert "muster_reff" in says.todo


async def test_what_carries_nearly_our_reference_proves_nothing(desk: Zammad, there: PlayedZammad) -> None:
    told = draft()
    ref = await desk.create(told)
    there.tickets[int(ref.id)][FIELD] = told.op_id.lower()
    assert isinstance(await desk.find(told.op_id, LONG_AGO), CannotTell)
    assert await desk.find(new_id(), LONG_AGO) == Absent()


async def test_a_ticket_on_which_the_attribute_was_not_written_is_found_by_its_words(
    desk: Zammad, there: PlayedZammad
) -> None:
    told = draft()
    ref = await desk.create(told)
    del there.tickets[int(ref.id)][FIELD]
    found = await desk.find(told.op_id, LONG_AGO)
    assert isinstance(found, Found)
    assert [one.id for one in found.refs] == [ref.id]


async def test_an_internal_article_that_became_public_is_told(desk: Zammad, there: PlayedZammad) -> None:
    ref = await desk.create(draft())
    there.agent = False
    with pytest.raises(Rejected, match="our account is no agent's"):
        await desk.apply(ref, Comment(new_id(), "between us", public=False))


async def test_internal_articles_take_a_word_in_the_file(desk: Zammad, world: ZammadWorld) -> None:
    open_ = Zammad(desk.http, world.config.model_copy(update={"internal_comments": False}))
    ref = await open_.create(draft())
    with pytest.raises(Rejected, match="nothing was sent"):
        await open_.apply(ref, Comment(new_id(), "between us", public=False))
    world.played.say(int(ref.id), LENA, body="among us", internal=True)
    world.played.say(int(ref.id), LENA, body="to you")
    told = await open_.history(ref)
    assert [change.body for change in told.changes if not change.by_our_account] == ["to you"]


async def test_a_note_and_its_state_are_there_together(desk: Zammad, there: PlayedZammad) -> None:
    ref, op_id = await desk.create(draft()), new_id()
    before = desk.http.asked
    done = await desk.apply(ref, Transition(op_id, Theirs.CLOSED, "no longer needed"))
    assert there.tickets[int(ref.id)]["state"] == "closed"
    assert [one["id"] for one in there.articles[int(ref.id)]][1:] == [int(one) for one in done.change_ids]
    assert desk.http.asked - before <= 4


async def test_a_state_that_takes_a_time_is_set_with_one(
    desk: Zammad, world: ZammadWorld, there: PlayedZammad
) -> None:
    """Zammad refuses it without; to a state that takes none it says no time."""
    ref = await desk.create(draft())
    asked = datetime.now(UTC)
    done = await desk.apply(ref, Transition(new_id(), Theirs.WAITS_FOR_US))
    assert done.ticket is not None
    assert done.ticket.raw_state == "pending reminder"
    till = datetime.fromisoformat(there.tickets[int(ref.id)]["pending_time"])
    assert timedelta(days=7, minutes=-1) <= till - asked <= timedelta(days=7, minutes=1)
    await desk.apply(ref, Transition(new_id(), Theirs.WORKING))
    assert there.tickets[int(ref.id)]["pending_time"] is None
    lets_close = {"transitions": {Theirs.CLOSED: "pending close"}, "pending": {"pending close": 2}}
    gentle = Zammad(desk.http, world.config.model_copy(update=lets_close))
    await gentle.apply(ref, Transition(new_id(), Theirs.CLOSED, "no longer needed"))
    assert there.tickets[int(ref.id)]["state"] == "pending close"
    till = datetime.fromisoformat(there.tickets[int(ref.id)]["pending_time"])
    assert timedelta(days=2, minutes=-1) <= till - asked <= timedelta(days=2, minutes=1)
    none = Zammad(desk.http, world.config.model_copy(update={"pending": {}}))
    await none.apply(ref, Transition(new_id(), Theirs.WORKING))
    with pytest.raises(Rejected, match="pending_time"):
        await none.apply(ref, Transition(new_id(), Theirs.WAITS_FOR_US))


async def test_what_will_close_by_itself_is_not_closed_yet(desk: Zammad, there: PlayedZammad) -> None:
    ref = await desk.create(draft())
    for state in ("pending close", "closed"):
        there.set(int(ref.id), LENA, state=state)
    told = (await desk.history(ref)).changes
    means = [one.state for one in told if one.kind is ChangeKind.STATE]
    assert means == [Theirs.WAITS_FOR_US, Theirs.FIXED]


async def test_a_page_of_html_is_told_as_text(desk: Zammad, there: PlayedZammad) -> None:
    ref = await desk.create(draft())
    there.say(int(ref.id), LENA, body="Hi,<br><br><b>we</b> look", content_type="text/html")
    told = await desk.history(ref)
    assert told.changes[-1].body == "Hi,\n\nwe look"


async def test_a_merged_ticket_whose_history_does_not_say_where_is_gone(
    desk: Zammad, there: PlayedZammad
) -> None:
    ref = await desk.create(draft())
    into = there.make(LENA, {"title": "Collected", "group": "Support", "article": {"body": "-"}})
    there.merge(int(ref.id), into)
    with pytest.raises(Moved):
        await desk.get(ref)
    there.history[int(ref.id)].clear()
    with pytest.raises(Gone):
        await desk.get(ref)


async def test_their_file_is_heard_and_fetched(desk: Zammad, there: PlayedZammad) -> None:
    ref = await desk.create(draft())
    there.say(int(ref.id), LENA, body="see", attachments=[{"filename": "a.txt", "data": "aGVsbG8="}])
    file = next(one for one in (await desk.history(ref)).changes if one.kind is ChangeKind.FILE)
    assert (file.body, file.size) == ("a.txt", 5)
    assert await desk.fetch(ref, file.place, 100) == b"hello"
    with pytest.raises(Rejected, match="5 bytes"):
        await desk.fetch(ref, file.place, 4)
    with pytest.raises(Rejected, match="no file"):
        await desk.fetch(ref, "../users/me", 100)


async def test_requests_follow_what_changed(desk: Zammad, there: PlayedZammad) -> None:
    refs = [await desk.create(draft(f"Pump {number}")) for number in range(20)]
    await desk.apply(refs[0], Reprioritise(new_id(), Priority.LOW))  # who we are is asked once
    page = await desk.changes(None)
    _, page = await every(desk, page)
    for _ in range(CALM):
        page = await desk.changes(page.next)
    before = desk.http.asked
    page = await desk.changes(page.next)
    assert (page.changes, desk.http.asked - before) == ((), 1)
    for ref in refs[:10]:
        there.say(int(ref.id), LENA, body="we look")
    before = desk.http.asked
    heard, page = await every(desk, page)
    assert heard == ["we look"] * 10
    assert desk.http.asked - before == 11


async def test_the_history_brings_the_articles_as_their_own_list_has_them(
    desk: Zammad, there: PlayedZammad
) -> None:
    ref = await desk.create(draft())
    number = int(ref.id)
    there.say(number, LENA, body="see", attachments=[{"filename": "a.txt", "data": "aGVsbG8="}])
    there.set(number, LENA, state="open")
    there.say(number, LENA, body="<b>among us</b>", internal=True, content_type="text/html")
    before = desk.http.asked
    told = await desk.history(ref)
    assert desk.http.asked - before == 2  # one of them: who we are
    there.history[number] = [line for line in there.history[number] if line["object"] == "Ticket"]
    before = desk.http.asked
    assert await desk.history(ref) == told
    assert desk.http.asked - before == 2


async def test_articles_that_the_history_knows_nothing_of_are_asked_for(
    desk: Zammad, there: PlayedZammad
) -> None:
    """Zammad writes no line for what is imported, nor for what a merged ticket brings along."""
    ref, other = await desk.create(draft()), await desk.create(draft())
    page = await desk.changes(None)
    there.say(int(other.id), LENA, body="on the other")
    there.merge(int(other.id), int(ref.id))
    there.say(int(ref.id), LENA, body="after it")
    there.bring(int(ref.id), LENA, body="brought")
    page = await desk.changes(page.next)
    heard = {change.body for change in page.changes if change.ref.id == ref.id}
    assert heard >= {"on the other", "after it", "brought"}
    assert [change.moved for change in page.changes if change.ref.id == other.id] == [True]


async def test_a_history_of_another_make_is_believed_for_nothing_more_than_it_says(
    desk: Zammad, there: PlayedZammad, monkeypatch: pytest.MonkeyPatch
) -> None:
    ref = await desk.create(draft())
    there.say(int(ref.id), LENA, body="we look")
    whole = [(one.change_id, one.body) for one in (await desk.history(ref)).changes]
    no_lists: dict[str, object] = {"Ticket": 1, "TicketArticle": []}
    no_rows: dict[str, object] = {"Ticket": {ref.id: {}}, "TicketArticle": {"1": 1}}
    for assets in ({}, no_lists, no_rows):
        monkeypatch.setattr(there, "assets", lambda _, these=assets: these)
        told = (await desk.history(ref)).changes
        assert [(one.change_id, one.body) for one in told] == whole


async def test_an_article_that_cannot_be_read_is_told_where_the_history_brings_it(
    desk: Zammad, there: PlayedZammad
) -> None:
    ref = await desk.create(draft())
    bad = there.say(int(ref.id), LENA, body="unreadable")
    there.say(int(ref.id), LENA, body="readable")
    bad["created_at"] = "yesterday"
    told = await desk.history(ref)
    assert [one.change_id for one in told.unread] == [str(bad["id"])]
    assert told.changes[-1].body == "readable"


async def test_a_merge_is_heard_where_nothing_had_happened_for_long(
    desk: Zammad, there: PlayedZammad
) -> None:
    """Its line bears the time of the change before, its note is Zammad's own."""
    ref = await desk.create(draft())
    there.wait(timedelta(days=1))
    into = there.make(LENA, {"title": "Collected", "group": "Support", "article": {"body": "-"}})
    page = await desk.changes(None)
    there.wait(timedelta(days=1))
    there.merge(int(ref.id), into)
    page = await desk.changes(page.next)
    told = [change for change in page.changes if change.ref.id == ref.id]
    assert [(change.moved, change.raw_state) for change in told] == [(True, f"merged into {into}")]


async def test_more_tickets_than_a_page_are_all_told(desk: Zammad, there: PlayedZammad) -> None:
    numbers = [
        there.make(LENA, {"title": "Pump", "group": "Support", "article": {"body": "-"}})
        for _ in range(PAGE + AT_ONCE + 3)
    ]
    page = await desk.changes(None)
    for number in numbers:
        there.say(number, LENA, body=str(number))
    del there.tickets[numbers[-1]]  # deleted before it could be read
    heard, _ = await every(desk, page)
    assert [one for one in heard if one != "-"] == [str(number) for number in numbers[:-1]]


def test_its_webhooks_are_proved_by_sha1() -> None:
    world = ZammadWorld()
    hooks, raw, now = Zammad.hooks(world.config, ["hook-secret"]), b"{}", datetime.now(UTC)
    right = hmac.digest(b"hook-secret", raw, hashlib.sha1).hex()
    assert hooks.verify_and_parse({"x-hub-signature": f"sha1={right}"}, raw, now).delivery
    with pytest.raises(HookRefused):
        hooks.verify_and_parse({"x-hub-signature": f"sha256={right}"}, raw, now)


async def test_a_look_up_finds_both_of_two(desk: Zammad) -> None:
    told = draft()
    refs = (await desk.create(told), await desk.create(told))
    assert await desk.find(told.op_id, LONG_AGO) == Found(refs)


async def test_one_ticket_that_cannot_be_read_holds_the_others_up_for_a_while_only(
    desk: Zammad, there: PlayedZammad
) -> None:
    bad, good = await desk.create(draft()), await desk.create(draft())
    page = await desk.changes(None)
    there.say(int(bad.id), LENA, body="unreadable")
    there.say(int(good.id), LENA, body="readable")
    there.broken.add(int(bad.id))
    for _ in range(PATIENCE - 1):
        with pytest.raises(Unavailable):
            await desk.changes(page.next)
    page = await desk.changes(page.next)
    assert [one.ticket for one in page.unread] == [bad.id]
    assert [one.body for one in page.changes] == ["readable"]


async def test_a_customer_is_told_words_and_how_the_ticket_stands(
    desk: Zammad, there: PlayedZammad, world: ZammadWorld
) -> None:
    """Zammad shows its history to agents alone; ten changed tickets take no more for it."""
    there.agent = False
    refs = [await desk.create(draft(f"Pump {number}")) for number in range(10)]
    await desk.history(refs[0])  # who we are is asked once, and for the history
    page = await desk.changes(None)
    for ref in refs:
        there.set(int(ref.id), LENA, state="open", priority="1 low")
        there.say(int(ref.id), LENA, body="we look")
        there.bring(int(ref.id), LENA, body="among us", internal=True)
    before = desk.http.asked
    page = await desk.changes(page.next)
    assert desk.http.asked - before == 11
    told = [change for change in page.changes if change.ref.id == refs[3].id]
    assert [change.body for change in told if change.kind is ChangeKind.COMMENT] == ["we look"]
    assert [change.state for change in told if change.kind is ChangeKind.STATE] == [Theirs.WORKING]
    meant = [change.priorities for change in told if change.kind is ChangeKind.PRIORITY]
    assert meant == [world.config.meant("1 low")]
    assert len({change.change_id for change in page.changes}) == len(page.changes)
    whole = (await desk.history(refs[3])).changes
    assert {change.change_id for change in told} <= {change.change_id for change in whole}


async def test_what_a_customer_sets_is_done_though_the_history_is_not_shown(
    desk: Zammad, there: PlayedZammad
) -> None:
    ref = await desk.create(draft())
    there.agent = False
    done = await desk.apply(ref, Reprioritise(new_id(), Priority.LOW))
    assert done.ticket is not None
    assert done.ticket.raw_priority == "1 low"
    into = there.make(LENA, {"title": "Collected", "group": "Support", "article": {"body": "-"}})
    page = await desk.changes(None)
    there.merge(int(ref.id), into)
    page = await desk.changes(page.next)
    assert [one.moved for one in page.changes if one.ref.id == ref.id and one.kind is ChangeKind.STATE] == [
        True
    ]
    with pytest.raises(Gone, match="does not name"):
        await desk.get(ref)


async def test_a_ticket_that_is_hidden_from_us_makes_nobody_a_customer(
    desk: Zammad, there: PlayedZammad
) -> None:
    ref, hidden = await desk.create(draft()), await desk.create(draft())
    there.hidden.add(int(hidden.id))
    with pytest.raises(AuthFailed):
        await desk.history(hidden)
    there.set(int(ref.id), LENA, state="open")
    assert [one.author for one in (await desk.history(ref)).changes if one.raw_state] == [LOGINS[LENA]]


@pytest.mark.parametrize(("agent", "says"), [(True, "told whole"), (False, "not for customers")])
async def test_check_says_whether_the_history_is_shown_to_us(
    desk: Zammad, there: PlayedZammad, agent: bool, says: str
) -> None:
    there.agent = agent
    line = next(check for check in (await desk.check()).checks if check.name == "history")
    assert line.ok
    assert says in line.says


async def test_a_cursor_of_before_it_told_how_a_ticket_stood_is_still_good(
    desk: Zammad, there: PlayedZammad
) -> None:
    there.agent = False
    refs = [await desk.create(draft()) for _ in range(AT_ONCE + 1)]
    page = await desk.changes(None)
    for ref in refs:
        there.set(int(ref.id), LENA, state="open")
    page = await desk.changes(page.next)
    old = {**page.next, "todo": [one[:3] for one in page.next["todo"]]} if page.next else None
    assert old is not None
    assert old["todo"]
    told = (await desk.changes(old)).changes
    assert [one.state for one in told if one.kind is ChangeKind.STATE] == [Theirs.WORKING]
