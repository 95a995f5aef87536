"""From one supplier to the register: what its people answer and decide, once each, nothing lost."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

import orjson

from integrations.breaker import after_poll, asked_until
from integrations.budget import Budget
from integrations.connector import BALL, Change, ChangeKind, Cursor, Page, Polls, Theirs
from integrations.errors import (
    AuthFailed,
    AuthTrouble,
    Conflict,
    Failure,
    Gone,
    Moved,
    RateLimited,
    Rejected,
)
from integrations.hand import COLLECTOR, Hand
from integrations.reading import MAX_RAW
from integrations.vendor import Vendor, Wired
from register.core import Refused
from register.incident import TicketRef
from register.store import RegisterUnavailable, vendors
from register.store.vendors import BondRow, Standing
from register.text import MAX_TEXT, clip
from register.topics.delivery import PauseVendor
from register.topics.hearing import Hear, Heard, Unreadable

MOST_PAGES: Final = 200
"""Pages taken in one go; the rest comes with the next poll."""
MOST_WHOLE: Final = 50
"""Tickets read whole in one go: after a restore there may be as many as were ever made."""
LATER: Final = timedelta(minutes=1)
"""The wait before a ticket that could not be read whole is tried again; doubled each time, up to an hour."""
MOST_RESTING: Final = 500
"""Of these so many are left out when the next ones are looked for; the register is not asked with more."""
_SAYS_FIXED: Final = {Theirs.FIXED: True, Theirs.CLOSED: True, Theirs.UNMAPPED: None}
Bonds = Mapping[str, Sequence[BondRow]]
"""By a ticket's id: whose it is."""
_FOR_EVER: Final = (Gone, Rejected, Conflict, Moved)
"""What asking again will not change."""


class Collector:
    """Listens to one vendor. `failure` is what the last poll failed of, if it did."""

    def __init__(self, hand: Hand, vendor: Vendor, connector: Wired, budget: Budget | None = None) -> None:
        self._hand = hand
        self._vendor = vendor
        self._connector = connector
        self._budget = budget or Budget(hand, vendor, connector)
        self._moved: list[BondRow] = []  # a word of theirs that we do not know: perhaps a merger
        self._later: dict[tuple[str, str], tuple[int, datetime]] = {}  # what failed: how often, until when
        self.failure: Failure | None = None

    async def poll(self) -> int:
        """Take in what is new, and read whole what became known; return the number of events."""
        self.failure = None
        if not isinstance(self._connector, Polls) or await self.asked_until() is not None:
            return 0
        name, store = self._vendor.name, self._hand.store
        try:
            heard, trouble = await self._read_whole()  # first, so that what was said before is told before
            heard += await self._follow()
            if self._moved:
                more, trouble = await self._read_whole()
                heard += more
        except Failure as failure:
            await self._trouble(failure)
            return 0
        now = self._hand.now()
        await self._hand.call(lambda: vendors.heard_from(store, name, now, trouble))
        return heard

    async def asked_until(self) -> datetime | None:
        """Until when the supplier asks to be let be, if it does."""
        store, name = self._hand.store, self._vendor.name
        return asked_until(await self._hand.call(lambda: vendors.standing(store, name)), self._hand.now())

    async def _trouble(self, failure: Failure) -> None:
        self.failure = failure
        name, store, now = self._vendor.name, self._hand.store, self._hand.now()
        await self._hand.call(lambda: vendors.heard_from(store, name, now, failure.why))
        await self._waits(failure)
        if isinstance(failure, AuthFailed) and failure.trouble is not AuthTrouble.MISSING:
            await self._hand.do(COLLECTOR, PauseVendor(vendor=name, why=failure.why))

    async def _waits(self, failure: Failure) -> None:
        """Keep the wait that the supplier asks for, where it does: couriers wait for it, too."""
        name, store, now = self._vendor.name, self._hand.store, self._hand.now()
        if after_poll(Standing(), failure, now) != Standing():
            await self._hand.call(
                lambda: vendors.change_standing(store, name, lambda kept: after_poll(kept, failure, now))
            )

    async def _follow(self) -> int:
        """Page by page, each committed with the cursor that it brought."""
        connector, name = self._connector, self._vendor.name
        assert isinstance(connector, Polls)  # noqa: S101 - poll() has looked
        heard = 0
        for _ in range(MOST_PAGES):
            before = await self._hand.call(lambda: vendors.cursor_of(self._hand.store, name))
            await self._budget.wait()
            page = await connector.changes(None if before is None else orjson.loads(before))
            after = _json(page.next)
            if page.changes or page.unread or after != before:
                heard += await self._take_in(page, before, after)
            if page.done:
                break
        return heard

    async def _take_in(self, page: Page, before: str | None, after: str) -> int:
        told = {change.ref.id for change in page.changes}
        bonds = await self._bonds(told | {unread.ticket for unread in page.unread if unread.ticket})
        self._moved += [
            bond
            for change in page.changes
            if change.kind is ChangeKind.STATE and change.state is Theirs.UNMAPPED
            for bond in bonds.get(change.ref.id, ())
        ]
        hear = Hear(
            vendor=self._vendor.name,
            after=before,
            cursor=after,
            items=tuple(_items(page.changes, bonds)),
            unreadable=_unreadable(page, bonds),
        )
        try:
            return len((await self._hand.do(COLLECTOR, hear)).events)
        except RegisterUnavailable:
            raise
        except Exception as error:
            return await self._one_by_one(hear, error)

    async def _one_by_one(self, page: Hear, error: Exception) -> int:
        """A page that is not taken in as a whole: what is sound of it, and the rest is set aside."""
        at = await self._hand.call(lambda: vendors.cursor_of(self._hand.store, page.vendor))
        if at != page.after:  # another collector was first: its cursor is the truth, read on from there
            return 0
        if not page.items:
            raise error
        heard, aside = 0, list(page.unreadable)
        for item in page.items:
            try:
                heard += len((await self._hand.do(COLLECTOR, Hear(vendor=page.vendor, items=(item,)))).events)
            except RegisterUnavailable:
                raise
            except Exception as fault:  # whatever it is, it must not keep the rest of the feed waiting
                aside.append(_refused(item, fault))
        rest = Hear(vendor=page.vendor, after=page.after, cursor=page.cursor, unreadable=tuple(aside))
        await self._hand.do(COLLECTOR, rest)
        return heard

    async def _read_whole(self) -> tuple[int, str]:
        """Tickets that became known or moved: they may have been answered before we knew their number.

        Returns the number of events, and what the last one that could not be read failed of.
        """
        heard, trouble, now, name = 0, "", self._hand.now(), self._vendor.name
        resting = [one for one, (_, until) in self._later.items() if until > now]
        due = await self._hand.call(
            lambda: vendors.unread_bonds(self._hand.store, name, MOST_WHOLE, resting[:MOST_RESTING])
        )
        for bond in {(bond.id, bond.part): bond for bond in (*due, *self._moved)}.values():
            await self._budget.wait()
            try:
                heard += await self._read_one(bond)
            except (AuthFailed, RateLimited):
                raise
            except _FOR_EVER as failure:
                await self._give_up(bond, failure)
            except Failure as failure:
                trouble = failure.why
                await self._waits(failure)
                tries, _ = self._later.get((bond.id, bond.part), (0, now))
                wait = min(LATER * 2**tries, timedelta(hours=1))
                self._later[bond.id, bond.part] = tries + 1, now + wait
            else:
                self._later.pop((bond.id, bond.part), None)
        self._moved.clear()
        return heard, trouble

    async def _give_up(self, bond: BondRow, failure: Failure) -> None:
        """A ticket that cannot be read whole, however often it is asked for: a person must look."""
        why = f"{failure.why} So what they wrote before we knew the ticket may be missing here."
        if bond.part:
            why = (
                f"{failure.why} {bond.part} is not heard. If its number is mistyped: `muster relink "
                f"{bond.incident} {bond.part} --drop`."
            )
        which = ":".join(filter(None, ("whole", bond.id, bond.part)))
        aside = Unreadable(change_id=which, why=why, incident=bond.incident, bond=bond.id, part=bond.part)
        hear = Hear(
            vendor=self._vendor.name,
            unreadable=(aside,),
            whole=bond.id,
            part=bond.part,
            target=bond.incident,
        )
        await self._hand.do(COLLECTOR, hear)
        self._later.pop((bond.id, bond.part), None)

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
            items=tuple(_items(page.changes, {change.ref.id: [bond] for change in page.changes})),
            unreadable=_unreadable(page, {unread.ticket: [bond] for unread in page.unread}),
            whole=bond.id,
            part=bond.part,
            target=bond.incident,
            ref=ref,
        )
        return len((await self._hand.do(COLLECTOR, hear)).events)

    async def _bonds(self, remote_ids: set[str]) -> Bonds:
        """Whose tickets these are: of each incident one bond, a live one rather than one that has ended."""
        if not remote_ids:
            return {}
        rows = await self._hand.call(
            lambda: vendors.bonds_of(self._hand.store, self._vendor.name, remote_ids)
        )
        live = {row.remote_id for row in rows if row.live}
        rows = [row for row in rows if row.live or row.remote_id not in live]
        one_each = {
            (row.remote_id, row.incident): row for row in sorted(rows, key=lambda row: not row.beside)
        }
        found: dict[str, list[BondRow]] = {}
        for row in one_each.values():
            found.setdefault(row.remote_id, []).append(row)
        return found


