"""The projects of a supplier on GitLab, who we are there, and what it means when something is not there."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TYPE_CHECKING, Final, TypeVar
from urllib.parse import quote

from integrations.connector import Ref, Ticket
from integrations.errors import AuthFailed, AuthTrouble, Gone, Rejected
from integrations.gitlab.wire import Account, Issue, Project
from integrations.linked import Rows, listed
from integrations.reading import read
from register.text import one_line

if TYPE_CHECKING:
    from integrations.gitlab.config import GitLabConfig
    from integrations.http import Http

_MOST_DIGITS: Final = 10
T = TypeVar("T")


class Projects:
    """Raises `integrations.errors` kinds."""

    def __init__(self, http: Http, config: GitLabConfig) -> None:
        self.http = http
        self.config = config
        self._me = 0

    async def account(self) -> Account:
        """Ourselves: the one question on which a stranger is refused, in a public project, too."""
        account = read(Account, await self.http.get("/user"))
        self._me = account.id
        return account

    async def me(self) -> int:
        return self._me or (await self.account()).id

    async def ours(self, who: Account | None) -> bool:
        return who is not None and who.id == await self.me()

    def path(self, project: str) -> str:
        return f"/projects/{quote(project, safe='')}"

    def issue_path(self, ref: Ref) -> str:
        project, number = self.place(ref)
        return f"{self.path(project)}/issues/{number}"

    def place(self, ref: Ref) -> tuple[str, int]:
        """Project and number: 12 in the one for new issues, group/name#12 in another that is listened to."""
        project, sign, number = ref.id.rpartition("#")
        if not (number.isascii() and number.isdecimal() and len(number) <= _MOST_DIGITS):
            raise Rejected(f"{one_line(ref.id)} is no issue of GitLab: nothing was sent.")
        if sign and project not in self.config.projects:
            raise Rejected(self.unheard(ref.id, project))
        return project or self.config.project, int(number)

    def ref(self, project: str, number: int, url: str = "") -> Ref:
        name = str(number) if project == self.config.project else f"{project}#{number}"
        return Ref(id=name, key=name if "#" in name else f"#{name}", url=url)

    def unheard(self, key: str, project: str) -> str:
        return (
            f"{one_line(key)} is in {one_line(project)}, to which Muster does not listen: add that to `also`"
            f" of {self.http.name} in vendors.toml if our account may see it, or ask them to move it back."
        )

    async def project(self, project: str) -> Project:
        """A project; AuthFailed where GitLab has none or hides it: it says 404 to both."""
        try:
            return read(Project, await self.http.get(self.path(project)))
        except Gone as gone:
            why = f"{self.http.name} has no project {project}, or hides it from our account ({gone.why})"
        raise AuthFailed(why, AuthTrouble.FORBIDDEN)

    async def seen(self, project: str, asked: Awaitable[T]) -> T:
        """What was asked for; where nothing is there, that the whole project is hidden, if it is."""
        try:
            return await asked
        except Gone:
            await self.project(project)
            raise

    async def issue(self, project: str, number: int) -> Issue:
        path = f"{self.path(project)}/issues/{number}"
        return read(Issue, await self.seen(project, self.http.get(path)))

    async def rows(self, project: str, number: int, what: str) -> list[dict[str, object]]:
        """Rows of a list that belongs to an issue: notes, resource_state_events, resource_label_events."""
        order = {"sort": "asc", "order_by": "created_at"} if what == "notes" else {}
        path = f"{self.path(project)}/issues/{number}/{what}"
        return await self.seen(project, listed(self.http, path, Rows, **order))

    def word(self, issue: Issue) -> str:
        return self.config.word(issue.is_open, issue.labels)

    def ticket(self, ref: Ref, issue: Issue) -> Ticket:
        word, ranked = self.word(issue), self.config.ranked(issue.labels)
        return Ticket(
            ref=self.ref(*self.place(ref), issue.web_url),
            title=one_line(issue.title),
            raw_state=one_line(word),
            state=self.config.meaning(word),
            raw_priority=ranked,
            assignee=one_line(issue.assignees[0].username) if issue.assignees else None,
            updated_at=issue.updated_at,
            priorities=self.config.meant(ranked),
        )
