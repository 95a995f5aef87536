"""One file a topic: its verbs, its events and its rules, side by side. Importing this registers them all."""

from register.topics import (
    adoption,
    alert_keys,
    alert_words,
    alerts,
    correlation,
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
    "alert_keys",
    "alert_words",
    "alerts",
    "correlation",
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
