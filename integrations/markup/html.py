"""Plain text as HTML, and an HTML message as plain text: lines and words, nothing else of it."""

from __future__ import annotations

import re
from collections import Counter
from html import escape, unescape
from typing import Final

from integrations.markup.blocks import NBSP, blocks

_HIDDEN: Final = frozenset({"script", "style", "head", "title", "template"})
_RAW: Final = {tag: re.compile(rf"</{tag}\b", re.IGNORECASE) for tag in ("script", "style")}
"""Tags in which nothing else is one, with their ends."""
_NAME: Final = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]{0,30})")
_ATTRIBUTE: Final = {
    name: re.compile(rf"""\b{name}\s?=\s?(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""", re.IGNORECASE)
    for name in ("href", "alt")
}
_MOST_TAG: Final = 4_000
_FEW: Final = 20
_BREAKS: Final = frozenset(
    {"p", "div", "br", "tr", "li", "ul", "ol", "table", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote"}
    | {"pre", "hr"}
)
_BLANKS: Final = re.compile(r"\n{3,}")
_SPACES: Final = re.compile(r"[ \t\r\n\f]+")
_EMPTY: Final = re.compile(r"\n(?=\n)")


def html_of(text: str) -> str:
    """Plain text as HTML that shows the same."""
    return "\n".join(
        f"<pre>{escape(block.text, quote=False)}</pre>"
        if block.verbatim
        else f"<p>{escape(block.text, quote=False).replace(chr(10), '<br>' + chr(10))}</p>"
        for block in blocks(text)
    )


class _Reader:
    """Walks over a message once, however it is made: the standard library's parser takes minutes on some."""

    def __init__(self, html: str) -> None:
        self._html = html
        self._last = html.rfind(">")
        self._parts: list[str] = []
        self._hidden: Counter[str] = Counter()
        self._pre = 0
        self._links: list[tuple[str, int]] = []

    def text(self) -> str:
        html, at = self._html, 0
        while (start := html.find("<", at)) >= 0:
            self._data(html[at:start])
            at = self._after(start)
        self._data(html[at:])
        lines = (line.lstrip(" ").rstrip(" \t") for line in "".join(self._parts).split("\n"))
        text = _BLANKS.sub("\n\n", "\n".join(lines)).strip("\n ")
        return "\n".join(line.rstrip() for line in text.replace(NBSP, " ").split("\n")).strip("\n")

    def _after(self, start: int) -> int:
        """Take what begins with < at `start`; return where it ends. What is no tag is text."""
        html = self._html
        if html.startswith("<!--", start):
            end = html.find("-->", start)
            return len(html) if end < 0 else end + 3
        named = _NAME.match(html, start)
        if start > self._last or (named is None and html[start + 1 : start + 2] not in ("!", "?")):
            self._data("<")
            return start + 1
        end = html.find(">", start)
        if named is None:
            return end + 1
        end = self._end_of_tag(start, end)
        tag = named[2].lower()
        if named[1]:
            self._close(tag)
            return end + 1
        self._open(tag, html[named.end() : end])
        if tag not in _RAW:
            return end + 1
        over = _RAW[tag].search(html, end)
        return len(html) if over is None else over.start()

    def _end_of_tag(self, start: int, end: int) -> int:
        """Where a tag really ends, if an attribute in quotes has a > in it."""
        html, most = self._html, start + _MOST_TAG
        if html.count('"', start, end) % 2:
            closed = html.find('"', end, most)
            further = html.find(">", closed, most) if closed > 0 else -1
            return further if further > 0 else end
        return end

    def _open(self, tag: str, attributes: str) -> None:
        if tag == "body":
            self._hidden.clear()  # a head that nobody closed ends here
        elif tag in _HIDDEN:
            self._hidden[tag] += 1
        elif tag in _BREAKS:
            self._parts.append("\n")
        if tag == "li":
            self._parts.append("- ")
        elif tag == "pre":
            self._pre += 1
        elif tag == "a":
            self._links.append((_attribute(attributes, "href"), len(self._parts)))
        elif tag == "img":
            self._data(_attribute(attributes, "alt"))

    def _close(self, tag: str) -> None:
        if tag in self._hidden:
            del self._hidden[tag]
        elif tag in _BREAKS and tag != "br":
            self._parts.append("\n")
        if tag == "pre":
            self._pre = max(0, self._pre - 1)
        elif tag == "a" and self._links:
            self._link(*self._links.pop())

    def _data(self, data: str) -> None:
        if self._hidden or not data:
            return
        said = unescape(data)
        if self._pre:  # spaces that are to stay are kept as such until the lines are trimmed
            self._parts.append(_EMPTY.sub("\n" + NBSP, said).replace(" ", NBSP))
        else:
            self._parts.append(_SPACES.sub(" ", said))

    def _link(self, to: str, since: int) -> None:
        """Where a link leads, which a reader of plain text would not see, unless its words say it."""
        said = "".join(self._parts[since:]) if len(self._parts) - since < _FEW else ""
        if to.startswith(("http://", "https://")) and to.rstrip("/") not in said and not self._hidden:
            self._parts.append(f" ({to})")


def _attribute(attributes: str, name: str) -> str:
    found = _ATTRIBUTE[name].search(attributes[:_MOST_TAG])
    return "" if found is None else unescape(next(filter(None, found.groups()), ""))


def text_of_html(html: str) -> str:
    """The text of an HTML message, blocks on lines of their own; broken HTML gives what it has."""
    return _Reader(html.replace("\r\n", "\n")).text()