def _items(changes: Iterable[Change], bonds: Bonds) -> Iterable[Heard]:
    """Changes of our tickets, for each incident that has the ticket; others' are no business of ours."""
    for change, bond in ((one, bond) for one in changes for bond in bonds.get(one.ref.id, ())):
        states, file = change.kind is ChangeKind.STATE, change.kind is ChangeKind.FILE
        yield Heard(
            incident=bond.incident,
            bond=bond.id,
            change_id=change.change_id,
            at=change.at,
            kind=change.kind.value,
            size=change.size if file else None,
            place=clip(change.place, 500) if file else "",
            quiet=change.quiet,
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
            ticket=change.ref if bond.beside else None,
            link=change.link,
            moved=change.moved,
            version=change.version if states else None,
            raw_priority=change.raw_priority,
            priorities=change.priorities,
        )


def _unreadable(page: Page, bonds: Bonds) -> tuple[Unreadable, ...]:
    """Told on the first of the incidents that have the ticket: it waits in one place."""
    return tuple(
        _set_aside(u.change_id, u.raw, u.why, next(iter(bonds.get(u.ticket, ())), None)) for u in page.unread
    )


def _set_aside(change_id: str, raw: str, why: str, bond: BondRow | None) -> Unreadable:
    about = {} if bond is None else {"incident": bond.incident, "bond": bond.id}
    return Unreadable(change_id=change_id, raw=raw, why=why, **about)


def _refused(item: Heard, fault: Exception) -> Unreadable:
    why = fault.sentence if isinstance(fault, Refused) else f"a fault of Muster: {type(fault).__name__}"
    return Unreadable(
        change_id=item.change_id,
        raw=clip(item.model_dump_json(), MAX_RAW),
        why=f"It could not be taken in: {why}",
        incident=item.incident,
        bond=item.bond,
    )


def _json(cursor: Cursor) -> str:
    return orjson.dumps(dict(cursor), option=orjson.OPT_SORT_KEYS).decode()
