"""Where a rota's calendar feed is: an address that may stand in matrix.toml, or `keyring` for others.

The calendars of PagerDuty, Opsgenie, Google and others are open to whoever knows their address: that address
is a secret, and a secret stands in no file.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated, Final
from urllib.parse import parse_qsl, unquote, urlsplit

from pydantic import AfterValidator

from register.leaks import secret_key, secret_value

KEYRING: Final = "keyring"
"""What stands in matrix.toml where the address is in the keyring."""
MAX_ADDRESS: Final = 2_000
_RANDOM: Final = re.compile(r"(?=.*\d)(?=.*[A-Za-z])[A-Za-z0-9_=-]{20,}")
"""Part of an address that nobody would think of: whoever knows it gets in."""


def checked_address(said: str) -> str:
    """Return an address to be asked for a calendar, webcal:// written as https://; ValueError otherwise.

    The sentence of the error goes after the address's name and does not repeat it.
    """
    address = re.sub(r"^webcals?://", "https://", said.strip())
    try:
        parts = urlsplit(address)
        fit = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        fit, parts = False, urlsplit("")
    if not fit or not address.isascii() or re.search(r"[\s\\\x00-\x1f\x7f]", address) or parts.fragment:
        raise ValueError("is no address: write it like https://example.com/oncall.ics")
    if len(address) > MAX_ADDRESS:
        raise ValueError(f"is longer than {MAX_ADDRESS:,} characters: is it the calendar's address?")
    if parts.scheme not in ("http", "https"):
        raise ValueError("is no web address: begin it with https://")
    if "@" in parts.netloc:
        raise ValueError("has a name or password in it: a calendar that asks for one cannot be read")
    if parts.scheme == "http" and not _is_own(parts.hostname or ""):
        raise ValueError("would be asked for unencrypted: write it with https://")
    return address


def is_secret(address: str) -> bool:
    """Whether an address looks as if knowing it were all that it takes to read what is there."""
    parts = urlsplit(address)
    words = [unquote(word).removesuffix(".ics") for word in parts.path.split("/")]
    values = parse_qsl(parts.query)
    return (
        secret_value(address)
        or any(word.startswith("private") for word in words)
        or any(secret_key(name) for name, _ in values)
        or any(_RANDOM.fullmatch(word) for word in (*words, *(value for _, value in values)))
    )


def _feed(said: str) -> str:
    if said == KEYRING:
        return said
    address = checked_address(said)
    if is_secret(address):
        raise ValueError(
            "looks like an address that is a secret itself, as PagerDuty, Opsgenie and Google give them:"
            ' write feed = "keyring" here, store the address with `muster oncall login` and the rota\'s name,'
            " and have them make a new one if others could read it here"
        )
    return address


def _is_own(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


FeedText = Annotated[str, AfterValidator(_feed)]
"""`keyring`, or the address of a calendar that anybody may know."""
