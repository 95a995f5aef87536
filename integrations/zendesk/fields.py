"""Fields of a ticket: custom ones go by number, and what does not fit is dropped without a word."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from integrations.connector import Ref
from integrations.errors import Rejected
from integrations.zendesk.config import KEPT_UNDER
from integrations.zendesk.wire import TheirTicket


def kept_under(fields: Mapping[str, str]) -> dict[str, Any]:
    """What a ticket is given: group, form and brand by their keys, the rest as custom fields."""
    told: dict[str, Any] = {}
    custom = []
    for name, word in fields.items():
        if name in KEPT_UNDER:
            told[KEPT_UNDER[name]] = _number(word, f"a {name} of theirs")
        else:
            custom.append({"id": _number(name, "a ticket field of theirs"), "value": word})
    return {**told, "custom_fields": custom} if custom else told


def _number(word: str, what: str) -> int:
    if not (word.isascii() and word.isdecimal() and len(word) < 20):
        raise Rejected(
            f"Zendesk knows {what} by number, not as {word}: nothing was sent."
            " Write its number in vendors.toml."
        )
    return int(word)


def filled(vendor: str, ref: Ref, ticket: TheirTicket, change: Mapping[str, Any]) -> None:
    """Raise where a custom field did not take: there is none of that number, or it has no such option."""
    there = {field.id: field.value for field in ticket.custom_fields}
    asked = {one["id"]: one["value"] for one in change.get("custom_fields", ())}
    lacks = [str(number) for number, word in asked.items() if str(there.get(number)) != word]
    if lacks:
        raise Rejected(
            f"{vendor} said yes and did not set ticket field {', '.join(lacks)} on {ref.key}: there is no"
            " such field, or it does not take that word (a list takes the tag of its option).",
            200,
        )
