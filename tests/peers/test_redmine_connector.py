"""The Redmine connector against a real Redmine: what it answers, not what we think it does."""

from __future__ import annotations

import hashlib
import time

import pytest

from integrations.connector import (
    Absent,
    Attach,
    CannotTell,
    ChangeKind,
    Comment,
    Connector,
    Cursor,
    Finds,
    Found,
    Page,
    Polls,
    Ref,
    Reprioritise,
    Theirs,
    Transition,
    Updates,
)
from integrations.errors import AuthFailed, Gone, Rejected
from integrations.redmine.feed import CALM, ELSEWHERE
from register.incident import Priority
from tests.peers.conftest import RedmineAgent, RedmineDesk
from tests.peers.saying import SINCE, TEXT, draft, news, op, told

pytestmark = [pytest.mark.peers, pytest.mark.timeout(600)]


async def test_it_is_all_of_a_connector(redmine_desk: RedmineDesk) -> None:
    redmine: Connector = redmine_desk()
    assert isinstance(redmine, Finds)
    assert isinstance(redmine, Updates)
    assert isinstance(redmine, Polls)


async def test_check_passes_and_names_the_account(redmine_desk: RedmineDesk) -> None:
    redmine = redmine_desk()
    await redmine.create(draft(op()))
    health = await redmine.check()
    assert health.account == "connector"
    assert health.ok, [check for check in health.checks if not check.ok]


@pytest.mark.parametrize(
    ("key", "config", "fails"),
    [
        ("nonsense", {}, {"identity"}),
        ("OUTSIDER", {}, {"project"}),
        ("REPORTER", {}, {"permission"}),
        ("REPORTER", {"internal_comments": True}, {"permission"}),
        ("CONNECTOR", {"project": "nope"}, {"project"}),
        ("CONNECTOR", {"tracker": "Nope"}, {"tracker", "reference", "fields"}),
        ("CONNECTOR", {"reference_field": 99}, {"reference", "look-up"}),
        ("CONNECTOR", {"states": {"New": "new"}}, {"states"}),
        ("CONNECTOR", {"priorities": {1: "Utmost"}}, {"priorities"}),
    ],
)
async def test_check_finds_what_is_wrong(
    redmine_desk: RedmineDesk, key: str, config: dict[str, object], fails: set[str]
) -> None:
    await redmine_desk().create(draft(op()))
    health = await redmine_desk(key, **config).check()
    bad = [check for check in health.checks if not check.ok]
    assert {check.name for check in bad} == fails
    assert all(check.todo for check in bad)


async def test_a_ticket_arrives_as_written_and_is_found_by_our_id(
    redmine_desk: RedmineDesk, redmine_agent: RedmineAgent
) -> None:
    redmine, ours = redmine_desk(), op()
    site = redmine_desk.peer["REDMINE_CF_SITE_CODE"]
    ref = await redmine.create(draft(ours, '  Größe 3/4" ✓\n' + "x" * 300, **{site: "KLN01"}))
    assert (ref.key, ref.url) == (f"#{ref.id}", f"{redmine_desk.peer['REDMINE_URL']}/issues/{ref.id}")

    theirs = (await redmine_agent.sees(f"/issues/{ref.id}.json"))["issue"]
    fields = {field["name"]: field["value"] for field in theirs["custom_fields"]}
    assert (fields["External ref"], fields["Site code"]) == (ours, "KLN01")
    assert theirs["subject"].startswith('Größe 3/4" ✓ xxx')
    assert (theirs["tracker"]["name"], len(theirs["subject"])) == ("Support", 200)

    ticket = await redmine.get(ref)
    assert (ticket.raw_state, ticket.state, ticket.assignee) == ("New", Theirs.NEW, None)
    assert (ticket.raw_priority, ticket.ref) == ("Urgent", ref)

    first, *_ = (await redmine.history(ref)).changes
    assert (first.body, first.marker, first.by_our_account) == (TEXT, ours, True)
    assert await redmine.find(ours, SINCE) == Found((ref,))


