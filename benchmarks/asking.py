"""What each kind of supplier is asked: requests and bytes at rest, when ten tickets change, and in a minute.

    python -m benchmarks.asking [--bonds 1000] [--check] [--json] [KIND …]

Each kind of system is played in this process, by the tests' own (`tests/played`); the practice supplier and
the mail server answer over sockets. So many tickets are open there, one text arrives on each of ten of
them, and then nothing happens, while time goes by at 15 seconds a poll. At rest is after ten polls without
news: before that, most look back over two minutes, for what is written side by side may appear late. Bytes
are of the bodies of the answers, not packed; beside them, request and answer whole, with lines and headers
as far as the played one sends any (of mail: all that goes both ways). *+ again* is what the polls after
take to look once more, *+ a state* what ten other tickets take that get a state besides the text. A busy
minute has polls at the fastest pace, ten texts heard on ten tickets, and ten of ours sent.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from statistics import mode
from typing import Any, Final

import httpx

from benchmarks.figures import Figure, conclude
from benchmarks.quotas import BONDS, CHANGED, QUOTAS, SELDOM, allowed
from benchmarks.stands import STANDS, passes, world_of
from integrations.conformance.line import Line
from integrations.conformance.stage import Stage
from integrations.conformance.world import World
from integrations.connector import Cap, ChangeKind, Comment, Cursor, Ref, Theirs
from integrations.pacing import Scene, pace_of
from integrations.vendor import Block

EVERY: Final = float(Block.model_fields["poll_seconds"].default)
"""Seconds between two polls while something goes on: what holds where vendors.toml says nothing."""
TO_REST: Final = 20
"""Polls without news, after which a supplier is at rest."""
WATCHED: Final = 20
"""Polls at rest that are counted."""
PATIENCE: Final = 8
"""Polls within which what was written must be heard."""
WORDS: Final = "We have looked into it, and a part must be replaced. Our engineer comes at ten. Sample data."


@dataclass
class Count:
    """Requests, bytes of the answers' bodies, and all bytes both ways."""

    requests: int = 0
    body: int = 0
    whole: int = 0


class Meter(Line):
    """The suite's line, with a meter on it."""

    def __init__(self, inner: httpx.AsyncBaseTransport) -> None:
        super().__init__(inner)
        self.count = Count()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        content = await request.aread()
        answer = await self._inner.handle_async_request(request)
        body = b"".join([part async for part in answer.stream])  # type: ignore[union-attr] # it is async
        await answer.aclose()
        self.count.requests += 1
        self.count.body += len(body)
        line = f"{request.method} {request.url.raw_path.decode()} HTTP/1.1"
        self.count.whole += len(line) + _size(request.headers) + len(content)
        self.count.whole += len("HTTP/1.1 200 OK") + _size(answer.headers) + len(body)
        return httpx.Response(
            answer.status_code,
            headers=answer.headers,
            stream=httpx.ByteStream(body),
            extensions=answer.extensions,
        )


def _size(headers: httpx.Headers) -> int:
    """With the line's end before them, and the empty line behind."""
    return sum(len(name) + len(value) + 4 for name, value in headers.raw) + 4


@dataclass
class Clock:
    """The seconds that a connector believes to be."""

    now: float = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@dataclass(frozen=True, slots=True)
