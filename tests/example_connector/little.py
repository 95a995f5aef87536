"""Connector of Little Desk: POST /tickets, and GET by its number or by the reference that we gave it."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from pydantic import AwareDatetime, BaseModel

from integrations import connector as c
from integrations.checks import failed
from integrations.errors import Failure
from integrations.http import Http
from integrations.mapping import Mapping as Words
from integrations.reading import read
from register.marker import sign


class Row(BaseModel):
    number: int
    reference: str
    subject: str
    state: str
    changed: AwareDatetime


class Rows(BaseModel):
    tickets: tuple[Row, ...]


class LittleDesk:
    info = c.Info("little", "Little Desk", c.Cap.CREATE, c.Strong(timedelta(seconds=60)), c.NoNative(), Words)

    def __init__(self, http: Http, config: Words) -> None:
        self.http, self.config = http, config

    @staticmethod
    def headers(config: Words, secret: str) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {secret}"}

    async def check(self) -> c.Health:
        try:
            await self.http.get("/tickets", {"reference": "nobody"})
        except Failure as failure:
            return c.Health("", (failed("identity", failure, self.http.name),))
        return c.Health("us", (c.Check("identity", True, "known"), c.Check("tickets", True, "may be listed")))

    async def create(self, draft: c.Draft) -> c.Ref:
        ticket = {"reference": draft.op_id, "subject": draft.title, "text": sign(draft.body, draft.op_id)}
        return _ref(read(Row, await self.http.post("/tickets", ticket, op_id=draft.op_id)))

    async def get(self, ref: c.Ref) -> c.Ticket:
        row = read(Row, await self.http.get(f"/tickets/{int(ref.id)}"))
        state = self.config.meaning(row.state)
        return c.Ticket(_ref(row), row.subject, row.state, state, "", None, row.changed)

    async def find(self, op_id: str, since: datetime) -> c.FindResult:
        rows = read(Rows, await self.http.get("/tickets", {"reference": op_id})).tickets
        found = tuple(_ref(row) for row in rows if row.reference == op_id)
        return c.Found(found) if found else c.Absent()

    async def find_comment(self, ref: c.Ref, op_id: str) -> c.FindResult:
        return c.Absent()  # it has no comments


def _ref(row: Row) -> c.Ref:
    return c.Ref(id=str(row.number), key=f"L{row.number}")
