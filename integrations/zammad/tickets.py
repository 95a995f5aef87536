"""Tickets of a Zammad asked for by condition: out of its database, never out of its search index.

A search with a `query` goes to the index, which lags, and where there is none reads texts alone. One with a
`condition` and no query goes to the database (app/models/concerns/can_search.rb).
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Final

from integrations.connector import Ref
from integrations.reading import read
from integrations.zammad.wire import Account, ZammadTicket, ZammadTickets

if TYPE_CHECKING:
    from integrations.http import Http

PAGE: Final = 100


class Tickets:
    """Raises `integrations.errors` kinds."""

    def __init__(self, http: Http) -> None:
        self.http = http
        self._me = 0

    async def account(self) -> Account:
        """Ourselves: the one question that whoever is nobody there is refused on."""
        account = read(Account, await self.http.get("/users/me"))
        self._me = account.id
        return account

    async def me(self) -> int:
        return self._me or (await self.account()).id

    async def one(self, number: int) -> ZammadTicket:
        return read(ZammadTicket, await self.http.get(f"/tickets/{number}", {"expand": "true"}))

    async def with_reference(self, field: str, op_id: str) -> tuple[ZammadTicket, ...]:
        """Oldest first; whatever else comes is not left out here."""
        return await self._where(f"ticket.{field}", "is", op_id, "created_at")

    async def saying(self, text: str) -> tuple[ZammadTicket, ...]:
        """Those with an article that has this in it."""
        return await self._where("article.body", "contains", text, "created_at")

    async def changed_since(self, since: datetime) -> list[ZammadTicket]:
        """All that changed at or after this, the longest ago first.

        Each page begins where the last one ended: whatever changes meanwhile goes to the end, and pages by
        number would step over its neighbours.
        """
        found: dict[int, ZammadTicket] = {}
        page = 1
        while True:
            stamp = since.isoformat().replace("+00:00", "Z")
            name, how = "ticket.updated_at", "after (absolute)"
            rows = await self._where(name, how, stamp, "updated_at", page=page)
            found |= {row.id: row for row in rows if row.updated_at >= since}
            if len(rows) < PAGE:
                return list(found.values())
            page = page + 1 if rows[-1].updated_at <= since else 1
            since = max(since, rows[-1].updated_at)

    async def newest(self) -> ZammadTicket | None:
        """The one that changed last, if there is any."""
        long_ago = "1970-01-01T00:00:00Z"
        rows = await self._where(
            "ticket.updated_at", "after (absolute)", long_ago, "updated_at", "desc", rows=1
        )
        return rows[0] if rows else None

    async def _where(
        self,
        name: str,
        operator: str,
        value: str,
        by: str,
        order: str = "asc",
        *,
        page: int = 1,
        rows: int = PAGE,
    ) -> tuple[ZammadTicket, ...]:
        asked: dict[str, str | int] = {
            f"condition[{name}][operator]": operator,
            f"condition[{name}][value]": value,
            "sort_by": by,
            "order_by": order,
            "page": page,
            "per_page": rows,
            "expand": "true",
        }
        return read(ZammadTickets, await self.http.get("/tickets/search", asked)).root


def ref_of(ticket: ZammadTicket, web: str) -> Ref:
    return Ref(id=str(ticket.id), key=f"#{ticket.number}", url=f"{web}/#ticket/zoom/{ticket.id}")
