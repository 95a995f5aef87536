"""From one supplier to the register: what its people answer and decide, once each, nothing lost."""

from __future__ import annotations

from collections.abc import Iterable

import orjson

from integrations.connector import BALL, Change, ChangeKind, Cursor, Page, Polls, Theirs
from integrations.errors import AuthFailed, AuthTrouble, Failure, Moved
from integrations.hand import COLLECTOR, Hand
from integrations.vendor import Vendor, Wired
from register.core import Refused
from register.incident import TicketRef
from register.store import vendors
from register.store.vendors import BondRow
from register.text import MAX_TEXT, clip
from register.topics.delivery import PauseVendor
from register.topics.hearing import Hear, Heard, Unreadable

MOST_PAGES = 200
"""Pages taken in one go; the rest comes with the next poll."""
_SAYS_FIXED = {Theirs.FIXED: True, Theirs.CLOSED: True, Theirs.UNMAPPED: None}


class Collector:
    """Listens to one vendor."""

    def __init__(self, hand: Hand, vendor: Vendor, connector: Wired) -> None:
        self._hand = hand
        self._vendor = vendor
        self._connector = connector
        self._moved: list[BondRow] = []  # a word of theirs that we do not know: perhaps a merger

    async def poll(self) -> int:
        """Take in what is new, and read whole what became known; return the number of events."""
        if not isinstance(self._connector, Polls):
            return 0
        name, store = self._vendor.name, self._hand.store
        try:
            heard = await self._follow()
            more, trouble = await self._read_whole()
        except Failure as failure:
            await self._trouble(failure)
            return 0
        now = self._hand.now()
        await self._hand.call(lambda: vendors.heard_from(store, name, now, trouble))
        return heard + more

    async def _trouble(self, failure: Failure) -> None:
        name, store, now = self._vendor.name, self._hand.store, self._hand.now()
        await self._hand.call(lambda: vendors.heard_from(store, name, now, failure.why))
        if isinstance(failure, AuthFailed) and failure.trouble is not AuthTrouble.MISSING:
            await self._hand.do(COLLECTOR, PauseVendor(vendor=name, why=failure.why))

    async def _follow(self) -> int:
        """Page by page, each committed with the cursor that it brought."""
        connector, name = self._connector, self._vendor.name
        assert isinstance(connector, Polls)  # noqa: S101 - poll() has looked
        heard = 0
        for _ in range(MOST_PAGES):
            before = await self._hand.call(lambda: vendors.cursor_of(self._hand.store, name))
            page = await connector.changes(None if before is None else orjson.loads(before))
            after = _json(page.next)
            if page.changes or page.unread or after != before:
                heard += await self._take_in(page, before, after)
            if page.done:
                break
        return heard

    async def _take_in(self, page: Page, before: str | None, after: str) -> int:
        bonds = await self._bonds({change.ref.id for change in page.changes})
        self._moved += [
            bonds[change.ref.id]
            for change in page.changes
            if change.ref.id in bonds and change.kind is ChangeKind.STATE and change.state is Theirs.UNMAPPED
        ]
        hear = Hear(
            vendor=self._vendor.name,
            after=before,
            cursor=after,
            items=tuple(_items(page.changes, bonds)),
            unreadable=_unreadable(page),
        )
        try:
            receipt = await self._hand.do(COLLECTOR, hear)
        except Refused:  # another collector was first: its cursor is the truth, read on from there
            return 0
        return len(receipt.events)

    async def _read_whole(self) -> tuple[int, str]:
        """Tickets that became known or moved: they may have been answered before we knew their number.

        Returns the number of events, and what the last one that could not be read failed of.
        """
        heard, trouble = 0, ""
        due = await self._hand.call(lambda: vendors.bonds_of(self._hand.store, self._vendor.name))
        for bond in {bond.id: bond for bond in (*due, *self._moved)}.values():
            try:
                heard += await self._read_one(bond)
            except AuthFailed:
                raise
            except Failure as failure:
                trouble = failure.why
        self._moved.clear()
        return heard, trouble

    async def _read_one(self, bond: BondRow) -> int:
        connector = self._connector
        assert isinstance(connector, Polls)  # noqa: S101 - poll() has looked
        try:
            ref = (await connector.get(TicketRef(id=bond.remote_id, key=bond.remote_id))).ref
        except Moved as moved:
            ref = moved.new
        page = await connector.history(ref)
        hear = Hear(
            vendor=self._vendor.name,
            items=tuple(_items(page.changes, {change.ref.id: bond for change in page.changes})),
            unreadable=_unreadable(page),
            whole=bond.id,
            target=bond.incident,
            ref=ref,
        )
        return len((await self._hand.do(COLLECTOR, hear)).events)

    async def _bonds(self, remote_ids: set[str]) -> dict[str, BondRow]:
        if not remote_ids:
            return {}
        rows = await self._hand.call(
            lambda: vendors.bonds_of(self._hand.store, self._vendor.name, remote_ids)
        )
        return {row.remote_id: row for row in sorted(rows, key=lambda row: row.live)}


def _items(changes: Iterable[Change], bonds: dict[str, BondRow]) -> Iterable[Heard]:
    """Changes of our tickets; others' are no business of ours."""
    for change in changes:
        bond = bonds.get(change.ref.id)
        if bond is None:
            continue
        states = change.kind is ChangeKind.STATE
        yield Heard(
            incident=bond.incident,
            bond=bond.id,
            change_id=change.change_id,
            at=change.at,
            kind="state" if states else "comment",
            author=clip(change.author, 200) or "unknown",
            by_our_account=change.by_our_account,
            body=clip(change.body, MAX_TEXT),
            public=change.public,
            raw_state=change.raw_state,
            ball=BALL[change.state] if states else None,
            fixed=_SAYS_FIXED.get(change.state, False) if states else None,
            closed=change.state in (Theirs.CLOSED, Theirs.REFUSED),
            means=change.state.value if states else "",
            # a marker under somebody else's words is our text carried along, not our message
            op_id=change.marker if change.by_our_account else None,
        )


def _unreadable(page: Page) -> tuple[Unreadable, ...]:
    return tuple(Unreadable(change_id=u.change_id, raw=u.raw, why=u.why) for u in page.unread)


def _json(cursor: Cursor) -> str:
    return orjson.dumps(dict(cursor), option=orjson.OPT_SORT_KEYS).decode()
