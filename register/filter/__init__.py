"""The filter language of board, command line and rules: `p<=2 state:hold "connection reset" not mine`.

From text to a tree (`parse`), and back (`shown`); from a tree to what it means for one reader at one time
(`meant`); from there to a predicate over live rows (`predicate`). The store makes an SQL condition of the
same meaning. Pure, and the standard library alone: a board may wait for it.
"""

from __future__ import annotations

from register.filter.meaning import Meaning, Reader, meant
from register.filter.parse import parse
from register.filter.rows import Predicate, predicate
from register.filter.show import shown
from register.filter.syntax import Everything, FilterError, Node

__all__ = [
    "Everything",
    "FilterError",
    "Meaning",
    "Node",
    "Predicate",
    "Reader",
    "compiled",
    "meant",
    "parse",
    "predicate",
    "shown",
]


def compiled(text: str, reader: Reader) -> Predicate:
    """Return what TinyDB's `search()` takes as it is, of a filter as it was typed; raises FilterError."""
    return predicate(meant(parse(text), reader))
