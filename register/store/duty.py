"""What people arranged on the stream `duty`, folded: kept until the head says that something was added."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection, and_, select

from register.duty import NO_DUTY, STREAM, Duty, arranged
from register.store import tables as t
from register.store.folding import REDACTED, kept_of
from register.store.reading import recorded
from register.store.store import Store
from register.store.transaction import Transaction

_SEQ: Final = select(t.head.c.duty_seq)


def duty_now(store: Store) -> Duty:
    """Return what is arranged, as of the last commit."""
    with store.read() as connection:
        seq = int(connection.execute(_SEQ).scalar_one())
        return _kept(store, connection, seq)


def duty_of(store: Store, transaction: Transaction) -> Duty:
    """Return what is arranged as of this transaction; asks only where something was added since."""
    if transaction.duty_moved:  # nobody else may have it before it is on record
        return _read(transaction.connection, NO_DUTY, 0)
    return _kept(store, transaction.beside, transaction.duty_seq)


def _kept(store: Store, connection: Connection, seq: int) -> Duty:
    if not seq:
        return NO_DUTY
    known = store.duty
    if known is None or known[0] > seq:  # of an event that was taken back
        known = (0, NO_DUTY)
    if known[0] != seq:
        known = store.duty = (seq, _read(connection, known[1], known[0]))
    return known[1]


def _read(connection: Connection, duty: Duty, after: int) -> Duty:
    """Fold on from there. A redaction of the stream begins anew, for it reaches back."""
    query = select(t.event).where(and_(t.event.c.stream == STREAM, t.event.c.seq > after))
    rows = list(connection.execute(query.order_by(t.event.c.n)))
    if after and any(row.kind == REDACTED for row in rows):
        return _read(connection, NO_DUTY, 0)
    kept = kept_of(connection, [STREAM]) if any(row.data is None for row in rows) else {}
    for row in rows:
        one = recorded(row, kept)
        if one.event is not None:
            duty = arranged(one.event, duty, one.at)
    return duty
