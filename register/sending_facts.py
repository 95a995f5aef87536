"""What a rule may know of one row of the outbox, to a supplier or to one of us."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SendingFacts:
    """One row of the outbox, as far as a rule needs it."""

    row_id: str
    op_id: str
    bond: str
    kind: str
    state: str
    incident: str
    vendor: str
    payload: str = "{}"
    position: int = 0
    tries: int = 0
    lane: str = "bonds"
    person: str = ""  # of a page: who is paged
    on_ambiguous: str = "ask"  # ask | resend | key
