"""From a filter as it was typed to its tree; what is wrong is told with its column."""

from __future__ import annotations

import re
from typing import Final

from register.filter.fields import ALIASES, FIELDS, FLAGS, OPERATORS, SAME, Field, number
from register.filter.syntax import (
    DEEPEST,
    LONGEST,
    And,
    Compare,
    Everything,
    FilterError,
    Flag,
    Node,
    Not,
    Or,
    Span,
    Special,
    Text,
    Value,
)
from register.plain import clean, clip

_SPACE: Final = re.compile(r"\s*")
_WORD: Final = re.compile(r"[^\s()\"]+")
_VALUE: Final = re.compile(r"[^\s()\",]+")
_TEST: Final = re.compile(r"([^\W\d]\w*)(" + "|".join(map(re.escape, OPERATORS)) + ")")
_QUOTED: Final = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_BARE_NUMBER: Final = re.compile(r"INC-\d+", re.ASCII | re.IGNORECASE)


def parse(text: str) -> Node:
    """Return the tree of a filter; an empty one is everything. Raises FilterError."""
    if len(text) > LONGEST:
        raise FilterError(
            text, LONGEST + 1, f"the filter has {len(text):,} characters, {LONGEST} at most", "shorten it"
        )
    for at, sign in enumerate(text):
        if not sign.isspace() and clean(sign) != sign:
            raise FilterError(text, at + 1, "a sign that cannot be seen", "take it out")
    reading = _Reading(text)
    if reading.ended:
        return Everything()
    found = reading.either(0)
    if not reading.ended:
        raise reading.wrong("this parenthesis closes nothing", "take it away, or open one before it")
    return found


