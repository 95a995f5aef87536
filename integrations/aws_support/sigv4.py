"""AWS Signature Version 4 in the Authorization header, by AWS's own description of it.

Source: AWS, IAM User Guide, "Create a signed AWS API request". The body is signed by its digest.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from urllib.parse import quote, unquote

from integrations.signer import Signed, Unsigned

ALGORITHM: Final = "AWS4-HMAC-SHA256"
_LEFT_OUT: Final = frozenset(
    {"accept", "accept-encoding", "authorization", "connection", "content-length", "user-agent"}
)
"""Headers that are not signed: what stands on the way may change them, and AWS asks for none of them."""
_UNRESERVED: Final = "-._~"


@dataclass(frozen=True, slots=True)
class SigV4:
    """Signs with one access key, for one region and service."""

    key_id: str
    secret: str = field(repr=False)
    region: str
    service: str

    def sign(self, request: Unsigned, at: datetime) -> Signed:
        """The headers X-Amz-Date and Authorization of this request, made at `at` (aware UTC)."""
        stamp = f"{at:%Y%m%dT%H%M%SZ}"
        headers = {**request.headers, "x-amz-date": stamp}
        names = sorted(headers.keys() - _LEFT_OUT)
        scope = f"{stamp[:8]}/{self.region}/{self.service}/aws4_request"
        asked = canonical(request, {name: headers[name] for name in names})
        to_sign = "\n".join((ALGORITHM, stamp, scope, hashlib.sha256(asked.encode()).hexdigest()))
        key = _key(self.secret, *scope.split("/"))
        signature = _hmac(key, to_sign).hex()
        proof = f"Credential={self.key_id}/{scope}, SignedHeaders={';'.join(names)}, Signature={signature}"
        return Signed({"x-amz-date": stamp, "authorization": f"{ALGORITHM} {proof}"}, signature)


def canonical(request: Unsigned, headers: dict[str, str]) -> str:
    """The request in the one spelling that both sides sign. headers: those signed, by name, in order."""
    lines = "".join(f"{name}:{re.sub(' +', ' ', value.strip())}\n" for name, value in headers.items())
    body = hashlib.sha256(request.body).hexdigest()
    path = quote(request.path or "/", safe="/" + _UNRESERVED)  # of what is encoded already: once more
    return "\n".join((request.method, path, _query(request.query), lines, ";".join(headers), body))


def _query(query: str) -> str:
    pairs = (one.partition("=")[::2] for one in query.split("&") if one)
    said = sorted((_encoded(name), _encoded(value)) for name, value in pairs)
    return "&".join(f"{name}={value}" for name, value in said)


def _encoded(text: str) -> str:
    return quote(unquote(text), safe=_UNRESERVED)


def _key(secret: str, *scope: str) -> bytes:
    """The key of a day, region and service, made of the secret step by step."""
    key = b"AWS4" + secret.encode()
    for part in scope:
        key = _hmac(key, part)
    return key


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.digest(key, text.encode(), "sha256")
