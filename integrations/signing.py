"""How suppliers' systems prove that a webhook is theirs: each scheme a plain function. Pure, constant time.

Each takes the headers (names in lower case), the body as it came, the secrets that count now, more than one
while they are being changed, the time, and what is the scheme's own. It raises `HookRefused`, or names the
delivery by what its signature covers, so that a replay is known again however its other headers were changed.
What is given is compared with what each secret would make of it, always all of it, so that the time it takes
tells nothing of a secret.

Sources: docs.github.com "Validating webhook deliveries", Redmine's app/models/webhook.rb, PagerDuty's
developer-docs docs/webhooks/04-Signatures.md, developer.zendesk.com/documentation/webhooks/verifying,
standardwebhooks.com, which GitLab follows (docs.gitlab.com/user/project/integrations/webhooks, and merge
request 230944 for signing tokens).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

Headers = Mapping[str, str]
Secrets = Sequence[str]

WINDOW: Final = timedelta(minutes=5)
"""How far the time that a webhook tells may lie from ours, either way."""
MOST: Final = 16
"""Signatures of one webhook that are looked at."""
_LONGEST: Final = 1_000
"""Characters of a header that are looked at: what is longer is none of these."""
_KEY: Final = 100
"""Characters of a name that its system gives a delivery."""
_MILLISECONDS: Final = 10**11
"""An epoch from here on is told in milliseconds."""


class Fault(StrEnum):
    """Why a webhook is refused; the words that people read."""

    UNSIGNED = "no signature"
    WRONG = "signature wrong"
    UNDATED = "no time that can be read"
    LATE = "its time is too long ago"
    EARLY = "its time is in the future"


class HookRefused(Exception):
    """It is not proved that a webhook is the supplier's."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.value)
        self.fault = fault


def hex_of_body(
    headers: Headers, raw: bytes, secrets: Secrets, now: datetime, header: str, prefix: str = "sha256="
) -> str:
    """HMAC-SHA256 of the body in hex after a prefix: GitHub, Jira, Redmine. No time, so no window."""
    _proved([_given(headers, header)], (prefix + _hmac(secret.encode(), raw).hex() for secret in secrets))
    return digest_of(raw)


def hex_sha1_of_body(headers: Headers, raw: bytes, secrets: Secrets, now: datetime, header: str) -> str:
    """HMAC-SHA1 of the body in hex after `sha1=`: Zammad. No time, so no window."""
    told = (f"sha1={hmac.digest(secret.encode(), raw, 'sha1').hex()}" for secret in secrets)
    _proved([_given(headers, header)], told)
    return digest_of(raw)


def any_hex_of_body(
    headers: Headers, raw: bytes, secrets: Secrets, now: datetime, header: str, version: str = "v1="
) -> str:
    """A list of these, of which one must be right: PagerDuty, while its own secret is being changed."""
    given = [one.strip() for one in _given(headers, header).split(",")]
    ours = [one for one in given if one.startswith(version)]
    _proved(ours, (version + _hmac(secret.encode(), raw).hex() for secret in secrets))
    return digest_of(raw)


def base64_of_stamped(
    headers: Headers, raw: bytes, secrets: Secrets, now: datetime, header: str, stamp: str
) -> str:
    """HMAC-SHA256 of the time and the body, one after the other, in base64: Zendesk."""
    at, given = _given(headers, stamp, Fault.UNDATED), _given(headers, header)
    told = at.encode() + raw
    _proved([given], (_base64(_hmac(secret.encode(), told)) for secret in secrets))
    in_window(at, now)
    return digest_of(told)


def standard(headers: Headers, raw: bytes, secrets: Secrets, now: datetime) -> str:
    """Standard Webhooks: `webhook-id`, `-timestamp`, and in `-signature` one of `v1,` and base64.

    The delivery's id is among what is signed. A secret is `whsec_` and base64.
    """
    at, name = _given(headers, "webhook-timestamp", Fault.UNDATED), _given(headers, "webhook-id")
    given = [one for one in _given(headers, "webhook-signature").split(" ") if one.startswith("v1,")]
    told = f"{name}.{at}.".encode() + raw
    _proved(given, ("v1," + _base64(_hmac(_standard_key(secret), told)) for secret in secrets))
    in_window(at, now)
    return name


