"""uvicorn as whatever of ours listens uses it: HTTP/1.1 alone, and not a word of its own. Imported late."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

if TYPE_CHECKING:
    from starlette.types import ASGIApp


class Protocol(H11Protocol):
    """What a subclass adds to a connection goes into `connected`."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as its own
        super().connection_made(transport)
        self.connected(transport)

    def connected(self, transport: asyncio.Transport) -> None:
        """A caller is there, and has asked for nothing yet."""


def config_of(
    app: ASGIApp, protocol: type[Protocol], *, log_level: str = "critical", **more: Any
) -> uvicorn.Config:
    """Set uvicorn up for an app that tells itself what there is to tell. more: its other settings."""
    return uvicorn.Config(
        app,
        http=protocol,
        ws="none",
        lifespan="off",
        log_config=None,
        log_level=log_level,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        **more,
    )
