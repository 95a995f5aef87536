"""matrix.toml → `Matrix`. Every fault is told at once, with file, line, key and remedy."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from copy import deepcopy
from functools import lru_cache
from itertools import combinations
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from register.clocks.book import DEFAULT_CALENDARS
from register.duty_checks import duty_ends
from register.loose_ends import Found, names, unknown
from register.page_settings import Pages, Replies
from register.policy import ANY, Matrix, Ownership, beats
from register.toml_file import KeyPath, TomlFile, faults_in, near

FILE: Final = "matrix.toml"
SAMPLE: Final = Path(__file__).with_name(FILE)
"""The sample that ships: it reads clean, and `muster demo` adopts it."""
_MOST_TOLD: Final = 20
"""Pairs of which it is told that two teams own them: more would hide the other faults."""
_NOWHERE: Final = "nowhere"
"""Stands for a team that is missing or no name, while the rest is checked."""
_SILENT: Final[Mapping[str, Mapping[str, str]]] = {
    "ownership": {"team": _NOWHERE},
    "retention": {"after": "1d"},
}
"""What stands in the place of a faulty rule while the others are checked."""
_ALWAYS: Final[Mapping[str, bool]] = {"always": True}
"""What stands in the place of a faulty calendar."""


@lru_cache(maxsize=64)
def read_matrix(text: str, name: str = FILE) -> Matrix:
    """The matrix of this text. FileFaults tells every fault at once; `name` is what the file is called."""
    file = TomlFile(name, text)
    leaking = _leaking(file)
    tables = _without(file.tables, leaking)
    if "fallback_team" in file.tables:
        tables.setdefault("fallback_team", _NOWHERE)  # its fault is noted
    matrix = _typed(file, tables)
    for path, fault in (*_loose_ends(matrix, file.tables), *_promises(matrix)):
        file.fault(path, fault)
    file.raise_faults()
    return matrix


def _leaking(file: TomlFile) -> list[KeyPath]:
    """Where a credential stands. What somebody is paged by has a name here; its address is one."""
    found, people = [], file.tables.get("people")
    for key, person in people.items() if isinstance(people, dict) else ():
        here: KeyPath = ("people", key)
        channels = person.get("reach") if isinstance(person, dict) else None
        several = channels if isinstance(channels, list) else [channels]
        if any(isinstance(one, str) and ":" in one for one in several):
            file.fault(
                (*here, "reach"),
                "has an address in it, and that may hold a secret. Name it here, as sms or mail, store the"
                f" address with muster page login {key} NAME, and change it if others could read it here",
            )
            found.append((*here, "reach"))
        elif isinstance(person, dict):
            found += file.leaks(here, person, lambda path, text: True, f"muster page login {key} NAME")
    pages = file.tables.get("pages")
    if isinstance(pages, dict):
        ours = {*Pages.model_fields, *Replies.model_fields}
        found += file.leaks(
            ("pages",), pages, lambda path, text: str(path[-1]) in ours, "muster page replies login"
        )
    rotas = file.tables.get("rotas")
    for key, rota in rotas.items() if isinstance(rotas, dict) else ():
        if isinstance(rota, dict):
            found += file.leaks(("rotas", key), rota, lambda path, text: True, f"muster oncall login {key}")
    rest = {
        key: table
        for key, table in file.tables.items()
        if key not in ("people", "pages", "rotas") or not isinstance(table, dict)
    }
    return found + file.leaks((), rest, lambda path, text: True, "muster vendors login NAME")


def typed_leniently(name: str, tables: dict[str, Any]) -> Matrix:
    """The matrix of tables that were checked once; what cannot be read in them is left out."""
    return _typed(TomlFile(name, "", tables), tables)


def _typed(file: TomlFile, tables: dict[str, Any]) -> Matrix:
    """The matrix, with nothing in the place of each entry in which a fault was noted."""
    while True:
        try:
            return Matrix.model_validate(tables)
        except ValidationError as error:
            faulty = list(faults_in(error, Matrix))
        for path, what in faulty:
            file.fault(path, what)
        left = _without(tables, (path for path, _ in faulty))
        left.setdefault("fallback_team", _NOWHERE)
        if left == tables:  # nothing smaller can be taken out
            left = {key: value for key, value in tables.items() if key not in {p[0] for p, _ in faulty}}
        tables = left


def _without(tables: Mapping[str, Any], paths: Iterable[KeyPath]) -> dict[str, Any]:
    """The tables without the entries that these paths lead into: one person, one rule, one setting.

    A rule's place is kept, for the others are known by theirs.
    """
    left = deepcopy(dict(tables))
    for section, *rest in set(paths):
        inside, entry = left.get(str(section)), rest[0] if rest else None
        if isinstance(inside, dict) and entry in inside:
            faulty = inside.pop(entry)
            if section == "calendars" and faulty != _ALWAYS:
                inside[entry] = _ALWAYS
        elif isinstance(inside, list) and isinstance(entry, int) and section in _SILENT:
            inside[entry] = _SILENT[str(section)]
        elif not isinstance(inside, list | dict) or entry is None:
            left.pop(str(section), None)
    return left


# What hangs together


def _loose_ends(matrix: Matrix, tables: Mapping[str, Any]) -> Found:
    """What names something that is not there, or is said twice. A name counts though its entry is faulty."""
    yield from _fallback(matrix, names(tables, "teams"))
    yield from _people(matrix, names(tables, "teams"))
    yield from _teams(matrix, tables)
    yield from _same_but_for_capitals(matrix)
    for section in ("ownership", "retention"):
        yield from _rules(section, getattr(matrix, section), matrix, tables)
    for key, category in matrix.categories.items():
        if category.team is not None:
            yield from unknown(("categories", key, "team"), category.team, names(tables, "teams"), "team")
    yield from _owned_twice(matrix)
    yield from duty_ends(matrix, tables)


def _fallback(matrix: Matrix, teams: list[str]) -> Found:
    if matrix.fallback_team == _NOWHERE and _NOWHERE not in teams:
        pairs = [
            (service, category)
            for service in matrix.services
            for category in matrix.categories
            if matrix.owning_team(service, category) == _NOWHERE
        ]
        if pairs:
            service, category = pairs[0]
            yield (
                ("fallback_team",),
                f"without it {len(pairs)} of {len(matrix.services) * len(matrix.categories)} pairs of service"
                f" and category are nobody's, {service} × {category} for one",
            )
        return
    yield from unknown(("fallback_team",), matrix.fallback_team, teams, "team")


def _people(matrix: Matrix, teams: list[str]) -> Found:
    seen: dict[tuple[str, object], str] = {}
    for key, person in matrix.people.items():
        here = ("people", key)
        if person.login is None and person.uid is None:
            yield here, "has neither login nor uid, so nobody is known by it: add one of them"
        for what, value in (("uid", person.uid), ("login", person.login)):
            before = seen.setdefault((what, value), key)
            if value is not None and before != key:
                yield (*here, what), f"{before} has the {what} {value} already: one of them is wrong"
        for team in person.teams:
            yield from unknown((*here, "teams"), team, teams, "team")


def _teams(matrix: Matrix, tables: Mapping[str, Any]) -> Found:
    people = names(tables, "people")
    calendars = [*DEFAULT_CALENDARS, *names(tables, "calendars")]
    for key, team in matrix.teams.items():
        if team.lead is not None:
            yield from unknown(("teams", key, "lead"), team.lead, people, "person")
        yield from unknown(("teams", key, "hours"), team.hours, calendars, "calendar")


def _promises(matrix: Matrix) -> Found:
    """What the clocks' own check says: what refers to nothing, and what cannot be kept."""
    for sentence in matrix.book.faults():
        where, _, says = sentence.partition(": ")
        yield tuple(where.split(".")), says


