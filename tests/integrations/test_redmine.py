"""The Redmine connector on answers in Redmine 5.0.4's shapes: above all those that mislead.

tests/peers drives a real Redmine; here is what a healthy one does not show.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
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
    Cap,
    ChangeKind,
    Comment,
    Draft,
    Found,
    Page,
    Ref,
    Reprioritise,
    Theirs,
    Transition,
)
from integrations.errors import Ambiguous, AuthFailed, Failure, Gone, Rejected, Unavailable
from integrations.http import Http
from integrations.patience import PATIENCE
from integrations.redmine.config import RedmineConfig
from integrations.redmine.feed import CALM, ELSEWHERE, OVERLAP, SECOND
from integrations.redmine.news import AT_ONCE
from integrations.systems.redmine import Redmine
from register.incident import Priority

BASE = "https://redmine.acme.example"
OP = "01K0000000000000000000000A"
OTHER = "01K0000000000000000000000B"
SINCE = datetime(2026, 1, 1, tzinfo=UTC)
SEVEN = Ref(id="7", key="#7", url=f"{BASE}/issues/7")
CONFIG = RedmineConfig(project="supplier", reference_field=1)
LIST = "/projects/supplier/issues.json"
ALL = "/issues.json"
AT = datetime(2026, 11, 23, 17, 4, 6, tzinfo=UTC)
US, THEM = {"id": 5, "name": "Bridge Connector"}, {"id": 6, "name": "Alva Agent"}
STATUSES = {1: "New", 2: "In Progress", 3: "Resolved", 4: "Feedback", 5: "Closed", 6: "Rejected"}
PRIORITIES = {1: "Low", 2: "Normal", 3: "High", 4: "Urgent", 5: "Immediate"}
Routes = respx.MockRouter


def stamp(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def named(names: dict[int, str]) -> list[dict[str, Any]]:
    return [{"id": number, "name": name} for number, name in names.items()]


@pytest.fixture
def web() -> Iterator[Routes]:
    with respx.mock(base_url=BASE, assert_all_called=False) as router:
        user = {"id": 5, "login": "connector", "admin": False, "memberships": [member("Bridge", 6)]}
        router.get("/users/current.json").respond(json={"user": user})
        router.get("/issue_statuses.json").respond(json={"issue_statuses": named(STATUSES)})
        priorities = {"issue_priorities": named(PRIORITIES)}
        router.get("/enumerations/issue_priorities.json").respond(json=priorities)
        router.get("/projects/supplier.json").respond(json=project())
        router.get("/roles/6.json").respond(json={"role": {"permissions": list(RIGHTS)}})
        yield router


RIGHTS = ("view_issues", "add_issues", "edit_issues", "add_issue_notes", "view_private_notes")


def member(role: str, number: int, of: int = 1) -> dict[str, Any]:
    return {"id": 1, "project": {"id": of, "name": "Supplier desk"}, "roles": [{"id": number, "name": role}]}


def project(**more: Any) -> dict[str, Any]:
    trackers = named({1: "Bug", 3: "Support"})
    return {"project": {"id": 1, "name": "Supplier desk", "status": 1, "trackers": trackers} | more}


@pytest.fixture
async def desk(web: Routes) -> AsyncIterator[Redmine]:
    async with Http(BASE, Redmine.headers(CONFIG, "secretsecret"), name="acme") as http:
        made = Redmine(http, CONFIG)
        made._news._feed._clock = Ticking()
        yield made


class Ticking:
    """Our clock, which stands unless it is moved."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


def issue(number: int = 7, status: int = 1, **more: Any) -> dict[str, Any]:
    told = {
        "id": number,
        "project": {"id": 1, "name": "Supplier desk"},
        "tracker": {"id": 3, "name": "Support"},
        "status": {"id": status, "name": STATUSES[status], "is_closed": status > 4},
        "priority": {"id": 3, "name": "High"},
        "author": US,
        "subject": "Pump leaks",
        "description": f"It drips\r\n\r\n[muster:{OP}]",
        "custom_fields": [{"id": 1, "name": "External ref", "value": OP}],
        "created_on": stamp(AT),
        "updated_on": stamp(AT),
    }
    return told | more


def journal(number: int, notes: str | None = "", by: Any = THEM, at: datetime = AT, **more: Any) -> Any:
    told = {"id": number, "user": by, "notes": notes, "created_on": stamp(at), "private_notes": False}
    return told | {"details": []} | more


def sets(status: int) -> dict[str, Any]:
    return {
        "details": [{"property": "attr", "name": "status_id", "old_value": "1", "new_value": str(status)}]
    }


def rows(*issues: dict[str, Any], total: int | None = None) -> httpx.Response:
    told = {
        "issues": list(issues),
        "total_count": len(issues) if total is None else total,
        "offset": 0,
        "limit": 100,
    }
    return httpx.Response(200, json=told)


