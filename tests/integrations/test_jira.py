"""What is Jira's own, on a played site: each of its traps, and what a poll costs."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
import respx
from pydantic import ValidationError

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
    Lagging,
    Ref,
    Reprioritise,
    Theirs,
    Transition,
)
from integrations.errors import AuthFailed, Gone, Moved, RateLimited, Rejected
from integrations.http import Http
from integrations.jira.config import JiraConfig
from integrations.jira.fields import on_screen
from integrations.jira.wire import Screen, TheirComment
from integrations.signing import HookRefused
from integrations.systems.jira import Jira
from register.core import new_id
from register.incident import Priority
from tests.played.jira import PlayedJira, is_document
from tests.played.jira_site import LENA, OPTION, USER
from tests.played.jira_world import JiraWorld

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture
def world(request: pytest.FixtureRequest) -> JiraWorld:
    return JiraWorld(getattr(request, "param", "cloud"))


@pytest.fixture
def site(world: JiraWorld) -> PlayedJira:
    return world.desk


@pytest.fixture
def wire(world: JiraWorld) -> Line:
    return Line(world.transport())


@pytest.fixture
async def http(world: JiraWorld, wire: Line) -> AsyncIterator[Http]:
    headers = Jira.headers(world.config, world.secret)
    async with Http(world.url, headers, name="acme", transport=wire) as http:
        yield http


@pytest.fixture
def desk(http: Http, world: JiraWorld) -> Jira:
    return Jira(http, world.config)


def changed(desk: Jira, **keys: Any) -> Jira:
    """The same with other words in vendors.toml."""
    return Jira(desk.http, JiraConfig.model_validate({**desk.config.model_dump(exclude_unset=True), **keys}))


def draft(op_id: str = "", **fields: str) -> Draft:
    return Draft(op_id or new_id(), "Checkout is down", "It says *500*.", Priority.CRITICAL, fields)


async def heard(desk: Jira, cursor: Any) -> tuple[list[Any], Any]:
    found: list[Any] = []
    for _ in range(30):
        page = await desk.changes(cursor)
        found += page.changes
        cursor = page.next
        if page.done:
            return found, cursor
    raise AssertionError("the feed does not end")


def sent(wire: Line, method: str, end: str) -> list[Any]:
    asked = [one for one in wire.asked if one.method == method and one.url.path.endswith(end)]
    return [orjson.loads(one.content) for one in asked]


# Making an issue


async def test_an_issue_goes_as_a_document_with_label_and_property(desk: Jira, wire: Line) -> None:
    op_id = new_id()
    ref = await desk.create(draft(op_id))
    (told,) = sent(wire, "POST", "/rest/api/3/issue")
    assert told["fields"]["labels"] == [f"muster-{op_id}"]
    assert told["properties"] == [{"key": "muster", "value": {"op_id": op_id}}]
    assert (told["fields"]["project"], told["fields"]["priority"]) == ({"key": "OPS"}, {"name": "Highest"})
    assert told["fields"]["description"] == {
        "type": "doc",
        "version": 1,
        "content": [
            {"type": "paragraph", "content": [{"type": "text", "text": "It says *500*."}]},
            {"type": "paragraph", "content": [{"type": "text", "text": f"[muster:{op_id}]"}]},
        ],
    }
    assert is_document(told["fields"]["description"])
    pair = base64.b64encode(f"{USER}:token-0123456789abcdef".encode()).decode()
    assert wire.asked[-1].headers["authorization"] == f"Basic {pair}"
    assert ref.url == f"https://acme.atlassian.net/browse/{ref.key}"


async def test_nothing_found_proves_nothing_until_the_index_has_it(desk: Jira, site: PlayedJira) -> None:
    site.hurry = False
    site.lag = timedelta(seconds=60)
    op_id = new_id()
    ref = await desk.create(draft(op_id))
    assert await desk.find(op_id, LONG_AGO) == Absent()
    site.tick(60)
    assert await desk.find(op_id, LONG_AGO) == Found((ref,))
    assert isinstance(desk.info.lookup, Lagging), "so the engine believes no empty answer"


async def test_a_hit_that_does_not_carry_our_reference_is_none(desk: Jira, site: PlayedJira) -> None:
    op_id = new_id()
    site.made(LENA, "OPS", "About yours", site.text(f"you sent {op_id}, what is it?"))
    assert isinstance(await desk.find(op_id, LONG_AGO), CannotTell)


async def test_nobody_is_shown_nothing_and_that_proves_nothing(desk: Jira, site: PlayedJira) -> None:
    start = (await desk.changes(None)).next
    site.known = False
    for asked in (desk.find(new_id(), LONG_AGO), desk.changes(start)):
        with pytest.raises(AuthFailed):
            await asked


async def test_a_field_that_is_on_no_screen_is_told(desk: Jira, site: PlayedJira) -> None:
    site.without.add("labels")
    with pytest.raises(Rejected, match=r"labels.*cannot be set"):
        await desk.create(draft())
    assert site.issues == {}


async def test_an_option_goes_as_an_option(desk: Jira, site: PlayedJira) -> None:
    ref = await desk.create(draft(**{f"{OPTION}:option": "Gold"}))
    assert site.issues[ref.id]["fields"][OPTION] == {"value": "Gold"}


@pytest.mark.parametrize("world", ["cloud", "desk", "datacenter"], indirect=True)
async def test_a_text_that_is_too_long_is_told_before_anything_is_sent(desk: Jira, wire: Line) -> None:
    ref = await desk.create(draft())
    before = len([one for one in wire.asked if line.writes(one)])
    with pytest.raises(Rejected, match="32,767"):
        await desk.apply(ref, Comment(new_id(), "x" * 32_767))
    with pytest.raises(Rejected, match="32,767"):
        await desk.create(Draft(new_id(), "t", "x" * 32_767, Priority.LOW))
    assert len([one for one in wire.asked if line.writes(one)]) == before


# A service desk


@pytest.mark.parametrize("world", ["desk"], indirect=True)
async def test_a_request_takes_what_is_on_its_form(desk: Jira, site: PlayedJira, wire: Line) -> None:
    site.form = ["summary", "description"]
    op_id = new_id()
    ref = await desk.create(draft(op_id))
    (told,) = sent(wire, "POST", "/servicedeskapi/request")
    assert (told["serviceDeskId"], told["requestTypeId"]) == ("10", "25")
    assert set(told["requestFieldValues"]) == {"summary", "description"}
    assert await desk.find(op_id, LONG_AGO) == Found((ref,)), "by its words: it has no label"
    assert not sent(wire, "POST", "/rest/api/3/issue")


@pytest.mark.parametrize("world", ["desk"], indirect=True)
async def test_public_and_internal_words_and_which_became_which(
    desk: Jira, site: PlayedJira, wire: Line
) -> None:
    ref = await desk.create(draft())
    await desk.apply(ref, Comment(new_id(), "hello"))
    await desk.apply(ref, Comment(new_id(), "between us", public=False))
    assert [one["public"] for one in sent(wire, "POST", "/comment")] == [True, False]
    site.internal = True
    with pytest.raises(Rejected, match="internal, which is not meant for us"):
        await desk.apply(ref, Comment(new_id(), "hello"))


@pytest.mark.parametrize("world", ["desk"], indirect=True)
async def test_internal_words_stay_unheard_unless_wanted(desk: Jira, site: PlayedJira) -> None:
    ref = await desk.create(draft())
    start = (await desk.changes(None)).next
    site.says(site.issues[ref.id], LENA, site.text("about the customer"), public=False)
    told, _ = await heard(desk, start)
    assert [(one.body, one.public) for one in told] == [("about the customer", False)]
    deaf = changed(desk, internal_comments=False)
    assert (await heard(deaf, start))[0] == []
    with pytest.raises(Rejected, match="internal_comments"):
        await deaf.apply(ref, Comment(new_id(), "x", public=False))


@pytest.mark.parametrize(
    ("mark", "public"),
    [
        ({}, True),
        ({"jsdPublic": True}, True),
        ({"jsdPublic": False}, False),
        ({"properties": [{"key": "sd.public.comment", "value": {"internal": True}}]}, False),
        ({"properties": [{"key": "sd.public.comment", "value": {"internal": "true"}}]}, False),
        ({"properties": [{"key": "sd.public.comment", "value": {"internal": False}}]}, True),
        ({"visibility": {"type": "role", "value": "Developers"}}, False),
    ],
)
def test_each_way_to_say_that_a_word_is_internal_is_understood(mark: dict[str, Any], public: bool) -> None:
    """Cloud says so in a field, Data Center in a property alone."""
    told = {"id": "7", "created": "2026-01-05T09:00:00.000+0100", **mark}
    assert TheirComment.model_validate(told).public is public


@pytest.mark.parametrize("world", ["desk"], indirect=True)
async def test_a_form_that_asks_for_more_is_told(desk: Jira, site: PlayedJira) -> None:
    site.form = [*site.form, "customfield_10077"]
    (form,) = [one for one in (await desk.check()).checks if one.name == "form"]
    assert not form.ok
    assert "customfield_10077" in form.says


# Steps


async def test_a_step_that_is_not_possible_is_told_with_what_is(
    desk: Jira, site: PlayedJira, wire: Line
) -> None:
    ref = await desk.create(draft())
    site.blocked = {"Done"}
    with pytest.raises(Rejected, match=r"to In Progress \(by Set In Progress\).*nothing was sent"):
        await desk.apply(ref, Transition(new_id(), Theirs.FIXED))
    assert sent(wire, "POST", "/transitions") == []
    asked = [one for one in wire.asked if one.url.path.endswith("/transitions")]
    assert [one.url.params["expand"] for one in asked] == ["transitions.fields"]


async def test_what_a_step_asks_for_is_told_or_filled(desk: Jira, site: PlayedJira, wire: Line) -> None:
    ref = await desk.create(draft())
    site.required = {"resolution"}
    with pytest.raises(Rejected, match=r"asks for resolution \(Resolution\).*nothing was sent"):
        await desk.apply(ref, Transition(new_id(), Theirs.FIXED))
    with pytest.raises(Rejected, match="does not take Solved there, but Fixed, Won't Do"):
        await desk.apply(ref, Transition(new_id(), Theirs.FIXED, fields={"resolution": "Solved"}))
    assert sent(wire, "POST", "/transitions") == []
    await desk.apply(ref, Transition(new_id(), Theirs.FIXED, fields={"resolution": "Fixed"}))
    (told,) = sent(wire, "POST", "/transitions")
    assert told["fields"] == {"resolution": {"name": "Fixed"}}


def test_a_screen_may_take_plain_words() -> None:
    """As Atlassian's own example of transitions has it."""
    screen = Screen.model_validate(
        {"name": "Colour", "schema": {"type": "array", "items": "option"}, "allowedValues": ["red", "blue"]}
    )
    assert on_screen("colour", screen, "red") == [{"value": "red"}]
    with pytest.raises(Rejected, match="but red, blue"):
        on_screen("colour", screen, "green")


