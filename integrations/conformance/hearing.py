"""Rules about what we hear: all of it, once each, in order, and whose it is."""

from __future__ import annotations

from typing import Final

import orjson

from integrations.conformance.rules import rule
from integrations.conformance.stage import Stage
from integrations.connector import Cap, ChangeKind, Comment, Polls, Reprioritise, Theirs
from integrations.errors import AuthFailed
from integrations.levels import Level
from register.incident import Priority
from register.text import clean

SILVER, GOLD = Level.SILVER, Level.GOLD
LISTENS: Final = Cap.POLL
CROWD: Final = 230
"""More than two pages of any system that we know."""
HOSTILE: Final = "\x1b[31mred\x1b[0m \x07bell \u202eright to left\u202c [bold]x[/bold] \x00nul \u2066\r\nend"


@rule(SILVER, "starts-now", "without a cursor nothing is told, but where to go on", LISTENS)
async def _(at: Stage) -> None:
    ref = await at.ticket()
    await at.world.says(ref, "before")
    page = await at.feed.changes(None)
    assert (page.changes, page.unread, page.done) == ((), (), True)
    heard, _ = await at.news(page.next, ref)
    assert heard == []  # the cursor may go on: a second is over there, and what was in it is known


@rule(SILVER, "their-words-are-heard", "what their people write is heard once, in order, as theirs", LISTENS)
async def _(at: Stage) -> None:
    ref = await at.ticket()
    start = await at.feed.changes(None)
    for word in ("one", "two\nlines", "three äöü"):
        await at.world.says(ref, word)
    heard, _ = await at.news(start.next, ref)
    words = [one for one in heard if one.kind is ChangeKind.COMMENT]
    assert [one.body for one in words] == ["one", "two\nlines", "three äöü"]
    assert all(
        one.ref == ref and one.author and not one.by_our_account and one.marker is None for one in words
    )
    assert all(one.at.utcoffset() is not None and one.public for one in words)
    assert len({one.change_id for one in heard}) == len(heard)


@rule(
    SILVER,
    "their-state-is-heard",
    "what their people decide is heard, and means what the mapping says",
    LISTENS,
)
async def _(at: Stage) -> None:
    ref = await at.ticket()
    start = await at.feed.changes(None)
    await at.world.sets(ref, Theirs.WORKING)
    await at.world.sets(ref, Theirs.FIXED)
    heard, _ = await at.news(start.next, ref)
    states = [one for one in heard if one.kind is ChangeKind.STATE]
    assert [one.state for one in states] == [Theirs.WORKING, Theirs.FIXED]
    assert all(one.raw_state and not one.by_our_account for one in states)


@rule(
    GOLD,
    "their-priority-is-heard",
    "a priority that their people set is heard as one of ours, and our own is known when it comes back",
    LISTENS | Cap.SET_PRIORITY,
)
async def _(at: Stage) -> None:
    ref = await at.ticket()
    start = await at.feed.changes(None)
    await at.world.urges(ref, Priority.LOW)
    ids = await at.apply(ref, Reprioritise(at.op(), Priority.CRITICAL))
    heard, _ = await at.news(start.next, ref)
    theirs, ours = [one for one in heard if one.kind is ChangeKind.PRIORITY]
    assert Priority.LOW in theirs.priorities
    assert theirs.raw_priority
    assert not theirs.by_our_account
    assert Priority.CRITICAL in ours.priorities
    assert ours.by_our_account
    assert ours.change_id in ids


@rule(
    SILVER,
    "ours-is-known",
    "what we wrote is told as ours, by its operation id",
    LISTENS | Cap.COMMENT_PUBLIC,
)
async def _(at: Stage) -> None:
    ref, op_id = await at.ticket(), at.op()
    start = await at.feed.changes(None)
    ids = await at.apply(ref, Comment(op_id, "any news?"))
    heard, _ = await at.news(start.next, ref)
    ours = [one for one in heard if one.kind is ChangeKind.COMMENT]
    assert [(one.marker, one.by_our_account) for one in ours] == [(op_id, True)]
    assert tuple(one.change_id for one in ours) == ids, "the very id that the answer told"
    assert "muster:" not in ours[0].body, "the footer is not for people"


