"""An incident's track: what clocks look at, from which second on. The fold writes it, event by event.

A step of a track is (seconds since 1970, (fact, value, fact, value, …)): what was told then. A supplier's
facts have the place of the bond before them, as `0:ball`. Nothing is counted here, so nothing can drift.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from register.calendars import seconds_of
from register.clocks.definition import Facts
from register.incident import LIVE_BONDS, Bond, BondState, Incident, Track

_OF_BOND: Final[dict[str, Callable[[Bond], str]]] = {
    "bond": lambda bond: "live" if bond.state in LIVE_BONDS else "",
    "ticket": lambda bond: "" if bond.ref is None else "yes",
    "said": lambda bond: "" if bond.said_at is None else "yes",
    "fixed": lambda bond: "yes" if bond.state is BondState.FIXED else "",
    "ball": lambda bond: bond.ball.value,
}


def extended(before: Incident | None, after: Incident, at: datetime) -> Track:
    """Return the track with what an event at that time changed."""
    if before is after:
        return after.track
    told = _first_told(after) if before is None else _told(before, after)
    bonds = () if before is None else before.bonds
    if after.bonds is not bonds:
        for place, bond in enumerate(after.bonds):
            told += _of_bond(place, bonds[place] if place < len(bonds) else None, bond)
    return _put_in(after.track, seconds_of(at), tuple(told)) if told else after.track


def _first_told(incident: Incident) -> list[str]:
    """Every fact of an incident that is not empty."""
    facts = {
        "state": incident.state.value,
        "hold": "" if incident.hold is None else incident.hold.reason.value,
        "priority": str(incident.priority.value),
        "acked": "" if incident.acknowledged_at is None else "yes",
        "team": incident.team,
        "service": incident.service,
        "category": incident.category,
        "word": incident.word,
    }
    return [part for name, value in facts.items() if value for part in (name, value)]


def _told(before: Incident, after: Incident) -> list[str]:
    """The facts that differ. Folding is made of this: fields are compared before anything is made of them."""
    old, new = before.__dict__, after.__dict__
    told: list[str] = []
    if old["state"] is not new["state"]:
        told += ("state", new["state"].value)
    if old["hold"] is not new["hold"]:
        reasons = ["" if hold is None else hold.reason.value for hold in (old["hold"], new["hold"])]
        if reasons[0] != reasons[1]:
            told += ("hold", reasons[1])
    if (old["impact"], old["urgency"]) != (new["impact"], new["urgency"]):
        told += ("priority", str(after.priority.value))
    if (old["acknowledged_at"] is None) is not (new["acknowledged_at"] is None):
        told += ("acked", "" if new["acknowledged_at"] is None else "yes")
    for name in _TEXTS:
        if old[name] != new[name]:
            told += (name, new[name])
    if old["word"] != new["word"] or old["word_at"] != new["word_at"]:  # the same one may speak again
        told += ("word", new["word"])
    return told


_TEXTS: Final = ("team", "service", "category")


def _of_bond(place: int, before: Bond | None, after: Bond) -> list[str]:
    if before is after:
        return []
    told: list[str] = []
    for name, of in _OF_BOND.items():
        value = of(after)
        again = name == "said" and before is not None and before.said_at != after.said_at
        if again or value != ("" if before is None else of(before)):
            told += (f"{place}:{name}", value)
    return told


def _put_in(track: Track, at: int, told: tuple[str, ...]) -> Track:
    """Put a step in its place. What is told late holds from its own time on, against what was told before.

    So the last facts are always those of the fold. A supplier's word is not older than the ticket.
    """
    if not track or at >= track[-1][0]:
        return (*track, (at, told))
    at = max(at, track[0][0], *(_known_since(track, name) for name in told[::2]))
    facts = dict(_pairs(told))
    place = next((n for n, step in enumerate(track) if step[0] > at), len(track))
    rest = ((since, _without(later, facts)) for since, later in track[place:])
    return (*track[:place], (at, told), *(step for step in rest if step[1]))


def _known_since(track: Track, fact: str) -> int:
    """When the bond that a fact is about came to be, or its ticket, if that is known."""
    bond, colon, name = fact.partition(":")
    wanted = f"{bond}:bond" if name in ("bond", "ticket") else f"{bond}:ticket"
    return next((at for at, told in track if colon and wanted in told[::2]), 0)


def _without(told: tuple[str, ...], facts: Facts) -> tuple[str, ...]:
    kept = [(name, value) for name, value in _pairs(told) if facts.get(name, value) == value]
    return tuple(part for pair in kept for part in pair)


def _pairs(told: tuple[str, ...]) -> Any:
    names = iter(told)
    return zip(names, names, strict=True)


Steps = list[tuple[int, Facts]]
"""What became so at which second, of the incident alone or as one supplier's clocks see it."""


def own_steps(track: Track) -> Steps:
    """Return what our own clocks look at."""
    steps: Steps = []
    for at, told in track:
        facts = {name: value for name, value in _pairs(told) if ":" not in name}
        if facts:
            if "team" in facts:
                facts["has_team"] = "yes" if facts["team"] else ""
            steps.append((at, facts))
    return steps


def bond_steps(track: Track, place: int) -> Steps:
    """Return what the clocks of one supplier look at: the incident's facts and the bond's own.

    The priority stays the one that they were told when they were engaged.
    """
    known: Facts = {}
    steps: Steps = []
    mark = f"{place}:"
    for at, told in track:
        facts = dict(_pairs(told))
        theirs = {name[len(mark) :]: value for name, value in facts.items() if name.startswith(mark)}
        ours = {name: value for name, value in facts.items() if ":" not in name}
        if steps:
            ours.pop("priority", None)
            if ours or theirs:
                steps.append((at, ours | theirs))
        elif theirs:
            steps.append((at, known | ours | theirs))
        known |= ours
    return steps
