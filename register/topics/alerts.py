"""Alerts: what monitoring says, once for each incident, however often it is said.

A (service, key) that fires opens an incident, and belongs to it until that one is over for good. What is
said again is counted: the first ten times each as an event, then one event a minute with the count so far,
so that a storm does not fill the log. A source's own times are kept and told; nothing is ordered by them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, Final

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field, StringConstraints, model_validator
from ulid import ULID

from register.core import (
    AlertAsked,
    Command,
    Decision,
    Earlier,
    Event,
    Role,
    Said,
    World,
    bookkeeping,
    decide,
    evolve,
    says,
)
from register.effect import Effect
from register.incident import Alert, Impact, Incident, Severity, State, Urgency
from register.text import MAX_TITLE, Name, Text, Title, clip, one_line
from register.topics.alert_keys import AlertMoved
from register.topics.correlation import correlated
from register.topics.intake import Log
from register.topics.resolution import Reopen

GRADES: Final[Mapping[Severity, tuple[Impact, Urgency]]] = MappingProxyType(
    {
        Severity.CRITICAL: (Impact.HIGH, Urgency.HIGH),
        Severity.ERROR: (Impact.MEDIUM, Urgency.HIGH),
        Severity.WARNING: (Impact.MEDIUM, Urgency.MEDIUM),
        Severity.INFO: (Impact.LOW, Urgency.LOW),
    }
)
"""Which impact and urgency an incident begins with: P1, P2, P3, P5."""
EACH_UP_TO: Final = 10
"""So many times a firing alert is an event each; from then on one a minute tells the count."""
THEN_EVERY: Final = timedelta(minutes=1)
_OKS: Final = 2
"""So many times in a row the word that it is over is an event: a source may say it all day."""
_FIRST_YEAR: Final = 1970
"""Earlier times are how programs write that they have none."""
BY_HAND: Final = "by hand"


class Status(StrEnum):
    FIRING = "firing"
    OK = "ok"


def _lined(value: object) -> object:
    return one_line(value) if isinstance(value, str) else value


def _claim(value: datetime | None) -> datetime | None:
    """Return what a source says of when, in UTC; None where that is no time at all."""
    if value is None:
        return None
    try:
        claimed = value.astimezone(UTC)
    except OverflowError:
        return None
    return claimed if claimed.year >= _FIRST_YEAR else None


Key = Annotated[str, BeforeValidator(_lined), StringConstraints(min_length=1, max_length=255)]


class TakeAlert(Command):
    """Take in what monitoring says: an alert that fires, or one that is over."""

    verb: ClassVar[str] = "alert"
    role: ClassVar[Role] = Role.RESPONDER
    on_incident: ClassVar[bool] = False
    in_bulk: ClassVar[bool] = True

    service: Annotated[Name, Field(description="the service that suffers")]
    key: Annotated[Key, Field(description="what the source calls this alert: the same key, the same alert")]
    source: Annotated[Name, Field(description="which monitoring says so")] = BY_HAND
    severity: Annotated[Severity, Field(description="how bad it is")] = Severity.WARNING
    status: Annotated[Status, Field(description="whether it fires or is over")] = Status.FIRING
    title: Annotated[Title | None, Field(description="what is wrong, in a few words")] = None
    category: Annotated[Name | None, Field(description="the kind of thing that is wrong")] = None
    description: Annotated[Text, Field(description="what is known so far")] = ""
    at: Annotated[
        AwareDatetime | None,
        AfterValidator(_claim),
        Earlier(),
        Field(description="when it began, or ended, by the source's own clock"),
    ] = None
    id: Annotated[
        Key | None, Field(description="the source's name for this message: the same one twice adds nothing")
    ] = None

    @model_validator(mode="before")
    @classmethod
    def _same_twice(cls, given: Any) -> Any:
        """The same message has the same command id, whoever brings it and through whichever door."""
        if not isinstance(given, dict) or not given.get("id") or "command_id" in given:
            return given
        about = {"source": BY_HAND, "status": Status.FIRING.value} | given
        names = ("source", "id", "service", "key", "status", "at")
        words = "\0".join(one_line(str(about.get(name))) for name in names)
        return given | {"command_id": str(ULID.from_bytes(hashlib.sha256(words.encode()).digest()[:16]))}

    def asks_alert(self, incidents: Mapping[str, Incident]) -> AlertAsked:
        return AlertAsked(
            service=self.service,
            key=self.key,
            source=self.source,
            category=self.category or "",
            said=self.command_id if self.id else "",
            new=self.status is Status.FIRING,
        )


class AlertFired(Event):
    """It fires: for the first time here, or again after it was over or resolved."""

    kind: ClassVar[str] = "alert_fired"

    alert: str
    source: str
    service: str
    key: str
    category: str
    severity: Severity
    title: str
    count: int
    started: datetime
    claimed: datetime | None  # when it began, as the source said it
    leader: str
    recurrence_of: str | None = None


class DuplicateSuppressed(Event):
    """It fires still; `count` is how often that was said by now."""

    kind: ClassVar[str] = "duplicate_suppressed"

    source: str
    severity: Severity
    count: int


class AlertOk(Event):
    """The source says that it is over."""

    kind: ClassVar[str] = "alert_ok"

    source: str
    count: int
    claimed: datetime | None
    late: bool  # the incident was not open any more
    already: bool  # it was over before


@dataclass(frozen=True, slots=True)
class CountAlert(Effect):
    """An alert that fires was said once more, and that is no event: nobody need be woken for it.

    said: the name of the message, where its source gave it one; it is remembered.
    """

    moves: ClassVar[bool] = False

    alert: str
    source: str
    said: str


def known_alert(world: World) -> tuple[Incident, Alert] | None:
    """The incident that has the alert, or had it last."""
    found = world.incidents.get(world.alert.incident or "")
    return None if found is None or found.alert is None else (found, found.alert)


@decide.register
def _(command: TakeAlert, incident: Any, world: World) -> Decision:
    known = known_alert(world)
    if world.alert.counted:
        return ()
    if known is None:
        return _opened(command, None, world) if command.status is Status.FIRING else ()
    if command.status is Status.OK:
        return _over(command, *known, world)
    return _fires(command, *known, world)


def _fires(command: TakeAlert, found: Incident, alert: Alert, world: World) -> Decision:
    if not found.holds_key:
        return _opened(command, found, world)
    if found.state is State.RESOLVED:
        if not flaps(found, world):
            return _opened(command, found, world)
        how = "fires still" if alert.firing else "fires again"
        reopened = decide(
            Reopen(target=found.number, reason=f"{command.source}: the alert {how}."), found, world
        )
        return (*reopened, *says(found, _again(command, found, alert, world)))
    if not alert.firing:
        return says(found, _again(command, found, alert, world))
    if not is_told(command, alert, world):
        return ()
    count = world.alert.count + 1
    return says(found, DuplicateSuppressed(source=command.source, severity=command.severity, count=count))


def flaps(found: Incident, world: World) -> bool:
    since = found.resolved_at
    return since is not None and world.now - since <= world.policy.matrix.flap_window


def is_told(command: TakeAlert, alert: Alert, world: World) -> bool:
    """Whether saying it once more is an event, or is only counted."""
    few = world.alert.count < EACH_UP_TO
    return few or command.severity is not alert.severity or world.now - alert.last_seen >= THEN_EVERY


def _over(command: TakeAlert, found: Incident, alert: Alert, world: World) -> Decision:
    if alert.oks >= _OKS:
        return ()
    return says(
        found,
        AlertOk(
            source=command.source,
            count=world.alert.count,
            claimed=command.at,
            late=not found.is_open,
            already=not alert.firing,
        ),
    )


def _opened(command: TakeAlert, before: Incident | None, world: World) -> Decision:
    """A new incident. What the matrix does not know of service and category, the alert alone keeps."""
    matrix, number = world.policy.matrix, world.next_number
    impact, urgency = GRADES[command.severity]
    title = command.title or clip(f"{command.key} on {command.service}", MAX_TITLE)
    service = matrix.service_named(command.service) or ("" if matrix.services else command.service)
    category = matrix.category_named(command.category or "") or (
        "" if matrix.categories else command.category
    )
    logged = decide(
        Log(
            title=title,
            impact=impact,
            urgency=urgency,
            service=service or None,
            category=category or None,
            description=command.description,
        ),
        None,
        world,
    )
    follows = before if before is not None and before.state is not State.CANCELED else None
    floor = None if before is None else before.resolved_at or before.closed_at
    fired = AlertFired(
        alert=command.command_id,
        source=command.source,
        service=command.service,
        key=command.key,
        category=command.category or "",
        severity=command.severity,
        title=title,
        count=1,
        started=_started(command.at, floor, world.now),
        claimed=command.at,
        leader=world.alert.leader or number,
        recurrence_of=None if follows is None else follows.number,
    )
    moved = () if follows is None else says(follows, AlertMoved(to=number))
    return (*logged, Said(number, fired), *correlated(number, world), *moved)


def _again(command: TakeAlert, found: Incident, alert: Alert, world: World) -> AlertFired:
    return AlertFired(
        alert=alert.id,
        source=command.source,
        service=alert.service,
        key=alert.key,
        category=alert.category,
        severity=command.severity,
        title=command.title or found.title,
        count=world.alert.count + 1,
        started=_started(command.at, found.resolved_at or alert.started, world.now),
        claimed=command.at,
        leader=alert.leader,
    )


def _started(claimed: datetime | None, after: datetime | None, now: datetime) -> datetime:
    """When it began: as the source says, unless that lies ahead or is what was settled before."""
    if claimed is None or claimed > now or (after is not None and claimed <= after):
        return now
    return claimed


@bookkeeping.register
def _(command: TakeAlert, world: World) -> tuple[Effect, ...]:
    known = known_alert(world)
    if known is None or command.status is Status.OK or world.alert.counted:
        return ()
    found, alert = known
    if not found.is_open or not alert.firing or is_told(command, alert, world):
        return ()
    return (CountAlert(alert.id, command.source, command.command_id if command.id else ""),)


@evolve.register
def _(event: AlertFired, incident: Incident, at: datetime) -> Incident:
    now = {"severity": event.severity, "count": event.count, "last_seen": at, "started": event.started}
    if incident.alert is not None:
        return incident.but(alert=incident.alert.but(firing=True, oks=0, **now))
    alert = Alert(
        id=event.alert,
        source=event.source,
        service=event.service,
        key=event.key,
        category=event.category,
        first_seen=at,
        leader=event.leader,
        recurrence_of=event.recurrence_of,
        **now,
    )
    return incident.but(alert=alert)


@evolve.register
def _(event: DuplicateSuppressed, incident: Incident, at: datetime) -> Incident:
    if incident.alert is None:
        return incident
    alert = incident.alert.but(severity=event.severity, count=event.count, last_seen=at)
    return incident.but(alert=alert)


@evolve.register
def _(event: AlertOk, incident: Incident, at: datetime) -> Incident:
    if incident.alert is None:
        return incident
    alert = incident.alert
    return incident.but(alert=alert.but(firing=False, oks=alert.oks + 1, count=event.count))
