"""Who we are there: the agent whose key we have, and the requester in whose name our tickets are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from integrations.errors import AuthFailed, AuthTrouble, Gone
from integrations.freshservice.wire import Agent, Me, Requesters
from integrations.reading import read

if TYPE_CHECKING:
    from integrations.freshservice.config import FreshserviceConfig
    from integrations.freshservice.wire import FreshTicket
    from integrations.http import Http


class Account:
    """Asks once and keeps it. Raises `integrations.errors` kinds."""

    def __init__(self, http: Http, config: FreshserviceConfig) -> None:
        self.http = http
        self.config = config
        self._me = 0
        self._requester = 0

    async def agent(self) -> Agent:
        """Ourselves, asked now."""
        agent = read(Me, await self.http.get("/agents/me")).agent
        self._me = agent.id
        return agent

    async def me(self) -> int:
        return self._me or (await self.agent()).id

    async def requester(self) -> int:
        """The requester's number; 0 while there is none of that address, or our account may not look."""
        if not self._requester:
            asked = {"email": self.config.requester, "include_agents": "true"}
            try:
                found = read(Requesters, await self.http.get("/requesters", asked)).requesters
            except AuthFailed as failure:
                if failure.trouble is not AuthTrouble.FORBIDDEN:
                    raise
                found = ()
            except Gone:
                found = ()
            self._requester = next((one.id for one in found if one.has(self.config.requester)), 0)
        return self._requester

    def made(self, ticket: FreshTicket) -> None:
        """A ticket that we made tells who its requester is."""
        self._requester = ticket.requester_id or self._requester

    def concerns(self, ticket: FreshTicket) -> bool:
        """Whether a ticket is one of ours: the list tells of all their people's."""
        department = self.config.department
        return (bool(self._requester) and ticket.requester_id == self._requester) or (
            department is not None and ticket.department_id == department
        )

    def is_ours(self, user: int | None, me: int) -> bool:
        """Whether words are from our side: by our account, or by mail from the requester's address."""
        return user is not None and user in (me, self._requester)
