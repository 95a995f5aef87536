"""Our operation id twice in a text: in a line that people see, and in an HTML comment."""

from __future__ import annotations

import re
from typing import Final

from integrations.markup.formats import TextFormat, plain, signed
from register.marker import marker_of, unsigned
from register.text import MAX_TEXT, clip

_HIDDEN: Final = re.compile(r"<!-- muster:([0-9A-Z]{26}) -->\s*$")


def written(text: str, op_id: str, how: TextFormat = TextFormat.MARKDOWN) -> str:
    """Our words, signed as everywhere, and once more where nobody sees it."""
    return f"{signed(text, op_id, how)}\n\n<!-- muster:{op_id} -->"


def said(body: str | None, how: TextFormat = TextFormat.MARKDOWN) -> tuple[str, str | None]:
    """A text as it is shown, without our footer, and the operation id under it, if there is one."""
    text = body or ""
    hidden = _HIDDEN.search(text)
    shown = plain(text[: hidden.start()].rstrip() if hidden else text, how)
    marker = marker_of(shown) or (hidden[1] if hidden else None)
    return clip(unsigned(shown).strip(), MAX_TEXT), marker
