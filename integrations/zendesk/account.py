"""Who we are there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from integrations.errors import AuthFailed
from integrations.reading import read
from integrations.zendesk.wire import Me, Person

if TYPE_CHECKING:
    from integrations.http import Http

AGENTS: Final = ("agent", "admin")


class Account:
    """Asks once and keeps it. Raises `integrations.errors` kinds."""

    def __init__(self, http: Http) -> None:
        self.http = http
        self._me = 0

    async def user(self) -> Person:
        """Ourselves. Whoever is not known there is told with 200 to be nobody, who has no id."""
        user = read(Me, await self.http.get("/users/me")).user
        if user.id is None or user.suspended:
            raise AuthFailed(
                f"{self.http.name} takes us for nobody: the stored credential is not known there any more,"
                " or belongs to another address than `user` says."
            )
        self._me = user.id
        return user

    async def me(self) -> int:
        return self._me or (await self.user()).id or 0

    async def sees_all(self) -> bool:
        """Whether lists show us all tickets: a restricted agent's leave out what is routed away."""
        user = await self.user()
        return user.role in AGENTS and user.ticket_restriction is None