class Tracker:
    """The issues of a Redmine, listed as Redmine lists them to the questions that we ask."""

    def __init__(self, web: Routes, *issues: dict[str, Any]) -> None:
        self.issues = {one["id"]: one for one in issues}
        self.elsewhere: dict[int, dict[str, Any]] = {}
        self.asked: list[httpx.QueryParams] = []
        self.read: list[int] = []
        self.broken: dict[int, int] = {}  # issue → the status that it answers with
        self.finer = timedelta(0)  # than it tells are the times by which it lists
        web.get(LIST).mock(side_effect=self.list)
        web.get(ALL).mock(side_effect=self.list_all)
        web.get(path__regex=r"^/issues/\d+\.json$").mock(side_effect=self.one)

    def put(self, number: int, at: datetime, *journals: Any, **more: Any) -> None:
        self.issues[number] = issue(number, updated_on=stamp(at), journals=list(journals), **more)

    def list(self, request: httpx.Request) -> httpx.Response:
        return self._listed(request.url.params, self.issues)

    def list_all(self, request: httpx.Request) -> httpx.Response:
        assert request.url.params["author_id"] == "me"
        return self._listed(request.url.params, self.issues | self.elsewhere)

    def one(self, request: httpx.Request) -> httpx.Response:
        number = int(request.url.path.removeprefix("/issues/").removesuffix(".json"))
        self.read.append(number)
        if number in self.broken:
            return httpx.Response(self.broken[number])
        told = (self.issues | self.elsewhere).get(number)
        return httpx.Response(404) if told is None else httpx.Response(200, json={"issue": told})

    def _listed(self, params: httpx.QueryParams, issues: dict[int, dict[str, Any]]) -> httpx.Response:
        assert params["status_id"] == "*", "without it the closed ones are left out"
        self.asked.append(params)
        found = sorted(issues.values(), key=lambda one: one["id"])
        if params["sort"] == "updated_on:desc":
            found = sorted(found, key=lambda one: one["updated_on"], reverse=True)
        else:
            assert params["updated_on"][:2] == ">="
            assert params["updated_on"][-1] == "Z"
            since = stamp(datetime.fromisoformat(params["updated_on"][2:]) - self.finer)
            found = [one for one in found if one["updated_on"] >= since]
        found = [one for one in found if one["id"] >= int(params.get("issue_id", ">=0")[2:])]
        return rows(*found[: int(params["limit"])], total=len(found))


def moves(desk: Redmine, seconds: float = SECOND + 1) -> None:
    clock = desk._news._feed._clock
    assert isinstance(clock, Ticking)
    clock.now += seconds


async def every(desk: Redmine, cursor: Any) -> tuple[list[str], Page]:
    """The ids of all changes until a page says that there is no more."""
    ids, page = [], Page((), cursor, done=False)
    while not page.done:
        page = await desk.changes(page.next)
        ids += [change.change_id for change in page.changes]
    return ids, page


# Making a ticket


async def test_a_ticket_is_made_with_our_id_in_the_field_and_under_the_text(
    web: Routes, desk: Redmine
) -> None:
    made = web.post(ALL).respond(201, json={"issue": issue()})
    draft = Draft(OP, "Pump\nleaks", "It drips", Priority.CRITICAL, {"2": "KLN01"})
    assert await desk.create(draft) == SEVEN
    request = made.calls.last.request
    assert request.headers["x-redmine-api-key"] == "secretsecret"
    assert orjson.loads(request.content)["issue"] == {
        "project_id": "supplier",
        "tracker_id": 3,
        "subject": "Pump leaks",
        "description": f"It drips\n\n[muster:{OP}]",
        "priority_id": 5,
        "custom_fields": [{"id": 1, "value": OP}, {"id": 2, "value": "KLN01"}],
    }


async def test_the_project_is_asked_once_and_again_when_its_tracker_was_taken_away(
    web: Routes, desk: Redmine
) -> None:
    made = web.post(ALL).respond(201, json={"issue": issue()})
    asked = web.get("/projects/supplier.json").respond(json=project())
    for _ in range(3):
        await desk.create(Draft(OP, "Pump leaks", "", Priority.LOW))
    assert (made.call_count, asked.call_count) == (3, 1)
    web.post(ALL).respond(201, json={"issue": issue(tracker={"id": 1, "name": "Bug"})})
    await desk.create(Draft(OP, "Pump leaks", "", Priority.LOW))
    web.get("/projects/supplier.json").respond(json=project(trackers=named({1: "Bug"})))
    with pytest.raises(Rejected, match="no tracker Support"):
        await desk.create(Draft(OP, "Pump leaks", "", Priority.LOW))


@pytest.mark.parametrize(
    ("answer", "failure"),
    [
        (httpx.Response(201, json={}), Ambiguous),
        (httpx.Response(201, html="<html>Created</html>"), Ambiguous),
        (httpx.Response(500, html="<html>Internal error</html>"), Ambiguous),
        (httpx.Response(302, headers={"Location": "/login"}), Ambiguous),
        (httpx.ReadTimeout("late"), Ambiguous),
        (httpx.Response(404), Rejected),
        (httpx.Response(422, json={"errors": ["Project cannot be blank"]}), Rejected),
        (httpx.Response(403), AuthFailed),
        (httpx.Response(401), AuthFailed),
    ],
)
async def test_a_create_that_did_not_answer_well(
    web: Routes, desk: Redmine, answer: Any, failure: type[Failure]
) -> None:
    web.post(ALL).mock(side_effect=[answer])
    with pytest.raises(failure) as caught:
        await desk.create(Draft(OP, "Pump leaks", "", Priority.LOW))
    if isinstance(caught.value, Ambiguous):
        assert caught.value.op_id == OP