async def test_a_field_that_is_not_on_the_steps_screen_is_told(desk: Jira, wire: Line) -> None:
    ref = await desk.create(draft())
    with pytest.raises(Rejected, match="no resolution on the screen of Set In Progress"):
        await desk.apply(ref, Transition(new_id(), Theirs.WORKING, fields={"resolution": "Fixed"}))
    assert sent(wire, "POST", "/transitions") == []


async def test_a_step_without_a_screen_drops_no_word(desk: Jira, site: PlayedJira) -> None:
    site.screen = False
    ref = await desk.create(draft())
    done = await desk.apply(ref, Transition(new_id(), Theirs.FIXED, "it works"))
    assert [site.read(one["body"])[:8] for one in site.issues[ref.id]["comments"]] == ["it works"]
    assert done.change_ids[0] == site.issues[ref.id]["comments"][0]["id"]


async def test_a_state_that_a_rule_sets_back_is_told(desk: Jira, site: PlayedJira) -> None:
    ref = await desk.create(draft())
    site.rule = lambda issue: site.sets(issue, LENA, "3")
    with pytest.raises(Rejected, match="left OPS-1 In Progress, not Done"):
        await desk.apply(ref, Transition(new_id(), Theirs.FIXED))


async def test_a_status_that_no_table_names_means_its_category(desk: Jira, site: PlayedJira) -> None:
    ref = await desk.create(draft())
    start = (await desk.changes(None)).next
    site.sets(site.issues[ref.id], LENA, "6")
    told, _ = await heard(desk, start)
    assert [(one.raw_state, one.state) for one in told] == [("With the field team", Theirs.WORKING)]
    strict = changed(desk, categories_of_states={})
    assert (await strict.get(ref)).state is Theirs.UNMAPPED
    (states,) = [one for one in (await strict.check()).checks if one.name == "states"]
    assert not states.ok


