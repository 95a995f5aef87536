"""Custom fields of Redmine, which knows them by number, and drops without a word what it does not take."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from integrations.connector import Ref
from integrations.errors import Rejected
from integrations.redmine.wire import Issue


def numbered(fields: Mapping[str, str]) -> dict[int, str]:
    """Fields of a draft: Redmine knows them by number, and drops without a word what it does not know."""
    strange = [name for name in fields if not (name.isascii() and name.isdecimal())]
    if strange:
        raise Rejected(
            f"Redmine knows custom fields by number, not as {', '.join(strange)}: nothing was sent. "
            "Name them by number in vendors.toml."
        )
    return {int(name): value for name, value in fields.items()}


def custom(fields: Mapping[str, str]) -> dict[str, Any]:
    told = [{"id": number, "value": value} for number, value in numbered(fields).items()]
    return {"custom_fields": told} if told else {}


def filled(vendor: str, ref: Ref, issue: Issue, fields: Mapping[str, str]) -> None:
    """Raise where Redmine dropped a field: our role may not write it, or not see it."""
    lacks = [name for name, word in fields.items() if not issue.carries(int(name), word)]
    if lacks:
        raise Rejected(
            f"{vendor} said yes and did not set custom field {', '.join(lacks)} on {ref.key}: it is not on"
            " their tracker, or our account's role may not write it.",
            204,
        )
