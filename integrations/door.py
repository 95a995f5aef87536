"""The door that webhooks come in by: one address, open as long as the worker is up.

Plain HTTP, on this machine alone unless somebody says otherwise: TLS is the reverse proxy's before it.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import socket
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from starlette.types import ASGIApp

VARIABLE: Final = "MUSTER_WEBHOOKS"
"""Names the address, as `127.0.0.1:8790`; unset, no door is opened."""
MOST: Final = 32
"""Connections at once; whoever comes besides is told 503."""
SILENT: Final = 10.0
"""Seconds that a connection may take to say what it wants."""
AGAIN: Final = 30.0
"""Seconds before an address that is taken is tried again."""


class BadAddress(ValueError):
    """What was named is no address to listen at."""


def address_of(env: Mapping[str, str]) -> tuple[str, int] | None:
    """Where webhooks are taken in; None where nobody said. BadAddress with a sentence."""
    told = env.get(VARIABLE, "").strip()
    if not told:
        return None
    host, colon, port = told.rpartition(":")
    if not colon or not (port.isascii() and port.isdecimal() and int(port) < 2**16):
        raise BadAddress(f"{told!r} is no address for webhooks: write it like 127.0.0.1:8790.")
    try:
        return str(ipaddress.ip_address(host.strip("[]"))), int(port)
    except ValueError:
        raise BadAddress(
            f"{host!r} is no IP address to take webhooks at: write it like 127.0.0.1:8790."
        ) from None


async def keep_open(address: tuple[str, int], app: ASGIApp, tell: Callable[[str], object]) -> None:
    """Take webhooks in at this address until cancelled; what keeps it from it is told, and tried again."""
    while True:
        try:
            listener = listen(address)
        except OSError as error:
            where = f"{address[0]}:{address[1]}"
            tell(f"No webhooks are taken in at {where}: {error.strerror}. It is tried again.")
            await asyncio.sleep(AGAIN)
            continue
        with contextlib.closing(listener):
            host, port = listener.getsockname()[:2]
            tell(f"Webhooks are taken in at http://{host}:{port}/hooks/NAME.")
            if not ipaddress.ip_address(host).is_loopback:
                tell(f"{host} is reached from other hosts, without TLS: have a reverse proxy before it.")
            await serve(listener, app)


def listen(address: tuple[str, int]) -> socket.socket:
    """A socket that listens there; port 0 takes any free one. OSError where it cannot."""
    kind = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    listener = socket.socket(kind, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(MOST)
    except OSError:
        listener.close()
        raise
    return listener


async def serve(listener: socket.socket, app: ASGIApp) -> None:
    """Serve what comes there until cancelled; what is being answered then is answered."""
    import uvicorn
    from uvicorn.protocols.http.h11_impl import H11Protocol

    class Protocol(H11Protocol):
        """HTTP/1.1 as uvicorn speaks it, to whom a caller who never says what it wants is none."""

        # narrower than asyncio's own, as uvicorn has it
        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            self.loop.call_later(SILENT, self._hang_up_on_the_silent)

        def _hang_up_on_the_silent(self) -> None:
            if self.cycle is None and not self.transport.is_closing():
                self.transport.abort()

    class Server(uvicorn.Server):
        @contextlib.contextmanager
        def capture_signals(self) -> Iterator[None]:
            """Signals are the worker's."""
            yield

    server = Server(
        uvicorn.Config(
            app,
            http=Protocol,
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="critical",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            limit_concurrency=MOST,
            timeout_keep_alive=5,
            timeout_graceful_shutdown=2,
        )
    )
    serving = asyncio.create_task(server.serve([listener]), name="webhooks")
    try:
        await asyncio.shield(serving)
    finally:
        server.should_exit = True
        await serving
