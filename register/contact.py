"""Whom to call at a supplier: their own escalation, level by level."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Final, Self

from pydantic import AfterValidator, BaseModel, Field, StringConstraints, model_validator

from register.text import Name, one_line

ShortLine = Annotated[str, AfterValidator(one_line), StringConstraints(max_length=80)]
"""One line of at most 80 characters, possibly empty."""


class Contact(BaseModel, frozen=True, extra="forbid"):
    """One person or desk of a supplier's. The level is theirs: 1 is called first."""

    level: Annotated[int, Field(strict=True, ge=1, le=9, description="1 is called first")] = 1
    name: Annotated[Name, Field(description="who answers there")]
    phone: Annotated[ShortLine, Field(description="their number")] = ""
    mail: Annotated[ShortLine, Field(description="their address")] = ""
    hours: Annotated[ShortLine, Field(description="when somebody answers")] = ""

    @model_validator(mode="after")
    def _can_be_reached(self) -> Self:
        if not self.phone and not self.mail:
            raise ValueError("has neither phone nor mail, so nobody can be reached by it: add one of them")
        return self

    def __str__(self) -> str:
        """`1  Service desk  +47 22 00 00 00  desk@example.com  (24x7)`."""
        parts = (str(self.level), self.name, self.phone, self.mail, f"({self.hours})" if self.hours else "")
        return "  ".join(part for part in parts if part)


def whom(title: str, phone: str, contacts: Iterable[Contact]) -> tuple[Contact, ...]:
    """Return a supplier's contacts by level. Where none is named, their phone is the only one."""
    known = sorted(contacts, key=lambda one: one.level)
    if not known and phone:
        return (Contact(name=title, phone=phone),)
    return tuple(known)


def from_level(contacts: Sequence[Contact], level: int) -> tuple[Contact, ...]:
    """Return those to call at this level: its own, else the highest below it; then those above."""
    reached = max((one.level for one in contacts if one.level <= level), default=0)
    return tuple(one for one in contacts if one.level >= reached)


CALL_WHY: Final[Mapping[str, str]] = {
    "p1": "a P1 is a ticket and a call with them",
    "unconfirmed": "no ticket of theirs is confirmed since {at}",
    "promise": "what they promised until {at} has passed",
    "contract": "their contract is about to be broken",
}
"""Why a supplier is to be called, by register.incident.CallWhy, as a half-sentence."""