@pytest.mark.parametrize(
    "wrong", [{"tracker": "Nope"}, {"priorities": {1: "High"}}, {"fields": {"Site": "x"}}]
)
async def test_what_redmine_would_drop_is_never_sent(web: Routes, wrong: dict[str, Any]) -> None:
    fields = wrong.pop("fields", {})
    config = RedmineConfig.model_validate({"project": "supplier", "reference_field": 1} | wrong)
    async with Http(BASE, name="acme") as http:
        with pytest.raises(Rejected, match="nothing was sent"):
            await Redmine(http, config).create(Draft(OP, "Pump leaks", "", Priority.LOW, fields))
    assert not any(call.request.method == "POST" for call in web.calls)


async def test_a_status_that_was_renamed_there_is_asked_for_once_more(web: Routes, desk: Redmine) -> None:
    later = {"issue_priorities": named({9: "Normal"})}
    both = [httpx.Response(200, json={"issue_priorities": []}), httpx.Response(200, json=later)]
    web.get("/enumerations/issue_priorities.json").mock(side_effect=both)
    made = web.post(ALL).respond(201, json={"issue": issue()})
    await desk.create(Draft(OP, "Pump leaks", "", Priority.LOW))
    assert orjson.loads(made.calls.last.request.content)["issue"]["priority_id"] == 9


# Looking one up


async def test_a_look_up_takes_only_what_is_ours(web: Routes, desk: Redmine) -> None:
    def with_field(number: int, value: str) -> dict[str, Any]:
        fields = [{"id": 1, "name": "External ref", "value": value}]
        return issue(number, custom_fields=fields, description="")

    here = web.get(LIST).mock(return_value=rows(with_field(9, OP), with_field(8, OTHER)))
    there = web.get(ALL).mock(return_value=rows(issue(7, custom_fields=[]), with_field(9, OP)))
    found = await desk.find(OP, SINCE)
    assert isinstance(found, Found)
    assert [ref.key for ref in found.refs] == ["#7", "#9"], "the oldest first"
    assert dict(here.calls.last.request.url.params) == {"status_id": "*", "cf_1": OP}
    assert dict(there.calls.last.request.url.params) == {"status_id": "*", "description": f"~{OP}"}


@pytest.mark.parametrize(
    ("here", "there", "believed"),
    [
        (rows(), rows(), True),
        (rows(issue(8, custom_fields=[], description="else")), rows(), False),
        (rows(), rows(issue(8, custom_fields=[], description="else")), False),
    ],
)
async def test_an_empty_look_up_is_believed_only_where_the_filters_work(
    web: Routes, desk: Redmine, here: Any, there: Any, believed: bool
) -> None:
    """A filter that Redmine does not know is ignored: it finds everything, and says 200."""
    web.get(LIST).mock(return_value=here)
    web.get(ALL).mock(return_value=there)
    assert isinstance(await desk.find(OP, SINCE), Absent if believed else CannotTell)


@pytest.mark.parametrize("status", [401, 403])
async def test_a_wrong_key_proves_nothing_and_moves_no_cursor(
    web: Routes, desk: Redmine, status: int
) -> None:
    """On the list of all projects it is 200 and empty, which looks like Absent, and like a quiet day."""
    web.get(ALL).mock(return_value=rows())
    web.get(LIST).respond(status)
    with pytest.raises(AuthFailed):
        await desk.find(OP, SINCE)
    with pytest.raises(AuthFailed):
        await desk.changes(None)
    place = {name: stamp(AT) for name in ("newest", "elsewhere", "begin", "floor")}
    with pytest.raises(AuthFailed):
        await desk.changes({**place, "todo": [], "seen": {}})


# Listening


async def test_listening_starts_at_the_newest_and_tells_nothing(web: Routes, desk: Redmine) -> None:
    tracker = Tracker(web)
    tracker.put(7, AT, journal(40, "old", at=AT - timedelta(seconds=9)))
    start = await desk.changes(None)
    assert (start.changes, start.unread, start.done) == ((), (), True)
    ids, page = await every(desk, start.next)
    moves(desk)
    assert ids + (await every(desk, page.next))[0] == [], "what is older than the start is no news"


async def test_an_empty_project_is_listened_to_from_its_first_issue(web: Routes, desk: Redmine) -> None:
    tracker = Tracker(web)
    start = await desk.changes(None)
    tracker.put(7, AT, journal(41, "hello"))
    assert (await every(desk, start.next))[0] == ["41"]


