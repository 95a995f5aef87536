"""What the register knows of a supplier: a plain value, made of its block in the adopted vendors.toml."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from register.contact import Contact, whom
from register.leaving import USUALLY, Receives
from register.merging import OWNERS, Owner, Shared
from register.translation import NO_TABLES, Translation


@dataclass(frozen=True, slots=True)
class VendorFacts:
    """What the register knows of a supplier: enough to refuse a wrong name and to say where things go.

    by_hand: no system of theirs can be spoken to, so a person hands over what is prepared here.
    p1: "ticket+call" where they want to be called as well when it is a P1.
    """

    name: str
    title: str
    production: bool
    on_resolved: str = "propose"  # what their "fixed" does: propose | resume | resolve
    by_hand: bool = False
    p1: str = "ticket"
    phone: str = ""
    contacts: tuple[Contact, ...] = ()
    receives: Receives = USUALLY
    owner: Mapping[Shared, Owner] = field(default_factory=lambda: OWNERS)  # where both changed a field
    translation: Translation = NO_TABLES
    closes_after: timedelta | None = None  # they close what waits for us so long

    @property
    def to_call(self) -> tuple[Contact, ...]:
        """Whom to call there, by level."""
        return whom(self.title, self.phone, self.contacts)
