"""Words for the full-text index: of texts, of what somebody looks for, and the piece around what was found.

Texts are cut into words here, not by a database: so SQLite and PostgreSQL find the same. A word is a run of
letters and digits, casefolded; of scripts that put no spaces between words each sign is one. Pure.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from register.plain import clean, one_line

MOST_TERMS: Final = 20
LONGEST_WORD: Final = 64
"""Signs of a word that count."""
LEAST_BEGINNING: Final = 3
"""Signs that a beginning has: what half of all words begin with is found by reading half of everything."""
GAP: Final = "¶"
"""Stands between two texts: no phrase reaches across, for it is no sign of a word."""
UNSPACED: Final = "\u0e00-\u0e7f\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_WORD: Final = re.compile(rf"[{UNSPACED}]|[^\W{UNSPACED}]+")
_NO_LETTER: Final = re.compile(r"\W+")
_TERM: Final = re.compile(r'"([^"]*)(?:"|$)(\*?)|([^\s"]+)')

SPOKEN: Final = (
    *("title", "description", "text", "notes", "note", "reason", "message", "body", "summary", "story"),
)
"""Fields of events that hold what people wrote, wherever they occur."""


@dataclass(frozen=True, slots=True)
class Term:
    """Words that stand in a row; of the last one perhaps only the beginning."""

    words: tuple[str, ...]
    beginning: bool = False


class NothingToFind(ValueError):
    """What was asked for holds no word."""


def words(text: str) -> list[str]:
    """Return the words of a text, in order."""
    return [word for word, _, _ in _placed(unicodedata.normalize("NFKC", text))]


def _placed(normal: str) -> Iterator[tuple[str, int, int]]:
    for found in _WORD.finditer(normal):
        folded = unicodedata.normalize("NFKC", found[0].casefold())
        word = _NO_LETTER.sub("", folded)[:LONGEST_WORD]
        if word:
            yield word, found.start(), found.end()


def asked(text: str) -> tuple[Term, ...]:
    """Return the terms of `words "a phrase" begin*`, all of which must be found; raises NothingToFind."""
    found = (match.groups() for match in _TERM.finditer(clean(text)))
    terms = [term(plain if phrase is None else f"{phrase}{star}") for phrase, star, plain in found]
    told = tuple(dict.fromkeys(one for one in terms if one.words))
    if not told:
        raise NothingToFind("there is no word in it: write letters or digits")
    return told[:MOST_TERMS]


def term(typed: str) -> Term:
    """Return words that stand in a row, a `*` behind the last for its beginning; perhaps none."""
    told = tuple(words(typed))
    return Term(told, bool(told) and typed.endswith("*") and len(told[-1]) >= LEAST_BEGINNING)


def said(data: Mapping[str, Any]) -> tuple[str, str]:
    """Return the title and the texts that an event's data holds; each may be empty."""
    found = {name: data[name] for name in SPOKEN if isinstance(data.get(name), str)}
    after = data.get("after")  # of a correction: a title that took another's place
    title = found.pop("title", "") or str((after.get("title") or "") if isinstance(after, dict) else "")
    return title, "\n".join(text for text in found.values() if text)


def indexed(title: str, text: str) -> list[str]:
    """Return the words of one entry: the incident's title, and what was written."""
    return [*words(title), GAP, *words(text)]


def snippet(text: str, terms: Iterable[Term], width: int = 160) -> str:
    """Return a line of about `width` signs around the first of what was looked for; empty where it is not."""
    normal = unicodedata.normalize("NFKC", text)
    placed = list(_placed(normal))
    at = next((at for at in range(len(placed)) if any(_is_at(term, placed, at) for term in terms)), None)
    if at is None:
        return ""
    start = max(0, placed[at][1] - width // 3)
    start = next((begin for _, begin, _ in placed if begin >= start), 0) if start else 0
    end = min(len(normal), start + width)
    shown = one_line(normal[start:end])
    return f"{'… ' if start else ''}{shown}{' …' if end < len(normal) else ''}"


def _is_at(term: Term, placed: Sequence[tuple[str, int, int]], at: int) -> bool:
    there = [word for word, _, _ in placed[at : at + len(term.words)]]
    if len(there) < len(term.words):
        return False
    *first, last = term.words
    ends = there[-1].startswith(last) if term.beginning else there[-1] == last
    return ends and there[:-1] == first