async def test_a_note_a_state_and_a_file_in_one_journal(web: Routes, desk: Redmine) -> None:
    tracker = Tracker(web)
    start = await desk.changes(None)
    file = {"property": "attachment", "name": "9", "old_value": None, "new_value": "a\x1b.txt"}
    tracker.put(
        7,
        AT,
        journal(41, f"thanks\r\n\r\n[muster:{OP}]", by=US),
        journal(42, "we \x1b[31mlook\r\nsoon", **sets(2)),
        journal(43, "", details=[file]),
        journal(44, None, details=[{"property": "attr", "name": "subject", "new_value": "x"}]),
        journal(45, "not for you", private_notes=True),
        journal(46, "", by=None, **sets(77)),
    )
    page = await desk.changes(start.next)
    mine, reply, state, attached, odd = page.changes
    assert (mine.change_id, mine.marker, mine.by_our_account, mine.body) == ("41", OP, True, "thanks")
    assert (reply.author, reply.body, reply.by_our_account) == ("Alva Agent", "we [31mlook\nsoon", False)
    assert (state.change_id, state.kind, state.raw_state) == ("42.state", ChangeKind.STATE, "In Progress")
    assert (attached.change_id, attached.kind, attached.body) == ("9.file", ChangeKind.FILE, "a.txt")
    assert (attached.size, attached.place) == (None, ""), "it was taken away again"
    assert (odd.raw_state, odd.state, odd.author) == ("status 77", Theirs.UNMAPPED, "")
    assert page.done


async def test_links_and_priorities_of_a_journal(web: Routes, desk: Redmine) -> None:
    tracker = Tracker(web)
    web.get("/enumerations/issue_priorities.json").respond(
        json={"issue_priorities": [{"id": 3, "name": "High"}, {"id": 9, "name": "Odd"}]}
    )
    start = await desk.changes(None)
    linked = [("relation", "copied_to", "8"), ("attr", "child_id", "9"), ("relation", "blocks", "10")]
    gone = {"property": "relation", "name": "relates", "old_value": "11", "new_value": None}
    details = [{"property": p, "name": name, "new_value": value} for p, name, value in linked]
    priority = {"property": "attr", "name": "priority_id", "old_value": "4"}
    tracker.put(
        7,
        AT,
        journal(41, "", details=[*details, gone]),
        journal(42, "", details=[priority | {"new_value": "3"}]),
        journal(43, "", details=[priority | {"new_value": "9"}], by=US),
    )
    *links, high, odd = (await desk.changes(start.next)).changes
    assert [(one.kind, one.link and one.link.id, one.body) for one in links] == [
        (ChangeKind.LINK, "8", "copied to"),
        (ChangeKind.LINK, "9", "has the part"),
        (ChangeKind.LINK, "10", "blocks"),
    ]
    assert (high.change_id, high.raw_priority, high.priorities) == (
        "42.priority",
        "High",
        (Priority.MODERATE,),
    )
    assert (odd.raw_priority, odd.priorities, odd.by_our_account) == ("Odd", (), True)


async def test_two_changes_of_one_second_are_both_told(web: Routes, desk: Redmine) -> None:
    """The list shows the same for one and for two: the issue is read again when its second is over."""
    tracker = Tracker(web)
    start = await desk.changes(None)
    tracker.put(7, AT, journal(41, "first"))
    ids, page = await every(desk, start.next)
    tracker.put(7, AT, journal(41, "first"), journal(42, "second"))
    assert ids == ["41"]
    moves(desk, 1)
    early, page = await every(desk, page.next)
    moves(desk)
    late, page = await every(desk, page.next)
    moves(desk)
    assert (early, late) == ([], ["41", "42"])
    assert (await every(desk, page.next))[0] == []
    assert tracker.read == [7, 7]


async def test_what_was_there_in_the_second_in_which_we_begin_is_not_told_and_what_comes_in_it_is(
    web: Routes, desk: Redmine
) -> None:
    tracker = Tracker(web)
    tracker.put(6, AT - timedelta(minutes=1), journal(40, "a minute ago", at=AT - timedelta(minutes=1)))
    tracker.put(7, AT, journal(41, "just before"))
    start = await desk.changes(None)
    assert await every(desk, start.next) == ([], Page((), start.next, done=True))
    tracker.put(7, AT, journal(41, "just before"), journal(42, "just after"))
    ids, page = await every(desk, start.next)
    assert ids == ["42"]
    ids, page = await every(desk, page.next)
    assert ids == [], "each poll of that second reads the issue, and tells what is new"
    tracker.put(7, AT, journal(41, "just before"), journal(42, "just after"), journal(43, "and this"))
    moves(desk)
    ids, page = await every(desk, page.next)
    assert ids == ["43"]  # it was read once more when its second was over
    moves(desk)
    tracker.read.clear()
    assert (await every(desk, page.next))[0] == []
    assert tracker.read == []


async def test_a_change_that_appears_below_the_newest_is_told(web: Routes, desk: Redmine) -> None:
    tracker = Tracker(web)
    start = await desk.changes(None)
    tracker.put(8, AT + timedelta(seconds=9), journal(43, "later"))
    ids, page = await every(desk, start.next)
    tracker.put(7, AT, journal(42, "was still being written", at=AT))
    assert (ids, (await every(desk, page.next))[0]) == (["43"], ["42"])


