"""Rules about the ticket: one is made, as written, it is found again, and nothing else is taken for it."""

from __future__ import annotations

import asyncio
import contextlib

from integrations.conformance import line
from integrations.conformance.rules import rule
from integrations.conformance.stage import SINCE, Stage
from integrations.connector import (
    Absent,
    Cap,
    Comment,
    Found,
    Native,
    NoLookup,
    Polls,
    Ref,
    Strong,
    Theirs,
    Transition,
    Updates,
)
from integrations.errors import (
    AuthFailed,
    AuthTrouble,
    Conflict,
    Failure,
    Gone,
    Moved,
    NotSent,
    RateLimited,
    Rejected,
)
from integrations.levels import Level

BRONZE, SILVER, GOLD = Level.BRONZE, Level.SILVER, Level.GOLD


@rule(BRONZE, "offers-tickets", "it makes tickets, and can be asked for them or honours a key")
async def _(at: Stage) -> None:
    assert at.offers(Cap.CREATE)
    assert not isinstance(at.info.lookup, NoLookup) or isinstance(at.info.idempotency, Native)


@rule(SILVER, "offers-words", "it writes on tickets and listens to them")
async def _(at: Stage) -> None:
    assert at.offers(Cap.COMMENT_PUBLIC | Cap.POLL)
    assert isinstance(at.desk, Updates)
    assert isinstance(at.desk, Polls)


@rule(GOLD, "offers-states", "it sets states and priorities, and sends files")
async def _(at: Stage) -> None:
    assert at.offers(Cap.SET_STATE | Cap.SET_PRIORITY | Cap.ATTACH)


@rule(BRONZE, "checks-well", "where all is well its check says so, with the account's name, in lines")
async def _(at: Stage) -> None:
    await at.ticket()  # some systems tell who we are when we wrote something
    health = await at.desk.check()
    assert health.ok, [one for one in health.checks if not one.ok]
    assert health.account
    assert {"identity"} < {one.name for one in health.checks}, "who we are, and more"


@rule(
    BRONZE,
    "checks-ill",
    "where its credential is refused its check says so and what to do, and raises nothing",
)
async def _(at: Stage) -> None:
    at.line.spoil(line.says(401), lambda request: True, times=100)
    health = await at.desk.check()
    assert not health.ok
    assert all(one.todo for one in health.checks if not one.ok)


@rule(BRONZE, "one-ticket", "a create makes one ticket, which can be read")
async def _(at: Stage) -> None:
    op_id = at.op()
    ref = await at.desk.create(at.draft(op_id))
    assert await at.world.tickets(op_id) == 1
    ticket = await at.desk.get(ref)
    assert (ticket.ref, ticket.title) == (ref, "Pump leaks")
    assert ref.id
    assert ref.key
    assert ticket.state is not Theirs.UNMAPPED
    assert ticket.updated_at.utcoffset() is not None
    other = await at.ticket()
    assert (other.id, other.key) != (ref.id, ref.key)


@rule(BRONZE, "as-written", "the text arrives whole, line by line, and carries its operation id")
async def _(at: Stage) -> None:
    op_id = at.op()
    ref = await at.desk.create(at.draft(op_id))
    first, *_ = await at.world.said(ref)
    assert first.body.startswith("Line one\nLine two: äöü €"), first.body
    assert await at.world.tickets(op_id) == 1


@rule(BRONZE, "found-again", "a ticket is found by its operation id, and by that alone")
async def _(at: Stage) -> None:
    if isinstance(at.info.lookup, NoLookup):
        return
    op_id = at.op()
    ref = await at.desk.create(at.draft(op_id))
    found = await at.finder.find(op_id, SINCE)
    if isinstance(at.info.lookup, Strong) or isinstance(found, Found):
        assert found == Found((ref,))
    near = op_id[:-1] + ("0" if op_id[-1] != "0" else "1")
    assert not isinstance(await at.finder.find(near, SINCE), Found)


@rule(BRONZE, "absent-is-proved", "a strong look-up says Absent of what is not there")
async def _(at: Stage) -> None:
    if isinstance(at.info.lookup, NoLookup):
        return
    await at.ticket()
    found = await at.finder.find(at.op(), SINCE)
    assert not isinstance(found, Found)
    if isinstance(at.info.lookup, Strong):
        assert isinstance(found, Absent), found


@rule(BRONZE, "two-are-told", "where there are two they are told, the oldest first")
async def _(at: Stage) -> None:
    if not isinstance(at.info.lookup, Strong) or isinstance(at.info.idempotency, Native):
        return
    op_id = at.op()
    first = await at.desk.create(at.draft(op_id))
    second = await at.desk.create(at.draft(op_id))
    assert await at.finder.find(op_id, SINCE) == Found((first, second))


