"""Whether people can be paged from here, for `muster doctor`."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

from register.store import RegisterUnavailable, Store, open_store, pages
from register.store.adopted import adopted
from register.toml_file import FileFaults, text_of
from tui.cli.finding import Finding
from tui.session import session_from


def anybody_paged() -> bool:
    """Whether anybody has a `reach`, in the adopted matrix or in this person's own."""
    from integrations.policy_files import find_files
    from register.matrix_toml import read_matrix

    try:
        own = find_files(os.environ).matrix
        if own is not None and any(one.reach for one in read_matrix(text_of(own)).people.values()):
            return True
        with contextlib.closing(open_store(session_from(os.environ).register_url)) as store:
            return any(one.reach for one in adopted(store).policy.matrix.people.values())
    except (FileFaults, RegisterUnavailable):  # told by other looks
        return False


def pages_of(store: Store) -> Iterator[Finding]:
    """Who of those that the adopted matrix has paged cannot be reached by what, and what reached nobody."""
    from integrations import secrets
    from integrations.errors import AuthFailed

    matrix = adopted(store).policy.matrix
    if not matrix.pages:
        if matrix.people:
            says = "nobody is paged: no [people.NAME] of matrix.toml has a `reach`"
            yield Finding("pages", True, says)
        return
    several = sum(bool(person.reach) for person in matrix.people.values())
    if secrets.asks():  # the doctor asks for nothing
        says = f"{several} have a `reach`; whether their addresses are here, `muster page test NAME` tells"
        yield Finding("pages", True, says)
        return
    lacking = 0
    for key, person in matrix.people.items():
        for channel in person.reach:
            try:
                held = secrets.look(secrets.slot(key, channel), os.environ) is not None
            except AuthFailed as failure:
                says = f"whether the addresses of {several} are here cannot be looked up"
                yield Finding("pages", False, says, secrets.cause(failure))
                return
            if not held:
                lacking += 1
                says = f"{key} cannot be paged by {channel} from here: its address is not stored"
                todo = f"as whoever runs `muster serve`: muster page login {key} {channel}"
                yield Finding("pages", False, says, todo)
    failed = [row for row in pages.unfinished(store) if row.state == "dead"]
    if failed:
        says = f"{len(failed)} reached nobody: {', '.join(sorted({row.incident for row in failed})[:5])}"
        yield Finding(
            "pages", False, says, "`muster outbox list` tells why, and `muster outbox retry` tries again"
        )
    if not lacking and not failed:
        yield Finding("pages", True, f"{several} can be paged from here: `muster page test me` tries it")
