"""The part of text.py that a first paint needs: standard library alone, so it imports in no time."""

from __future__ import annotations

import re
from typing import Final

# C0 except tab and newline, DEL and C1 (ESC and CSI among them), bidi overrides and isolates, line and
# paragraph separators, the byte order mark, lone surrogates, and the tag block (invisible instructions).
_UNSAFE: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2028\u2029\u2066-\u2069\ufeff"
    "\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e007f]"
)
_SPACES: Final = re.compile(r"[\s]+")


def clean(text: str) -> str:
    """Return `text` with line ends as newlines and without anything a terminal would obey."""
    return _UNSAFE.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def one_line(text: str) -> str:
    """Return cleaned `text` as a single line, runs of white space folded to one space."""
    return _SPACES.sub(" ", clean(text)).strip()


def clip(text: str, limit: int) -> str:
    """Return `text`, or its beginning with a sign that more was there."""
    return text if len(text) <= limit else text[: limit - 1] + "…"
