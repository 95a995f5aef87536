"""The line to a supplier, on which things go wrong: between the connector's HTTP client and the system."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Final

import httpx

Forward = Callable[[httpx.Request], Awaitable[httpx.Response]]
Trouble = Callable[[httpx.Request, Forward], Awaitable[httpx.Response]]
Fits = Callable[[httpx.Request], bool]
_KEPT: Final = ("content-type", "location", "etag", "date")
_READS: Final = frozenset({"GET", "HEAD"})
OTHER_ORIGIN: Final = "https://elsewhere.example/login"
HUGE: Final = 10 * 2**20


def writes(request: httpx.Request) -> bool:
    return request.method not in _READS


def reads(request: httpx.Request) -> bool:
    return request.method in _READS


class Line(httpx.AsyncBaseTransport):
    """Passes requests on, and spoils those that it was told to. `asked`: all that were made."""

    def __init__(self, inner: httpx.AsyncBaseTransport) -> None:
        self._inner = inner
        self._trouble: Trouble | None = None
        self._fits: Fits = writes
        self._times = 0
        self.asked: list[httpx.Request] = []

    def spoil(self, trouble: Trouble, fits: Fits = writes, times: int = 1) -> None:
        """The next `times` requests that fit end like this."""
        self._trouble, self._fits, self._times = trouble, fits, times

    def heal(self) -> None:
        self._times = 0

    @property
    def spoiled(self) -> bool:
        """Whether the trouble has struck as often as it was to."""
        return self._times == 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        if self._times and self._trouble is not None and self._fits(request):
            self._times -= 1
            return await self._trouble(request, self._inner.handle_async_request)
        return await self._inner.handle_async_request(request)

    async def aclose(self) -> None:
        await self._inner.aclose()


def answer(status: int, body: bytes, kind: str = "application/json", **headers: str) -> httpx.Response:
    """An answer as it comes from the network: not read yet."""
    told = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(status, headers={"content-type": kind, **told}, stream=httpx.ByteStream(body))


async def _done(request: httpx.Request, forward: Forward) -> tuple[int, Mapping[str, str], bytes]:
    """What the supplier answered, having done what was asked."""
    told = await forward(request)
    body = await told.aread()
    await told.aclose()
    return told.status_code, {name: told.headers[name] for name in _KEPT if name in told.headers}, body


# Troubles


async def cut(request: httpx.Request, forward: Forward) -> httpx.Response:
    raise httpx.ReadError("cut", request=request)


async def commit_then_cut(request: httpx.Request, forward: Forward) -> httpx.Response:
    await _done(request, forward)
    raise httpx.RemoteProtocolError("cut", request=request)


async def hang(request: httpx.Request, forward: Forward) -> httpx.Response:
    await asyncio.Event().wait()
    raise AssertionError  # nobody sets it


async def no_tls(request: httpx.Request, forward: Forward) -> httpx.Response:
    raise httpx.ConnectError("[SSL: CERTIFICATE_VERIFY_FAILED] self-signed certificate", request=request)


async def no_connection(request: httpx.Request, forward: Forward) -> httpx.Response:
    raise httpx.ConnectTimeout("", request=request)


async def truncated(request: httpx.Request, forward: Forward) -> httpx.Response:
    """Half of the answer as a whole response. What tells in a header is not to be believed either."""
    status, headers, body = await _done(request, forward)
    return answer(status, body[: len(body) // 2], headers.get("content-type", "application/json"))


async def wrong_charset(request: httpx.Request, forward: Forward) -> httpx.Response:
    status, _, body = await _done(request, forward)
    return answer(status, body.decode().encode("utf-16"), "application/json; charset=utf-16")


async def huge(request: httpx.Request, forward: Forward) -> httpx.Response:
    status, headers, body = await _done(request, forward)
    return answer(status, body + b" " * HUGE, headers.get("content-type", "application/json"))


async def drip(request: httpx.Request, forward: Forward) -> httpx.Response:
    status, headers, body = await _done(request, forward)

    class Drops(httpx.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            for place in range(max(len(body), 1)):
                yield body[place : place + 1]
                await asyncio.sleep(0.2)

    return httpx.Response(status, headers=headers, stream=Drops())


def says(status: int, **headers: str) -> Trouble:
    """Answers this, having done nothing."""

    async def trouble(request: httpx.Request, forward: Forward) -> httpx.Response:
        return answer(status, b'{"message": "sorry"}', **headers)

    return trouble


def page(commits: bool) -> Trouble:
    """Answers 200 with a page for people."""

    async def trouble(request: httpx.Request, forward: Forward) -> httpx.Response:
        if commits:
            await _done(request, forward)
        return answer(200, b"<!doctype html><h1>Sign in</h1>", "text/html; charset=utf-8")

    return trouble


def broken(status: int, commits: bool) -> Trouble:
    """Answers that it has trouble, having done what was asked or not."""

    async def trouble(request: httpx.Request, forward: Forward) -> httpx.Response:
        if commits:
            await _done(request, forward)
        return answer(status, b'{"message": "trouble"}')

    return trouble


async def mirror(request: httpx.Request, forward: Forward) -> httpx.Response:
    """Refuses, and sends back every header that came, as debug pages do."""
    told = "; ".join(f"{name}: {value}" for name, value in request.headers.items())
    return answer(400, httpx.Response(200, json={"message": told}).content)
