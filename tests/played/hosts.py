"""Other hosts beside a played supplier: the way to each, and one that gives out files by signed addresses."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import quote

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

_DENIED: Final = '<?xml version="1.0" encoding="UTF-8"?><Error><Code>{}</Code></Error>'
App = Callable[..., Awaitable[None]]


class Hosts(httpx.AsyncBaseTransport):
    """The way to several played systems, each at its host. There are no others."""

    def __init__(self, apps: Mapping[str, App]) -> None:
        self.apps = dict(apps)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        app = self.apps.get(request.url.host)
        if app is None:
            raise httpx.ConnectError(f"no such host: {request.url.host}", request=request)
        return await httpx.ASGITransport(app).handle_async_request(request)


class FilesHost:
    """Gives a file to whoever has its signed address, while it is good, and to nobody else.

    As S3 and Zendesk's own do, it refuses whoever brings another credential besides. now: its clock.
    instead: what it does in place of that. asked: all that it was asked.
    """

    def __init__(self, host: str, now: Callable[[], datetime], good_for: timedelta) -> None:
        self.host = host
        self.files: dict[str, bytes] = {}
        self.asked: list[Request] = []
        self.instead: Callable[[Request], Response] | None = None
        self._now = now
        self._good_for = good_for
        self.app = Starlette(routes=[Route("/{path:path}", self._give, methods=["GET", "POST"])])

    def put(self, path: str, content: bytes) -> str:
        """Keep it; return its address, not signed yet."""
        self.files[path] = content
        return f"https://{self.host}{quote(path)}"

    def signature(self, path: str) -> tuple[int, str]:
        """Until when an address that is given out now is good, and what proves it."""
        until = int((self._now() + self._good_for).timestamp())
        return until, self._proof(path, until)

    @staticmethod
    def _proof(path: str, until: int) -> str:
        return hashlib.sha256(f"{path} until {until}, says the owner".encode()).hexdigest()

    async def _give(self, request: Request) -> Response:
        self.asked.append(request)
        if self.instead is not None:
            return self.instead(request)
        if "authorization" in request.headers or "cookie" in request.headers:
            return _xml("InvalidArgument", 400)
        path, asked = request.scope["path"], request.query_params
        until, proof = asked.get("Expires", ""), asked.get("Signature", "")
        if "token" in asked:
            until, _, proof = asked["token"].partition(".")
        if not until.isdecimal() or proof != self._proof(path, int(until)):
            return _xml("AccessDenied", 403)
        if int(until) < self._now().timestamp():
            return _xml("AccessDenied", 403)
        if path not in self.files:
            return _xml("NoSuchKey", 404)
        return Response(self.files[path], media_type="application/octet-stream")


def _xml(code: str, status: int) -> Response:
    return Response(_DENIED.format(code), status, media_type="application/xml")
