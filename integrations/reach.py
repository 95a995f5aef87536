"""Where a host of the internet is: looked up once, and none that leads into this machine or a private net."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable
from typing import Final

from integrations.errors import Conflict, Rejected

Place = tuple[str, int]
"""An address of the Internet Protocol, and the port there."""
LookUp = Callable[[str, int], Awaitable[list[Place]]]
_NAT64: Final = ipaddress.ip_network("64:ff9b::/96")


async def on_the_internet(host: str, port: int) -> list[Place]:
    """Where this host is. Raises Rejected where any of its addresses is not of the internet.

    Whoever asks must go to the very address that was judged: asked once more, a name may lead elsewhere.
    """
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError:
        found = []
    places = list(dict.fromkeys((str(told[0]), int(told[1])) for *_, told in found))
    if not places:
        raise Conflict(f"{host} cannot be found: does this machine's name service know the internet?")
    if not all(is_public(address) for address, _ in places):
        raise Rejected(f"{host} leads into a private network, so it was not asked.")
    return places


def is_public(address: str) -> bool:
    """Whether this is an address of the internet, and what it stands for is, too."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:  # with a zone, as fe80::1%eth0: of one's own link
        return False
    if not found.is_global or found.is_multicast:
        return False
    return found.version == 4 or all(map(is_public, map(str, _within(found))))


def _within(address: ipaddress.IPv6Address) -> list[ipaddress.IPv4Address]:
    """The addresses of version 4 that one of version 6 stands for."""
    told = [address.ipv4_mapped, address.sixtofour, (address.teredo or (None, None))[1]]
    if address in _NAT64:
        told.append(ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF))
    return [one for one in told if one is not None]
