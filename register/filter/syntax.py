"""A filter as a tree, and what is said when a text is none."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from enum import Enum
from typing import Final

LONGEST: Final = 500
"""Characters in a filter."""
DEEPEST: Final = 30
"""Parentheses and `not`s inside each other."""


class FilterError(Exception):
    """What is wrong with a filter, at which column (from 1), and what to write instead."""

    def __init__(self, text: str, column: int, problem: str, remedy: str) -> None:
        super().__init__(f"column {column}: {problem}; {remedy}")
        self.text = text
        self.column = column
        self.problem = problem
        self.remedy = remedy


class Special(Enum):
    """Values that are words of the language, unless they are quoted."""

    NONE = "none"
    ME = "me"


@dataclass(frozen=True, slots=True)
class Span:
    """A time told from now: below 0 it is past. Seconds, whole minutes of them."""

    seconds: int


@dataclass(frozen=True, slots=True)
class Wall:
    """A time as a clock on the wall says it: `2026-03-29`, `2026-03-29T02:10`, `16:30`, `today`."""

    text: str


Value = int | str | Special | Span | Wall


@dataclass(frozen=True, slots=True)
class Everything:
    """No condition at all."""


@dataclass(frozen=True, slots=True)
class Text:
    """Words that stand in the title so. A board looks for bare ones in what else it shows, too."""

    words: str
    bare: bool = False


@dataclass(frozen=True, slots=True)
class Flag:
    """A word that says something of an incident: `overdue`."""

    name: str


@dataclass(frozen=True, slots=True)
class Compare:
    """A field laid beside values; with `=` and `!=` there may be several, of which one must be it."""

    field: str
    op: str
    values: tuple[Value, ...]
    columns: tuple[int, ...] = dataclasses.field(default=(), compare=False)  # where each value stands
    text: str = dataclasses.field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Not:
    part: Node


@dataclass(frozen=True, slots=True)
class And:
    """Two parts or more."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """Two parts or more."""

    parts: tuple[Node, ...]


Node = Everything | Text | Flag | Compare | Not | And | Or
