"""The tick: what falls due by itself. Timers are rows (`wake_at`), so nothing is lost in a restart.

After an outage each incident takes one step, decided anew under the lock: two workers that tick at once
write it once, and whoever was first among people wins.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import and_, func, select

from register.canon import moment, stamp
from register.core import Principal, Refused, Role
from register.desk import ServiceDesk
from register.store import RegisterAway, RegisterUnavailable, Store
from register.store import tables as t
from register.topics.waking import WakeUp

WATCH: Final = Principal("muster", Role.ENGINE, "watch")
SOON: Final = timedelta(days=1)
"""What falls due so soon keeps the worker of a private register up; for more it is started again."""
TOGETHER: Final = 25
"""Incidents that are woken in one transaction: nobody else writes meanwhile, so it is short."""
_DUE: Final = t.incident.c.wake_at


def tick(desk: ServiceDesk, now: datetime) -> int:
    """Wake whatever is due; return how many incidents something happened to.

    One that cannot be read, or that a rule keeps from it, keeps no other waiting: it is raised at the end.
    """
    woken, why = 0, None
    for some in parts(due(desk.store, now)):
        done, error = wake(desk, some)
        woken, why = woken + done, why or error
    if why is not None:
        raise why
    return woken


def due(store: Store, now: datetime) -> list[str]:
    """Return the numbers of the incidents to which something is to happen by now, what is due first first."""
    query = select(t.incident.c.n).where(and_(_DUE.is_not(None), stamp(now) >= _DUE))
    with store.read() as connection:
        return [f"INC-{n}" for n in connection.execute(query.order_by(_DUE, t.incident.c.n)).scalars()]


def parts(numbers: Sequence[str]) -> Iterator[Sequence[str]]:
    """Yield these in the order in which they are woken, so many at once."""
    for at in range(0, len(numbers), TOGETHER):
        yield numbers[at : at + TOGETHER]


def wake(desk: ServiceDesk, numbers: Sequence[str]) -> tuple[int, Exception | None]:
    """Wake these in one transaction; return to how many something happened, and what was wrong with one.

    Raises RegisterAway: nothing can be asked of the register now.
    """
    try:
        return _woken(desk, numbers), None
    except RegisterAway:
        raise
    except (RegisterUnavailable, Refused) as error:
        if len(numbers) == 1:
            return 0, error
        each = [wake(desk, [number]) for number in numbers]  # all but that one
        return sum(done for done, _ in each), next((why for _, why in each if why is not None), None)


def _woken(desk: ServiceDesk, numbers: Sequence[str]) -> int:
    asked = [(WATCH, WakeUp(target=number)) for number in numbers]
    return sum(bool(done.events) for done in desk.do_all(asked))


def fell_due_since(store: Store, now: datetime, seq: int) -> bool:
    """Whether something is due of an incident that changed past event `seq`."""
    query = select(t.incident.c.n).where(and_(t.incident.c.seq > seq, stamp(now) >= _DUE)).limit(1)
    with store.read() as connection:
        return connection.execute(query).first() is not None


def newest(store: Store) -> datetime:
    """Return when the newest event was recorded; long ago where there is none."""
    with store.read() as connection:
        at = str(connection.execute(select(t.head.c.recorded_at)).scalar_one())
    return moment(at) if at else datetime.min.replace(tzinfo=UTC)


def is_soon(due: datetime | None, now: datetime) -> bool:
    """Whether a worker should be there for it."""
    return due is not None and due - now <= SOON


def next_after(store: Store, now: datetime) -> datetime | None:
    """When the next thing falls due that is not due yet."""
    with store.read() as connection:
        found = connection.execute(select(func.min(_DUE)).where(stamp(now) < _DUE)).scalar_one_or_none()
    return None if found is None else moment(found)


def falls_due_soon(store: Store, now: datetime) -> bool:
    """Whether anything of the register does."""
    query = select(func.min(_DUE)).where(_DUE.is_not(None))
    with store.read() as connection:
        found = connection.execute(query).scalar_one_or_none()
    return found is not None and is_soon(moment(found), now)
