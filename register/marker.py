"""The footer by which a text that we sent is known again, wherever a supplier shows it to us.

`[muster:01K…]` on a line of its own, after an empty one: the operation id is a ULID. The footer is for
finding, never for trust: whoever sees the ticket can copy it.
"""

from __future__ import annotations

import re
from typing import Final

_ULID: Final = "[0-7][0-9A-HJKMNP-TV-Z]{25}"  # 128 bits in Crockford's base 32: the first digit is 0 to 7
_MARKER: Final = re.compile(rf"\[muster:({_ULID})\]", re.IGNORECASE)
_FOOTER: Final = re.compile(rf"\s*\[muster:{_ULID}\]", re.IGNORECASE)
_IN_NAME: Final = re.compile(rf"\.muster-({_ULID})(?:\.|$)", re.IGNORECASE)
_WIDTH: Final = len("[muster:]") + 26
# A mail client's quoting of what we wrote: somebody else's text that carries our marker along.
_QUOTED: Final = re.compile(r"^[ \t]*(?:>|&gt;|\|)")
_IS_ULID: Final = re.compile(_ULID)


def is_op_id(text: str) -> bool:
    """Whether this may be an operation id of ours: a ULID."""
    return _IS_ULID.fullmatch(text) is not None


def sign(body: str, op_id: str) -> str:
    """Return `body` with the footer of `op_id` as its only one; ValueError when that is no ULID."""
    if not is_op_id(op_id):
        raise ValueError(f"{op_id!r} is no operation id: it must be a ULID, 26 characters in upper case")
    text = unsigned(body)
    footer = f"[muster:{op_id}]"
    return f"{text}\n\n{footer}" if text else footer


def marker_of(body: str) -> str | None:
    """The operation id in the last footer of `body` that no reply quotes, in upper case, or None."""
    for line in reversed(body.splitlines()):
        found = _MARKER.findall(line)
        if found and not _QUOTED.match(line):
            return str(found[-1]).upper()
    return None


def unsigned(body: str) -> str:
    """Return `body` without the footers at its end, for showing; quoted ones stay as they came."""
    text = body.rstrip()
    while _MARKER.fullmatch(text, max(0, len(text) - _WIDTH)):
        text = text[:-_WIDTH].rstrip()
    return text


def without_footers(body: str) -> str:
    """Return `body` without any footer, wherever it stands: words of others that are handed on."""
    return _FOOTER.sub("", body).strip()


def marked_name(name: str, op_id: str) -> str:
    """A file's name with the operation id before its ending: by it an upload is known again."""
    stem, dot, ending = name.rpartition(".")
    if not stem:
        stem, dot, ending = name, "", ""
    return f"{stem}.muster-{op_id}{dot}{ending}"


def name_marker_of(name: str) -> str | None:
    """The operation id in a file's name, in upper case, or None."""
    found = _IN_NAME.search(name)
    return None if found is None else found[1].upper()
