"""Which of [people] somebody is, who is known by their login: for what is done where they do not sit."""

from __future__ import annotations

from integrations.policy_files import Person
from register.core import Policy, Principal, Role
from register.login import login_of
from register.policy import Matrix
from register.standing import OWNER, standing
from register.store import Store, is_private
from register.store.adopted import adopted


def person_of(matrix: Matrix, login: str) -> str | None:
    """Return the key of the person with this login; of one who gives a uid alone, by this host's users."""
    named = next((key for key, one in matrix.people.items() if one.login == login), None)
    if named is not None:
        return named
    by_uid = ((key, one.uid) for key, one in matrix.people.items() if one.uid is not None)
    return next((key for key, uid in by_uid if login_of(uid) == login), None)


def principal_of(store: Store, login: str, source: str) -> Principal:
    """Return somebody of ours who does not sit here, in the role that the policy gives them at that moment.

    Whoever has a register to themselves may do all on it, here as at their board.
    """
    if is_private(store.url) and login == Person.here().login:
        return Principal(login, OWNER.role, source)

    def by_policy(policy: Policy) -> Role:
        key = person_of(policy.matrix, login)
        uid = policy.matrix.people[key].uid if key else None
        return standing(policy.matrix, policy.founder, uid, login).role

    return Principal(login, by_policy(adopted(store).policy), source, by_policy)
