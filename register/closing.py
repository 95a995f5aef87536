"""The tick for suppliers that close what waits for us too long: whoever should answer is told before."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlalchemy import and_, select

from register.canon import stamp
from register.core import Principal, Refused, Role
from register.desk import ServiceDesk
from register.store import tables as t
from register.store.adopted import adopted
from register.topics.closing import WarnOfClosing, warned_before

WATCH: Final = Principal("muster", Role.ENGINE, "watch")
AT_ONCE: Final = 100


def warn_of_closing(desk: ServiceDesk, now: datetime) -> int:
    """Tell of tickets that are about to be closed for our silence; return how many."""
    b, told = t.bond.c, 0
    for name, facts in adopted(desk.store, desk.policy).policy.vendors.items():
        if facts.closes_after is None:
            continue
        edge = stamp(now - facts.closes_after + warned_before(facts.closes_after))
        query = select(b.incident, b.id).where(and_(b.vendor == name, b.live == 1, b.our_since <= edge))
        with desk.store.read() as connection:
            due = list(connection.execute(query.order_by(b.our_since).limit(AT_ONCE)))
        for incident, bond in due:
            try:
                told += len(desk.do(WATCH, WarnOfClosing(target=incident, bond=bond)).events)
            except Refused:  # it is not there any more
                continue
    return told
