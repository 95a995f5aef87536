"""Fields of a ticket: Freshservice's own, of which some are numbers, and all others as custom fields."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from integrations.errors import Rejected

if TYPE_CHECKING:
    from integrations.connector import Ref
    from integrations.freshservice.wire import FreshTicket

_LEVELS: Final = {"low": 1, "medium": 2, "high": 3}
_NUMBERED: Final[Mapping[str, str]] = {
    "group": "group_id",
    "group_id": "group_id",
    "department": "department_id",
    "department_id": "department_id",
    "source": "source",
    "impact": "impact",
    "urgency": "urgency",
}
_WORDED: Final = ("category", "sub_category", "item_category", "type", "resolution_notes")
KNOWN: Final = (*_NUMBERED, *_WORDED)
"""What is theirs, and no custom field."""


def filled(fields: Mapping[str, str]) -> dict[str, Any]:
    """What a ticket is given, each where it belongs."""
    told: dict[str, Any] = {}
    custom: dict[str, str] = {}
    for name, word in fields.items():
        if name in _NUMBERED:
            told[_NUMBERED[name]] = _number(name, word)
        elif name in _WORDED:
            told[name] = word
        else:
            custom[name] = word
    return {**told, "custom_fields": custom} if custom else told


def _number(name: str, word: str) -> int:
    if name in ("impact", "urgency") and word.casefold() in _LEVELS:
        return _LEVELS[word.casefold()]
    if not (word.isascii() and word.isdecimal() and len(word) < 20):
        raise Rejected(
            f"Freshservice knows {name} by number, not as {word}: nothing was sent."
            " Write its number in vendors.toml."
        )
    return int(word)


def kept(vendor: str, ref: Ref, ticket: FreshTicket, asked: Mapping[str, Any]) -> None:
    """Raise where a custom field stayed empty. How they write what is in it, a date say, is their affair."""
    there = ticket.custom_fields
    lacks = [name for name in asked.get("custom_fields") or {} if there and there.get(name) in (None, "")]
    if lacks:
        raise Rejected(
            f"{vendor} said yes and did not set {', '.join(lacks)} on {ref.key}: there may be no such field,"
            " or it does not take that word.",
            200,
        )
