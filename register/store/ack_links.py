"""What stands behind the links and mail tokens by which a page is acknowledged: one row each, used once.

Of a token only its digest is here: whoever reads the register can acknowledge for nobody.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, and_, select

from register.canon import moment, stamp
from register.store import page_tables as t
from register.store.store import Store

_L = t.ack_link.c


@dataclass(frozen=True, slots=True)
class AckLink:
    """One token's row. page: the sending that it went out with. person: an id of the side table."""

    sha256: str
    page: str
    incident: str
    person: str
    made_at: datetime
    expires_at: datetime
    used_at: datetime | None


def put(store: Store, links: Sequence[AckLink], signer: str, now: datetime) -> None:
    """Have these tokens count, and forget those that are over. signer: the fingerprint of their key."""
    rows = [
        {
            "sha256": one.sha256,
            "page": one.page,
            "incident": one.incident,
            "person": one.person,
            "signer": signer,
            "made_at": stamp(one.made_at),
            "expires_at": stamp(one.expires_at),
        }
        for one in links
    ]
    with store.rows_only() as connection:
        connection.execute(t.ack_link.delete().where(_L.expires_at <= stamp(now)))
        connection.execute(t.ack_link.insert(), rows)


def find(store: Store, sha256: str) -> AckLink | None:
    """What a token is for; None where there never was such a one, or it was swept."""
    names = ("sha256", "page", "incident", "person", "made_at", "expires_at", "used_at")
    with store.read() as connection:
        query = select(*(_L[name] for name in names)).where(_L.sha256 == sha256)
        row = connection.execute(query).first()
    if row is None:
        return None
    used = None if row.used_at is None else moment(row.used_at)
    return AckLink(
        row.sha256, row.page, row.incident, row.person, moment(row.made_at), moment(row.expires_at), used
    )


def use(connection: Connection, sha256: str, now: datetime) -> bool:
    """Use it up, in the transaction of what it is used for; False where somebody has, or its time is over."""
    free = and_(_L.sha256 == sha256, _L.used_at.is_(None), _L.expires_at > stamp(now))
    return connection.execute(t.ack_link.update().where(free).values(used_at=stamp(now))).rowcount == 1


def last_signer(store: Store) -> str | None:
    """The fingerprint of the key that signed the newest token; None where there is none."""
    with store.read() as connection:
        newest = select(_L.signer).order_by(_L.made_at.desc(), _L.sha256).limit(1)
        return connection.execute(newest).scalar_one_or_none()
