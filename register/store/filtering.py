"""A filter as a condition on the `incident` table: the same incidents as the predicate finds among live rows.

What a reader may not see is left out before the condition is asked: of a restricted incident of others only
its number can be found, and that it is restricted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any as Anything
from typing import Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    and_,
    case,
    cast,
    false,
    func,
    not_,
    null,
    or_,
    select,
    true,
)

from register.canon import stamp
from register.core import Role
from register.filter.fields import PAGING
from register.filter.meaning import All, Among, Any, Between, Engaged, Is, Meaning, Nay, Titled, Written
from register.incident import Incident
from register.pressing import rank
from register.store import searching
from register.store import tables as t
from register.store.reading import incident_of
from register.store.sight import Sight, live_row, visible

_I: Final = t.incident.c
_COLUMNS: Final[Mapping[str, ColumnElement[Anything]]] = {
    "p": _I.priority,
    "number": _I.n,
    "opened": _I.opened_at,
    "updated": _I.updated_at,
    "due": _I.due_at,
    **{name: _I[name] for name in ("state", "hold", "owner", "team", "service", "category")},
}
_TIMES: Final = frozenset({"opened", "updated", "due"})
_MAY_LACK: Final = frozenset({"due", "hold", "owner"})
_FETCHED: Final = 500


def condition(connection: Connection, meaning: Meaning, sight: Sight) -> ColumnElement[bool]:
    """Return the condition that this reader's filter is, for this connection's database."""
    whole = _sql(connection, meaning)
    if sight.role >= Role.ADMIN:
        return whole
    masked = _of_masked(meaning)[0]
    mine = visible(sight)
    return and_(mine, whole) if masked is None else or_(and_(mine, whole), and_(not_(mine), masked))


def _sql(connection: Connection, meaning: Meaning) -> ColumnElement[bool]:
    """Return a condition that is true or false of every row, and never NULL."""
    if isinstance(meaning, Nay):
        return not_(_sql(connection, meaning.part))
    if isinstance(meaning, All):
        return and_(true(), *(_sql(connection, part) for part in meaning.parts))
    if isinstance(meaning, Any):
        return or_(false(), *(_sql(connection, part) for part in meaning.parts))
    if isinstance(meaning, Written):
        return _I.n.in_(searching.numbers(connection, [meaning.term]))
    if isinstance(meaning, Titled):
        return _I.title.contains(meaning.needle, autoescape=True)
    if isinstance(meaning, Engaged):
        return _engaged(meaning.vendor)
    if isinstance(meaning, Is):
        return _I.paging == meaning.flag if meaning.flag in PAGING else _I[meaning.flag] == 1
    return _between(meaning) if isinstance(meaning, Between) else _among(meaning)


def _among(meaning: Among) -> ColumnElement[bool]:
    column = _COLUMNS[meaning.field]
    values = sorted(value for value in meaning.values if value is not None)
    found: list[ColumnElement[bool]] = [column.is_(None)] if None in meaning.values else []
    if values:
        some = column.in_(values)
        found.append(and_(column.is_not(None), some) if meaning.field in _MAY_LACK else some)
    return or_(false(), *found)


def _between(meaning: Between) -> ColumnElement[bool]:
    column = _COLUMNS[meaning.field]
    bound: Callable[[int], Anything] = _stamp if meaning.field in _TIMES else int
    parts: list[ColumnElement[bool]] = [column.is_not(None)] if meaning.field in _MAY_LACK else []
    if meaning.low is not None:
        parts.append(column >= bound(meaning.low))
    if meaning.high is not None:
        parts.append(column < bound(meaning.high))
    return and_(true(), *parts)


def _stamp(at: int) -> str:
    return stamp(datetime.fromtimestamp(at, UTC))


def _engaged(vendor: str | None) -> ColumnElement[bool]:
    """Ask of an open incident what its row shows; of one that is over, who was ever engaged for it.

    In the row's JSON a vendor's name alone can stand behind `[“`: inside of texts a quote is escaped.
    """
    ever = select(cast(func.substr(t.bond.c.incident, len("INC-") + 1), Integer))
    if vendor is None:
        shows = not_(_I.board.contains('"bonds":[]', autoescape=True))
    else:
        shows = _I.board.contains(f'["{vendor}",', autoescape=True)
        ever = ever.where(t.bond.c.vendor == vendor)
    return or_(and_(_I.open == 1, shows), and_(_I.open == 0, _I.n.in_(ever)))


_Pair = tuple[ColumnElement[bool] | None, ColumnElement[bool] | None]


def _of_masked(meaning: Meaning) -> _Pair:
    """Return when a masked row surely is meant, and when it surely is not; None is never."""
    if isinstance(meaning, Nay):
        yes, no = _of_masked(meaning.part)
        return no, yes
    if isinstance(meaning, All | Any):
        pairs = [_of_masked(part) for part in meaning.parts]
        if isinstance(meaning, All):
            return _each([yes for yes, _ in pairs]), _some([no for _, no in pairs])
        return _some([yes for yes, _ in pairs]), _each([no for _, no in pairs])
    if isinstance(meaning, Is) and meaning.flag == "restricted":
        return true(), None
    if isinstance(meaning, Among | Between) and meaning.field == "number":
        whole = _between(meaning) if isinstance(meaning, Between) else _among(meaning)
        return whole, not_(whole)
    return None, None


def _each(parts: Sequence[ColumnElement[bool] | None]) -> ColumnElement[bool] | None:
    known = [part for part in parts if part is not None]
    return and_(true(), *known) if len(known) == len(parts) else None


def _some(parts: Sequence[ColumnElement[bool] | None]) -> ColumnElement[bool] | None:
    known = [part for part in parts if part is not None]
    return or_(false(), *known) if known else None


Order = Callable[[ColumnElement[bool]], tuple[ColumnElement[Anything], ...]]
"""From what a reader may see to what is sorted by: what they may not see stands last, by its number."""


def _seen(mine: ColumnElement[bool], *keys: ColumnElement[Anything]) -> tuple[ColumnElement[Anything], ...]:
    hidden = case((mine, 0), else_=1)
    return (hidden, *(case((mine, key), else_=null()) for key in keys), _I.n.asc())


_NO_DUE: Final = case((_I.due_at.is_(None), 1), else_=0)


ORDERS: Final[Mapping[str, Order]] = {
    "pressing": lambda mine: _seen(mine, 1 - _I.open, _I.priority, _NO_DUE, _I.due_at),
    "newest": lambda mine: (_I.n.desc(),),
    "oldest": lambda mine: (_I.n.asc(),),
    "due": lambda mine: _seen(mine, _NO_DUE, _I.due_at),
    "updated": lambda mine: (
        case((mine, 0), else_=1),
        case((mine, _I.updated_at), else_=null()).desc(),
        _I.n.asc(),
    ),
}
"""By the words of --sort."""


def anything(connection: Connection, meaning: Meaning, sight: Sight) -> bool:
    """Whether any incident, open or over, is meant that this reader may see whole."""
    query = select(_I.n).where(and_(visible(sight), condition(connection, meaning, sight))).limit(1)
    return connection.execute(query).first() is not None


def seen_numbers(
    connection: Connection, meaning: Meaning, sight: Sight, *, everything: bool = False
) -> list[int]:
    """Return the numbers of what a filter means and this reader may see whole, in order."""
    query = select(_I.n).where(and_(visible(sight), condition(connection, meaning, sight))).order_by(_I.n)
    if not everything:
        query = query.where(_I.open == 1)
    return list(connection.execute(query).scalars())


def incidents(
    connection: Connection,
    meaning: Meaning,
    sight: Sight,
    *,
    everything: bool = False,
    order: str = "pressing",
    limit: int | None = None,
    now: float = 0.0,
) -> list[Incident]:
    """Return the open incidents that a filter means, or all of them, in that order.

    now: epoch s, for what is overdue and stands first among the pressing.
    """
    whole = condition(connection, meaning, sight)
    whole = whole if everything else and_(_I.open == 1, whole)
    numbers: list[int] = []
    if order == "pressing":  # as a board has them: what is open and seen by rank, the others behind it
        shown = and_(_I.open == 1, visible(sight))
        query = select(_I.n, _I.board, _I.restricted, _I.seers).where(and_(whole, shown))
        found = sorted((rank(live_row(row, sight), now), row.n) for row in connection.execute(query))
        numbers, whole = [n for _, n in found][:limit], and_(whole, not_(shown))
    rest = select(_I.n).where(whole).order_by(*ORDERS[order](visible(sight)))
    rest = rest if limit is None else rest.limit(limit - len(numbers))
    numbers += connection.execute(rest).scalars()  # without the docs: they are long to sort
    return _read(connection, numbers)


def _read(connection: Connection, numbers: Sequence[int]) -> list[Incident]:
    found: list[Incident] = []
    for at in range(0, len(numbers), _FETCHED):
        some = numbers[at : at + _FETCHED]
        rows = connection.execute(select(_I.n, _I.doc).where(_I.n.in_(some)))
        docs: dict[int, str] = {row.n: row.doc for row in rows}
        found += [incident_of(docs[n], n) for n in some]
    return found
