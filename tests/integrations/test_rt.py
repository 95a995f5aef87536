"""The Request Tracker connector on answers in RT 5.0.3's shapes: above all those that mislead.

tests/peers drives a real RT; here is what a healthy one does not show.
"""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import orjson
import pytest
import respx
from pydantic import ValidationError

from integrations.connector import (
    Absent,
    Attach,
    CannotTell,
    ChangeKind,
    Comment,
    Draft,
    Found,
    Ref,
    Reprioritise,
    Strong,
    Theirs,
    Transition,
)
from integrations.errors import Ambiguous, AuthFailed, Conflict, Failure, Gone, Moved, Rejected, Unavailable
from integrations.http import Http, Limits
from integrations.rt.config import RtConfig
from integrations.rt.transactions import LONG, PATIENCE
from integrations.systems.rt import CALM, OVERLAP, SELDOM, RequestTracker
from register.incident import Priority

BASE = "https://rt.acme.example/REST/2.0"
FIELD = "External Reference"
OP = "01K0000000000000000000000A"
OTHER = "01K0000000000000000000000B"
SINCE = datetime(2026, 1, 1, tzinfo=UTC)
SEVEN = Ref(id="7", key="#7", url="https://rt.acme.example/Ticket/Display.html?id=7")
CONFIG = RtConfig(queue="Supplier", reference_field=FIELD)
Routes = respx.MockRouter


@pytest.fixture
def rt() -> AsyncIterator[Routes]:
    with respx.mock(base_url=BASE, assert_all_called=False) as router:
        yield router


@pytest.fixture
async def desk(rt: Routes) -> AsyncIterator[RequestTracker]:
    async with Http(BASE, RequestTracker.headers(CONFIG, "1-34-secretsecret"), name="acme") as http:
        yield RequestTracker(http, CONFIG)


def user(login: str) -> dict[str, str]:
    return {"id": login, "type": "user", "_url": f"{BASE}/user/{login}"}


def ticket(number: int = 7, **more: Any) -> dict[str, Any]:
    told = {
        "id": number,
        "Subject": "Pump leaks",
        "Status": "open",
        "Priority": "50",
        "Owner": user("Nobody"),
        "LastUpdated": "2026-11-23T17:02:50Z",
        "EffectiveId": {"id": str(number), "type": "ticket"},
    }
    return told | more


def row(number: int, kind: str = "Status", on: int = 7, by: str = "agent", **more: Any) -> dict[str, Any]:
    """A transaction in a list: its numbers are strings, and what does not apply is an empty string."""
    told = {
        "id": str(number),
        "type": "transaction",
        "_url": f"{BASE}/transaction/{number}",
        "Type": kind,
        "ObjectId": str(on),
        "Creator": user(by),
        "Created": "2026-11-23T17:03:23Z",
        "Field": "Status" if kind == "Status" else "",
        "NewValue": "resolved" if kind == "Status" else "",
    }
    return told | more


def items(*rows: dict[str, Any], total: int | None = None) -> httpx.Response:
    told = {
        "count": len(rows),
        "page": 1,
        "per_page": 100,
        "total": total,
        "pages": None,
        "items": list(rows),
    }
    return httpx.Response(200, json=told)


def field(value: str, name: str = FIELD) -> list[dict[str, Any]]:
    return [
        {"name": "Serial Number", "id": "4", "type": "customfield", "values": []},
        {"name": name, "id": "2", "type": "customfield", "values": [value]},
    ]


def queue(*fields: str, **more: Any) -> httpx.Response:
    told = {
        "id": 3,
        "Name": "Supplier",
        "Disabled": "0",
        "Lifecycle": "default",
        "TicketCustomFields": [{"id": "2", "name": name, "ref": "customfield"} for name in fields],
        "_hyperlinks": [{"ref": "self", "id": 3}, {"ref": "create", "type": "ticket"}],
    }
    return httpx.Response(200, json=told | more)


class Log:
    """The transactions of an RT that hides nothing, and answers as RT does to the queries that we make."""

    def __init__(self, rt: Routes, *rows: dict[str, Any]) -> None:
        self.rows = list(rows)
        self.queries: list[str] = []
        rt.get("/transactions").mock(side_effect=self.answer)

    def answer(self, request: httpx.Request) -> httpx.Response:
        asked = request.url.params
        query = asked["query"]
        if "(TicketQueue" not in query and "ObjectId" not in query:
            return items(row(1, "Create", by="connector"))  # who are we?
        self.queries.append(query)
        assert "(Type = " in query, "with other types, too, a page has holes: they are hidden after it is cut"
        after = int(query.rpartition("id > ")[2]) if "id > " in query else 0
        rows = [each for each in self.rows if int(each["id"]) > after]
        if "Creator != " in query:
            rows = [each for each in rows if each["Creator"] != user("connector")]
        rows = [*rows[1:], *rows[:1]]  # its own order, which nobody can foresee
        if asked.get("orderby") == "id":
            rows.sort(key=lambda each: int(each["id"]), reverse=asked["order"] == "DESC")
        told = {"id", "type", "_url", *asked["fields"].split(",")}
        cut = rows[: min(int(asked["per_page"]), 100)]
        return items(*({name: each[name] for name in each if name in told} for each in cut))