async def test_a_look_up_believes_only_what_it_may(
    redmine_desk: RedmineDesk, redmine_agent: RedmineAgent
) -> None:
    redmine, ours = redmine_desk(), op()
    one, two = await redmine.create(draft(ours)), await redmine.create(draft(ours))
    assert await redmine.find(ours, SINCE) == Found((one, two)), "Redmine keeps nobody from making two"
    assert await redmine.find(op(), SINCE) == Absent()
    await redmine_agent.updates(one.id, status_id=5)
    assert await redmine.find(ours, SINCE) == Found((one, two)), "a closed one is there, too"
    assert isinstance(await redmine_desk(reference_field=99).find(op(), SINCE), CannotTell)
    for key in ("nonsense", "OUTSIDER"):  # on the list of all projects: 200, and empty
        with pytest.raises(AuthFailed):
            await redmine_desk(key).find(ours, SINCE)
        with pytest.raises(AuthFailed):
            await redmine_desk(key).changes(None)


async def test_they_clear_our_field_and_it_is_found_by_our_words(
    redmine_desk: RedmineDesk, redmine_agent: RedmineAgent
) -> None:
    redmine, ours = redmine_desk(), op()
    ref = await redmine.create(draft(ours))
    field = int(redmine_desk.peer["REDMINE_CF_EXTERNAL_REF"])
    await redmine_agent.updates(ref.id, custom_fields=[{"id": field, "value": ""}])
    assert await redmine.find(ours, SINCE) == Found((ref,))


async def test_what_they_do_is_heard_in_order_and_what_we_did_is_known(
    redmine_desk: RedmineDesk, redmine_agent: RedmineAgent
) -> None:
    redmine, ours = redmine_desk(internal_comments=True), op()
    redmine._news._feed._clock = lambda: 1000.0
    ref = await redmine.create(draft(op()))
    start = await redmine.changes(None)
    assert (start.changes, start.done) == ((), True)

    await redmine_agent.updates(ref.id, notes="we look", status_id=2)
    await redmine_agent.updates(ref.id, notes="check stock", private_notes=True)
    applied = await redmine.apply(ref, Comment(ours, "thank you"))
    await redmine_agent.updates(ref.id, notes="done", status_id=3)

    heard, after = await news(redmine, start.next, ref)
    assert told(heard) == ["we look", "In Progress", "check stock", "thank you", "done", "Resolved"]
    assert heard[0].author == "Alva Agent"
    assert [change.change_id for change in heard if change.by_our_account] == list(applied.change_ids)
    assert [change.marker for change in heard if change.marker] == [ours]
    assert [change.body for change in heard if not change.public] == ["check stock"]
    assert (heard[-1].kind, heard[-1].state) == (ChangeKind.STATE, Theirs.FIXED)

    again = redmine_desk(internal_comments=True)
    assert (await news(again, start.next, ref))[0] == heard, "a cursor survives a restart"
    assert told((await redmine.history(ref)).changes) == [TEXT, *told(heard)]
    assert (await news(redmine, after, ref))[0] == [], "its second is not over: it is read again later"


async def test_a_second_word_in_the_same_second_is_heard(
    redmine_desk: RedmineDesk, redmine_agent: RedmineAgent
) -> None:
    """A list does not tell the first from the second: once its second is over, the issue is read again."""
    redmine = redmine_desk()
    now = [1000.0]
    redmine._news._feed._clock = lambda: now[0]
    ref = await redmine.create(draft(op()))
    cursor: Cursor = (await redmine.changes(None)).next
    heard: list[str] = []
    end = time.monotonic() + 60
    while not heard:  # until one poll falls between two notes of one second
        if time.monotonic() > end:
            pytest.skip("this machine is too busy for two notes in one second")
        await redmine_agent.updates(ref.id, notes="first")
        _, cursor = await news(redmine, cursor, ref)
        before = (await redmine.get(ref)).updated_at
        await redmine_agent.updates(ref.id, notes="second")
        if (await redmine.get(ref)).updated_at == before:
            assert told((await news(redmine, cursor, ref))[0]) == []
            now[0] += 6
            heard = told((await news(redmine, cursor, ref))[0])
    assert heard[-1] == "second"


