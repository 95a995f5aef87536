"""One request on the line: sent, its answer read within its bounds, or a `Failure` that says what went wrong.

What a lost answer means hangs on the request, not on the error: a request that may be repeated is
`Unavailable`, one that makes something is `Ambiguous` from its first byte on.
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import httpx

from integrations.answers import lost
from integrations.errors import Failure, NotSent, OpId, Rejected
from integrations.trust import cause

MAX_ANSWER: Final = 8 * 2**20
"""Bytes of an answer, packed or unpacked."""
_ERROR_BYTES: Final = 16_384

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
_Errors = (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError)


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds and bytes that one exchange may take. `total` covers everything, from queue to last byte."""

    connect: float = 5.0
    read: float = 25.0
    total: float = 30.0
    answer: int = MAX_ANSWER


@dataclass(slots=True)
class Transfer:
    """What is known of one request while it runs, and after. name: who is asked, for a person."""

    name: str
    repeatable: bool
    op_id: OpId
    deadline: datetime
    total: float  # seconds that are told where they did not suffice
    most: int = MAX_ANSWER  # bytes of the answer
    connecting: bool = False
    response: httpx.Response | None = None
    body: bytearray = field(default_factory=bytearray)

    @property
    def answered(self) -> httpx.Response | None:
        """The response, if its status alone decides, however its body ended."""
        return self.response if self.response is not None and not self.response.is_success else None

    async def run(self, client: httpx.AsyncClient, request: httpx.Request, seconds: float) -> Failure | None:
        """Send and read within so long; return what went wrong. An outer cancellation passes."""
        request.extensions["trace"] = self._trace
        try:
            async with asyncio.timeout(seconds):
                self.response = await client.send(request, stream=True)
                try:
                    return await self._read(self.response)
                finally:
                    await self.response.aclose()
        except TimeoutError:
            if self.connecting:
                return NotSent(f"{self.name} did not take the connection within {self.total:g} seconds.")
            return self.lost(f"did not finish its answer within {self.total:g} seconds")
        except _Errors as error:
            for kind, says in _NEVER_SENT.items():
                if isinstance(error, kind):
                    return NotSent(f"{self.name} {says}{cause(error)}.")
            return self.lost(next(says for kind, says in _ANSWER_LOST.items() if isinstance(error, kind)))

    def lost(self, says: str) -> Failure:
        """The failure of this request, whose answer we do not have."""
        return lost(self.name, says, self.repeatable, self.op_id, self.deadline)

    async def _trace(self, event: str, _info: Mapping[str, Any]) -> None:
        """Follow httpcore's own account of where the request is."""
        if event.startswith("connection.connect_"):
            self.connecting = True
        elif event.endswith("send_request_headers.started"):
            self.connecting = False

    async def _read(self, response: httpx.Response) -> Failure | None:
        """Fill `body`, up to the cap; the body of an error is cut instead of refused."""
        cap = self.most if response.is_success else _ERROR_BYTES
        told = response.headers.get("content-length", "")
        if response.is_success and told.isdecimal() and len(told) < 19 and int(told) > cap:
            return self._too_much()  # by its own word: none of it is taken
        async for chunk in response.aiter_raw():
            self.body += chunk
            if len(self.body) > cap:
                return self._too_much()
        if response.headers.get("content-encoding", "identity").lower() in {"", "identity"}:
            return None
        try:
            packed = zlib.decompressobj(wbits=47)  # gzip or zlib, by its own header
            self.body = bytearray(packed.decompress(bytes(self.body), cap + 1))
        except zlib.error:
            return self.lost("gave an answer that could not be unpacked")
        return self._too_much() if len(self.body) > cap else None

    def _too_much(self) -> Failure:
        says = f"answered with more than {self.most:,} bytes"
        if self.repeatable:
            return Rejected(f"{self.name} {says}: asking again will not help, a person must look.")
        return self.lost(says)
