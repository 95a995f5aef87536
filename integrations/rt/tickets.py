"""RT's searches for tickets, and what must hold before an empty one is believed."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from integrations.reading import read
from integrations.rt.config import RtConfig
from integrations.rt.wire import ME, PAGE, Hits, Queue

if TYPE_CHECKING:
    from integrations.http import Http


class Tickets:
    """Searches. Raises `integrations.errors` kinds."""

    def __init__(self, http: Http, config: RtConfig) -> None:
        self.http = http
        self.config = config
        self._sees_own = False

    async def search(self, query: str, fields: str = "", *, changed_last: bool = False) -> Hits:
        """One page, by number or the last changed first."""
        orderby, order = ("LastUpdated", "DESC") if changed_last else ("id", "ASC")
        params = {"query": query, "fields": fields, "per_page": PAGE, "orderby": orderby, "order": order}
        return read(Hits, await self.http.get("/tickets", params=params))

    async def queue(self, name: str = "") -> Queue:
        """A queue: of this name, else the one that our tickets go to."""
        return read(Queue, await self.http.get(f"/queue/{quote(name or self.config.queue, safe='')}"))

    async def sees_own(self) -> bool:
        """Whether our account was ever shown a ticket that it made: the right to make them says nothing."""
        if not self._sees_own:
            self._sees_own = bool((await self.search(f"Creator = {ME}")).items)
        return self._sees_own
