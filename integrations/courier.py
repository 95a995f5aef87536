"""From the outbox to one supplier: one ticket, in order, nothing forgotten, whatever dies and whenever.

What was learned is committed before anything else is tried. Nothing here decides that a request may be
sent twice: that is `integrations.recovery`'s, and a person's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Final

from integrations import exchange
from integrations.breaker import after, room_in
from integrations.budget import Budget
from integrations.connector import Applied
from integrations.errors import Ambiguous, AuthFailed, Failure
from integrations.hand import COURIER, Hand
from integrations.leaving import as_it_may_leave
from integrations.outcomes import AFTER, Later, Learned, Timing
from integrations.pins import PinMissing, PinOf, every_form_of, look, names_in, taken_along
from integrations.recovery import Recovery, confirmed
from integrations.register_files import Fetched, RegisterFiles
from integrations.sending import Differs, Outcome, Request
from integrations.vendor import Vendor, Wired
from register.core import Command
from register.incident import TicketRef
from register.store import outbox, vendors
from register.store.leaving import PLAIN, Stands, claim
from register.store.outbox import Sending
from register.store.vendors import Standing
from register.topics.delivery import ConfirmSending, DoubtSending

PIN_WAIT: Final = timedelta(seconds=30)
"""After a secret was missing: nothing tells when somebody stores it."""


def _no_fault(point: str) -> None:
    """Where a test would kill the process."""


class Courier:
    """Sends one vendor's rows. `fault` is called at each point at which a test may kill the process."""

    def __init__(
        self,
        hand: Hand,
        vendor: Vendor,
        connector: Wired,
        holder: str,
        timing: Timing | None = None,
        fault: Callable[[str], None] = _no_fault,
        budget: Budget | None = None,
        pin_of: PinOf = look,
    ) -> None:
        self._pin_of = pin_of
        self._hidden: set[str] = set()
        self._hand = hand
        self._vendor = vendor
        self._connector = connector
        self._holder = holder
        self._timing = timing or Timing()
        self._fault = fault
        self._budget = budget or Budget(hand, vendor, connector)
        self._recovery = Recovery(hand, vendor, connector, self._timing, self._stands, fault)
        self._flying: dict[asyncio.Task[None], str] = {}
        self._asking: set[str] = set()  # of these rows, whose answer has not come
        self.has_room = asyncio.Event()  # set when there may be room for another
        self._sample = exchange.Sample()
        self.standing = Standing()  # whether the supplier may be asked, as of the last step

    async def step(self) -> bool:
        """Do what is due now: take over what is lost, look doubtful ones up, send. Whether there was any."""
        now, name, store = self._hand.now(), self._vendor.name, self._hand.store
        self.standing, (expired, doubtful) = await self._hand.call(
            lambda: (vendors.standing(store, name), outbox.overdue(store, name, now))
        )
        lost = [row for row in expired if row.row_id not in self._flying.values()]
        for row in lost:  # ours in the air tell themselves how they ended
            await self._doubt(row, "the sender died while it was sending")
        asked = doubtful[: await self._budget.room(room_in(self.standing, len(doubtful), now))]
        await self._budget.begin(len(asked))
        for row in asked:
            await self._recovery.look_up(row)
        claimed = await self._claim()
        for row, stands in claimed:
            task = asyncio.create_task(self.deliver(row, stands), name=f"deliver {row.row_id}")
            self._flying[task] = row.row_id
            self._asking.add(row.row_id)
            task.add_done_callback(self._landed)
        return bool(lost or asked or claimed)

    def _landed(self, task: asyncio.Task[None]) -> None:
        row_id = self._flying.pop(task)
        if row_id in self._asking or self.room > 0:
            self._answered(row_id)

    def _answered(self, row_id: str) -> None:
        self._asking.discard(row_id)
        self.has_room.set()

    async def _stands(self, outcome: object) -> None:
        """Keep what this outcome says of the supplier, where it says anything new."""
        before, now, probe = self.standing, self._hand.now(), self._timing.probe
        self.standing = after(before, outcome, now, probe)
        if self.standing != before:
            store, name = self._hand.store, self._vendor.name
            self.standing = await self._hand.call(
                lambda: vendors.change_standing(store, name, lambda kept: after(kept, outcome, now, probe))
            )

    async def take_over(self) -> None:
        """Everything that is being sent is lost: no other worker can be alive."""
        store, name = self._hand.store, self._vendor.name
        far = self._hand.now() + timedelta(days=1)
        for row in await self._hand.call(lambda: outbox.expired(store, name, far)):
            await self._doubt(row, "the sender died while it was sending")

    def next_at(self, due: datetime | None) -> datetime | None:
        """When to look again, of when something falls due: not before the supplier may be asked."""
        waits = (self.standing.not_before, self._budget.until)
        ahead = [wait for wait in waits if wait is not None and wait > self._hand.now()]
        return max(ahead, default=due)

    @property
    def flying(self) -> frozenset[asyncio.Task[None]]:
        """What is in the air, and what has been answered and is not yet on record."""
        return frozenset(self._flying)

    @property
    def room(self) -> int:
        """How many more may be in the air. What has come back holds none up while it is put on record."""
        most = self._vendor.max_in_flight
        return min(most - len(self._asking), 2 * most - len(self._flying))

    async def landed(self) -> None:
        """Wait until nothing is in the air; raises what a delivery raised."""
        if self._flying:
            await asyncio.gather(*self._flying)

    async def until_quiet(self) -> None:
        """Step until nothing is due and nothing is in the air (for tests and one-off runs)."""
        while await self.step() or self._flying:
            await self.landed()

    async def deliver(self, row: Sending, stands: Stands = PLAIN) -> None:
        """One try of one sending; what came of it is committed before this returns."""
        self._fault("claimed")
        row, stopped = as_it_may_leave(row, self._vendor, stands)
        if stopped is not None:  # they were not asked, so it says nothing of them
            await self._do(stopped)
            return
        if self._recovery.is_too_late(row):  # nothing was sent: it is in doubt as it was before
            await self._doubt(row, "their key for it may be over by now, so it was not sent again")
            return
        kept, shown = exchange.begin(), await self._all_hidden()
        try:
            pins = await self._taken_along(row)
        except PinMissing as missing:  # this process's lack: it says nothing of them, and stops nothing else
            store, now, why = self._hand.store, self._hand.now(), missing.why
            await self._hand.call(lambda: outbox.wait(store, row, now + PIN_WAIT, why, now))
            return
        try:
            outcome: Outcome | Failure = await self._in_time(row, pins)
        except Failure as failure:
            outcome = failure
        else:
            self._answered(
                row.row_id
            )  # after a failure nothing is begun before it is on record what it means
        self._fault("answered")
        trouble = isinstance(outcome, Failure | Differs) or row.tries > 1
        said = self._sample.of(kept, self._hand.now(), always=trouble) if shown else ""
        await self._settle(row, outcome, said)
        await self._stands(outcome)
        self._fault("settled")

    async def _all_hidden(self) -> bool:
        """Have no record show the secrets of its entitlement, which any ticket read back has in it.

        False where one of them cannot be looked up: then nothing is kept of what was asked and answered.
        """
        name = self._vendor.name
        for one in set(self._vendor.entitlement_secret) - self._hidden:
            try:
                pin = await asyncio.to_thread(self._pin_of, name, one)
            except AuthFailed:
                return False
            if pin is None:
                return False
            self._connector.http.hide(every_form_of([pin]))
            self._hidden.add(one)
        return True

    async def _taken_along(self, row: Sending) -> dict[str, str]:
        """What it takes along that is secret; raises PinMissing."""
        if not names_in(row.payload):
            return {}
        return await asyncio.to_thread(taken_along, row, self._vendor.entitlement_secret, self._pin_of)

    async def _in_time(self, row: Sending, pins: Mapping[str, str]) -> Outcome:
        """Send before the deadline that stands in the row: past it others may look the row up."""
        left = ((row.deadline_at or self._hand.now()) - self._hand.now()).total_seconds()
        limit = asyncio.timeout(max(left, 0.0))
        try:
            async with limit:
                return await self._send(row, pins)
        except TimeoutError:
            if not limit.expired():
                raise
            raise Ambiguous(f"no answer from {self._vendor.title} in time", row.op_id) from None

    async def _send(self, row: Sending, pins: Mapping[str, str]) -> Outcome:
        if pins:
            self._connector.http.hide(every_form_of(pins.values()))
        return await Request(self._vendor, self._connector, row, RegisterFiles(self._hand), pins).make()

    async def _settle(self, row: Sending, outcome: Outcome | Failure, said: str) -> None:
        if isinstance(outcome, TicketRef):
            await self._do(ConfirmSending(row_id=row.row_id, ref=outcome, exchange=said))
        elif isinstance(outcome, Applied):
            await self._do(confirmed(row, outcome.change_ids, outcome.ticket, "answer", said))
        elif isinstance(outcome, Fetched):
            await self._do(outcome.taken(row.row_id))
        elif isinstance(outcome, Differs):
            await self._do(outcome.told(row, self._vendor, said))
        else:
            now = self._hand.now()
            then = AFTER[type(outcome)](row, outcome, now, self._timing)
            if not isinstance(then, Later):
                takes = said and isinstance(then, Learned)
                await self._do(then.model_copy(update={"exchange": said}) if takes else then)
                return
            if then.first is not None:
                await self._do(then.first)
            store = self._hand.store
            await self._hand.call(lambda: outbox.wait(store, row, then.at, then.why, now, said))

    async def _claim(self) -> list[tuple[Sending, Stands]]:
        now = self._hand.now()
        room = room_in(self.standing, self.room, now)
        if room <= 0 or (room_in(self.standing, 2, now) == 1 and self._flying):
            return []
        room = await self._budget.room(room)
        if not room:
            return []
        deadline = now + timedelta(seconds=self._vendor.deadline_seconds)
        about = self._vendor.name, self._holder, now, deadline, deadline + self._timing.lease_margin, room
        claimed = await self._hand.call(lambda: claim(self._hand.store, *about))
        await self._budget.begin(len(claimed))
        return claimed

    async def _doubt(self, row: Sending, why: str) -> None:
        await self._do(DoubtSending(row_id=row.row_id, tries=row.tries, why=why, next_at=self._hand.now()))

    async def _do(self, command: Command) -> None:
        await self._hand.do(COURIER, command)
