"""Who is on call at an instant: the rotas of matrix.toml, and what people arranged beside them. Pure.

A temporary schedule says it alone; else it is the rules' or the feed's people, and overrides change those.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import Final

from register.arrangement import Arrangement, applied, arrangement
from register.calendars import moment_of, seconds_of
from register.duty import NO_DUTY, Duty, Shift
from register.policy import DEFAULT_MATRIX, Matrix

_FIRST_LOOK: Final = timedelta(days=2)
FARTHEST: Final = timedelta(days=400)
"""So far ahead it is looked for when something changes."""


@dataclass(frozen=True)
class Roster:
    """Three plain values, and what follows from them. ids: of the people's side table, by key of [people].

    Who is in no side table (a uid without a login here) is on no roster: nothing could be sent to them.
    """

    matrix: Matrix = DEFAULT_MATRIX
    duty: Duty = NO_DUTY
    ids: Mapping[str, str] = field(default_factory=dict)

    def on_call(self, rota: str, at: datetime) -> tuple[str, ...]:
        """The ids of who is on call by this rota, first the one to ask first. Empty: nobody."""
        if rota not in self.matrix.rotas:
            return ()
        arranged = arrangement(self.duty, rota)
        who = self._scheduled(arranged, at)
        if who is None:
            who = self.by_rules(rota, at)
            for one in arranged.overrides:
                if one.begin <= at < one.end:
                    who = applied(one, who, self.known)
        return who

    def by_rules(self, rota: str, at: datetime) -> tuple[str, ...]:
        """The same by the rules, or the feed, alone: as if nobody had arranged anything."""
        known = self.matrix.rotas.get(rota)
        if known is None:
            return ()
        if not known.shifts:
            feed = arrangement(self.duty, rota).feed
            return () if feed is None else self._known(feed.who(at))
        ids = self.ids
        return tuple(ids[key] for key in known.ready.who(seconds_of(at)) if key in ids)

    def shifts(self, rota: str, begin: datetime, end: datetime) -> tuple[Shift, ...]:
        """Who is on call from when until when, in order; where nobody is, there is a gap between them.

        Whoever stays on call over a change has one shift, from its first instant on to its last.
        """
        found: list[Shift] = []
        since: dict[str, datetime] = {}
        if begin < end:
            for edge in (begin, *self._edges(rota, begin, end)):
                now = self.on_call(rota, edge)
                for person in [one for one in since if one not in now]:
                    found.append(Shift(since.pop(person), edge, person))
                for person in now:
                    since.setdefault(person, edge)
        found += [Shift(at, end, person) for person, at in since.items()]
        return tuple(sorted(found, key=lambda one: one.begin))

    def change(self, rota: str, at: datetime) -> tuple[datetime, tuple[str, ...]] | None:
        """When next somebody else is on call, and who is then. None: not within `FARTHEST`."""
        now, begin, ahead = self.on_call(rota, at), at, _FIRST_LOOK
        while begin < at + FARTHEST:
            end = at + ahead
            for edge in self._edges(rota, begin, end):
                who = self.on_call(rota, edge)
                if who != now:
                    return edge, who
            begin, ahead = end - timedelta(seconds=1), ahead * 4
        return None

    @cached_property
    def known(self) -> frozenset[str]:
        """The ids of all who are in the matrix: nobody else could be told."""
        return frozenset(self.ids.values())

    @cached_property
    def keys(self) -> Mapping[str, str]:
        """The key of [people], by id."""
        return {one: key for key, one in self.ids.items()}

    def _scheduled(self, arranged: Arrangement, at: datetime) -> tuple[str, ...] | None:
        """By a temporary schedule; None where there is none at this instant."""
        line = arranged.instead(at) if arranged.temporary else None
        return None if line is None else self._known(line.who(at))

    def _known(self, who: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(one for one in who if one in self.known)

    def _edges(self, rota: str, begin: datetime, end: datetime) -> Iterator[datetime]:
        """Every instant after `begin` and before `end` at which somebody else may be on call, in order."""
        known = self.matrix.rotas.get(rota)
        if known is None:
            return iter(())
        rules = known.ready.edges(seconds_of(begin), seconds_of(end) + 1) if known.shifts else ()
        found = {*map(moment_of, rules), *arrangement(self.duty, rota).edges()}
        return iter(sorted(at for at in found if begin < at < end))


NOBODY: Final = Roster()
