"""How far a path or a pattern may go: bounded when vendors.toml is read, whatever a server answers then.

A path can give what it finds several times (`[@,@]`), and a chain of such doubles each time. A pattern can
try each way to split a text, of which there may be more than anybody waits for.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any, Final

MOST_TIMES: Final = 200
"""How often a path may give what an answer has: a hash of thirty names for each row is 30."""
MOST_OPEN: Final = 2
"""Repeats without an end (`*`, `+`, `{2,}`): with each, the time goes with one more power of the length."""
MOST_CHOICES: Final = 8
"""Places where a pattern may go one way or the other (`?`, `|`, `{1,3}`): the time doubles with each."""
_SIDE_BY_SIDE: Final = ("multi_select_list", "multi_select_dict")
_PLAIN: Final = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\(\?(?:[:=!>]|<[=!]|P?<\w+>)", re.DOTALL)
"""What is no repeat and no choice: an escaped sign, a class of signs, the head of a group."""
_REPEATED: Final = re.compile(r"\)(?:[*+]|\{)")
_REPEAT: Final = re.compile(r"(?P<open>[*+]|\{\d*,\})|(?P<choice>\?|\||\{\d*(?:,\d+)?\})")
_LAZY: Final = re.compile(r"([*+?}])[?+]")


def times(path: Mapping[str, Any]) -> int:
    """How often at most a path, as jmespath parses it, gives what it is given."""
    below = [times(child) for child in path["children"]]
    if path["type"] in _SIDE_BY_SIDE:
        return sum(below)
    own = len(str(path["value"])) // 8 if path["type"] == "literal" else 1
    return math.prod(below, start=max(own, 1))


def slow(pattern: str) -> str:
    """Why a regular expression may take too long; empty where it cannot."""
    plain = _LAZY.sub(r"\1", _PLAIN.sub(lambda hit: "(" if hit[0].startswith("(") else "x", pattern))
    if _REPEATED.search(plain):
        return "repeats a group, which may take for ever on some texts"
    found = [hit.lastgroup for hit in _REPEAT.finditer(plain)]
    if found.count("open") > MOST_OPEN:
        return f"has {found.count('open')} of * and +, and {MOST_OPEN} are the most"
    if found.count("choice") > MOST_CHOICES:
        return f"has {found.count('choice')} of ? and |, and {MOST_CHOICES} are the most"
    return ""