def speak(rt: Routes, *, together: bool = True, **bodies: str) -> None:
    """Attachments: transaction t58 has part 158, with this text. together: whether texts come in lists."""
    parts = [
        {
            "id": f"1{name[1:]}",
            "TransactionId": name[1:],
            "ContentType": "text/plain",
            "Filename": "",
            "ContentLength": str(len(body.encode())),
            "Content": body,
        }
        for name, body in bodies.items()
    ]

    def listed(request: httpx.Request) -> httpx.Response:
        (wanted,) = orjson.loads(request.url.params["query"])
        fields = {"id", *request.url.params["fields"].split(",")}
        if "Parent" in fields or ("Content" in fields and not together):
            return httpx.Response(500, json={"message": "Internal Server Error"})
        rows = [part for part in parts if int(part[wanted["field"]]) in wanted["value"]]
        return items(*({name: part[name] for name in fields} for part in rows))

    rt.get("/attachments").mock(side_effect=listed)
    for name, body in bodies.items():
        content = base64.encodebytes(body.encode()).decode()
        rt.get(f"/attachment/1{name[1:]}").respond(json={"id": 1, "Content": content})


# Making a ticket


async def test_a_ticket_is_made_with_our_id_in_the_field_and_under_the_text(
    rt: Routes, desk: RequestTracker
) -> None:
    made = rt.post("/ticket").respond(201, json={"id": "7", "type": "ticket", "_url": f"{BASE}/ticket/7"})
    rt.get("/ticket/7").respond(json=ticket(CustomFields=field("SN-1", "Serial Number")))
    draft = Draft(OP, "Pump\nleaks", "It drips", Priority.CRITICAL, {"Serial Number": "SN-1", FIELD: "no"})
    assert await desk.create(draft) == SEVEN
    assert await desk.create(Draft(OP, "Pump leaks", "It drips", Priority.LOW)) == SEVEN
    assert len(rt.calls) == 3, "it is read back where it was given fields, and nowhere else"
    request = made.calls[0].request
    assert request.headers["authorization"] == "token 1-34-secretsecret"
    assert "cookie" not in request.headers
    assert orjson.loads(request.content) == {
        "Queue": "Supplier",
        "Subject": "Pump leaks",
        "Content": f"It drips\n\n[muster:{OP}]",
        "ContentType": "text/plain",
        "Priority": 100,
        "CustomFields": {"Serial Number": "SN-1", FIELD: OP},
    }


@pytest.mark.parametrize(
    ("answer", "failure"),
    [
        (httpx.Response(201, json={}), Ambiguous),
        (httpx.Response(201, html="<html>Created</html>"), Ambiguous),
        (httpx.Response(201, text=""), Ambiguous),
        (httpx.Response(302, headers={"Location": "/", "Set-Cookie": "RT_SID=1"}), Ambiguous),
        (httpx.Response(500, json={"message": "Internal Server Error"}), Ambiguous),
        (httpx.ReadTimeout("late"), Ambiguous),
        (httpx.Response(404, json={"message": "Not Found"}), Rejected),
        (httpx.Response(400, json={"message": "Could not create ticket. Queue not set"}), Rejected),
        (httpx.Response(403, json={"message": "No permission to create tickets in the queue"}), AuthFailed),
        (httpx.Response(401, json={"message": "Unauthorized"}), AuthFailed),
    ],
)
async def test_a_create_that_did_not_answer_well(
    rt: Routes, desk: RequestTracker, answer: Any, failure: type[Failure]
) -> None:
    rt.post("/ticket").mock(side_effect=[answer])
    with pytest.raises(failure) as caught:
        await desk.create(Draft(OP, "Pump leaks", "", Priority.LOW))
    if isinstance(caught.value, Ambiguous):
        assert caught.value.op_id == OP


@pytest.mark.parametrize(
    ("title", "subject"),
    [
        ("x" * 200, "x" * 200),
        ("x" * 201, "x" * 197 + "…"),
        ("ü" * 100, "ü" * 100),
        ("ü" * 101, "ü" * 98 + "…"),
        ("  two\nlines ", "two lines"),
    ],
)
async def test_a_subject_is_never_cut_by_rt(
    rt: Routes, desk: RequestTracker, title: str, subject: str
) -> None:
    made = rt.post("/ticket").respond(201, json={"id": "7"})
    await desk.create(Draft(OP, title, "", Priority.LOW))
    assert orjson.loads(made.calls.last.request.content)["Subject"] == subject


async def test_a_value_that_a_field_does_not_take_is_told_though_the_ticket_is_made(
    rt: Routes, desk: RequestTracker
) -> None:
    """It is there, so this is no refusal: the look-up finds it, and the timeline says what it lacks."""
    rt.post("/ticket").respond(201, json={"id": "7"})
    there = rt.get("/ticket/7").respond(json=ticket(CustomFields=field("", "Customer Priority")[:1]))
    asked = Draft(
        OP, "Pump leaks", "It drips", Priority.LOW, {"Customer Priority": "urgent", "Queue": "Other"}
    )
    with pytest.raises(Ambiguous, match="made #7 and left Customer Priority empty") as caught:
        await desk.create(asked)
    assert caught.value.op_id == OP
    there.respond(503)
    assert await desk.create(asked) == SEVEN


def test_an_answer_may_take_as_long_as_the_slowest_that_was_seen() -> None:
    """20 s under load, and 9 s of Redmine: whoever gives up before has a doubt with each ticket."""
    assert RequestTracker.info.lookup == Strong(timedelta(seconds=60))
    assert min(Limits().read, Limits().total) > 20


# Looking one up


