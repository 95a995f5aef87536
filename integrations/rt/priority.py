"""Setting a ticket's priority in RT, and knowing one's own change when it comes back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from integrations.connector import Applied, Ref, Reprioritise, Ticket
from integrations.errors import Rejected
from integrations.mapping import unranked
from integrations.rt.config import RtConfig
from integrations.rt.transactions import Transactions
from integrations.rt.wire import ME, PRIORITY, number_of, row_id
from register.text import clip, one_line

if TYPE_CHECKING:
    from integrations.http import Http


class PriorityOf:
    """Sets it. Raises `integrations.errors` kinds."""

    def __init__(self, http: Http, config: RtConfig, transactions: Transactions) -> None:
        self.http = http
        self.config = config
        self._transactions = transactions

    async def set_to(
        self, ref: Ref, wish: Reprioritise, if_version: str | None, get: Callable[[Ref], Awaitable[Ticket]]
    ) -> Applied:
        """RT tells no id of what a PUT did: it is looked up, so that it is known when it comes back."""
        theirs = self.config.priority_of(wish.to, wish.impact, wish.urgency)
        if theirs is None:
            raise unranked(self.http.name, self.config, wish.to, "NUMBER")
        path, json = f"/ticket/{number_of(ref)}", {"Priority": theirs}
        match = {} if if_version is None else {"If-Match": f'"{if_version}"'}
        answer = await self.http.put(path, json=json, headers=match, safe=True, op_id=wish.op_id)
        ticket = await get(ref)
        if ticket.raw_priority != str(theirs):
            said = clip(one_line(self.http.masked("; ".join(map(str, answer.json())))), 300)
            why = f"{self.http.name} answered “{said}” and left {ref.key} at priority {ticket.raw_priority}."
            raise Rejected(why, 200)
        done = f"ObjectId = {number_of(ref)} AND Creator = {ME} AND {PRIORITY}"
        rows = await self._transactions.page(done, newest_first=True, rows=1)
        ids = (str(row_id(row)) for row in rows if row.get("NewValue") == str(theirs))
        return Applied(tuple(ids), ticket)
