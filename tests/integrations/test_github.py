"""What is GitHub's own, on a played one: labels that are dropped, limits that look like lacking rights, …"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import httpx
import pytest
from starlette.responses import JSONResponse

from integrations.answers import retry_after
from integrations.connector import ChangeKind, Comment, Draft, Found, Page, Reprioritise, Theirs, Transition
from integrations.errors import AuthFailed, AuthTrouble, Gone, RateLimited, Rejected, Unavailable
from integrations.github.config import GitHubConfig
from integrations.github.news import News
from integrations.http import Http
from integrations.outcomes import AFTER, Later, Timing
from integrations.signing import HookRefused
from integrations.systems.github import MAX_BODY, MAX_TITLE, GitHub
from register.core import new_id
from register.incident import Priority
from tests.played.github import LENA, TOKEN, US, GitHubWorld, PlayedGitHub

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture
def world() -> GitHubWorld:
    return GitHubWorld()


@pytest.fixture
def there(world: GitHubWorld) -> PlayedGitHub:
    return world.played


@pytest.fixture
async def desk(world: GitHubWorld) -> AsyncIterator[GitHub]:
    headers = GitHub.headers(world.config, TOKEN)
    async with Http(world.url, headers, name="acme", transport=world.transport()) as http:
        yield GitHub(http, world.config)


def draft(title: str = "Pump leaks") -> Draft:
    return Draft(new_id(), title, "It drips.", Priority.HIGH)


def refusal(says: str, **headers: str) -> JSONResponse:
    return JSONResponse(
        {"message": says}, 403, {name.replace("_", "-"): told for name, told in headers.items()}
    )


@pytest.mark.parametrize(
    ("headers", "says", "wait"),
    [
        ({"retry_after": "30"}, "no", 30),
        ({"x_ratelimit_remaining": "0", "x_ratelimit_reset": "90"}, "API rate limit exceeded", 90),
        ({"x_ratelimit_remaining": "4000", "x_ratelimit_reset": "3000"}, "a secondary rate limit", 60),
        ({}, "You have exceeded a secondary rate limit. Please wait a few minutes", 60),
    ],
)
async def test_a_limit_that_looks_like_a_lacking_right_is_waited_for(
    desk: GitHub, there: PlayedGitHub, headers: dict[str, str], says: str, wait: int
) -> None:
    there.answers = [refusal(says, **headers)]
    with pytest.raises(RateLimited) as caught:
        await desk.create(draft())
    assert caught.value.retry_after == timedelta(seconds=wait)
    assert there.issues == {}


def test_who_is_told_to_wait_again_and_again_waits_longer() -> None:
    """GitHub names no end of its secondary limit: "an exponentially increasing amount of time", it says."""
    told, now = RateLimited("wait", timedelta(minutes=1)), datetime.now(UTC)
    waits = []
    for tries in (1, 9):
        later = AFTER[RateLimited](SimpleNamespace(tries=tries), told, now, Timing())  # type: ignore[arg-type]
        assert isinstance(later, Later)
        waits.append(later.at - now)
    assert waits[0] == timedelta(minutes=1)
    assert waits[1] > timedelta(minutes=3)


async def test_a_lacking_right_is_no_limit(desk: GitHub, there: PlayedGitHub) -> None:
    there.answers = [refusal("Resource not accessible by personal access token", x_ratelimit_remaining="9")]
    with pytest.raises(AuthFailed) as caught:
        await desk.create(draft())
    assert caught.value.trouble is AuthTrouble.FORBIDDEN


async def test_trouble_of_theirs_is_not_waited_for_until_their_hour_is_over(
    desk: GitHub, there: PlayedGitHub
) -> None:
    ref = await desk.create(draft())
    told = {"x-ratelimit-remaining": "4000", "x-ratelimit-reset": "3000"}
    there.answers = [JSONResponse({"message": "Server Error"}, 502, told)]
    with pytest.raises(Unavailable) as caught:
        await desk.get(ref)
    assert caught.value.retry_after is None
    assert retry_after({"x-ratelimit-reset": "30"}, datetime.now(UTC)) == timedelta(seconds=30)


async def test_a_locked_issue_is_told_and_pauses_nobody(desk: GitHub, there: PlayedGitHub) -> None:
    ref = await desk.create(draft())
    there.issues[int(ref.id)]["locked"] = True
    with pytest.raises(Rejected, match="has locked #1"):
        await desk.apply(ref, Comment(new_id(), "any news?"))


async def test_a_repository_that_is_hidden_is_a_right_we_lack_and_not_silence(
    world: GitHubWorld, desk: GitHub
) -> None:
    hidden = world.config.model_copy(update={"repository": "acme/none"})
    lost = GitHub(desk.http, hidden)
    with pytest.raises(AuthFailed, match="acme/none"):
        await lost.changes(None)
    with pytest.raises(Rejected, match="repository"):
        await lost.create(draft())
    with pytest.raises(Gone):
        await lost.find(new_id(), LONG_AGO)
    assert not (await lost.check()).ok


async def test_labels_that_were_dropped_are_told(desk: GitHub, there: PlayedGitHub) -> None:
    there.triage = False
    ref = await desk.create(draft())
    assert (await desk.get(ref)).raw_priority == ""
    for wish in (Reprioritise(new_id(), Priority.LOW), Transition(new_id(), Theirs.WORKING)):
        with pytest.raises(Rejected, match="may not"):
            await desk.apply(ref, wish)
    assert not (await desk.check()).ok


async def test_labels_that_are_missing_are_found_by_the_check(desk: GitHub, there: PlayedGitHub) -> None:
    there.labels.remove("P3")
    checks = (await desk.check()).checks
    assert "clock" not in [one.name for one in checks], "the command tells it, of every supplier"
    failing = [one for one in checks if not one.ok]
    assert [one.name for one in failing] == ["priorities"]
    assert "P3" in failing[0].says


async def test_a_reason_for_what_is_closed_already_is_not_taken_for_done(
    desk: GitHub, there: PlayedGitHub
) -> None:
    ref = await desk.create(draft())
    there.set_state(int(ref.id), "closed", "not_planned", LENA)
    with pytest.raises(Rejected, match="not_planned, not completed"):
        await desk.apply(ref, Transition(new_id(), Theirs.CLOSED, "thanks"))
    assert there.timelines[int(ref.id)][-1]["event"] == "closed"


async def test_labels_of_theirs_stay(desk: GitHub, there: PlayedGitHub) -> None:
    ref = await desk.create(draft())
    there.label(int(ref.id), ["bug", "P2", "question"], LENA)
    await desk.apply(ref, Transition(new_id(), Theirs.WORKING))
    await desk.apply(ref, Reprioritise(new_id(), Priority.LOW))
    names = {one["name"] for one in there.issues[int(ref.id)]["labels"]}
    assert names == {"bug", "in progress", "P4"}


async def test_a_pull_request_is_no_ticket(desk: GitHub, there: PlayedGitHub) -> None:
    ref = await desk.create(draft())
    start = await desk.changes(None)
    made = there.make("a change", f"[muster:{new_id()}]", US, [])
    made["pull_request"] = {"url": "…"}
    there.event(made["number"], "commented", LENA, body="looks good")
    assert (await desk.changes(start.next)).changes == ()
    with pytest.raises(Rejected, match="pull request"):
        await desk.get(ref.model_copy(update={"id": str(made["number"])}))


async def test_what_is_hidden_in_the_text_is_found_where_the_footer_was_taken_away(
    desk: GitHub, there: PlayedGitHub
) -> None:
    told = draft()
    ref = await desk.create(told)
    issue = there.issues[int(ref.id)]
    issue["body"] = issue["body"].replace(f"[muster:{told.op_id}]", "")
    found = await desk.find(told.op_id, LONG_AGO)
    assert found == Found((ref,))
    first, *_ = (await desk.history(ref)).changes
    assert (first.body, first.marker) == ("It drips.", told.op_id)


async def test_our_issue_is_found_on_a_later_page_and_nobody_elses_is(
    desk: GitHub, there: PlayedGitHub
) -> None:
    told = draft()
    there.make("copied", f"x\n\n[muster:{told.op_id}]", LENA, [])
    for number in range(120):
        there.make(f"Pump {number}", "x", US, [])
    ref = await desk.create(told)
    assert await desk.find(told.op_id, LONG_AGO) == Found((ref,))


async def test_a_long_title_stands_whole_in_the_text_and_a_long_text_is_not_sent(
    desk: GitHub, there: PlayedGitHub
) -> None:
    title = "Pump leaks " * 40
    ref = await desk.create(draft(title))
    issue = there.issues[int(ref.id)]
    assert len(issue["title"]) <= MAX_TITLE
    assert issue["body"].startswith(title.strip())
    for comment in (Comment(new_id(), "x" * MAX_BODY), Comment(new_id(), "between us", public=False)):
        with pytest.raises(Rejected, match="nothing was sent"):
            await desk.apply(ref, comment)
    assert all(one["event"] == "labeled" for one in there.timelines[int(ref.id)])


async def test_requests_follow_what_changed(desk: GitHub, there: PlayedGitHub) -> None:
    refs = [await desk.create(draft(f"Pump {number}")) for number in range(40)]
    page = await desk.changes(None)
    before = desk.http.asked
    quiet = await desk.changes(page.next)
    assert (quiet.changes, desk.http.asked - before) == ((), 1)
    for ref in refs[:10]:
        there.event(int(ref.id), "commented", LENA, body="we look")
    before = desk.http.asked
    page = await desk.changes(quiet.next)
    assert [change.body for change in page.changes] == ["we look"] * 10
    assert desk.http.asked - before == 11


class Noting(httpx.AsyncBaseTransport):
    """Notes what came back."""

    def __init__(self, inner: httpx.AsyncBaseTransport) -> None:
        self.inner = inner
        self.bodies: list[bytes] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await self.inner.handle_async_request(request)
        self.bodies.append(await response.aread())
        stream = httpx.ByteStream(self.bodies[-1])
        return httpx.Response(response.status_code, headers=response.headers, stream=stream)


async def test_at_rest_the_list_is_empty(world: GitHubWorld) -> None:
    """An issue has some kilobytes: the newest one would come with each poll."""
    clock, line = [0.0], Noting(world.transport())
    async with Http(world.url, GitHub.headers(world.config, TOKEN), name="acme", transport=line) as http:
        desk = GitHub(http, world.config)
        desk._news = News(desk._timeline, lambda: clock[0])
        await desk.create(draft())
        page = await desk.changes(None)
        for _ in range(15):
            clock[0] += 10
            page = await desk.changes(page.next)
            assert page.changes == ()
    assert line.bodies[-1] == b"[]"


async def test_a_change_of_the_same_second_after_it_was_read_is_told_and_nothing_twice(
    desk: GitHub, there: PlayedGitHub
) -> None:
    clock = [0.0]
    desk._news = News(desk._timeline, lambda: clock[0])
    ref = await desk.create(draft())
    start = await desk.changes(None)
    at = there.now()
    there.event(int(ref.id), "commented", LENA, at, body="one")
    page = await desk.changes(start.next)
    assert [one.body for one in page.changes] == ["one"]
    there.event(int(ref.id), "commented", LENA, at, body="two")
    assert (await desk.changes(page.next)).changes == ()
    clock[0] += 6
    page = await desk.changes(page.next)
    assert [one.body for one in page.changes] == ["two"]
    assert (await desk.changes(page.next)).changes == ()


async def test_more_issues_than_are_read_at_once_are_all_told(desk: GitHub, there: PlayedGitHub) -> None:
    refs = [await desk.create(draft(f"Pump {number}")) for number in range(110)]
    page: Page = await desk.changes(None)
    for ref in refs:
        there.event(int(ref.id), "commented", LENA, body=ref.id)
    heard: list[str] = []
    while True:
        page = await desk.changes(page.next)
        heard += [change.body for change in page.changes]
        if page.done:
            break
    assert sorted(heard) == sorted(ref.id for ref in refs)


async def test_what_cannot_be_read_is_kept_for_a_person(desk: GitHub, there: PlayedGitHub) -> None:
    ref = await desk.create(draft())
    start = await desk.changes(None)
    there.event(int(ref.id), "commented", LENA, body=["no text"])
    there.event(int(ref.id), "cross-referenced", LENA)
    page = await desk.changes(start.next)
    assert page.changes == ()
    assert [one.ticket for one in page.unread] == [ref.id]


async def test_states_are_the_reason_or_a_label_in_their_order(desk: GitHub, there: PlayedGitHub) -> None:
    ref = await desk.create(draft())
    number = int(ref.id)
    there.label(number, ["P2", "in progress", "question"], LENA)
    there.set_state(number, "closed", None, LENA)
    there.set_state(number, "open", None, LENA)
    there.label(number, ["P2"], LENA)
    told = [one for one in (await desk.history(ref)).changes if one.kind is ChangeKind.STATE]
    assert [one.raw_state for one in told] == ["in progress", "completed", "in progress", "question", "open"]


def test_without_a_label_for_working_an_issue_is_opened_again() -> None:
    config = GitHubConfig(repository="acme/desk")
    assert config.raw_state(Theirs.WORKING) == "open"
    assert config.raw_state(Theirs.CLOSED) == "completed"


def test_a_webhook_is_proved_by_githubs_own_example() -> None:
    """docs.github.com, "Validating webhook deliveries", "Testing the webhook payload validation"."""
    proof = GitHub.hooks(GitHubConfig(repository="acme/desk"), ("It's a Secret to Everybody",))
    digest = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    told = {"x-hub-signature-256": f"sha256={digest}"}
    assert proof.verify_and_parse(told, b"Hello, World!", LONG_AGO).delivery
    with pytest.raises(HookRefused):
        proof.verify_and_parse(told, b"Hello, World?", LONG_AGO)
