"""What has changed: the list of tickets since a time, of which ours are read.

The list knows of the last 30 days alone unless it is asked for by `updated_since`, and of the primary
workspace alone unless another one is named. It can be had in the order in which tickets were made, not in
which they changed, by the page: whatever is deleted meanwhile moves the rest up, over the edge of a page that
was read already. So a list of several pages is read until two readings agree.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pydantic import ValidationError

from integrations.errors import Rejected
from integrations.freshservice.asking import every
from integrations.freshservice.told import row_of
from integrations.freshservice.wire import PAGE, FreshTicket, Listed, just_before
from integrations.rest.feed import Feed
from integrations.zones import zoned

if TYPE_CHECKING:
    from datetime import datetime

    from integrations.connector import Change, Cursor, Page, Ref, Unread
    from integrations.freshservice.account import Account
    from integrations.freshservice.config import FreshserviceConfig
    from integrations.freshservice.told import Story
    from integrations.http import Http

MOST: Final = 300
"""Pages of the list: the vendor warns of those beyond 500."""
READINGS: Final = 5
"""Times that a list of several pages is read, before what it says is taken as it is."""


@dataclass(frozen=True, slots=True)
class _Times:
    overlap_seconds: int = 120
    read_format: str = ""


class News:
    """Pages of changes. Raises `integrations.errors` kinds."""

    def __init__(self, http: Http, config: FreshserviceConfig, account: Account, story: Story) -> None:
        self.http = http
        self.config = config
        self._account = account
        self._story = story
        self._feed = Feed(http, _Times(), self._listed, self._look, account.agent)

    async def page(self, cursor: Cursor | None) -> Page:
        if cursor is None:
            await self._account.agent()
        return await self._feed.page(cursor)

    async def since(self, at: datetime, most: int = MOST) -> tuple[dict[int, dict[str, Any]], bool]:
        """All tickets that changed at this second or later, by number; and whether these are all."""
        asked: dict[str, Any] = {"updated_since": just_before(at), "order_type": "asc"}
        if self.config.workspace is not None:
            asked["workspace_id"] = self.config.workspace
        found: dict[int, dict[str, Any]] = {}
        for _ in range(READINGS):
            rows, pages = await every(self.http, "/tickets", Listed, "tickets", most, asked)
            before = len(found)
            found |= {row["id"]: row for row in rows if type(row.get("id")) is int}
            if pages < 0 or pages == 1 or len(found) == before:
                return found, pages > 0
        return found, True

    async def _listed(self, since: datetime) -> Sequence[Mapping[str, Any]]:
        rows, whole = await self.since(since)
        if not whole:
            raise Rejected(
                f"{self.http.name} lists more than {MOST * PAGE:,} changed tickets: none of them was read,"
                " for none may be passed over. Ask them whether something changes all tickets for ever."
            )
        if rows:
            await self._account.requester()
        return [kept for row in rows.values() if (kept := self._row(row)) is not None]

    def _row(self, row: Mapping[str, Any]) -> dict[str, Any] | None:
        """What is kept of a row; one that cannot be read is left to the look at it, which says so."""
        try:
            return row_of(FreshTicket.model_validate(row, context=zoned(self.http.zone)))
        except ValidationError:
            return {"id": row["id"], "updated": row.get("updated_at"), "odd": True}

    async def _look(self, ref: Ref, row: Mapping[str, Any]) -> tuple[list[Change], list[Unread]]:
        """One ticket's news; of those that are none of ours not even a request."""
        if row.get("odd"):
            raise Rejected(f"{self.http.name} listed ticket {ref.id} in a shape that cannot be read.")
        ticket = FreshTicket.model_validate(row, context=zoned(self.http.zone))
        return await self._story.told(ticket) if self._account.concerns(ticket) else ([], [])
