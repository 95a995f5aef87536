"""Events of an incident's life as the timeline tells them: passed on, corrected, linked, talked about."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from register.plain import one_line
from register.topics.links import Side
from tui.detail import PERSON

Words = Callable[[Any], Mapping[str, Any]]
_OTHER: Final[Mapping[Side, str]] = {
    Side.PARENT: "child of {}",
    Side.CHILD: "parent of {}",
    Side.DUPLICATE_OF: "duplicate of {}",
    Side.DUPLICATED_BY: "{} is a duplicate of this",
    Side.RELATED: "related to {}",
    Side.FOLLOWED_BY: "goes on in {}",
    Side.PROBLEM: "problem {}",
    Side.CHANGE: "change {}",
}


def _reassigned(event: Any) -> Mapping[str, Any]:
    people = tuple(person for person in (event.before, event.to) if person)
    before = PERSON if event.before else "nobody"
    owner = f"{before} → {PERSON if event.to else 'nobody yet'}"
    team = f", team {one_line(event.team_before) or 'none'} → {one_line(event.team)}"
    moved = team if event.team != event.team_before else ""
    return {"what": f"passed on: {owner}{moved}", "people": people, "body": event.note}


def _corrected(event: Any) -> Mapping[str, Any]:
    people, parts = [], []
    before, after = dict(event.before), dict(event.after)
    for name in (name for name, value in after.items() if value is not None):
        if name == "caller":
            people += [person for person in (before[name], after[name]) if person]
            parts.append(f"caller {PERSON if before[name] else 'none'} → {PERSON}")
        else:
            parts.append(f"{name} {one_line(str(before[name] or 'none'))} → {one_line(str(after[name]))}")
    return {"what": f"corrected: {'; '.join(parts)}", "people": tuple(people), "body": event.reason}


def _linked(how: str) -> Words:
    return lambda event: {"what": f"{how}{_OTHER[event.side].format(one_line(event.to))}"}


def _watched(how: str) -> Words:
    return lambda event: {"what": f"{how}: {PERSON}", "people": (event.by,)}


def _record_done(event: Any) -> Mapping[str, Any]:
    return {"what": f"{one_line(event.record)} is done: {', '.join(event.woke)} go on", "pen": "good"}


LIFE_WORDS: Final[Mapping[str, Words]] = {
    "reassigned": _reassigned,
    "corrected": _corrected,
    "linked": _linked(""),
    "unlinked": _linked("no longer: "),
    "watched": _watched("watches"),
    "unwatched": _watched("watches no more"),
    "caller_said": lambda e: {"what": "the caller said", "body": e.text, "pen": "strong"},
    "caller_told": lambda e: {"what": "told the caller", "body": e.text},
    "record_done": _record_done,
    "handover_word": lambda e: {
        "what": f"offers it to {PERSON} at a handover",
        "body": e.text,
        "people": (e.to,),
    },
    "imported": lambda e: {
        "what": f"taken in from {one_line(e.source)}: {one_line(e.number)}",
        "body": e.story,
    },
}
