"""The worker enters what its own user said while the register was away, if nobody else does."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Final

from integrations.hand import Hand
from integrations.policy_files import Person
from register.core import Policy, Principal, Role
from register.live import live_path
from register.replay import SOURCE, Outcome, replay
from register.spool import Spool, folder_beside
from register.standing import standing
from register.store import RegisterUnavailable, Store, is_private
from register.store.adopted import adopted

EVERY: Final = 10.0
"""Seconds between two looks into the spool."""
AT_ONCE: Final = 20
"""So many are entered in one go: the couriers use the same thread."""
BETWEEN: Final = 0.1


async def keep_entered(hand: Hand, env: Mapping[str, str], tell: Callable[[str], None]) -> None:
    """Enter what waits, for ever. What a rule refuses stays: the next command tells its person."""
    spool = spool_of(hand.store, env)
    while True:
        more = False
        try:
            if not spool.is_empty():
                outcome = await hand.call(lambda: enter(hand, spool))
                more = outcome.more
                for one, number in outcome.entered:
                    tell(f"{one.name} of the spool is entered: {number}.")
                for one, why in outcome.refused:
                    tell(f"{one.name} of the spool was not entered: {why} `muster spool list` shows it.")
        except (RegisterUnavailable, OSError) as error:
            tell(f"What is in the spool was not entered: {error}")
        await asyncio.sleep(BETWEEN if more else EVERY)


def spool_of(store: Store, env: Mapping[str, str]) -> Spool:
    """Return this user's spool for that register, as the board and the command line name it."""
    named = env.get("MUSTER_REGISTER", "")
    return Spool(folder_beside(live_path(named if "://" in named else store.url)))


def enter(hand: Hand, spool: Spool) -> Outcome:
    """Enter what waits for this register, in the name of this process's user; on the writer thread."""
    waiting = spool.look().waiting()
    if not any(one.register_id == hand.store.register_id for one in waiting):
        return Outcome()
    return replay(hand.desk, _principal(hand.store), spool, most=AT_ONCE)


def _principal(store: Store) -> Principal:
    me = Person.here()
    if is_private(store.url):
        return me.admin(SOURCE)

    def by_policy(policy: Policy) -> Role:
        return standing(policy.matrix, policy.founder, me.uid, me.login).role

    return Principal(me.login, by_policy(adopted(store).policy), SOURCE, by_policy)