@rule(BRONZE, "refused-credential", "a credential that is refused, or lacks a right, is no other failure")
async def _(at: Stage) -> None:
    op_id = at.op()
    for status, trouble in ((401, AuthTrouble.REFUSED), (403, AuthTrouble.FORBIDDEN)):
        at.line.spoil(line.says(status))
        failure = await at.fails((AuthFailed, RateLimited), at.desk.create(at.draft(op_id)))
        assert getattr(failure, "trouble", trouble) is trouble
    assert await at.world.tickets(op_id) == 0


@rule(
    BRONZE, "nobody-is-told-nothing", "a credential that ran out proves nothing, however the system takes it"
)
async def _(at: Stage) -> None:
    if isinstance(at.info.lookup, NoLookup):
        return
    op_id = at.op()
    await at.desk.create(at.draft(op_id))
    await at.world.expires()
    for asked in (op_id, at.op()):
        try:
            found = await at.finder.find(asked, SINCE)
        except Failure:
            continue
        assert not isinstance(found, Absent), "nothing was shown, and taken for nothing there"


@rule(BRONZE, "never-left", "what did not connect, or whose TLS failed, was not sent")
async def _(at: Stage) -> None:
    op_id = at.op()
    for trouble in (line.no_connection, line.no_tls):
        at.line.spoil(trouble)
        await at.fails(NotSent, at.desk.create(at.draft(op_id)))
    assert await at.world.tickets(op_id) == 0


@rule(BRONZE, "no-secret-told", "no failure carries the credential, whatever is sent back")
async def _(at: Stage) -> None:
    at.line.spoil(line.mirror)
    await at.fails((Rejected, Failure), at.desk.create(at.draft(at.op())))
    at.line.spoil(line.mirror, line.reads)
    ref = Ref(id="1", key="1")
    await at.fails((Rejected, Failure), at.desk.get(ref))
    assert at.world.secret == "" or at.world.secret not in repr(at.desk.http)


@rule(BRONZE, "stays-at-home", "no request follows a redirect to another origin")
async def _(at: Stage) -> None:
    for fits in (line.writes, line.reads):
        for status in (301, 302, 307, 308):
            at.line.spoil(line.says(status, location=line.OTHER_ORIGIN), fits)
            asked = at.desk.create(at.draft(at.op())) if fits is line.writes else at.desk.check()
            with contextlib.suppress(Failure):  # what it is told as is the concern of other rules
                await asked
    at.line.heal()
    assert {request.url.host for request in at.line.asked} == {at.desk.http.base.host}


@rule(SILVER, "gone-is-told", "a ticket that is not there is Gone, or refused: never another one")
async def _(at: Stage) -> None:
    ref = await at.ticket()
    nowhere = Ref(id=f"{ref.id}99999", key="nowhere")
    await at.fails((Gone, Rejected), at.desk.get(nowhere))


@rule(GOLD, "moved-is-told", "a ticket that was merged is Moved, and found where it went", Cap.POLL)
async def _(at: Stage) -> None:
    ref = await at.ticket()
    start = await at.feed.changes(None)
    new = await at.world.merges(ref)
    moved = await at.fails(Moved, at.desk.get(ref))
    assert moved.new.id == new.id
    heard, _ = await at.news(start.next, ref)
    assert [one.state for one in heard] == [Theirs.UNMAPPED], "the feed tells that something was done"


@rule(
    GOLD, "conflict-is-told", "what they changed since we looked is not overwritten", Cap.ETAG | Cap.SET_STATE
)
async def _(at: Stage) -> None:
    ref = await at.ticket()
    seen = (await at.desk.get(ref)).version
    assert seen is not None
    await at.world.says(ref, "we look")
    assert isinstance(at.desk, Updates)
    await at.fails(Conflict, at.desk.apply(ref, Transition(at.op(), Theirs.FIXED), seen))
    now = (await at.desk.get(ref)).version
    assert (await at.desk.apply(ref, Transition(at.op(), Theirs.FIXED), now)).ticket


@rule(GOLD, "side-by-side", "eight at once are eight, and each caller gets its own")
async def _(at: Stage) -> None:
    ops = [at.op() for _ in range(8)]
    refs = await asyncio.gather(*(at.desk.create(at.draft(op_id)) for op_id in ops))
    assert len({ref.id for ref in refs}) == 8
    assert [await at.world.tickets(op_id) for op_id in ops] == [1] * 8
    if at.offers(Cap.COMMENT_PUBLIC):
        await asyncio.gather(*(at.apply(ref, Comment(at.op(), ref.key)) for ref in refs))
        for ref in refs:
            assert [one.body.split("\n")[0] for one in await at.world.said(ref)][1:] == [ref.key]
