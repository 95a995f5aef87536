"""Rules about what we write: once, in order, to whom it is meant, and found when its answer was lost."""

from __future__ import annotations

import hashlib
from typing import Final

from integrations.conformance import line
from integrations.conformance.rules import rule
from integrations.conformance.stage import Stage
from integrations.connector import (
    Absent,
    Attach,
    Cap,
    Comment,
    Found,
    Reprioritise,
    Theirs,
    Transition,
    Updates,
)
from integrations.errors import Ambiguous, Rejected, Unavailable
from integrations.levels import Level
from register.incident import Priority

SILVER, GOLD = Level.SILVER, Level.GOLD
HOSTILE: Final = (
    "a <b>tag</b> & {{ 7*7 }} ${HOME} %s %(x)s",
    "quotes ' \" ` and \\ back, [bold]markup[/bold]",
    "=1+1 at the beginning of a line",
    "h1. wiki {code}x{code} || table ||",
    "emoji 🧯, combining e\u0301, right to left שלום",
    "' OR 1=1 -- ; DROP TABLE tickets",
    "- a list\n- of two",
)


@rule(
    SILVER,
    "words-in-order",
    "comments arrive once each, in the order in which they were sent",
    Cap.COMMENT_PUBLIC,
)
async def _(at: Stage) -> None:
    ref = await at.ticket()
    ids = [await at.apply(ref, Comment(at.op(), f"word {number}")) for number in range(3)]
    said = (await at.world.said(ref))[1:]
    assert [one.body.split("\n")[0] for one in said] == ["word 0", "word 1", "word 2"]
    assert all(one.public for one in said)
    assert len({one for some in ids for one in some}) == 3, "each is recorded under an id of its own"


@rule(
    SILVER,
    "word-found-again",
    "a comment is found by its operation id under the id that it was answered with",
    Cap.COMMENT_PUBLIC,
)
async def _(at: Stage) -> None:
    ref, op_id = await at.ticket(), at.op()
    ids = await at.apply(ref, Comment(op_id, "any news?"))
    found = await at.finder.find_comment(ref, op_id)
    assert isinstance(found, Found)
    assert tuple(one.id for one in found.refs) == ids
    assert await at.finder.find_comment(ref, at.op()) == Absent()


@rule(
    SILVER,
    "quoted-is-not-ours",
    "our words in somebody else's mouth are not taken for ours",
    Cap.COMMENT_PUBLIC | Cap.POLL,
)
async def _(at: Stage) -> None:
    ref, op_id = await at.ticket(), at.op()
    await at.world.says(ref, f"you wrote:\n> any news?\n> [muster:{op_id}]")
    assert not isinstance(await at.finder.find_comment(ref, op_id), Found)


@rule(
    SILVER,
    "private-stays-private",
    "what is for their people only is for their people only",
    Cap.COMMENT_PRIVATE,
)
async def _(at: Stage) -> None:
    ref, op_id = await at.ticket(), at.op()
    await at.apply(ref, Comment(op_id, "between us", public=False))
    last = (await at.world.said(ref))[-1]
    assert last.body.startswith("between us")
    assert not last.public
    assert isinstance(await at.finder.find_comment(ref, op_id), Found)


@rule(SILVER, "state-is-set", "a state is set and told back, and said twice it is so once", Cap.SET_STATE)
async def _(at: Stage) -> None:
    ref = await at.ticket()
    assert isinstance(at.desk, Updates)
    for _ in range(2):
        applied = await at.desk.apply(ref, Transition(at.op(), Theirs.WORKING))
        assert applied.ticket is not None
        assert applied.ticket.state is Theirs.WORKING
    assert (await at.desk.get(ref)).state is Theirs.WORKING


@rule(SILVER, "closed-with-a-word", "a ticket is closed, and the note stands on it once", Cap.SET_STATE)
async def _(at: Stage) -> None:
    ref, op_id = await at.ticket(), at.op()
    await at.apply(ref, Transition(op_id, Theirs.CLOSED, "no longer needed"))
    assert (await at.desk.get(ref)).state in (Theirs.CLOSED, Theirs.FIXED)
    notes = [one for one in await at.world.said(ref) if one.body.startswith("no longer needed")]
    assert len(notes) == 1
    assert isinstance(await at.finder.find_comment(ref, op_id), Found)