async def test_more_issues_than_a_page_in_one_second_lose_none_and_wedge_nothing(
    web: Routes, desk: Redmine
) -> None:
    tracker = Tracker(web)
    start = await desk.changes(None)
    for number in range(1, 251):
        tracker.put(number, AT, journal(1000 + number, "x"))
    asked = len(tracker.asked)
    page = await desk.changes(start.next)
    walked = [params for params in tracker.asked[asked:] if "author_id" not in params]
    assert [params.get("issue_id") for params in walked] == [None, ">=101", ">=201"], "never by offset"
    assert len(page.changes) == AT_ONCE
    assert not page.done
    ids, page = await every(desk, page.next)
    assert len(ids) == 250 - AT_ONCE
    assert len(tracker.read) == len(set(tracker.read)) == 250
    assert len([params for params in tracker.asked[asked:] if "author_id" not in params]) == 3


async def test_at_rest_a_poll_asks_for_what_is_newer_alone(web: Routes, desk: Redmine) -> None:
    tracker = Tracker(web)
    tracker.put(7, AT)
    page = await desk.changes(None)
    for _ in range(CALM + 3):
        moves(desk)
        page = await desk.changes(page.next)
    assert tracker.asked[1]["updated_on"] == f">={stamp(AT - OVERLAP)}"
    assert tracker.asked[-1]["updated_on"] == f">={stamp(AT + timedelta(seconds=1))}"
    requests = len(web.calls)
    assert (await desk.changes(page.next)).next == page.next, "nothing to write down"
    assert len(web.calls) == requests + 1


async def test_a_ticket_that_they_moved_to_another_project_is_heard_of(web: Routes, desk: Redmine) -> None:
    tracker = Tracker(web)
    tracker.put(7, AT)
    page = await desk.changes(None)
    _, page = await every(desk, page.next)
    tracker.elsewhere[7] = issue(
        7, updated_on=stamp(AT + OVERLAP), journals=[journal(50, "over here", at=AT + OVERLAP)]
    )
    del tracker.issues[7]
    heard: list[str] = []
    for _ in range(ELSEWHERE):
        moves(desk)
        ids, page = await every(desk, page.next)
        heard += ids
    assert set(heard) == {"50"}  # once more when its second is over


async def test_a_cursor_survives_a_restart_in_the_middle(web: Routes, desk: Redmine) -> None:
    tracker = Tracker(web)
    start = await desk.changes(None)
    for number in range(1, AT_ONCE + 6):
        tracker.put(number, AT, journal(1000 + number, "x"))
    first = await desk.changes(start.next)
    cursor = orjson.loads(orjson.dumps(first.next))
    async with Http(BASE, name="acme") as http:
        again = Redmine(http, CONFIG)
        again._news._feed._clock = desk._news._feed._clock
        ids, _ = await every(again, cursor)
    assert sorted(ids) == [str(1000 + number) for number in range(AT_ONCE + 1, AT_ONCE + 6)]


@pytest.mark.parametrize(
    "bad", [{"created_on": "yesterday"}, {"created_on": ""}, {"user": "me"}, {"details": "none"}]
)
async def test_a_journal_that_cannot_be_read_is_kept_and_the_cursor_goes_on(
    web: Routes, desk: Redmine, bad: dict[str, Any]
) -> None:
    tracker = Tracker(web)
    start = await desk.changes(None)
    tracker.put(7, AT, journal(41, "a"), journal(42, "b") | bad, journal(43, "c"))
    page = await desk.changes(start.next)
    assert [change.change_id for change in page.changes] == ["41", "43"]
    assert [(unread.change_id, unread.ticket) for unread in page.unread] == [("42", "7")]
    assert page.unread[0].why


@pytest.mark.parametrize(
    "listed",
    [
        rows({"id": "?"}),
        rows(total=3),
        rows(issue(9), issue(8)),
        httpx.Response(200, html="<html>login</html>"),
    ],
)
async def test_a_list_that_cannot_be_right_moves_no_cursor(web: Routes, desk: Redmine, listed: Any) -> None:
    Tracker(web)
    start = await desk.changes(None)
    web.get(LIST).mock(return_value=listed)
    with pytest.raises(Unavailable):
        await desk.changes(start.next)


async def test_an_issue_that_always_fails_does_not_hold_up_the_rest_for_ever(
    web: Routes, desk: Redmine
) -> None:
    tracker = Tracker(web)
    start = await desk.changes(None)
    tracker.put(7, AT, journal(41, "lost"))
    tracker.put(8, AT, journal(42, "heard"))
    tracker.broken[7] = 500
    for _ in range(PATIENCE - 1):
        with pytest.raises(Unavailable):
            await desk.changes(start.next)
    page = await desk.changes(start.next)
    assert [change.change_id for change in page.changes] == ["42"]
    assert [(unread.change_id, unread.ticket) for unread in page.unread] == [(f"issue 7 {stamp(AT)}", "7")]