async def test_a_look_up_takes_only_the_very_value(rt: Routes, desk: RequestTracker) -> None:
    search = rt.get("/tickets").mock(
        return_value=items(
            {"id": "9", "CustomFields": field(OP)},
            {"id": "8", "CustomFields": field(OP.lower())},
            {"id": "7", "CustomFields": field(OP)},
            {"id": "6", "CustomFields": field(OP, "Serial Number")},
            total=4,
        )
    )
    found = await desk.find(OP, SINCE)
    assert isinstance(found, Found)
    assert [ref.key for ref in found.refs] == ["#7", "#9"], "the oldest first"
    assert search.calls.last.request.url.params["query"] == (
        f"EffectiveId > 0 AND 'CF.{{External Reference}}' = '{OP}'"
    )


@pytest.mark.parametrize(
    ("searched", "own", "fields", "believed"),
    [
        (items(total=0), items({"id": "1"}, total=1), [FIELD], True),
        (items(total=None), items({"id": "1"}, total=1), [FIELD], False),
        (items(total=0), items({"id": "1"}, total=1), ["External reference"], False),
        (items(total=0), items({"id": "1"}, total=1), [], False),
        (items(total=0), items(total=0), [FIELD], False),
        (items({"id": "8", "CustomFields": field(OP.lower())}, total=1), items(), [FIELD], False),
    ],
)
async def test_an_empty_look_up_is_believed_only_when_it_proves_something(
    rt: Routes, desk: RequestTracker, searched: Any, own: Any, fields: list[str], believed: bool
) -> None:
    rt.get("/tickets", params__contains={"query": "Creator = '__CurrentUser__'"}).mock(return_value=own)
    rt.get("/tickets").mock(return_value=searched)
    rt.get("/queue/Supplier").mock(return_value=queue(*fields))
    assert isinstance(await desk.find(OP, SINCE), Absent if believed else CannotTell)


async def test_quotes_in_names_and_values_stay_inside_the_query(rt: Routes) -> None:
    config = RtConfig(queue="O'Neil \\ Co", reference_field=FIELD)
    async with Http(BASE, name="acme") as http:
        log = Log(rt)
        await RequestTracker(http, config).changes(None)
    assert "(TicketQueue = 'O\\'Neil \\\\ Co' OR TicketCreator = '__CurrentUser__')" in log.queries[0]


# Listening


async def test_listening_starts_at_the_newest_and_tells_nothing(rt: Routes, desk: RequestTracker) -> None:
    Log(rt, row(50), row(90), row(97))
    page = await desk.changes(None)
    assert (page.changes, page.unread, page.done) == ((), (), True)
    assert page.next == {"after": 97, "seen": [90, 97]}


async def test_an_empty_desk_is_listened_to_from_its_first_change(rt: Routes, desk: RequestTracker) -> None:
    log = Log(rt)
    start = await desk.changes(None)
    assert start.next == {"after": 0, "seen": []}
    log.rows.append(row(55))
    assert [change.change_id for change in (await desk.changes(start.next)).changes] == ["55"]


async def test_an_id_that_appears_below_the_cursor_is_told_once(rt: Routes, desk: RequestTracker) -> None:
    log = Log(rt, row(100))
    start = await desk.changes(None)
    log.rows.append(row(103))  # 102 is still being written
    first = await desk.changes(start.next)
    log.rows.append(row(102))
    second = await desk.changes(first.next)
    third = await desk.changes(second.next)
    told = [[change.change_id for change in page.changes] for page in (first, second, third)]
    assert told == [["103"], ["102"], []]
    assert [page.done for page in (first, second, third)] == [False, False, True]
    assert third.next["after"] == 103


async def test_at_rest_a_poll_asks_for_what_is_new_alone(rt: Routes, desk: RequestTracker) -> None:
    log = Log(rt, row(100))
    page = await desk.changes(None)
    for _ in range(CALM + 1):
        page = await desk.changes(page.next)
    assert log.queries[1].endswith(f"id > {100 - OVERLAP}")
    assert log.queries[-1].endswith("id > 100")
    requests = len(rt.calls)
    await desk.changes(page.next)
    assert len(rt.calls) == requests + 1


async def test_a_reply_a_state_and_a_merger(rt: Routes, desk: RequestTracker) -> None:
    log = Log(rt)
    speak(rt, t58=f"thanks\n\n[muster:{OP}]", t59="we \x1b[31mlook\r\n", t61="x" * 70_000)
    start = await desk.changes(None)
    log.rows = [
        row(58, "Correspond", by="connector"),
        row(59, "Correspond", by="agent\x1b[0m"),
        row(60, "Status", by="RT_System", NewValue="in \u202eprogress"),
        row(61, "Correspond"),
        row(62, "AddLink", Field="MergedInto", NewValue="fsck.com-rt://supplier.test/ticket/4"),
        row(63, "Status", NewValue="stalled"),
    ]
    mine, reply, state, long, merged, known = (await desk.changes(start.next)).changes
    assert (mine.marker, mine.by_our_account, mine.body, mine.ref) == (OP, True, "thanks", SEVEN)
    assert (reply.marker, reply.by_our_account, reply.body) == (None, False, "we [31mlook")
    assert reply.author == "agent[0m"
    assert (state.kind, state.raw_state, state.state) == (ChangeKind.STATE, "in progress", Theirs.UNMAPPED)
    assert len(long.body) == 65_536
    assert (merged.raw_state, merged.state) == ("merged into #4", Theirs.UNMAPPED)
    assert known.state is Theirs.WAITS_FOR_US


async def test_a_short_page_is_not_the_end(rt: Routes, desk: RequestTracker) -> None:
    """Rows that are hidden from us are taken out of a page after it was cut."""
    pages = [items(row(50)), items(row(90)), items()]
    rt.get("/transactions", params__contains={"per_page": "100"}).mock(side_effect=pages)
    rt.get("/transactions", params__contains={"per_page": "1"}).mock(return_value=items())
    assert [change.change_id for change in (await desk.history(SEVEN)).changes] == ["50", "90"]