# Listening


async def test_a_quiet_poll_is_one_small_request_by_epoch_milliseconds(
    desk: Jira, wire: Line, site: PlayedJira
) -> None:
    await desk.create(draft())
    site.tick(3_600)
    start = (await desk.changes(None)).next
    before = len(wire.asked)
    page = await desk.changes(start)
    assert (page.changes, page.done, len(wire.asked) - before) == ((), True, 1)
    (told,) = sent(wire, "POST", "/search/jql")
    floor = round((datetime.fromisoformat(start["floor"])).timestamp() * 1_000)
    assert f"updated >= {floor} ORDER BY updated ASC, key ASC" in told["jql"]
    assert told["fields"] == ["updated"]


async def test_ten_changed_issues_are_eleven_requests(desk: Jira, site: PlayedJira, wire: Line) -> None:
    refs = [await desk.create(draft()) for _ in range(10)]
    start = (await desk.changes(None)).next
    for ref in refs:
        site.says(site.issues[ref.id], LENA, site.text(ref.key))
        site.sets(site.issues[ref.id], LENA, "3")
    before = len(wire.asked)
    told, _ = await heard(desk, start)
    assert len(told) == 20
    assert len(wire.asked) - before <= 11 + 1, "and who we are, once"
    count = len(wire.asked)
    site.says(site.issues[refs[0].id], LENA, site.text("again"))
    await heard(desk, start)
    assert len(wire.asked) - count <= 11


