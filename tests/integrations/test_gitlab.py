"""What is GitLab's own, on a played one: quick actions, times that stand still, silence, moves, …"""

from __future__ import annotations

import re
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError
from starlette.responses import JSONResponse

from integrations.connector import (
    Attach,
    CannotTell,
    Change,
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
from integrations.errors import AuthFailed, AuthTrouble, Gone, Moved, Rejected, Unavailable
from integrations.gitlab.config import GitLabConfig
from integrations.gitlab.news import News
from integrations.gitlab.writing import MAX_BODY, MAX_TITLE
from integrations.http import Http
from integrations.signing import HookRefused
from integrations.systems.gitlab import GitLab
from register.core import new_id
from register.incident import Priority
from tests.played.gitlab import GUEST, HIDDEN, HOME, LENA, OTHER, TOKEN, US, GitLabWorld, PlayedGitLab, shown

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
COMMANDS = "Seen in the log:\n/close\n/label ~wontfix\n\n```\n/close\n```\n@lena `\n/confidential\r/lock"


@pytest.fixture
def world() -> GitLabWorld:
    return GitLabWorld()


@pytest.fixture
def there(world: GitLabWorld) -> PlayedGitLab:
    return world.played


@pytest.fixture
async def desk(world: GitLabWorld) -> AsyncIterator[GitLab]:
    headers = GitLab.headers(world.config, TOKEN)
    async with Http(f"{world.url}{GitLab.root}", headers, name="acme", transport=world.transport()) as http:
        yield GitLab(http, world.config)


def changed(desk: GitLab, **keys: object) -> GitLab:
    """The same desk with other keys in vendors.toml."""
    return GitLab(desk.http, GitLabConfig.model_validate({**desk.config.model_dump(), **keys}))


def draft(title: str = "Pump leaks", body: str = "It drips.") -> Draft:
    return Draft(new_id(), title, body, Priority.HIGH)


async def heard(desk: GitLab, start: Page) -> list[Change]:
    return list((await desk.changes(start.next)).changes)


async def test_no_line_of_ours_is_carried_out_as_a_command(desk: GitLab, there: PlayedGitLab) -> None:
    ref = await desk.create(draft(body=COMMANDS))
    await desk.apply(ref, Comment(new_id(), COMMANDS))
    await desk.apply(ref, Comment(new_id(), "/close"))
    assert there.carried_out == []
    text = COMMANDS.replace("\r", "\n")
    assert shown(there.issues[HOME, 1]["description"]).startswith(text)
    whole, short = (shown(one["body"]) for one in there.notes[HOME, 1])
    assert whole.startswith(text)
    assert short.startswith("/close\n")


async def test_words_of_the_same_minute_are_heard_though_their_issue_keeps_its_time(
    desk: GitLab, there: PlayedGitLab
) -> None:
    ref = await desk.create(draft())
    there.now()
    start = await desk.changes(None)
    at = there.issues[HOME, 1]["updated_at"]
    there.note((HOME, 1), "one", LENA)
    page = await desk.changes(start.next)
    there.note((HOME, 1), "two", LENA)
    later = await desk.changes(page.next)
    there.label((HOME, 1), ["Doing"], [], LENA)
    last = await desk.changes(later.next)
    assert there.issues[HOME, 1]["updated_at"] == at
    assert [[one.body or one.raw_state for one in told.changes] for told in (page, later, last)] == [
        ["one"],
        ["two"],
        ["Doing"],
    ]
    assert (await desk.changes(last.next)).changes == ()
    assert ref.id == "1"


async def test_what_appears_late_under_an_earlier_time_is_heard(desk: GitLab, there: PlayedGitLab) -> None:
    """Two transactions of theirs, side by side: the one that began first may be seen last."""
    for title in ("Pump leaks", "Door sticks"):
        await desk.create(draft(title))
    there.clock += timedelta(minutes=5)
    start = await desk.changes(None)
    there.note((HOME, 1), "first", LENA)
    page = await desk.changes(start.next)
    there.note((HOME, 2), "late", LENA, there.clock - timedelta(seconds=30))
    assert [one.body for one in await heard(desk, page)] == ["late"]


async def test_what_was_told_and_not_taken_in_is_told_again(desk: GitLab, there: PlayedGitLab) -> None:
    """The lists of states and labels are asked for where something changed: since what was taken in."""
    await desk.create(draft())
    start = await desk.changes(None)
    there.label((HOME, 1), ["Doing"], [], LENA)
    first = await heard(desk, start)
    again = await heard(desk, start)
    assert [one.raw_state for one in first] == [one.raw_state for one in again] == ["Doing"]


async def test_an_internal_note_is_sent_only_where_it_stays_internal(
    desk: GitLab, there: PlayedGitLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    ref = await desk.create(draft())
    secret = Comment(new_id(), "between us", public=False)
    await desk.apply(ref, secret)
    assert [one["confidential"] for one in there.notes[HOME, 1]] == [True]
    there.level = GUEST
    for lacking in (desk, changed(desk, internal_comments=False)):
        with pytest.raises(Rejected, match="nothing was sent"):
            await lacking.apply(ref, Comment(new_id(), "between us", public=False))
    assert len(there.notes[HOME, 1]) == 1

    async def granted(ref: Ref) -> None:
        """The role is lost after we asked."""

    monkeypatch.setattr(desk._writing, "_may_be_internal", granted)
    with pytest.raises(Rejected, match="public to whoever sees it, and it was taken back"):
        await desk.apply(ref, Comment(new_id(), "between us", public=False))
    assert len(there.notes[HOME, 1]) == 1


async def test_internal_notes_are_known_by_their_old_name_and_kept_from_whom_may_not_see_them(
    desk: GitLab, there: PlayedGitLab
) -> None:
    there.old = True
    ref = await desk.create(draft())
    start = await desk.changes(None)
    there.note((HOME, 1), "for members", LENA, internal=True)
    await desk.apply(ref, Comment(new_id(), "ours", public=False))
    assert [(one.body, one.public) for one in await heard(desk, start)] == [
        ("for members", False),
        ("ours", False),
    ]
    assert await heard(changed(desk, internal_comments=False), start) == []


async def test_labels_that_were_dropped_are_told(desk: GitLab, there: PlayedGitLab) -> None:
    there.level = GUEST
    ref = await desk.create(draft())
    assert (await desk.get(ref)).raw_priority == ""
    for wish in (Reprioritise(new_id(), Priority.LOW), Transition(new_id(), Theirs.WORKING, "we look")):
        with pytest.raises(Rejected, match="may not"):
            await desk.apply(ref, wish)
    assert there.notes[HOME, 1] == []
    failing = [one.name for one in (await desk.check()).checks if not one.ok]
    assert failing == ["permission"]


async def test_labels_that_are_missing_are_found_by_the_check(desk: GitLab, there: PlayedGitLab) -> None:
    """GitLab would make them: what is misspelt would be a new label beside theirs."""
    there.labels.remove("P3")
    checks = (await desk.check()).checks
    assert "clock" not in [one.name for one in checks], "the command tells it, of every supplier"
    failing = [one for one in checks if not one.ok]
    assert [one.name for one in failing] == ["priorities"]
    assert "P3" in failing[0].says


async def test_labels_of_theirs_stay(desk: GitLab, there: PlayedGitLab) -> None:
    ref = await desk.create(draft())
    there.label((HOME, 1), ["bug", "Waiting"], [], LENA)
    await desk.apply(ref, Transition(new_id(), Theirs.WORKING))
    await desk.apply(ref, Reprioritise(new_id(), Priority.LOW))
    assert set(there.issues[HOME, 1]["labels"]) == {"bug", "Doing", "P4"}
    await desk.apply(ref, Transition(new_id(), Theirs.REFUSED))
    assert there.issues[HOME, 1]["state"] == "closed"
    assert set(there.issues[HOME, 1]["labels"]) == {"bug", "wontfix", "P4"}


async def test_a_priority_set_at_once_is_news_and_the_one_it_was_made_with_is_not(
    desk: GitLab, there: PlayedGitLab
) -> None:
    start = await desk.changes(None)
    ref = await desk.create(draft())
    assert await heard(desk, start) == []
    applied = await desk.apply(ref, Reprioritise(new_id(), Priority.CRITICAL))
    there.label((HOME, 1), [], ["P1"], LENA)
    await desk.apply(ref, Reprioritise(new_id(), Priority.LOW))
    told, last = await heard(desk, start)
    assert (told.kind, told.raw_priority, told.by_our_account) == (ChangeKind.PRIORITY, "P1", True)
    assert (told.change_id,) == applied.change_ids
    assert last.raw_priority == "P4"


async def test_states_are_theirs_or_a_label_in_their_order(desk: GitLab, there: PlayedGitLab) -> None:
    ref = await desk.create(draft())
    key = (HOME, 1)
    there.label(key, ["Doing", "bug", "Waiting"], [], LENA)
    there.label(key, [], ["Doing"], LENA)
    there.set_state(key, True, LENA)
    there.label(key, ["wontfix"], [], LENA)
    there.set_state(key, False, LENA)
    there.label(key, ["P1"], ["Waiting", "P2"], LENA)
    told = (await desk.history(ref)).changes
    states = [one.raw_state for one in told if one.kind is ChangeKind.STATE]
    assert states == ["Doing", "Waiting", "closed", "wontfix", "Waiting", "opened"]
    assert [one.raw_priority for one in told if one.kind is ChangeKind.PRIORITY] == ["P1"]


async def test_a_moved_issue_is_followed_to_where_we_listen_and_its_copied_words_are_quiet(
    desk: GitLab, there: PlayedGitLab
) -> None:
    ref = await desk.create(draft())
    start = await desk.changes(None)
    there.note((HOME, 1), "we look", LENA)
    there.move((HOME, 1), OTHER)
    there.note((OTHER, 1), "here now", LENA)
    with pytest.raises(Moved) as caught:
        await desk.get(ref)
    assert caught.value.new.id == f"{OTHER}#1"
    told = await heard(desk, start)
    assert [(one.ref.id, one.body, one.quiet) for one in told if one.body] == [
        ("1", "we look", False),
        (f"{OTHER}#1", "we look", True),
        (f"{OTHER}#1", "here now", False),
    ]
    assert [one.ref.id for one in told if one.moved] == ["1"]
    await desk.apply(caught.value.new, Comment(new_id(), "thanks"))
    assert shown(there.notes[OTHER, 1][-1]["body"]).startswith("thanks")


async def test_an_issue_moved_to_where_we_do_not_listen_says_what_to_do(
    desk: GitLab, there: PlayedGitLab
) -> None:
    ref = await desk.create(draft())
    there.move((HOME, 1), "acme/attic")
    with pytest.raises(Rejected, match="acme/attic#1 is in acme/attic, to which Muster does not listen: add"):
        await desk.get(ref)
    there.notes[HOME, 1].clear()
    with pytest.raises(Gone, match="where our account cannot see it"):
        await desk.get(ref)


async def test_a_note_that_only_reads_like_a_move_moves_nothing(desk: GitLab, there: PlayedGitLab) -> None:
    ref = await desk.create(draft())
    start = await desk.changes(None)
    for words in (f"moved to {OTHER}#1", f"moved from {OTHER}#1"):
        there.note((HOME, 1), words, LENA)
    told = await heard(desk, start)
    assert [(one.kind, one.moved, one.quiet) for one in told] == [(ChangeKind.COMMENT, False, False)] * 2
    there.move((HOME, 1), OTHER)
    there.note((HOME, 1), "moved to acme/attic#1", LENA)
    with pytest.raises(Moved) as caught:
        await desk.get(ref)
    assert caught.value.new.id == f"{OTHER}#1"


async def test_only_our_own_issues_are_listed(desk: GitLab, there: PlayedGitLab) -> None:
    start = await desk.changes(None)
    await desk.create(draft())
    there.make(HOME, "theirs", "x", LENA, [])
    there.note((HOME, 2), "not for us", LENA)
    assert await heard(desk, start) == []
    assert there.rows[-2:] == [1, 0]


async def test_a_project_that_is_hidden_is_a_right_we_lack_and_not_silence(desk: GitLab) -> None:
    lost = changed(desk, project=HIDDEN)
    for asked in (lost.changes(None), lost.find(new_id(), LONG_AGO), lost.create(draft())):
        with pytest.raises(AuthFailed, match=HIDDEN) as caught:
            await asked
        assert caught.value.trouble is AuthTrouble.FORBIDDEN
    assert not (await lost.check()).ok


@pytest.mark.parametrize(("what", "says"), [("archived", "has archived"), ("locked", "has locked #1")])
async def test_what_is_closed_to_everybody_is_told_and_pauses_nobody(
    desk: GitLab, there: PlayedGitLab, what: str, says: str
) -> None:
    ref = await desk.create(draft())
    there.archived = what == "archived"
    there.issues[HOME, 1]["discussion_locked"] = what == "locked"
    with pytest.raises(Rejected, match=says):
        await desk.apply(ref, Comment(new_id(), "any news?"))


async def test_a_right_we_lost_is_no_closed_issue(desk: GitLab, there: PlayedGitLab) -> None:
    ref = await desk.create(draft())
    there.answers = [JSONResponse({"message": "403 Forbidden"}, 403)]
    with pytest.raises(AuthFailed) as caught:
        await desk.apply(ref, Comment(new_id(), "any news?"))
    assert caught.value.trouble is AuthTrouble.FORBIDDEN


async def test_trouble_of_theirs_is_not_waited_for_until_their_minute_is_over(
    desk: GitLab, there: PlayedGitLab
) -> None:
    ref = await desk.create(draft())
    told = {"RateLimit-Remaining": "1999", "RateLimit-Reset": str(int(datetime.now(UTC).timestamp()) + 50)}
    there.answers = [JSONResponse({"message": "Bad Gateway"}, 502, told)]
    with pytest.raises(Unavailable) as caught:
        await desk.get(ref)
    assert caught.value.retry_after is None


async def test_our_issue_is_found_on_a_later_page_and_nobody_elses_is(
    desk: GitLab, there: PlayedGitLab
) -> None:
    told = draft()
    there.make(HOME, "copied", f"x\n\n[muster:{told.op_id}]", LENA, [])
    there.make(HOME, "about it", f"see [muster:{told.op_id}]\n\n[muster:{new_id()}]", US, [])
    for number in range(120):
        there.make(HOME, f"Pump {number}", "x", US, [])
    ref = await desk.create(told)
    issue = there.issues[HOME, int(ref.id)]
    issue["description"] = issue["description"].replace(f"[muster:{told.op_id}]", "")
    assert await desk.find(told.op_id, LONG_AGO) == Found((ref,))
    first, *_ = (await desk.history(ref)).changes
    assert (first.body, first.marker) == ("It drips.", told.op_id)


async def test_a_quotation_of_our_note_is_not_our_note(desk: GitLab, there: PlayedGitLab) -> None:
    ref = await desk.create(draft())
    said = Comment(new_id(), "any news?")
    there.note((HOME, 1), f"> any news?\n\n[muster:{said.op_id}]", LENA)
    assert not isinstance(await desk.find_comment(ref, said.op_id), Found)
    (ours,) = (await desk.apply(ref, said)).change_ids
    found = await desk.find_comment(ref, said.op_id)
    assert isinstance(found, Found)
    assert [one.id for one in found.refs] == [ours]


async def test_a_long_title_stands_whole_in_the_text_and_a_long_text_is_not_sent(
    desk: GitLab, there: PlayedGitLab
) -> None:
    title = "Pump leaks " * 40
    ref = await desk.create(draft(title))
    issue = there.issues[HOME, int(ref.id)]
    assert len(issue["title"]) <= MAX_TITLE
    assert issue["description"].startswith(title.strip())
    with pytest.raises(Rejected, match="nothing was sent"):
        await desk.apply(ref, Comment(new_id(), "x" * MAX_BODY))
    assert there.notes[HOME, 1] == []


async def test_what_vendors_toml_wants_of_each_issue_is_set(desk: GitLab, there: PlayedGitLab) -> None:
    ours = changed(desk, label="muster", issue_type="incident", confidential=True)
    await ours.create(draft())
    issue = there.issues[HOME, 1]
    assert (issue["issue_type"], issue["confidential"], issue["labels"]) == (
        "incident",
        True,
        ["P2", "muster"],
    )


def test_a_label_with_a_comma_is_two_to_gitlab_and_is_refused() -> None:
    for key in ({"states": {"Doing, now": "working"}}, {"label": "a,b"}):
        with pytest.raises(ValidationError, match="comma"):
            GitLabConfig.model_validate({"project": HOME, **key})


def test_without_a_label_for_working_an_issue_is_opened_again() -> None:
    config = GitLabConfig(project=HOME)
    assert config.raw_state(Theirs.WORKING) == "opened"
    assert config.raw_state(Theirs.CLOSED) == "closed"


async def test_a_file_is_read_from_its_upload_and_one_that_is_too_big_is_not(
    desk: GitLab, there: PlayedGitLab
) -> None:
    ref = await desk.create(draft())
    start = await desk.changes(None)
    there.uploads["a" * 32] = ("pump.log", b"drip" * 10)
    there.note((HOME, 1), f"see [the log](/uploads/{'a' * 32}/pump.log)", LENA)
    word, file = await heard(desk, start)
    assert (word.kind, file.kind, file.body) == (ChangeKind.COMMENT, ChangeKind.FILE, "pump.log")
    assert await desk.fetch(ref, file.place, 100) == b"drip" * 10
    with pytest.raises(Rejected):
        await desk.fetch(ref, file.place, 39)
    there.uploads.clear()
    with pytest.raises(Rejected, match=re.escape("older than 17.4")):
        await desk.fetch(ref, file.place, 100)
    with pytest.raises(Rejected, match="is no file"):
        await desk.fetch(ref, "../../../user", 100)


async def test_a_text_full_of_brackets_holds_nobody_up(desk: GitLab, there: PlayedGitLab) -> None:
    ref = await desk.create(draft())
    there.note((HOME, 1), "[" * 40_000, LENA)
    begun = time.perf_counter()
    assert len((await desk.history(ref)).changes) == 2
    assert time.perf_counter() - begun < 10


async def test_of_one_note_a_hundred_files_are_told(desk: GitLab, there: PlayedGitLab) -> None:
    await desk.create(draft())
    start = await desk.changes(None)
    there.note((HOME, 1), f"[x](/uploads/{'a' * 32}/x)" * 101, LENA)
    assert len([one for one in await heard(desk, start) if one.kind is ChangeKind.FILE]) == 100


async def test_a_file_of_ours_hangs_on_a_note_by_its_marked_name(desk: GitLab, there: PlayedGitLab) -> None:
    ref = await desk.create(draft())
    op_id = new_id()
    note, file = (
        await desk.apply(ref, Attach(op_id, "pump [1](x).log", "text/plain", "0" * 64, b"drip"))
    ).change_ids
    told = {one.change_id: one for one in (await desk.history(ref)).changes}
    assert told[file].marker == op_id
    assert told[file].kind is ChangeKind.FILE
    assert told[note].marker == op_id
    assert there.carried_out == []


async def test_requests_follow_what_changed(desk: GitLab, there: PlayedGitLab) -> None:
    refs = [await desk.create(draft(f"Pump {number}")) for number in range(40)]
    alone = changed(desk, also=())
    page = await alone.changes(None)
    there.clock += timedelta(minutes=5)
    for ref in refs[:10]:
        there.note((HOME, int(ref.id)), "we look", LENA)
    page = await alone.changes(page.next)  # what a worker that began anew must learn
    there.clock += timedelta(minutes=5)
    page = await alone.changes(page.next)
    for ref in refs[:10]:
        there.note((HOME, int(ref.id)), "we found it", LENA)
    before = alone.http.asked
    page = await alone.changes(page.next)
    assert [change.body for change in page.changes] == ["we found it"] * 10
    assert alone.http.asked - before == 11


async def test_at_rest_the_list_is_empty(desk: GitLab, there: PlayedGitLab) -> None:
    """An issue has some kilobytes: the newest ones would come with each poll."""
    clock = [0.0]
    desk._news = News(desk._projects, desk._story, lambda: clock[0])
    await desk.create(draft())
    page = await desk.changes(None)
    for _ in range(25):
        clock[0] += 10
        page = await desk.changes(page.next)
        assert page.changes == ()
    assert there.rows[-2:] == [0, 0]  # each of our two projects


async def test_more_issues_than_are_read_at_once_are_all_told(desk: GitLab, there: PlayedGitLab) -> None:
    refs = [await desk.create(draft(f"Pump {number}")) for number in range(110)]
    page: Page = await desk.changes(None)
    for ref in refs:
        there.note((HOME, int(ref.id)), ref.id, LENA)
    told: list[str] = []
    while True:
        page = await desk.changes(page.next)
        told += [change.body for change in page.changes]
        if page.done:
            break
    assert sorted(told) == sorted(ref.id for ref in refs)


async def test_what_cannot_be_read_is_kept_for_a_person(desk: GitLab, there: PlayedGitLab) -> None:
    ref = await desk.create(draft())
    start = await desk.changes(None)
    there.note((HOME, 1), "we look", LENA)
    there.note((HOME, 1), "?", LENA)["body"] = ["no text"]
    page = await desk.changes(start.next)
    assert [one.body for one in page.changes] == ["we look"]
    assert [one.ticket for one in page.unread] == ["1"]
    assert isinstance(await desk.find_comment(ref, new_id()), CannotTell)


def test_a_webhook_is_proved_by_its_token_and_named_by_its_key() -> None:
    proof = GitLab.hooks(GitLabConfig(project=HOME), ("a-secret-token-of-ours",))
    told = {
        "x-gitlab-token": "a-secret-token-of-ours",
        "idempotency-key": "f5e5f430-f57b-4e6e",
    }
    assert proof.verify_and_parse(told, b"{}", LONG_AGO).delivery == told["idempotency-key"]
    with pytest.raises(HookRefused):
        proof.verify_and_parse({**told, "x-gitlab-token": "another"}, b"{}", LONG_AGO)
