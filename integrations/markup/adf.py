"""Plain text as an Atlassian document (ADF), and such a document as plain text.

There is nothing to escape in it: text is text, and a mention or a link is a node of another type.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import Enum
from typing import Any, Final

from integrations.markup.blocks import blocks


class _Break(Enum):
    """What stands between the words of a document."""

    CELL = 0
    LINE = 1
    GAP = 2
    ITEM = 3


_DASH: Final = "- "
Node = dict[str, Any]
MOST_NODES: Final = 50_000
"""Nodes of a document that are read; nobody writes so many."""
_BLOCKS: Final = frozenset(
    {"paragraph", "heading", "codeBlock", "blockquote", "panel", "rule", "bulletList", "orderedList"}
    | {"listItem", "table", "tableRow", "mediaSingle", "mediaGroup", "expand", "nestedExpand", "taskList"}
    | {"taskItem", "decisionList", "decisionItem"}
)
_APART: Final = frozenset({"paragraph", "heading", "codeBlock", "blockquote", "panel", "table", "expand"})
_ITEMS: Final = frozenset({"listItem", "taskItem", "decisionItem"})


def adf_of(text: str) -> Node:
    """Plain text as a document that shows the same."""
    return {
        "type": "doc",
        "version": 1,
        "content": [
            {"type": "codeBlock", "content": [_text(block.text)]}
            if block.verbatim
            else {"type": "paragraph", "content": list(_lines(block.lines))}
            for block in blocks(text)
        ],
    }


def _text(text: str) -> Node:
    return {"type": "text", "text": text}


def _lines(lines: list[str]) -> Iterator[Node]:
    for place, line in enumerate(lines):
        if place:
            yield {"type": "hardBreak"}
        yield _text(line)


def text_of_adf(document: object) -> str:
    """What a document says, however deep and broken it is; what is no document says nothing."""
    parts: list[str | _Break] = []
    todo: list[object] = [document]  # a stack, since a document may be nested deeper than Python's is
    seen = 0
    while todo and seen < MOST_NODES:
        seen += 1
        node = todo.pop()
        if isinstance(node, str | _Break):
            parts.append(node)
        elif isinstance(node, Mapping):
            todo += _steps(node)
    return _joined(parts)


def _steps(node: Mapping[str, Any]) -> list[object]:
    """What a node comes to, the last first: strings to say, and nodes."""
    kind = node.get("type")
    attrs = node.get("attrs")
    attrs = attrs if isinstance(attrs, Mapping) else {}
    if kind == "text":
        return [f"{_str(node.get('text'))}{_where(node)}"]
    if kind == "hardBreak":
        return ["\n"]
    if kind in ("mention", "emoji", "status", "date", "placeholder"):
        told = (attrs.get(name) for name in ("text", "shortName", "timestamp"))
        return [next((_str(one) for one in told if one), "")]
    if kind in ("inlineCard", "blockCard", "embedCard"):
        return [_str(attrs.get("url"))]
    if kind in ("media", "mediaInline"):
        return [f"[{_str(attrs.get('alt')) or 'file'}]"]
    inside = node.get("content")
    content = list(inside)[:MOST_NODES] if isinstance(inside, list) else []
    steps: list[object] = [*([_Break.LINE] if kind in _BLOCKS else ()), *reversed(content)]
    if kind in _APART:
        steps.insert(0, _Break.GAP)
    if kind in ("tableCell", "tableHeader"):
        steps.insert(0, _Break.CELL)
    if kind in _ITEMS:
        steps.append(_Break.ITEM)
    elif kind in _BLOCKS:
        steps.append(_Break.LINE)
    return steps


def _where(node: Mapping[str, Any]) -> str:
    """Where the words lead, if they are a link that does not say so."""
    marks = node.get("marks")
    for mark in marks if isinstance(marks, list) else ():
        attrs = mark.get("attrs") if isinstance(mark, Mapping) and mark.get("type") == "link" else None
        to = _str(attrs.get("href")) if isinstance(attrs, Mapping) else ""
        if to and to not in _str(node.get("text")):
            return f" ({to})"
    return ""


def _str(value: object) -> str:
    return value if isinstance(value, str) else ""


def _joined(parts: list[str | _Break]) -> str:
    """The parts as lines: a break ends a line that has something on it, a gap leaves one empty."""
    out: list[str] = []
    due = 0
    for part in parts:
        if isinstance(part, str):
            if part:
                out += ["\n" * due, part] if out and out[-1] != _DASH else [part]
                due = 0
        elif part is _Break.CELL:
            out += ["\t"] if out and not due else []
        elif part is _Break.ITEM:
            out += ["\n" * max(due, 1) if out else "", _DASH]
            due = 0
        else:
            due = max(due, part.value)
    return "\n".join(line.rstrip() for line in "".join(out).split("\n")).strip("\n")
