"""Whom TLS trusts, the network made of it, and why somebody is not trusted."""

from __future__ import annotations

import functools
import ssl
from collections.abc import Mapping
from typing import Final

import httpx

from integrations.lines import Lines

MAX_CONNECTIONS: Final = 16
KEEP_ALIVE: Final = 2.0
"""Seconds. Below what servers keep, so that a connection closed under us rarely looks like a lost answer."""
_UNTRUSTED: Final[Mapping[str, str]] = {
    "certificate has expired": ": its certificate has ended, so it is not trusted",
    "certificate is not yet valid": ": its certificate is not valid yet; is the clock of this host right?",
    "ostname mismatch": ": its certificate is for another name; is the address right?",
    "IP address mismatch": ": its certificate is for another address; is the address right?",
    "CERTIFICATE_VERIFY_FAILED": ": its certificate is not trusted here",
}


@functools.cache
def trusted() -> ssl.SSLContext:
    """The one TLS context (making it costs 24 ms): the machine's own trust, or httpx's where it has none."""
    known = ssl.get_default_verify_paths()
    return ssl.create_default_context() if known.cafile or known.capath else httpx.create_ssl_context()


@functools.cache
def _trusting_nobody() -> ssl.SSLContext:
    """For plain http on loopback, where none is needed."""
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def network(encrypted: bool) -> Lines:
    """The way to one supplier."""
    return Lines(trusted() if encrypted else _trusting_nobody(), MAX_CONNECTIONS, KEEP_ALIVE)


def cause(error: Exception) -> str:
    """The end of a sentence: what is wrong with a certificate. Empty where it is something else."""
    return next((says for sign, says in _UNTRUSTED.items() if sign in str(error)), "")