def _same_but_for_capitals(matrix: Matrix) -> Found:
    for section in ("services", "categories"):
        seen: dict[str, str] = {}
        for name in getattr(matrix, section):
            before = seen.setdefault(name.casefold(), name)
            if before != name:
                yield (section, name), f"is {before} in other capitals: take one of them out"


def _rules(section: str, rules: Iterable[Any], matrix: Matrix, tables: Mapping[str, Any]) -> Found:
    teams = names(tables, "teams")
    for at, rule in enumerate(rules):
        if isinstance(rule, Ownership) and rule.team != _NOWHERE:
            yield from unknown((section, at, "team"), rule.team, teams, "team")
        for field, plural in (("service", "services"), ("category", "categories")):
            declared = names(tables, plural)
            for name in getattr(rule, field):
                path = (section, at, field)
                if ANY in name and name != ANY and not declared:
                    yield (
                        path,
                        f"{name!r} is a pattern, and no {plural} are known: name them in [{plural}]",
                    )
                elif ANY not in name and declared and name.casefold() not in map(str.casefold, declared):
                    yield path, f"there is no {field} {name!r} in [{plural}]{near(name, declared)}"


def _owned_twice(matrix: Matrix) -> Found:
    """Pairs that two teams own, by rules of which neither is the more exact one."""
    services = _words(matrix.services, (rule.service for rule in matrix.ownership))
    categories = _words(matrix.categories, (rule.category for rule in matrix.ownership))
    rules = [(at, rule) for at, rule in enumerate(matrix.ownership) if rule.team != _NOWHERE]
    told = 0
    for (_, one), (at, other) in combinations(rules, 2):
        if one.team == other.team:
            continue
        for service, category in _clashes(one, other, matrix.ownership, services, categories):
            told += 1
            if told > _MOST_TOLD:
                return
            yield (
                ("ownership", at),
                f"{service or 'no service'} × {category or 'no category'} is {other.team}'s by this rule and"
                f" {one.team}'s by another that is no less exact: write a rule for that very pair",
            )
            break


def _clashes(
    one: Ownership,
    other: Ownership,
    rules: tuple[Ownership, ...],
    services: list[str],
    categories: list[str],
) -> Iterator[tuple[str, str]]:
    for service in services:
        for category in categories:
            first, second = one.fits(service, category), other.fits(service, category)
            if first is None or second is None or beats(first, second) or beats(second, first):
                continue
            third = (rule.fits(service, category) for rule in rules)
            if not any(fit and beats(fit, first) and beats(fit, second) for fit in third):
                yield service, category


def _words(declared: Iterable[str], named: Iterable[tuple[str, ...]]) -> list[str]:
    """What can be said: what is declared, what rules name, something else, and nothing."""
    words = [*declared, *(name for names in named for name in names if ANY not in name), ""]
    return list(dict.fromkeys(words))