async def test_what_the_index_shows_late_is_heard(desk: Jira, site: PlayedJira) -> None:
    """One issue changes before another one, and is seen after it."""
    one, two = [await desk.create(draft()) for _ in range(2)]
    site.tick(600)
    start = (await desk.changes(None)).next
    site.says(site.issues[one.id], LENA, site.text("first"))
    late, kept = site.index[one.id].pop()
    site.says(site.issues[two.id], LENA, site.text("second"))
    told, after = await heard(desk, start)
    assert [change.body for change in told] == ["second"]
    site.tick(120)
    _, after = await heard(desk, after)
    site.index[one.id].append((late, kept))
    told, after = await heard(desk, after)
    assert [change.body for change in told] == ["first"]
    assert (await heard(desk, after))[0] == []


async def test_more_than_a_page_of_one_instant_is_heard_once(
    desk: Jira, site: PlayedJira, wire: Line
) -> None:
    made = [site.made(LENA, "OPS", "t", site.text("x")) for _ in range(150)]
    start = (await desk.changes(None)).next
    at = site.tick()
    for issue in made:
        site.says(issue, LENA, site.text("all"), at=at)
    told, _ = await heard(desk, start)
    assert len(told) == len({one.change_id for one in told}) == 150
    searches = sent(wire, "POST", "/search/jql")
    assert ["nextPageToken" in one for one in searches] == [False, True]


async def test_a_page_that_is_forgotten_begins_anew(desk: Jira, site: PlayedJira, wire: Line) -> None:
    start = (await desk.changes(None)).next
    made = site.made(LENA, "OPS", "t", site.text("x"))
    site.says(made, LENA, site.text("news"))
    wire.spoil(line.says(400), lambda request: b"nextPageToken" in request.content)
    told, _ = await heard(desk, {**start, "page": base64.b64encode(b"0").decode()})
    assert [one.body for one in told] == ["news"]
    assert wire.spoiled


async def test_an_issue_of_a_hundred_words_is_read_to_its_end(desk: Jira, site: PlayedJira) -> None:
    ref = await desk.create(draft())
    site.comes_along = 20
    for number in range(130):
        site.says(site.issues[ref.id], LENA, site.text(str(number)))
        if number < 30:
            site.sets(site.issues[ref.id], LENA, "3")
    page = await desk.history(ref)
    words = [one.body for one in page.changes if one.kind is ChangeKind.COMMENT]
    assert words == [str(number) for number in range(130)]
    assert sum(one.kind is ChangeKind.STATE for one in page.changes) == 30


