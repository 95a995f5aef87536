"""What becomes of a sending of which nobody knows whether it arrived: `suppliers.md` calls it ambiguous.

It is looked up on a schedule, and at once when the supplier's settle time is over. Nothing here decides that
a request may be sent twice except a strong look-up that found nothing after that time, a key by which the
supplier itself makes two of the same request one, or a person.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Final

from integrations.connector import (
    Absent,
    CannotTell,
    FindResult,
    Finds,
    Found,
    Native,
    NoLookup,
    Theirs,
    Ticket,
)
from integrations.errors import AuthFailed, AuthTrouble, Conflict, Failure, Gone, Moved, Rejected, Unavailable
from integrations.hand import COURIER, Hand
from integrations.outcomes import Timing
from integrations.sending import may_repeat, ref_of, settled_at
from integrations.vendor import Vendor, Wired
from register.core import Command
from register.store import outbox
from register.store.outbox import Sending
from register.topics.delivery import AskAboutSending, ConfirmSending, How, PauseVendor, ResendSending

MOST_TRIES: Final = 6
"""After that many tries that left nothing at the supplier, a person is asked before the next."""


class Recovery:
    """Looks one vendor's doubtful rows up. stands: told what each look-up says of the supplier."""

    def __init__(
        self,
        hand: Hand,
        vendor: Vendor,
        connector: Wired,
        timing: Timing,
        stands: Callable[[object], Awaitable[None]],
        fault: Callable[[str], None],
    ) -> None:
        self._hand = hand
        self._vendor = vendor
        self._connector = connector
        self._timing = timing
        self._stands = stands
        self._fault = fault

    async def look_up(self, row: Sending) -> None:
        """Ask the supplier whether it is there, and act on the answer."""
        asked = self._hand.now()
        try:
            async with asyncio.timeout(self._vendor.deadline_seconds):
                found = await self._find(row)
        except TimeoutError:
            await self._stands(Unavailable("the look-up was not answered in time"))
            await self._look_later(row, asked, "the look-up was not answered in time", counts=False)
            return
        except Failure as failure:
            await self._stands(failure)
            await self._not_looked_up(row, asked, failure)
            return
        await self._stands(found)
        self._fault("looked")
        if isinstance(found, Found):
            await self._found(row, found)
        elif row.tries >= MOST_TRIES and row.on_ambiguous != "resend":
            await self._do(
                AskAboutSending(row_id=row.row_id, why=f"sent {row.tries} times, and none of them arrived")
            )
        elif why := self._why_resend(row, found, asked):
            await self._resend(row, why)
        elif self._is_one_there(row, found, asked):
            await self._resend(row, "under the same key, two of it are one there", by_key=True)
        else:
            why = found.why if isinstance(found, CannotTell) else "not found at the supplier so far"
            await self._look_later(row, asked, why, counts=True)

    async def _not_looked_up(self, row: Sending, asked: datetime, failure: Failure) -> None:
        """A refused credential stops the vendor; a clear no counts; anything else waits its time."""
        if isinstance(failure, AuthFailed) and failure.trouble is not AuthTrouble.MISSING:
            await self._do(PauseVendor(vendor=row.vendor, why=failure.why))
        counts = isinstance(failure, Rejected | Gone | Conflict | Moved)
        after = asked + (getattr(failure, "retry_after", None) or timedelta(0))
        await self._look_later(row, asked, failure.why, counts=counts, not_before=after)

    async def _find(self, row: Sending) -> FindResult:
        connector = self._connector
        if not isinstance(connector, Finds):
            return CannotTell(f"{self._vendor.title} cannot be asked what it has")
        if row.kind == "create":
            return await connector.find(row.op_id, row.first_tried_at or row.created_at)
        ref = ref_of(row)
        if ref is None or may_repeat(row):
            return Absent()
        try:
            return await connector.find_comment(ref, row.op_id)
        except Gone as gone:
            return CannotTell(gone.why)

    async def _found(self, row: Sending, found: Found) -> None:
        first, *others = found.refs
        if row.kind == "create":
            await self._do(
                ConfirmSending(row_id=row.row_id, ref=first, duplicates=tuple(others), how="found")
            )
        else:
            ids = tuple(ref.id for ref in found.refs)
            await self._do(confirmed(row, ids, await _state_of(self._connector, row), "found"))

    def _why_resend(self, row: Sending, found: Absent | CannotTell, asked: datetime) -> str:
        """Why it may be sent again; empty where it may not."""
        if may_repeat(row):
            return "done twice, it is done once"
        settled = settled_at(row, self._connector.info.lookup, self._timing.settle)
        if settled is not None and asked < settled:
            return ""  # the supplier may still be about to commit it, whoever asks
        if settled is not None and isinstance(found, Absent):
            return "it is proved not to have arrived"
        return "a person asked for it, and it was not found" if row.on_ambiguous == "resend" else ""

    def _is_one_there(self, row: Sending, found: Absent | CannotTell, asked: datetime) -> bool:
        """Whether the supplier still knows the key under which a ticket was asked for: it makes no second.

        Not at once: what arrived is found by then, in most cases. Each further try waits for a later look-up.
        """
        native = self._connector.info.idempotency
        if row.kind != "create" or not isinstance(native, Native) or row.lookups < row.tries:
            return False
        if isinstance(found, CannotTell) and not isinstance(self._connector.info.lookup, NoLookup):
            return False  # it can be asked another time
        return self._knows_key(row, native, asked)

    def _knows_key(self, row: Sending, native: Native, at: datetime) -> bool:
        until = (row.first_tried_at or row.created_at) + native.window
        return at + timedelta(seconds=2 * self._vendor.deadline_seconds) < until

    def is_too_late(self, row: Sending) -> bool:
        """Whether it was to be sent again by its key, and waited for so long that it is known no more."""
        native = self._connector.info.idempotency
        if row.on_ambiguous != "key" or not isinstance(native, Native):
            return False
        return not self._knows_key(row, native, self._hand.now())

    async def _resend(self, row: Sending, why: str, *, by_key: bool = False) -> None:
        await self._do(ResendSending(row_id=row.row_id, tries=row.tries, why=why, by_key=by_key))

    async def _look_later(
        self,
        row: Sending,
        asked: datetime,
        why: str,
        *,
        counts: bool,
        not_before: datetime | None = None,
    ) -> None:
        """Look again by the schedule, and at once when the settle time is over; past it, ask a person."""
        lookups, settled = (
            self._timing.lookups,
            settled_at(row, self._connector.info.lookup, self._timing.settle),
        )
        number = row.lookups + 1 if counts else row.lookups
        if number >= len(lookups) and counts and (settled is None or asked >= settled):
            await self._do(AskAboutSending(row_id=row.row_id, why=why))
            return
        at = asked + lookups[min(number, len(lookups) - 1)]
        if settled is not None and asked < settled:
            at = min(at, settled)
        at = max(at, not_before or at)
        store, now = self._hand.store, self._hand.now()
        await self._hand.call(lambda: outbox.look_again(store, row, at, why, now, counts=counts))

    async def _do(self, command: Command) -> None:
        await self._hand.do(COURIER, command)


async def _state_of(connector: Wired, row: Sending) -> Ticket | None:
    """Their ticket, where what was found was to change its state."""
    ref = ref_of(row)
    if row.kind != "transition" or ref is None:
        return None
    try:
        return await connector.get(ref)
    except Failure:  # what was found is found; the state comes with the feed
        return None


def confirmed(
    row: Sending, ids: tuple[str, ...], ticket: Ticket | None, how: How, said: str = ""
) -> ConfirmSending:
    """Return what is put on record of an update that arrived.

    said: what was asked and what came back, where it is to be kept.
    Their state is, where we set it: what else they decided meanwhile is told by their feed.
    """
    if ticket is None or row.kind != "transition":
        return ConfirmSending(row_id=row.row_id, change_ids=ids, how=how, exchange=said)
    closed = ticket.state in (Theirs.CLOSED, Theirs.REFUSED)
    return ConfirmSending(
        row_id=row.row_id,
        change_ids=ids,
        raw_state=ticket.raw_state,
        closed=closed,
        version=ticket.version,
        how=how,
        exchange=said,
    )
