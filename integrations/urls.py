"""The address that a client is made for, and the paths below it."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Final
from urllib.parse import urljoin

import httpx

from integrations.addresses import is_own
from register.text import clip

_HOST: Final = re.compile(rb"[a-zA-Z0-9._:-]+")
_LONG: Final = 100
"""Characters of a host's name that are shown."""


def checked_base(base_url: str) -> httpx.URL:
    """The base URL without a last slash; `ValueError` with a sentence if it must not be used."""
    try:
        url = httpx.URL(base_url.rstrip("/"))
    except httpx.InvalidURL:
        raise ValueError("is no address: write it like https://support.example.com/REST/2.0") from None
    if url.scheme not in {"http", "https"} or not _HOST.fullmatch(url.raw_host):
        raise ValueError("is no web address: begin it with https://")
    if url.userinfo:
        raise ValueError("has a name or password in it: take it out, credentials belong in the keyring")
    if url.query or url.fragment or "?" in base_url or "#" in base_url:
        raise ValueError("has a ? or # in it: end it with the path")
    if url.scheme == "http" and not is_own(url.host):
        raise ValueError(f"would send credentials to {url.host} unencrypted: write it with https://")
    return url


def is_plain(path: str) -> bool:
    """Whether `path` starts at the base and stays there."""
    parts = path.split("/")
    return (
        path.startswith("/")
        and not path.startswith("//")
        and not {".", "..", "%2e", "%2e%2e", ".%2e", "%2e."} & {part.lower() for part in parts}
        and not any(sign in path for sign in "?#\\")
        and path.isprintable()
    )


def same_origin(address: str, base: httpx.URL) -> bool:
    """Whether an address has the base's scheme, host and port, and no name or password in it."""
    url = _url_of(address)
    return url is not None and not url.userinfo and _origin(url) == _origin(base)


def parted(address: str) -> tuple[str, dict[str, list[str]]]:
    """The path of an address, as it is sent, and its query."""
    url = httpx.URL(address)
    path = url.raw_path.partition(b"?")[0].decode("ascii")
    return path, {name: url.params.get_list(name) for name in url.params}


def host_of(address: str) -> str:
    """The host of an address, for a person; empty where it is none that can be used."""
    url = _url_of(address)
    return "" if url is None else clip(url.raw_host.decode("ascii"), _LONG)


def public_file(address: str, hosts: Collection[str]) -> httpx.URL | None:
    """An address at one of these hosts, or below one, by https at the usual port; None for any other."""
    url = _url_of(address)
    if url is None or url.scheme != "https" or url.port is not None or url.userinfo:
        return None
    host = url.raw_host.decode("ascii")
    return url if any(host == one or host.endswith(f".{one}") for one in hosts) else None


def sent_on(address: str, location: str) -> str:
    """The address to which a redirect from this one leads; what cannot be read as one is given as it is."""
    try:
        return urljoin(address, location)
    except ValueError:  # as of "//[": no address, which whoever is given it refuses
        return location


def _url_of(address: str) -> httpx.URL | None:
    try:
        url = httpx.URL(address)
    except httpx.InvalidURL:
        return None
    return url if _HOST.fullmatch(url.raw_host) else None


def _origin(url: httpx.URL) -> tuple[str, bytes, int | None]:
    return url.scheme, url.raw_host, url.port
