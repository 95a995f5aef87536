"""The escalation matrix as of an instant: whatever goes wrong where, who is told now, and who then. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any, Final, NamedTuple

from register.policy import Matrix
from register.roster import Roster
from register.steps import Step

STRIP: Final = timedelta(hours=24)
"""How far ahead the strip of who is on call looks."""
_AHEAD: Final = timedelta(days=8)
"""How far ahead it is looked until when somebody is on call: a week's shift ends within."""


class Stretch(NamedTuple):
    """From `begin` to `end` (epoch s) these are on call, by name; nobody: a gap."""

    begin: float
    end: float
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Told:
    """One target of a step: who that is at the moment.

    to: as the policy writes it. team: who owns what it is about. names: of people, or of a supplier.
    until: when somebody else has the duty (epoch s), where that is known.
    """

    to: str
    team: str
    names: tuple[str, ...]
    until: float | None = None

    @property
    def kind(self) -> str:
        return self.to.partition(":")[0]


@dataclass(frozen=True, slots=True)
class StepNow:
    """One step. after: seconds from the first one, if nobody acknowledges."""

    after: int
    told: tuple[Told, ...]
    remind: int = 0
    all_ack: bool = False

    @property
    def nobody(self) -> bool:
        return not any(one.names for one in self.told)


@dataclass(frozen=True, slots=True)
class Place:
    """One line of the matrix. category: "" is any other. services: none are all without a line of their own.

    steps: none where no policy is for it. authority: the names of those above, nearest first.
    rota: by which its team is on call.
    """

    category: str
    services: tuple[str, ...]
    team: str
    team_name: str
    policy: str | None
    steps: tuple[StepNow, ...] = ()
    repeat: int = 0
    authority: tuple[str, ...] = ()
    rota: str | None = None

    @property
    def key(self) -> tuple[str, str, str | None]:
        """What it is known by while the times and names in it change."""
        return self.category, self.team, self.policy

    def next_somebody(self, at: int) -> int | None:
        """The number (1 is the first) of the step that is taken instead of an empty one; None: none is."""
        later = (n + 1 for n in range(at + 1, len(self.steps)) if not self.steps[n].nobody)
        return next(later, None)


@dataclass(frozen=True)
class Grid:
    """The whole matrix as of `at` (epoch s). shifts: by rota, who is on call in the next 24 hours."""

    at: float = 0.0
    version: int = 0
    places: tuple[Place, ...] = ()
    shifts: Mapping[str, tuple[Stretch, ...]] = field(default_factory=dict)
    policies: bool = False  # whether any policy is written at all
    matrix: Matrix | None = None

    def same_lines(self, other: Grid) -> bool:
        """Whether what is said here of incidents' lines holds there, too."""
        return self.matrix is other.matrix or self.matrix == other.matrix

    def place_of(self, service: str, category: str) -> int:
        """Return which line an incident of these belongs to. They may be cut: a row has not room for all."""
        assert self.matrix is not None  # noqa: S101 - there are no incidents to place without one
        category = _whole(category, self.matrix.categories) or ""
        service = _whole(service, self.matrix.services) or service
        team = self.matrix.owning_team(service, category)
        key = category, team, self.matrix.policy_for(team, service, category)
        found = next((n for n, place in enumerate(self.places) if place.key == key), None)
        if found is None:  # of a service that no line names
            found = next(n for n, place in enumerate(self.places) if place.category == category)
        return found


def _whole(said: str, known: Mapping[str, Any]) -> str | None:
    """The name that this is, or the beginning of."""
    said = said.casefold()
    cut = said[:-1] if said.endswith("…") else None
    for name in known:
        if name.casefold() == said or (cut and name.casefold().startswith(cut)):
            return name
    return None


def grid(roster: Roster, people: Mapping[str, str], now: datetime, version: int = 0) -> Grid:
    """Return the matrix of this roster as of now. people: names by id of the side table."""
    at = _Now.of(roster, people, now)
    end = (now + STRIP).timestamp()
    return Grid(
        at=now.timestamp(),
        version=version,
        places=tuple(_places(at)),
        shifts={rota: tuple(_until(some, end)) for rota, some in at.duty.items()},
        policies=bool(roster.matrix.policies),
        matrix=roster.matrix,
    )


