"""One HTTP client a supplier: sends, and turns whatever happens into an `Answer` or a `Failure`.

What a lost answer means hangs on the request, not on the error: a request that may be repeated is
`Unavailable`, one that makes something is `Ambiguous` from its first byte on. Nothing secret is ever
part of a failure, a `repr` or a log line. Redirects are not followed and cookies are neither kept nor
sent, so a credential stays with the origin it was stored for.
"""

from __future__ import annotations

import asyncio
import functools
import ipaddress
import logging
import re
import ssl
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, Final, Self

import httpx
import orjson

from integrations.answers import Answer, judge, lost
from integrations.errors import AuthFailed, AuthTrouble, Failure, NotSent, OpId, Rejected
from integrations.exchange import KEPT, Asked
from integrations.lines import Lines
from integrations.masks import masks_of
from integrations.zones import gap_of

MAX_ANSWER: Final = 8 * 2**20
"""Bytes of an answer, packed or unpacked."""
MAX_CONNECTIONS: Final = 16
KEEP_ALIVE: Final = 2.0
"""Seconds. Below what servers keep, so that a connection closed under us rarely looks like a lost answer."""
_ERROR_BYTES: Final = 16_384
_HOST: Final = re.compile(rb"[a-zA-Z0-9._:-]+")
_HEADER_CHARS: Final = frozenset(map(chr, range(0x20, 0x7F)))

_NEVER_SENT: Final[Mapping[type[Exception], str]] = {
    httpx.ConnectTimeout: "did not take the connection in time",
    httpx.ConnectError: "cannot be reached",
    httpx.PoolTimeout: "has all its connections in use",
    httpx.UnsupportedProtocol: "has an address of an unknown kind",
    httpx.InvalidURL: "has an address that cannot be used",
}
_ANSWER_LOST: Final[Mapping[type[Exception], str]] = {
    httpx.TimeoutException: "did not answer in time",
    httpx.NetworkError: "cut the connection before it had answered",
    httpx.RemoteProtocolError: "cut the connection or answered something that is not HTTP",
    Exception: "gave an answer that could not be read",
}
for _logger in ("httpx", "httpcore"):  # their lines show addresses, cookies and headers of answers
    logging.getLogger(_logger).setLevel(logging.WARNING)
_Errors = (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError)


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds and bytes that one exchange may take. `total` covers everything, from queue to last byte."""

    connect: float = 5.0
    read: float = 25.0
    total: float = 30.0
    answer: int = MAX_ANSWER


@dataclass(slots=True)
class _Exchange:
    """What is known of one request while it runs."""

    repeatable: bool
    op_id: OpId
    deadline: datetime
    most: int = MAX_ANSWER  # bytes of the answer
    page: bool = False  # a web page may be what was asked for
    connecting: bool = False
    response: httpx.Response | None = None
    body: bytearray = field(default_factory=bytearray)

    async def trace(self, event: str, _info: Mapping[str, Any]) -> None:
        """Follow httpcore's own account of where the request is."""
        if event.startswith("connection.connect_"):
            self.connecting = True
        elif event.endswith("send_request_headers.started"):
            self.connecting = False

    @property
    def answered(self) -> httpx.Response | None:
        """The response, if its status alone decides, however its body ended."""
        return self.response if self.response is not None and not self.response.is_success else None


