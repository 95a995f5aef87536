"""Handing a shift over: what is on record of it, how it is folded, and what both sides go by.

One person offers what they have to another (`register.topics.shift_offer`), who accepts it or says no
(`register.topics.shift_answer`). Until it is accepted nothing changes: whoever was paged is paged.
(`integrations.handover` is about workers that follow each other.)
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, ClassVar, Final

from pydantic import AwareDatetime, BaseModel

from register.core import Command, Event, PersonId, Role
from register.duty import Duty, Override, arranged
from register.handing import Handover, Offer, remembered
from register.incident import Incident, Visibility
from register.roster import Roster
from register.seeing import seers

FARTHEST: Final = timedelta(days=32)
"""So far ahead it is looked for the end of a shift: a month's rota."""
ENDLESS: Final = timedelta(days=1)
"""So much of a shift is handed over of which no end is in sight."""


class OfHandover(Command):
    group: ClassVar[str] = "handover"
    role: ClassVar[Role] = Role.RESPONDER
    on_incident: ClassVar[bool] = False
    of_one: ClassVar[bool] = False


class HandoverOffered(Event):
    """One person offers what they have to another. id: the command's. others: told of, not given."""

    kind: ClassVar[str] = "handover_offered"

    id: str
    by: PersonId
    to: PersonId
    mine: tuple[str, ...]
    others: tuple[str, ...]
    rotas: tuple[str, ...] = ()
    note: str = ""


class HandoverWord(Event):
    """What the giver says of this incident. It stands on the incident, for whoever may see that."""

    kind: ClassVar[str] = "handover_word"

    handover: str
    to: PersonId
    text: str


class Relief(BaseModel, frozen=True):
    """Somebody's shift goes on as another one's."""

    rota: str
    begin: AwareDatetime
    end: AwareDatetime


class HandoverAccepted(Event):
    """given: numbers that changed hands. over, elsewhere, unseen: why others did not. relieved: shifts."""

    kind: ClassVar[str] = "handover_accepted"

    id: str
    by: PersonId
    giver: PersonId
    given: tuple[str, ...]
    over: tuple[str, ...] = ()  # resolved meanwhile
    elsewhere: tuple[str, ...] = ()  # somebody else has them by now
    unseen: tuple[str, ...] = ()  # restricted to others: they stay with the giver
    relieved: tuple[Relief, ...] = ()
    ended: tuple[str, ...] = ()  # rotas by which the giver is not on call any more


class HandoverDeclined(Event):
    kind: ClassVar[str] = "handover_declined"

    id: str
    by: PersonId
    reason: str


class HandoverWithdrawn(Event):
    kind: ClassVar[str] = "handover_withdrawn"

    id: str
    by: PersonId
    reason: str


def hidden_from(incident: Incident, person: PersonId) -> bool:
    """Whether it is restricted, and does not name this person. An admin is to be named like anybody else."""
    return incident.visibility is Visibility.RESTRICTED and person not in seers(incident)


def shift_end(roster: Roster, rota: str, person: PersonId, now: datetime) -> datetime | None:
    """Until when somebody who is on call by a rota now will be; None where they are not."""
    if person not in roster.on_call(rota, now):
        return None
    mine = (one for one in roster.shifts(rota, now, now + FARTHEST) if one.person == person)
    end = max((one.end for one in mine if one.begin <= now < one.end), default=None)
    return now + ENDLESS if end is not None and end >= now + FARTHEST else end


# How the stream `duty` is folded


@arranged.register
def _(event: HandoverOffered, duty: Duty, at: datetime) -> Duty:
    offered = Handover(event.id, event.by, event.to, at, event.mine, event.others, event.rotas, event.note)
    return replace(duty, handovers=(*remembered(duty.handovers, at), offered))


@arranged.register
def _(event: HandoverAccepted, duty: Duty, at: datetime) -> Duty:
    """A replacement on call counts while the giver would really be on call, and no longer."""
    left = (*event.over, *event.elsewhere, *event.unseen)
    handovers = _ended(duty, event.id, Offer.ACCEPTED, event.by, at, left=left)
    stands_in = tuple(
        Override(
            id=f"{event.id}:{one.rota}",
            rota=one.rota,
            begin=one.begin,
            end=one.end,
            add=event.by,
            remove=event.giver,
            by=event.by,
            why="shift handover",
        )
        for one in event.relieved
    )
    return replace(duty, handovers=handovers, overrides=(*duty.overrides, *stands_in))


@arranged.register
def _(event: HandoverDeclined, duty: Duty, at: datetime) -> Duty:
    return replace(duty, handovers=_ended(duty, event.id, Offer.DECLINED, event.by, at, word=event.reason))


@arranged.register
def _(event: HandoverWithdrawn, duty: Duty, at: datetime) -> Duty:
    return replace(duty, handovers=_ended(duty, event.id, Offer.WITHDRAWN, event.by, at, word=event.reason))


def _ended(duty: Duty, id_: str, state: Offer, by: str, at: datetime, **more: Any) -> tuple[Handover, ...]:
    return tuple(
        replace(one, state=state, ended=by, ended_at=at, **more) if one.id == id_ else one
        for one in duty.handovers
    )
