"""Back to back: a supplier's contract and our own handover must fit inside what we have promised.

Not by comparing two numbers, for their hours may differ from ours: every hour of a week is tried as the
moment of an incident, and the first one that cannot be kept is told.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Final, NamedTuple

from register.calendars import moment_of, seconds_of
from register.clocks.book import Book, Promise, Rule
from register.clocks.definition import Contract, Kind, Metric
from register.clocks.span import told

_MONDAY: Final = seconds_of(datetime.fromisoformat("2026-03-02T00:00+00:00"))
_WEEK: Final = range(_MONDAY, _MONDAY + 7 * 86_400, 3600)
"""Each hour of a plain week: no change of the clocks in most zones, few holidays."""


def misfits(book: Book) -> list[str]:
    """Return a sentence for each supplier, clock and priority that does not fit."""
    return [
        sentence
        for vendor, contract in book.contracts.items()
        if not contract.beyond_promise
        for sentence in _of(book, vendor, contract)
    ]


class Spare(NamedTuple):
    """How a supplier's fix, after our own handover, stands to what we have promised, at a week's worst hour.

    seconds: on the wall; less than none is too late, None is for ever. beyond: why it may be.
    """

    vendor: str
    priority: str
    clock: str
    seconds: int | None
    beyond: str


def spares(book: Book) -> list[Spare]:
    """Return how every contract fits inside every promise of ours that it stands behind."""
    return [
        Spare(vendor, f"P{priority}", name, _worst(book, ours, theirs, priority), contract.beyond_promise)
        for vendor, contract in book.contracts.items()
        for name, priority, ours, theirs in _pairs(book, vendor, contract)
    ]


def _worst(book: Book, ours: Promise, theirs: Promise, priority: str) -> int | None:
    worst: int | None = None
    for before in _handovers(book, priority):
        for begin in _WEEK:
            due, fixed = _after(book, begin, ours), _fixed(book, begin, before, theirs)
            if due is None:
                continue
            if fixed is None:
                return None
            worst = due - fixed if worst is None else min(worst, due - fixed)
    return worst


def _of(book: Book, vendor: str, contract: Contract) -> Iterator[str]:
    for name, priority, ours, theirs in _pairs(book, vendor, contract):
        late = (_too_late(book, ours, before, theirs) for before in _handovers(book, priority))
        found = next(filter(None, late), "")
        if found:
            yield (
                f"contracts.{vendor}: P{priority} does not fit inside clocks.{name}. {found}"
                f" Mend one of them, or say in contracts.{vendor}.beyond_promise why it is so"
            )


def _pairs(book: Book, vendor: str, contract: Contract) -> Iterator[tuple[str, str, Promise, Promise]]:
    """Yield each promise of ours that a supplier's fix stands behind: clock, priority, ours, theirs."""
    fixes = next((rule.promises for rule in book.supplier_rules[vendor] if rule.metric is Metric.FIX), {})
    for name, clock in book.clocks.items():
        if clock.kind is not Kind.SLA or clock.metric is not Metric.RESOLUTION:
            continue
        wanted = clock.when.service if clock.when else None
        if wanted and contract.services and not set(wanted) & set(contract.services):
            continue
        ours = next(rule for rule in book.rules if rule.name == name)
        for priority, promise in ours.promises.items():
            if priority in fixes and priority in ours.start.get("priority", (priority,)):
                yield name, priority, promise, fixes[priority]


_Before = tuple[str, Promise] | None


def _handovers(book: Book, priority: str) -> list[_Before]:
    """How long one of our teams may hold it before it is handed over: each way, for hours differ."""
    rules: list[Rule] = [r for r in book.rules if r.kind is Kind.OLA and r.metric is Metric.HANDOVER]
    found = [(rule.name, rule.promises[priority]) for rule in rules if priority in rule.promises]
    return [*sorted(found, key=lambda one: -one[1].seconds)] or [None]


def _too_late(book: Book, ours: Promise, before: _Before, theirs: Promise) -> str:
    for begin in _WEEK:
        due, fixed = _after(book, begin, ours), _fixed(book, begin, before, theirs)
        if due is not None and (fixed is None or fixed > due):
            parts = [f"{told(before[1].seconds)} of {before[0]}"] if before else []
            parts.append(f"{told(theirs.seconds)} of theirs on {theirs.calendar}")
            ends = "for ever" if fixed is None else f"until {_said(fixed)}"
            return (
                f"Logged {_said(begin)}: {' and '.join(parts)} may last {ends},"
                f" and we have promised {_said(due)} ({told(ours.seconds)} on {ours.calendar})."
            )
    return ""


def _fixed(book: Book, begin: int, before: _Before, theirs: Promise) -> int | None:
    """When it is fixed at the latest, handed over at the latest: None where that is never."""
    handed = begin if before is None else _after(book, begin, before[1])
    return None if handed is None else _after(book, handed, theirs)


def _after(book: Book, begin: int, promise: Promise) -> int | None:
    hours = book.hours(promise.calendar)
    return None if hours is None else hours.after(begin, promise.seconds)


def _said(at: int) -> str:
    return moment_of(at).strftime("%a %H:%M UTC")