async def test_what_is_shown_to_an_account_without_rights_is_no_silence(
    rt: Routes, desk: RequestTracker
) -> None:
    log = Log(rt, row(100))
    queue_ = rt.get("/queue/Supplier").mock(return_value=queue(FIELD))
    page = await desk.changes(None)
    for _ in range(CALM):
        page = await desk.changes(page.next)
    assert not queue_.called
    log.rows.clear()
    queue_.respond(403, json={"message": "Forbidden"})
    for _ in range(SELDOM - CALM):
        page = await desk.changes(page.next)
    with pytest.raises(AuthFailed):
        await desk.changes(page.next)
    async with Http(BASE, name="acme") as http:
        with pytest.raises(AuthFailed):  # at once where what we know should be there
            await RequestTracker(http, CONFIG).changes(page.next)


async def test_links_and_priorities(rt: Routes, desk: RequestTracker) -> None:
    """A link to what is no ticket of theirs is none; a number of theirs may stand for none of ours."""
    log, name = Log(rt), "fsck.com-rt://supplier.test/ticket/"
    start = await desk.changes(None)
    log.rows = [
        row(58, "AddLink", Field="HasMember", NewValue=f"{name}4"),
        row(59, "AddLink", Field="RefersTo", NewValue="https://wiki.example/ticket/9"),
        row(60, "AddLink", Field="Odd\x1bOne", NewValue=f"{name}5"),
        row(61, "Set", Field="Priority", NewValue="25"),
        row(62, "Set", Field="Priority", NewValue="60"),
    ]
    *links, low, odd = (await desk.changes(start.next)).changes
    assert [(one.kind, one.link and one.link.key, one.body) for one in links] == [
        (ChangeKind.LINK, "#4", "has the part"),
        (ChangeKind.LINK, "#5", "OddOne"),
    ]
    assert (low.kind, low.raw_priority, low.priorities) == (ChangeKind.PRIORITY, "25", (Priority.LOW,))
    assert (odd.raw_priority, odd.priorities) == ("60", ())


async def test_our_own_priority_is_known_by_its_transaction(rt: Routes, desk: RequestTracker) -> None:
    rt.put("/ticket/7").respond(json=["Priority changed"])
    rt.get("/ticket/7").respond(json=ticket(Priority="100"), headers={"ETag": '"91"'})
    ours = row(91, "Set", Field="Priority", NewValue="100", by="connector")
    asked = rt.get("/transactions").mock(return_value=items(ours))
    done = await desk.apply(SEVEN, Reprioritise(OP, Priority.CRITICAL), "90")
    assert done.change_ids == ("91",)
    assert done.ticket is not None
    assert done.ticket.priorities == (Priority.CRITICAL,)
    put = next(call.request for call in rt.calls if call.request.method == "PUT")
    assert put.headers["if-match"] == '"90"'
    assert "Creator = '__CurrentUser__'" in asked.calls[0].request.url.params["query"]
    older = row(80, "Set", Field="Priority", NewValue="25", by="connector")
    rt.get("/transactions").mock(return_value=items(older))
    assert (await desk.apply(SEVEN, Reprioritise(OP, Priority.CRITICAL))).change_ids == ()


@pytest.mark.parametrize(
    "bad",
    [
        row(60, Created="yesterday"),
        row(60, Created=""),
        row(60, ObjectId=""),
        row(60, Creator=""),
        {"id": "60"},
    ],
)
async def test_a_change_that_cannot_be_read_is_kept_and_the_cursor_goes_on(
    rt: Routes, desk: RequestTracker, bad: dict[str, Any]
) -> None:
    log = Log(rt)
    start = await desk.changes(None)
    log.rows = [row(59), bad, row(61)]
    page = await desk.changes(start.next)
    assert [change.change_id for change in page.changes] == ["59", "61"]
    assert [unread.change_id for unread in page.unread] == ["60"]
    assert page.unread[0].why
    assert page.next["after"] == 61


async def test_rows_without_ids_move_no_cursor(rt: Routes, desk: RequestTracker) -> None:
    rt.get("/transactions").mock(return_value=items({"Type": "Status"}))
    with pytest.raises(Unavailable):
        await desk.changes({"after": 5, "seen": []})


NOT_BASE64 = httpx.Response(200, json={"Content": "=\u2603"})


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(404, json={"message": "Not Found"}),
        httpx.Response(403, json={"message": "Forbidden"}),
        NOT_BASE64,
    ],
)
async def test_a_text_that_is_withheld_is_one_unread_change(
    rt: Routes, desk: RequestTracker, answer: httpx.Response
) -> None:
    Log(rt, row(58, "Correspond"), row(59))
    speak(rt, t58="lost")
    rt.get("/attachment/158").mock(return_value=answer)
    page = await desk.changes({"after": 0, "seen": []})
    assert [change.change_id for change in page.changes] == ["59"]
    assert [unread.change_id for unread in page.unread] == ["58"]


async def test_a_text_that_always_fails_does_not_hold_up_the_rest_for_ever(
    rt: Routes, desk: RequestTracker
) -> None:
    Log(rt, row(58, "Correspond"), row(59))
    speak(rt, t58="lost")
    rt.get("/attachment/158").respond(500, json={"message": "Internal Server Error"})
    for _ in range(PATIENCE - 1):
        with pytest.raises(Unavailable):
            await desk.changes({"after": 0, "seen": []})
    page = await desk.changes({"after": 0, "seen": []})
    assert [unread.change_id for unread in page.unread] == ["58"]
    assert page.next["after"] == 59