@rule(SILVER, "state-may-be-said-again", "a state whose answer was lost may be said again", Cap.SET_STATE)
async def _(at: Stage) -> None:
    ref = await at.ticket()
    at.line.spoil(line.commit_then_cut)
    await at.fails(Unavailable, at.apply(ref, Transition(at.op(), Theirs.WORKING)))
    await at.apply(ref, Transition(at.op(), Theirs.WORKING))
    assert (await at.desk.get(ref)).state is Theirs.WORKING


@rule(
    SILVER,
    "note-is-never-doubled",
    "a state with a note, whose answer was lost, leaves one note when it is looked up first",
    Cap.SET_STATE,
)
async def _(at: Stage) -> None:
    ref, op_id = await at.ticket(), at.op()
    wish = Transition(op_id, Theirs.CLOSED, "no longer needed")
    for _ in range(3):
        at.line.spoil(line.commit_then_cut, at.decides)
        failure = await at.fails((Ambiguous, Unavailable), at.apply(ref, wish))
        if isinstance(failure, Ambiguous):
            break
        at.line.heal()  # it may be said again: so it is
        await at.apply(ref, wish)
        break
    assert isinstance(await at.finder.find_comment(ref, op_id), Found)
    notes = [one for one in await at.world.said(ref) if one.body.startswith("no longer needed")]
    assert len(notes) == 1
    assert (await at.desk.get(ref)).state in (Theirs.CLOSED, Theirs.FIXED)


@rule(SILVER, "priority-is-set", "a priority is set, and may be said again", Cap.SET_PRIORITY)
async def _(at: Stage) -> None:
    ref = await at.ticket()
    before = (await at.desk.get(ref)).raw_priority
    at.line.spoil(line.commit_then_cut)
    await at.fails(Unavailable, at.apply(ref, Reprioritise(at.op(), Priority.CRITICAL)))
    await at.apply(ref, Reprioritise(at.op(), Priority.CRITICAL))
    after = (await at.desk.get(ref)).raw_priority
    assert after != before
    await at.apply(ref, Reprioritise(at.op(), Priority.HIGH))
    assert (await at.desk.get(ref)).raw_priority == before


@rule(
    SILVER,
    "file-arrives",
    "a file arrives byte for byte, once, and is found when its answer was lost",
    Cap.ATTACH,
)
async def _(at: Stage) -> None:
    content = bytes(range(256)) * 40
    digest = hashlib.sha256(content).hexdigest()
    ref, one, two = await at.ticket(), at.op(), at.op()
    before = len(at.line.asked)
    kind = "application/octet-stream"
    await at.apply(ref, Attach(one, "trace äö.bin", kind, digest, content))
    assert isinstance(await at.finder.find_comment(ref, one), Found)
    assert await at.world.files(ref) == [content]
    at.line.spoil(line.commit_then_cut, _last_of(at, before))
    failure = await at.fails(Ambiguous, at.apply(ref, Attach(two, "b.bin", kind, digest, content)))
    assert failure.op_id == two
    assert isinstance(await at.finder.find_comment(ref, two), Found)
    assert await at.world.files(ref) == [content, content]


def _last_of(at: Stage, before: int) -> line.Fits:
    """The last write that an upload takes: some systems take the bytes first and then put them somewhere."""
    upload = [request for request in at.line.asked[before:] if line.writes(request)]
    left = [len(upload)]
    assert upload

    def fits(request: object) -> bool:
        if not line.writes(request):  # type: ignore[arg-type] # it is one
            return False
        left[0] -= 1
        return left[0] == 0

    return fits


@rule(
    SILVER,
    "no-state-is-guessed",
    "a state that nothing of theirs stands for is refused before anything is sent",
    Cap.SET_STATE,
)
async def _(at: Stage) -> None:
    ref = await at.ticket()
    sent = len([request for request in at.line.asked if line.writes(request)])
    await at.fails(Rejected, at.apply(ref, Transition(at.op(), Theirs.UNMAPPED)))
    assert len([request for request in at.line.asked if line.writes(request)]) == sent


@rule(GOLD, "hostile-words-arrive", "whatever people type arrives as they typed it", Cap.COMMENT_PUBLIC)
async def _(at: Stage) -> None:
    ref = await at.desk.create(at.draft(at.op(), HOSTILE[0], "\n".join(HOSTILE)))
    assert (await at.desk.get(ref)).title == HOSTILE[0]
    first, *_ = await at.world.said(ref)
    assert first.body.startswith("\n".join(HOSTILE)), first.body
    for text in HOSTILE:
        op_id = at.op()
        await at.apply(ref, Comment(op_id, text))
        assert (await at.world.said(ref))[-1].body.startswith(text)
        assert isinstance(await at.finder.find_comment(ref, op_id), Found)