class _Reading:
    """A text and how far it is read."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self._skip()

    def _skip(self) -> None:
        found = _SPACE.match(self.text, self.at)
        self.at = found.end() if found else self.at

    @property
    def ended(self) -> bool:
        return self.at == len(self.text)

    def wrong(self, problem: str, remedy: str, at: int | None = None) -> FilterError:
        return FilterError(self.text, (self.at if at is None else at) + 1, problem, remedy)

    def _keyword(self) -> str:
        """Return `and`, `or` or `not` where one stands here."""
        found = _WORD.match(self.text, self.at)
        word = found[0].casefold() if found else ""
        return word if word in ("and", "or", "not") else ""

    def _past(self, length: int) -> None:
        self.at += length
        self._skip()

    def either(self, depth: int) -> Node:
        """Read parts with `or` between them."""
        parts = [self._all(depth)]
        while self._keyword() == "or":
            self._past(2)
            parts.append(self._all(depth))
        return parts[0] if len(parts) == 1 else Or(tuple(parts))

    def _all(self, depth: int) -> Node:
        """Read parts that stand beside each other."""
        parts = [self._part(depth)]
        while not self.ended and self.text[self.at] != ")" and (word := self._keyword()) != "or":
            if word == "and":
                self._past(3)
            parts.append(self._part(depth))
        return parts[0] if len(parts) == 1 else And(tuple(parts))

    def _part(self, depth: int) -> Node:
        if depth > DEEPEST:
            raise self.wrong(f"more than {DEEPEST} things inside each other", "write it flatter")
        sign = self.text[self.at : self.at + 1]
        if not sign or sign == ")" or self._keyword() in ("and", "or"):
            raise self._nothing_here()
        if sign == "(":
            return self._group(depth)
        if self._keyword() == "not":
            self._past(3)
            return Not(self._part(depth + 1))
        if sign == "-" and self.text[self.at + 1 : self.at + 2].strip():
            self.at += 1
            return Not(self._part(depth + 1))
        return self._leaf(sign)

    def _nothing_here(self) -> FilterError:
        before = self.text[: self.at].rstrip()
        last = before.split()[-1:] if before else []
        joins = last and last[0].strip("(").casefold() in ("and", "or", "not")
        if joins:
            return self.wrong(f"nothing stands behind “{last[0].strip('(')}”", "say what, or take it away")
        if before.endswith(("(", "-")):
            return self.wrong("nothing stands here", "write a condition, or take it away")
        return self.wrong("nothing stands before this", "write a condition first, or put it in quotes")

    def _group(self, depth: int) -> Node:
        opened = self.at
        self._past(1)
        inside = self.either(depth + 1)
        if self.ended:
            raise self.wrong("this parenthesis is never closed", "add a ) behind what belongs to it", opened)
        self._past(1)
        return inside

    def _leaf(self, sign: str) -> Node:
        if sign == '"':
            words = self._quoted()
            self._skip()
            return Text(words)
        test = _TEST.match(self.text, self.at)
        if test is not None:
            return self._test(test)
        found = _WORD.match(self.text, self.at)
        word = found[0] if found else sign
        self._past(len(word))
        if word.casefold() in FLAGS:
            return Flag(word.casefold())
        if _BARE_NUMBER.fullmatch(word) and (n := number(word)) is not None:
            return Compare("number", "=", (n,))
        return Text(word, bare=True)

    def _quoted(self) -> str:
        found = _QUOTED.match(self.text, self.at)
        if found is None:
            raise self.wrong("this quote is never closed", 'add a " behind the text')
        if not found[1].strip():
            raise self.wrong("nothing stands between these quotes", "write a text, or take them away")
        self.at = found.end()
        return re.sub(r"\\(.)", r"\1", found[1], flags=re.DOTALL)

    def _test(self, found: re.Match[str]) -> Node:
        begun, name = self.at, found[1].casefold()
        name = ALIASES.get(name, name)
        field = FIELDS.get(name)
        if field is None:
            raise self._unknown(found)
        op = "=" if found[2] == ":" else found[2]
        if op not in field.ops:
            at = begun + len(found[1])
            raise self.wrong(f"{name} has no order", f"write {name}: or {name}!=", at)
        self.at = found.end()
        columns, values = [self.at + 1], [self._value(name, field, op)]
        while self.text[self.at : self.at + 1] == ",":
            if op not in SAME:
                raise self.wrong(f"{name}{op} takes one value", f"write {name}: for one of several")
            self.at += 1
            columns.append(self.at + 1)
            values.append(self._value(name, field, op))
        self._skip()
        return Compare(name, op, tuple(values), tuple(columns), self.text)

    def _value(self, name: str, field: Field, op: str) -> Value:
        begun = self.at
        quoted = self.text[begun : begun + 1] == '"'
        found = None if quoted else _VALUE.match(self.text, begun)
        typed = self._quoted() if quoted else found[0] if found else ""
        if not typed:
            raise self.wrong(f"{name} has no value here", f"write {field.wants}", begun)
        self.at = begun + len(typed) if found else self.at
        special = None if quoted else _special(typed, field)
        if special is not None and op not in SAME:
            raise self.wrong(f"“{typed}” has no order", f"write {name}:{typed} or {name}!={typed}", begun)
        value = field.read(typed) if special is None else special
        if value is None:
            raise self.wrong(f"“{clip(typed, 40)}” is no value of {name}", f"write {field.wants}", begun)
        if isinstance(value, Span) and op in SAME:
            remedy = f"write {name}>{typed} for after it, {name}<{typed} for before it"
            raise self.wrong(f"“{typed}” is one moment, which nothing meets", remedy, begun)
        return value

    def _unknown(self, found: re.Match[str]) -> FilterError:
        from difflib import get_close_matches

        near = get_close_matches(found[1].casefold(), (*FIELDS, *ALIASES), n=1)
        there = f"did you mean {near[0]}?" if near else f"there are {', '.join(FIELDS)}."
        whole = _WORD.match(self.text, self.at)
        quoted = clip(whole[0] if whole else found[0], 30)
        return self.wrong(
            f"there is no field “{clip(found[1], 40)}”",
            f'{there} A text with such a sign is quoted: "{quoted}"',
        )


def _special(typed: str, field: Field) -> Special | None:
    return next((one for one in field.specials if one.value == typed.casefold()), None)