async def test_what_was_read_before_a_line_broke_is_not_read_again(rt: Routes, desk: RequestTracker) -> None:
    Log(rt, row(58, "Correspond"), row(59, "Correspond"), row(60))
    speak(rt, together=False, t58="first", t59="second")
    text = rt.get("/attachment/159").mock(side_effect=httpx.ReadError)
    page = await desk.changes({"after": 0, "seen": []})
    assert [change.body for change in page.changes] == ["first"]
    assert (page.next["after"], page.done) == (58, False)
    with pytest.raises(Unavailable):
        await desk.changes(page.next)
    text.side_effect = None
    text.respond(json={"id": 1, "Content": base64.b64encode(b"second").decode()})
    page = await desk.changes(page.next)
    assert [change.change_id for change in page.changes] == ["59", "60"]
    assert [call.request.url.path for call in rt.calls].count("/REST/2.0/attachment/158") == 1


async def test_a_refused_credential_in_the_middle_moves_no_cursor(rt: Routes, desk: RequestTracker) -> None:
    Log(rt, row(58, "Correspond"))
    speak(rt, t58="lost")
    rt.get("/attachment/158").respond(401, json={"message": "Unauthorized"})
    for _ in range(PATIENCE + 1):
        with pytest.raises(AuthFailed):
            await desk.changes({"after": 0, "seen": []})


async def test_text_is_taken_plain_rather_than_html_and_files_are_named(
    rt: Routes, desk: RequestTracker
) -> None:
    Log(rt, row(58, "Correspond"), row(59, "Correspond"), row(60, "Correspond"))
    speak(rt, t58="plain")
    parts = [
        {"id": "3", "TransactionId": "58", "ContentType": "multipart/alternative", "Filename": ""},
        {"id": "4", "TransactionId": "58", "ContentType": "text/html", "Filename": ""},
        {
            "id": "5",
            "TransactionId": "58",
            "ContentType": "text/plain",
            "Filename": "a\x1b.txt",
            "ContentLength": "9",
        },
        {"id": "158", "TransactionId": "58", "ContentType": "text/plain", "Filename": ""},
        {"id": "6", "TransactionId": "59", "ContentType": "image/png", "Filename": "p.png"},
        {"id": "odd"},
    ]
    rt.get("/attachments").mock(return_value=items(*parts))
    changes = (await desk.changes({"after": 0, "seen": []})).changes
    told = [(change.change_id, change.kind, change.body, change.size, change.place) for change in changes]
    assert told == [
        ("58", ChangeKind.COMMENT, "plain", None, ""),
        ("5.file", ChangeKind.FILE, "a.txt", 9, "5"),
        ("6.file", ChangeKind.FILE, "p.png", None, "6"),
        ("60", ChangeKind.COMMENT, "", None, ""),
    ], "what came with files alone says nothing itself"


async def test_our_own_file_is_known_by_the_text_that_it_came_with(rt: Routes, desk: RequestTracker) -> None:
    Log(rt, row(58, "Correspond", by="connector"))
    speak(rt, t58=f"File: a.txt\n\n[muster:{OP}]")
    parts = [
        {"id": "158", "TransactionId": "58", "ContentType": "text/plain", "Filename": ""},
        {"id": "5", "TransactionId": "58", "ContentType": "text/plain", "Filename": "a.txt"},
    ]
    rt.get("/attachments").mock(return_value=items(*parts))
    text, file = (await desk.history(SEVEN)).changes
    assert (file.kind, file.marker, file.by_our_account) == (ChangeKind.FILE, OP, True)
    rt.get("/ticket/7").respond(200, json=ticket())
    found = await desk.find_comment(SEVEN, OP)
    assert isinstance(found, Found)
    assert [ref.id for ref in found.refs] == [text.change_id], "one reply, whatever hangs on it"


async def test_a_file_is_fetched_by_its_number_and_its_size_looked_at_first(
    rt: Routes, desk: RequestTracker
) -> None:
    part = {"id": "5", "TransactionId": "58", "ContentType": "text/html", "Filename": "a.html"}
    listed = rt.get("/attachments")
    content = rt.get("/attachment/5").respond(200, json={"Content": "PGI+\nPC9i\nPg==\n"})
    listed.mock(return_value=items({**part, "ContentLength": "7"}))
    assert await desk.fetch(SEVEN, "5", 7) == b"<b></b>"
    with pytest.raises(Rejected, match="7 bytes, and 6 is the most"):
        await desk.fetch(SEVEN, "5", 6)
    for size in ({}, {"ContentLength": ""}, {"ContentLength": "-1"}):
        listed.mock(return_value=items({**part, **size}))
        with pytest.raises(Rejected, match="unknown number of bytes"):
            await desk.fetch(SEVEN, "5", 7)
    assert content.call_count == 1
    listed.mock(return_value=items())
    with pytest.raises(Gone):
        await desk.fetch(SEVEN, "5", 7)
    with pytest.raises(Rejected):
        await desk.fetch(SEVEN, "5/../1", 7)


async def test_parts_of_many_messages_are_asked_for_together(rt: Routes, desk: RequestTracker) -> None:
    Log(rt, *(row(number, "Correspond") for number in range(1, 81)))
    speak(rt, **{f"t{number}": f"text {number}" for number in range(1, 81)})
    changes = (await desk.changes({"after": 0, "seen": []})).changes
    assert [change.body for change in changes] == [f"text {number}" for number in range(1, 81)]
    assert sum(call.request.url.path.endswith("/attachments") for call in rt.calls) == 4
    assert not any("/attachment/" in call.request.url.path for call in rt.calls)


