"""Texts that a journal shows as they are written, and what a reader sees of those that it does not.

What stands between `[code]` and `[/code]` in a journal is HTML to the browser of whoever reads it, unless
their administrator switched that off (glide.ui.security.allow_codetag). Source: "Render journal field entries
as HTML" of servicenow.com/docs. Nothing escapes such a tag, so a sign that nobody sees stands in ours.
"""

from __future__ import annotations

import re
from typing import Final

from integrations.markup.formats import TextFormat, plain

_JOINER: Final = "\u2060"
"""Shows as nothing, and lets no line break in."""
_TAG: Final = re.compile(r"\[(?=\s*(?:/\s*)?code\b)", re.IGNORECASE)
_DEFUSED: Final = re.compile(rf"\[{_JOINER}(?=\s*(?:/\s*)?code\b)", re.IGNORECASE)
_END: Final = "[/code]"
_CODE: Final = re.compile(r"\[code\](.*?)\[/code\]", re.DOTALL | re.IGNORECASE)


def defused(text: str) -> str:
    """Our words, which read the same and have no tag in them."""
    return _TAG.sub(f"[{_JOINER}", text)


def as_written(text: str) -> str:
    """What was defused, as it was before."""
    return _DEFUSED.sub("[", text)


def text_of(value: str) -> str:
    """A word as its reader sees it there: what stands between code tags is HTML to them."""
    end = value.lower().rfind(_END) + len(_END)  # behind it none is closed: each would be sought to the end
    shown = _CODE.sub(lambda found: plain(found[1], TextFormat.HTML), value[:end])
    return as_written(plain(shown + value[end:], TextFormat.TEXT))
