"""Opsgenie's JSON as we read it: fields bear Opsgenie's names."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from pydantic import BaseModel

from integrations.errors import Rejected
from integrations.opsgenie.config import ACKNOWLEDGED, CLOSED, OPEN
from integrations.zones import TheirTime
from register.incident import TicketRef
from register.text import one_line

_LONGEST: Final = 100 * 365 * 24 * 3_600_000
"""Milliseconds, beyond which a time is none."""


class Accepted(BaseModel):
    """The answer to every write: it will be done, or not."""

    requestId: str


class Outcome(BaseModel):
    """What became of a write. isSuccess: unknown while it is not done."""

    isSuccess: bool | None = None
    status: str = ""
    alertId: str = ""


class Asked(BaseModel):
    data: Outcome


class Report(BaseModel):
    """Milliseconds from an alert's making until somebody took it up, and until it was closed; and who."""

    ackTime: int | None = None
    closeTime: int | None = None
    acknowledgedBy: str = ""
    closedBy: str = ""


class Alert(BaseModel):
    id: str
    tinyId: str = ""
    alias: str = ""
    message: str = ""
    status: str = ""
    acknowledged: bool = False
    owner: str = ""
    priority: str = ""
    createdAt: TheirTime
    updatedAt: TheirTime
    report: Report | None = None

    @property
    def raw_state(self) -> str:
        """Their two marks in one word."""
        if self.status == CLOSED:
            return CLOSED
        return ACKNOWLEDGED if self.acknowledged and self.status == OPEN else self.status

    @property
    def states(self) -> list[tuple[str, datetime, str]]:
        """Which state it got, when, and by whom, as far as it tells."""
        report = self.report or Report()
        told = (
            (ACKNOWLEDGED, report.ackTime, report.acknowledgedBy),
            (CLOSED, report.closeTime, report.closedBy),
        )
        known = [(raw, ms, who) for raw, ms, who in told if ms is not None and 0 <= ms <= _LONGEST]
        return [(raw, self.createdAt + timedelta(milliseconds=ms), who) for raw, ms, who in known]


class TheAlert(BaseModel):
    data: Alert


class Alerts(BaseModel):
    data: tuple[Alert, ...]


class Note(BaseModel):
    """A note; `offset` is its place, the one thing by which it is known again."""

    note: str = ""
    owner: str = ""
    createdAt: TheirTime
    offset: str


class Notes(BaseModel):
    data: tuple[Note, ...]


class Account(BaseModel):
    name: str = ""


class TheAccount(BaseModel):
    data: Account


def alert_path(ref: TicketRef, what: str = "") -> str:
    if not ref.id.replace("-", "").isalnum() or not ref.id.isascii():
        raise Rejected(f"{one_line(ref.id)} is no alert of Opsgenie: nothing was sent.")
    return f"/alerts/{ref.id}{what}"
