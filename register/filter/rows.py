"""A filter as one plain predicate over a live row, as TinyDB's `search()` takes it.

A masked row is known by its number, and to be restricted; whatever else is asked of it is neither so nor
not so, and such a row stays away from `p:1` and from `not p:1` alike.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any as Anything
from typing import Final

from register.filter.fields import PAGING
from register.filter.meaning import All, Among, Any, Between, Engaged, Is, Meaning, Nay, Titled, Written

Row = Mapping[str, Anything]
Predicate = Callable[[Row], bool]
Around = Callable[[Anything], str]
"""All that a board shows of a row, casefolded: where bare words are looked for."""

_KEYS: Final[Mapping[str, str]] = {"number": "n"}
_FOLDED: Final = frozenset({"team", "service", "category"})
_OF_MASKED: Final = frozenset({"number"})
_NO_RUN: Final = ("",)


def predicate(meaning: Meaning, around: Around | None = None) -> Predicate:
    """Return whether a row is meant, as a function.

    around: where bare words are looked for instead of the title alone.
    """
    whole = _whole(meaning, around)

    def meets(row: Row) -> bool:
        if row.get("masked"):
            return _of_masked(meaning, row, around) is True
        return whole(row)

    return meets


def _whole(meaning: Meaning, around: Around | None) -> Predicate:
    if isinstance(meaning, All | Any | Nay):
        return _joined(meaning, around)
    if isinstance(meaning, Titled):
        needle = meaning.needle
        if around is not None and meaning.bare:
            return lambda row: needle in around(row)
        return lambda row: needle in row["title"].casefold()
    if isinstance(meaning, Engaged):
        vendor = meaning.vendor
        if vendor is None:
            return lambda row: bool(row["bonds"])
        return lambda row: any(bond[0] == vendor for bond in row["bonds"])
    if isinstance(meaning, Written):
        raise TypeError("a live row has nothing of what was written")  # meant() lets none come here
    if isinstance(meaning, Is):
        flag = meaning.flag
        if flag in PAGING:
            return lambda row: row.get("run", _NO_RUN)[0] == flag
        return lambda row: bool(row.get(flag))
    return _field(meaning)


def _joined(meaning: All | Any | Nay, around: Around | None) -> Predicate:
    if isinstance(meaning, Nay):
        part = _whole(meaning.part, around)
        return lambda row: not part(row)
    parts = [_whole(one, around) for one in meaning.parts]
    if isinstance(meaning, Any):
        return lambda row: any(part(row) for part in parts)
    return lambda row: all(part(row) for part in parts)


def _field(meaning: Among | Between) -> Predicate:
    key = _KEYS.get(meaning.field, meaning.field)
    if isinstance(meaning, Among):
        values = meaning.values
        if key in _FOLDED:
            return lambda row: row[key].casefold() in values
        return lambda row: row[key] in values
    low, high = meaning.low, meaning.high
    if high is None:
        return lambda row: row[key] is not None and (low is None or row[key] >= low)
    return lambda row: row[key] is not None and (low is None or row[key] >= low) and row[key] < high


def _of_masked(meaning: Meaning, row: Row, around: Around | None) -> bool | None:
    """Return what can be said of a row of which little is known: yes, no, or None."""
    if isinstance(meaning, Nay):
        said = _of_masked(meaning.part, row, around)
        return None if said is None else not said
    if isinstance(meaning, All | Any):
        decides = isinstance(meaning, Any)  # one yes decides an `or`, one no an `and`
        answers = [_of_masked(part, row, around) for part in meaning.parts]
        if decides in answers:
            return decides
        return None if None in answers else not decides
    if isinstance(meaning, Is):
        return True if meaning.flag == "restricted" else None
    if isinstance(meaning, Titled):
        return meaning.needle in around(row) if around is not None and meaning.bare else None
    if isinstance(meaning, Among | Between) and meaning.field in _OF_MASKED:
        return _field(meaning)(row)
    return None
