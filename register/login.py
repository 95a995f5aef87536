"""Who a process runs for: the uid's login, as the host knows it."""

from __future__ import annotations

import pwd


def login_of(uid: int) -> str:
    """Return the login of a uid; one without an account, as in a container, is called by its number."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid-{uid}"