def the_secret_itself(headers: Headers, raw: bytes, secrets: Secrets, now: datetime, header: str) -> str:
    """The secret as it is: GitLab's token, a rule of ServiceNow's, a script. Whoever reads it can forge.

    Nothing of it tells one call from another, so it has no name, and a copy of it rings again.
    """
    _proved([_given(headers, header)], secrets)
    return ""


def gitlab(headers: Headers, raw: bytes, secrets: Secrets, now: datetime) -> str:
    """GitLab: Standard Webhooks where its webhook has a signing token, else its secret token as it is.

    A call that is signed must be signed right, whatever else it brings. One that is not is named by its
    `Idempotency-Key`, which stays the same when GitLab sends it again, or has no name before GitLab 17.4.
    """
    if "webhook-signature" in headers:
        return standard(headers, raw, secrets, now)
    the_secret_itself(headers, raw, secrets, now, "x-gitlab-token")
    return headers.get("idempotency-key", "").strip()[:_KEY]


def in_window(told: str, now: datetime, window: timedelta = WINDOW) -> None:
    """Refuse a time, an epoch or ISO 8601, that is too far from ours: somebody kept it, or clocks differ."""
    at = _moment(told)
    if at is None:
        raise HookRefused(Fault.UNDATED)
    if now - at > window:
        raise HookRefused(Fault.LATE)
    if at - now > window:
        raise HookRefused(Fault.EARLY)


def digest_of(raw: bytes) -> str:
    """The name of a delivery whose system gives it none that is signed: the same bytes are the same one."""
    return hashlib.sha256(raw).hexdigest()[:32]


def sign_standard(secret: str, name: str, at: datetime, raw: bytes) -> dict[str, str]:
    """The headers of Standard Webhooks, for whoever sends: the practice supplier, and tests."""
    stamp = str(int(at.timestamp()))
    signature = _base64(_hmac(_standard_key(secret), f"{name}.{stamp}.".encode() + raw))
    return {"webhook-id": name, "webhook-timestamp": stamp, "webhook-signature": f"v1,{signature}"}


def _proved(given: Iterable[str], right: Iterable[str]) -> None:
    """Whether any of these is any of those; every pair is compared, whatever was found before."""
    told = [one.encode() for one in given][:MOST]
    if not told:
        raise HookRefused(Fault.UNSIGNED)
    found = 0
    for wanted in [one.encode() for one in right]:
        for one in told:
            found |= hmac.compare_digest(one, wanted)
    if not found:
        raise HookRefused(Fault.WRONG)


def _given(headers: Headers, name: str, lacks: Fault = Fault.UNSIGNED) -> str:
    found = headers.get(name, "").strip()
    if not found:
        raise HookRefused(lacks)
    return found[:_LONGEST]


def _hmac(key: bytes, told: bytes) -> bytes:
    return hmac.digest(key, told, "sha256")


def _base64(told: bytes) -> str:
    return base64.b64encode(told).decode()


def _standard_key(secret: str) -> bytes:
    """The bytes that a Standard Webhooks secret stands for; those of the text itself if it is no base64."""
    text = secret.removeprefix("whsec_")
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        return text.encode()


def _moment(told: str) -> datetime | None:
    try:
        if told.isascii() and told.isdecimal() and len(told) <= 13:
            number = int(told)
            return datetime.fromtimestamp(number / 1_000 if number >= _MILLISECONDS else number, UTC)
        at = datetime.fromisoformat(told)
        return at if at.tzinfo is not None else at.replace(tzinfo=UTC)
    except (ValueError, OverflowError, OSError):
        return None
