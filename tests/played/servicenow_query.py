"""Encoded queries as a ServiceNow reads them: what it does not know in one it ignores, and finds the more."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

Row = Mapping[str, Any]
_TERM = re.compile(r"([a-z_]+)(>=|<=|!=|=|>|<|ISNOTEMPTY|IN|LIKE)(.*)", re.DOTALL)
_TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")
_TIMED = re.compile(r"[a-z_]+(>=|<=|>|<)")
_TESTS: dict[str, Callable[[str, str], bool]] = {
    "=": lambda held, asked: held == asked,
    "!=": lambda held, asked: held != asked,
    ">=": lambda held, asked: held >= asked,
    "<=": lambda held, asked: held <= asked,
    ">": lambda held, asked: held > asked,
    "<": lambda held, asked: held < asked,
    "IN": lambda held, asked: held in asked.split(","),
    "LIKE": lambda held, asked: asked.lower() in held.lower(),
    "ISNOTEMPTY": lambda held, asked: held != "",
}


def found(
    rows: Iterable[Row],
    query: str,
    columns: Iterable[str],
    zone: str,
    us: str,
    *,
    strict: bool = False,
    ranges: bool = True,
) -> list[Row]:
    """The rows that a query finds, in its order. zone: in which times in it are read. us: our sys_id, or
    empty where scripts are not understood.

    ranges: whether this account may compare and sort by times (a query ACL, query_range).
    strict: as with glide.invalid_query.returns_no_rows, which finds nothing where a part is not known.
    """
    known, asked, orders = set(columns), [], []
    for part in query.split("^") if query else []:
        if part.startswith("ORDERBY"):
            down = part.startswith("ORDERBYDESC")
            if not ranges:
                continue
            orders.append((part.removeprefix("ORDERBYDESC").removeprefix("ORDERBY"), down))
        elif part.startswith("OR") and asked:
            asked[-1].append(part.removeprefix("OR"))
        else:
            asked.append([part])
    if not ranges and any(_TIMED.match(one) for either in asked for one in either):
        return []
    tests = []
    for either in asked:
        terms = [term for one in either if (term := _term(one, known, zone, us)) is not None]
        if len(terms) < len(either) and strict:
            return []
        if terms:
            tests.append(terms)
    fits = [row for row in rows if all(any(term(row) for term in terms) for terms in tests)]
    for column, down in reversed(orders):
        fits.sort(key=lambda row: str(row[column]) if column in row else "", reverse=down)
    return fits


def _term(text: str, known: set[str], zone: str, us: str) -> Callable[[Row], bool] | None:
    parts = _TERM.fullmatch(text)
    if parts is None or parts[1] not in known:
        return None
    column, operator, asked = parts.groups()
    if asked == "javascript:gs.getUserID()":
        asked = us
    if not asked and operator != "ISNOTEMPTY":
        return None
    if _TIME.fullmatch(asked):
        local = datetime.fromisoformat(asked).replace(tzinfo=ZoneInfo(zone))
        asked = local.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
    test = _TESTS[operator]
    return lambda row: test(str(row[column]), asked)
