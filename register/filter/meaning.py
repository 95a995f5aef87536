"""What a filter means for one reader at one time: names are people's ids, times are seconds since 1970.

What is left are few kinds of questions, each of which the row and the SQL answer in the same words.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Final

from register.filter.fields import STATES
from register.filter.syntax import (
    And,
    Compare,
    Everything,
    FilterError,
    Flag,
    Node,
    Not,
    Or,
    Span,
    Special,
    Text,
    Value,
    Wall,
)
from register.plain import clip
from register.words import Term, term

_TOLD: Final = 8
"""Names that a mistake lists, the nearest first."""
SHOWN: Final = 24
"""Characters of a team's, service's or category's name that a board's row keeps."""


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads, and when. Names and logins by person id."""

    now: int
    me: str | None = None
    people: Mapping[str, str] = field(default_factory=dict)
    logins: Mapping[str, str] = field(default_factory=dict)
    zone: tzinfo | None = None  # None is the host's own
    texts: bool = False  # whether what was written can be asked for: live rows have titles alone
    as_of: bool = False  # the past is looked at, from which no texts are kept to be found
    named: Mapping[str, Collection[str]] = field(default_factory=dict)  # what the policy names, by field
    has: Callable[[Meaning], bool] | None = (
        None  # whether anything there is meant; None: names are not looked at
    )

    def ids(self, called: str) -> frozenset[str]:
        """Return whoever has this login, this name, or this first word of a name."""
        wanted = called.casefold()
        found = {one for one, login in self.logins.items() if login.casefold() == wanted}
        for one, name in self.people.items():
            told = name.casefold()
            if told == wanted or told.split(" ")[0] == wanted:
                found.add(one)
        return frozenset(found)


@dataclass(frozen=True, slots=True)
class Among:
    """The field has one of these values; None is none at all."""

    field: str
    values: frozenset[str | int | None]


@dataclass(frozen=True, slots=True)
class Between:
    """The field has a value from `low` up to, and not with, `high`; None is no bound."""

    field: str
    low: int | None
    high: int | None


@dataclass(frozen=True, slots=True)
class Engaged:
    """This supplier is engaged; None: any supplier is."""

    vendor: str | None


@dataclass(frozen=True, slots=True)
class Is:
    """A yes-or-no field says yes."""

    flag: str


@dataclass(frozen=True, slots=True)
class Titled:
    """The casefolded title has this in it. A board looks for a bare one elsewhere, too."""

    needle: str
    bare: bool


@dataclass(frozen=True, slots=True)
class Written:
    """These words stand in a row in something that was written about it."""

    term: Term


@dataclass(frozen=True, slots=True)
class Nay:
    part: Meaning


@dataclass(frozen=True, slots=True)
class All:
    """All of these; of none of them, everything."""

    parts: tuple[Meaning, ...]


@dataclass(frozen=True, slots=True)
class Any:
    """One of these; of none of them, nothing."""

    parts: tuple[Meaning, ...]


Meaning = Among | Between | Engaged | Is | Titled | Written | Nay | All | Any


def meant(node: Node, reader: Reader) -> Meaning:
    """Return what a filter means; raises FilterError where it names somebody who is not known."""
    if isinstance(node, And):
        return All(tuple(meant(part, reader) for part in node.parts))
    if isinstance(node, Or):
        return Any(tuple(meant(part, reader) for part in node.parts))
    if isinstance(node, Not):
        return Nay(meant(node.part, reader))
    if isinstance(node, Text):
        return Titled(node.words.casefold(), node.bare)
    if isinstance(node, Flag):
        return _flag(node.name, reader)
    return All(()) if isinstance(node, Everything) else _test(node, reader)


def _flag(name: str, reader: Reader) -> Meaning:
    if name == "mine":
        return _mine(reader)
    if name == "unassigned":
        return Among("owner", frozenset({None}))
    if name == "overdue":
        return Between("due", None, reader.now)
    return Is(name)


def _mine(reader: Reader) -> Meaning:
    return Among("owner", frozenset() if reader.me is None else frozenset({reader.me}))


def _test(test: Compare, reader: Reader) -> Meaning:
    columns = test.columns or (1,) * len(test.values)
    found = [_one(test, value, at, reader) for value, at in zip(test.values, columns, strict=True)]
    whole = found[0] if len(found) == 1 else Any(tuple(found))
    return Nay(whole) if test.op == "!=" else whole


def _one(test: Compare, value: Value, column: int, reader: Reader) -> Meaning:
    if isinstance(value, Special):
        return _special(test.field, value, reader)
    if isinstance(value, Span | Wall):
        return _bounds(test.field, test.op, *_moments(value, reader))
    if isinstance(value, int):
        return _bounds(test.field, test.op, value, value + 1)
    if test.field == "owner":
        ids = reader.ids(value)
        if not ids:
            problem = f"nobody here is called “{clip(value, 40)}”"
            raise FilterError(test.text, column, problem, "write a login or a name, me or none")
        return Among("owner", frozenset(ids))
    if test.field == "text":
        return _written(test, value, column, reader)
    if test.field == "state":
        return Among("state", frozenset(STATES[value]))
    if test.field == "hold":
        return Among("hold", frozenset((value,)))
    found = Engaged(value) if test.field == "vendor" else Among(test.field, frozenset(_as_shown(value)))
    _refuse_strange(test, value, column, found, reader)
    return found


