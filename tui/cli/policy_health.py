"""What the doctor says of a register's policy: which version holds, who is admin, what I may do and why."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Final

from integrations.policy_files import find_files
from register.core import Role
from register.standing import told, who_may
from register.store import Store, is_private
from register.store.adopted import Adopted, adopted
from register.toml_file import FileFaults
from tui.cli.finding import Finding
from tui.session import session_from
from tui.who import env_of, standing_of

GUARD_RAILS: Final = (
    "everybody in its group can write anything into the file: roles are guard rails, no locks;"
    " `muster verify --since` with a head of serve's journal shows a rewritten log"
)


def policy_of(store: Store) -> Iterator[Finding]:
    """Yield what is adopted, whether my files are that, who is admin, and my own role."""
    found, private = adopted(store), is_private(store.url)
    waiting = _waiting(found)
    yield _version(store, found, private=private, waiting=waiting)
    if waiting:
        when = "at your next command" if private else "when an admin says `muster apply` with them"
        yield Finding("files", True, f"yours are not the adopted ones; they are taken {when}")
    if not private:
        yield _admins(found)
    mine = standing_of(store, session_from(os.environ))
    yield Finding("role", True, f"you are {mine.role.word}: {mine.why}")


def _version(store: Store, found: Adopted, *, private: bool, waiting: bool) -> Finding:
    if found.at is not None:
        by = store.people().get(found.by or "", found.by)
        says = f"version {found.policy.version}, adopted {found.at:%Y-%m-%d %H:%M} UTC by {by}"
        return Finding("policy", True, says)
    if private:
        until = "your files are taken" if waiting else "you write a file"
        return Finding("policy", True, f"nothing adopted: what is built in holds, until {until}")
    return Finding(
        "policy", False, "nothing adopted: no supplier can be engaged", "an admin says `muster apply`"
    )


def _waiting(found: Adopted) -> bool:
    """Whether files of mine are not what is adopted, and could be."""
    try:
        files = find_files(env_of(session_from(os.environ)))
        if not files.own or files.read().digest == found.policy.digest:
            return False
        files.read().checked()
    except FileFaults:
        return False  # told of each file by itself
    return True


def _admins(found: Adopted) -> Finding:
    policy = found.policy
    names = who_may(policy.matrix, policy.founder, Role.ADMIN)
    if names:
        return Finding("admins", True, told(names))
    return Finding(
        "admins", False, "nobody is known to be admin", "whoever made this register runs any command on it"
    )