async def test_an_issue_that_moves_keeps_its_id(desk: Jira, site: PlayedJira) -> None:
    ref = await desk.create(draft())
    start = (await desk.changes(None)).next
    site.moves(site.issues[ref.id], LENA, "FIELD")
    with pytest.raises(Moved) as moved:
        await desk.get(ref)
    assert (moved.value.new.id, moved.value.new.key) == (ref.id, "FIELD-1")
    site.says(site.issues[ref.id], LENA, site.text("here now"))
    told, _ = await heard(desk, start)
    assert [(one.moved, one.body) for one in told] == [(True, ""), (False, "here now")]
    await desk.apply(ref, Comment(new_id(), "thanks"))
    with pytest.raises(Moved):  # a key that somebody typed becomes the id
        await desk.get(Ref(id="FIELD-1", key="FIELD-1"))


async def test_a_linked_issue_is_told_beside_it(desk: Jira, site: PlayedJira) -> None:
    ref = await desk.create(draft())
    other = site.made(LENA, "OPS", "The cause", site.text("x"))
    start = (await desk.changes(None)).next
    issue = site.issues[ref.id]
    issue["fields"]["issuelinks"] = [{"inwardIssue": {"id": other["id"], "key": other["key"]}}]
    says = f"This issue is caused by {other['key']}"
    site.changes(issue, LENA, {"field": "Link", "to": other["key"], "toString": says})
    told, _ = await heard(desk, start)
    assert [(one.kind, one.body, one.link.id) for one in told] == [(ChangeKind.LINK, says, other["id"])]


async def test_what_cannot_be_read_is_kept_and_the_rest_goes_on(desk: Jira, site: PlayedJira) -> None:
    ref = await desk.create(draft())
    start = (await desk.changes(None)).next
    site.says(site.issues[ref.id], LENA, site.text("odd"))["created"] = "yesterday"
    site.issues[ref.id]["comments"][-1]["created"] = "yesterday"
    site.says(site.issues[ref.id], LENA, site.text("even"))
    page = await desk.changes(start)
    assert [one.body for one in page.changes] == ["even"]
    assert [one.ticket for one in page.unread] == [ref.id]
    assert isinstance(await desk.find_comment(ref, new_id()), CannotTell)


async def test_an_issue_that_is_gone_holds_nobody_up(desk: Jira, site: PlayedJira) -> None:
    one, two = [await desk.create(draft()) for _ in range(2)]
    start = (await desk.changes(None)).next
    for ref in (one, two):
        site.says(site.issues[ref.id], LENA, site.text("news"))
    page = await desk.changes({**start, "todo": ["99999", two.id]})
    assert [change.ref.id for change in page.changes] == [two.id]
    with pytest.raises(Gone):
        await desk.get(Ref(id="99999", key="OPS-9"))


async def test_what_others_made_begins_with_their_words(desk: Jira, site: PlayedJira) -> None:
    issue = site.made(LENA, "OPS", "Yours", site.text("Your router is down"))
    page = await desk.history(Ref(id=issue["id"], key=issue["key"]))
    assert [(one.body, one.author) for one in page.changes] == [("Your router is down", "Lena")]


# Limits, files, webhooks


async def test_a_wait_is_believed_as_jira_tells_it(desk: Jira, wire: Line) -> None:
    ref = await desk.create(draft())
    at = (datetime.now(UTC) + timedelta(seconds=90)).isoformat(timespec="seconds").replace("+00:00", "Z")
    reason = "jira-per-issue-on-write"
    wire.spoil(line.says(429, x_ratelimit_reset=at, ratelimit_reason=reason))
    with pytest.raises(RateLimited) as told:
        await desk.apply(ref, Comment(new_id(), "x"))
    assert told.value.retry_after is not None
    assert abs(told.value.retry_after - timedelta(seconds=90)) < timedelta(seconds=10)


async def test_a_file_goes_under_a_name_of_its_own(desk: Jira, site: PlayedJira, wire: Line) -> None:
    ref, op_id = await desk.create(draft()), new_id()
    digest = hashlib.sha256(b"x").hexdigest()
    await desk.apply(ref, Attach(op_id, 'a"b.log', "text/plain", digest, b"x"))
    assert wire.asked[-1].headers["x-atlassian-token"] == "no-check"
    (file,) = site.issues[ref.id]["fields"]["attachment"]
    assert file["filename"] == f"a%22b.muster-{op_id}.log"


def test_a_webhook_is_proved_by_its_signature() -> None:
    raw = b'{"webhookEvent": "jira:issue_updated"}'
    right = "sha256=" + hmac.digest(b"a secret of ours", raw, "sha256").hex()
    hooks = Jira.hooks(JiraConfig(project="OPS"), ["a secret of ours"])
    assert hooks.verify_and_parse({"x-hub-signature": right}, raw, LONG_AGO).delivery
    for headers in ({}, {"x-hub-signature": right[:-1] + "x"}):
        with pytest.raises(HookRefused):
            hooks.verify_and_parse(headers, raw, LONG_AGO)


