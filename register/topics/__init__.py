"""One file a topic: its verbs, its events and its rules, side by side. Importing this registers them all."""

from register.topics import (
    adoption,
    delivery,
    engagement,
    hearing,
    hold,
    intake,
    notes,
    ownership,
    resolution,
    sendings,
    sight,
    timekeeping,
)

__all__ = [
    "adoption",
    "delivery",
    "engagement",
    "hearing",
    "hold",
    "intake",
    "notes",
    "ownership",
    "resolution",
    "sendings",
    "sight",
    "timekeeping",
]
