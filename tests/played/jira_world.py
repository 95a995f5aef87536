"""The played Jira as the world that the conformance rules look into and act in."""

from __future__ import annotations

from typing import Any, ClassVar

import httpx

from integrations.conformance.world import Said, World
from integrations.connector import Ref, Theirs
from integrations.jira.config import JiraConfig
from integrations.systems.jira import Jira
from register.incident import Priority
from tests.played.jira import PlayedJira
from tests.played.jira_site import LENA, STATUSES, TOKEN, USER, WE, Json

EDITIONS: dict[str, dict[str, Any]] = {
    "cloud": {"user": USER, "internal_role": "Developers"},
    "desk": {"user": USER, "service_desk": "10", "request_type": "25"},
    "datacenter": {"edition": "datacenter", "internal_role": "Developers"},
}
"""What each has in vendors.toml besides the project."""


class JiraWorld(World):
    """The played site: ours is one of its accounts, and Lena one of their people."""

    system: ClassVar[Any] = Jira
    url = "https://acme.atlassian.net"
    patience = 2.0

    def __init__(self, edition: str = "cloud") -> None:
        self.desk = PlayedJira(cloud=edition != "datacenter")
        self.config = JiraConfig(project="OPS", internal_comments=True, **EDITIONS[edition])
        self.secret = TOKEN

    def transport(self) -> httpx.AsyncBaseTransport:
        return httpx.ASGITransport(self.desk.app)

    def of(self, ref: Ref) -> Json:
        return self.desk.issues[ref.id]

    async def tickets(self, op_id: str) -> int:
        rows = self.desk.issues.values()
        return sum(op_id in self.desk.read(one["fields"]["description"]) for one in rows)

    async def said(self, ref: Ref) -> list[Said]:
        issue = self.of(ref)
        first = Said(self.desk.read(issue["fields"]["description"]))
        return [first, *(Said(self.desk.read(one["body"]), is_public(one)) for one in issue["comments"])]

    async def says(self, ref: Ref, text: str) -> None:
        self.desk.says(self.of(ref), LENA, self.desk.text(text))

    async def sets(self, ref: Ref, to: Theirs) -> None:
        number = next(one for one, (name, _) in STATUSES.items() if self.config.states.get(name) is to)
        self.desk.sets(self.of(ref), LENA, number)

    async def files(self, ref: Ref) -> list[bytes]:
        return [self.desk.files[one["id"]] for one in self.of(ref)["fields"]["attachment"]]

    async def types_as_us(self, ref: Ref, text: str) -> None:
        self.desk.says(self.of(ref), WE, self.desk.text(text))

    async def crowds(self, ref: Ref, count: int) -> None:
        at = self.desk.tick()
        for number in range(count):
            self.desk.says(self.of(ref), LENA, self.desk.text(str(number)), at=at)

    async def merges(self, ref: Ref) -> Ref:
        """Jira merges nothing; it moves to another project, where the key is another and the id stays."""
        issue = self.of(ref)
        self.desk.moves(issue, LENA, "FIELD")
        return Ref(id=issue["id"], key=issue["key"])

    async def urges(self, ref: Ref, to: Priority) -> None:
        self.desk.ranks(self.of(ref), LENA, str(self.config.priorities[to]))

    async def expires(self) -> None:
        self.desk.known = False


def is_public(comment: Json) -> bool:
    if comment.get("jsdPublic") is False or comment.get("visibility"):
        return False
    return not comment.get("properties")
