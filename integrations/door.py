"""The door that webhooks come in by: one address, open as long as the worker is up.

Plain HTTP, on this machine alone unless somebody says otherwise: TLS is the reverse proxy's before it.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import socket
from collections.abc import Callable, Mapping
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
    from integrations.door_server import server_of

    server = server_of(app)
    serving = asyncio.create_task(server.serve([listener]), name="webhooks")
    try:
        await asyncio.shield(serving)
    finally:
        server.end()
        await serving
