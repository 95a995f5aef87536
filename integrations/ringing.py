"""By what a supplier's webhooks are proved: its system's own scheme, or the secret itself in a header.

The second serves any system that can be told to call an address with a header: a scrip of Request Tracker's,
a business rule of ServiceNow's, `curl` in a script.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from integrations.connector import Cap, Hint, Hooks
from integrations.proofs import ProvedBy
from integrations.signing import Fault, HookRefused, Secrets, the_secret_itself
from integrations.vendor import Vendor, system

HEADER: Final = "x-muster-secret"
"""What carries the secret itself."""


class Proof:
    """What proves one supplier's. own: its system's scheme, where it has one."""

    def __init__(self, secrets: Secrets, own: Hooks | None = None) -> None:
        self._plain = ProvedBy(secrets, the_secret_itself, HEADER)
        self._own = own

    def verify_and_parse(self, headers: Mapping[str, str], raw: bytes, now: datetime) -> Hint:
        if HEADER in headers:
            return self._plain.verify_and_parse(headers, raw, now)
        if self._own is None:
            raise HookRefused(Fault.UNSIGNED)
        return self._own.verify_and_parse(headers, raw, now)


def proof_of(vendor: Vendor, secrets: Secrets) -> Hooks:
    """What proves this supplier's webhooks, with the secrets that count now."""
    kind = system(vendor.connector)
    return Proof(secrets, kind.hooks(vendor.config, secrets) if Cap.WEBHOOK in vendor.info.caps else None)
