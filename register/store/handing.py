"""What a handover is about, read: the incidents it is made of, and the words that went with each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, Connection, and_, or_, select

from register.core import Principal
from register.handing import Asked, Handover, Line, line_of, open_from
from register.incident import Incident
from register.policy import Matrix
from register.roster import Roster
from register.row import number_of
from register.seeing import may_see
from register.store import tables as t
from register.store.folding import kept_of
from register.store.reading import incident_of, recorded
from register.store.rosters import roster_now
from register.store.sight import sight_of
from register.store.store import Store
from register.store.transaction import Transaction
from register.topics.shift_handover import HandoverWord, hidden_from, shift_end
from register.topics.shift_offer import in_it, teams_of

_AT_ONCE: Final = 500
"""Incidents that one question asks for."""


@dataclass(frozen=True, slots=True)
class Told:
    """One incident of a handover, as a reader sees it. line: None where they may not see it.

    words: the giver's. given: whether it becomes the incoming person's. secret: it is restricted, and does
    not name the incoming person.
    """

    number: str
    line: Line | None = None
    words: str = ""
    given: bool = True
    secret: bool = False


@dataclass(frozen=True, slots=True)
class Picture:
    """A handover with all there is to know of what is in it: one that is offered, or what one would be."""

    lines: tuple[Told, ...]
    handover: Handover | None = None


@dataclass(frozen=True, slots=True)
class Hands:
    """What somebody sees of handovers. me: their id. draft: what they would hand over now.

    shifts: rotas by which they are on call now, and until when. offers: of the last two days, oldest first.
    """

    me: str | None
    draft: Picture
    shifts: tuple[tuple[str, datetime], ...]
    offers: tuple[Picture, ...]

    def to_me(self, at: datetime) -> tuple[Picture, ...]:
        """What is offered to them now."""
        return tuple(one for one in self._open(at) if one.handover and one.handover.to == self.me)

    def mine(self, at: datetime) -> Picture | None:
        """What they have offered, and nobody has answered."""
        of = open_from((one.handover for one in self.offers if one.handover), self.me or "", at)
        return next((one for one in self.offers if one.handover is of), None) if of else None

    def _open(self, at: datetime) -> Iterator[Picture]:
        return (one for one in self.offers if one.handover is not None and one.handover.is_open(at))


def handed(transaction: Transaction, asked: Asked | None) -> dict[str, Incident]:
    """Return the incidents that a rule about a handover needs; nothing for any other rule."""
    if asked is None:
        return {}
    found = dict.fromkeys(asked.numbers)
    found |= dict.fromkeys(_open(transaction.connection, asked.owner, asked.teams))
    incidents = ((number, transaction.incident(number)) for number in found)
    return {number: incident for number, incident in incidents if incident is not None}


def _open(connection: Connection, owner: str, teams: Iterable[str]) -> Iterator[str]:
    wanted = _wanted(owner, teams)
    if wanted is not None:
        query = select(t.incident.c.n).where(and_(t.incident.c.open == 1, wanted))
        yield from (f"INC-{n}" for n in connection.execute(query.order_by(t.incident.c.n)).scalars())


def _wanted(owner: str, teams: Iterable[str]) -> ColumnElement[bool] | None:
    """The rows' teams are clipped where they are long: whoever asks looks at the incidents themselves."""
    row = t.incident.c
    names = [team.casefold() for team in teams]
    parts = [row.owner == owner] if owner else []
    parts += [row.team.in_(names), row.team.like("%…")] if names else []
    return or_(*parts) if parts else None


# For whoever only looks


def hands_of(store: Store, viewer: Principal, matrix: Matrix, now: datetime) -> Hands:
    """Return what somebody would hand over, and what is offered to whom, as of the last commit."""
    roster = roster_now(store, matrix)
    with store.read() as connection:
        me = sight_of(connection, viewer).person

        def sees(incident: Incident) -> bool:
            return may_see(incident, me, viewer.role)

        teams = teams_of(roster, me, viewer.login)
        own = _incidents(connection, _open(connection, me or "", teams))
        mine, others = in_it(own.values(), me, teams, sees)
        draft = [
            *(Told(one.number, line_of(one, roster.duty, now)) for one in mine),
            *(Told(one.number, line_of(one, roster.duty, now), given=False) for one in others),
        ]
        known = _incidents(connection, {n: None for one in roster.duty.handovers for n in one.numbers})
        offers = [
            Picture(tuple(_told(connection, one, known, roster, now, viewer, me)), one)
            for one in roster.duty.handovers
        ]
    return Hands(me, Picture(tuple(draft)), _shifts(roster, me, now), tuple(offers))


def _told(
    connection: Connection,
    handover: Handover,
    known: Mapping[str, Incident],
    roster: Roster,
    now: datetime,
    viewer: Principal,
    me: str | None,
) -> Iterator[Told]:
    words, given = _words(connection, handover), set(handover.mine)
    for number in handover.numbers:
        one = known.get(number)
        if one is None:
            continue
        secret = number in given and hidden_from(one, handover.to)
        if may_see(one, me, viewer.role):
            line = line_of(one, roster.duty, now)
            yield Told(number, line, words.get(number, ""), number in given, secret)
        else:
            yield Told(number, None, "", number in given, secret)


def _words(connection: Connection, handover: Handover) -> dict[str, str]:
    """The giver's words, by number: they stand on the incidents."""
    event = t.event.c
    query = select(t.event).where(and_(event.command_id == handover.id, event.kind == HandoverWord.kind))
    rows = list(connection.execute(query.order_by(event.seq)))
    gone = {row.stream for row in rows if row.data is None}
    told = (recorded(row, kept_of(connection, gone) if gone else None) for row in rows)
    return {one.stream: one.event.text for one in told if isinstance(one.event, HandoverWord)}


def _incidents(connection: Connection, numbers: Iterable[str]) -> dict[str, Incident]:
    """Return incidents by number, in the order of their numbers."""
    wanted, found = sorted({number_of(number) for number in numbers}), dict[str, Incident]()
    for at in range(0, len(wanted), _AT_ONCE):
        some = t.incident.c.n.in_(wanted[at : at + _AT_ONCE])
        query = select(t.incident.c.n, t.incident.c.doc).where(some).order_by(t.incident.c.n)
        found |= {f"INC-{row.n}": incident_of(row.doc, row.n) for row in connection.execute(query)}
    return found


def _shifts(roster: Roster, me: str | None, now: datetime) -> tuple[tuple[str, datetime], ...]:
    ends = ((rota, shift_end(roster, rota, me or "", now)) for rota in roster.matrix.rotas)
    return tuple((rota, end) for rota, end in ends if end is not None)