async def test_parts_beyond_a_page_are_asked_for_too(rt: Routes, desk: RequestTracker) -> None:
    """RT gives no more than a hundred rows, and says nothing of the rest."""
    Log(rt, row(58, "Correspond"))
    files = [
        {"id": str(number), "TransactionId": "58", "ContentType": "image/png", "Filename": f"{number}.png"}
        for number in range(1, 131)
    ]

    def listed(request: httpx.Request) -> httpx.Response:
        asked = request.url.params
        size = min(int(asked["per_page"]), 100)
        return items(*files[(int(asked["page"]) - 1) * size :][:size])

    rt.get("/attachments").mock(side_effect=listed)
    changes = (await desk.changes({"after": 0, "seen": []})).changes
    assert [change.body for change in changes] == [f"{number}.png" for number in range(1, 131)]


async def test_ten_changed_tickets_with_their_notes_take_few_requests(
    rt: Routes, desk: RequestTracker
) -> None:
    log = Log(rt, row(100))
    page = await desk.changes(None)
    speak(rt, **{f"t{101 + number}": f"note {number}: äöü €" for number in range(10)})
    log.rows += [row(101 + number, "Correspond", on=number) for number in range(10)]
    before = len(rt.calls)
    first = await desk.changes(page.next)
    last = await desk.changes(first.next)
    assert [change.body for change in first.changes] == [f"note {number}: äöü €" for number in range(10)]
    assert (last.changes, last.done) == ((), True)
    assert len(rt.calls) - before == 5  # what is new, who we are, the parts, the texts; and nothing more


async def test_a_long_text_or_one_without_a_size_is_asked_for_by_itself(
    rt: Routes, desk: RequestTracker
) -> None:
    Log(rt, *(row(number, "Correspond") for number in range(1, 14)))
    long = {f"t{number}": "x" * (LONG - 1) for number in range(1, 12)}
    speak(rt, **long, t12="y" * LONG, t13="z")
    changes = (await desk.changes({"after": 0, "seen": []})).changes
    assert [change.body[0] for change in changes] == [*"x" * 11, "y", "z"]
    asked = [call.request.url for call in rt.calls if "/attachment" in call.request.url.path]
    together = [orjson.loads(url.params["query"])[0]["value"] for url in asked if "query" in url.params]
    assert [len(some) for some in together] == [13, 10, 2]
    assert [url.path.rpartition("/")[2] for url in asked if "query" not in url.params] == ["112"]


async def test_an_account_that_wrote_nothing_has_written_nothing(rt: Routes, desk: RequestTracker) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        return items(row(58)) if "TicketQueue" in request.url.params["query"] else items()

    rt.get("/transactions").mock(side_effect=answer)
    (change,) = (await desk.changes({"after": 0, "seen": []})).changes
    assert not change.by_our_account


# Changing one


def refusing(said: list[str], status: str = "open") -> Callable[[Routes], None]:
    def routes(rt: Routes) -> None:
        rt.put("/ticket/7").respond(200, json=said)
        rt.get("/ticket/7").respond(200, json=ticket(Status=status), headers={"ETag": '"90"'})

    return routes


async def test_a_put_that_says_200_and_does_nothing_is_rejected(rt: Routes, desk: RequestTracker) -> None:
    refusing(["Ticket 7: Permission\n Denied"])(rt)
    with pytest.raises(Rejected) as caught:
        await desk.apply(SEVEN, Transition(OP, Theirs.FIXED))
    assert caught.value.why == "acme answered “Ticket 7: Permission Denied” and left #7 open, not resolved."


async def test_a_put_that_does_nothing_because_it_is_done_is_fine(rt: Routes, desk: RequestTracker) -> None:
    refusing([], "resolved")(rt)
    applied = await desk.apply(SEVEN, Transition(OP, Theirs.FIXED), "90")
    assert applied.ticket is not None
    assert (applied.ticket.state, applied.ticket.version) == (Theirs.FIXED, "90")
    put = next(call.request for call in rt.calls if call.request.method == "PUT")
    assert put.headers["if-match"] == '"90"', "RT wants the quotes"
    assert orjson.loads(put.content) == {"Status": "resolved"}


async def test_a_state_goes_with_its_note_and_may_be_refused_though_the_note_is_taken(
    rt: Routes, desk: RequestTracker
) -> None:
    """By itself, a reply would open the ticket again."""
    told = ["Correspondence added", "Status 'resolved' isn't a valid status for this ticket."]
    headers = {"Location": "/REST/2.0/transaction/58"}
    said = rt.post("/ticket/7/correspond").respond(201, json=told, headers=headers)
    rt.get("/ticket/7").respond(json=ticket())
    with pytest.raises(Rejected, match="took our note, but left #7 open, not resolved"):
        await desk.apply(SEVEN, Transition(OP, Theirs.FIXED, "done"))
    assert orjson.loads(said.calls.last.request.content)["Status"] == "resolved"
    assert said.call_count == 1


async def test_a_field_that_did_not_take_is_told_and_the_state_is_left(
    rt: Routes, desk: RequestTracker
) -> None:
    put = rt.put("/ticket/7").respond(200, json=["Invalid value for custom field"])
    rt.get("/ticket/7").respond(json=ticket(CustomFields=field("", "Cause")[1:]))
    for update in (
        Transition(OP, Theirs.FIXED, fields={"Cause": "wear"}),
        Reprioritise(OP, Priority.LOW, fields={"Cause": "wear"}),
    ):
        with pytest.raises(Rejected, match=r"“Invalid value for custom field” and did not take Cause = wear"):
            await desk.apply(SEVEN, update)
    assert [orjson.loads(call.request.content) for call in put.calls] == [
        {"CustomFields": {"Cause": "wear"}}
    ] * 2