@dataclass(frozen=True, slots=True)
class _Now:
    """A roster that knows everybody of [people], also who was never met; how each is called; the time."""

    roster: Roster
    names: Mapping[str, str]
    time: datetime
    duty: dict[str, tuple[Stretch, ...]]

    @classmethod
    def of(cls, roster: Roster, people: Mapping[str, str], time: datetime) -> _Now:
        ids = {key: roster.ids.get(key, key) for key in roster.matrix.people}
        ours = {ids[key]: one.name for key, one in roster.matrix.people.items()}
        found = cls(replace(roster, ids=ids), {**people, **ours}, time, {})
        found.duty.update((rota, _stretches(found, rota)) for rota in roster.matrix.rotas)
        return found

    @property
    def matrix(self) -> Matrix:
        return self.roster.matrix

    def name(self, who: str) -> str:
        return self.names.get(who, who)

    def person(self, key: str) -> str:
        return self.name(self.roster.ids.get(key, key))


# Lines


def _places(at: _Now) -> Iterator[Place]:
    """Each category, then those of its services that are another team's or another policy's."""
    made: dict[tuple[str, str | None], Place] = {}
    for category in (*at.matrix.categories, ""):
        usual = _owner(at.matrix, "", category)
        services: dict[tuple[str, str | None], list[str]] = {usual: []}
        for service in at.matrix.services:
            own = _owner(at.matrix, service, category)
            if own != usual:
                services.setdefault(own, []).append(service)
        for own, some in services.items():
            if own not in made:
                made[own] = _place(at, *own)
            yield replace(made[own], category=category, services=tuple(some))


def _owner(matrix: Matrix, service: str, category: str) -> tuple[str, str | None]:
    team = matrix.owning_team(service, category)
    return team, matrix.policy_for(team, service, category)


def _place(at: _Now, team: str, policy: str | None) -> Place:
    own, plan = at.matrix.teams.get(team), at.matrix.policies.get(policy or "")
    return Place(
        category="",
        services=(),
        team=team,
        team_name=team if own is None else own.name,
        policy=policy,
        steps=() if plan is None else tuple(_steps(at, team, plan.steps)),
        repeat=0 if plan is None else plan.repeat,
        authority=tuple(at.person(key) for key in at.matrix.above(team)),
        rota=None if own is None else own.rota,
    )


def _steps(at: _Now, team: str, steps: tuple[Step, ...]) -> Iterator[StepNow]:
    after = timedelta()
    for step in steps:
        told = tuple(_told(at, to, team) for to in step.to)
        yield StepNow(int(after.total_seconds()), told, step.remind, step.all_ack)
        after += step.wait * (1 + step.remind)


def _told(at: _Now, to: str, team: str) -> Told:
    kind, _, name = to.partition(":")
    if kind in ("oncall", "rota"):
        return _on_call(at, to, team, name or _rota_of(at.matrix, team))
    if kind == "supplier":
        return Told(to, team, (name,))
    return Told(to, team, tuple(at.person(key) for key in _keys(at.matrix, kind, name or team)))


def _keys(matrix: Matrix, kind: str, name: str) -> tuple[str, ...]:
    """The keys of [people] that a target means."""
    if kind == "team":
        return tuple(key for key, one in matrix.people.items() if name in one.teams)
    if kind == "lead":
        own = matrix.teams.get(name)
        return (own.lead,) if own is not None and own.lead else ()
    return (name,) if name in matrix.people else ()


def _rota_of(matrix: Matrix, team: str) -> str:
    own = matrix.teams.get(team)
    return "" if own is None or own.rota is None else own.rota


def _on_call(at: _Now, to: str, team: str, rota: str) -> Told:
    if rota not in at.matrix.rotas:
        return Told(to, team, ())
    names = tuple(map(at.name, at.roster.on_call(rota, at.time)))
    now, last = at.time.timestamp(), (at.time + _AHEAD).timestamp()
    here = next((one for one in at.duty[rota] if one.begin <= now < one.end), None)
    until = None if here is None or not names or here.end >= last else here.end
    return Told(to, team, names, until)


# Who is on call


def _stretches(at: _Now, rota: str) -> tuple[Stretch, ...]:
    """Who is on call from now on, without a hole: where nobody is, a stretch says so."""
    now, end = at.time, at.time + _AHEAD
    shifts = at.roster.shifts(rota, now, end)
    bounds = {now, end} | {bound for one in shifts for bound in (one.begin, one.end) if now < bound < end}
    found: list[Stretch] = []
    points = sorted(bounds)
    for begin, until in pairwise(points):
        here = [one.person for one in shifts if one.begin <= begin and until <= one.end]
        names = tuple(map(at.name, dict.fromkeys(here)))
        if found and found[-1].names == names:
            found[-1] = found[-1]._replace(end=until.timestamp())
        else:
            found.append(Stretch(begin.timestamp(), until.timestamp(), names))
    return tuple(found)


def _until(some: tuple[Stretch, ...], end: float) -> Iterator[Stretch]:
    """The stretches that begin before `end`, the last one cut there."""
    for one in some:
        if one.begin < end:
            yield one._replace(end=min(one.end, end))