async def test_what_was_read_before_a_line_broke_is_not_read_again(web: Routes, desk: Redmine) -> None:
    tracker = Tracker(web)
    start = await desk.changes(None)
    for number in (7, 8, 9):
        tracker.put(number, AT, journal(40 + number, "x"))
    tracker.broken[9] = 503
    page = await desk.changes(start.next)
    assert ([change.change_id for change in page.changes], page.done) == (["47", "48"], False)
    with pytest.raises(Unavailable):
        await desk.changes(page.next)
    tracker.broken.clear()
    assert (await every(desk, page.next))[0] == ["49"]
    assert tracker.read == [7, 8, 9, 9, 9]


@pytest.mark.parametrize(("status", "kept"), [(404, 0), (403, 1)])
async def test_an_issue_deleted_or_hidden_meanwhile(
    web: Routes, desk: Redmine, status: int, kept: int
) -> None:
    tracker = Tracker(web)
    start = await desk.changes(None)
    tracker.put(7, AT, journal(41, "gone"))
    tracker.broken[7] = status
    page = await desk.changes(start.next)
    assert (page.changes, len(page.unread), page.done) == ((), kept, True)


async def test_what_is_deleted_before_its_second_was_over_makes_no_poll_look_back_for_ever(
    web: Routes, desk: Redmine
) -> None:
    tracker = Tracker(web)
    tracker.put(6, AT - timedelta(minutes=1))
    start = await desk.changes(None)
    tracker.put(7, AT, journal(41, "soon gone"))
    assert (await every(desk, start.next))[0] == ["41"]
    page = await desk.changes(start.next)
    del tracker.issues[7]
    for _ in range(2 * CALM):
        moves(desk)
        _, page = await every(desk, page.next)
    asked = tracker.asked[-1]
    assert asked["updated_on"] == f">={stamp(AT + timedelta(seconds=1))}"


async def test_what_is_told_a_second_before_the_list_began_is_not_read_at_each_poll(
    web: Routes, desk: Redmine
) -> None:
    """Redmine lists by times that are finer than what it tells: seen on a real one."""
    tracker = Tracker(web)
    tracker.finer = timedelta(seconds=1)
    tracker.put(6, AT - OVERLAP - timedelta(seconds=1))
    tracker.put(7, AT)
    page = await desk.changes(None)
    for _ in range(CALM + 5):
        moves(desk)
        _, page = await every(desk, page.next)
    assert tracker.read.count(6) <= 1
    assert tracker.asked[-1]["updated_on"] == f">={stamp(AT + timedelta(seconds=1))}"


# Changing one


def answers(web: Routes, *after: dict[str, Any]) -> respx.Route:
    """PUT says 204, whatever it did; the issue then reads as given, one reading after the other."""
    web.get("/issues/7.json").mock(
        side_effect=[httpx.Response(200, json={"issue": one}) for one in (*after, *[after[-1]] * 9)]
    )
    return web.put("/issues/7.json").respond(204)


def allows(*numbers: int) -> dict[str, Any]:
    return {"allowed_statuses": named({number: STATUSES[number] for number in numbers})}


async def test_a_reply_is_read_back_and_gives_its_id(web: Routes, desk: Redmine) -> None:
    written = journal(41, f"hello\n\n[muster:{OP}]", by=US)
    put = answers(web, issue(journals=[journal(40, f"hello\n\n[muster:{OP}]"), written]))
    assert (await desk.apply(SEVEN, Comment(OP, "hello"), "90")).change_ids == ("41",)
    assert orjson.loads(put.calls.last.request.content)["issue"] == {
        "notes": f"hello\n\n[muster:{OP}]",
        "private_notes": False,
    }
    assert "if-match" not in put.calls.last.request.headers
    assert Cap.ETAG not in desk.info.caps, "it would be ignored, and what they changed overwritten"


async def test_a_note_that_was_dropped_without_a_word_is_told(web: Routes, desk: Redmine) -> None:
    answers(web, issue(journals=[]))
    with pytest.raises(Rejected, match="wrote no note on #7"):
        await desk.apply(SEVEN, Comment(OP, "hello"))


async def test_a_note_that_could_not_be_read_back_is_looked_up(web: Routes, desk: Redmine) -> None:
    web.put("/issues/7.json").respond(204)
    web.get("/issues/7.json").mock(side_effect=httpx.ReadTimeout)
    with pytest.raises(Ambiguous) as caught:
        await desk.apply(SEVEN, Comment(OP, "hello"))
    assert caught.value.op_id == OP


async def test_a_status_dropped_in_silence_is_told(web: Routes, desk: Redmine) -> None:
    put = answers(web, issue(**allows(2, 3)), issue())
    with pytest.raises(Rejected, match="did not set #7 to Resolved"):
        await desk.apply(SEVEN, Transition(OP, Theirs.FIXED))
    assert orjson.loads(put.calls.last.request.content)["issue"] == {"status_id": 3}


async def test_a_status_that_the_workflow_forbids_sends_nothing(web: Routes, desk: Redmine) -> None:
    put = answers(web, issue(**allows(2, 3)))
    with pytest.raises(Rejected, match="from New to Rejected, only to In Progress, Resolved"):
        await desk.apply(SEVEN, Transition(OP, Theirs.REFUSED, "the note would stay"))
    assert not put.called


