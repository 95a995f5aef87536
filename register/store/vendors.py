"""What the register keeps of each supplier: where its feed was left, whether it is paused, how it is."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Select, and_, func, select

from register.canon import moment, stamp
from register.core import SendingFacts
from register.store import tables as t
from register.store.carry import NEW_VENDOR
from register.store.hooks import NEVER, Bell, bells
from register.store.store import Store


@dataclass(frozen=True, slots=True)
class VendorHealth:
    """How things stand with one supplier. `paused_why` and `trouble` are sentences or empty."""

    name: str
    cursor: str | None
    paused_why: str
    heard_at: datetime | None
    trouble: str
    unsent: int
    doubtful: int
    dead: int
    open_bonds: int
    unread: int = 0  # changes of theirs that could not be read, kept as they came
    failures: int = 0
    not_before: datetime | None = None  # nothing is sent until then
    not_before_why: str = ""
    polled_at: datetime | None = None
    poll_every: int = 0  # seconds between two polls, as things stand; 0: never asked so far
    poll_why: str = ""
    paused_by: str = ""  # a person's id; empty where its credential paused it
    expires: str = ""  # on which day its credential ends, by whoever stored it
    bell: Bell = NEVER  # of its webhooks
    differs: int = 0  # fields that both sides changed, of which a person must say whose word holds
    used: bool = False  # whether anything was ever sent to it or heard of it


@dataclass(frozen=True, slots=True)
class Standing:
    """Whether a supplier may be asked. failures: in a row. not_before, why: a wait, theirs or ours."""

    paused: bool = False
    failures: int = 0
    not_before: datetime | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class BondRow:
    """A ticket of a bond as the collector needs it: of which incident, read whole already?

    beside: it is not the bond's own, but a further one, or one that was its own before.
    """

    id: str
    incident: str
    vendor: str
    remote_id: str
    live: bool
    whole: bool
    beside: bool = False

    @property
    def part(self) -> str:
        """Its id where it is one besides the bond's own, else empty."""
        return self.remote_id if self.beside else ""


def health(store: Store) -> dict[str, VendorHealth]:
    """Each supplier that the register has anything on, by name."""
    s, b, v = t.sending, t.bond, t.vendor
    with store.read() as connection:
        vendors = {row.name: row for row in connection.execute(select(v))}
        states = connection.execute(
            select(s.c.vendor, s.c.state, func.count())
            .where(s.c.lane == "bonds")
            .group_by(s.c.vendor, s.c.state)
        )
        counts = {(row[0], row[1]): row[2] for row in states}
        bonds = connection.execute(select(b.c.vendor, func.count()).where(b.c.live == 1).group_by(b.c.vendor))
        open_bonds = {row[0]: row[1] for row in bonds}
        asked = select(b.c.vendor, func.sum(b.c.differs)).where(b.c.differs > 0).group_by(b.c.vendor)
        differs = {row[0]: int(row[1]) for row in connection.execute(asked)}
        kept = connection.execute(select(t.quarantine.c.vendor, func.count()).group_by(t.quarantine.c.vendor))
        unread = {row[0]: row[1] for row in kept}
    rung = bells(store)
    engaged = {name for name, _ in counts} | set(open_bonds) | {name for name in rung if rung[name].rung}
    names = set(rung) | set(vendors) | {name for name, _ in counts} | set(open_bonds) | set(unread)

    def count(name: str, *states: str) -> int:
        return sum(counts.get((name, state), 0) for state in states)

    return {
        name: VendorHealth(
            name=name,
            cursor=vendors[name].cursor if name in vendors else None,
            paused_why=(vendors[name].paused_why if name in vendors and vendors[name].paused_at else ""),
            heard_at=_moment(vendors[name].heard_at) if name in vendors else None,
            trouble=vendors[name].trouble if name in vendors else "",
            unsent=count(name, "queued", "waiting", "sending"),
            doubtful=count(name, "ambiguous"),
            dead=count(name, "dead"),
            open_bonds=open_bonds.get(name, 0),
            unread=unread.get(name, 0),
            failures=vendors[name].failures if name in vendors else 0,
            not_before=_moment(vendors[name].not_before) if name in vendors else None,
            not_before_why=vendors[name].not_before_why if name in vendors else "",
            polled_at=_moment(vendors[name].polled_at) if name in vendors else None,
            poll_every=vendors[name].poll_every if name in vendors else 0,
            poll_why=vendors[name].poll_why if name in vendors else "",
            paused_by=(vendors[name].paused_by or "") if name in vendors else "",
            expires=(vendors[name].expires or "") if name in vendors else "",
            bell=rung.get(name, NEVER),
            differs=differs.get(name, 0),
            used=name in engaged or (name in vendors and vendors[name].heard_at is not None),
        )
        for name in sorted(names)
    }


def _moment(text: str | None) -> datetime | None:
    return None if text is None else moment(text)


def cursor_of(store: Store, vendor: str) -> str | None:
    """Where the vendor's feed was left, JSON."""
    with store.read() as connection:
        return connection.execute(
            select(t.vendor.c.cursor).where(t.vendor.c.name == vendor)
        ).scalar_one_or_none()


def bonds_of(store: Store, vendor: str, remote_ids: set[str]) -> list[BondRow]:
    """Bonds of these tickets, whichever of a bond's tickets it is."""
    some = sorted(remote_ids)
    with store.read() as connection:
        own = _OWN.where(and_(_B.vendor == vendor, _B.remote_id.in_(some))).order_by(_B.id)
        beside = _BESIDE.where(and_(_R.vendor == vendor, _R.remote_id.in_(some))).order_by(_R.bond)
        return [*map(_own, connection.execute(own)), *map(_one_beside, connection.execute(beside))]


