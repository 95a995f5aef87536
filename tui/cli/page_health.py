"""Whether people can be paged from here, for `muster doctor`."""

from __future__ import annotations

import os
from collections.abc import Iterator

from register.store import Store, pages
from register.store.adopted import adopted
from tui.cli.finding import Finding


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
                secrets.resolve(secrets.slot(key, channel), os.environ)
            except AuthFailed:
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
