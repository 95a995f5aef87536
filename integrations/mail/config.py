"""What vendors.toml says of a supplier that is reached by mail alone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from email.utils import parseaddr
from typing import Annotated, Final, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, StringConstraints

from integrations.addresses import is_own
from integrations.connector import Theirs
from integrations.mapping import Mapping, States
from register.text import Name

WHOLE: Final = 24 * 2**20
"""Bytes of a mail that is read whole; of a larger one only the beginning is."""
BEGINNING: Final = 256 * 1024
_PORTS: Final = {"smtps": 465, "smtp": 587, "imaps": 993, "imap": 143}
_ADDRESS: Final = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_{|}~-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*")
_DOMAIN: Final = re.compile(r"@?([a-z0-9-]+\.)+[a-z0-9-]+")


@dataclass(frozen=True, slots=True)
class Where:
    """A mail server. tls: from the first byte; else it is asked for (STARTTLS), but on this machine."""

    host: str
    port: int
    tls: bool

    @property
    def plain(self) -> bool:
        """Whether no TLS is needed: on this machine alone."""
        return not self.tls and is_own(self.host)

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


def where(address: str) -> Where:
    """The server behind smtps://host, smtp://host:587, imaps://host or imap://host:143."""
    parts = urlsplit(address)
    port = parts.port or _PORTS[parts.scheme]
    return Where(parts.hostname or "", port, parts.scheme in ("smtps", "imaps"))


def _server(*schemes: str) -> AfterValidator:
    def check(address: str) -> str:
        parts = urlsplit(address)
        try:
            usable = parts.port is None or parts.port > 0
        except ValueError:
            usable = False
        if parts.scheme not in schemes or not parts.hostname or not usable or not address.isascii():
            raise ValueError(f"is no such server: write it like {schemes[0]}://mail.example.com")
        if parts.username or parts.password:
            raise ValueError("has a name or password in it: take it out, credentials belong in the keyring")
        if parts.path.strip("/") or parts.query or parts.fragment:
            raise ValueError("has more than a host and a port: end it there")
        return address.rstrip("/")

    return AfterValidator(check)


def _address(text: str) -> str:
    if not _ADDRESS.fullmatch(text) or parseaddr(text)[1] != text:
        raise ValueError("is no mail address: write it like desk@example.com, without a name")
    return text


def _source(text: str) -> str:
    if not _ADDRESS.fullmatch(text) and not _DOMAIN.fullmatch(text.lower()):
        raise ValueError("is neither a mail address nor a domain like kone.example")
    return text.lower().removeprefix("@")


def _pattern(text: str) -> str:
    try:
        found = re.compile(text)
    except re.error as error:
        raise ValueError(f"is no regular expression: {error}") from None
    if text and found.groups != 1:
        raise ValueError(r"must have exactly one pair of ( ), around their number: as \[#(\d+)\]")
    return text


Address = Annotated[str, AfterValidator(_address)]


class EmailConfig(Mapping, frozen=True):
    """The keys of a [vendor.NAME] block that only a supplier by mail has."""

    smtp: Annotated[
        str,
        _server("smtps", "smtp"),
        Field(description="where our mail goes out: smtps://host, or smtp://host:587 with STARTTLS"),
    ]
    imap: Annotated[
        str,
        _server("imaps", "imap"),
        Field(description="where their answers come in: imaps://host, or imap://host:143 with STARTTLS"),
    ]
    address: Annotated[Address, Field(description="our address: a mailbox that is for suppliers")]
    to: Annotated[Address, Field(description="the supplier's address, where tickets are made by mail")]
    account: Annotated[Name | None, Field(description="what to log in as, where it is not the address")] = (
        None
    )
    login: Annotated[
        Literal["password", "xoauth2"],
        Field(description='"password" (or app password), or "xoauth2" with auth = "oauth2"'),
    ] = "password"
    smtp_login: Annotated[bool, Field(description="false where the SMTP server asks for no login")] = True
    senders: Annotated[
        tuple[Annotated[str, AfterValidator(_source)], ...],
        Field(description="whose mail counts as theirs: addresses and domains; left out: the domain of `to`"),
    ] = ()
    folder: Annotated[Name, Field(description="the folder that their answers arrive in")] = "INBOX"
    sent_folder: Annotated[
        Name | None,
        Field(description="where the server itself keeps what we sent; left out: we send ourselves a copy"),
    ] = None
    number: Annotated[
        str,
        StringConstraints(max_length=200),
        AfterValidator(_pattern),
        Field(description=r"regular expression for their number, as '\[#(\d+)\]'; left out: they have none"),
    ] = ""
    reply_to: Annotated[
        bool, Field(description="true: replies go to our address with +reference, which the server must take")
    ] = False
    states: States = Field(
        default_factory=dict,
        description="a phrase in their mails → what it means; all else is for a person to read",
    )

    @property
    def us(self) -> str:
        """What we log in as."""
        return self.account or self.address

    @property
    def sources(self) -> tuple[str, ...]:
        """Whose mail counts as theirs, in lower case."""
        return self.senders or (self.to.rpartition("@")[2].lower(),)

    @property
    def host(self) -> str:
        """The right side of our Message-IDs."""
        return self.address.rpartition("@")[2].lower()

    def is_theirs(self, sender: str) -> bool:
        """Whether a sender counts as theirs: a whole address, a domain, or a host below it."""
        local, _, domain = sender.lower().rpartition("@")
        return bool(local) and any(
            sender.lower() == one or domain == one or domain.endswith(f".{one}") for one in self.sources
        )

    def raw_state(self, to: Theirs) -> str | None:
        """There is no state to set by mail: it is said in words."""
        return None
