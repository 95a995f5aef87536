"""With whose eyes the tables are read: what a reader may not see leaves the store masked, or not at all."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import ColumnElement, Connection, and_, false, or_, select, true

from register.core import PersonId, Principal, Role
from register.live import NEEDED
from register.row import mask, number_of
from register.seeing import is_among
from register.store import tables as t
from register.store.mishaps import unreadable


@dataclass(frozen=True, slots=True)
class Sight:
    """A reader: who, and in which role. Nobody in particular sees what everyone may see."""

    person: PersonId | None = None
    role: Role = Role.VIEWER

    @property
    def word(self) -> str:
        """The same as long as the same is seen: `p3:responder`."""
        return f"{self.person or ''}:{self.role.word}"

    def sees(self, restricted: int, seers: str) -> bool:
        """Whether an incident with these columns may be seen."""
        return not restricted or self.role >= Role.ADMIN or is_among(seers, self.person)


def sight_of(connection: Connection, viewer: Principal | None) -> Sight:
    """Return with whose eyes this principal reads; None is nobody in particular."""
    if viewer is None:
        return Sight()
    query = select(t.person.c.id).where(
        and_(t.person.c.kind == "person", t.person.c.login == viewer.login, t.person.c.erased_at.is_(None))
    )
    return Sight(connection.execute(query).scalar_one_or_none(), viewer.role)


def visible(sight: Sight) -> ColumnElement[bool]:
    """Return the condition on `incident` that leaves out what this reader may not see."""
    if sight.role >= Role.ADMIN:
        return true()
    own = t.incident.c.seers.like(f"%|{sight.person}|%") if sight.person else false()
    return or_(t.incident.c.restricted == 0, own)


def live_row(row: Any, sight: Sight) -> dict[str, Any]:
    """Return a board's row of (n, board, restricted, seers), masked for who may not see it."""
    whole = None
    with contextlib.suppress(ValueError):
        whole = orjson.loads(row.board)
    if not isinstance(whole, dict) or not whole.keys() >= NEEDED:
        raise unreadable(f"The row of INC-{row.n}")
    return whole if sight.sees(row.restricted, row.seers) else mask(whole)


def unseen(connection: Connection, viewer: Principal | None, numbers: Iterable[str]) -> frozenset[str]:
    """Return those of the numbers whose incidents this reader may not see."""
    wanted = sorted({number_of(number) for number in numbers})
    if not wanted:
        return frozenset()
    sight = sight_of(connection, viewer)
    query = select(t.incident.c.n).where(and_(t.incident.c.n.in_(wanted), ~visible(sight)))
    return frozenset(f"INC-{n}" for n in connection.execute(query).scalars())