class Asked:
    """What one kind of supplier was asked, with so many tickets open.

    rest: of each poll at rest; ten: requests until a text on each of ten tickets was heard, in `polls` polls;
    again: those beyond one a poll in the polls after; stated: the same as ten, where each has a new state,
    too; create, say: of one ticket made, of one text sent.
    """

    name: str
    kind: str
    bonds: int
    rest: tuple[Count, ...]
    ten: int
    polls: int
    again: int
    stated: int
    create: int
    say: int

    @property
    def quiet(self) -> int:
        """Requests of a poll at rest, of most of them."""
        return mode(count.requests for count in self.rest)

    @property
    def seldom(self) -> int:
        """Requests that all of them took beyond that."""
        return sum(count.requests - self.quiet for count in self.rest)

    @property
    def quiet_bytes(self) -> int:
        """Bytes of the largest of the usual ones."""
        return max(count.body for count in self._usual)

    @property
    def whole(self) -> int:
        return max(count.whole for count in self._usual)

    @property
    def _usual(self) -> list[Count]:
        """All but those that look further: one of twenty does, in some kinds of system."""
        return sorted(self.rest, key=lambda count: (count.requests, count.body))[: -(WATCHED // 10)]

    def polls_a_minute(self, *, busy: bool) -> float:
        """By the table of paces, at the interval that holds where vendors.toml says nothing."""
        now = datetime(2026, 1, 5, 8, tzinfo=UTC)
        scene = Scene(now if busy else now - timedelta(days=1))
        return timedelta(minutes=1) / pace_of(scene, timedelta(seconds=EVERY), now).every

    def at_rest(self, bonds: int = BONDS) -> float:
        """Requests a minute."""
        return self.polls_a_minute(busy=False) * self._quiet_at(bonds)

    def busy(self, bonds: int = BONDS) -> float:
        """Requests of a minute in which ten tickets change and ten texts of ours go out."""
        news = max(0, self.ten - self.polls * self.quiet) + self.again
        return self.polls_a_minute(busy=True) * self._quiet_at(bonds) + news + CHANGED * self.say

    def _quiet_at(self, bonds: int) -> float:
        return self.quiet if bonds == self.bonds else max(self.quiet, allowed(self.kind).quiet_at(bonds))


class Watch:
    """One supplier of a kind, with a connector that is polled, and a meter between them."""

    def __init__(self, world: World) -> None:
        world.patience = 60.0  # nothing is hurried here
        self.world = world
        self.stage = Stage(world)
        self.meter = Meter(self.stage.line)
        self.stage.line = self.meter
        self.desk = self.stage.connector()
        self.clock = Clock()
        for one in _clocks(self.desk):
            one._clock = self.clock
        self.cursor: Cursor | None = None
        self.known: set[str] = set()

    async def open(self, bonds: int) -> tuple[list[Ref], int]:
        """Tickets there, and the requests of the last one."""
        refs = []
        for number in range(bonds):
            before = self.meter.count.requests
            draft = self.stage.draft(self.stage.op(), f"Sample outage {number}", WORDS)
            refs.append(await self.desk.create(draft))
        return refs, self.meter.count.requests - before

    async def poll(self) -> tuple[Count, set[str]]:
        """What a poll took, and the tickets on which it heard a text."""
        self.clock.now += EVERY
        passes(self.world, EVERY)
        self.meter.count = Count()
        carried, heard, done = getattr(self.world, "carried", 0), set[str](), False
        while not done:
            page = await self.desk.changes(self.cursor)  # type: ignore[attr-defined] # it has POLL
            assert page.unread == ()
            self.cursor, done = page.next, page.done
            fresh = [
                one for one in page.changes if one.change_id not in self.known
            ]  # as the register sees it
            self.known |= {one.change_id for one in fresh}
            heard |= {one.ref.id for one in fresh if one.kind is ChangeKind.COMMENT}
        count = self.meter.count
        more = getattr(self.world, "carried", 0) - carried
        return (Count(count.requests, more, more) if more else count), heard

    async def settles(self, polls: int) -> None:
        """Hear what there is, our own words among it."""
        for _ in range(polls):
            await self.poll()

    async def rests(self, polls: int) -> list[Count]:
        """What each of so many polls takes that must hear nothing."""
        counts = []
        for _ in range(polls):
            count, heard = await self.poll()
            assert not heard, heard
            counts.append(count)
        return counts

    async def hears(self, refs: Sequence[Ref], to: Theirs | None = None) -> tuple[int, int]:
        """A text on each, and a state: the requests until all are heard, and in how many polls."""
        for ref in refs:
            if to is not None:
                await self.world.sets(ref, to)
            await self.world.says(ref, WORDS)
        requests, missing = 0, {ref.id for ref in refs}
        for number in range(1, PATIENCE + 1):
            count, heard = await self.poll()
            requests += count.requests
            missing -= heard
            if not missing:
                return requests, number
        raise AssertionError(f"not heard: {missing}")

    async def says(self, ref: Ref) -> int:
        """Requests of a text of ours."""
        self.meter.count = Count()
        if self.stage.offers(Cap.COMMENT_PUBLIC):
            await self.stage.apply(ref, Comment(self.stage.op(), "Any news? Sample data."), self.desk)
        return self.meter.count.requests


async def asked(name: str, bonds: int) -> Asked:
    """Play a supplier and count."""
    stand = STANDS[name]
    async with world_of(stand) as world:
        watch = Watch(world)
        try:
            refs, create = await watch.open(bonds)
            await watch.poll()  # from here on
            await watch.hears(refs[-1:])  # what is asked but once, such as who we are
            say = await watch.says(refs[-1])
            await watch.settles(TO_REST)
            ten, polls = await watch.hears(refs[:CHANGED])
            after = await watch.rests(TO_REST)
            rest = await watch.rests(WATCHED)
            stated, _ = await watch.hears(refs[CHANGED : 2 * CHANGED], Theirs.WORKING)
        finally:
            await watch.stage.close()
    usual = mode(count.requests for count in rest)
    again = sum(count.requests - usual for count in after[:4])
    return Asked(name, stand.kind, bonds, tuple(rest), ten, polls, again, stated, create, say)


def _clocks(thing: Any, known: set[int] | None = None) -> Iterator[Any]:
    """Whatever in a connector looks at a clock of ours."""
    known = set() if known is None else known
    ours = isinstance(thing, dict) or type(thing).__module__.startswith("integrations.")
    if id(thing) in known or not ours:
        return
    known.add(id(thing))
    parts = thing if isinstance(thing, dict) else dict(getattr(thing, "__dict__", {}))
    if "_clock" in parts:
        yield thing
    for part in parts.values():
        yield from _clocks(part, known)


def sentence(one: Asked) -> str:
    """What the page of a kind of system tells of it: a test sees that it does."""
    polls = one.polls_a_minute(busy=True) * one._quiet_at(BONDS)
    return (
        f"**A minute**: {one.at_rest():g} requests at rest, {polls:g} while something goes on, "
        f"{one.busy():g} where ten of their texts come and ten of ours go"
    )


def figures(one: Asked) -> list[Figure]:
    """What a kind takes, beside our budget and its vendor's limit."""
    may, quota, name = allowed(one.kind), QUOTAS[one.kind], f"{one.name}, {one.bonds:,} open"
    told = [
        Figure(f"{name}: a quiet poll", one.quiet, "allowed", may.quiet_at(one.bonds), "requests", 1.0),
        Figure(f"{name}: twenty of them, beyond that", one.seldom, "allowed", SELDOM, "requests", 1.0),
        Figure(
            f"{name}: {CHANGED} tickets changed", one.ten, "allowed", may.ten_at(one.bonds), "requests", 1.0
        ),
    ]
    if may.quiet_bytes is not None:
        told.append(Figure(f"{name}: its answer", one.quiet_bytes, "allowed", may.quiet_bytes, "bytes", 1.0))
    if quota.a_minute is not None:
        for how, took in (("at rest", one.at_rest(one.bonds)), ("busy", one.busy(one.bonds))):
            what = f"{name}: a minute {how}"
            told.append(Figure(what, took, "the vendor's limit", quota.a_minute, "requests", 1.0))
    if quota.lists is not None:
        polls = one.polls_a_minute(busy=True) * one.quiet
        told.append(Figure(f"{name}: polls a minute", polls, "of lists", quota.lists, "requests", 1.0))
    return told


HEAD: Final = (
    f"{'':26}  a quiet poll                10 changed                   of one ticket  a minute\n"
    f"{'':26}  requests    bytes    whole  a text  + again  + a state     made  a text  at rest   busy  limit"
)


def row(one: Asked) -> str:
    """A line for people; under HEAD."""
    quota = QUOTAS[one.kind]
    limit = "not known" if quota.a_minute is None else f"{quota.a_minute:,.0f}"
    return (
        f"{one.name:26}  {one.quiet:8}  {one.quiet_bytes:7,}  {one.whole:7,}  {one.ten:6}  {one.again:7}"
        f"  {one.stated:9}  {one.create:7}  {one.say:6}  {one.at_rest(one.bonds):7.1f}"
        f"  {one.busy(one.bonds):5.0f}  {limit}"
    )


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.asking", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("kinds", nargs="*", metavar="KIND", help="only these (default: all)")
    parser.add_argument("--bonds", type=int, default=BONDS, help="open tickets at each")
    parser.add_argument("--check", action="store_true", help="exit 1 when a budget does not hold")
    parser.add_argument("--json", action="store_true")
    given, _ = parser.parse_known_args(argv)
    names = [name for name, stand in STANDS.items() if not given.kinds or stand.kind in given.kinds]
    told: list[Figure] = []
    if not given.json:
        print(HEAD)
    for name in names:
        one = asyncio.run(asked(name, given.bonds))
        told += figures(one)
        if not given.json:
            print(row(one), flush=True)
    if given.json:
        return conclude(told, check=given.check, as_json=True)
    over = [figure for figure in told if not figure.holds]
    print(
        f"{len(told) - len(over)} budgets hold. {len(names)} systems, {given.bonds:,} tickets open at each."
    )
    return conclude(over, check=given.check) if over else 0


if __name__ == "__main__":
    sys.exit(main())