@rule(GOLD, "typed-by-hand", "a person who types under our account is not taken for us", LISTENS)
async def _(at: Stage) -> None:
    ref = await at.ticket()
    start = await at.feed.changes(None)
    await at.world.types_as_us(ref, "typed by hand")
    heard, _ = await at.news(start.next, ref)
    typed = [one for one in heard if one.kind is ChangeKind.COMMENT]
    assert [(one.body, one.by_our_account, one.marker) for one in typed] == [("typed by hand", True, None)]


@rule(SILVER, "cursor-survives", "a cursor means the same to a connector that was made anew", LISTENS)
async def _(at: Stage) -> None:
    ref = await at.ticket()
    start = await at.feed.changes(None)
    await at.world.says(ref, "one")
    kept = orjson.loads(orjson.dumps(dict(start.next)))
    fresh = at.connector()
    assert isinstance(fresh, Polls)
    heard, after = await at.news(kept, ref, fresh)
    assert [one.body for one in heard if one.body] == ["one"]
    another = at.connector()
    assert isinstance(another, Polls)
    assert (await at.news(after, ref, another))[0] == [], "nothing is told twice"


@rule(SILVER, "asked-twice-told-twice", "a page whose taking in failed is told again", LISTENS)
async def _(at: Stage) -> None:
    ref = await at.ticket()
    start = await at.feed.changes(None)
    await at.world.says(ref, "one")
    first, _ = await at.news(start.next, ref)
    again, _ = await at.news(start.next, ref)
    assert [one.change_id for one in first] == [one.change_id for one in again] != []


@rule(SILVER, "history-is-whole", "a ticket is read from its beginning, whatever the cursor says", LISTENS)
async def _(at: Stage) -> None:
    ref, op_id = await at.ticket(), at.op()
    await at.world.says(ref, "one")
    await at.world.sets(ref, Theirs.WORKING)
    await at.world.says(ref, "two")
    if at.offers(Cap.COMMENT_PUBLIC):
        await at.apply(ref, Comment(op_id, "thanks"))
    page = await at.feed.history(ref)
    assert (page.done, page.unread) == (True, ())
    theirs = [one for one in page.changes if not one.by_our_account]
    assert [one.body for one in theirs if one.kind is ChangeKind.COMMENT] == ["one", "two"]
    assert Theirs.WORKING in {one.state for one in theirs if one.kind is ChangeKind.STATE}
    start = await at.feed.changes(None)
    await at.world.says(ref, "three")
    (heard, _) = await at.news(start.next, ref)
    (last,) = [one for one in heard if one.kind is ChangeKind.COMMENT]
    assert last.change_id in {one.change_id for one in (await at.feed.history(ref)).changes}, (
        "one id for one change"
    )


@rule(GOLD, "a-crowd-is-heard", "more than two pages of one instant come whole, once each, in order", LISTENS)
async def _(at: Stage) -> None:
    ref = await at.ticket()
    start = await at.feed.changes(None)
    await at.world.crowds(ref, CROWD)
    heard, after = await at.news(start.next, ref)
    assert [one.body for one in heard if one.kind is ChangeKind.COMMENT] == [str(n) for n in range(CROWD)]
    assert (await at.news(after, ref))[0] == []


@rule(GOLD, "hostile-words-are-harmless", "what their people write reaches no terminal as a command", LISTENS)
async def _(at: Stage) -> None:
    ref = await at.ticket()
    start = await at.feed.changes(None)
    await at.world.says(ref, HOSTILE)
    heard, _ = await at.news(start.next, ref)
    (word,) = [one for one in heard if one.kind is ChangeKind.COMMENT]
    assert word.body == clean(word.body)
    assert "red" in word.body
    assert "[bold]x[/bold]" in word.body
    assert word.body.endswith("end")


@rule(
    SILVER,
    "silence-is-not-nobody",
    "a feed that shows us nothing because we are nobody is no silence",
    LISTENS,
)
async def _(at: Stage) -> None:
    ref = await at.ticket()
    start = await at.feed.changes(None)
    await at.world.says(ref, "one")
    _, after = await at.news(start.next, ref)
    await at.world.expires()
    await at.fails(AuthFailed, at.feed.changes(after))
