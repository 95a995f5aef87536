"""The Request Tracker connector against a real RT 5: what it answers, not what we think it does."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest

from integrations.connector import (
    Absent,
    Attach,
    CannotTell,
    ChangeKind,
    Comment,
    Connector,
    Finds,
    Found,
    Polls,
    Ref,
    Reprioritise,
    Theirs,
    Transition,
    Updates,
)
from integrations.errors import Ambiguous, AuthFailed, Conflict, Gone, Moved, Rejected
from register.incident import Priority
from tests.peers.conftest import FIELD, Agent, Desk
from tests.peers.saying import SINCE, TEXT, draft, news, op, told

pytestmark = [pytest.mark.peers, pytest.mark.timeout(600)]


async def test_it_is_all_of_a_connector(desk: Desk) -> None:
    rt: Connector = desk()
    assert isinstance(rt, Finds)
    assert isinstance(rt, Updates)
    assert isinstance(rt, Polls)


async def test_check_passes_and_names_the_account(desk: Desk, peer: Mapping[str, str]) -> None:
    rt = desk()
    await rt.create(draft(op()))
    health = await rt.check()
    assert health.account == peer["RT5_USER"]
    assert health.ok, [check for check in health.checks if not check.ok]


@pytest.mark.parametrize(
    ("token", "config", "fails"),
    [
        ("1-34-00000000000000000000000000000000", {}, {"identity"}),
        ("RT5_NORIGHTS_TOKEN", {}, {"queue"}),
        ("RT5_READER_TOKEN", {}, {"permission"}),
        ("RT5_TOKEN", {"queue": "Nope"}, {"queue"}),
        ("RT5_TOKEN", {"queue": "supplier"}, {"queue"}),
        ("RT5_TOKEN", {"reference_field": "External reference"}, {"reference"}),
        ("RT5_TOKEN", {"reference_field": "Externl Reference"}, {"reference"}),
        ("RT5_TOKEN", {"states": {"open": "working"}, "transitions": {}}, {"states"}),
        ("RT5_TOKEN", {"priorities": {1: 90}}, {"priorities"}),
    ],
)
async def test_check_finds_what_is_wrong(
    desk: Desk, token: str, config: dict[str, object], fails: set[str]
) -> None:
    await desk().create(draft(op()))
    health = await desk(token, **config).check()
    bad = [check for check in health.checks if not check.ok]
    assert {check.name for check in bad} == fails
    assert all(check.todo for check in bad)


async def test_a_ticket_arrives_as_written_and_is_found_by_our_id(desk: Desk, agent: Agent) -> None:
    rt, ours = desk(), op()
    ref = await rt.create(draft(ours, '  Größe 3/4" ✓\n' + "x" * 300, **{"Serial Number": "SN-1"}))
    assert ref.key == f"#{ref.id}"
    assert ref.url.endswith(f"/Ticket/Display.html?id={ref.id}")

    theirs = await agent.sees(f"/ticket/{ref.id}")
    fields = {field["name"]: field["values"] for field in theirs["CustomFields"]}
    assert (fields[FIELD], fields["Serial Number"]) == ([ours], ["SN-1"])
    assert theirs["Subject"].startswith('Größe 3/4" ✓ xxx')
    assert theirs["Subject"].endswith("…"), "we cut it ourselves, and show it"
    assert len(theirs["Subject"].encode()) == 200, "RT's limit is in bytes"

    ticket = await rt.get(ref)
    assert (ticket.raw_state, ticket.state, ticket.assignee) == ("new", Theirs.NEW, None)
    assert (ticket.raw_priority, ticket.ref) == ("75", ref)
    assert ticket.updated_at.tzinfo is not None

    first, *_ = (await rt.history(ref)).changes
    assert (first.body, first.marker, first.by_our_account) == (TEXT, ours, True)
    assert await rt.find(ours, SINCE) == Found((ref,))


async def test_a_value_that_is_not_on_a_list_is_told_and_its_ticket_found(desk: Desk) -> None:
    rt, ours = desk(), op()
    with pytest.raises(Ambiguous, match="left Customer Priority empty"):
        await rt.create(draft(ours, **{"Customer Priority": "nonsense", "Serial Number": "SN-1"}))
    assert isinstance(await rt.find(ours, SINCE), Found)
    assert await rt.create(draft(op(), **{"Customer Priority": "low", "Serial Number": "SN-1"}))


async def test_rights_that_were_taken_away_are_no_silence(desk: Desk) -> None:
    start = await desk().changes(None)
    with pytest.raises(AuthFailed):
        await desk("RT5_NORIGHTS_TOKEN").changes(start.next)


async def test_a_look_up_believes_only_what_it_may(desk: Desk) -> None:
    rt, ours = desk(), op()
    one = await rt.create(draft(ours))
    two = await rt.create(draft(ours))
    assert await rt.find(ours, SINCE) == Found((one, two)), "RT keeps nobody from making two"
    assert await rt.find(op(), SINCE) == Absent()
    assert isinstance(await rt.find(ours.lower(), SINCE), CannotTell), "RT finds it, but it is not ours"
    assert await rt.find("it's \\ 'quoted' } \"", SINCE) == Absent()

    misspelt = desk(reference_field="Externl Reference")
    assert isinstance(await misspelt.find(ours, SINCE), CannotTell), "RT finds nothing, and says so plainly"
    reader = desk("RT5_READER_TOKEN")
    assert isinstance(await reader.find(op(), SINCE), CannotTell), "it was never shown a ticket of its own"


@asynccontextmanager
async def between(peer: Mapping[str, str]) -> AsyncIterator[str]:
    """A line to RT on which requests arrive whole and no answer ever comes back."""
    host, port = peer["RT5_URL"].removeprefix("http://").split(":")

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, thither = await asyncio.open_connection(host, int(port))
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        thither.write(head + await reader.readexactly(length))
        await there.read(100)
        writer.transport.abort()
        thither.close()

    server = await asyncio.start_server(pass_on, "127.0.0.1", 0)
    yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    server.close()


async def test_a_create_whose_answer_was_lost_is_found(desk: Desk, peer: Mapping[str, str]) -> None:
    ours = op()
    async with between(peer) as url:
        with pytest.raises(Ambiguous) as caught:
            await desk(url=url).create(draft(ours))
    assert caught.value.op_id == ours
    found = await desk().find(ours, SINCE)
    assert isinstance(found, Found)
    assert len(found.refs) == 1


async def test_a_reply_whose_answer_was_lost_is_found(desk: Desk, peer: Mapping[str, str]) -> None:
    rt, ours = desk(), op()
    ref = await rt.create(draft(op()))
    async with between(peer) as url:
        with pytest.raises(Ambiguous) as caught:
            await desk(url=url).apply(ref, Comment(ours, "it drips again"))
    assert caught.value.op_id == ours
    found = await rt.find_comment(ref, ours)
    assert isinstance(found, Found)
    heard = (await rt.history(ref)).changes
    assert [change.change_id for change in heard if change.marker == ours] == [found.refs[0].id]
    assert await rt.find_comment(ref, op()) == Absent()


async def test_what_they_do_is_heard_in_order_and_what_we_did_is_known(desk: Desk, agent: Agent) -> None:
    rt, ours = desk(internal_comments=True), op()
    ref = await rt.create(draft(op()))
    start = await rt.changes(None)
    assert (start.changes, start.done) == ((), True)

    await agent.replies(ref.id, "we look")
    await agent.replies(ref.id, "<p>Hello <b>you</b></p><p>a &lt; b</p>", "text/html")
    await agent.comments(ref.id, "check stock")
    file = {"FileName": "log.txt", "FileType": "text/plain", "FileContent": "aGVsbG8="}
    await agent.replies(ref.id, "see there", Attachments=[file])
    applied = await rt.apply(ref, Comment(ours, "thank you"))
    await agent.replies(ref.id, "done", Status="resolved")

    heard, after = await news(rt, start.next, ref)
    assert told(heard) == [
        "we look",
        "open",  # by RT itself, right after the reply
        "Hello you\n\na < b",
        "check stock",
        "see there",
        "log.txt",
        "thank you",
        "done",
        "resolved",
    ]
    assert [change.author for change in heard[:3]] == ["agent", "RT_System", "agent"]
    assert [change.change_id for change in heard if change.by_our_account] == list(applied.change_ids)
    assert [change.marker for change in heard if change.marker] == [ours]
    assert [change.body for change in heard if not change.public] == ["check stock"]
    assert (heard[-1].kind, heard[-1].state) == (ChangeKind.STATE, Theirs.FIXED)
    said = [int(change.change_id) for change in heard if change.kind is not ChangeKind.FILE]
    assert said == sorted(said)
    assert await news(rt, after, ref) == ([], after), "nothing is told twice"

    again = desk(internal_comments=True)
    assert (await news(again, start.next, ref))[0] == heard, "a cursor survives a restart"
    assert told((await rt.history(ref)).changes) == [TEXT, *told(heard)]


async def test_internal_comments_are_left_alone_unless_wanted(desk: Desk, agent: Agent) -> None:
    rt = desk()
    ref = await rt.create(draft(op()))
    start = await rt.changes(None)
    await agent.comments(ref.id, "between us")
    await agent.replies(ref.id, "to you", Status="stalled")
    heard, _ = await news(rt, start.next, ref)
    assert "between us" not in told(heard)
    assert told(heard)[-1] == "stalled"
    with pytest.raises(Rejected, match="internal_comments"):
        await rt.apply(ref, Comment(op(), "x", public=False))

    knowing, ours = desk(internal_comments=True), op()
    await knowing.apply(ref, Comment(ours, "x", public=False))
    assert isinstance(await knowing.find_comment(ref, ours), Found)


async def test_another_time_zone_hears_the_same(desk: Desk, agent: Agent) -> None:
    here, there = desk(), desk("RT5_NEWYORK_TOKEN")
    ref = await here.create(draft(op()))
    starts = [await here.changes(None), await there.changes(None)]
    await agent.replies(ref.id, "noon")
    for rt, start in zip((here, there), starts, strict=True):
        heard, _ = await news(rt, start.next, ref)
        assert told(heard) == ["noon", "open"]
        assert abs((heard[0].at - datetime.now(UTC)).total_seconds()) < 600


async def test_a_state_is_set_and_proved(desk: Desk, agent: Agent) -> None:
    rt = desk()
    ref = await rt.create(draft(op()))
    for to, raw in ((Theirs.WORKING, "open"), (Theirs.WAITS_FOR_US, "stalled"), (Theirs.FIXED, "resolved")):
        applied = await rt.apply(ref, Transition(op(), to))
        assert applied.ticket is not None
        assert (applied.ticket.raw_state, applied.ticket.state) == (raw, to)
    ours = op()
    applied = await rt.apply(ref, Transition(ours, Theirs.CLOSED, "no longer needed"))
    assert applied.ticket is not None
    assert applied.ticket.raw_state == "resolved", "a reply alone would have opened it again"
    assert await rt.find_comment(ref, ours) == Found(
        (Ref(id=applied.change_ids[0], key=ref.key, url=ref.url),)
    )


async def test_a_priority_is_set_and_proved(desk: Desk) -> None:
    rt = desk(priorities={2: 75, 1: 90})
    ref = await rt.create(draft(op()))
    for _ in range(2):  # said twice, it is so once
        applied = await rt.apply(ref, Reprioritise(op(), Priority.CRITICAL))
        assert applied.ticket is not None
        assert applied.ticket.raw_priority == "90"
    with pytest.raises(Rejected, match="stands for P3"):
        await rt.apply(ref, Reprioritise(op(), Priority.MODERATE))


async def test_a_file_arrives_byte_for_byte_and_is_known_again(desk: Desk, agent: Agent) -> None:
    rt, ours, content = desk(), op(), bytes(range(256)) * 40
    ref = await rt.create(draft(op()))
    file = Attach(ours, "trace äö.bin", "application/octet-stream", "", content)
    applied = await rt.apply(ref, file)
    found = await rt.find_comment(ref, ours)
    assert found == Found((Ref(id=applied.change_ids[0], key=ref.key, url=ref.url),))
    told = (await agent.sees(f"/transaction/{applied.change_ids[0]}/attachments"))["items"]
    files = [await agent.sees(f"/attachment/{one['id']}") for one in told]
    (there,) = [one for one in files if one.get("Filename")]
    assert there["Filename"] == "trace ao.bin"
    said, file_ = (change for change in (await rt.history(ref)).changes if change.marker == ours)
    assert said.body == "File: trace äö.bin"
    assert (file_.kind, file_.by_our_account, file_.size) == (ChangeKind.FILE, True, len(content))
    assert base64.b64decode(there["Content"]) == content


async def test_a_state_that_was_refused_with_200_is_rejected_with_their_words(desk: Desk) -> None:
    rt = desk(transitions={"closed": "deleted"})
    ref = await rt.create(draft(op()))
    with pytest.raises(Rejected, match=r"Permission Denied.*left #\d+ new, not deleted"):
        await rt.apply(ref, Transition(op(), Theirs.CLOSED))
    with pytest.raises(Rejected, match=r"took our note, but left #\d+ open, not deleted"):
        await rt.apply(ref, Transition(op(), Theirs.CLOSED, "please"))
    odd = desk(states={"new": "new", "bogus": "fixed"}, transitions={})
    with pytest.raises(Rejected, match="isn't a valid status"):
        await odd.apply(ref, Transition(op(), Theirs.FIXED))


async def test_their_newer_version_is_a_conflict(desk: Desk, agent: Agent) -> None:
    rt = desk()
    ref = await rt.create(draft(op()))
    seen = (await rt.get(ref)).version
    await agent.replies(ref.id, "we look")
    for note in ("", "with a note"):
        with pytest.raises(Conflict):
            await rt.apply(ref, Transition(op(), Theirs.FIXED, note), seen)
    assert (await rt.get(ref)).raw_state == "open"
    assert (await rt.apply(ref, Comment(op(), "a comment only adds"), seen)).change_ids
    for to, note in ((Theirs.WAITS_FOR_US, ""), (Theirs.FIXED, "with a note")):
        now = (await rt.get(ref)).version
        assert (await rt.apply(ref, Transition(op(), to, note), now)).ticket
    await agent.sets(ref.id, Status="resolved")
    assert await rt.apply(ref, Transition(op(), Theirs.FIXED), seen), "it is as we want it"


async def test_a_merged_ticket_is_followed(desk: Desk, agent: Agent) -> None:
    rt, ours, late = desk(), op(), op()
    kept, merged = await rt.create(draft(op())), await rt.create(draft(ours))
    start = await rt.changes(None)
    await agent.sets(merged.id, MergeInto=int(kept.id))
    with pytest.raises(Moved) as caught:
        await rt.get(merged)
    assert caught.value.new == kept
    assert await rt.find(ours, SINCE) == Found((merged,)), "RT leaves merged tickets out, unless asked"
    heard, _ = await news(rt, start.next, merged)
    assert [(change.raw_state, change.state) for change in heard] == [
        (f"merged into {kept.key}", Theirs.UNMAPPED)
    ]
    await rt.apply(merged, Comment(late, "to the old number"))
    assert isinstance(await rt.find_comment(merged, late), Found), "it stands on the other"


async def test_what_is_not_there_is_told_apart(desk: Desk) -> None:
    rt, nowhere = desk(), Ref(id="99999999", key="#99999999")
    with pytest.raises(Gone):
        await rt.get(nowhere)
    with pytest.raises(Gone):  # though RT itself says 400, Permission Denied
        await rt.apply(nowhere, Comment(op(), "anyone?"))
    with pytest.raises(Gone):
        await rt.apply(nowhere, Transition(op(), Theirs.FIXED))
    with pytest.raises(Rejected, match="no ticket number"):
        await rt.get(Ref(id="1 OR id > 0", key="x"))


async def test_rights_that_are_missing_are_told(desk: Desk) -> None:
    ref = await desk().create(draft(op()))
    with pytest.raises(AuthFailed):
        await desk("RT5_NORIGHTS_TOKEN").get(ref)
    with pytest.raises(AuthFailed, match="No permission to create"):
        await desk("RT5_READER_TOKEN").create(draft(op()))
    with pytest.raises(AuthFailed, match="does not accept"):
        await desk("1-1-0").get(ref)


async def test_a_hundred_and_more_changes_come_whole(desk: Desk, agent: Agent) -> None:
    rt = desk()
    ref = await rt.create(draft(op()))
    start = await rt.changes(None)
    for number in range(120):
        await agent.replies(ref.id, f"reply {number}")
    heard, _ = await news(rt, start.next, ref)
    assert [change.body for change in heard if change.body] == [f"reply {n}" for n in range(120)]
    assert len((await rt.history(ref)).changes) == len(heard) + 1


async def test_ten_changed_tickets_with_their_notes_take_few_requests(
    desk: Desk, agent: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And what comes in a list is, to the letter, what comes of each text by itself."""
    rt = desk()
    refs = [await rt.create(draft(op())) for _ in range(10)]
    page = await rt.changes(None)
    words = [
        "a\r\nb",
        "äöü € ✓ 𝄞",
        'tab\tand "quotes" \\',
        "\ufeffmark",
        "<b>no tag</b>",
        "nul \x00 bell \x07",
        " ",
    ]
    for ref, word in zip(refs, [*words, "eight", "nine", "<p>t&auml;n <b>x</b></p>"], strict=True):
        await agent.replies(ref.id, word, "text/html" if word.startswith("<p>") else "text/plain")
    before, place = rt.http.asked, page.next
    heard: list[str] = []
    while True:
        page = await rt.changes(place)
        heard += [change.body for change in page.changes if change.kind is ChangeKind.COMMENT]
        place = page.next
        if page.done:
            break
    assert heard[1] == "äöü € ✓ 𝄞"
    assert heard[-3:] == ["eight", "nine", "tän x"]
    assert rt.http.asked - before == 5
    monkeypatch.setattr("integrations.rt.transactions.LONG", 0)
    alone = [change.body for ref in refs for change in (await rt.history(ref)).changes if change.body]
    assert [body for body in alone if body != TEXT] == [body for body in heard if body]
