"""Lines of a table that stand beside incidents, for many of them with one question.

To read such a table is a right of its own. Who lacks it is answered 200 and nothing (KB3047115 of
support.servicenow.com: access rules filter rows after the query ran), so rows are counted.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from pydantic import BaseModel, ValidationError

from integrations.connector import Unread
from integrations.errors import AuthFailed, AuthTrouble, Rejected
from integrations.reading import unread_row
from integrations.servicenow.wire import AUDIT, FILES, JOURNAL, Audited, Entry, File, every, stamp

if TYPE_CHECKING:
    from integrations.http import Http
    from integrations.servicenow.config import ServiceNowConfig

IN_ORDER: Final = "ORDERBYsys_created_on^ORDERBYsys_id"
M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Beside(Generic[M]):
    """A table: how it is asked for, which column names the incident, and what its lines are."""

    path: str
    name: str
    of: str  # a condition that leaves other tables' lines out
    key: str
    fields: str
    model: type[M]


WORDS: Final = Beside(
    JOURNAL,
    "sys_journal_field",
    "name=incident",
    "element_id",
    "sys_id,element_id,element,value,sys_created_on,sys_created_by",
    Entry,
)
SET: Final = Beside(
    AUDIT,
    "sys_audit",
    "tablename=incident",
    "documentkey",
    "sys_id,documentkey,fieldname,newvalue,user,sys_created_on,record_checkpoint",
    Audited,
)
PUT_THERE: Final = Beside(
    FILES,
    "sys_attachment",
    "table_name=incident",
    "table_sys_id",
    "sys_id,table_sys_id,file_name,size_bytes,sys_created_on,sys_created_by",
    File,
)


@dataclass(frozen=True, slots=True)
class Found(Generic[M]):
    """Lines in the order of their times, those that cannot be read, and how many are kept from us."""

    lines: list[M]
    unread: list[Unread]
    hidden: int


class Lines:
    """Reads them. Raises `integrations.errors` kinds."""

    def __init__(self, http: Http, config: ServiceNowConfig) -> None:
        self.http = http
        self.config = config

    async def of(
        self, table: Beside[M], ids: Collection[str], more: str = "", since: datetime | None = None
    ) -> Found[M]:
        """The lines of these incidents. more: further conditions; since: theirs, UTC."""
        query = f"{table.of}^{table.key}IN{','.join(ids)}"
        query += f"^{more}" if more else ""
        query += f"^sys_created_on>={stamp(since, self.config.query_zone)}" if since is not None else ""
        rows, hidden = await every(self.http, table.path, f"{query}^{IN_ORDER}", table.fields)
        lines, unread = _read(table.model, rows, table.key)
        kept = [one for one in lines if getattr(one, table.key) in ids]
        if len(kept) < len(lines):
            raise Rejected(
                f"{self.http.name} ignored a condition on {table.name} and gave lines of other records: ask"
                " them whether our account may search it by the record that a line belongs to."
            )
        if hidden and not rows:
            raise AuthFailed(
                f"{self.http.name} has {hidden} lines on our incidents in {table.name} and shows our account"
                f" none: ask them to let it read {table.name}.",
                AuthTrouble.FORBIDDEN,
            )
        if hidden:
            unread.append(self._hidden(hidden, table.name, rows[-1]))
        return Found(kept, unread, hidden)

    def _hidden(self, count: int, table: str, last: dict[str, Any]) -> Unread:
        why = (
            f"{self.http.name} keeps {count} lines on our incidents in {table} from our account: ask them for"
            " the right to read them."
        )
        return Unread(f"hidden {table} {str(last.get('sys_created_on'))[:10]}", why, why)


def _read(model: type[M], rows: Iterable[dict[str, Any]], key: str) -> tuple[list[M], list[Unread]]:
    """Rows one by one: one may be odd."""
    found: list[M] = []
    unread: list[Unread] = []
    for row in rows:
        try:
            found.append(model.model_validate(row))
        except ValidationError as error:
            unread.append(unread_row(row, ("sys_id",), error, key))
    return found, unread