class Http:
    """The client of one supplier. Make it inside the event loop that uses it; close it when done.

    `headers` carries the resolved secret. Raises only `integrations.errors` kinds, except that a base
    URL which must not be used is a `ValueError`.
    """

    def __init__(
        self,
        base_url: str,
        headers: Mapping[str, str] | None = None,
        *,
        name: str = "",
        limits: Limits | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.base = checked_base(base_url)
        self.name = name or self.base.host
        self.limits = limits or Limits()
        self.asked = 0  # requests so far
        self.zone = ""  # of times of theirs that name none
        self.gap: timedelta | None = None  # how far their clock is ahead of ours, by their last answer
        secrets = dict(headers or {})
        if not all(_HEADER_CHARS.issuperset(value) for value in secrets.values()):
            raise AuthFailed(
                f"The stored credential for {self.name} has characters that no HTTP header can carry: "
                "store it again, without line ends.",
                AuthTrouble.MISSING,
            )
        self._masks = masks_of(secrets.values())
        self._secret = frozenset(name.lower() for name in secrets)
        self._client = httpx.AsyncClient(
            headers={"Accept": "application/json", "Accept-Encoding": "gzip", "User-Agent": "muster"}
            | secrets,
            timeout=httpx.Timeout(
                self.limits.read, connect=self.limits.connect, pool=self.limits.connect * 2
            ),
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            follow_redirects=False,
            trust_env=False,
            transport=transport
            or Lines(
                _tls() if self.base.scheme == "https" else _trusting_nobody(), MAX_CONNECTIONS, KEEP_ALIVE
            ),
        )

    def __repr__(self) -> str:
        return f"Http({str(self.base)!r})"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        await self._client.aclose()

    async def get(
        self,
        path: str,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        most: int | None = None,
        page: bool = False,
    ) -> Answer:
        """Read. May be repeated, so a lost answer is `Unavailable`.

        most: bytes, where it is a file; page: which may be a web page, and is known in another way.
        """
        return await self._send(
            "GET", path, params=params, headers=headers, repeatable=True, most=most, page=page
        )

    async def post(
        self,
        path: str,
        json: object = None,
        headers: Mapping[str, str] | None = None,
        *,
        params: Mapping[str, Any] | None = None,
        content: bytes | None = None,
        safe: bool = False,
        op_id: OpId = "",
    ) -> Answer:
        """Make something. A lost answer is `Ambiguous(op_id)`, unless the call is `safe` to repeat.

        content: bytes to send as they are, instead of JSON; `headers` then says of what type.
        """
        return await self._send(
            "POST",
            path,
            params=params,
            json=json,
            content=content,
            headers=headers,
            repeatable=safe,
            op_id=op_id,
        )

    async def put(
        self,
        path: str,
        json: object = None,
        headers: Mapping[str, str] | None = None,
        *,
        safe: bool,
        op_id: OpId = "",
    ) -> Answer:
        """Change something. Only the caller knows whether doing it twice is doing it once."""
        return await self._send("PUT", path, json=json, headers=headers, repeatable=safe, op_id=op_id)

    async def _send(
        self,
        method: str,
        path: str,
        *,
        repeatable: bool,
        params: Mapping[str, Any] | None = None,
        json: object = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        op_id: OpId = "",
        most: int | None = None,
        page: bool = False,
    ) -> Answer:
        deadline = datetime.now(UTC) + timedelta(seconds=self.limits.total)
        at = _Exchange(repeatable, op_id, deadline, self.limits.answer if most is None else most, page)
        request = self._request(method, path, params, json, content, headers or {})
        request.extensions["trace"] = at.trace
        self.asked += 1
        if (kept := KEPT.get()) is not None:
            kept.append(Asked(request, at, self.masked, self._secret))
        failure = await self._exchange(request, at)
        # Raised out here, so that no httpx error, which holds the request and its headers, hangs on it.
        if at.answered is not None:
            raise judge(self.name, at.answered, bytes(at.body), self.masked, at.repeatable, op_id, deadline)
        if failure is not None:
            raise failure
        return self._answer(at)

    async def _exchange(self, request: httpx.Request, at: _Exchange) -> Failure | None:
        """Send and read within the deadline; return what went wrong. An outer cancellation passes."""
        try:
            async with asyncio.timeout(self.limits.total):
                at.response = await self._client.send(request, stream=True)
                try:
                    return await self._read(at.response, at)
                finally:
                    await at.response.aclose()
        except TimeoutError:
            if at.connecting:
                return NotSent(
                    f"{self.name} did not take the connection within {self.limits.total:g} seconds."
                )
            return self._lost(f"did not finish its answer within {self.limits.total:g} seconds", at)
        except _Errors as error:
            for kind, says in _NEVER_SENT.items():
                if isinstance(error, kind):
                    return NotSent(f"{self.name} {says}{_cause(error)}.")
            return self._lost(next(s for k, s in _ANSWER_LOST.items() if isinstance(error, k)), at)

    async def _read(self, response: httpx.Response, at: _Exchange) -> Failure | None:
        """Fill `at.body`, up to the cap; the body of an error is cut instead of refused."""
        cap = at.most if response.is_success else _ERROR_BYTES
        told = response.headers.get("content-length", "")
        if response.is_success and told.isdecimal() and len(told) < 19 and int(told) > cap:
            return self._too_much(at)  # by its own word: none of it is taken
        async for chunk in response.aiter_raw():
            at.body += chunk
            if len(at.body) > cap:
                return self._too_much(at)
        if response.headers.get("content-encoding", "identity").lower() in {"", "identity"}:
            return None
        try:
            packed = zlib.decompressobj(wbits=47)  # gzip or zlib, by its own header
            at.body = bytearray(packed.decompress(bytes(at.body), cap + 1))
        except zlib.error:
            return self._lost("gave an answer that could not be unpacked", at)
        return self._too_much(at) if len(at.body) > cap else None

    def _answer(self, at: _Exchange) -> Answer:
        assert at.response is not None  # noqa: S101 - no failure, so there is a response
        kind = at.response.headers.get("content-type", "")
        told = dict(at.response.headers)
        self.gap = gap_of(told, datetime.now(UTC))
        answer = Answer(
            at.response.status_code, told, bytes(at.body), self.name, at.repeatable, at.op_id, self.zone
        )
        if at.body and "html" in kind.lower() and not at.page:
            raise self._lost("answered with a web page instead of data: is the address right", at)
        return answer

    def _too_much(self, at: _Exchange) -> Failure:
        says = f"answered with more than {at.most:,} bytes"
        if at.repeatable:
            return Rejected(f"{self.name} {says}: asking again will not help, a person must look.")
        return self._lost(says, at)

    def _lost(self, says: str, at: _Exchange) -> Failure:
        return lost(self.name, says, at.repeatable, at.op_id, at.deadline)

    def _request(
        self,
        method: str,
        path: str,
        params: Mapping[str, Any] | None,
        json: object,
        content: bytes | None,
        headers: Mapping[str, str],
    ) -> httpx.Request:
        """What will be sent, or `Rejected`: what cannot be written must not look like an answer lost."""
        url = self._url(path)
        typed = {"Content-Type": "application/json"} if json is not None else {}
        try:
            if all(_HEADER_CHARS.issuperset(value) for value in headers.values()):
                content = content if json is None else orjson.dumps(json)
                return self._client.build_request(
                    method, url, params=params or None, headers={**headers, **typed}, content=content
                )
        except (TypeError, ValueError, httpx.InvalidURL):
            pass  # raised below, so that nothing of the request hangs on the failure
        raise Rejected(f"What should go to {self.name} cannot be written as a request: nothing was sent.")

    def _url(self, path: str) -> httpx.URL:
        """The address of `path` below the base. An absolute address must lie below it too."""
        root = str(self.base)
        below = path.removeprefix(root) if path.startswith(root + "/") else path
        if not _is_plain(below):
            raise Rejected(f"An address that does not belong to {self.name} was not followed.")
        try:
            return httpx.URL(root + below)
        except httpx.InvalidURL:
            pass
        raise Rejected(f"An address of {self.name} could not be written: nothing was sent.")

    def hide(self, secrets: Iterable[str]) -> None:
        """Have these, too, be shown by nobody: they are about to be sent, and may be sent back."""
        self._masks = tuple(sorted({*self._masks, *masks_of([*secrets])}, key=len, reverse=True))

    def masked(self, text: str) -> str:
        """`text` without this client's secrets, should a supplier send them back."""
        for secret in self._masks:
            text = text.replace(secret, "•••")
        return text


def checked_base(base_url: str) -> httpx.URL:
    """The base URL without a last slash; `ValueError` with a sentence if it must not be used."""
    try:
        url = httpx.URL(base_url.rstrip("/"))
    except httpx.InvalidURL:
        raise ValueError("is no address: write it like https://support.example.com/REST/2.0") from None
    if url.scheme not in {"http", "https"} or not _HOST.fullmatch(url.raw_host):
        raise ValueError("is no web address: begin it with https://")
    if url.userinfo:
        raise ValueError("has a name or password in it: take it out, credentials belong in the keyring")
    if url.query or url.fragment or "?" in base_url or "#" in base_url:
        raise ValueError("has a ? or # in it: end it with the path")
    if url.scheme == "http" and not _is_loopback(url.host):
        raise ValueError(f"would send credentials to {url.host} unencrypted: write it with https://")
    return url


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _is_plain(path: str) -> bool:
    """Whether `path` starts at the base and stays there."""
    parts = path.split("/")
    return (
        path.startswith("/")
        and not path.startswith("//")
        and not {".", "..", "%2e", "%2e%2e", ".%2e", "%2e."} & {part.lower() for part in parts}
        and not any(sign in path for sign in "?#\\")
        and path.isprintable()
    )


@functools.cache
def _tls() -> ssl.SSLContext:
    """The one TLS context (making it costs 24 ms): the machine's own trust, or httpx's where it has none."""
    known = ssl.get_default_verify_paths()
    return ssl.create_default_context() if known.cafile or known.capath else httpx.create_ssl_context()


@functools.cache
def _trusting_nobody() -> ssl.SSLContext:
    """For plain http on loopback, where none is needed."""
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def _cause(error: Exception) -> str:
    return ": its certificate is not trusted here" if "CERTIFICATE_VERIFY_FAILED" in str(error) else ""
