"""The token endpoint: asks it for a token, and says what its answer means.

Authlib writes the request (grant, scope, client authentication: RFC 6749 §2.3, §4.4, §6); our own `Http`
sends it, for Authlib's client has no cap, no deadline and no masking. It has an origin of its own: nothing of
the supplier's API goes there, nor the other way round. What cannot be had for the moment is `NoToken` for
whoever wanted the token: nothing went to the supplier.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import httpx
import orjson

from integrations.answers import Answer
from integrations.credential import HEADER_CHARS
from integrations.errors import AuthFailed, AuthTrouble, Failure, Gone, NoToken, RateLimited
from integrations.exchange import KEPT
from integrations.http import Http, Limits
from integrations.oauth.config import CLIENT_SECRET, OAuth2
from integrations.oauth.given import Given
from register.text import clip, one_line

MOST: Final = 65_536
"""Bytes of a token's answer."""
LONGEST: Final = 8_192
LONGEST_REFRESH: Final = 4_000
"""Characters: of what has to be kept."""
_REFUSALS: Final = frozenset({400, 401, 403})
_CLIENT_AUTH: Final = {"basic": "client_secret_basic", "post": "client_secret_post", "none": "none"}
_FORM: Final = {"Content-Type": "application/x-www-form-urlencoded"}
_SAID: Final[Mapping[str, tuple[str, AuthTrouble, str]]] = {
    "invalid_client": (
        "does not know our client_id, or not its secret",
        AuthTrouble.REFUSED,
        "Mend `client_id` in vendors.toml, or store the secret again: muster vendors login {name}.",
    ),
    "invalid_grant": (
        "does not take the refresh token any more: it ended, was taken back, or was used elsewhere",
        AuthTrouble.REFUSED,
        "Have a new one given out there and store it: muster vendors login {name}.",
    ),
    "unauthorized_client": (
        "does not allow this grant to our client",
        AuthTrouble.FORBIDDEN,
        "Ask the supplier to allow it, or mend `grant` in vendors.toml.",
    ),
    "unsupported_grant_type": (
        "gives no tokens by this grant",
        AuthTrouble.FORBIDDEN,
        "Mend `grant` in vendors.toml.",
    ),
    "invalid_scope": (
        "does not allow this scope to our client",
        AuthTrouble.FORBIDDEN,
        "Mend `scope` in vendors.toml, or ask the supplier to allow it.",
    ),
    "invalid_request": (
        "cannot read our request for a token",
        AuthTrouble.FORBIDDEN,
        'Try another `client_auth` in vendors.toml ("basic", "post").',
    ),
    "access_denied": (
        "denies us a token",
        AuthTrouble.FORBIDDEN,
        "Ask the supplier why.",
    ),
}
"""RFC 6749 §5.2: what the code means, whether we are known, and what to do."""
INVALID_GRANT: Final = "invalid_grant"


class Refused(AuthFailed):
    """The endpoint said no, by this code."""

    def __init__(self, why: str, trouble: AuthTrouble, code: str) -> None:
        super().__init__(why, trouble)
        self.code = code


@dataclass(frozen=True, slots=True, repr=False)
class Token:
    """What was given. holds, refresh_holds: for how long, where it is told."""

    access: str
    holds: timedelta | None = None
    refresh: str = ""
    refresh_holds: timedelta | None = None


