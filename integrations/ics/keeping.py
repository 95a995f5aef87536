"""Keeps what calendar feeds say up to date: each is asked for every quarter of an hour, by one worker.

What a feed said last holds until it says something else. One that cannot be read, that is empty, or that
names nobody whom matrix.toml knows changes nothing on record: it is told, with what to do.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from integrations import secrets
from integrations.errors import AuthFailed, Failure, RateLimited, Rejected
from integrations.hand import Hand
from integrations.ics.apart import read_apart
from integrations.ics.fetching import NOTHING, Fetched, fetch
from integrations.ics.reading import Reading, Unreadable
from register.canon import moment
from register.core import Principal, Role
from register.feed_address import KEYRING, checked_address
from register.feed_health import NEVER
from register.feed_people import Event, Whose
from register.feed_shifts import MOST_SHIFTS, Found, Said, turns_of
from register.policy import Matrix
from register.store import RegisterUnavailable, feeds
from register.store.adopted import adopted
from register.topics.feeds import AHEAD, FeedShift, HearFeed

READER: Final = Principal("muster", Role.ENGINE, "feeds")
EVERY: Final = timedelta(minutes=15)
LOOK: Final = 20.0
"""Seconds between two looks whether one is due."""
ANEW: Final = timedelta(hours=12)
"""A calendar that stays as it is is read again after so long: what lies ahead of us has moved on."""
_AT_WORK: Final = timedelta(minutes=2)
"""How long others leave a calendar alone that a worker has begun to ask for."""
_LACKING: Final = timedelta(hours=1)
_AT_ONCE: Final = 4
_TOLD: Final = 5

Fetch = Callable[[str, str, Fetched], Awaitable[Fetched]]


@dataclass(frozen=True, slots=True)
class Source:
    """A rota's calendar, as matrix.toml has it. table: who is meant by what, besides people's names."""

    rota: str
    feed: str
    zone: str
    table: Mapping[str, str]

    def version(self, matrix: Matrix) -> str:
        """All that decides what is read, and for whom: where it is another, the calendar is read anew."""
        people = sorted((key, one.name, one.login) for key, one in matrix.people.items())
        said = [self.feed, self.zone, sorted(self.table.items()), people]
        return hashlib.sha256(json.dumps(said).encode()).hexdigest()[:16]


def sources(matrix: Matrix) -> dict[str, Source]:
    """The calendars that rotas are read from, by rota."""
    return {
        key: Source(key, rota.feed, rota.zone, rota.feed_people)
        for key, rota in matrix.rotas.items()
        if rota.feed is not None
    }


@dataclass(slots=True)
class _Known:
    """What this process knows of a calendar since it read it."""

    version: str
    fetched: Fetched
    read_at: datetime


@dataclass(slots=True)
class Feeds:
    """One worker's hand on the calendars."""

    hand: Hand
    env: Mapping[str, str]
    tell: Callable[[str], object]
    fetch: Fetch = fetch
    _known: dict[str, _Known] = field(default_factory=dict)

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            try:
                await self.look()
            except RegisterUnavailable as error:
                self.tell(f"Whose shift calendars say it is could not be looked at: {error}")
            await asyncio.sleep(LOOK)

    async def look(self) -> None:
        """Ask for every calendar that is due."""
        store, now = self.hand.store, self.hand.now()
        found = await self.hand.call(lambda: adopted(store, self.hand.desk.policy).policy.matrix)
        known = sources(found)
        versions = {rota: source.version(found) for rota, source in known.items()}
        if not versions:
            return
        due = await self.hand.call(lambda: feeds.due(store, versions, now))
        some = asyncio.Semaphore(_AT_ONCE)

        async def one(rota: str) -> None:
            async with some:
                await self.ask(known[rota], found, versions[rota])

        async with asyncio.TaskGroup() as together:
            for rota in due:
                together.create_task(one(rota))

    async def ask(self, source: Source, matrix: Matrix, version: str) -> None:
        """Ask for one calendar, unless another worker does, and have on record what it says."""
        store, now, rota = self.hand.store, self.hand.now(), source.rota
        try:
            address = await asyncio.to_thread(self._address, source)
        except LookupError as lacking:
            why, since = str(lacking), now - _LACKING
            await self.hand.call(lambda: feeds.lacks(store, rota, why, since))
            return
        if not await self.hand.call(lambda: feeds.claim(store, rota, version, now, now + _AT_WORK)):
            return
        try:
            lost = await self._hear(source, matrix, version, address)
        except Failure as failure:
            await self._failed(rota, failure)
            return
        after = self.hand.now()
        await self.hand.call(lambda: feeds.heard(store, rota, after, after + EVERY, lost))

    def _address(self, source: Source) -> str:
        """Where it is; LookupError, with a sentence, where this process does not know that."""
        if source.feed != KEYRING:
            return source.feed
        what = f"The address of the calendar of {source.rota}"
        try:
            stored = secrets.look(secrets.rota_slot(source.rota), self.env)
            if stored is not None:
                return checked_address(stored)
        except AuthFailed as failure:
            why = f"{what} cannot be looked up where Muster serves: {secrets.cause(failure)}"
        except ValueError as error:
            why = f"{what} {error}."
        else:
            why = f"{what} is not stored where Muster serves."
        raise LookupError(why)

    async def _hear(self, source: Source, matrix: Matrix, version: str, address: str) -> str | None:
        """Read it; return what of it is nobody's, None where nothing is new. Raises Failure."""
        now, rota, known = self.hand.now(), source.rota, self._known.get(source.rota)
        fresh = known is not None and known.version == version and now - known.read_at < ANEW
        fetched = await self.fetch(rota, address, known.fetched if known is not None and fresh else NOTHING)
        if fetched.body is None:
            if not fresh:
                raise Rejected(f"The calendar of {rota} answered nothing, though it was asked for all of it.")
            return None
        try:
            reading = await read_apart(fetched.body, now, now + AHEAD, source.zone)
            found = turns_of(_said(reading), Whose(matrix, source.table))
            _refuse_empty(reading, found)
            await self._record(rota, found, now)
        except Unreadable as error:
            raise Rejected(f"The calendar of {rota} {error}.") from None
        self._known[rota] = _Known(version, Fetched(None, fetched.etag, fetched.modified), now)
        return _lost(reading, found)

    async def _record(self, rota: str, found: Found, now: datetime) -> None:
        shifts = tuple(FeedShift(begin=one.begin, end=one.end, person=one.person) for one in found.turns)
        await self.hand.do(READER, HearFeed(rota=rota, until=now + AHEAD, shifts=shifts))

    async def _failed(self, rota: str, failure: Failure) -> None:
        """What it said last holds. Where waiting may help, it is asked again soon, then ever later."""
        store, now = self.hand.store, self.hand.now()
        grave = isinstance(failure, Rejected)
        row = (await self.hand.call(lambda: feeds.feeds(store))).get(rota, NEVER)
        wait = EVERY if grave else min(EVERY, timedelta(minutes=2 ** min(row.failures, 4)))
        if isinstance(failure, RateLimited) and failure.retry_after is not None:
            wait = max(wait, failure.retry_after)
        await self.hand.call(lambda: feeds.failed(store, rota, now + wait, failure.why, grave=grave))
        self.tell(f"{failure.why} What it said last holds.")


