"""Which incidents wait: for a record elsewhere, a change or a problem; for the next step of an escalation."""

from __future__ import annotations

from collections.abc import Iterable

import orjson
from sqlalchemy import Connection, and_, select

from register.core import Command
from register.duty import Duty
from register.incident import ELSEWHERE
from register.store import tables as t
from register.store.transaction import Transaction


def those_waiting(transaction: Transaction, command: Command, duty: Duty) -> list[str]:
    """The numbers of the incidents that a rule needs to see because of what they wait for; mostly none."""
    record, services = command.waits_for(), command.stirs(duty)
    found = [] if record is None else waiting_for(transaction.connection, record)
    return found if services is None else [*found, *escalating(transaction.connection, services)]


def waiting_for(connection: Connection, record: str) -> list[str]:
    """The numbers of the open incidents on hold that wait for that record, whatever its capitals, and of
    their children.
    """
    query = select(t.incident.c.n, t.incident.c.doc).where(
        and_(t.incident.c.open == 1, t.incident.c.hold.in_(ELSEWHERE))
    )
    wanted, found = record.casefold(), dict[str, None]()
    for n, doc in connection.execute(query.order_by(t.incident.c.n)):
        incident = orjson.loads(doc)
        if str((incident["hold"] or {}).get("on", "")).casefold() == wanted:
            found |= dict.fromkeys((f"INC-{n}", *incident["children"]))
    return list(found)


def escalating(connection: Connection, services: Iterable[str]) -> list[str]:
    """The numbers of the open incidents with an escalation of which a step is to come, in their order.

    services: of these alone, whatever the capitals, and perhaps of a few more; none named: of all.
    """
    row = t.incident.c
    query = select(row.n, row.service).where(and_(row.open == 1, row.paging != "", row.step_at.is_not(None)))
    wanted = tuple(one.casefold() for one in services)
    found = connection.execute(query.order_by(row.n))
    # a long name was cut for the row: it is looked at whole in the rule
    return [f"INC-{n}" for n, cut in found if not wanted or _begins(wanted, cut)]


def _begins(wanted: tuple[str, ...], cut: str) -> bool:
    beginning = cut.removesuffix("…")
    return any(one == cut or (cut != beginning and one.startswith(beginning)) for one in wanted)