async def test_a_reply_that_is_refused_says_whether_its_ticket_is_there(
    rt: Routes, desk: RequestTracker
) -> None:
    """RT answers 400 "Permission Denied" of one that is not."""
    rt.post("/ticket/7/correspond").respond(400, json={"message": "Permission Denied"})
    there = rt.get("/ticket/7").respond(json=ticket())
    with pytest.raises(Rejected, match="Permission Denied"):
        await desk.apply(SEVEN, Comment(OP, "hello"))
    there.respond(404, json={"message": "Not Found"})
    with pytest.raises(Gone):
        await desk.apply(SEVEN, Comment(OP, "hello"))


async def test_a_file_goes_with_its_type_and_under_a_name_of_plain_letters(
    rt: Routes, desk: RequestTracker
) -> None:
    headers = {"Location": "/REST/2.0/transaction/58"}
    said = rt.post("/ticket/7/correspond").respond(201, json=["Correspondence added"], headers=headers)
    for name, plain in (("Foto größe.png", "Foto groe.png"), ("修理.png", "file.png")):
        await desk.apply(SEVEN, Attach(OP, name, "image/png", "", b"\x00\xff"))
        told = orjson.loads(said.calls.last.request.content)
        assert told["Attachments"] == [{"FileName": plain, "FileType": "image/png", "FileContent": "AP8="}]
        assert told["Content"].startswith(f"File: {name}\n"), "the words beside it have the whole name"


async def test_our_own_earlier_try_is_no_conflict(rt: Routes, desk: RequestTracker) -> None:
    rt.put("/ticket/7").respond(412, json={"message": "Precondition Failed"})
    rt.get("/ticket/7").respond(json=ticket(Status="resolved"))
    assert (await desk.apply(SEVEN, Transition(OP, Theirs.FIXED), "90")).ticket
    with pytest.raises(Conflict):
        await desk.apply(SEVEN, Transition(OP, Theirs.WORKING), "90")


async def test_a_state_with_a_note_is_not_set_on_a_newer_version(rt: Routes, desk: RequestTracker) -> None:
    rt.get("/ticket/7").respond(json=ticket(), headers={"ETag": '"91"'})
    with pytest.raises(Conflict) as caught:
        await desk.apply(SEVEN, Transition(OP, Theirs.FIXED, "done"), "90")
    assert caught.value.remote_version == "91"


async def test_a_lost_put_may_be_repeated_a_lost_reply_may_not(rt: Routes, desk: RequestTracker) -> None:
    rt.put("/ticket/7").mock(side_effect=httpx.ReadTimeout)
    rt.post("/ticket/7/correspond").mock(side_effect=httpx.ReadTimeout)
    with pytest.raises(Unavailable):
        await desk.apply(SEVEN, Transition(OP, Theirs.FIXED))
    for update in (Comment(OP, "hello"), Transition(OP, Theirs.FIXED, "done")):
        with pytest.raises(Ambiguous) as caught:
            await desk.apply(SEVEN, update)
        assert caught.value.op_id == OP


async def test_a_reply_carries_no_version_and_gives_its_id(rt: Routes, desk: RequestTracker) -> None:
    headers = {"Location": "/REST/2.0/transaction/58"}
    said = rt.post("/ticket/7/correspond").respond(201, json=["Correspondence added"], headers=headers)
    assert (await desk.apply(SEVEN, Comment(OP, "hello"), "90")).change_ids == ("58",)
    assert "if-match" not in said.calls.last.request.headers, "RT answers 412 to every version there"
    assert orjson.loads(said.calls.last.request.content) == {
        "Content": f"hello\n\n[muster:{OP}]",
        "ContentType": "text/plain",
    }


async def test_a_reply_taken_without_saying_where_is_looked_up(rt: Routes, desk: RequestTracker) -> None:
    rt.post("/ticket/7/correspond").respond(201, json=["Correspondence added"])
    with pytest.raises(Ambiguous):
        await desk.apply(SEVEN, Comment(OP, "hello"))


async def test_a_state_without_a_word_for_it_sends_nothing(rt: Routes) -> None:
    config = RtConfig(queue="Supplier", reference_field=FIELD, states={"open": Theirs.WORKING})
    async with Http(BASE, name="acme") as http:
        with pytest.raises(Rejected, match="No state of acme means fixed"):
            await RequestTracker(http, config).apply(SEVEN, Transition(OP, Theirs.FIXED, "done"))
    assert not rt.calls


async def test_a_comment_is_found_by_its_marker_alone(rt: Routes, desk: RequestTracker) -> None:
    Log(rt, row(58, "Correspond", by="connector"), row(59, "Correspond", by="connector"))
    speak(rt, t58=f"one\n\n[muster:{OTHER}]", t59=f"two\n\n[muster:{OP}]")
    rt.get("/ticket/7").respond(json=ticket())
    assert await desk.find_comment(SEVEN, OP) == Found((SEVEN.model_copy(update={"id": "59"}),))
    assert await desk.find_comment(SEVEN, OP.replace("A", "C")) == Absent()
    speak(rt, together=False, t58="one", t59="two")
    rt.get("/attachment/159").respond(404, json={"message": "Not Found"})
    assert isinstance(await desk.find_comment(SEVEN, OP), CannotTell)


# Reading one


