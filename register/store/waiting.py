"""Which incidents wait for a record elsewhere: a change, a problem."""

from __future__ import annotations

from typing import Final

import orjson
from sqlalchemy import Connection, and_, select

from register.incident import HoldReason
from register.store import tables as t

ELSEWHERE: Final = (HoldReason.CHANGE, HoldReason.PROBLEM)


def waiting_for(connection: Connection, record: str) -> list[str]:
    """The numbers of the open incidents on hold that wait for that record, whatever its capitals."""
    query = select(t.incident.c.n, t.incident.c.doc).where(
        and_(t.incident.c.open == 1, t.incident.c.hold.in_(ELSEWHERE))
    )
    wanted = record.casefold()
    return [
        f"INC-{n}"
        for n, doc in connection.execute(query.order_by(t.incident.c.n))
        if str((orjson.loads(doc)["hold"] or {}).get("on", "")).casefold() == wanted
    ]
