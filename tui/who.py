"""Who sits at the keyboard, in which role, and what the desk must know of the suppliers."""

from __future__ import annotations

from pathlib import Path

from register.core import Policy, Principal, Role, VendorFacts
from register.store import is_private
from tui.session import Session
from tui.suppliers import read_suppliers


def principal(session: Session, source: str) -> Principal:
    """Return who asks. A register of one's own makes one its admin; a shared one a coordinator."""
    role = Role.ADMIN if is_private(session.register_url) else Role.COORDINATOR
    return Principal(session.login, role, source)


def policy(home: Path | None) -> Policy:
    """Return what vendors.toml allows; a file that cannot be read allows no supplier."""
    return Policy(
        vendors={
            one.name: VendorFacts(one.name, one.title, one.production) for one in read_suppliers(home).known
        }
    )
