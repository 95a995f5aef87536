"""Plain text as Markdown (CommonMark, and what GitHub, GitLab and Redmine add to it)."""

from __future__ import annotations

import html
import re
from typing import Final

from integrations.markup.blocks import Block, blocks, wide

_MARKS: Final = re.compile(r"[\\`*_\[\]<>&#|~^$]")
_START: Final = re.compile(r"^([-+=]|\d{1,9}(?=[.)]))")
_NUMBER: Final = re.compile(r"^(\d{1,9})([.)])")
_ADDRESS: Final = re.compile(r"https?://(?:[A-Za-z0-9._~:/?#@&+,;=-]|%[0-9A-Fa-f]{2})*[A-Za-z0-9/]")
_ENTITY: Final = re.compile(r"&#?\w+;")
_FOOTER: Final = re.compile(r"\[muster:[0-9A-Z]{26}\]")
_REFERS: Final = re.compile(
    r"@\w|[#!&~%]\d|:\w+:|[#]note|\br\d+\b"
    r"|\b(?:attachment|document|version|forum|news|message|project|commit|source|export|user):\S"
    r"|\b[0-9a-f]{7,40}\b|\b[A-Z][A-Z0-9]+-\d|\bGH-\d"
)
"""What such systems make a link, a mention or a picture of, wherever it stands outside of code."""
_TICKS: Final = re.compile(r"`+")
_COMMAND: Final = re.compile(r"^/(?=\w)", re.MULTILINE)
"""What GitLab takes for a quick action, and does: /close at the beginning of a line."""


def markdown_of(text: str) -> str:
    """Plain text as Markdown that shows the same."""
    return "\n\n".join(_fenced(one) if one.verbatim else _said(one) for one in blocks(text, _refers))


def gitlab_of(text: str) -> str:
    """The same for GitLab, which finds its quick actions in the text before it is Markdown.

    A fence does not always hide one from it: a backtick in an earlier line is enough to have the fence itself
    taken for the end of some code. So no line begins with a slash, neither outside of code nor in it.
    """
    text = text.replace("\r", "\n")  # it drops them, so that what stands behind one would begin the line
    return "\n\n".join(_harmless(one) for one in blocks(text, _refers))


def _harmless(block: Block) -> str:
    if not block.verbatim:
        return _COMMAND.sub(r"\\/", _said(block))
    if not _COMMAND.search(block.text):
        return _fenced(block)
    return f"<pre><code>{_COMMAND.sub('&#47;', html.escape(block.text, quote=False))}</code></pre>"


def _refers(text: str) -> bool:
    return _REFERS.search(_ADDRESS.sub("", text)) is not None


def _fenced(block: Block) -> str:
    longest = max((len(run) for run in _TICKS.findall(block.text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}\n{block.text}\n{fence}"


def _said(block: Block) -> str:
    """Each line on a line of its own, which in Markdown two spaces before its end say."""
    return "  \n".join(_line(line) for line in block.lines)


def _line(line: str) -> str:
    if _FOOTER.fullmatch(line):
        return line
    line = wide(line, "&nbsp;") if line.startswith(" ") else line
    parts: list[str] = []
    at = 0
    for found in _ADDRESS.finditer(line):
        if not _ENTITY.search(found[0]):
            parts += (_escaped(line[at : found.start()], first=at == 0), f"<{found[0]}>")
            at = found.end()
    parts.append(_escaped(line[at:], first=at == 0))
    return "".join(parts)


def _escaped(text: str, *, first: bool) -> str:
    text = _MARKS.sub(r"\\\g<0>", text)
    if not first:
        return text
    if text[:1] in ("-", "+", "="):
        return f"\\{text}"
    return _NUMBER.sub(r"\1\\\2", text)
