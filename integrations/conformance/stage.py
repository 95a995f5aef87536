"""What a rule is tried on: a world, the line to it, and connectors that speak through that line."""

from __future__ import annotations

import traceback
from collections.abc import Awaitable
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

import httpx
import orjson
from ulid import ULID

from integrations.conformance.line import writes
from integrations.conformance.world import World
from integrations.connector import Cap, Change, Cursor, Draft, Finds, Info, Polls, Ref, TicketUpdate, Updates
from integrations.errors import Failure
from integrations.http import Http, Limits
from integrations.vendor import Wired, info_of, signer_of
from register.incident import Priority

F = TypeVar("F", bound=Failure)
SINCE: Final = datetime(2020, 1, 1, tzinfo=UTC)
HASTE: Final = 0.1
"""Of the time that an honest answer may take: after so much of it a connector in haste gives up."""
_PAGES: Final = 50


class Stage:
    """One rule's own. `desk` is a connector in its senses, `hasty` one that waits for nothing long."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.line = world.line()
        self._open: list[Http] = []
        self.desk = self.connector()
        self.hasty = self.connector(world.patience * HASTE)

    @property
    def info(self) -> Info:
        return info_of(self.world.system, self.world.config)

    def decides(self, request: httpx.Request) -> bool:
        """Whether this is the write that puts something there."""
        return writes(request) and self.world.decides(request)

    def offers(self, cap: Cap) -> bool:
        return cap in self.info.caps

    def connector(self, total: float | None = None) -> Wired:
        """A new one, which knows of nothing."""
        seconds = self.world.patience if total is None else total
        system, config = self.world.system, self.world.config
        root: str = getattr(system, "root", "")
        http = Http(
            self.world.url.rstrip("/") + root,
            system.headers(config, self.world.secret),
            signer=signer_of(system, config, self.world.secret),
            name="acme",
            limits=Limits(connect=seconds, read=seconds, total=seconds),
            transport=self.line,
        )
        http.zone = self.world.zone
        self._open.append(http)
        return system(http, config)

    async def close(self) -> None:
        for http in self._open:
            await http.aclose()

    @staticmethod
    def op() -> str:
        """A new operation id."""
        return str(ULID())

    def draft(self, op_id: str, title: str = "Pump leaks", body: str = "Line one\nLine two: äöü €") -> Draft:
        return Draft(op_id, title, body, Priority.HIGH)

    async def ticket(self) -> Ref:
        """A ticket that is there."""
        return await self.desk.create(self.draft(self.op()))

    async def apply(self, ref: Ref, update: TicketUpdate, desk: Wired | None = None) -> tuple[str, ...]:
        """Carry an update out; return the ids under which the supplier has it."""
        connector = self.desk if desk is None else desk
        assert isinstance(connector, Updates), "has a capability, and no method for it"
        return (await connector.apply(ref, update)).change_ids

    @property
    def finder(self) -> Finds:
        assert isinstance(self.desk, Finds), "declares a look-up, and cannot find"
        return self.desk

    @property
    def feed(self) -> Polls:
        assert isinstance(self.desk, Polls), "declares POLL, and cannot be polled"
        return self.desk

    async def news(self, cursor: Cursor, ref: Ref, feed: Polls | None = None) -> tuple[list[Change], Cursor]:
        """All about one ticket after the cursor, page by page, and the cursor behind it."""
        feed, heard = feed or self.feed, []
        for _ in range(_PAGES):
            page = await feed.changes(cursor)
            assert page.unread == ()
            assert orjson.loads(orjson.dumps(dict(page.next))) == page.next, "a cursor is JSON"
            heard += [change for change in page.changes if change.ref.id == ref.id]
            cursor = page.next
            if page.done:
                return heard, cursor
        raise AssertionError(f"the feed does not end within {_PAGES} pages: its cursor is stuck")

    async def fails(self, kind: type[F] | tuple[type[F], ...], asked: Awaitable[Any]) -> F:
        """Await a failure of this kind, and see that no secret is in it."""
        failure: Failure | None = None
        given: object = None
        try:
            given = await asked
        except Failure as raised:
            failure = raised
        assert failure is not None, f"took it for an answer: {given!r}"
        assert isinstance(failure, kind), f"{type(failure).__name__}: {failure.why}"
        told = "".join(traceback.format_exception(failure)) + repr(vars(failure))
        assert not self.world.secret or self.world.secret not in told, "a secret is in a failure"
        assert failure.why.strip(), "a failure says what happened"
        return failure
