"""One HTTP client a supplier: sends, and turns whatever happens into an `Answer` or a `Failure`.

Nothing secret is ever part of a failure, a `repr` or a log line. Redirects are not followed and cookies
are neither kept nor sent, so a credential stays with the origin it was stored for. What a supplier keeps
at another host is asked for there by `away`, which knows no credential.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from http.cookiejar import CookieJar, DefaultCookiePolicy
from time import monotonic
from typing import Any, Final, Self

import httpx
import orjson

from integrations.answers import Answer, judge
from integrations.away import REDIRECTS, Away
from integrations.credential import Credential, Fixed, Identity, is_sendable
from integrations.errors import AuthFailed, AuthTrouble, NotSent, OpId, Rejected, Unavailable
from integrations.exchange import KEPT, Asked
from integrations.signer import Headers, Signer
from integrations.transfer import MAX_ANSWER, Limits, Transfer
from integrations.trust import KEEP_ALIVE, MAX_CONNECTIONS, network
from integrations.urls import checked_base, is_plain, parted, same_origin
from integrations.wish import Wish
from integrations.zones import gap_of

__all__ = [
    "KEEP_ALIVE",
    "MAX_ANSWER",
    "MAX_CONNECTIONS",
    "Http",
    "Limits",
]
_RENEWALS: Final = 2
"""Of a credential for one request: another process that takes a token may end ours, and the next one, too."""
for _logger in ("httpx", "httpcore"):  # their lines show addresses, cookies and headers of answers
    logging.getLogger(_logger).setLevel(logging.WARNING)


class Http:
    """The client of one supplier. Make it inside the event loop that uses it; close it when done.

    `headers` carries the secret, `credential` gives it for each request anew, or `signer` proves each by it.
    Raises only `integrations.errors` kinds, except that a base URL which must not be used is a `ValueError`.
    """

    def __init__(
        self,
        base_url: str,
        headers: Headers | None = None,
        *,
        credential: Credential | None = None,
        signer: Signer | None = None,
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
        self.credential: Credential = credential or Fixed(dict(headers or {}))
        self.away = Away(self.name, self.limits, transport)
        self._us = Identity(self.credential, self.name, self.limits.total / 2, signer)
        self._client = httpx.AsyncClient(
            headers={"Accept": "application/json", "Accept-Encoding": "gzip", "User-Agent": "muster"},
            timeout=httpx.Timeout(
                self.limits.read, connect=self.limits.connect, pool=self.limits.connect * 2
            ),
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            follow_redirects=False,
            trust_env=False,
            transport=transport or network(self.base.scheme == "https"),
        )

    def __repr__(self) -> str:
        return f"Http({str(self.base)!r})"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        await self.credential.aclose()
        await self._client.aclose()

    async def get(
        self,
        path: str,
        params: Mapping[str, Any] | None = None,
        headers: Headers | None = None,
        *,
        most: int | None = None,
        page: bool = False,
    ) -> Answer:
        """Read. May be repeated, so a lost answer is `Unavailable`.

        most: bytes, where it is a file; page: which may be a web page, and is known in another way.
        """
        return await self.ask(Wish("GET", path, True, params, headers=headers, most=most, page=page))

    async def post(
        self,
        path: str,
        json: object = None,
        headers: Headers | None = None,
        *,
        params: Mapping[str, Any] | None = None,
        content: bytes | None = None,
        safe: bool = False,
        op_id: OpId = "",
        told: Collection[int] = (),
    ) -> Answer:
        """Make something. A lost answer is `Ambiguous(op_id)`, unless the call is `safe` to repeat.

        content: bytes to send as they are, instead of JSON; `headers` then says of what type.
        told: statuses that are answers to this, though others would be refused by them.
        """
        return await self.ask(Wish("POST", path, safe, params, json, content, headers, op_id, told=told))

    async def put(
        self, path: str, json: object = None, headers: Headers | None = None, *, safe: bool, op_id: OpId = ""
    ) -> Answer:
        """Change something. Only the caller knows whether doing it twice is doing it once."""
        return await self.ask(Wish("PUT", path, safe, json=json, headers=headers, op_id=op_id))

    async def patch(
        self, path: str, json: object = None, headers: Headers | None = None, *, safe: bool, op_id: OpId = ""
    ) -> Answer:
        """Change a part of something, as `put` does the whole."""
        return await self.ask(Wish("PATCH", path, safe, json=json, headers=headers, op_id=op_id))

    def owns(self, address: str) -> bool:
        """Whether an address is of the origin that our credential was stored for."""
        return same_origin(address, self.base)

    async def page(self, address: str, most: int) -> Answer:
        """Read what its own origin has at this address, with or without a query; a redirect is an answer.

        most: bytes. Rejected, and nothing asked, where the address is of another origin.
        """
        path, query = parted(address) if self.owns(address) else ("", {})
        accept = {"Accept": "*/*"}
        return await self.ask(
            Wish("GET", path, True, query, None, None, accept, "", most, True, REDIRECTS, beyond=True)
        )

    async def ask(self, wish: Wish) -> Answer:
        """Ask; anew, renewed, where the credential was refused: that is before anything is done."""
        end = monotonic() + self.limits.total
        ours = await self._us.headers()
        refusal, answer = await self._tried(wish, ours, end)
        for _ in range(_RENEWALS):
            if refusal is None or not await self._us.renewed(ours):
                break
            ours = await self._us.headers()
            refusal, answer = await self._tried(wish, ours, end)
        if refusal is not None:
            raise refusal
        if self._us.in_doubt() and wish.method == "GET":
            raise Unavailable(
                f"The token for {self.name} was over before its time. It is renewed, and what was read"
                " with it is read again."
            )
        assert answer is not None  # noqa: S101 - refused or answered
        return answer

    async def _tried(self, wish: Wish, ours: Headers, end: float) -> tuple[AuthFailed | None, Answer | None]:
        """The answer, or that the credential is refused, if that may be mended."""
        try:
            return None, await self._once(wish, ours, end)
        except AuthFailed as refusal:
            if refusal.trouble is not AuthTrouble.REFUSED:
                raise
            return refusal, None

    async def _once(self, wish: Wish, ours: Headers, end: float) -> Answer:
        """Ask once, by `end` (of the monotonic clock)."""
        seconds = end - monotonic()
        if seconds <= 0:
            raise NotSent(f"No time was left to ask {self.name}: nothing was sent.")
        deadline = datetime.now(UTC) + timedelta(seconds=seconds)
        most = self.limits.answer if wish.most is None else wish.most
        at = Transfer(self.name, wish.repeatable, wish.op_id, deadline, self.limits.total, most)
        request = self._request(wish, ours)
        self.asked += 1
        if (kept := KEPT.get()) is not None:
            kept.append(Asked(request, at, self.masked, frozenset(map(str.lower, ours))))
        failure = await at.run(self._client, request, seconds)
        # Raised out here, so that no httpx error, which holds the request and its headers, hangs on it.
        if at.answered is not None and at.answered.status_code not in wish.told:
            body = bytes(at.body)
            raise judge(self.name, at.answered, body, self.masked, wish.repeatable, wish.op_id, deadline)
        if failure is not None:
            raise failure
        return self._answer(at, wish.page)

    def _answer(self, at: Transfer, page: bool) -> Answer:
        assert at.response is not None  # noqa: S101 - no failure, so there is a response
        kind = at.response.headers.get("content-type", "")
        told = dict(at.response.headers)
        self.gap = gap_of(told, datetime.now(UTC))
        answer = Answer(
            at.response.status_code, told, bytes(at.body), self.name, at.repeatable, at.op_id, self.zone
        )
        if at.body and "html" in kind.lower() and not page:
            raise at.lost("answered with a web page instead of data: is the address right")
        return answer

    def _request(self, wish: Wish, ours: Headers) -> httpx.Request:
        """What will be sent, or `Rejected`: what cannot be written must not look like an answer lost."""
        url = self._url(wish.path, wish.beyond)
        typed = {"Content-Type": "application/json"} if wish.json is not None else {}
        try:
            if is_sendable(wish.headers or {}):
                content = wish.content if wish.json is None else orjson.dumps(wish.json)
                known, key = _parted(ours)
                headers = {**known, **(wish.headers or {}), **typed}
                params = {**(wish.params or {}), **key} or None
                build = self._client.build_request
                made = build(wish.method, url, params=params, headers=headers, content=content)
                return self._us.signed(made)
        except (TypeError, ValueError, httpx.InvalidURL):
            pass  # raised below, so that nothing of the request hangs on the failure
        raise Rejected(f"What should go to {self.name} cannot be written as a request: nothing was sent.")

    def _url(self, path: str, beyond: bool) -> httpx.URL:
        """The address of `path` below the base, or its origin. An absolute address must lie below it too."""
        root = str(self.base.copy_with(raw_path=b"/")).rstrip("/") if beyond else str(self.base)
        below = path.removeprefix(root) if path.startswith(root + "/") else path
        if not is_plain(below):
            raise Rejected(f"An address that does not belong to {self.name} was not followed.")
        try:
            return httpx.URL(root + below)
        except httpx.InvalidURL:
            pass
        raise Rejected(f"An address of {self.name} could not be written: nothing was sent.")

    def hide(self, secrets: Iterable[str]) -> None:
        """Have these, too, be shown by nobody: they are about to be sent, and may be sent back."""
        self._us.masks.hide(secrets)

    def carries(self, secrets: Headers) -> None:
        """The same, until a few more requests had others, by name: what is given once and then replaced."""
        self._us.masks.learn(secrets)

    def masked(self, text: str, most: int | None = None) -> str:
        """`text` without this client's secrets, should a supplier send them back. most: see `Masks.over`."""
        return self._us.masks.over(text, most)


def _parted(ours: Headers) -> tuple[dict[str, str], dict[str, str]]:
    """The credential's headers, and those that begin with ?, which go into the query."""
    key = {name[1:]: value for name, value in ours.items() if name.startswith("?")}
    return {name: value for name, value in ours.items() if name[1:] not in key}, key