# vendors.toml


@pytest.mark.parametrize(
    ("keys", "says"),
    [
        ({"service_desk": 10}, "request_type"),
        ({"internal_comments": True}, "internal_role"),
        ({"project": 'OPS" OR 1=1'}, "project"),
        ({"site": "http://acme.example"}, "site"),
        ({"fields": {"contract": "Contract"}}, "contract"),
    ],
)
def test_what_does_not_fit_is_refused(keys: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        JiraConfig.model_validate({"project": "OPS", **keys})


# Data Center


@respx.mock
async def test_data_center_is_asked_as_its_documentation_has_it() -> None:
    base = "https://jira.acme.example/jira"
    me = {"name": "muster", "key": "JIRAUSER1", "displayName": "Muster", "active": True}
    now = {"X-AUSERNAME": "muster", "Date": "Mon, 05 Jan 2026 08:00:00 GMT"}
    respx.get(f"{base}/rest/api/2/myself").respond(json=me, headers=now)
    row = {"id": "7", "key": "OPS-7", "fields": {"updated": "2026-01-05T09:00:00.000+0100"}}
    search = respx.post(f"{base}/rest/api/2/search")
    search.respond(json={"issues": [row], "startAt": 0, "maxResults": 100, "total": 1}, headers=now)
    words = {"id": "9", "author": {"name": "lena", "key": "lena"}, "body": "*bold* {code}x{code}"}
    fields = {
        "summary": "t",
        "status": {"id": "1", "name": "Open"},
        "updated": "2026-01-05T09:00:00.000+0100",
        "comment": {"comments": [words | {"created": "2026-01-05T09:00:00.000+0100"}], "total": 1},
    }
    later = now | {"Date": "Mon, 05 Jan 2026 08:00:05 GMT"}
    issue = {"id": "7", "key": "OPS-7", "fields": fields, "changelog": {"histories": [], "total": 0}}
    respx.get(f"{base}/rest/api/2/issue/7").respond(json=issue, headers=later)
    made = respx.post(f"{base}/rest/api/2/issue").respond(201, json={"id": "8", "key": "OPS-8", "self": ""})
    config = JiraConfig(edition="datacenter", project="OPS")
    async with Http(base, Jira.headers(config, "pat-0123456789"), name="acme") as http:
        desk = Jira(http, config)
        start = (await desk.changes(None)).next
        told, after = await heard(desk, start)
        ref = await desk.create(draft())
    assert [(one.body, one.author, one.at.hour) for one in told] == [("*bold* x", "lena", 8)]
    assert after["told"] == {"7": 1_767_600_000_000}
    asked = orjson.loads(search.calls[0].request.content)
    assert (asked["startAt"], asked["fields"]) == (0, ["updated"])
    assert search.calls[0].request.headers["authorization"] == "Bearer pat-0123456789"
    told_of = orjson.loads(made.calls[0].request.content)["fields"]
    assert told_of["description"].startswith("It says &#42;500&#42;.")
    assert ref.url == f"{base}/browse/OPS-8"


@pytest.mark.parametrize("world", ["datacenter"], indirect=True)
async def test_data_center_pages_by_number(desk: Jira, site: PlayedJira, wire: Line) -> None:
    made = [site.made(LENA, "OPS", "t", "x") for _ in range(120)]
    start = (await desk.changes(None)).next
    for issue in made:
        site.says(issue, LENA, "news")
    told, _ = await heard(desk, start)
    assert len(told) == 120
    assert [one["startAt"] for one in sent(wire, "POST", "/rest/api/2/search")] == [0, 100]


async def test_a_priority_of_a_kind_that_is_not_there_is_told(desk: Jira, site: PlayedJira) -> None:
    ref = await desk.create(draft())
    odd = changed(desk, priorities={1: "Blocker"})
    with pytest.raises(Rejected):
        await odd.apply(ref, Reprioritise(new_id(), Priority.CRITICAL))
    (line_of, *_) = [one for one in (await odd.check()).checks if one.name == "priorities"]
    assert not line_of.ok
    assert "Blocker" in line_of.says
