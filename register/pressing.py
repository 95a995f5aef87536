"""What needs a hand first: the one order in which boards and lists stand. Pure: the time is an argument."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

Rank = tuple[int, float, int, int]

NEVER: Final = float("inf")
OUR_TURN_STATES: Final = frozenset({"open", "fixed"})
"""Bond states in which the ball means something: before that the ticket is on its way."""
FOR_A_PERSON: Final = frozenset({"dead", "call", "ask"})
"""Flags of a bond of which nothing comes until a person says a word."""


def rank(row: Mapping[str, Any], now: float) -> Rank:
    """What needs a hand first: overdue, our turn, unassigned, the rest; inside each by time left.

    What this reader may not see stands last.
    """
    if hidden(row):
        return (4, NEVER, row["p"], row["n"])
    due = row["due"]
    left = NEVER if due is None else due
    if left < now:
        group = 0
    elif any(our_turn(bond) for bond in row["bonds"]):
        group = 1
    elif row["owner"] is None:
        group = 2
    else:
        group = 3
    return (group, left, row["p"], row["n"])


def hidden(row: Mapping[str, Any]) -> bool:
    """Whether this reader may see no more of an incident than its number: the register gave no more."""
    return bool(row.get("masked"))


def our_turn(bond: Sequence[Any]) -> bool:
    """Whether this supplier waits for us, or for a person to clear something up."""
    return bond[5] in FOR_A_PERSON or (bond[2] == "ours" and bond[1] in OUR_TURN_STATES)


def needs_a_person(bond: Sequence[Any]) -> bool:
    """Whether a card about this supplier stands on the incident's screen."""
    return bond[5] in FOR_A_PERSON or bond[1] == "fixed"
