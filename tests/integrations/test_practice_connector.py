"""The practice supplier's connector, against the practice supplier itself over real HTTP."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from pydantic import ValidationError

from integrations.connector import (
    Absent,
    CannotTell,
    Cap,
    ChangeKind,
    Comment,
    Connector,
    Draft,
    Finds,
    Found,
    Page,
    Polls,
    Ref,
    Theirs,
    Transition,
    Updates,
)
from integrations.errors import (
    Ambiguous,
    AuthFailed,
    AuthTrouble,
    Conflict,
    Gone,
    NotSent,
    RateLimited,
    Rejected,
    Unavailable,
)
from integrations.http import Http, Limits
from integrations.practice.config import PracticeConfig
from integrations.practice.moods import (
    AnswerHtml,
    CommitThenDrop,
    DropBeforeCommit,
    Hang,
    LateCommit,
    RateLimit,
    Refuse500,
    TruncatedJson,
)
from integrations.practice.server import Practice, running_practice
from integrations.systems.practice import PAGE, PracticeDesk
from register.incident import Priority

ONE = "01K3ZZ8QF4T2M6V9X1B5C7D0EG"
TWO = "01K3ZZ8QF4T2M6V9X1B5C7D0EH"
SINCE = datetime(2030, 1, 1, tzinfo=UTC)
DRAFT = Draft(op_id=ONE, title="disk full", body="db-3, since 10:00", priority=Priority.HIGH)


@pytest.fixture
def practice() -> Iterator[Practice]:
    with running_practice() as supplier:
        yield supplier


@pytest.fixture
async def desk(practice: Practice) -> AsyncIterator[PracticeDesk]:
    async with Http(practice.url, name="acme", limits=Limits(read=1, total=1)) as http:
        yield PracticeDesk(http, PracticeConfig())


def against(answers: Callable[[httpx.Request], object]) -> PracticeDesk:
    """The connector in front of a supplier that answers what it is told, as JSON."""

    def answer(request: httpx.Request) -> httpx.Response:
        body = httpx.ByteStream(json.dumps(answers(request)).encode())
        return httpx.Response(200, headers={"content-type": "application/json"}, stream=body)

    http = Http("http://127.0.0.1:1", name="acme", transport=httpx.MockTransport(answer))
    return PracticeDesk(http, PracticeConfig())


def test_it_keeps_the_contract(desk: PracticeDesk) -> None:
    connector: Connector = desk
    assert isinstance(connector, Finds)
    assert isinstance(connector, Updates)
    assert isinstance(connector, Polls)
    assert desk.info.lookup.settle == timedelta(seconds=2)  # type: ignore[union-attr]
    assert Cap.CREATE | Cap.COMMENT_PUBLIC | Cap.SET_STATE | Cap.POLL in desk.info.caps


# Making and finding


async def test_a_ticket_is_made_with_our_reference_and_our_footer(
    practice: Practice, desk: PracticeDesk
) -> None:
    ref = await desk.create(DRAFT)
    (theirs,) = practice.desk.tickets
    assert (theirs.id, theirs.key, theirs.reference) == (ref.id, ref.key, ONE)
    assert (theirs.title, theirs.priority, theirs.queue) == ("disk full", "High", "Support")
    assert theirs.body == f"db-3, since 10:00\n\n[muster:{ONE}]"
    assert ref.url == f"{practice.url}/tickets/{ref.id}"

    ticket = await desk.get(ref)
    assert (ticket.ref, ticket.raw_state, ticket.state) == (ref, "Open", Theirs.NEW)
    assert (ticket.raw_priority, ticket.assignee, ticket.version) == ("High", None, "1")
    assert ticket.updated_at.utcoffset() == timedelta()


async def test_a_ticket_is_found_by_its_reference_alone(practice: Practice, desk: PracticeDesk) -> None:
    assert await desk.find(ONE, SINCE) == Absent()
    first, second = [await desk.create(DRAFT) for _ in range(2)]
    await desk.create(replace(DRAFT, op_id=TWO))
    practice.desk.create("somebody", "has our reference in the text", body=ONE)
    assert await desk.find(ONE, SINCE) == Found((first, second))
    assert await desk.find(ONE[:-1], SINCE) == Absent()


async def test_a_supplier_that_ignores_the_filter_is_not_believed() -> None:
    ticket = dict.fromkeys(("id", "key", "url", "title", "priority", "state", "assignee"), "x")
    row = {**ticket, "reference": "other", "updated_at": "2030-01-01T00:00:00Z", "version": 1}
    desk = against(lambda _: {"tickets": [row]})
    assert isinstance(await desk.find(ONE, SINCE), CannotTell)


async def test_a_comment_is_found_when_it_is_ours(practice: Practice, desk: PracticeDesk) -> None:
    ref = await desk.create(DRAFT)
    assert await desk.find_comment(ref, TWO) == Absent()
    practice.desk.comment(ref.id, "practice agent", f"you wrote [muster:{TWO}]")
    assert await desk.find_comment(ref, TWO) == Absent()
    applied = await desk.apply(ref, Comment(TWO, "any news?"))
    found = await desk.find_comment(ref, TWO)
    assert isinstance(found, Found)
    assert tuple(hit.id for hit in found.refs) == applied.change_ids


# Changing


@pytest.mark.parametrize("public", [True, False])
async def test_a_comment_arrives_signed(practice: Practice, desk: PracticeDesk, public: bool) -> None:
    ref = await desk.create(DRAFT)
    await desk.apply(ref, Comment(TWO, "any news?", public=public))
    told = practice.desk.changes[-1]
    assert (told.kind, told.body, told.public) == ("comment", f"any news?\n\n[muster:{TWO}]", public)


async def test_a_state_is_set_with_its_note_behind_it(practice: Practice, desk: PracticeDesk) -> None:
    ref = await desk.create(DRAFT)
    applied = await desk.apply(ref, Transition(TWO, Theirs.CLOSED, note="not needed any more"))
    assert [(c.kind, c.state) for c in practice.desk.changes[1:]] == [
        ("state", "Closed"),
        ("comment", "Closed"),
    ]
    assert len(applied.change_ids) == 2
    assert applied.ticket is not None
    assert applied.ticket.state is Theirs.CLOSED
    again = await desk.apply(ref, Transition(TWO, Theirs.CLOSED))
    assert again.change_ids == ()


@pytest.mark.parametrize("update", [Comment(TWO, "x"), Transition(TWO, Theirs.WORKING)])
async def test_a_ticket_that_moved_on_is_not_written_to(
    practice: Practice, desk: PracticeDesk, update: Comment | Transition
) -> None:
    ref = await desk.create(DRAFT)
    version = (await desk.get(ref)).version
    practice.desk.comment(ref.id, "practice agent", "hello")
    with pytest.raises(Conflict):
        await desk.apply(ref, update, if_version=version)
    assert practice.desk.last_seq == 2
    await desk.apply(ref, update, if_version="2")


async def test_what_the_supplier_will_not_do_is_rejected_with_its_reason(desk: PracticeDesk) -> None:
    ref = await desk.create(DRAFT)
    await desk.apply(ref, Transition(TWO, Theirs.REFUSED))
    with pytest.raises(Rejected, match="Declined cannot become Working"):
        await desk.apply(ref, Transition(TWO, Theirs.WORKING))
    with pytest.raises(Rejected, match="1 to 200 characters"):
        await desk.create(replace(DRAFT, title="x" * 201))


async def test_what_is_not_mapped_is_never_guessed(practice: Practice) -> None:
    config = PracticeConfig(states={"Open": Theirs.NEW}, priorities={Priority.CRITICAL: "Urgent"})
    async with Http(practice.url, name="acme") as http:
        desk = PracticeDesk(http, config)
        with pytest.raises(Rejected, match=r"priorities.*2 = "):
            await desk.create(DRAFT)
        ref = await desk.create(replace(DRAFT, priority=Priority.CRITICAL))
        with pytest.raises(Rejected, match=r"states.*fixed"):
            await desk.apply(ref, Transition(TWO, Theirs.FIXED))
        practice.desk.set_state(ref.id, "practice agent", "Working")
        assert (await desk.get(ref)).state is Theirs.UNMAPPED
    assert [c.kind for c in practice.desk.changes] == ["created", "state"]


async def test_a_deleted_ticket_is_gone(practice: Practice, desk: PracticeDesk) -> None:
    ref = await desk.create(DRAFT)
    practice.desk.delete(ref.id)
    for call in (desk.get(ref), desk.apply(ref, Comment(TWO, "x")), desk.history(ref)):
        with pytest.raises(Gone):
            await call


async def test_an_id_from_outside_never_becomes_a_path(practice: Practice, desk: PracticeDesk) -> None:
    await desk.create(DRAFT)
    for bad in ("../practice", "x/../../practice", "a?b=c"):
        with pytest.raises((Gone, Rejected)):
            await desk.get(Ref(id=bad, key="x"))


# Hearing


async def all_pages(desk: PracticeDesk, cursor: Any) -> list[Page]:
    pages = [await desk.changes(cursor)]
    while not pages[-1].done:
        pages.append(await desk.changes(pages[-1].next))
    return pages


async def test_a_first_poll_brings_nothing_and_says_where_to_go_on(
    practice: Practice, desk: PracticeDesk
) -> None:
    await desk.create(DRAFT)
    page = await desk.changes(None)
    assert (page.changes, page.done) == ((), True)
    assert (await desk.changes(page.next)).changes == ()
    practice.desk.comment("PD-1001", "practice agent", "hello")
    assert [c.body for c in (await desk.changes(page.next)).changes] == ["hello"]


async def test_changes_are_told_in_order_as_ours_and_theirs(practice: Practice, desk: PracticeDesk) -> None:
    start = (await desk.changes(None)).next
    ref = await desk.create(DRAFT)
    (mine,) = (await desk.apply(ref, Comment(TWO, "any news?"))).change_ids
    practice.desk.comment(ref.id, "practice agent", "we\x1b[31m look\u202e", public=False)
    practice.desk.set_state(ref.id, "practice agent", "Needs customer")
    practice.desk.comment(ref.id, "muster", "typed by a person under our account")
    (page,) = await all_pages(desk, start)

    ours, theirs, state, person = page.changes
    assert (ours.change_id, ours.marker, ours.body, ours.by_our_account) == (mine, TWO, "any news?", True)
    assert (theirs.body, theirs.public, theirs.author) == ("we[31m look", False, "practice agent")
    assert (theirs.marker, theirs.by_our_account, theirs.ref) == (None, False, ref)
    assert (state.kind, state.raw_state, state.state) == (
        ChangeKind.STATE,
        "Needs customer",
        Theirs.WAITS_FOR_US,
    )
    assert (person.marker, person.by_our_account) == (None, True)
    assert [c.at for c in page.changes] == sorted(c.at for c in page.changes)
    assert (await desk.history(ref)).changes == page.changes


async def test_more_than_a_page_comes_whole_and_once(practice: Practice, desk: PracticeDesk) -> None:
    start = (await desk.changes(None)).next
    ref = await desk.create(DRAFT)
    for n in range(2 * PAGE + 5):
        practice.desk.comment(ref.id, "practice agent", f"line {n}")
    pages = await all_pages(desk, start)
    assert [c.body for page in pages for c in page.changes] == [f"line {n}" for n in range(2 * PAGE + 5)]
    assert len(pages) == 3


async def test_a_desk_that_began_anew_is_heard_from_its_beginning() -> None:
    with running_practice() as old, running_practice() as new:
        async with Http(old.url) as http:
            old.desk.create("muster", "x")
            for n in range(10):
                old.desk.comment("PD-1001", "practice agent", f"old {n}")
            start = (await PracticeDesk(http, PracticeConfig()).changes(None)).next
        new.desk.create("muster", "x")
        new.desk.comment("PD-1001", "practice agent", "new")
        async with Http(new.url) as http:
            (page,) = await all_pages(PracticeDesk(http, PracticeConfig()), start)
        assert [c.body for c in page.changes] == ["new"]
        assert {c.ticket for c in old.desk.changes} & {c.ticket for c in new.desk.changes} == set()


def _rows(*rows: dict[str, Any]) -> Callable[[httpx.Request], object]:
    def answer(request: httpx.Request) -> object:
        if request.url.path == "/whoami":
            return {"account": "muster", "may": []}
        return {"changes": rows, "last": 9, "desk": ""}

    return answer


GOOD = {
    "seq": 5,
    "ticket": "7",
    "key": "PD-1",
    "kind": "comment",
    "author": "a",
    "at": "2030-01-01T00:00:00Z",
    "body": "b",
    "public": True,
    "state": "Open",
}


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        ({"at": "yesterday"}, "at:"),
        ({"at": "2030-01-01T00:00:00"}, "at:"),
        ({"kind": "moved"}, "moved"),
        ({"body": None}, "body:"),
        ({"public": "perhaps"}, "public:"),
    ],
)
async def test_a_change_that_cannot_be_read_is_kept_and_the_cursor_goes_on(
    bad: dict[str, Any], says: str
) -> None:
    page = await against(_rows(GOOD, {**GOOD, "seq": 6, **bad})).changes({"desk": "", "after": 4})
    assert [c.change_id for c in page.changes] == ["7:5"]
    (unread,) = page.unread
    assert unread.change_id == "7:6"
    assert says in unread.why
    assert page.next == {"desk": "", "after": 6}
    assert page.done is False


async def test_changes_without_a_place_move_no_cursor() -> None:
    with pytest.raises(Unavailable):
        await against(_rows({"nonsense": 1})).changes({"desk": "", "after": 4})
    page = await against(_rows(GOOD, {"nonsense": "\x1b[2J" * 5_000})).changes({"desk": "", "after": 4})
    assert page.unread[0].change_id.startswith("?")
    assert len(page.unread[0].raw) <= 4_000
    assert "\x1b" not in page.unread[0].raw


async def test_a_ticket_read_in_part_says_that_it_cannot_tell() -> None:
    desk = against(_rows({**GOOD, "body": 1}))
    assert isinstance(await desk.find_comment(Ref(id="7", key="x"), TWO), CannotTell)


# Bad days


@pytest.mark.parametrize(
    ("mood", "made"),
    [
        (CommitThenDrop(), 1),
        (DropBeforeCommit(), 0),
        (LateCommit(30), 0),
        (Refuse500(times=1), 0),
        (Refuse500(times=1, commits=True), 1),
        (Refuse500(status=503, times=1), 0),
        (AnswerHtml(times=1), 0),
        (AnswerHtml(times=1, commits=True), 1),
        (TruncatedJson(times=1), 1),
        (Hang(times=1, commits=True), 1),
    ],
    ids=str,
)
async def test_a_create_without_a_good_answer_is_ambiguous_and_the_look_up_tells(
    practice: Practice, desk: PracticeDesk, mood: Any, made: int
) -> None:
    practice.mood = mood
    with pytest.raises(Ambiguous) as failure:
        await desk.create(DRAFT)
    assert failure.value.op_id == ONE
    found = await desk.find(ONE, SINCE)
    assert len(practice.desk.tickets) == made
    assert isinstance(found, Found if made else Absent)


async def test_a_comment_without_an_answer_is_ambiguous_and_the_look_up_tells(
    practice: Practice, desk: PracticeDesk
) -> None:
    ref = await desk.create(DRAFT)
    practice.mood = CommitThenDrop()
    with pytest.raises(Ambiguous):
        await desk.apply(ref, Comment(TWO, "x"))
    assert isinstance(await desk.find_comment(ref, TWO), Found)
    practice.mood = DropBeforeCommit()
    with pytest.raises(Ambiguous):
        await desk.apply(ref, Comment(ONE, "x"))
    assert isinstance(await desk.find_comment(ref, "0" * 26), Absent)


async def test_a_state_may_be_said_again(practice: Practice, desk: PracticeDesk) -> None:
    ref = await desk.create(DRAFT)
    practice.mood = CommitThenDrop()
    with pytest.raises(Unavailable):
        await desk.apply(ref, Transition(TWO, Theirs.WORKING))
    applied = await desk.apply(ref, Transition(TWO, Theirs.WORKING))
    assert applied.ticket is not None
    assert applied.ticket.raw_state == "Working"


@pytest.mark.parametrize("mood", [Refuse500(), AnswerHtml(), TruncatedJson(), Hang()], ids=str)
async def test_an_empty_look_up_is_never_made_up(practice: Practice, desk: PracticeDesk, mood: Any) -> None:
    ref = await desk.create(DRAFT)
    practice.mood = mood
    for call in (desk.find(ONE, SINCE), desk.find_comment(ref, ONE), desk.changes(None), desk.get(ref)):
        with pytest.raises(Unavailable):
            await call


@pytest.mark.parametrize("body", [{}, [], {"tickets": None}, {"tickets": [{}]}, "x", None])
async def test_json_of_another_shape_is_no_answer(body: object) -> None:
    desk = against(lambda _: body)
    with pytest.raises(Unavailable):
        await desk.find(ONE, SINCE)
    with pytest.raises(Ambiguous):
        await desk.create(DRAFT)


@pytest.mark.parametrize("form", ["seconds", "date", "iso", "none"])
async def test_a_rate_limit_tells_how_long(practice: Practice, desk: PracticeDesk, form: Any) -> None:
    practice.mood = RateLimit(120, form)
    with pytest.raises(RateLimited) as failure:
        await desk.create(DRAFT)
    wait = failure.value.retry_after
    assert (wait is None) == (form == "none")
    assert wait is None or timedelta(seconds=110) < wait <= timedelta(seconds=121)
    assert practice.desk.tickets == ()


async def test_a_supplier_that_is_not_there_got_nothing() -> None:
    with running_practice() as supplier:
        url = supplier.url
    async with Http(url) as http:
        with pytest.raises(NotSent):
            await PracticeDesk(http, PracticeConfig()).create(DRAFT)


async def test_a_wrong_token_is_told_from_a_right_one() -> None:
    with running_practice(token="right-token") as supplier:
        for token in ("wrong-token", ""):
            headers = PracticeDesk.headers(PracticeConfig(), token)
            async with Http(supplier.url, headers) as http:
                with pytest.raises(AuthFailed) as failure:
                    await PracticeDesk(http, PracticeConfig()).create(DRAFT)
                assert failure.value.trouble is AuthTrouble.REFUSED
                assert "wrong-token" not in failure.value.why
        async with Http(supplier.url, PracticeDesk.headers(PracticeConfig(), "right-token")) as http:
            await PracticeDesk(http, PracticeConfig()).create(DRAFT)


# Checking


async def test_a_healthy_supplier_passes_every_line(practice: Practice, desk: PracticeDesk) -> None:
    await desk.create(DRAFT)
    health = await desk.check()
    assert health.account == "muster"
    assert [(c.name, c.ok) for c in health.checks] == [
        (name, True)
        for name in (
            "identity",
            "permission",
            "queue",
            "states",
            "priorities",
            "priorities",
            "look-up",
            "changes",
        )
    ]
    assert len(practice.desk.tickets) == 1


@pytest.mark.parametrize(
    ("config", "line", "says"),
    [
        ({"queue": "Sales"}, "queue", "no Sales there, but Support"),
        ({"states": {"Open": "new", "Solved": "fixed"}}, "states", "no Solved there"),
        (
            {"states": {"Open": "new"}},
            "states",
            "Working, Needs customer, Fixed, Closed, Declined means nothing",
        ),
        ({"priorities": {"1": "Critical"}}, "priorities", "no Critical there"),
        ({"priorities": {"1": "Urgent"}}, "priorities", "nothing stands for P2, P3, P4, P5"),
    ],
)
async def test_a_wrong_mapping_is_a_line_with_what_to_do(
    practice: Practice, config: dict[str, Any], line: str, says: str
) -> None:
    async with Http(practice.url) as http:
        health = await PracticeDesk(http, PracticeConfig.model_validate(config)).check()
    wrong = [c for c in health.checks if not c.ok and says in c.says]
    assert [c.name for c in wrong] == [line]
    assert "vendors.toml" in wrong[0].todo
    assert not health.ok


async def test_a_supplier_that_cannot_be_asked_is_a_line_too(practice: Practice, desk: PracticeDesk) -> None:
    practice.moods.set(Refuse500(on="find"))
    assert [c.name for c in (await desk.check()).checks if not c.ok] == ["look-up"]
    practice.mood = AnswerHtml()
    (only,) = (await desk.check()).checks
    assert (only.name, only.ok, bool(only.todo)) == ("identity", False, True)


async def test_a_look_up_that_finds_everything_is_found_out(practice: Practice, desk: PracticeDesk) -> None:
    practice.desk.create("somebody", "x", reference="0" * 26)
    (wrong,) = [c for c in (await desk.check()).checks if not c.ok]
    assert (wrong.name, "that none has" in wrong.says) == ("look-up", True)


@pytest.mark.parametrize(
    "bad", [{"queue": ""}, {"states": {"Open": "newish"}}, {"priorities": {"6": "Low"}}, {"x": 1}]
)
def test_a_config_that_makes_no_sense_is_refused(bad: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        PracticeConfig.model_validate(bad)


def test_reading_the_connector_brings_no_http_library() -> None:
    code = "import sys, integrations.systems.practice; print({'httpx', 'starlette'} & set(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout == "set()\n"
