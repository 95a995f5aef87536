"""What proves a request other than by a header that stays: a signature, or the secret within what is sent."""

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
    """What a signature adds to a request. hidden: the part of it that is shown to nobody.

    body: what is sent in place of it, where the secret stands in there.
    """

    headers: Headers
    hidden: str = field(repr=False)
    body: bytes | None = field(default=None, repr=False)


class Signer(Protocol):
    """Signs each request of a client, each try anew. Pure: no clock, no I/O; no secret in its repr."""

    @property
    def secret(self) -> str:
        """What it signs with, to be masked wherever it may come back."""
        ...

    def sign(self, request: Unsigned, at: datetime) -> Signed:
        """What proves this very request, made at this moment (aware UTC)."""
        ...
