"""Which web addresses may be spoken to: encrypted ones, and this machine's own."""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated, Final
from urllib.parse import urlsplit

from pydantic import Field, StringConstraints

_PART: Final = "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_LAST: Final = "[a-z]([a-z0-9-]{0,61}[a-z0-9])?"
Host = Annotated[str, StringConstraints(pattern=rf"^({_PART}\.)+{_LAST}$", max_length=253)]
"""A name of the internet, of two parts at least; no address."""
FileHosts = Annotated[
    tuple[Host, ...],
    Field(
        max_length=20,
        description="further hosts from which files of theirs may be fetched, by https and without our"
        " credential, as files.example.com",
    ),
]


def web_address(url: str) -> str:
    """The rule of `integrations.urls.checked_base`, told without importing an HTTP library."""
    try:
        parts = urlsplit(url)
        port_is_one = parts.port is None or parts.port > 0
    except ValueError:
        port_is_one = False
        parts = urlsplit("")
    if not port_is_one or not url.isascii() or not url.isprintable() or re.search(r"[\s\\]", url):
        raise ValueError("is no address: write it like https://support.example.com")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("is no web address: begin it with https://")
    if "?" in url or "#" in url:
        raise ValueError("has a ? or # in it: end it with the path")
    if parts.scheme == "http" and not is_loopback(url):
        raise ValueError(
            f"would send everything to {parts.hostname} unencrypted: write it with https:// "
            "(http:// is for this machine alone)"
        )
    return url.rstrip("/")


def is_loopback(url: str) -> bool:
    """Whether an address leads to this machine alone."""
    return is_own(urlsplit(url).hostname or "")


def is_own(host: str) -> bool:
    """Whether a host is this machine itself."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