def _refuse_empty(reading: Reading, found: Found) -> None:
    """One that suddenly says nobody is more likely broken than meant."""
    if not found.turns and found.strangers:
        raise Unreadable(f"names nobody whom matrix.toml knows: {found.of_strangers()}")
    if not found.turns and reading.lost_count:
        raise Unreadable(f"has no event that could be read: {'; '.join(reading.lost[:_TOLD])}")
    if not found.turns:
        raise Unreadable(f"has no shift within the next {AHEAD.days} days")
    if len(found.turns) > MOST_SHIFTS:
        raise Unreadable(f"has more than {MOST_SHIFTS:,} shifts within {AHEAD.days} days")


def _said(reading: Reading) -> list[Said]:
    return [
        Said(moment(one.begin), moment(one.end), Event(one.summary, one.attendees, one.organizer))
        for one in reading.happenings
    ]


def _lost(reading: Reading, found: Found) -> str:
    """What of a calendar is in no rota, in sentences; empty where all of it is."""
    told = []
    if found.strangers:
        told.append(f"matrix.toml knows nobody by {found.of_strangers()}.")
    if reading.lost_count:
        told.append(
            f"{reading.lost_count} of its events could not be read: {'; '.join(reading.lost[:_TOLD])}."
        )
    return " ".join(told)
