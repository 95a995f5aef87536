"""What the tests of connectors on real systems say and ask alike."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from ulid import ULID

from integrations.connector import Change, Cursor, Draft, Page, Polls, Ref
from register.incident import Priority

SINCE = datetime(2020, 1, 1, tzinfo=UTC)
TEXT = "Line one\nLine two: äöü €\n.\nend"


def op() -> str:
    return str(ULID())


def draft(op_id: str, title: str = "Pump leaks", **fields: str) -> Draft:
    return Draft(op_id, title, TEXT, Priority.HIGH, fields)


async def news(connector: Polls, cursor: Cursor, ref: Ref) -> tuple[list[Change], Cursor]:
    """Everything after `cursor` about one ticket, asked for until there is no more."""
    heard: list[Change] = []
    page = Page((), cursor, done=False)
    while not page.done:
        page = await connector.changes(page.next)
        assert page.unread == ()
        heard += [change for change in page.changes if change.ref == ref]
    return heard, page.next


def told(changes: Iterable[Change]) -> list[str]:
    return [change.raw_state or change.body for change in changes]
