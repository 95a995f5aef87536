"""The three-way rule for what both sides may change on a supplier's ticket. Pure.

Its base is the shadow: what both sides last agreed on. What one side alone changed holds; where both did, the
side that owns the field does, as vendors.toml says, or a person is asked.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class Shared(StrEnum):
    """Fields of a ticket that both sides change."""

    STATE = "state"
    PRIORITY = "priority"


class Owner(StrEnum):
    """Whose word holds where both sides changed a field."""

    OURS = "ours"
    THEIRS = "theirs"
    CONFLICT = "conflict"  # nobody's: a person is asked, and nothing is written


class Verdict(StrEnum):
    AGREED = "agreed"  # both say the same: nothing is to be done
    WRITE = "write"  # ours is written there
    GIVE_WAY = "give way"  # theirs holds
    ASK = "ask"  # a person is asked


OWNERS: Final[Mapping[Shared, Owner]] = MappingProxyType(
    {Shared.STATE: Owner.THEIRS, Shared.PRIORITY: Owner.OURS}
)
"""Where vendors.toml says nothing: how far they are is theirs to say, how urgent it is ours."""
_BOTH: Final = MappingProxyType(
    {Owner.OURS: Verdict.WRITE, Owner.THEIRS: Verdict.GIVE_WAY, Owner.CONFLICT: Verdict.ASK}
)


def merged(*, agrees: bool, they_changed: bool, we_changed: bool, owner: Owner) -> Verdict:
    """What becomes of a field. agrees: both say the same by now; changed: since they last agreed."""
    if agrees:
        return Verdict.AGREED
    if not they_changed:
        return Verdict.WRITE
    return _BOTH[owner] if we_changed else Verdict.GIVE_WAY


def owner_of(table: Mapping[Shared, Owner], field: Shared) -> Owner:
    """Who owns a field, as a supplier's table says or as is usual."""
    return table.get(field, OWNERS[field])
