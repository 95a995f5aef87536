"""What is Freshservice's own, on a played one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import orjson
import pytest
from pydantic import ValidationError

from integrations.answers import Answer
from integrations.connector import (
    Absent,
    Attach,
    CannotTell,
    ChangeKind,
    Comment,
    Cursor,
    Draft,
    Found,
    Page,
    Ref,
    Reprioritise,
    Theirs,
    Transition,
)
from integrations.errors import AuthFailed, Gone, Moved, Rejected
from integrations.freshservice.config import FreshserviceConfig
from integrations.freshservice.news import READINGS
from integrations.http import Http
from integrations.rest.feed import CALM
from integrations.signing import HookRefused
from integrations.systems.freshservice import Freshservice
from integrations.wish import Wish
from register.core import new_id
from register.incident import Impact, Priority, Urgency
from tests.played.freshservice import FIELD, KEY, LENA, OTHER, OURS, REQUESTER, PlayedFreshservice, at_second
from tests.played.freshservice_world import FreshserviceWorld

LONG_AGO = datetime(2025, 12, 1, tzinfo=UTC)
Made = Callable[..., Freshservice]


@pytest.fixture
def world() -> FreshserviceWorld:
    return FreshserviceWorld()


@pytest.fixture
def there(world: FreshserviceWorld) -> PlayedFreshservice:
    return world.desk


@pytest.fixture
async def desk(world: FreshserviceWorld) -> AsyncIterator[Freshservice]:
    headers = Freshservice.headers(world.config, KEY)
    async with Http(world.url + Freshservice.root, headers, name="acme", transport=world.transport()) as http:
        yield Freshservice(http, world.config)


@pytest.fixture
def other(desk: Freshservice, world: FreshserviceWorld) -> Made:
    """The same account, as another block says it."""

    def made(**told: object) -> Freshservice:
        known = {"requester": OURS, "reference_field": FIELD, "internal_comments": True}
        return Freshservice(desk.http, FreshserviceConfig.model_validate({**known, **told}))

    return made


def draft(title: str = "Pump leaks", **more: object) -> Draft:
    return Draft(new_id(), title, "It drips.", Priority.HIGH, **more)  # type: ignore[arg-type]  # a test's own


async def every(desk: Freshservice, cursor: Cursor) -> tuple[list[str], Page]:
    """The words of all news after a cursor."""
    heard: list[str] = []
    while True:
        page = await desk.changes(cursor)
        cursor = orjson.loads(orjson.dumps(dict(page.next)))
        heard += [change.body for change in page.changes if change.kind is ChangeKind.COMMENT]
        if page.done:
            return heard, page


# What is sent


async def test_a_refusal_names_the_fields_and_not_that_validation_failed(
    desk: Freshservice, there: PlayedFreshservice
) -> None:
    there.custom.remove(FIELD)
    with pytest.raises(Rejected, match=r"muster_ref: Unexpected/invalid field") as refused:
        await desk.create(draft())
    assert refused.value.fields == {FIELD: "Unexpected/invalid field in request"}
    assert refused.value.status == 400
    assert not there.tickets


async def test_what_closing_takes_is_said_by_name_and_can_stand_in_the_file(
    desk: Freshservice, there: PlayedFreshservice
) -> None:
    ref = await desk.create(draft())
    there.mandatory = {"cause", "resolution_notes"}
    with pytest.raises(Rejected, match=r"cause: It should be filled; resolution_notes: .*`close`"):
        await desk.apply(ref, Transition(new_id(), Theirs.FIXED, "done"))
    assert there.tickets[int(ref.id)]["status"] == 2
    assert there.said[int(ref.id)] == []  # nor is the note there without its state
    given = {"cause": "wear", "resolution_notes": "see above"}
    done = await desk.apply(ref, Transition(new_id(), Theirs.FIXED, "done", given))
    assert done.ticket is not None
    assert done.ticket.state is Theirs.FIXED
    assert there.tickets[int(ref.id)]["custom_fields"]["cause"] == "wear"
    assert there.tickets[int(ref.id)]["resolution_notes"] == "see above"
    assert [str(one["id"]) for one in there.said[int(ref.id)]] == list(done.change_ids)


async def test_a_field_that_stayed_empty_is_told(desk: Freshservice, there: PlayedFreshservice) -> None:
    ref = await desk.create(draft())
    there.rule = lambda ticket: ticket["custom_fields"].update(cause=None)
    with pytest.raises(Rejected, match="did not set cause"):
        await desk.apply(ref, Transition(new_id(), Theirs.FIXED, fields={"cause": "wear"}))
    there.rule = lambda ticket: ticket["custom_fields"].update(cause="2026-01-05T00:00:00Z")
    await desk.apply(ref, Transition(new_id(), Theirs.FIXED, fields={"cause": "2026-01-05"}))


async def test_what_each_operation_takes(desk: Freshservice) -> None:
    told = draft()
    ref = await desk.create(told)
    assert desk.http.asked == 1
    asked = [desk.http.asked]
    for update in (
        Comment(new_id(), "any news?"),
        Attach(new_id(), "a.txt", "text/plain", "0" * 64, b"hello"),
        Reprioritise(new_id(), Priority.LOW),
        Transition(new_id(), Theirs.FIXED),
        Transition(new_id(), Theirs.CLOSED, "done"),
    ):
        await desk.apply(ref, update)
        asked.append(desk.http.asked)
    await desk.find(told.op_id, LONG_AGO)
    asked.append(desk.http.asked)
    assert [after - before for before, after in pairwise(asked)] == [1, 1, 1, 1, 2, 1]


async def test_their_own_fields_and_numbers_are_told_apart_from_custom_ones(
    other: Made, there: PlayedFreshservice
) -> None:
    made = other(group=21_000)
    fields = {"impact": "High", "urgency": "2", "department": "77", "category": "Network", "cause": "wear"}
    ref = await made.create(draft(fields=fields))
    ticket = there.tickets[int(ref.id)]
    told = [ticket[name] for name in ("impact", "urgency", "department_id", "category", "group_id")]
    assert told == [3, 2, 77, "Network", 21_000]
    assert ticket["custom_fields"]["cause"] == "wear"
    with pytest.raises(Rejected, match="by number, not as Support"):
        await made.create(draft(fields={"group": "Support"}))


async def test_a_ticket_has_its_priority_also_where_impact_and_urgency_are_told(
    other: Made, there: PlayedFreshservice
) -> None:
    levels = {"high": "High", "medium": "Medium", "low": "Low"}
    made = other(fields={"impact": "impact", "urgency": "urgency"}, impact=levels, urgency=levels)
    fields = {"impact": "High", "urgency": "High"}
    ref = await made.create(draft(fields=fields, impact=Impact.HIGH, urgency=Urgency.HIGH))
    assert there.tickets[int(ref.id)]["priority"] == 3


async def test_a_priority_that_they_work_out_themselves_is_told(
    desk: Freshservice, there: PlayedFreshservice
) -> None:
    ref = await desk.create(draft())
    there.matrix = True
    with pytest.raises(Rejected, match="impact and urgency"):
        await desk.apply(ref, Reprioritise(new_id(), Priority.CRITICAL))


async def test_a_state_that_a_rule_of_theirs_sets_back_is_told(
    desk: Freshservice, there: PlayedFreshservice
) -> None:
    ref = await desk.create(draft())
    there.rule = lambda ticket: ticket.update(status=3)
    with pytest.raises(Rejected, match=r"left #.* Pending, not Resolved"):
        await desk.apply(ref, Transition(new_id(), Theirs.FIXED))


async def test_without_a_field_the_reference_is_in_the_subject_and_not_in_the_title(
    other: Made, there: PlayedFreshservice
) -> None:
    made, told = other(reference_field=""), draft()
    ref = await made.create(told)
    assert there.tickets[int(ref.id)]["subject"] == f"Pump leaks [MUS-{told.op_id}]"
    assert (await made.get(ref)).title == "Pump leaks"
    there.tickets[int(ref.id)]["description"] = "rewritten by their rule"
    assert await made.find(told.op_id, LONG_AGO) == Found((ref,))


async def test_public_words_go_as_notes_where_the_file_says_so(
    other: Made, there: PlayedFreshservice
) -> None:
    made = other(public_as="note")
    ref = await made.create(draft())
    await made.apply(ref, Comment(new_id(), "for all"))
    await made.apply(ref, Attach(new_id(), "a.txt", "text/plain", "0" * 64, b"hello"))
    assert [one["private"] for one in there.said[int(ref.id)]] == [False, False]


async def test_words_that_became_private_are_told(desk: Freshservice, there: PlayedFreshservice) -> None:
    ref = await desk.create(draft())
    say = there.say
    there.say = lambda number, user, html, at=None, **more: say(  # type: ignore[method-assign]  # a rule of theirs
        number, user, html, at, **{**more, "private": True}
    )
    with pytest.raises(Rejected, match="a private note, which is not meant for us"):
        await desk.apply(ref, Comment(new_id(), "for all"))


async def test_private_notes_take_a_word_in_the_file(other: Made, there: PlayedFreshservice) -> None:
    made = other(internal_comments=False)
    ref = await made.create(draft())
    with pytest.raises(Rejected, match="nothing was sent"):
        await made.apply(ref, Comment(new_id(), "between us", public=False))
    there.say(int(ref.id), LENA, "among us", private=True)
    there.say(int(ref.id), LENA, "to you")
    told = (await made.history(ref)).changes
    assert [one.body for one in told if one.kind is ChangeKind.COMMENT] == ["to you"]


async def test_a_file_too_large_is_refused_before_it_is_sent(desk: Freshservice) -> None:
    ref = await desk.create(draft())
    before = desk.http.asked
    with pytest.raises(Rejected, match="40 MB"):
        await desk.apply(ref, Attach(new_id(), "a.bin", "x/y", "0" * 64, bytes(40_000_001)))
    assert desk.http.asked == before


# What is looked for


async def test_a_ticket_is_found_however_long_ago_it_was_made(
    desk: Freshservice, there: PlayedFreshservice
) -> None:
    """Without `updated_since` the list leaves out what is older than 30 days."""
    told = draft()
    ref = await desk.create(told)
    there.tick(40 * 86_400)
    assert await desk.find(told.op_id, LONG_AGO) == Found((ref,))
    assert await desk.find(new_id(), LONG_AGO) == Absent()


async def test_what_carries_nearly_our_reference_is_not_ours(
    desk: Freshservice, there: PlayedFreshservice
) -> None:
    told = draft()
    ref = await desk.create(told)
    there.tickets[int(ref.id)] |= {"description": "", "custom_fields": {FIELD: f"{told.op_id} "}}
    assert await desk.find(told.op_id, LONG_AGO) == Absent()


async def test_more_tickets_than_are_looked_through_prove_nothing(
    desk: Freshservice, there: PlayedFreshservice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("integrations.systems.freshservice._PAGES", 1)
    for _ in range(100):
        there.make(OTHER, {"subject": "x", "description": "", "status": 2, "priority": 1})
    assert isinstance(await desk.find(new_id(), LONG_AGO), CannotTell)


async def test_tickets_are_made_and_looked_for_in_their_workspace(
    other: Made, there: PlayedFreshservice
) -> None:
    made, told = other(workspace=3), draft()
    ref = await made.create(told)
    assert there.tickets[int(ref.id)]["workspace_id"] == 3
    assert await made.find(told.op_id, LONG_AGO) == Found((ref,))
    page = await made.changes(None)
    there.say(int(ref.id), LENA, "we look")
    assert (await every(made, page.next))[0] == ["we look"]


# What is hidden, in the bin, or over


@pytest.mark.parametrize(("what", "says"), [("deleted", "in the bin"), ("spam", "marked as spam")])
async def test_a_ticket_that_no_list_shows_any_more_is_gone(
    desk: Freshservice, there: PlayedFreshservice, what: str, says: str
) -> None:
    ref = await desk.create(draft())
    there.tickets[int(ref.id)][what] = True
    with pytest.raises(Gone, match=says):
        await desk.get(ref)
    for update in (Comment(new_id(), "hello"), Transition(new_id(), Theirs.FIXED)):
        with pytest.raises(Gone, match=says):
            await desk.apply(ref, update)


async def test_one_hidden_ticket_is_no_right_that_we_lost(
    desk: Freshservice, there: PlayedFreshservice
) -> None:
    ref = await desk.create(draft())
    there.hidden.add(int(ref.id))
    with pytest.raises(Rejected, match="does not let our account at #"):
        await desk.get(ref)
    with pytest.raises(Gone, match="may not look"):
        await desk.get(Ref(id="999999", key="#999999"))
    there.key = "another"
    with pytest.raises(AuthFailed):
        await desk.get(ref)


async def test_an_agent_who_is_one_no_more_lost_its_rights_and_no_ticket_of_it_is_hidden(
    desk: Freshservice, there: PlayedFreshservice
) -> None:
    ref = await desk.create(draft())
    there.retired = True
    with pytest.raises(AuthFailed, match="does not allow this"):
        await desk.get(ref)


async def test_only_a_private_note_on_a_closed_ticket_tells_of_a_merge(
    desk: Freshservice, there: PlayedFreshservice
) -> None:
    one, two = await desk.create(draft()), await desk.create(draft())
    says = f"This ticket is closed and merged into ticket {two.id}"
    there.say(int(one.id), LENA, says)
    there.change(there.tickets[int(one.id)], status=5)
    assert (await desk.get(one)).state is Theirs.CLOSED
    there.change(there.tickets[int(one.id)], status=2)
    there.say(int(one.id), LENA, says, private=True)
    assert (await desk.get(one)).state is Theirs.WORKING
    told = [change for change in (await desk.history(one)).changes if change.kind is ChangeKind.STATE]
    assert [(change.raw_state, change.moved) for change in told] == [("Open", False)]
    there.change(there.tickets[int(one.id)], status=5)
    with pytest.raises(Moved, match=f"into #{two.id}"):
        await desk.get(one)


# What is heard


async def test_a_status_of_their_own_is_mapped_by_its_number(other: Made, there: PlayedFreshservice) -> None:
    there.statuses[7] = "Waiting on vendor"
    statuses = {"Open": 2, "Pending": 3, "Resolved": 4, "Closed": 5}
    states = {"Open": "working", "Pending": "waits_for_us", "Resolved": "fixed", "Closed": "closed"}
    plain, mapped = (
        other(),
        other(
            statuses={**statuses, "Waiting on vendor": 7}, states={**states, "Waiting on vendor": "working"}
        ),
    )
    ref = await plain.create(draft())
    there.change(there.tickets[int(ref.id)], status=7)
    assert ((await plain.get(ref)).raw_state, (await plain.get(ref)).state) == ("status 7", Theirs.UNMAPPED)
    assert (await mapped.get(ref)).raw_state == "Waiting on vendor"
    assert (await mapped.get(ref)).state is Theirs.WORKING
    unnamed = next(check for check in (await plain.check()).checks if check.name == "statuses")
    assert not unnamed.ok
    assert "7" in unnamed.says
    assert (await mapped.check()).ok


def test_a_state_without_a_number_is_refused_at_its_key() -> None:
    told = {"requester": OURS, "states": {"Opened": "working"}}
    with pytest.raises(ValidationError, match="'Opened', which has no number"):
        FreshserviceConfig.model_validate(told)


async def test_requests_follow_what_changed_and_nothing_of_other_people_is_read(
    desk: Freshservice, there: PlayedFreshservice
) -> None:
    refs = [await desk.create(draft(f"Pump {number}")) for number in range(10)]
    theirs = there.make(OTHER, {"subject": "mine", "description": "", "status": 2, "priority": 1})
    page = await desk.changes(None)
    there.tick(60)
    _, page = await every(desk, page.next)
    before = desk.http.asked
    quiet = await desk.changes(page.next)
    assert (quiet.changes, desk.http.asked - before) == ((), 1)
    for ref in refs:
        there.say(int(ref.id), LENA, "we look")
    there.say(theirs["id"], LENA, "of no concern")
    before = desk.http.asked
    heard, page = await every(desk, quiet.next)
    assert heard == ["we look"] * 10
    assert desk.http.asked - before == 11


@pytest.mark.parametrize("inclusive", [True, False])
async def test_a_quiet_poll_is_small_and_passes_nothing_over_however_they_count_its_second(
    desk: Freshservice, there: PlayedFreshservice, inclusive: bool
) -> None:
    ref = await desk.create(draft())
    there.inclusive, there.tickets[int(ref.id)]["description"] = inclusive, "x" * 5_000
    page = await desk.changes(None)
    there.tick(60)
    for _ in range(CALM + 3):
        _, page = await every(desk, page.next)
    with recorded(desk) as sizes:
        _, page = await every(desk, page.next)
    assert len(sizes) == 1
    assert sizes[0] < 100
    next_second = datetime.fromisoformat(there.tickets[int(ref.id)]["updated_at"]) + timedelta(seconds=1)
    there.say(int(ref.id), LENA, "a second later", at_second(next_second))
    assert (await every(desk, page.next))[0] == ["a second later"]


@contextmanager
def recorded(desk: Freshservice) -> Iterator[list[int]]:
    """The sizes of what is answered meanwhile."""
    sizes: list[int] = []
    ask = desk.http.ask

    async def noted(wish: Wish) -> Answer:
        answer = await ask(wish)
        sizes.append(len(answer.body))
        return answer

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(desk.http, "ask", noted)
        yield sizes


async def test_a_department_of_ours_is_heard_too(other: Made, there: PlayedFreshservice) -> None:
    made = other(department=77)
    told = {"subject": "x", "description": "", "status": 2, "priority": 1, "department_id": 77}
    ticket = there.make(OTHER, told)
    page = await made.changes(None)
    there.say(ticket["id"], LENA, "for your department")
    assert (await every(made, page.next))[0] == ["for your department"]


async def test_a_new_process_knows_its_requester_by_the_address(
    desk: Freshservice, other: Made, there: PlayedFreshservice
) -> None:
    ref = await desk.create(draft())
    page = await desk.changes(None)
    there.say(int(ref.id), LENA, "we look")
    assert (await every(other(requester=OURS.upper()), page.next))[0] == ["we look"]


async def test_what_our_requester_mails_is_from_our_side(
    desk: Freshservice, there: PlayedFreshservice
) -> None:
    ref = await desk.create(draft())
    there.say(int(ref.id), REQUESTER, "sent by mail")
    there.say(int(ref.id), LENA, "seen")
    told = [one for one in (await desk.history(ref)).changes if one.kind is ChangeKind.COMMENT]
    assert [(one.body, one.by_our_account) for one in told] == [("sent by mail", True), ("seen", False)]


async def test_a_ticket_deleted_while_a_long_list_is_read_hides_no_other(
    desk: Freshservice, there: PlayedFreshservice
) -> None:
    """Whatever leaves a page that was read moves the first row of the next one over its edge."""
    made = {"subject": "x", "description": "", "status": 2, "priority": 1}
    numbers = [there.make(REQUESTER, made)["id"] for _ in range(101)]
    page = await desk.changes(None)
    there.tick(60)
    _, page = await every(desk, page.next)
    for number in numbers:
        there.say(number, LENA, str(number))
    there.after_page = lambda: there.tickets[numbers[0]].update(deleted=True)
    heard, _ = await every(desk, page.next)
    assert set(map(str, numbers[1:])) <= set(heard)
    assert READINGS > 2


async def test_two_words_of_one_second_are_both_heard_though_the_list_looks_the_same(
    desk: Freshservice, there: PlayedFreshservice
) -> None:
    ref = await desk.create(draft())
    page = await desk.changes(None)
    there.say(int(ref.id), LENA, "one")
    heard, page = await every(desk, page.next)
    assert heard == ["one"]
    there.say(int(ref.id), LENA, "two", there.tickets[int(ref.id)]["updated_at"])
    there.tick(60)
    assert (await every(desk, page.next))[0] == ["two"]


async def test_a_row_that_cannot_be_read_is_told_and_holds_up_nothing(
    desk: Freshservice, there: PlayedFreshservice
) -> None:
    bad, good = await desk.create(draft()), await desk.create(draft())
    page = await desk.changes(None)
    there.say(int(bad.id), LENA, "unreadable")
    there.tickets[int(bad.id)]["status"] = None
    there.say(int(good.id), LENA, "readable")
    page = await desk.changes(page.next)
    assert [one.ticket for one in page.unread] == [bad.id]
    assert [one.body for one in page.changes if one.kind is ChangeKind.COMMENT] == ["readable"]


async def test_their_files_are_told(desk: Freshservice, there: PlayedFreshservice) -> None:
    ref = await desk.create(draft())
    there.say(int(ref.id), LENA, "see", files=[("log.txt", b"hello")])
    file = next(one for one in (await desk.history(ref)).changes if one.kind is ChangeKind.FILE)
    assert (file.body, file.size, file.by_our_account) == ("log.txt", 5, False)


# What is proved before


async def test_a_field_that_is_not_there_is_told_by_check(other: Made, there: PlayedFreshservice) -> None:
    made = other(reference_field="muster_reff")
    says = next(check for check in (await made.check()).checks if check.name == "fields")
    assert not says.ok
    assert "muster_reff" in says.says


async def test_a_requester_that_nobody_knows_is_told_by_check(other: Made) -> None:
    says = next(
        check
        for check in (await other(requester="new@customer.example").check()).checks
        if check.name == "requester"
    )
    assert not says.ok
    assert says.todo


def test_its_webhooks_carry_the_secret_itself() -> None:
    config = FreshserviceWorld().config
    hooks, now = Freshservice.hooks(config, ["hook-secret"]), datetime.now(UTC)
    assert hooks.verify_and_parse({"x-muster-secret": "hook-secret"}, b"{}", now).delivery == ""
    with pytest.raises(HookRefused):
        hooks.verify_and_parse({"x-muster-secret": "hook-secreT"}, b"{}", now)


def test_a_time_is_told_to_the_second() -> None:
    assert at_second(LONG_AGO + timedelta(milliseconds=7)) == "2025-12-01T00:00:00Z"
