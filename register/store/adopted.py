"""What the register has adopted as its policy: read from its events, kept until the head says otherwise."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, and_, func, or_, select

from register.adoption import matrix_in, vendors_in
from register.core import PersonId, Policy
from register.store import tables as t
from register.store.folding import kept_of
from register.store.promises import timeline_from
from register.store.reading import recorded
from register.store.store import Store
from register.store.transaction import POLICY, Transaction
from register.topics.adoption import BookAdopted, Founded, PolicyAdopted

_SEQ: Final = select(t.head.c.policy_seq)
_NEWEST: Final = (
    select(func.max(t.event.c.n))
    .where(and_(t.event.c.stream == POLICY, t.event.c.kind == PolicyAdopted.kind))
    .scalar_subquery()
)
_EVENTS: Final = (
    select(t.event)
    .where(
        and_(
            t.event.c.stream == POLICY,
            or_(t.event.c.kind.in_((Founded.kind, BookAdopted.kind)), t.event.c.n == _NEWEST),
        )
    )
    .order_by(t.event.c.n)
)


@dataclass(frozen=True, slots=True)
class Adopted:
    """The policy, and what is known of its adoption. `policy.version` 0: nothing was adopted.

    seq: of the newest event on the stream; another one means that all of this is to be read anew.
    vendors, matrix: the adopted texts, as `register.adoption.as_text` writes them.
    """

    policy: Policy
    seq: int = 0
    vendors: str = ""
    matrix: str = ""
    at: datetime | None = None
    by: PersonId | None = None


def adopted(store: Store, otherwise: Policy | None = None) -> Adopted:
    """Return what is adopted now. otherwise: what decides where nothing is."""
    with store.read() as connection:
        seq = int(connection.execute(_SEQ).scalar_one())
        found = _kept(store, connection, seq)
    return _or(found, otherwise)


def names_of(policy: Policy) -> dict[str, Collection[str]]:
    """Return what a policy names, by the fields of filters."""
    matrix = policy.matrix
    return {
        "vendor": list(policy.vendors),
        "team": list(matrix.teams),
        "service": list(matrix.services),
        "category": list(matrix.categories),
    }


def policy_of(store: Store, transaction: Transaction, otherwise: Policy) -> Policy:
    """Return the policy as of this transaction; asks only where it moved since it was last asked."""
    if transaction.policy_moved:  # nobody else may have it before it is on record
        return _or(_read(transaction.connection, transaction.policy_seq), otherwise).policy
    return _or(_kept(store, transaction.beside, transaction.policy_seq), otherwise).policy


def _kept(store: Store, connection: Connection, seq: int) -> Adopted:
    if store.adopted is None or store.adopted.seq != seq:
        store.adopted = _read(connection, seq)
    return store.adopted


def _or(found: Adopted, otherwise: Policy | None) -> Adopted:
    """What is adopted; where nothing is, what was given, with who made the register."""
    if found.policy.version or otherwise is None:
        return found
    return replace(found, policy=replace(otherwise, founder=found.policy.founder))


def _read(connection: Connection, seq: int) -> Adopted:
    if not seq:
        return Adopted(Policy())
    rows = list(connection.execute(_EVENTS))
    kept = kept_of(connection, [POLICY]) if any(row.data is None for row in rows) else {}
    events = [recorded(row, kept) for row in rows]
    policy = Policy(timeline=timeline_from(events), founder=_founder(connection, events))
    newest = next((one for one in reversed(events) if isinstance(one.event, PolicyAdopted)), None)
    if newest is None:
        return Adopted(policy, seq)
    texts: Any = newest.event
    return Adopted(
        policy=replace(
            policy,
            vendors=vendors_in(texts.vendors),
            matrix=matrix_in(texts.matrix),
            version=texts.version,
            digest=texts.digest,
        ),
        seq=seq,
        vendors=texts.vendors,
        matrix=texts.matrix,
        at=newest.recorded_at,
        by=newest.actor,
    )


def _founder(connection: Connection, events: Iterable[Any]) -> tuple[int | None, str] | None:
    made = next((one for one in events if isinstance(one.event, Founded)), None)
    if made is None:
        return None
    login = connection.execute(
        select(t.person.c.login).where(and_(t.person.c.id == made.actor, t.person.c.erased_at.is_(None)))
    ).scalar_one_or_none()
    return made.event.uid, login or ""
