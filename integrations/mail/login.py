"""Who we are at a mail server: the client's Authorization header, and how SMTP and IMAP take it."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from integrations.credential import Masks
from register.text import clip, one_line

MAX_SENTENCE = 300


def authorization(account: str, secret: str, how: str) -> Mapping[str, str]:
    """The header by which the client carries the account and its password, or a token for it."""
    said = base64.b64encode(f"{account}:{secret}".encode()).decode()
    return {"Authorization": f"{'Bearer' if how == 'xoauth2' else 'Basic'} {said}"}


@dataclass(frozen=True, slots=True)
class Login:
    """An account with its password or token. Neither is in its repr."""

    account: str
    secret: str = field(repr=False)
    token: bool = False

    @classmethod
    def of(cls, header: str) -> Login:
        """Out of what `authorization` made."""
        how, _, said = header.partition(" ")
        account, _, secret = base64.b64decode(said).decode().partition(":")
        return cls(account, secret, how == "Bearer")

    @property
    def plain(self) -> bytes:
        """SASL PLAIN (RFC 4616)."""
        return f"\0{self.account}\0{self.secret}".encode()

    @property
    def xoauth2(self) -> bytes:
        """SASL XOAUTH2, as Google and Microsoft take it."""
        return f"user={self.account}\1auth=Bearer {self.secret}\1\1".encode()

    def masked(self, said: bytes | str) -> str:
        """A server's words for a person: in one line, short, and without the secret in any form."""
        text = said if isinstance(said, str) else said.decode("utf-8", "replace")
        masks = Masks()
        blobs = [base64.b64encode(one).decode() for one in (self.plain, self.xoauth2)]
        masks.hide([self.secret, *blobs] if self.secret else blobs)
        return clip(one_line(masks.over(re.sub(r"[\r\n]+", " ", text))), MAX_SENTENCE).rstrip(".")
