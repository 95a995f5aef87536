"""The signs that stand beside every colour, and their ASCII twins for poor locales."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Final


@dataclass(frozen=True, slots=True)
class Signs:
    """One cell each."""

    cursor: str = "▌"
    major: str = "▲"
    over: str = "!"
    unsure: str = "?"
    known: str = "✓"
    sending: str = "·"
    alarm: str = "‼"
    none: str = "–"
    live: str = "●"
    stale: str = "○"
    more: str = "…"
    rule: str = "─"
    side: str = "│"
    to: str = "→"
    dot: str = "·"
    on: str = "•"
    down: str = "▾"
    pick: str = "▸"
    full: str = "█"
    mute: str = "⊘"
    begin: str = "├"
    end: str = "┤"


UNICODE: Final = Signs()
ASCII: Final = Signs(
    cursor=">",
    major="^",
    known="v",
    sending=".",
    alarm="!",
    none="-",
    live="*",
    stale="o",
    more="~",
    rule="-",
    side="|",
    to=">",
    dot=".",
    on="*",
    down="v",
    pick=">",
    full="#",
    mute="x",
    begin="|",
    end="|",
)

_TO_ASCII: Final = {
    ord(getattr(UNICODE, field.name)): getattr(ASCII, field.name)
    for field in fields(Signs)
    if not getattr(UNICODE, field.name).isascii()
} | {ord("←"): "<", ord("↑"): "^", ord("↓"): "v"}


def signs_for(encoding: str | None, environ: Mapping[str, str]) -> Signs:
    """Return the signs a terminal of that encoding can show; MUSTER_ASCII=1 asks for the plain ones."""
    rich = (encoding or "").lower().replace("-", "").replace("_", "") == "utf8"
    return UNICODE if rich and environ.get("MUSTER_ASCII", "") in ("", "0") else ASCII


def plain(text: str, signs: Signs) -> str:
    """Return one of our own sentences with its signs exchanged for those in use."""
    return text.translate(_TO_ASCII) if signs is ASCII else text
