"""What of an entitlement is secret, as a support PIN: in the keyring, and read by whoever sends, then.

It stands in no event, no row of the outbox, no preview and no message: only in the request itself.
"""

from __future__ import annotations

import html
import os
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, Final

import orjson

from integrations import secrets
from integrations.errors import AuthFailed
from integrations.markup.formats import TextFormat, written
from register.store.outbox import Sending

PinOf = Callable[[str, str], str | None]
"""(supplier, name) → what is stored, None where nothing is; AuthFailed where it cannot be looked."""
HELD: Final = "✓ (keyring)"
"""Stands for one wherever it is told of."""


class PinMissing(Exception):
    """One is not in this process's keyring: nothing was sent, and nothing is wrong with the supplier."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


def look(vendor: str, name: str, env: Mapping[str, str] = os.environ) -> str | None:
    """What is stored under this name, or None. AuthFailed(MISSING) where it cannot be looked."""
    return secrets.look(vendor, env, secrets.PIN + name)


def every_form_of(pins: Iterable[str]) -> set[str]:
    """Each as it may stand in a request: in a field as it is, in a text as that text's format writes it."""
    lead = "so: "
    found: set[str] = set()
    for pin in pins:
        found |= {pin, html.escape(pin, quote=False)}
        for how in (TextFormat.MARKDOWN, TextFormat.TEXTILE, TextFormat.JIRA):
            found.add(written(lead + pin, how).removeprefix(lead))
    return found


def names_in(payload: str) -> tuple[str, ...]:
    """The names of those that a sending takes along."""
    if '"secrets"' not in payload:
        return ()
    told: Mapping[str, Any] = orjson.loads(payload)
    return tuple(told.get("secrets", ()))


def taken_along(row: Sending, named: Collection[str], pin_of: PinOf) -> dict[str, str]:
    """What a sending takes along, by name; PinMissing with what to do where one of them is not here.

    named: those of vendors.toml as it is now. What it names no more stays here, whenever it was asked for.
    """
    found: dict[str, str] = {}
    for name in (one for one in names_in(row.payload) if one in named):
        try:
            pin = pin_of(row.vendor, name)
        except AuthFailed as failure:
            raise PinMissing(failure.why) from None
        if pin is None:
            raise PinMissing(
                f"{name} of {row.vendor} is not in the keyring here, so nothing was sent: store it with"
                f" muster vendors login {row.vendor} --pin {name}; it is tried again by itself."
            )
        found[name] = pin
    return found
