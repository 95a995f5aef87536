"""What a person stored for a supplier's OAuth 2.0: one line, in the keyring or a systemd credential.

One secret is the line itself; two are a JSON object: `{"client_secret": "…", "refresh_token": "…"}`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from integrations.errors import AuthFailed, AuthTrouble
from integrations.oauth.config import CLIENT_SECRET, REFRESH_TOKEN, OAuth2


@dataclass(frozen=True, slots=True, repr=False)
class Given:
    """The secrets; empty where the grant has none."""

    client_secret: str = ""
    refresh_token: str = ""


def as_line(asks: Sequence[str], answers: Sequence[str]) -> str:
    """What is stored, of what a person typed or piped in. ValueError where something is missing."""
    told = [answer.strip() for answer in answers]
    if len(told) == 1 and (len(asks) == 1 or told[0].startswith("{")):
        return told[0]
    if len(told) != len(asks) or not all(told):
        names = ", then ".join(name.replace("_", " ") for name in asks)
        raise ValueError(f"It takes {len(asks)}, each on a line: {names}. Nothing was stored.")
    return json.dumps(dict(zip(asks, told, strict=True)))


def read(vendor: str, stored: str, about: OAuth2) -> Given:
    """The secrets of what was stored. AuthFailed(MISSING) where it does not hold what the grant takes."""
    told = _parts(stored, about.asks)
    if not all(told.get(name) for name in about.asks):
        names = " and ".join(name.replace("_", " ") for name in about.asks)
        raise AuthFailed(
            f"What is stored for {vendor} is not what its OAuth 2.0 takes ({names}), so nothing can be sent"
            f" to it. Store it again: muster vendors login {vendor}.",
            AuthTrouble.MISSING,
        )
    return Given(told.get(CLIENT_SECRET, ""), told.get(REFRESH_TOKEN, ""))


def _parts(stored: str, asks: Sequence[str]) -> Mapping[str, str]:
    if len(asks) == 1 and not stored.startswith("{"):
        return {asks[0]: stored}
    try:
        told = json.loads(stored)
    except ValueError:
        return {}
    fits = isinstance(told, dict) and all(isinstance(value, str) for value in told.values())
    return told if fits else {}
