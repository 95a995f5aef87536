"""A file that a supplier keeps at another host than its own: asked for there with nothing of ours.

What asks knows no credential, so it can carry none there, whoever sends it on. Only https, only hosts that
are named to it, only addresses of the internet, only so many bytes, in so much time, by so many redirects.
An address may open a file to whoever has it, so none stands in a failure or in a record: only its host does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Final

import httpx

from integrations.errors import Conflict, Failure, NotSent, Rejected
from integrations.exchange import KEPT, Asked
from integrations.reach import LookUp, Place, on_the_internet
from integrations.transfer import Limits, Transfer
from integrations.trust import trusted
from integrations.urls import host_of, public_file, sent_on

REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
MOST_REDIRECTS: Final = 3
_MOST_PLACES: Final = 3
"""Addresses of one host that are tried, one after the other, where it does not take the connection."""
_PORT: Final = 443
_PASSES: Final = frozenset({408, 425, 429})
"""Statuses of 4xx that may be over a little later."""


@dataclass(slots=True)
class _Shown:
    """All that is kept of an answer: its status."""

    response: httpx.Response | None = None
    body: bytearray = field(default_factory=bytearray)


class Away:
    """Reads at hosts that are not the supplier's own. name: the supplier's, for a person.

    transport: the way there in place of the network, which then is asked for no address.
    """

    def __init__(
        self,
        name: str,
        limits: Limits,
        transport: httpx.AsyncBaseTransport | None = None,
        look_up: LookUp = on_the_internet,
    ) -> None:
        self.name = name
        self.limits = limits
        self._transport = transport
        self._look_up = look_up

    async def bring(
        self, address: str, hosts: Collection[str], most: int, end: float, redirects: int = MOST_REDIRECTS
    ) -> bytes:
        """The file at this address, of so many bytes at most; by `end`, of the monotonic clock.

        hosts: where it may lie: these, and what is below them. Raises Rejected where a person must look, and
        Conflict where it may be there a little later, which says nothing of the supplier itself.
        """
        for _ in range(redirects + 1):
            url = public_file(address, hosts)
            if url is None:
                raise Rejected(self._not_there(address, hosts))
            at = await self._asked(url, most, end)
            if at.answered is None:
                return bytes(at.body)
            address = sent_on(str(url), at.answered.headers.get("location", ""))
        raise Rejected(
            f"{self.name} sends from one address to the next for its file, more than {MOST_REDIRECTS} times:"
            " it was not fetched. Ask them to send it."
        )

    def _not_there(self, address: str, hosts: Collection[str]) -> str:
        host = host_of(address)
        at = f"at {host}" if host else "at an address that cannot be used"
        return (
            f"{self.name} keeps its file {at}, and not by https at {' or '.join(sorted(hosts))}: it was not"
            " fetched. If that host is theirs for sure, add it to `file_hosts` in vendors.toml; else ask them"
            " to send the file."
        )

    async def _asked(self, url: httpx.URL, most: int, end: float) -> Transfer:
        """What came of asking there: the file, or a redirect."""
        for place in (await self._places(url, end))[:_MOST_PLACES]:
            at, failure = await self._once(url, place, most, end)
            if not isinstance(failure, NotSent):
                break
        if at.answered is None and failure is not None:
            if isinstance(failure, Rejected):
                raise failure
            raise Conflict(
                f"{failure.why} It keeps a file of {self.name}, and is asked again a little later."
            )
        if at.answered is None or (status := at.answered.status_code) in REDIRECTS:
            return at
        says = f"{url.host}, which keeps a file of {self.name}, answered HTTP {status}"
        if status >= 500 or status in _PASSES:
            raise Conflict(f"{says}: it is asked again a little later.")
        raise Rejected(f"{says}: it was not fetched. Fetch it once more, or ask them to send it.", status)

    async def _places(self, url: httpx.URL, end: float) -> list[Place | None]:
        """Where this host is; None for the way that was given."""
        if self._transport is not None:
            return [None]
        try:
            async with asyncio.timeout(max(0.0, end - monotonic())):
                return [*await self._look_up(url.host, _PORT)]
        except TimeoutError:
            pass
        raise Conflict(f"{url.host}, which keeps a file of {self.name}, could not be looked up in time.")

    async def _once(
        self, url: httpx.URL, place: Place | None, most: int, end: float
    ) -> tuple[Transfer, Failure | None]:
        """Ask at one place. Each request has a connection of its own: two hosts may be at one place."""
        seconds, shown = max(0.0, end - monotonic()), _Shown()
        deadline = datetime.now(UTC) + timedelta(seconds=seconds)
        at = Transfer(url.host, True, "", deadline, self.limits.total, most)
        if (kept := KEPT.get()) is not None:
            kept.append(Asked(httpx.Request("GET", f"https://{url.host}/"), shown, _unmasked, frozenset()))
        client = self._client()
        request = client.build_request("GET", url)
        if place is not None:
            request.extensions["sni_hostname"] = url.host
            request.url = url.copy_with(host=place[0], port=place[1])
        try:
            failure = await at.run(client, request, seconds)
        finally:
            if self._transport is None:
                await client.aclose()
        if at.response is not None:
            shown.response = httpx.Response(at.response.status_code)
        return at, failure

    def _client(self) -> httpx.AsyncClient:
        """One for one request, which has nothing of ours: no credential, no cookie, no environment."""
        return httpx.AsyncClient(
            headers={"Accept": "*/*", "Accept-Encoding": "identity", "User-Agent": "muster"},
            timeout=httpx.Timeout(self.limits.read, connect=self.limits.connect),
            follow_redirects=False,
            trust_env=False,
            transport=self._transport or httpx.AsyncHTTPTransport(verify=trusted(), trust_env=False),
        )


def _unmasked(text: str, most: int | None = None) -> str:
    """Nothing of ours went there, so nothing of ours is in it."""
    return text if most is None else text[:most]
