"""A supplier's access token as a `Credential`: in memory alone, renewed ahead of its end, once at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final

from integrations.errors import Failure
from integrations.oauth.chain import Chain, Link
from integrations.oauth.endpoint import INVALID_GRANT, Refused, Token, TokenEndpoint
from integrations.signer import Headers

AHEAD: Final = timedelta(seconds=60)
"""Before its end a token is renewed; of one that holds for less than five minutes a fifth of its time."""
SKEW: Final = timedelta(seconds=5)
"""So long before its end it is not used any more: their clock may run ahead, and a request takes its time."""
REST: Final = timedelta(seconds=15)
"""After a renewal that failed while the token still held: so long until the next try."""


def _no_fault(point: str) -> None:
    """Where a test would kill the process."""


class Tokens:
    """Who we are by OAuth 2.0. dress: access token → headers. chain: None for client credentials."""

    def __init__(
        self,
        endpoint: TokenEndpoint,
        chain: Chain | None,
        dress: Callable[[str], Headers],
        *,
        patience: float,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        fault: Callable[[str], None] = _no_fault,
    ) -> None:
        self._endpoint, self._chain, self._dress = endpoint, chain, dress
        self._patience, self._clock, self._fault = patience, clock, fault
        self.held: Headers = {}
        self.ends: datetime | None = None
        """When the access token ends, where that is told."""
        self.refresh_ends = ""
        """The day on which the refresh token ends, where that is told."""
        self._renew_at: datetime | None = None
        self._renewal: asyncio.Task[Failure | None] | None = None

    def __repr__(self) -> str:
        return "Tokens()"

    @property
    def about(self) -> str:
        if not self.held:
            return ""
        until = f"holds until {self.ends.astimezone():%H:%M:%S}" if self.ends else "holds until it is refused"
        refresh = f"; its refresh token ends on {self.refresh_ends}" if self.refresh_ends else ""
        return f"{until}, and is renewed by itself{refresh}"

    async def headers(self) -> Headers:
        now = self._clock()
        if self.held and (self._renew_at is None or now < self._renew_at):
            return self.held
        failure = await self._renewed()
        if failure is None:
            return self.held
        if not self.held or self.ends is None or now >= self.ends - SKEW:
            raise failure
        self._renew_at = now + REST  # it holds still: what is sent need not wait for the endpoint
        return self.held

    async def renewed(self, refused: Headers) -> bool:
        if self.held == refused:  # else another request has seen to it
            self.held, self._renew_at, self.ends = {}, None, None
        await self.headers()
        return True

    async def aclose(self) -> None:
        """A renewal that runs is waited for: what it was given must be kept."""
        if self._renewal is not None:
            await asyncio.wait({self._renewal})
        await self._endpoint.aclose()

    async def _renewed(self) -> Failure | None:
        """Whoever waits may give up; the renewal goes on, for the old refresh token may be spent already."""
        if self._renewal is None or self._renewal.done():
            self._renewal = asyncio.create_task(self._renew(), name="renew a token")
        return await asyncio.shield(self._renewal)

    async def _renew(self) -> Failure | None:
        began = self._clock()
        try:
            token = await self._next()
        except Failure as failure:
            return failure
        self.held = self._dress(token.access)
        self.ends = None if token.holds is None else began + token.holds
        self._renew_at = None if token.holds is None else began + token.holds - min(AHEAD, token.holds / 5)
        return None

    async def _next(self) -> Token:
        if self._chain is None:
            return await self._endpoint.client_credentials()
        with ExitStack() as stack:
            await asyncio.to_thread(partial(stack.enter_context, self._chain.alone(self._patience)))
            return await self._from(self._chain)

    async def _from(self, chain: Chain) -> Token:
        """The next token of the chain. Nobody else of this user takes one meanwhile."""
        link = await asyncio.to_thread(chain.now)
        self.refresh_ends, link = link.ends, link.again()
        await asyncio.to_thread(chain.prove, link)  # so that what comes can be kept
        self._fault("asking")
        token = await self._given_for(link)
        self._fault("given")
        if token.refresh_holds is not None:
            self.refresh_ends = (self._clock() + token.refresh_holds).date().isoformat()
        if token.refresh and token.refresh != link.token:
            await asyncio.to_thread(chain.keep, link.next(token.refresh, self.refresh_ends))
        self._fault("kept")
        return token

    async def _given_for(self, link: Link) -> Token:
        """What the endpoint gives for it; for the one before it, where it knows only that."""
        try:
            return await self._endpoint.refreshed(link.token)
        except Refused as refused:
            if refused.code != INVALID_GRANT or not link.before:
                raise
            refusal = refused
        try:
            return await self._endpoint.refreshed(link.before)
        except Refused:
            pass  # what it says of the newer one counts
        raise refusal
