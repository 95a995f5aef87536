"""What of a mail's text is new: quoted text and signatures are folded away, and nothing where it is unsure.

mail-parser-reply knows the sentences of thirteen languages by which mail programs begin a quotation. Its
patterns take long over long lines, so it is asked of texts of a usual shape alone; it also strips lines and
takes lists for signatures, so only the place where it cuts is believed.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any, Final

MOST: Final = 10_000
"""Characters of a text of which a library is asked."""
MOST_LINE: Final = 300
"""Characters of a line that may begin a quotation; a longer one is somebody's paragraph."""
_QUOTED: Final = re.compile(r"[ \t]*>")
_RULE: Final = re.compile(r"\s*[_=*-]{5,}\s*")
"""A line that parts what is new from what is quoted."""
_SIGNED: Final = re.compile(r"-- ?")
LANGUAGES: Final = ("en", "de", "da", "fr", "es", "it", "ja", "nl", "pl", "sv", "cs", "ko", "zh")


def folded(text: str) -> str:
    """The text without what it quotes at its end, and without the signature; whole, if nothing were left."""
    lines = text.split("\n")
    kept = lines[: min(_cut(text, lines), len(lines))]
    for at, line in enumerate(kept):
        if at and _SIGNED.fullmatch(line):
            kept = kept[:at]
            break
    cut = len(kept) < len(lines)
    while kept and (not kept[-1].strip() or _QUOTED.match(kept[-1]) or (cut and _RULE.fullmatch(kept[-1]))):
        kept.pop()
    said = "\n".join(kept).strip("\n")
    return said if said.strip() else text.strip("\n")


def own(text: str) -> str:
    """Only what is new, above or below what is quoted; empty where nothing is, or nobody can tell."""
    lines = text.strip("\n").split("\n")
    found = None if len(text) > MOST else _headers().search(_short("\n".join(lines)))
    if found is not None:
        begin = found.string[: found.start()].count("\n") + found.group().startswith("\n")
        end = found.string[: found.end()].count("\n") + (not found.group().endswith("\n"))
        above = [line for line in lines[:begin] if line.strip() and not _QUOTED.match(line)]
        marked = any(_QUOTED.match(line) for line in lines[end:])
        lines = lines[:begin] if above else lines[end:] if marked else []
    kept: list[str] = []
    for line in lines:
        if _SIGNED.fullmatch(line):
            break
        if not _QUOTED.match(line) and not _RULE.fullmatch(line):
            kept.append(line)
    return "\n".join(kept).strip()


def _short(text: str) -> str:
    return "\n".join(line.strip() if len(line) <= MOST_LINE else "…" for line in text.split("\n"))


def _cut(text: str, lines: list[str]) -> int:
    """The line from which on older mails are quoted."""
    if len(text) > MOST:
        return len(lines)
    found = _headers().search("\n".join(line.strip() if len(line) <= MOST_LINE else "…" for line in lines))
    if found is None:
        return len(lines)
    before = found.string[: found.start()]
    at = before.count("\n") + (found.group().startswith("\n"))
    return at or len(lines)


@cache
def _headers() -> Any:
    """The pattern of the library for how a quotation begins."""
    from mailparser_reply.parser import EmailMessage

    return EmailMessage(text="", languages=list(LANGUAGES)).HEADER_REGEX