def _refuse_strange(test: Compare, value: str, column: int, found: Meaning, reader: Reader) -> None:
    """A name must be one of the policy's, where it names any, or some incident's still."""
    names, wanted = reader.named.get(test.field, ()), value.casefold()
    if not names or reader.has is None or wanted in map(str.casefold, names) or reader.has(found):
        return

    def likeness(name: str) -> float:
        return -difflib.SequenceMatcher(None, name.casefold(), wanted).ratio()

    near = sorted(names, key=likeness)
    told = ", ".join(near[:_TOLD]) + (", …" if near[_TOLD:] else "")
    what = "supplier" if test.field == "vendor" else test.field
    raise FilterError(test.text, column, f"there is no {what} “{clip(value, 40)}”", f"write one of: {told}")


def _written(test: Compare, typed: str, column: int, reader: Reader) -> Meaning:
    if not reader.texts:
        problem = "what was written is found as of now only" if reader.as_of else "here only titles are known"
        remedy = "leave out text: or --as-of" if reader.as_of else "ask muster list or muster search for it"
        raise FilterError(test.text, column, problem, remedy)
    return Written(term(typed))


def wants_texts(meaning: Meaning) -> bool:
    """Whether anything that was written is asked for."""
    if isinstance(meaning, All | Any):
        return any(map(wants_texts, meaning.parts))
    return isinstance(meaning, Written) or (isinstance(meaning, Nay) and wants_texts(meaning.part))


def _special(name: str, value: Special, reader: Reader) -> Meaning:
    if value is Special.ME:
        return _mine(reader)
    if name == "vendor":
        return Nay(Engaged(None))
    return Among(name, frozenset({"" if name in ("team", "service", "category") else None}))


def _as_shown(name: str) -> Iterable[str]:
    """Return all that a board's row may make of a name: itself, or its beginning where room is short."""
    whole = clip(name, SHOWN)
    yield whole.casefold()
    for length in range(1, len(whole)):
        yield f"{whole[:length]}…".casefold()


def _bounds(name: str, op: str, start: int, end: int) -> Meaning:
    """Lay the field beside what lasts from `start` up to `end`."""
    if op == "<":
        return Between(name, None, start)
    if op == "<=":
        return Between(name, None, end)
    if op == ">":
        return Between(name, end, None)
    return Between(name, start, None if op == ">=" else end)


def _moments(value: Span | Wall, reader: Reader) -> tuple[int, int]:
    """Return from when up to when a time lasts: a day, a minute, a second."""
    if isinstance(value, Span):
        return reader.now + value.seconds, reader.now + value.seconds + 1
    today = datetime.fromtimestamp(reader.now, UTC).astimezone(reader.zone).date()
    if value.text in ("today", "yesterday"):
        return _day(today - timedelta(days=value.text == "yesterday"), reader.zone)
    if len(value.text) == len("2026-03-29"):
        return _day(date.fromisoformat(value.text), reader.zone)
    whole = value.text if len(value.text) > len("16:30") else f"{today}T{value.text}"
    read = datetime.fromisoformat(whole)
    lasts = timedelta(seconds=1 if value.text.count(":") - _has_offset(value.text) == 2 else 60)
    if read.tzinfo is not None:
        return int(read.timestamp()), int((read + lasts).timestamp())
    return _instant(read, reader.zone, 0), _instant(read + lasts, reader.zone, 1)


def _has_offset(text: str) -> bool:
    return text[-6:-5] in ("+", "-") and text[-3:-2] == ":"


def _day(day: date, zone: tzinfo | None) -> tuple[int, int]:
    first = datetime(day.year, day.month, day.day)  # noqa: DTZ001 - a wall time, placed below
    return _instant(first, zone, 0), _instant(first + timedelta(days=1), zone, 0)


def _instant(wall: datetime, zone: tzinfo | None, fold: int) -> int:
    """Return when a wall time is: of one that comes twice, the first or the last; of a gap, its end."""
    early, late = (_placed(wall, zone, one) for one in (0, 1))
    if early > late:  # the clocks skip it: the two answers lie around the gap
        return _end_of_gap(late, early, zone)
    return late if fold else early


def _placed(wall: datetime, zone: tzinfo | None, fold: int) -> int:
    naive = wall.replace(fold=fold)
    return int((naive.astimezone() if zone is None else naive.replace(tzinfo=zone)).timestamp())


def _end_of_gap(low: int, high: int, zone: tzinfo | None) -> int:
    """Return the first second with the later offset."""

    def offset(at: int) -> timedelta | None:
        return datetime.fromtimestamp(at, UTC).astimezone(zone).utcoffset()

    before = offset(low)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if offset(middle) == before else (low, middle)
    return high
