"""`[pages]` of matrix.toml: how somebody can acknowledge a page from where they read it."""

from __future__ import annotations

import ipaddress
from typing import Annotated, Final
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, Field, StringConstraints

from register.text import Name

BY_LINK: Final = "link"
BY_MAIL: Final = "mail"
"""The doors by which a page is answered, as events have them for their source."""
_MOST: Final = 200


def _parts(address: str, schemes: tuple[str, ...], like: str) -> str:
    """Return the host; ValueError where it is no address of these kinds, or has more in it."""
    try:
        parts = urlsplit(address)
        usable = parts.port is None or parts.port > 0
    except ValueError:
        usable, parts = False, urlsplit("")
    fit = usable and address.isascii() and address.isprintable() and not set(address) & set(' \\"<>')
    if not fit or parts.scheme not in schemes or not parts.hostname:
        raise ValueError(f"is no such address: write it like {like}")
    if parts.username is not None or parts.password is not None:
        raise ValueError("has a name or password in it: take it out, credentials belong in the keyring")
    if "?" in address or "#" in address:
        raise ValueError("has a ? or # in it: end it before that")
    return parts.hostname


def _is_here(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _link(address: str) -> str:
    host = _parts(address, ("https", "http"), "https://muster.example.net")
    if address.startswith("http:") and not _is_here(host):
        raise ValueError(
            f"would send whoever acknowledges to {host} unencrypted: write it with https:// (http:// is for"
            " this machine alone)"
        )
    return address.rstrip("/")


def _imap(address: str) -> str:
    _parts(address, ("imaps", "imap"), "imaps://mail.example.com")
    if urlsplit(address).path.strip("/"):
        raise ValueError("has more than a host and a port: end it there")
    return address.rstrip("/")


def _folder(name: str) -> str:
    if not name.isascii() or not name.isprintable():
        raise ValueError("has signs that a folder's name has not in IMAP: take plain ones")
    return name


Address = Annotated[str, StringConstraints(max_length=_MOST)]


class Replies(BaseModel, frozen=True, extra="forbid"):
    """`[pages.replies]`: the mailbox in which mailed pages are answered. The keyring has its password."""

    imap: Annotated[
        Address,
        AfterValidator(_imap),
        Field(description="where they come in: imaps://host, or imap://host:143 with STARTTLS"),
    ]
    user: Annotated[Name, Field(description="what to log in as")]
    folder: Annotated[Name, AfterValidator(_folder), Field(description="the folder that they arrive in")] = (
        "INBOX"
    )


class Pages(BaseModel, frozen=True, extra="forbid"):
    """`[pages]`. Without `link` no page has one; without `replies` nobody answers by mail."""

    link: Annotated[
        Address | None,
        AfterValidator(lambda given: None if given is None else _link(given)),
        Field(description="where the door of `muster serve` is reached from outside: https://host"),
    ] = None
    replies: Annotated[Replies | None, Field(description="a table: [pages.replies]")] = None

    @property
    def answered(self) -> bool:
        """Whether a page carries a token by which it can be answered."""
        return self.link is not None or self.replies is not None
