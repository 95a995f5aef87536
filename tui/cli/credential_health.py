"""Whether suppliers' credentials are here and hold, for `muster doctor`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime

from register.store import Store
from tui.cli.finding import Finding


def credentials_of(store: Store) -> Iterator[Finding]:
    """Which suppliers' credentials are not here, and which end soon."""
    from integrations.policy_files import vendors_now
    from register.store import vendors
    from register.toml_file import FileFaults

    try:
        known = vendors_now(store, os.environ)
    except FileFaults:  # what is wrong with them is another look's to tell
        return
    today, health = datetime.now(UTC).astimezone().date(), vendors.health(store)
    for name, vendor in known.items():
        lacks = _lacking(name) if vendor.needs_secret else None
        if lacks is not None:
            yield lacks
        noted = health[name].expires if name in health else ""
        if lacks is not None and not noted:
            continue  # the day in vendors.toml is that of one which is not here
        if ending := vendor.ending(today, noted):
            todo = f"ask {vendor.title} for another one: `muster vendors login {name} --expires DAY`"
            yield Finding("credential", False, f"{name}: {ending}", todo)


def _lacking(name: str) -> Finding | None:
    """That a supplier's credential is not here; None where it is, or where that cannot be known."""
    from integrations import secrets
    from integrations.errors import AuthFailed

    if secrets.asks() and secrets.is_sealed():  # the doctor asks for nothing
        return None
    try:
        held = secrets.look(name, os.environ) is not None
    except AuthFailed as failure:
        if not secrets.describe().usable:  # the keyring's own line tells
            return None
        return Finding("credential", False, f"{name}: {failure.why}")
    return (
        None
        if held
        else Finding("credential", False, f"{name}: none is stored here", f"muster vendors login {name}")
    )
