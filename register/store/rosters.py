"""The roster as of a transaction: the adopted matrix, what people arranged, and the people's ids."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import and_, select

from register.core import Policy, World
from register.login import login_of
from register.policy import Matrix, Person
from register.roster import Roster
from register.store import tables as t
from register.store.duty import duty_now, duty_of
from register.store.store import Store
from register.store.transaction import Transaction


def roster_of(store: Store, transaction: Transaction, matrix: Matrix) -> Roster:
    """Return who can be told, and when; where the matrix tells nobody, nothing is looked up."""
    if not matrix.policies and not matrix.rotas:
        return Roster(matrix, duty_of(store, transaction))
    ids = {key: transaction.person("person", _login(one)) for key, one in matrix.people.items()}
    return Roster(matrix, duty_of(store, transaction), ids)


def _login(person: Person) -> str:
    if person.login is not None or person.uid is None:
        return person.login or person.name
    return login_of(person.uid)


def roster_now(store: Store, matrix: Matrix) -> Roster:
    """Return the same as of the last commit, for whoever only looks. Who was never met here has no id yet,
    and stands under their key with a `?` before it: nothing is written for a look.
    """
    logins = {_login(one): key for key, one in matrix.people.items()}
    row = t.person.c
    mine = and_(row.kind == "person", row.login.in_(logins), row.erased_at.is_(None))
    with store.read() as connection:
        found = connection.execute(select(row.id, row.login).where(mine)).all() if logins else []
    met = {logins[login]: one for one, login in found}
    return Roster(matrix, duty_now(store), {key: met.get(key, f"?{key}") for key in matrix.people})


def world_now(store: Store, policy: Policy, now: datetime) -> World:
    """Return what a rule would look at if it were asked now, for whoever wants to know what it would say."""
    return World(now=now, actor="", policy=policy, next_number="", roster=roster_now(store, policy.matrix))
