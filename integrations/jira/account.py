"""Who we are there, and whether an answer that shows nothing was meant for us."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from integrations.errors import AuthFailed
from integrations.jira.wire import Person
from integrations.reading import read

if TYPE_CHECKING:
    from integrations.http import Http
    from integrations.jira.config import JiraConfig

_NAMED: Final = ("x-aaccountid", "x-ausername")
"""Headers in which Jira names the account that an answer is for: Cloud's, Data Center's."""
_NOBODY: Final = frozenset({"", "anonymous"})


class Account:
    """Asks once and keeps it. Raises `integrations.errors` kinds."""

    def __init__(self, http: Http, config: JiraConfig) -> None:
        self.http = http
        self._path = f"{config.api}/myself"
        self._me = ""

    async def user(self) -> Person:
        user = read(Person, await self.http.get(self._path))
        if not user.id or not user.active:
            raise AuthFailed(
                f"{self.http.name} takes us for nobody: the stored credential is not known there any more,"
                " or belongs to another address than `user` says."
            )
        self._me = user.id
        return user

    async def me(self) -> str:
        return self._me or (await self.user()).id

    async def proved(self, headers: Mapping[str, str]) -> None:
        """Raise where an answer was for nobody: whoever is not known is shown what everybody may see."""
        if all(headers.get(name, "") in _NOBODY for name in _NAMED):
            await self.user()

    def now(self) -> datetime:
        """Their time, by the date of their last answer."""
        return (datetime.now(UTC) + (self.http.gap or timedelta(0))).replace(microsecond=0)