async def test_a_merged_ticket_says_where_it_went(rt: Routes, desk: RequestTracker) -> None:
    rt.get("/ticket/7").respond(json=ticket(4))
    with pytest.raises(Moved, match="merged #7 into #4") as caught:
        await desk.get(SEVEN)
    assert caught.value.new.id == "4"


async def test_one_hidden_ticket_is_not_a_lost_right(rt: Routes, desk: RequestTracker) -> None:
    rt.get("/ticket/7").respond(403, json={"message": "Forbidden"})
    rt.get("/queue/Supplier").mock(return_value=queue(FIELD))
    with pytest.raises(Rejected, match="another queue"):
        await desk.get(SEVEN)
    rt.get("/queue/Supplier").respond(403, json={"message": "Forbidden"})
    with pytest.raises(AuthFailed):
        await desk.get(SEVEN)


@pytest.mark.parametrize("number", ["", "7/take", "7 OR id > 0", "../queue/1", "٧", "-1"])
async def test_a_reference_that_is_no_number_is_sent_nowhere(
    rt: Routes, desk: RequestTracker, number: str
) -> None:
    ref = Ref(id=number, key="x")
    for call in (
        desk.get(ref),
        desk.history(ref),
        desk.apply(ref, Comment(OP, "x")),
        desk.find_comment(ref, OP),
    ):
        with pytest.raises(Rejected, match="no ticket number"):
            await call
    assert not rt.calls


# Checking


async def test_check_tells_what_would_go_wrong(rt: Routes, desk: RequestTracker) -> None:
    rt.get("/rt").respond(json={"Version": "5.0.3"})
    rt.get("/transactions").mock(return_value=items())
    rt.get("/tickets").mock(return_value=items({"id": "1", "Status": "vendor \x1b[31mreview"}))
    rt.get("/queue/Supplier").mock(return_value=queue("Customer Priority", Disabled="1", _hyperlinks=[]))
    health = await desk.check()
    assert health.account == ""
    bad = {check.name: check for check in health.checks if not check.ok}
    assert list(bad) == ["queue", "permission", "reference", "look-up", "states"]
    assert bad["states"].says == "vendor [31mreview means nothing to us"
    assert "Customer Priority" in bad["reference"].says
    assert "UseSQLForACLChecks" in bad["look-up"].todo
    assert all(check.todo for check in bad.values())


async def test_check_says_which_part_could_not_be_asked(rt: Routes, desk: RequestTracker) -> None:
    rt.get("/rt").respond(json={"Version": "5.0.3"})
    rt.get("/transactions").mock(return_value=items(row(1, "Create", by="connector")))
    rt.get("/tickets").mock(return_value=items({"id": "1", "Status": "open"}, total=1))
    rt.get("/queue/Supplier").respond(403, json={"message": "Forbidden"})
    health = await desk.check()
    assert (health.account, [check.name for check in health.checks if not check.ok]) == (
        "connector",
        ["queue"],
    )
    rt.get("/rt").mock(side_effect=httpx.ConnectError("no"))
    health = await desk.check()
    assert [check.name for check in health.checks] == ["identity"]
    assert not health.ok


async def test_check_tells_that_internal_comments_may_be_hidden(rt: Routes) -> None:
    """Without a right for them they are left out of every list, and nothing says so."""
    rt.get("/rt").respond(json={"Version": "5.0.3"})
    rt.get("/transactions").mock(return_value=items())
    rt.get("/tickets").mock(return_value=items(total=0))
    rt.get("/queue/Supplier").mock(return_value=queue(FIELD))
    config = CONFIG.model_copy(update={"internal_comments": True})
    async with Http(BASE, {}, name="acme") as http:
        health = await RequestTracker(http, config).check()
    (says,) = [check.says for check in health.checks if check.name == "internal comments"]
    assert "ShowTicketComments" in says


async def test_check_tells_of_a_field_that_is_not_there(rt: Routes) -> None:
    """RT would drop a value for it without a word."""
    rt.get("/rt").respond(json={"Version": "5.0.3"})
    rt.get("/transactions").mock(return_value=items())
    rt.get("/tickets").mock(return_value=items(total=0))
    rt.get("/queue/Supplier").mock(return_value=queue(FIELD, "Contract Number"))
    config = CONFIG.model_copy(update={"fields": {"contract": "Contract Number", "asset": "Asset"}})
    async with Http(BASE, {}, name="acme") as http:
        health = await RequestTracker(http, config).check()
    told = [(check.ok, check.says.split(",")[0]) for check in health.checks if check.name == "fields"]
    assert told == [(True, "Contract Number is on the queue"), (False, "the queue shows us no field Asset")]


@pytest.mark.parametrize(
    "wrong",
    [
        {"transitions": {"fixed": "resolvd"}},
        {"reference_field": "a}b"},
        {"reference_field": "it's"},
        {"queue": ""},
        {"states": {"open": "busy"}},
        {"priorities": {"9": 1}},
        {"token": "1-34-secret"},
        {"requestor": "not an address <x"},
    ],
)
def test_a_wrong_configuration_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        RtConfig.model_validate({"queue": "Supplier", "reference_field": FIELD} | wrong)


def test_a_configuration_reads_as_toml_gives_it() -> None:
    config = RtConfig.model_validate(
        {
            "queue": "Supplier",
            "reference_field": FIELD,
            "states": {"neu": "new", "in Arbeit": "working", "fertig": "fixed", "abgelehnt": "refused"},
            "priorities": {"1": 90},
        }
    )
    assert config.priorities == {Priority.CRITICAL: 90}
    assert config.raw_state(Theirs.FIXED) == "fertig"
    assert config.raw_state(Theirs.CLOSED) is None
