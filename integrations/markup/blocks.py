"""A plain text as blocks: running words, and lines whose spaces and empty lines say something themselves."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

NBSP: Final = "\u00a0"
_SHAPED: Final = re.compile(r"^[ \t\u00a0]|\t|[ \u00a0]{2}", re.MULTILINE)


@dataclass(slots=True)
class Block:
    """Lines without an end. verbatim: a log, a table, a drawing: every space and empty line counts."""

    lines: list[str]
    verbatim: bool = False

    @property
    def text(self) -> str:
        return "\n".join(self.lines)


def blocks(text: str, risky: Callable[[str], bool] | None = None) -> list[Block]:
    """Return the blocks of a text, which stand one empty line apart from each other.

    risky: whether a paragraph must be taken verbatim for what is in it.
    """
    found: list[Block] = []
    for empty, lines in _paragraphs(text):
        verbatim = _SHAPED.search("\n".join(lines)) is not None or (
            risky is not None and risky("\n".join(lines))
        )
        if found and (empty > 1 or (verbatim and found[-1].verbatim)):
            found[-1].lines += [*[""] * empty, *lines]
            found[-1].verbatim = True
        else:
            found.append(Block(lines, verbatim))
    return found


def _paragraphs(text: str) -> Iterator[tuple[int, list[str]]]:
    """Each paragraph with how many empty lines stand before it; spaces at the end of a line are nothing."""
    lines: list[str] = []
    empty = before = 0
    for line in map(str.rstrip, (*text.split("\n"), "")):
        if line:
            if not lines:
                before, empty = empty, 0
            lines.append(line)
            continue
        if lines:
            yield before, lines
            lines = []
        empty += 1


def wide(line: str, space: str) -> str:
    """Return a line with `space` where a browser would swallow one: at its start, and in runs of them."""
    line = line.replace("\t", "    ")
    start = len(line) - len(line.lstrip(" "))
    rest = re.sub(r" {2,}", lambda run: space * (len(run[0]) - 1) + " ", line[start:])
    return space * start + rest
