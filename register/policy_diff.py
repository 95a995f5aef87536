"""What differs between two policies, as a person would say it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final

from register.policy import Matrix

ADDED, GONE, CHANGED = "+", "-", "~"
_OTHERS: Final = ""
"""Stands for whatever is not declared, when owners are compared."""
_NAMES: Final[Mapping[str, str]] = {
    "people": "person",
    "teams": "team",
    "services": "service",
    "categories": "category",
    "calendars": "calendar",
    "clocks": "clock",
    "contracts": "contract",
    "rotas": "rota",
    "policies": "policy",
}
_ALONE: Final = (
    "default_role",
    "fallback_team",
    "default_policy",
    "auto_close_after",
    "flap_window",
    "correlation",
    "retention",
    "pages",
)
"""Settings of a matrix that are no tables of named things."""


@dataclass(frozen=True, slots=True)
class Change:
    """One difference: `+ person ben: Ben Sample, responder`."""

    sign: str
    what: str
    name: str
    says: str = ""

    def __str__(self) -> str:
        return f"{self.sign} {self.what} {self.name}".rstrip() + (f": {self.says}" if self.says else "")


def changes(before: Matrix, after: Matrix, vendors: tuple[dict[str, Any], dict[str, Any]]) -> list[Change]:
    """Return all that differs. vendors: the blocks of vendors.toml, as they were and as they are."""
    was, now = before.model_dump(mode="json"), after.model_dump(mode="json")
    found: list[Change] = []
    found += _settings(was, now)
    for section, what in _NAMES.items():
        found += _entries(what, was[section], now[section])
    found += _owners(before, after)
    found += _entries("supplier", *vendors)
    return found


def _settings(was: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[Change]:
    for name in _ALONE:
        if was[name] != now[name]:
            yield Change(CHANGED, name, "", f"{_said(was[name])} → {_said(now[name])}")


def _entries(what: str, was: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[Change]:
    for name in dict.fromkeys((*was, *now)):
        if name not in was:
            yield Change(ADDED, what, name, _said(now[name]))
        elif name not in now:
            yield Change(GONE, what, name, _said(was[name]))
        elif was[name] != now[name]:
            yield Change(CHANGED, what, name, ", ".join(_fields(_flat(was[name]), _flat(now[name]))))


def _fields(was: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    for name in dict.fromkeys((*was, *now)):
        if was.get(name) != now.get(name):
            yield f"{name} {_said(was.get(name))} → {_said(now.get(name))}"


def _flat(entry: Any, above: str = "") -> dict[str, Any]:
    """`targets.P1.within`, each with its value; what says nothing is left out."""
    if not isinstance(entry, Mapping):
        return {above: entry} if entry not in (None, "", [], False) else {}
    found: dict[str, Any] = {}
    for key, inner in entry.items():
        found |= _flat(inner, f"{above}.{key}" if above else key)
    return found


def _said(value: Any) -> str:
    if isinstance(value, Mapping):
        flat = _flat(value)
        return ", ".join(f"{key} {_said(inner)}" for key, inner in flat.items()) or "nothing said"
    if isinstance(value, list | tuple):
        return " ".join(_said(inner) for inner in value) or "none"
    if value is None or value == "":
        return "none"
    return "yes" if value is True else "no" if value is False else str(value)


def _owners(before: Matrix, after: Matrix) -> Iterator[Change]:
    """Whose each pair of service and category was and is: alike ones on one line, `*` for every category."""
    services = [*after.services, _OTHERS]
    categories = [*dict.fromkeys((*before.categories, *after.categories)), _OTHERS]
    alike: dict[tuple[str, str, str], list[str]] = {}
    for service in services:
        moved: dict[tuple[str, str], list[str]] = {}
        for category in categories:
            pair = before.owning_team(service, category), after.owning_team(service, category)
            if pair[0] != pair[1]:
                moved.setdefault(pair, []).append(category or "others")
        for (was, now), some in moved.items():
            about = "*" if len(some) == len(categories) else ", ".join(some)
            alike.setdefault((was, now, about), []).append(service or "others")
    for (was, now, about), some in alike.items():
        yield Change(CHANGED, "owner of", f"{', '.join(some)} × {about}", f"{was} → {now}")


def in_short(found: Sequence[Change], most: int) -> list[str]:
    """Return the changes as at most so many lines: entries that came or went together share one."""
    lines = [str(change) for change in found]
    if len(lines) > most:
        lines = []
        for (sign, what), some in groupby(found, key=lambda one: (one.sign, one.what)):
            alike = list(some)
            if sign == CHANGED or len(alike) == 1:
                lines += map(str, alike)
            else:
                lines.append(f"{sign} {len(alike)} × {what}: {', '.join(one.name for one in alike)}")
    if len(lines) > most:
        lines = [*lines[: most - 1], f"… and {len(lines) - most + 1} more: --json tells all."]
    return lines
