"""Who we are there: by its name, which stands beside all that somebody wrote."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from integrations.errors import Rejected
from integrations.servicenow.wire import listed, text_in
from register.text import one_line

if TYPE_CHECKING:
    from integrations.http import Http
    from integrations.servicenow.config import ServiceNowConfig

_US: Final = "sys_id=javascript:gs.getUserID()"
"""The one account that asks. Where it is not understood it is ignored, and there are two rows."""


class Account:
    """Asks once and keeps it. Raises `integrations.errors` kinds."""

    def __init__(self, http: Http, config: ServiceNowConfig) -> None:
        self.http = http
        self.config = config
        self._me = config.user or config.account

    async def told(self) -> str:
        """Our name as they tell it; empty where our account may not read that."""
        rows = (await listed(self.http, "/v2/table/sys_user", _US, "user_name", limit=2)).rows
        return one_line(text_in(rows[0], "user_name")) if len(rows) == 1 else ""

    async def me(self) -> str:
        if not self._me:
            self._me = await self.told()
        if not self._me:
            raise Rejected(
                f"{self.http.name} does not tell our account its own name, by which ours is told from theirs:"
                " write it in vendors.toml as `account`, or ask them for the right to read it."
            )
        return self._me
