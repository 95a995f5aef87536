"""Bytes of a mail as text: in the charset that they name if it is true, else in a likely one. Pure."""

from __future__ import annotations

import codecs
from typing import Final

_NOT_TEXT: Final = frozenset({"idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined"})
_WIDER: Final = {
    "ascii": "utf-8",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "big5": "big5hkscs",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
    "iso8859-1": "cp1252",
    "iso8859-9": "cp1254",
    "tis-620": "cp874",
}
"""What mail programs write that name the first: the Encoding Standard's labels (encoding.spec.whatwg.org)."""
_LOST: Final = 0.2
"""Signs that may be lost in a charset for each that it reads beyond ASCII, before another is likelier."""
_FOREIGN: Final = 0.3
"""Share of signs beyond ASCII in a text that no charset fitted, from which it is no word in any language."""


def decoded(said: bytes, charset: str) -> str:
    """The text; a charset that is wrong costs signs, never the text."""
    return _decoded(said, charset)[0]


def garbled(said: bytes, charset: str) -> bool:
    """Whether the text is probably not what was written: no charset fits."""
    text, fits = _decoded(said, charset)
    return not fits and _beyond(text) > _FOREIGN * len(text)


def _decoded(said: bytes, charset: str) -> tuple[str, bool]:
    names = [name for name in (_real(charset), "utf-8") if name]
    for name in names:
        try:
            return said.decode(name), True
        except ValueError:
            continue
    for name in names:  # one broken sign, or one that was cut in two at the end, must not cost the others
        text = said.decode(name, "replace")
        lost = text.count("\ufffd")
        read = _beyond(text) - lost
        if read and lost - text.endswith("\ufffd") <= _LOST * read:
            return text, True
    try:
        return said.decode("cp1252"), False
    except ValueError:
        return said.decode("latin-1"), False


def _beyond(text: str) -> int:
    return sum(sign > "\x7f" for sign in text)


def _real(name: str) -> str:
    """The codec of a charset's name, or of a wider one that takes all that it does; empty if it is none."""
    for label in (name, name.lower().removeprefix("x-")):
        try:
            codec = codecs.lookup(label).name
            b"a".decode(codec, "replace")  # zlib and its like are none of texts
        except (LookupError, ValueError):
            continue
        if codec not in _NOT_TEXT:
            return _WIDER.get(codec, codec)
    return ""
