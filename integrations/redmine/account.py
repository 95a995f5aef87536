"""What our account is and may do there, and the numbers of what Redmine knows by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pydantic import BaseModel, create_model

from integrations.errors import Rejected
from integrations.reading import read
from integrations.redmine.wire import Me, Named, Project, TheProject, TheRole, User

if TYPE_CHECKING:
    from integrations.http import Http
    from integrations.redmine.config import RedmineConfig

STATUSES: Final = "issue_statuses"
PRIORITIES: Final = "issue_priorities"
_PATHS: Final = {STATUSES: "/issue_statuses.json", PRIORITIES: "/enumerations/issue_priorities.json"}


class Account:
    """Asks once and keeps what hardly changes. Raises `integrations.errors` kinds."""

    def __init__(self, http: Http, config: RedmineConfig) -> None:
        self.http = http
        self.config = config
        self._me = 0
        self._named: dict[str, dict[int, str]] = {}
        self._trackers: dict[str, int] = {}

    async def user(self) -> User:
        """Ourselves. The one question that a wrong key is refused on, in every set-up."""
        answer = await self.http.get("/users/current.json", params={"include": "memberships"})
        user = read(Me, answer).user
        self._me = user.id
        return user

    async def me(self) -> int:
        return self._me or (await self.user()).id

    async def project(self) -> Project:
        path, include = f"/projects/{self.config.project}.json", "trackers,issue_categories"
        return read(TheProject, await self.http.get(path, params={"include": include})).project

    async def rights(self) -> frozenset[str] | None:
        """What our roles in the project allow; None for an administrator, who may do anything."""
        user, project = await self.user(), await self.project()
        if user.admin:
            return None
        found: set[str] = set()
        for membership in user.memberships:
            if membership.project.id == project.id:
                for role in membership.roles:
                    told = read(TheRole, await self.http.get(f"/roles/{role.id}.json"))
                    found.update(told.role.permissions)
        return frozenset(found)

    async def named(self, what: str, *, fresh: bool = False) -> dict[int, str]:
        """Number → name of all statuses or priorities."""
        if fresh or what not in self._named:
            fields: dict[str, Any] = {what: (tuple[Named, ...], ...)}
            told: BaseModel = read(create_model(what, **fields), await self.http.get(_PATHS[what]))
            self._named[what] = {each.id: each.name for each in getattr(told, what)}
        return self._named[what]

    async def name_of(self, what: str, number: int) -> str:
        """The name of one; its number in words where there is none any more."""
        known = await self.named(what)
        if number not in known:
            known = await self.named(what, fresh=True)
        return known.get(number, f"status {number}")

    async def number_of(self, what: str, name: str) -> int:
        for fresh in (False, True):
            for number, its in (await self.named(what, fresh=fresh)).items():
                if its == name:
                    return number
        key = "states" if what == STATUSES else "priorities"
        raise Rejected(
            f"{self.http.name} has no {name} any more: nothing was sent. Mend `{key}` in vendors.toml."
        )

    async def tracker(self, name: str = "") -> int:
        """The number of a tracker: of this name, else of the one that our tickets have."""
        wanted = name or self.config.tracker
        if wanted not in self._trackers:
            self._trackers = {each.name: each.id for each in (await self.project()).trackers}
        if wanted in self._trackers:
            return self._trackers[wanted]
        raise Rejected(
            f"The project {self.config.project} of {self.http.name} has no tracker {wanted}: "
            "nothing was sent. Mend it in vendors.toml."
        )

    def made_as(self, asked: int, made: Named | None) -> None:
        """As what an issue was made: Redmine takes another tracker where ours is the project's no more."""
        if made is not None and made.id != asked:
            self._trackers = {}  # the next one is refused, and that says why

    async def categories(self) -> dict[int, str]:
        """Number → name of the project's categories of issues."""
        return {each.id: each.name for each in (await self.project()).issue_categories}

    async def category(self, name: str) -> int:
        for number, its in (await self.categories()).items():
            if its == name:
                return number
        raise Rejected(
            f"The project {self.config.project} of {self.http.name} has no category {name}: nothing was sent."
            " Mend `categories` in vendors.toml."
        )
