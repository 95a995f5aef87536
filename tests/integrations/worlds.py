"""Suppliers that connectors are measured against: see docs/conformance.md."""

from __future__ import annotations

from integrations.conformance.world import Said, World
from integrations.connector import Ref, Theirs
from integrations.practice.config import PracticeConfig
from integrations.practice.moods import ExpiredToken
from integrations.practice.people import WE
from integrations.practice.server import Practice
from integrations.systems.practice import PracticeDesk
from register.incident import Priority


class PracticeWorld(World):
    """The practice supplier, over real HTTP."""

    system = PracticeDesk

    def __init__(self, practice: Practice) -> None:
        self.practice, self.desk = practice, practice.desk
        self.url = practice.url
        self.config = PracticeConfig()
        self.secret = "practice-token-1"

    async def tickets(self, op_id: str) -> int:
        return len(self.desk.with_reference(op_id))

    async def said(self, ref: Ref) -> list[Said]:
        words = [c for c in self.desk.history(ref.id) if c.kind in ("created", "comment")]
        return [Said(change.body, change.public) for change in words]

    async def says(self, ref: Ref, text: str) -> None:
        self.desk.comment(ref.id, "Lena", text)

    async def sets(self, ref: Ref, to: Theirs) -> None:
        raw = next(raw for raw, means in self.config.states.items() if means is to)
        self.desk.set_state(ref.id, "Lena", raw)

    async def files(self, ref: Ref) -> list[bytes]:
        return [self.desk.file(c.seq) for c in self.desk.history(ref.id) if c.kind == "file"]

    async def types_as_us(self, ref: Ref, text: str) -> None:
        self.desk.comment(ref.id, WE, text)

    async def crowds(self, ref: Ref, count: int) -> None:
        self.desk.burst(ref.id, "Lena", [str(number) for number in range(count)])

    async def merges(self, ref: Ref) -> Ref:
        other = self.desk.create("Lena", "Collected")
        self.desk.merge(ref.id, other.id, "Lena")
        return Ref(id=other.id, key=other.key)

    async def urges(self, ref: Ref, to: Priority) -> None:
        self.desk.set_priority(ref.id, "Lena", self.config.priorities[to])

    async def expires(self) -> None:
        self.practice.moods.set(ExpiredToken())
