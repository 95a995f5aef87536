"""How a worker starts, and what it says of what ends a task."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from integrations import secrets
from integrations.errors import AuthFailed


def unlocked(env: Mapping[str, str]) -> bool:
    """Have the key ready, if there is one: what lacks is told here, and of each supplier that needs it."""
    try:
        secrets.unlock(env)
    except AuthFailed as failure:  # others go on
        print(failure.why, file=sys.stderr)
        return False
    return True


def named(told: Mapping[str, Any]) -> str:
    """What a task ended with: its kind alone, for its words may be a supplier's."""
    error = told.get("exception")
    return type(error).__name__ if error is not None else str(told["message"])
