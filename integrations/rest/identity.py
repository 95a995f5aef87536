"""Who we are to a described system, and who it is to us: our credential, and the proof of its webhooks."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from integrations import signing
from integrations.proofs import ProvedBy

if TYPE_CHECKING:
    from integrations.connector import Hooks
    from integrations.rest.config import SignIn, Webhook


def headers_of(how: SignIn, secret: str) -> Mapping[str, str]:
    """The credential as it goes along; a name that begins with ? goes into the query."""
    if not secret or how.kind == "none":
        return {}
    if how.kind == "basic":
        return {"Authorization": f"Basic {base64.b64encode(secret.encode()).decode()}"}
    if how.kind == "bearer":
        return {"Authorization": f"Bearer {secret}"}
    if how.kind == "token":
        return {"Authorization": f"Token token={secret}"}
    return {f"{'?' if how.kind == 'query' else ''}{how.name}": f"{how.prefix}{secret}"}


def proved_by(hook: Webhook | None, secrets: Sequence[str]) -> Hooks:
    """What proves its webhooks."""
    if hook is None or hook.scheme == "standard":
        return ProvedBy(secrets, signing.standard)
    if hook.scheme == "hex":
        return ProvedBy(secrets, signing.hex_of_body, hook.header, hook.prefix)
    if hook.scheme == "secret":
        return ProvedBy(secrets, signing.the_secret_itself, hook.header)
    return ProvedBy(secrets, signing.base64_of_stamped, hook.header, hook.stamp)
