"""The schemes of `signing` as what the `hooks` of a connector's class gives, a line each.

Each names a delivery by what its signature covers, so that a replay is known again however its other
headers were changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from integrations import signing
from integrations.connector import Hint


@dataclass(frozen=True, slots=True)
class HexOfBody:
    """GitHub, Jira, Redmine."""

    secrets: signing.Secrets = field(repr=False)
    header: str
    prefix: str = "sha256="

    def verify_and_parse(self, headers: Mapping[str, str], raw: bytes, now: datetime) -> Hint:
        signing.hex_of_body(headers, raw, self.secrets, self.header, self.prefix)
        return Hint(signing.digest_of(raw))


@dataclass(frozen=True, slots=True)
class AnyHexOfBody:
    """PagerDuty."""

    secrets: signing.Secrets = field(repr=False)
    header: str
    version: str = "v1="

    def verify_and_parse(self, headers: Mapping[str, str], raw: bytes, now: datetime) -> Hint:
        signing.any_hex_of_body(headers, raw, self.secrets, self.header, self.version)
        return Hint(signing.digest_of(raw))


@dataclass(frozen=True, slots=True)
class Base64OfStamped:
    """Zendesk."""

    secrets: signing.Secrets = field(repr=False)
    header: str
    stamp: str

    def verify_and_parse(self, headers: Mapping[str, str], raw: bytes, now: datetime) -> Hint:
        signing.base64_of_stamped(headers, raw, self.secrets, now, self.header, self.stamp)
        return Hint(signing.digest_of(headers[self.stamp].encode() + raw))


@dataclass(frozen=True, slots=True)
class Standard:
    """Standard Webhooks: GitLab's signing token, the practice supplier."""

    secrets: signing.Secrets = field(repr=False)

    def verify_and_parse(self, headers: Mapping[str, str], raw: bytes, now: datetime) -> Hint:
        return Hint(signing.standard(headers, raw, self.secrets, now))


@dataclass(frozen=True, slots=True)
class Plain:
    """The secret itself in a header: GitLab's older token, Freshservice, ServiceNow, anything that can call.

    Nothing of it tells one call from another, so a copy of it rings again.
    """

    secrets: signing.Secrets = field(repr=False)
    header: str

    def verify_and_parse(self, headers: Mapping[str, str], raw: bytes, now: datetime) -> Hint:
        signing.the_secret_itself(headers, self.secrets, self.header)
        return Hint()
