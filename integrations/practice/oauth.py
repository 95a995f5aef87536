"""The practice supplier's own authorization server: Authlib's, at /oauth/token, with rotating refresh tokens.

What real ones differ in can be set while it runs: for how long a token holds, whether a refresh token is
replaced by the next, and whether one that was used is taken again until its successor is.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl

from authlib.oauth2.rfc6749 import AuthorizationServer, OAuth2Payload, OAuth2Request
from authlib.oauth2.rfc6749.grants import ClientCredentialsGrant, RefreshTokenGrant
from authlib.oauth2.rfc6750 import BearerTokenGenerator
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from integrations.practice.app import TOKEN_PATH

CLIENT_ID: Final = "muster-client"
CLIENT_SECRET: Final = "practice-client-secret"  # noqa: S105 - of a supplier that is made up
SCOPE: Final = "tickets"
_CLIENT_AUTH: Final = ("client_secret_basic", "client_secret_post")


def told(url: str) -> Mapping[str, str]:
    """What a client has to know of the one that runs at `url`."""
    return {"token_url": url + TOKEN_PATH, "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}


@dataclass(frozen=True, slots=True)
class _Client:
    """The one client that is registered."""

    secret: str

    def check_client_secret(self, secret: str) -> bool:
        return secrets.compare_digest(secret, self.secret)

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return method in _CLIENT_AUTH

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type in ("client_credentials", "refresh_token")

    def get_allowed_scope(self, scope: str | None) -> str | None:
        return SCOPE if (scope or SCOPE) == SCOPE else None


@dataclass(slots=True)
class _Refresh:
    """A refresh token that was given out. spent: another one was given for it; dead: nothing is."""

    text: str
    successor: _Refresh | None = None
    used: bool = False
    dead: bool = False

    def check_client(self, client: object) -> bool:
        return True

    def get_scope(self) -> str:
        return SCOPE


class _Payload(OAuth2Payload):  # type: ignore[misc]  # Authlib has no types
    def __init__(self, form: Mapping[str, str]) -> None:
        self._form = dict(form)

    @property
    def data(self) -> Mapping[str, str]:
        return self._form

    @property
    def datalist(self) -> Mapping[str, list[str]]:
        return {name: [value] for name, value in self._form.items()}


class _Asked(OAuth2Request):  # type: ignore[misc]  # Authlib has no types
    def __init__(self, request: Request, form: Mapping[str, str]) -> None:
        super().__init__(request.method, str(request.url), headers=request.headers)
        self.payload = _Payload(form)

    @property
    def form(self) -> Mapping[str, str]:
        return dict(self.payload.data)


class _ForItself(ClientCredentialsGrant):  # type: ignore[misc]  # Authlib has no types
    TOKEN_ENDPOINT_AUTH_METHODS = _CLIENT_AUTH


class _Refreshing(RefreshTokenGrant):  # type: ignore[misc]  # Authlib has no types
    TOKEN_ENDPOINT_AUTH_METHODS = _CLIENT_AUTH
    INCLUDE_NEW_REFRESH_TOKEN = True

    def authenticate_refresh_token(self, text: str) -> _Refresh | None:
        found: _Refresh | None = self.server.tokens.taken(text)
        return found

    def authenticate_user(self, refresh: _Refresh) -> str:
        return "muster"

    def revoke_old_credential(self, refresh: _Refresh) -> None:
        refresh.used = True


class _Server(AuthorizationServer):  # type: ignore[misc]  # Authlib has no types
    def __init__(self, tokens: Tokens) -> None:
        super().__init__(scopes_supported=[SCOPE])
        self.tokens = tokens
        maker = BearerTokenGenerator(
            lambda **_: secrets.token_urlsafe(24), tokens.next_refresh, lambda *_: tokens.holds
        )
        self.register_token_generator("default", maker)
        self.register_grant(_ForItself)
        self.register_grant(_Refreshing)

    def query_client(self, client_id: str) -> _Client | None:
        return _Client(self.tokens.client_secret) if client_id == CLIENT_ID else None

    def save_token(self, token: dict[str, Any], request: OAuth2Request) -> None:
        self.tokens.gave(token, request.refresh_token)

    def create_oauth2_request(self, request: _Asked) -> _Asked:
        return request

    def handle_response(self, status: int, body: object, headers: list[tuple[str, str]]) -> Response:
        return JSONResponse(body, status, dict(headers))

    def send_signal(self, name: str, *args: Any, **named: Any) -> None:
        """Nobody listens."""


class Tokens:
    """What was given out, and by which rules. Settable from any thread.

    holds: seconds of an access token. rotates: whether a refresh token is good for once. forgives: whether
    one that was used is taken again, as long as nobody used the one that was given for it.
    """

    def __init__(self, client_secret: str) -> None:
        self.client_secret = client_secret
        self.holds = 3_600
        self.rotates = True
        self.forgives = False
        self.given = 0  # access tokens so far
        self.first = "first-" + secrets.token_urlsafe(16)
        self._refresh = {self.first: _Refresh(self.first)}
        self._access: dict[str, float] = {}
        self._server = _Server(self)

    async def answer(self, request: Request) -> Response:
        """The token endpoint."""
        form = dict(parse_qsl((await request.body()).decode("utf-8", "replace")))
        told: Response = self._server.create_token_response(_Asked(request, form))
        return told

    def holds_now(self, access: str) -> bool:
        """Whether an access token is good."""
        return self._access.get(access, 0.0) > time.monotonic()

    def end_all(self) -> None:
        """Every access token is over, before its time."""
        self._access.clear()

    def take_back(self) -> None:
        """No refresh token is good any more, and no access token either."""
        self.end_all()
        for refresh in self._refresh.values():
            refresh.dead = True

    def taken(self, text: str) -> _Refresh | None:
        """The refresh token, if it is good; one that was used and is used again ends the whole family."""
        refresh = self._refresh.get(text)
        if refresh is None or refresh.dead:
            return None
        again = self.forgives and refresh.successor is not None and not refresh.successor.used
        if refresh.used and self.rotates and not again:
            self.take_back()
            return None
        return refresh

    def next_refresh(self, **_: object) -> str:
        return "next-" + secrets.token_urlsafe(24)

    def gave(self, token: dict[str, Any], before: _Refresh | None) -> None:
        self.given += 1
        self._access[token["access_token"]] = time.monotonic() + self.holds
        if before is None or not self.rotates:
            token.pop("refresh_token", None)
            return
        before.successor = _Refresh(token["refresh_token"])
        self._refresh[token["refresh_token"]] = before.successor