def unread_bonds(
    store: Store, vendor: str, most: int, but: Collection[tuple[str, str]] = ()
) -> list[BondRow]:
    """Tickets that are known and were not read whole yet, newest first, up to so many. but: not these.

    One that has ended meanwhile is among them: what they wrote before we knew the ticket was written to us.
    """
    skipped = sorted(bond for bond, part in but if not part)
    own = _OWN.where(
        and_(_B.vendor == vendor, _B.remote_id.is_not(None), _B.whole == 0, _B.id.not_in(skipped))
    )
    beside = _BESIDE.where(and_(_R.vendor == vendor, _R.whole == 0))
    with store.read() as connection:
        found = [*map(_own, connection.execute(own.order_by(_B.id.desc()).limit(most)))]
        more = map(_one_beside, connection.execute(beside.limit(most + len(but))))
        found += [row for row in more if (row.id, row.part) not in but]
    return found[:most]


_B: Final = t.bond.c
_R: Final = t.bond_ref.c
_OWN: Final = select(_B.id, _B.incident, _B.vendor, _B.remote_id, _B.live, _B.whole)
_BESIDE: Final = select(_R.bond, _B.incident, _R.vendor, _R.remote_id, _B.live, _R.whole).join(
    t.bond, _B.id == _R.bond
)


def _own(row: Any) -> BondRow:
    return BondRow(row.id, row.incident, row.vendor, row.remote_id, bool(row.live), bool(row.whole))


def _one_beside(row: Any) -> BondRow:
    return BondRow(
        row.bond, row.incident, row.vendor, row.remote_id, bool(row.live), bool(row.whole), beside=True
    )


def heard_from(store: Store, vendor: str, now: datetime, trouble: str) -> None:
    """Note that a poll succeeded (`trouble` empty) or what it failed of. No event: nothing happened."""
    values: dict[str, Any] = {"trouble": trouble, "polled_at": stamp(now)}
    if not trouble:
        values["heard_at"] = stamp(now)
    with store.rows_only() as connection:
        _put(connection, vendor, **values)


def standing(store: Store, vendor: str) -> Standing:
    """Whether this supplier may be asked now."""
    v = t.vendor.c
    query = select(v.paused_at, v.failures, v.not_before, v.not_before_why).where(v.name == vendor)
    with store.read() as connection:
        row = connection.execute(query).first()
    return Standing() if row is None else _standing(row)


def _standing(row: Any) -> Standing:
    return Standing(row.paused_at is not None, row.failures, _moment(row.not_before), row.not_before_why)


def change_standing(store: Store, vendor: str, change: Callable[[Standing], Standing]) -> Standing:
    """Keep how this supplier stands from now on, but for a pause, which is a person's or the desk's.

    change: from how it stands as of this transaction, for others may have learned something meanwhile.
    """
    v = t.vendor.c
    query = select(v.paused_at, v.failures, v.not_before, v.not_before_why).where(v.name == vendor)
    with store.rows_only() as connection:
        row = connection.execute(query.with_for_update()).first()
        before = Standing() if row is None else _standing(row)
        now = change(before)
        if now != before:
            _put(
                connection,
                vendor,
                failures=now.failures,
                not_before=None if now.not_before is None else stamp(now.not_before),
                not_before_why=now.why,
            )
    return now


def paused(store: Store) -> dict[str, tuple[str, bool, datetime]]:
    """To whom nothing is sent until a person has done something: why, by a person?, since when."""
    v = t.vendor.c
    with store.read() as connection:
        columns = v.name, v.paused_why, v.paused_by, v.paused_at
        found = connection.execute(select(*columns).where(v.paused_at.is_not(None)))
        return {row.name: (row.paused_why, row.paused_by is not None, moment(row.paused_at)) for row in found}


def spent_until(store: Store, vendor: str) -> datetime | None:
    """Up to which moment a supplier's requests a minute are spent; None where none were counted."""
    with store.read() as connection:
        return _moment(connection.execute(_spent(vendor)).scalar_one_or_none())


def spend(store: Store, vendor: str, change: Callable[[datetime | None], datetime]) -> datetime:
    """Spend of a supplier's requests a minute. change: from what is spent as of this transaction."""
    with store.rows_only() as connection:
        now = change(_moment(connection.execute(_spent(vendor).with_for_update()).scalar_one_or_none()))
        _put(connection, vendor, spent_until=stamp(now))
    return now


def _spent(vendor: str) -> Select[Any]:
    return select(t.vendor.c.spent_until).where(t.vendor.c.name == vendor)


def _put(connection: Connection, vendor: str, **values: Any) -> None:
    new = t.insert(connection, t.vendor).values(**{**NEW_VENDOR, "name": vendor, **values})
    connection.execute(new.on_conflict_do_update(index_elements=["name"], set_=values))


def sending_facts(store: Store, row_id: str) -> SendingFacts | None:
    """One row of the outbox by its id, or by an unmistakable beginning of it."""
    found = sendings_beginning(store, row_id, 2)
    return found[0] if len(found) == 1 else None


def sendings_beginning(store: Store, beginning: str, most: int) -> list[SendingFacts]:
    """Return the rows of the outbox whose id begins so, `most` at most."""
    s = t.sending
    columns = [s.c[name] for name in SendingFacts.__dataclass_fields__]
    begins = f"{beginning.replace('%', '').replace('_', '')}%"
    query = select(*columns).where(s.c.row_id.like(begins)).limit(most)
    with store.read() as connection:
        return [SendingFacts(**row._mapping) for row in connection.execute(query)]
