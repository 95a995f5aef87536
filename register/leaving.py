"""What may leave to a supplier, and what is taken out of a text before it does.

One pure rule, asked by the preview, by the register when something is to be sent, and by the courier once
more when it is sent. A supplier's block in vendors.toml says what it may receive beyond the words that are
written for it. Credentials and numbers of cards and accounts go to nobody.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from typing import Final

from register.spotting import (
    ACCOUNTS,
    CARDS,
    CREDENTIALS,
    HASHES,
    MAILS,
    PHONES,
    Pattern,
    Spot,
    folded,
)


class May(StrEnum):
    """What a supplier may receive besides the words that somebody writes for it."""

    TITLE = "title"  # the incident's; without it their ticket is called by our number
    TIMELINE = "timeline"  # notes that are labelled shareable, where they are asked for
    FILES = "files"  # files that are labelled shareable
    FORWARDS = "forwards"  # what another supplier of the same incident wrote
    MAILS = "mails"  # mail addresses in any text
    PHONES = "phones"  # phone numbers in any text
    HASHES = "hashes"  # long hexadecimal numbers: commits and traces, but keys look the same
    RESTRICTED = "restricted"  # anything of a restricted incident


USUAL: Final = frozenset({May.TITLE, May.FILES, May.FORWARDS, May.MAILS})
"""What a supplier may receive of which vendors.toml says nothing else."""
MOST_BYTES: Final = 10_000_000
"""Bytes of a file that a supplier takes, where vendors.toml says nothing else."""


EVERY: Final = "*"


@dataclass(frozen=True, slots=True)
class Receives:
    """What one supplier may receive. patterns: regular expressions of what is taken out of any text for it.

    most_bytes: of one file. upload: where larger ones are put, an address or words, or "".
    entitlement: by service of ours, "*" for all, what they ask for before they help: contract, asset.
    required: which of these must be there. secret: which of them are in the keyring, and nowhere else.
    """

    may: frozenset[str] = USUAL
    patterns: tuple[str, ...] = ()
    most_bytes: int = MOST_BYTES
    upload: str = ""
    entitlement: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    required: tuple[str, ...] = ()
    secret: tuple[str, ...] = ()

    def lets(self, kind: May) -> bool:
        return kind in self.may

    def entitled(self, service: str) -> dict[str, str]:
        """Return what is told them about an incident of this service besides the words for it."""
        by_service = {name.casefold(): told for name, told in self.entitlement.items()}
        return {**by_service.get(EVERY, {}), **by_service.get(service.casefold(), {})}


USUALLY: Final = Receives()
NOTHING_MORE: Final = Receives(may=frozenset())
"""For a supplier that is in no adopted vendors.toml any more: nothing but what everybody may receive."""


@dataclass(frozen=True, slots=True)
class Removal:
    """What was taken out of a text, how often, and by which rule."""

    what: str
    count: int
    why: str

    def __str__(self) -> str:
        return f"{self.count} × {self.what} ({self.why})"


@dataclass(frozen=True, slots=True)
class Cleared:
    """A text as it may leave, marked where something was taken out of it."""

    text: str
    removed: tuple[Removal, ...] = ()


@dataclass(frozen=True, slots=True)
class _Rule:
    what: str
    spot: Callable[[str], Iterator[tuple[int, int]]]
    unless: May | None = None

    @property
    def why(self) -> str:
        return "leaves to nobody" if self.unless is None else f'may_receive has no "{self.unless}"'


_RULES: Final = (
    _Rule("credential", Spot(*CREDENTIALS)),
    _Rule("card number", Spot(*CARDS)),
    _Rule("account number", Spot(*ACCOUNTS)),
    _Rule("key or hash", Spot(*HASHES), May.HASHES),
    _Rule("phone number", Spot(*PHONES), May.PHONES),
    _Rule("mail address", Spot(*MAILS), May.MAILS),
)
_OWN: Final = "text"
_OWN_WHY: Final = "a pattern of vendors.toml"
_MARK: Final = re.compile(r"\[(?:" + "|".join([*(rule.what for rule in _RULES), _OWN]) + r") removed\]")


def cleared(text: str, receives: Receives) -> Cleared:
    """Return a text as this supplier may receive it. Said of what it returns, it returns the same."""
    counts: dict[tuple[str, str], int] = {}
    while True:  # what stood beside something that goes may show now what it is
        after = _once(text, receives, counts)
        if after == text:
            break
        text = after
    return Cleared(text, tuple(Removal(what, count, why) for (what, why), count in counts.items()))


def is_empty(told: Cleared) -> bool:
    """Whether nothing but marks is left of what was a text."""
    return bool(told.removed) and not any(sign.isalnum() for sign in _MARK.sub("", told.text))


def fault_in(pattern: str) -> str | None:
    """Return why this cannot be a pattern of vendors.toml, or None."""
    try:
        found = re.compile(pattern)
    except re.error as error:
        return f"is no regular expression ({error})"
    return "matches where nothing stands: it would take out everything" if found.match("") else None


def _once(text: str, receives: Receives, counts: dict[tuple[str, str], int]) -> str:
    """One pass over what stands between marks."""
    parts: list[str] = []
    at = 0
    for mark in _MARK.finditer(text):
        parts += (_piece(text[at : mark.start()], receives, counts), mark[0])
        at = mark.end()
    parts.append(_piece(text[at:], receives, counts))
    return "".join(parts)


def _piece(text: str, receives: Receives, counts: dict[tuple[str, str], int]) -> str:
    if not text.strip():
        return text
    plain, places = folded(text)
    spans: list[tuple[int, int, str, str]] = []
    for what, why, spot in _asked(receives):
        spans += ((start, end, what, why) for start, end in spot(plain) if end > start)
    parts: list[str] = []
    at = 0
    for start, end, what, why in _apart(spans):
        parts += (text[at : places[start]], f"[{what} removed]")
        counts[what, why] = counts.get((what, why), 0) + 1
        at = places[end - 1] + 1
    parts.append(text[at:])
    return "".join(parts)


def _asked(receives: Receives) -> Iterator[tuple[str, str, Callable[[str], Iterator[tuple[int, int]]]]]:
    for rule in _RULES:
        if rule.unless is None or not receives.lets(rule.unless):
            yield rule.what, rule.why, rule.spot
    for pattern in receives.patterns:
        yield _OWN, _OWN_WHY, _own(pattern)


@cache
def _own(pattern: str) -> Spot:
    return Spot(Pattern(pattern, flags=0))


def _apart(spans: list[tuple[int, int, str, str]]) -> list[tuple[int, int, str, str]]:
    """Those that overlap as one, by the name of the one that was asked first."""
    order = {id(span): place for place, span in enumerate(spans)}
    found: list[tuple[int, int, str, str, int]] = []
    for span in sorted(spans, key=lambda one: one[0]):
        start, end, what, why = span
        place = order[id(span)]
        if found and start < found[-1][1]:
            before = found.pop()
            name = (before[2], before[3], before[4]) if before[4] <= place else (what, why, place)
            found.append((before[0], max(end, before[1]), *name))
        else:
            found.append((start, end, what, why, place))
    return [(start, end, what, why) for start, end, what, why, _ in found]