async def test_a_poll_at_rest_is_one_small_request(redmine_desk: RedmineDesk) -> None:
    redmine = redmine_desk()
    now = [1000.0]
    redmine._news._feed._clock = lambda: now[0]
    await redmine.create(draft(op()))
    page, calm = await redmine.changes(None), 0
    feed = redmine._news._feed
    while calm < CALM + 12 or feed._walks % ELSEWHERE == 0:  # what other tests did lately is read first
        now[0] += 10
        cursor, page = page.next, await redmine.changes(page.next)
        calm = calm + 1 if page.next == cursor else 0
    answers: list[int] = []
    get = redmine.http.get

    async def counted(*args: object, **kwargs: object) -> object:
        answer = await get(*args, **kwargs)  # type: ignore[arg-type]  # whatever it was asked with
        answers.append(len(answer.body))
        return answer

    redmine.http.get = counted  # type: ignore[assignment,method-assign]  # a test looks on
    assert (await redmine.changes(page.next)).next == page.next
    assert len(answers) == 1
    assert answers[0] <= 2_500, "the issues of the newest second, which Redmine stores finer than it tells"


async def test_private_notes_are_left_alone_unless_wanted(
    redmine_desk: RedmineDesk, redmine_agent: RedmineAgent
) -> None:
    redmine = redmine_desk()
    ref = await redmine.create(draft(op()))
    start = await redmine.changes(None)
    await redmine_agent.updates(ref.id, notes="between us", private_notes=True)
    await redmine_agent.updates(ref.id, notes="to you", status_id=4)
    assert told((await news(redmine, start.next, ref))[0]) == ["to you", "Feedback"]
    with pytest.raises(Rejected, match="internal_comments"):
        await redmine.apply(ref, Comment(op(), "x", public=False))

    knowing, ours = redmine_desk(internal_comments=True), op()
    await knowing.apply(ref, Comment(ours, "x", public=False))
    assert isinstance(await knowing.find_comment(ref, ours), Found)
    theirs = (await redmine_agent.sees(f"/issues/{ref.id}.json?include=journals"))["issue"]["journals"]
    assert theirs[-1]["private_notes"] is True


async def test_a_private_note_without_the_right_is_never_sent(
    redmine_desk: RedmineDesk, redmine_agent: RedmineAgent
) -> None:
    """Redmine would answer 204, and show it to everybody."""
    ref = await redmine_desk().create(draft(op()))
    reporter = redmine_desk("REPORTER", internal_comments=True)
    with pytest.raises(Rejected, match="no private notes"):
        await reporter.apply(ref, Comment(op(), "their fault", public=False))
    theirs = (await redmine_agent.sees(f"/issues/{ref.id}.json?include=journals"))["issue"]["journals"]
    assert theirs == []


async def test_a_state_is_set_and_proved(redmine_desk: RedmineDesk) -> None:
    redmine = redmine_desk()
    ref = await redmine.create(draft(op()))
    for to, raw in (
        (Theirs.WORKING, "In Progress"),
        (Theirs.WAITS_FOR_US, "Feedback"),
        (Theirs.FIXED, "Resolved"),
    ):
        applied = await redmine.apply(ref, Transition(op(), to))
        assert applied.ticket is not None
        assert (applied.ticket.raw_state, applied.ticket.state) == (raw, to)
    ours = op()
    applied = await redmine.apply(ref, Transition(ours, Theirs.CLOSED, "no longer needed"))
    assert applied.ticket is not None
    assert applied.ticket.raw_state == "Closed"
    assert isinstance(await redmine.find_comment(ref, ours), Found)
    heard = {change.change_id for change in (await redmine.history(ref)).changes}
    assert len(applied.change_ids) == 2
    assert heard.issuperset(applied.change_ids)


async def test_a_state_that_the_workflow_forbids_is_told_and_nothing_is_sent(
    redmine_desk: RedmineDesk, redmine_agent: RedmineAgent
) -> None:
    redmine = redmine_desk()
    ref = await redmine.create(draft(op()))
    with pytest.raises(Rejected, match=r"from New to Rejected, only to .*In Progress.*nothing was sent"):
        await redmine.apply(ref, Transition(op(), Theirs.REFUSED, "not for us"))
    theirs = (await redmine_agent.sees(f"/issues/{ref.id}.json?include=journals"))["issue"]
    assert (theirs["status"]["name"], theirs["journals"]) == ("New", []), "the note would have stayed"


