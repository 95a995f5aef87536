"""Who sits at the keyboard, what they may do on this register and why, and what it decides by."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from register.core import Policy, Principal, Refused, Role
from register.standing import OWNER, Standing, standing
from register.store import RegisterUnavailable, Store, is_private
from register.store.adopted import adopted, names_of
from register.toml_file import FileFaults
from tui.session import Session

if TYPE_CHECKING:
    from integrations.policy_files import Person


def person(session: Session) -> Person:
    from integrations.policy_files import Person

    return Person(session.uid, session.login)


def standing_of(store: Store, session: Session) -> Standing:
    """Return what this person may do: all on a register of their own, else what the adopted matrix says."""
    if is_private(store.url):
        return OWNER
    policy = adopted(store).policy
    return standing(policy.matrix, policy.founder, session.uid, session.login)


def principal(store: Store, session: Session, source: str) -> Principal:
    """Return who asks, in the role that they have now; on a shared register, in the one they have then."""
    if is_private(store.url):
        return Principal(session.login, OWNER.role, source)

    def by_policy(policy: Policy) -> Role:
        return standing(policy.matrix, policy.founder, session.uid, session.login).role

    return Principal(session.login, by_policy(adopted(store).policy), source, by_policy)


def env_of(session: Session) -> Mapping[str, str]:
    """Return what tells where this person's files are."""
    return {"MUSTER_HOME": str(session.home)}


def policy(store: Store, session: Session, source: str) -> Policy:
    """Return what decides now; a register of one's own adopts its owner's files first, if they can be."""
    from integrations.policy_files import keep_up

    try:
        return keep_up(store, env_of(session), person(session), source).policy
    except FileFaults:  # they are told when the board opens, and whenever a supplier is chosen
        return adopted(store).policy


def names_now(store: Store, session: Session, source: str) -> dict[str, Collection[str]]:
    """Return what the policy that decides now names, by the fields of filters.

    Where nothing can be written, what was adopted before.
    """
    try:
        return names_of(policy(store, session, source))
    except (Refused, RegisterUnavailable):
        return names_of(adopted(store).policy)


def settle(store: Store, session: Session, source: str) -> list[str]:
    """Bring the register's policy to where it shall be when somebody begins to work; return what is wrong."""
    from integrations.policy_files import begin, keep_up

    try:
        told = begin(store, env_of(session), person(session), source)
        keep_up(store, env_of(session), person(session), source)
    except FileFaults as error:
        told = [f"{fault} What was adopted before holds on." for fault in error.faults]
    return told
