"""The schemes of `signing` as what the `hooks` of a connector's class gives, a line each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Concatenate, ParamSpec

from integrations.connector import Hint
from integrations.signing import Headers, Secrets

P = ParamSpec("P")
Scheme = Callable[Concatenate[Headers, bytes, Secrets, datetime, P], str]


class ProvedBy:
    """A scheme with the secrets that count now: `ProvedBy(secrets, signing.hex_of_body, "x-signature")`.

    What follows the scheme is its own: which header, which prefix.
    """

    def __init__(self, secrets: Secrets, scheme: Scheme[P], *more: P.args, **named: P.kwargs) -> None:
        def prove(headers: Mapping[str, str], raw: bytes, now: datetime) -> str:
            return scheme(headers, raw, secrets, now, *more, **named)

        self._prove = prove

    def verify_and_parse(self, headers: Mapping[str, str], raw: bytes, now: datetime) -> Hint:
        return Hint(self._prove(headers, raw, now))