async def test_a_state_and_its_note_go_in_one_request(web: Routes, desk: Redmine) -> None:
    written = journal(41, f"done\n\n[muster:{OP}]", by=US, **sets(5))
    put = answers(web, issue(**allows(5)), issue(status=5, journals=[written]))
    applied = await desk.apply(SEVEN, Transition(OP, Theirs.CLOSED, "done"))
    assert applied.change_ids == ("41", "41.state")
    assert orjson.loads(put.calls.last.request.content)["issue"]["status_id"] == 5
    assert put.call_count == 1


async def test_a_lost_put_may_be_repeated_a_lost_note_may_not(web: Routes, desk: Redmine) -> None:
    answers(web, issue(**allows(3)))
    web.put("/issues/7.json").mock(side_effect=httpx.ReadTimeout)
    for harmless in (Transition(OP, Theirs.FIXED), Reprioritise(OP, Priority.HIGH)):
        with pytest.raises(Unavailable):
            await desk.apply(SEVEN, harmless)
    for update in (Comment(OP, "hello"), Transition(OP, Theirs.FIXED, "done")):
        with pytest.raises(Ambiguous):
            await desk.apply(SEVEN, update)


async def test_a_priority_dropped_in_silence_is_told(web: Routes, desk: Redmine) -> None:
    answers(web, issue())
    with pytest.raises(Rejected, match="did not set #7 to Immediate"):
        await desk.apply(SEVEN, Reprioritise(OP, Priority.CRITICAL))


async def test_a_private_note_is_sent_only_with_the_right(web: Routes) -> None:
    config = CONFIG.model_copy(update={"internal_comments": True})
    put = answers(web, issue(journals=[journal(41, f"x\n\n[muster:{OP}]", by=US, private_notes=True)]))
    async with Http(BASE, name="acme") as http:
        desk = Redmine(http, config)
        with pytest.raises(Rejected, match="nothing was sent"):
            await desk.apply(SEVEN, Comment(OP, "x", public=False))
        assert not put.called
        rights = {"role": {"permissions": [*RIGHTS, "set_notes_private"]}}
        web.get("/roles/6.json").respond(json=rights)
        assert (await desk.apply(SEVEN, Comment(OP, "x", public=False))).change_ids == ("41",)


async def test_a_private_note_made_public_is_taken_back(web: Routes) -> None:
    """The right was taken away between our look and our note: Redmine says 204 and shows it to all."""
    config = CONFIG.model_copy(update={"internal_comments": True})
    answers(web, issue(journals=[journal(41, f"x\n\n[muster:{OP}]", by=US)]))
    web.get("/roles/6.json").respond(json={"role": {"permissions": [*RIGHTS, "set_notes_private"]}})
    emptied = web.put("/journals/41.json").respond(204)
    async with Http(BASE, name="acme") as http:
        with pytest.raises(Rejected, match=r"made our private note on #7 public .* taken back"):
            await Redmine(http, config).apply(SEVEN, Comment(OP, "x", public=False))
        assert orjson.loads(emptied.calls.last.request.content) == {"journal": {"notes": ""}}
        emptied.respond(403)
        with pytest.raises(Rejected, match="ask them to delete it"):
            await Redmine(http, config).apply(SEVEN, Comment(OP, "x", public=False))


async def test_a_file_is_uploaded_and_named_in_a_note(web: Routes, desk: Redmine) -> None:
    put = answers(web, issue(journals=[journal(41, f"File: ö.bin\n\n[muster:{OP}]", by=US)]))
    sent = web.post("/uploads.json").respond(201, json={"upload": {"id": 1, "token": "1.ab"}})
    await desk.apply(SEVEN, Attach(OP, "ö.bin", "image/png", "", b"\x00\xff"))
    request = sent.calls.last.request
    assert (request.content, request.url.params["filename"]) == (b"\x00\xff", "ö.bin")
    assert request.headers["content-type"] == "application/octet-stream", "any other is refused with 406"
    told = orjson.loads(put.calls.last.request.content)["issue"]["uploads"]
    assert told == [{"token": "1.ab", "filename": "ö.bin", "content_type": "image/png"}]


def there(number: int, size: int | None, name: str = "a.txt", by: Any = THEM) -> dict[str, Any]:
    return {"id": number, "filename": name, "filesize": size, "author": by, "created_on": stamp(AT)}


async def test_files_are_told_with_their_size_and_place(web: Routes, desk: Redmine) -> None:
    with_text, ours, hidden = (
        {"details": [{"property": "attachment", "name": number, "new_value": name}]}
        for number, name in (("9", "a.txt"), ("10", "b.txt"), ("11", "c.txt"))
    )
    journals = [
        journal(41, "see there", **with_text),
        journal(42, f"File: b.txt\n\n[muster:{OTHER}]", by=US, **ours),
        journal(43, "not for you", private_notes=True, **hidden),
    ]
    answers(
        web,
        issue(journals=journals, attachments=[there(8, 5, "first.txt"), there(9, 7), there(10, 1, by=US)]),
    )
    _, first, text, file, our_text, our_file = (await desk.history(SEVEN)).changes
    assert (first.change_id, first.body, first.size, first.place) == ("8.file", "first.txt", 5, "8")
    assert (text.body, file.change_id, file.body) == ("see there", "9.file", "a.txt")
    assert (file.kind, file.size, file.place) == (ChangeKind.FILE, 7, "9")
    assert (file.author, file.by_our_account, file.marker) == ("Alva Agent", False, None)
    assert (our_file.kind, our_file.marker, our_file.by_our_account) == (ChangeKind.FILE, OTHER, True)
    applied = await desk.apply(SEVEN, Comment(OTHER, "File: b.txt"))
    assert applied.change_ids == (our_text.change_id, our_file.change_id), "so neither comes back as news"


