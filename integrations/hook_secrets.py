"""The secrets by which suppliers' webhooks are proved: kept where credentials are, each beside the other.

Two count while one is changed for another, so that no webhook is refused in between: the new one, and for a
week the one before it. A systemd credential `muster-NAME.webhook` may have a line for each.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from integrations import secrets
from integrations.errors import AuthFailed

KIND: Final = "webhook"
_BEFORE: Final = "webhook-before"
KEPT: Final = timedelta(days=7)
"""How long the one before counts beside its successor."""
LEAST: Final = 16
"""Characters of a secret that nobody guesses."""


def secrets_of(vendor: str, env: Mapping[str, str], now: datetime) -> tuple[str, ...]:
    """What counts now, the newest first; empty where none is here. AuthFailed where it cannot be looked."""
    newest = secrets.look(vendor, env, KIND)
    if newest is None:
        return ()
    found = [line.strip() for line in newest.splitlines() if line.strip()]
    return tuple(dict.fromkeys((*found, *_before(vendor, env, now))))


def _before(vendor: str, env: Mapping[str, str], now: datetime) -> tuple[str, ...]:
    try:
        kept = secrets.look(vendor, env, _BEFORE)
    except AuthFailed:  # the newest is a systemd credential, and no keyring is here: it has its own lines
        return ()
    until, _, before = (kept or "").partition(" ")
    try:
        counts = bool(before) and now < datetime.fromisoformat(until)
    except (ValueError, TypeError):  # not as we wrote it
        return ()
    return (before,) if counts else ()


def put(
    vendor: str, secret: str, env: Mapping[str, str] = os.environ, now: datetime | None = None
) -> datetime | None:
    """Have this secret count from now on; until when the one before it does, too, if there was one.

    ValueError when it cannot be one; AuthFailed(MISSING) when no fit keyring is here.
    """
    secret, was = secrets.checked(secret), secrets.look(vendor, env, KIND)
    if len(secret) < LEAST:
        raise ValueError(
            f"A webhook's secret has {LEAST} characters at least, so that nobody guesses it: nothing was"
            " stored. Make one with: openssl rand -hex 32"
        )
    until = None if was is None or was == secret else (now or datetime.now(UTC)) + KEPT
    if was is not None and until is not None:  # put aside first: killed in between, it counts all the same
        secrets.store(vendor, f"{until.isoformat()} {was.splitlines()[-1]}", env, _BEFORE)
    secrets.store(vendor, secret, env, KIND)
    return until


def forget(vendor: str, env: Mapping[str, str] = os.environ) -> bool:
    """Have none count any more; False when there was none."""
    secrets.forget(vendor, env, _BEFORE)
    return secrets.forget(vendor, env, KIND)
