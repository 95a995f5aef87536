"""Which incidents wait for a record elsewhere: a change, a problem. Their children go on with them."""

from __future__ import annotations

import orjson
from sqlalchemy import Connection, and_, select

from register.incident import ELSEWHERE
from register.store import tables as t


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
