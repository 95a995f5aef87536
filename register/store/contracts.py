"""Suppliers' contracts in the register: whether a reminder still has a reason, and what is broken next."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import and_, select

from register.clocks.nudge import is_running
from register.clocks.run import clocks_of
from register.store import tables as t
from register.store.outbox import Sending
from register.store.promises import timeline_of
from register.store.store import Store


def is_wanted(store: Store, row: Sending) -> bool:
    """Whether a sending is to leave: a reminder only while the clock that it is about still runs."""
    mark = orjson.loads(row.payload).get("about")
    incident = store.incident(row.incident) if mark else None
    if incident is None:
        return not mark
    place = next((at for at, bond in enumerate(incident.bonds) if bond.id == row.bond), None)
    return place is not None and is_running(clocks_of(incident, store.ask(timeline_of)), place, mark)


@dataclass(frozen=True, slots=True)
class Nearest:
    """What a supplier breaks first. clock: as `acme fix`. due: epoch seconds, perhaps past."""

    vendor: str
    number: str
    clock: str
    due: int


def nearest_of(kept: Iterable[tuple[str, Sequence[Mapping[str, Any]]]]) -> dict[str, Nearest]:
    """Return each supplier's, of what incidents' rows keep of their clocks (`register.clocks.due.facts_of`).

    What is paused is broken by nobody. Pure.
    """
    found: dict[str, Nearest] = {}
    for number, facts in kept:
        for one in facts:
            if "bond" not in one or one.get("due") is None:
                continue
            clock = str(one["clock"])
            mine = Nearest(clock.partition(" ")[0], number, clock, int(one["due"]))
            if mine.vendor not in found or mine.due < found[mine.vendor].due:
                found[mine.vendor] = mine
    return found


def nearest(store: Store) -> dict[str, Nearest]:
    """Return for each supplier the contract that is closest to its breach, of all open incidents."""
    i = t.incident.c
    query = select(i.n, i.clocks).where(and_(i.open == 1, i.clocks.like('%"bond":%')))
    with store.read() as connection:
        rows = connection.execute(query).all()
    return nearest_of((f"INC-{n}", orjson.loads(clocks)) for n, clocks in rows)
