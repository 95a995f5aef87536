"""Exactly one engine: of all workers of a register one takes what falls due, by the lease `engine`.

No clock of two hosts is compared. Whoever has the lease writes it anew every few seconds; whoever has it not
watches, on its own monotonic clock, whether it is: when it stays as it is for `LEASE`, its holder is dead or
cut off. A holder that was frozen and wakes up has lost it; what it was about to do is decided under the
register's lock, so it does nothing twice.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from time import monotonic
from typing import Final

from integrations.hand import Hand
from register.store import leases

LEASE: Final = 10.0
"""Seconds without a sign after which another engine takes over."""
RENEW: Final = 3.0
"""Seconds after which the holder shows itself again, with its next look."""
LOOK: Final = 1.0
"""Seconds between two looks of one that waits."""


class OneEngine:
    """One process' claim to be the engine. sole: no other worker of this register can be alive."""

    def __init__(
        self,
        hand: Hand,
        holder: str,
        *,
        sole: bool = False,
        lease: float = LEASE,
        tell: Callable[[str], object] = lambda said: None,
    ) -> None:
        self.sole = sole
        self._hand = hand
        self._holder = holder
        self._lease = lease
        self._tell = tell
        self._renewed: float | None = None  # when ours was written last; None: it is not ours
        self._seen: leases.Lease | None = None
        self._since = 0.0

    @property
    def look(self) -> float:
        """Seconds after which to look again, where it is not ours."""
        return min(LOOK, self._lease / 4)

    async def is_mine(self) -> bool:
        """Whether this process is the engine now. Raises RegisterUnavailable."""
        if self._renewed is not None and monotonic() - self._renewed < min(RENEW, self._lease / 3):
            return True
        began = monotonic()
        had, mine = self._renewed is not None, await self._hand.call(self._take)
        self._renewed = began if mine else None
        if had and not mine:
            self._tell("Another worker takes the steps of escalation now: this one was away for too long.")
        return mine

    def _take(self) -> bool:
        store, until = self._hand.store, self._hand.now() + timedelta(seconds=self._lease)
        found = leases.seen(store, leases.ENGINE)
        take = partial(leases.take_from, store, leases.ENGINE, self._holder, until, found)
        if found is None or found.holder == self._holder or self.sole:
            return take()
        if found != self._seen:
            self._seen, self._since = found, monotonic()
        if monotonic() - self._since < self._lease:
            return False
        taken = take()
        if taken:
            silent = f"The engine was silent for {self._lease:.0f} s"
            self._tell(f"{silent}: this worker takes the steps of escalation now.")
        return taken
