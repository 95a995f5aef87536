"""The tick: what falls due by itself. Timers are rows (`wake_at`), so nothing is lost in a restart.

After an outage each incident takes one step, decided anew under the lock: two workers that tick at once
write it once, and whoever was first among people wins.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import and_, func, select

from register.canon import moment, stamp
from register.core import Principal, Refused, Role
from register.desk import Receipt, ServiceDesk
from register.store import RegisterAway, RegisterUnavailable, Store
from register.store import tables as t
from register.topics.waking import WakeUp

WATCH: Final = Principal("muster", Role.ENGINE, "watch")
SOON: Final = timedelta(days=1)
"""What falls due so soon keeps the worker of a private register up; for more it is started again."""
AT_ONCE: Final = 200
"""Incidents that one tick wakes; those that are left are the next one's."""
TOGETHER: Final = 25
"""Incidents that are woken in one transaction: nobody else writes meanwhile, so it is short."""


def tick(desk: ServiceDesk, now: datetime) -> int:
    """Wake whatever is due; return how many incidents something happened to.

    One that cannot be read, or that a rule keeps from it, keeps no other waiting: it is raised at the end.
    """
    due = t.incident.c.wake_at
    query = select(t.incident.c.n).where(and_(due.is_not(None), due <= stamp(now)))
    with desk.store.read() as connection:
        numbers = list(connection.execute(query.order_by(due).limit(AT_ONCE)).scalars())
    woken, why = 0, None
    for some in _parts([f"INC-{n}" for n in numbers]):
        try:
            woken += sum(bool(done.events) for done in _woken(desk, some))
        except RegisterAway:
            raise
        except (RegisterUnavailable, Refused):
            for number in some:  # one of them cannot be read, or is kept from it
                try:
                    woken += bool(_woken(desk, [number])[0].events)
                except RegisterAway:
                    raise
                except (RegisterUnavailable, Refused) as error:
                    why = why or error
    if why is not None:
        raise why
    return woken


def _parts(numbers: Sequence[str]) -> list[Sequence[str]]:
    return [numbers[at : at + TOGETHER] for at in range(0, len(numbers), TOGETHER)]


def _woken(desk: ServiceDesk, numbers: Sequence[str]) -> list[Receipt]:
    return desk.do_all([(WATCH, WakeUp(target=number)) for number in numbers])


def is_soon(due: datetime | None, now: datetime) -> bool:
    """Whether a worker should be there for it."""
    return due is not None and due - now <= SOON


def next_after(store: Store, now: datetime) -> datetime | None:
    """When the next thing falls due that is not due yet."""
    due = t.incident.c.wake_at
    with store.read() as connection:
        found = connection.execute(select(func.min(due)).where(due > stamp(now))).scalar_one_or_none()
    return None if found is None else moment(found)


def falls_due_soon(store: Store, now: datetime) -> bool:
    """Whether anything of the register does."""
    query = select(func.min(t.incident.c.wake_at)).where(t.incident.c.wake_at.is_not(None))
    with store.read() as connection:
        found = connection.execute(query).scalar_one_or_none()
    return found is not None and is_soon(moment(found), now)
