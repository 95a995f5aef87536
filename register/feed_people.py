"""Whose shift an event of a calendar is. Pure: what each calendar writes is looked for, the surest first.

PagerDuty writes `On Call - NAME - SCHEDULE` and one attendee's mail, Opsgenie begins with the name or mail,
Grafana OnCall writes the name alone, or `[L2] name` in a calendar that is made for it; by hand people write
what they like: `Ana`, `@ana @ben`, `Ana Sample on call`, or invite whoever has duty.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from register.policy import Matrix

_LEVEL: Final = re.compile(r"^\s*\[L(\d{1,2})\]\s*", re.IGNORECASE)
_PARTS: Final = re.compile(r"\s+[-–—]\s+|\s*[|/,;:()\[\]·+&]\s*|\s+and\s+")
_DOTS: Final = re.compile(r"[._-]+")
_LEAST: Final = 4
"""Letters of a name that is looked for in the midst of a sentence: `Bo` is in too many."""


@dataclass(frozen=True, slots=True)
class Event:
    """What an event of a calendar says about people, attendees and organizer by mails and names."""

    summary: str = ""
    attendees: tuple[str, ...] = ()
    organizer: tuple[str, ...] = ()


class Whose:
    """The people of a matrix by all that a calendar may call them. table: what else it calls somebody."""

    def __init__(self, matrix: Matrix, table: Mapping[str, str]) -> None:
        said: dict[str, set[str]] = {}
        for key, person in matrix.people.items():
            for word in (key, person.login or "", person.name):
                if word:
                    said.setdefault(plain(word), set()).add(key)
        self._by = {word: next(iter(keys)) for word, keys in said.items() if len(keys) == 1}
        self._by |= {plain(word): key for word, key in table.items() if key in matrix.people}
        names = Counter(plain(person.name) for person in matrix.people.values())
        whole = {word for word, count in names.items() if count == 1} | {plain(word) for word in table}
        self._within = sorted((w for w in whole if len(w) >= _LEAST and w in self._by), key=len, reverse=True)

    def people(self, event: Event) -> tuple[str, ...]:
        """Return the keys of whose it is; empty where nobody is known by what it says."""
        summary = without_level(event.summary)
        ways: tuple[Callable[[], tuple[str, ...]], ...] = (
            lambda: self._named(_addresses([summary])),
            lambda: self._named(_addresses(_parts(summary))),
            lambda: self._named(_addresses([one for one in event.attendees if one not in event.organizer])),
            lambda: self._named(_addresses(event.attendees)),
            lambda: self._mentioned(summary),
            lambda: self._named(_addresses(event.organizer)),
        )
        return next((found for way in ways if (found := way())), ())

    def _named(self, words: Iterable[str]) -> tuple[str, ...]:
        found = (self._by.get(plain(word)) for word in words)
        return tuple(dict.fromkeys(key for key in found if key is not None))

    def _mentioned(self, summary: str) -> tuple[str, ...]:
        """Names in the midst of a sentence, the longest first: what one takes, no shorter one has."""
        left, found = f" {plain(summary)} ", []
        for name in self._within:
            at = re.search(rf"(?<!\w){re.escape(name)}(?!\w)", left)
            if at is not None:
                found.append((at.start(), self._by[name]))
                left = left[: at.start()] + "\0" * len(name) + left[at.end() :]
        return tuple(dict.fromkeys(key for _, key in sorted(found)))


def level(summary: str) -> int:
    """Return the level at the beginning of a title, as 2 of `[L2] ana`, which is Grafana OnCall's; else 0."""
    found = _LEVEL.match(summary)
    return int(found[1]) if found else 0


def without_level(summary: str) -> str:
    return _LEVEL.sub("", summary)


def plain(said: str) -> str:
    """Return words as they are compared: without accents, capitals, a leading @, or further spaces."""
    bare = "".join(c for c in unicodedata.normalize("NFKD", said) if not unicodedata.combining(c))
    return " ".join(bare.casefold().split()).removeprefix("mailto:").lstrip("@").strip()


def _parts(summary: str) -> Iterator[str]:
    yield from _PARTS.split(summary)
    yield from (word for word in summary.split() if "@" in word)


def _addresses(said: Iterable[str]) -> Iterator[str]:
    """Each as it is; of a mail, what stands before the @, too, as it is and with spaces for its dots.

    The domain is not compared: whoever names a calendar trusts it to name their own people.
    """
    for one in said:
        yield one
        before, at, _ = one.partition("@")
        if at and before:
            yield before
            yield _DOTS.sub(" ", before)
