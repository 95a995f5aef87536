"""What proves a request where the secret itself is never sent: a signature over what is sent, and when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

Headers = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Unsigned:
    """A request as it will be sent, but for its signature. headers: all of them, names in lower case."""

    method: str
    path: str
    query: str
    headers: Headers
    body: bytes


@dataclass(frozen=True, slots=True)
class Signed:
    """What a signature adds to a request. hidden: the part of it that is shown to nobody."""

    headers: Headers
    hidden: str = field(repr=False)


class Signer(Protocol):
    """Signs each request of a client, each try anew. Pure: no clock, no I/O; no secret in its repr."""

    @property
    def secret(self) -> str:
        """What it signs with, to be masked wherever it may come back."""
        ...

    def sign(self, request: Unsigned, at: datetime) -> Signed:
        """What proves this very request, made at this moment (aware UTC)."""
        ...
