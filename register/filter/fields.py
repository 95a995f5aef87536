"""Which fields and words a filter may name, and how their values are read. A new field is a new line."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Final

from register.filter.syntax import Span, Special, Value, Wall
from register.words import words

Read = Callable[[str], Value | None]
"""From a value as it was typed to what it means; None where it means nothing."""

OPEN: Final = ("New", "In Progress", "On Hold")
STATES: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "new": ("New",),
        "progress": ("In Progress",),
        "hold": ("On Hold",),
        "resolved": ("Resolved",),
        "closed": ("Closed",),
        "canceled": ("Canceled",),
        "open": OPEN,
    }
)
"""As incident.State has them; not imported from there: a first paint must not wait for what that needs."""
HOLDS: Final = ("caller", "vendor", "change", "problem")
SAME: Final = ("=", "!=")
ORDERED: Final = (*SAME, "<", "<=", ">", ">=")
OPERATORS: Final = ("<=", ">=", "!=", ":", "=", "<", ">")
"""The longer ones first: they are looked for in this order. `:` is `=`."""
LONGEST_SPAN: Final = 3660 * 86_400
"""Seconds: ten years."""


@dataclass(frozen=True, slots=True)
class Field:
    """What a field's values are, in words, and how they are read."""

    read: Read
    wants: str
    ops: tuple[str, ...] = SAME
    specials: frozenset[Special] = field(default=frozenset())


def _level(typed: str) -> Value | None:
    found = re.fullmatch(r"[pP]?([1-5])", typed, re.ASCII)
    return int(found[1]) if found else None


def number(typed: str) -> int | None:
    """Return 7 for INC-7, inc-7 and 7."""
    found = re.fullmatch(r"(?:INC-)?0*([1-9]\d{0,8})", typed, re.ASCII | re.IGNORECASE)
    return int(found[1]) if found else None


_SYNONYMS: Final = {"cancelled": "canceled", "in-progress": "progress", "on-hold": "hold"}


def _one_of(words: tuple[str, ...]) -> Read:
    def read(typed: str) -> Value | None:
        word = _SYNONYMS.get(typed.casefold(), typed.casefold())
        return word if word in words else None

    return read


def _name(typed: str) -> Value | None:
    return typed if 0 < len(typed) <= 80 else None


def _text(typed: str) -> Value | None:
    return typed if words(typed) else None


def _slug(typed: str) -> Value | None:
    word = typed.casefold()
    return word if re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,39}", word) else None


_SPAN: Final = re.compile(
    r"([+-])(?=\d)(?:(\d{1,5})d)?(?:(\d{1,6})h)?(?:(\d{1,7})m)?", re.ASCII | re.IGNORECASE
)
_CLOCK: Final = re.compile(r"([01]\d|2[0-3]):[0-5]\d", re.ASCII)
_DAY: Final = re.compile(
    r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d)?(Z|[+-]\d\d:\d\d)?)?", re.ASCII | re.IGNORECASE
)
DAYS: Final = ("today", "yesterday")


def _time(typed: str) -> Value | None:
    span = _SPAN.fullmatch(typed)
    if span is not None:
        days, hours, minutes = (int(part or 0) for part in span.groups()[1:])
        seconds = days * 86_400 + hours * 3600 + minutes * 60
        return Span(-seconds if span[1] == "-" else seconds) if seconds <= LONGEST_SPAN else None
    word = typed.upper().replace(" ", "T")
    if typed.casefold() in DAYS:
        return Wall(typed.casefold())
    if _CLOCK.fullmatch(word) or (_DAY.fullmatch(word) and _is_day(word)):
        return Wall(word)
    return None


def _is_day(word: str) -> bool:
    try:
        return 1970 <= datetime.fromisoformat(word).year <= 9990
    except ValueError:
        return False


_NONE: Final = frozenset({Special.NONE})
_TIME: Final = "a time: -2h (ago), +30m, 16:30, 2026-03-29, 2026-03-29T02:10, today or yesterday"

FIELDS: Final[Mapping[str, Field]] = MappingProxyType(
    {
        "p": Field(_level, "a number 1 to 5", ORDERED),
        "number": Field(number, "a number as in INC-7, or 7", ORDERED),
        "state": Field(_one_of(tuple(STATES)), " or ".join((", ".join(tuple(STATES)[:-1]), "open"))),
        "hold": Field(_one_of(HOLDS), "caller, vendor, change, problem or none", SAME, _NONE),
        "owner": Field(_name, "a login or a name, me or none", SAME, frozenset(Special)),
        "team": Field(_name, "a team's name, or none", SAME, _NONE),
        "service": Field(_name, "a service's name, or none", SAME, _NONE),
        "category": Field(_name, "a category's name, or none", SAME, _NONE),
        "vendor": Field(_slug, "a supplier's name as in vendors.toml, or none", SAME, _NONE),
        "opened": Field(_time, _TIME, ORDERED),
        "updated": Field(_time, _TIME, ORDERED),
        "text": Field(_text, "words that were written, or begin*", SAME),
        "due": Field(_time, f"{_TIME}; or none", ORDERED, _NONE),
    }
)
ALIASES: Final[Mapping[str, str]] = MappingProxyType(
    {"priority": "p", "supplier": "vendor", "assignee": "owner", "n": "number"}
)
PAGING: Final = ("triggered", "exhausted", "suppressed")
"""How its escalation stands, as run.Paging has it."""
FLAGS: Final = ("mine", "unassigned", "acked", "overdue", "restricted", "firing", *PAGING)
