"""What a rule may know of a supplier's change that could not be taken in."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AsideFacts:
    """A supplier's change that could not be taken in. incident, bond: empty where they cannot be told."""

    vendor: str
    change_id: str
    incident: str
    bond: str
    raw: str
    why: str
