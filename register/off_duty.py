"""A matrix's tables without somebody in what says who is on call and who is told. Pure.

Whoever is taken out of a rotation leaves their turns to nobody: were they closed up, everybody's turns would
move from one moment to the next. `muster oncall` tells the gap until an admin mends matrix.toml.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any


def off_duty(tables: Mapping[str, Any], gone: Collection[str]) -> dict[str, Any]:
    """Return the tables with a name that nobody has in the place of these keys of [people]."""
    told = dict(tables)
    if isinstance(told.get("teams"), dict):
        told["teams"] = {key: _team(one, gone) for key, one in told["teams"].items()}
    if isinstance(told.get("rotas"), dict):
        told["rotas"] = {key: _rota(one, gone) for key, one in told["rotas"].items()}
    for section, lists, field in (("rotas", "shifts", "people"), ("policies", "steps", "to")):
        if isinstance(told.get(section), dict):
            told[section] = {key: _each(one, lists, field, gone) for key, one in told[section].items()}
    return told


def _team(team: Any, gone: Collection[str]) -> Any:
    if not isinstance(team, dict) or "authority" not in team:
        return team
    return team | {"authority": [one for one in _listed(team["authority"]) if one not in gone]}


def _rota(rota: Any, gone: Collection[str]) -> Any:
    """What a calendar calls somebody goes with them."""
    called = rota.get("feed_people") if isinstance(rota, dict) else None
    if not isinstance(called, dict):
        return rota
    return rota | {"feed_people": {said: one for said, one in called.items() if one not in gone}}


def _each(entry: Any, lists: str, field: str, gone: Collection[str]) -> Any:
    rules = entry.get(lists) if isinstance(entry, dict) else None
    if not isinstance(rules, list):
        return entry
    return entry | {lists: [_rule(one, field, gone) for one in rules]}


def _rule(rule: Any, field: str, gone: Collection[str]) -> Any:
    if not isinstance(rule, dict) or field not in rule:
        return rule
    return rule | {field: list(_instead(rule[field], gone))}


def _instead(said: Any, gone: Collection[str]) -> Iterator[Any]:
    for at, one in enumerate(_listed(said)):
        word, colon, name = str(one).rpartition(":")
        yield f"{word}{colon}erased-{at}" if name in gone and word in ("", "person") else one


def _listed(said: Any) -> list[Any]:
    return said if isinstance(said, list) else [said]