class TokenEndpoint:
    """One supplier's. name: the supplier's."""

    def __init__(
        self,
        about: OAuth2,
        name: str,
        given: Given,
        limits: Limits,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._about, self._name, self._given = about, name, given
        base, _, last = about.token_url.rpartition("/")
        self._path = f"/{last}"
        capped = Limits(limits.connect, limits.read, limits.total, MOST)
        self._http = Http(base, name=f"The token endpoint of {name}", limits=capped, transport=transport)

    async def client_credentials(self) -> Token:
        """A token for ourselves."""
        return await self._ask("client_credentials")

    async def refreshed(self, refresh_token: str) -> Token:
        """A token for a refresh token, which may have been replaced by the one that comes with it."""
        return await self._ask("refresh_token", refresh_token=refresh_token)

    async def aclose(self) -> None:
        await self._http.aclose()

    async def _ask(self, grant: str, **more: str) -> Token:
        headers, content = self._written(grant, more)
        # should they send it back, whatever they answer
        secrets = {**more, CLIENT_SECRET: self._given.client_secret, "first": self._given.refresh_token}
        self._http.carries(secrets | {"basic": headers.get("Authorization", "")})
        failure: Failure | None = None
        record = KEPT.set(None)  # of this no record is kept: it is made of secrets
        try:
            answer = await self._http.post(
                self._path, headers=headers, content=content, safe=True, told=_REFUSALS
            )
        except RateLimited as limited:
            failure = RateLimited(f"{limited.why} Without a token nothing is sent.", limited.retry_after)
        except Failure as other:
            hint = " Is `token_url` right?" if isinstance(other, Gone) else ""
            failure = NoToken(f"{other.why}{hint} Without a token nothing was sent to {self._name}.")
        finally:
            KEPT.reset(record)
        if failure is not None:
            raise failure
        told = _json(answer)
        if answer.status in _REFUSALS:
            raise self._refused(answer, told)
        return self._token(told)

    def _written(self, grant: str, more: Mapping[str, str]) -> tuple[dict[str, str], bytes]:
        """The request's headers and form."""
        from authlib.oauth2.auth import ClientAuth
        from authlib.oauth2.rfc6749.parameters import prepare_token_request

        about = self._about
        scope = {"scope": about.scope} if about.scope else {}
        body = prepare_token_request(grant, **scope, **more)
        auth = ClientAuth(about.client_id, self._given.client_secret, _CLIENT_AUTH[about.client_auth])
        _, headers, body = auth.prepare("POST", about.token_url, dict(_FORM), body)
        return headers, body.encode("ascii")

    def _refused(self, answer: Answer, told: Mapping[str, Any]) -> Failure:
        code = told.get("error")
        said = told.get("error_description")
        more = f" ({self._clean(said)})" if isinstance(said, str) and said.strip() else ""
        if not isinstance(code, str) or code in ("temporarily_unavailable", "server_error"):
            return NoToken(
                f"{self._http.name} said no without a reason that we know: HTTP {answer.status}{more}. Is "
                f"`token_url` right? Without a token nothing was sent to {self._name}."
            )
        unknown = ("said no to our request for a token", AuthTrouble.REFUSED, "Ask the supplier why.")
        means, trouble, todo = _SAID.get(code, unknown)
        shown = clip(one_line(code), 60)
        todo = todo.format(name=self._name)
        return Refused(f"{self._http.name} {means}: {shown}{more}. {todo}", trouble, code)

    def _clean(self, said: str) -> str:
        """Their words without ours."""
        return clip(one_line(self._http.masked(said)), 300).rstrip(".")

    def _token(self, told: Mapping[str, Any]) -> Token:
        access, kind = told.get("access_token"), told.get("token_type", "bearer")
        if not _is_token(access):
            raise NoToken(
                f"{self._http.name} gave an answer without a token. Is `token_url` right? Nothing was sent"
                f" to {self._name}."
            )
        if not isinstance(kind, str) or kind.lower() != "bearer":
            raise AuthFailed(
                f"{self._http.name} gives out tokens of a kind that Muster cannot use "
                f"({clip(one_line(str(kind)), 40)}). Ask the supplier for bearer tokens.",
                AuthTrouble.FORBIDDEN,
            )
        refresh = told.get("refresh_token") or ""
        if refresh and not _is_token(refresh, LONGEST_REFRESH):
            raise AuthFailed(
                f"{self._http.name} gives out refresh tokens that Muster cannot keep: they are no line of "
                f"{LONGEST_REFRESH:,} characters at most. Ask the supplier for others.",
                AuthTrouble.FORBIDDEN,
            )
        return Token(
            str(access),
            _first(told, "expires_in"),
            str(refresh),
            _first(told, "refresh_token_expires_in", "refresh_expires_in", "x_refresh_token_expires_in"),
        )


def _json(answer: Answer) -> Mapping[str, Any]:
    try:
        told = orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        return {}
    return told if isinstance(told, dict) else {}


def _is_token(value: object, longest: int = LONGEST) -> bool:
    return isinstance(value, str) and 0 < len(value) <= longest and HEADER_CHARS.issuperset(value)


def _first(told: Mapping[str, Any], *names: str) -> timedelta | None:
    """The first of these that says how many seconds something holds; servers write numbers as text, too."""
    for name in names:
        seconds = _number(told.get(name))
        if seconds is not None and 0 < seconds < 100 * 365 * 86_400:
            return timedelta(seconds=seconds)
    return None


def _number(value: object) -> float | None:
    read: Callable[[Any], float] = float
    try:
        number = read(value) if isinstance(value, int | float | str) and not isinstance(value, bool) else None
    except ValueError:
        return None
    return number if number is not None and math.isfinite(number) else None
