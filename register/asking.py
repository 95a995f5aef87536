"""What of a supplier waits for a person's word beyond its state: a table of conditions on the fold. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from register.incident import LIVE_BONDS, Bond, Priority, TicketRef
from register.merging import Shared


class Asks(StrEnum):
    """What a person may also leave as it is."""

    PRIORITY = "priority"  # they work by another priority than ours
    DUPLICATES = "duplicates"  # they have more than one ticket of it


def _priority(bond: Bond, ours: Priority) -> str:
    other = bond.told_priority is not None and bond.told_priority is not ours
    theirs = f" {bond.their_priority}" if bond.their_priority else ""
    differs = any(one.field is Shared.PRIORITY for one in bond.differences)  # that asks by itself
    return f"{int(ours)}{theirs}" if (other or theirs) and not differs and bond.state in LIVE_BONDS else ""


def _duplicates(bond: Bond, ours: Priority) -> str:
    return " ".join(ref.id for ref in spare(bond))


def spare(bond: Bond) -> tuple[TicketRef, ...]:
    """The tickets that they have of it beside the one that is spoken on."""
    return tuple(ref for ref in bond.duplicates if bond.ref is None or ref.id != bond.ref.id)


_FACT: Final[Mapping[Asks, Callable[[Bond, Priority], str]]] = MappingProxyType(
    {Asks.PRIORITY: _priority, Asks.DUPLICATES: _duplicates}
)


def mark_of(what: Asks, bond: Bond, ours: Priority) -> str:
    """What stands there to be decided, as one word; the same as long as it is the same. Empty: nothing."""
    fact = _FACT[what](bond, ours)
    return f"{what} {fact}" if fact else ""


def asked(bond: Bond, ours: Priority) -> tuple[Asks, ...]:
    """Return what waits for a word: what nobody has left as it is."""
    return tuple(what for what in Asks if (mark := mark_of(what, bond, ours)) and mark not in bond.left)
