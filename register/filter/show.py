"""A filter's tree as text: what it prints is read as the same tree again."""

from __future__ import annotations

import re
from typing import Final

from register.filter.syntax import (
    And,
    Compare,
    Everything,
    Flag,
    Node,
    Not,
    Or,
    Span,
    Special,
    Text,
    Value,
    Wall,
)

_SAFE: Final = re.compile(r"[^\s()\",:=<>!\\-][^\s()\",:=<>!\\]*")
_SPECIAL: Final = frozenset(one.value for one in Special)


def shown(node: Node) -> str:
    """Return a filter as one would type it."""
    if isinstance(node, And):
        return " ".join(_inside(part, (And, Or)) for part in node.parts)
    if isinstance(node, Or):
        return " or ".join(_inside(part, (Or,)) for part in node.parts)
    if isinstance(node, Not):
        return f"not {_inside(node.part, (And, Or))}"
    if isinstance(node, Compare):
        return f"{node.field}{':' if node.op == '=' else node.op}{','.join(map(_value, node.values))}"
    if isinstance(node, Flag):
        return node.name
    return "" if isinstance(node, Everything) else _text(node)


def _inside(part: Node, loose: tuple[type, ...]) -> str:
    return f"({shown(part)})" if isinstance(part, loose) else shown(part)


def _text(node: Text) -> str:
    return node.words if node.bare else _quoted(node.words)


def _quoted(words: str) -> str:
    return '"' + words.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _value(value: Value) -> str:
    if isinstance(value, Special):
        return value.value
    if isinstance(value, Span):
        return _span(value.seconds)
    if isinstance(value, Wall):
        return value.text
    if isinstance(value, int):
        return str(value)
    return value if _SAFE.fullmatch(value) and value.casefold() not in _SPECIAL else _quoted(value)


def _span(seconds: int) -> str:
    minutes = abs(seconds) // 60
    parts = ((minutes // 1440, "d"), (minutes % 1440 // 60, "h"), (minutes % 60, "m"))
    told = "".join(f"{n}{unit}" for n, unit in parts if n)
    return f"{'-' if seconds < 0 else '+'}{told or '0m'}"
