"""From a supplier's block to its credential by OAuth 2.0. Imported for suppliers that have one alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from integrations.http import Limits
from integrations.oauth.chain import Chain
from integrations.oauth.config import OAuth2
from integrations.oauth.endpoint import TokenEndpoint
from integrations.oauth.given import read
from integrations.oauth.tokens import Tokens
from integrations.signer import Headers


def tokens_for(
    vendor: str,
    about: OAuth2,
    stored: str,
    headers: Callable[[str], Headers],
    limits: Limits,
    env: Mapping[str, str],
) -> Tokens:
    """The credential; AuthFailed where `stored` does not fit. headers: the connector's, of a token."""
    given = read(vendor, stored, about)
    chain = Chain(vendor, given.refresh_token, env) if about.grant == "refresh_token" else None

    def dressed(access: str) -> Headers:
        return {**headers(access), "Authorization": f"Bearer {access}"}

    return Tokens(TokenEndpoint(about, vendor, given, limits), chain, dressed, patience=limits.total)
