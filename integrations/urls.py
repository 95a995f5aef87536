"""The address that a client is made for, and the paths below it."""

from __future__ import annotations

import re
from typing import Final

import httpx

from integrations.addresses import is_own

_HOST: Final = re.compile(rb"[a-zA-Z0-9._:-]+")


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