async def test_a_priority_is_set_and_proved(redmine_desk: RedmineDesk) -> None:
    redmine = redmine_desk()
    ref = await redmine.create(draft(op()))
    applied = await redmine.apply(ref, Reprioritise(op(), Priority.CRITICAL))
    assert applied.ticket is not None
    assert applied.ticket.raw_priority == "Immediate"
    with pytest.raises(Rejected, match="did not set"):
        await redmine_desk("REPORTER").apply(ref, Reprioritise(op(), Priority.LOW))


async def test_a_file_arrives_whole(redmine_desk: RedmineDesk, redmine_agent: RedmineAgent) -> None:
    redmine, ours = redmine_desk(), op()
    ref = await redmine.create(draft(op()))
    start = await redmine.changes(None)
    content = bytes(range(256)) * 500
    digest = hashlib.sha256(content).hexdigest()
    file = Attach(ours, "Größe & Form.bin", "application/octet-stream", digest, content)
    applied = await redmine.apply(ref, file)
    theirs = (await redmine_agent.sees(f"/issues/{ref.id}.json?include=attachments"))["issue"]["attachments"]
    assert [one["filename"] for one in theirs] == ["Größe & Form.bin"]
    kept = await redmine_agent.client.get(theirs[0]["content_url"])
    assert hashlib.sha256(kept.content).hexdigest() == digest
    assert isinstance(await redmine.find_comment(ref, ours), Found)
    heard = (await news(redmine, start.next, ref))[0]
    assert [(one.change_id, one.marker) for one in heard] == [(one, ours) for one in applied.change_ids]
    assert (heard[1].kind, heard[1].body, heard[1].size) == (
        ChangeKind.FILE,
        "Größe & Form.bin",
        len(content),
    )
    big = Attach(op(), "big.bin", "application/octet-stream", "", b"x" * (6 * 2**20))
    with pytest.raises(Rejected, match="maximum allowed file size"):
        await redmine.apply(ref, big)


async def test_what_is_not_there_or_hidden_is_told(
    redmine_desk: RedmineDesk, redmine_agent: RedmineAgent
) -> None:
    redmine = redmine_desk()
    with pytest.raises(Gone):
        await redmine.get(Ref(id="99999999", key="#99999999"))
    ref = await redmine.create(draft(op()))
    await redmine_agent.updates(ref.id, is_private=True)
    with pytest.raises(Rejected, match="made private"):
        await redmine_desk("REPORTER").get(ref)
    with pytest.raises(AuthFailed):
        await redmine_desk("OUTSIDER").get(ref)


async def test_more_changes_than_a_page_are_told_once_each_with_a_request_a_hundred(
    redmine_desk: RedmineDesk,
) -> None:
    redmine = redmine_desk()
    start = await redmine.changes(None)
    refs = [await redmine.create(draft(op(), f"Pump {n}")) for n in range(30)]
    for ref in refs[:10]:
        await redmine.apply(ref, Comment(op(), f"about {ref.key}"))
    page, heard = Page((), start.next, done=False), []
    while not page.done:
        page = await redmine.changes(page.next)
        heard += [change.body for change in page.changes]
    assert sorted(heard) == sorted(f"about {ref.key}" for ref in refs[:10])


async def test_links_and_priorities_are_told(redmine_desk: RedmineDesk, redmine_agent: RedmineAgent) -> None:
    redmine = redmine_desk()
    ref, other, part = [await redmine.create(draft(op())) for _ in range(3)]
    start = await redmine.changes(None)
    await redmine_agent.updates(ref.id, priority_id=1)
    done = await redmine.apply(ref, Reprioritise(op(), Priority.CRITICAL))
    relation = {"issue_to_id": int(other.id), "relation_type": "relates"}
    answer = await redmine_agent.client.post(f"/issues/{ref.id}/relations.json", json={"relation": relation})
    assert answer.status_code == 201, answer.text
    await redmine_agent.updates(part.id, parent_issue_id=int(ref.id))
    heard, _ = await news(redmine, start.next, ref)
    links = [(one.link, one.body) for one in heard if one.kind is ChangeKind.LINK]
    assert links == [(other, "relates to"), (part, "has the part")]
    told = [(one.raw_priority, one.priorities) for one in heard if one.kind is ChangeKind.PRIORITY]
    assert told == [("Low", (Priority.PLANNING,)), ("Immediate", (Priority.CRITICAL,))]
    assert done.change_ids == tuple(one.change_id for one in heard if one.by_our_account)
