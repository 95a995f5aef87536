"""Whose a mail is, by its From: one address, or nobody's. Pure.

By it a mail counts as a supplier's word, so it is read as strictly as RFC 5322 has it: before its encoded
words are, for anything can stand in them that looks like an address, and with nothing left over.
"""

from __future__ import annotations

import re
from typing import Final

_QUOTED: Final = re.compile(r'"(?:[^"\\]|\\.)*"')
_COMMENT: Final = re.compile(r"\((?:[^()\\]|\\.)*\)")
_NAMED: Final = re.compile(r"([^<>]*)<([^<>]*)>\s*")
_ADDRESS: Final = re.compile(r'[^\s@<>()\[\],;:\\"]{1,64}@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*')
MOST: Final = 2_000
"""Signs of a From that are looked at."""


def sender_in(said: str) -> tuple[str, str]:
    """(name as it stands, address in lower case) of one From; ("", "") where it names nobody, or several."""
    if len(said) > MOST:
        return "", ""
    bare = _without(_COMMENT, _QUOTED.sub('""', said))
    if "(" in bare or ")" in bare or bare.count('"') % 2:
        return "", ""
    found = _NAMED.fullmatch(bare)
    before, address = (found[1], found[2].strip()) if found else ("", bare.strip())
    if not _ADDRESS.fullmatch(address) or ("@" in before and re.search("[,;:]", before)):
        return "", ""
    name = said.rpartition("<")[0].strip() if found else ""
    if _QUOTED.fullmatch(name):
        name = re.sub(r"\\(.)", r"\1", name[1:-1])
    return name, address.lower()


def _without(pattern: re.Pattern[str], text: str) -> str:
    """Comments may stand in one another: the innermost go first."""
    for _ in range(20):
        text, count = pattern.subn(" ", text)
        if not count:
            break
    return text