async def test_a_file_is_fetched_by_its_number_and_its_size_looked_at_first(
    web: Routes, desk: Redmine
) -> None:
    about = web.get("/attachments/9.json")
    content = web.get("/attachments/download/9").respond(200, html="<b></b>")
    about.respond(200, json={"attachment": there(9, 7)})
    assert await desk.fetch(SEVEN, "9", 7) == b"<b></b>", "a web page may be what they put there"
    with pytest.raises(Rejected, match="7 bytes, and 6 is the most"):
        await desk.fetch(SEVEN, "9", 6)
    about.respond(200, json={"attachment": there(9, None)})
    with pytest.raises(Rejected, match="unknown number of bytes"):
        await desk.fetch(SEVEN, "9", 7)
    assert content.call_count == 1
    about.respond(200, json={"attachment": there(9, 70)})
    with pytest.raises(Unavailable, match="another file"):
        await desk.fetch(SEVEN, "9", 700)
    about.respond(404)
    with pytest.raises(Gone):
        await desk.fetch(SEVEN, "9", 7)
    with pytest.raises(Rejected):
        await desk.fetch(SEVEN, "../issues/7", 7)


async def test_one_hidden_ticket_is_not_a_lost_right(web: Routes, desk: Redmine) -> None:
    web.get("/issues/7.json").respond(403)
    web.put("/issues/7.json").respond(403)
    for call in (lambda: desk.get(SEVEN), lambda: desk.apply(SEVEN, Comment(OP, "x"))):
        with pytest.raises(Rejected, match="another project, or made private"):
            await call()
    web.get("/projects/supplier.json").respond(403)
    with pytest.raises(AuthFailed):
        await desk.get(SEVEN)


async def test_a_comment_is_found_by_its_marker_under_our_account_alone(web: Routes, desk: Redmine) -> None:
    theirs, ours = journal(41, f"quoted\n\n[muster:{OP}]"), journal(42, f"two\n\n[muster:{OTHER}]", by=US)
    answers(web, issue(journals=[theirs, ours]))
    assert await desk.find_comment(SEVEN, OTHER) == Found((SEVEN.model_copy(update={"id": "42"}),))
    assert await desk.find_comment(SEVEN, OP) == Absent()
    answers(web, issue(journals=[theirs, {"id": 43}]))
    assert isinstance(await desk.find_comment(SEVEN, OP), CannotTell)


@pytest.mark.parametrize("number", ["", "7/x", "../queue/1", "٧", "-1"])
async def test_a_reference_that_is_no_number_is_sent_nowhere(web: Routes, desk: Redmine, number: str) -> None:
    ref = Ref(id=number, key="x")
    for call in (
        desk.get(ref),
        desk.history(ref),
        desk.apply(ref, Comment(OP, "x")),
        desk.find_comment(ref, OP),
    ):
        with pytest.raises(Rejected, match="no issue number"):
            await call
    assert not web.calls


# Checking and configuring


async def test_check_tells_what_would_go_wrong(web: Routes, desk: Redmine) -> None:
    web.get("/projects/supplier.json").respond(json=project(status=5))
    web.get("/users/current.json").respond(json={"user": {"id": 5, "login": "me", "memberships": []}})
    statuses = {"issue_statuses": named(STATUSES | {9: "On \x1b[31mice"})}
    web.get("/issue_statuses.json").respond(json=statuses)
    web.get(LIST).mock(return_value=rows(issue(custom_fields=[{"id": 2, "name": "Site code"}])))
    web.get("/issues/7.json").respond(json={"issue": issue(custom_fields=[])})
    health = await desk.check()
    bad = {check.name: check for check in health.checks if not check.ok}
    assert list(bad) == ["project", "permission", "states", "reference", "look-up"]
    assert bad["states"].says == "On [31mice means nothing to us"
    assert "2 Site code" in bad["reference"].says
    assert all(check.todo for check in bad.values())


@pytest.mark.parametrize(
    "wrong",
    [
        {"transitions": {"fixed": "Resolvd"}},
        {"project": "a/b"},
        {"project": ""},
        {"reference_field": "External ref"},
        {"reference_field": 0},
        {"states": {"New": "busy"}},
        {"priorities": {"9": "x"}},
        {"key": "secret"},
    ],
)
def test_a_wrong_configuration_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        RedmineConfig.model_validate({"project": "supplier", "reference_field": 1} | wrong)
