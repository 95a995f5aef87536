"""A token is used: whoever it was sent to acknowledges, once, in the same transaction in which it is used up.

What came of it is one of a few things, each a sentence (`acks.words`). Blocking: for the register's thread.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Connection

from integrations.acks.tokens import digest
from integrations.persons import person_of, principal_of
from register.core import Principal, Refused
from register.desk import ServiceDesk
from register.incident import Incident
from register.store import Store, ack_links, pages
from register.store.ack_links import AckLink
from register.store.adopted import adopted
from register.store.transaction import Transaction
from register.topics.ownership import Acknowledge, who_has


class Became(StrEnum):
    """What a token came to."""

    YOURS = "yours"
    ALREADY = "already"  # theirs, before this
    ANOTHERS = "anothers"  # somebody acknowledged it first; that they did as well is on record
    OVER = "over"  # the incident is
    USED = "used"  # the token was, and the incident is not theirs any more
    OLD = "old"  # its time is over, or nobody knows it any more
    GONE = "gone"  # whoever it was for is none of ours any more
    REFUSED = "refused"  # a rule says no


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it. who, since, by: of whoever else has it, by name and id. why: a rule's sentence."""

    became: Became
    incident: Incident | None = None
    who: str = ""
    since: datetime | None = None
    zone: str = "UTC"
    why: str = ""
    by: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """A token that can be used: for whom, on which incident. has: whoever else is on that, by name."""

    link: AckLink
    incident: Incident
    login: str
    zone: str
    has: str | None

    @property
    def mine(self) -> bool:
        """Whether whoever it is for is on it already."""
        return who_has(self.incident)[0] == self.link.person

    @property
    def outcome(self) -> Outcome:
        """How it stands already; YOURS where it is theirs for the asking."""
        incident = self.incident
        if not incident.is_open:
            return Outcome(Became.OVER, incident, zone=self.zone)
        return Outcome(Became.YOURS, incident, self.has or "", who_has(incident)[1], self.zone)


def looked_at(desk: ServiceDesk, token: str, now: datetime) -> Standing | Outcome:
    """What a token stands for, if it counts; nothing is changed by looking."""
    store = desk.store
    link = ack_links.find(store, digest(token))
    return Outcome(Became.OLD) if link is None else standing_of(desk, link, now)


def standing_of(desk: ServiceDesk, link: AckLink, now: datetime) -> Standing | Outcome:
    """The same of a token whose row is known."""
    store = desk.store
    incident = store.incident(link.incident)
    login = login_of(store, link.person)
    if incident is None or login is None:
        return Outcome(Became.OLD)
    matrix = adopted(store, desk.policy).policy.matrix
    key = person_of(matrix, login)
    if key is None:
        return Outcome(Became.GONE, incident)
    zone = matrix.people[key].zone
    if link.used_at is not None:
        return _after(store, link, incident, zone)
    if link.expires_at <= now:
        return Outcome(Became.OLD, incident)
    return Standing(link, incident, login, zone, _other(store, incident, link.person))


def _after(store: Store, link: AckLink, incident: Incident, zone: str) -> Outcome:
    """What is said of a token that was used."""
    if not incident.is_open:
        return Outcome(Became.OVER, incident, zone=zone)
    by, since = who_has(incident)
    if by == link.person:
        return Outcome(Became.ALREADY, incident, since=since, zone=zone)
    return Outcome(Became.USED, incident, _other(store, incident, link.person) or "", since, zone)


def now_of(desk: ServiceDesk, incident: Incident, person: str) -> Outcome:
    """How an incident stands for somebody now: ALREADY theirs, OVER, or whoever else has it."""
    store, login = desk.store, login_of(desk.store, person)
    matrix = adopted(store, desk.policy).policy.matrix
    key = None if login is None else person_of(matrix, login)
    zone = "UTC" if key is None else matrix.people[key].zone
    by, since = who_has(incident)
    if not incident.is_open:
        return Outcome(Became.OVER, incident, zone=zone)
    if by == person:
        return Outcome(Became.ALREADY, incident, since=since, zone=zone)
    return Outcome(Became.USED, incident, _other(store, incident, person) or "", since, zone)


def login_of(store: Store, person: str) -> str | None:
    """The login behind an id; None for whoever was erased."""
    with store.read() as connection:
        return pages.login_of(connection, person)


def _other(store: Store, incident: Incident, person: str) -> str | None:
    """The name of whoever acknowledged it, if that is somebody else."""
    by, _ = who_has(incident)
    return None if by is None or by == person else store.people().get(by, by)


def acknowledge(
    desk: ServiceDesk,
    standing: Standing,
    source: str,
    now: datetime,
    also: Callable[[Connection, Outcome], object] = lambda connection, outcome: None,
) -> Outcome:
    """Acknowledge as whoever the token was sent to. source: the door, as events have it.

    Of two who use one token at once, one does; the other is told how it stands then. also: what is written
    in the same transaction.
    """
    store, link = desk.store, standing.link
    was: list[Outcome] = []

    def still(transaction: Transaction) -> bool:
        free = ack_links.use(transaction.connection, link.sha256, now)
        if free:
            was.append(_became(store, standing, transaction.incident(link.incident)))
            also(transaction.connection, was[0])
        return free

    try:
        done = desk.do_if(_who(store, standing, source), Acknowledge(target=link.incident), still)
    except Refused as refused:
        return _refused(desk, standing, refused)
    if done is None:
        again = ack_links.find(store, link.sha256)
        stands = Outcome(Became.OLD) if again is None else standing_of(desk, again, now)
        return stands if isinstance(stands, Outcome) else Outcome(Became.OLD, standing.incident)
    return replace(was[0], incident=done.incident)


def _became(store: Store, standing: Standing, before: Incident | None) -> Outcome:
    """What it comes to where the incident stands so before it."""
    if before is None or not before.is_open:
        return Outcome(Became.OVER, zone=standing.zone)
    who, (by, since) = _other(store, before, standing.link.person), who_has(before)
    if who is not None:
        return Outcome(Became.ANOTHERS, None, who, since, standing.zone, by=by or "")
    return Outcome(Became.YOURS, zone=standing.zone)


def _who(store: Store, standing: Standing, source: str) -> Principal:
    return principal_of(store, standing.login, source)


def _refused(desk: ServiceDesk, standing: Standing, refused: Refused) -> Outcome:
    """A rule says no: that they have it already is no harm."""
    incident = desk.store.incident(standing.link.incident)
    by, since = (None, None) if incident is None or not incident.is_open else who_has(incident)
    if by == standing.link.person:
        return Outcome(Became.ALREADY, incident, since=since, zone=standing.zone)
    return Outcome(Became.REFUSED, incident, why=refused.sentence)
