"""RT's transactions: what happened to tickets, who did it, and the text that came with it."""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import orjson
from pydantic import ValidationError

from integrations.answers import lost
from integrations.connector import Change, ChangeKind, Ref, Unread
from integrations.errors import AuthFailed, AuthTrouble, Failure, Gone, Rejected, Unavailable
from integrations.markup.formats import TextFormat, plain
from integrations.reading import MAX_RAW, read, unread_row
from integrations.rt.config import RtConfig
from integrations.rt.wire import ME, MERGED, PAGE, SPOKEN, Content, Part, Rows, Transaction, row_id, types
from register.marker import marker_of, unsigned
from register.text import MAX_TEXT, clean, clip, one_line

if TYPE_CHECKING:
    from integrations.http import Http
from integrations.zones import zoned

PATIENCE: Final = 3
"""Times that one unreadable message may hold up the rest."""
_FIELDS: Final = "Type,Creator,ObjectId,Created,Field,NewValue"
FILE: Final = ".file"
"""What is added to the number of a part that is a file, for its being put there."""
ENVELOPE: Final = 2**16
"""Bytes of an attachment's JSON around what is in it."""
PART: Final = "ContentType,Filename,ContentLength"
_AT_ONCE: Final = 50
"""Messages whose parts are asked for in one request."""
LONG: Final = 2**16
"""Bytes of a text that is asked for by itself."""
TOGETHER: Final = 10 * LONG
"""Bytes of the texts that are asked for in one request, at most."""
_KINDS: Final[Mapping[str, TextFormat]] = {"text/plain": TextFormat.TEXT, "text/html": TextFormat.HTML}
"""The kinds of text that a message may come in, the better first."""

_LINKS: Final[Mapping[str, str]] = {
    "HasMember": "has the part",
    "MemberOf": "is a part of",
    "RefersTo": "refers to",
    "ReferredToBy": "is referred to by",
    "DependsOn": "waits for",
    "DependedOnBy": "is waited for by",
}
"""RT's links, as they are told of the ticket that has them."""
Row = Mapping[str, Any]


class Transactions:
    """Reads them. Raises `integrations.errors` kinds."""

    def __init__(self, http: Http, config: RtConfig, ref: Callable[[int], Ref]) -> None:
        self.http = http
        self.config = config
        self._ref = ref
        self._login = ""
        self._failed: Counter[int] = Counter()

    async def page(self, where: str, *, newest_first: bool = False, rows: int = PAGE) -> tuple[Row, ...]:
        """One page, oldest first unless asked for otherwise."""
        params = {
            "query": f"ObjectType = 'RT::Ticket' AND {where}",
            "fields": _FIELDS,
            "orderby": "id",
            "order": "DESC" if newest_first else "ASC",
            "per_page": rows,
        }
        answer = await self.http.get("/transactions", params=params)
        items = read(Rows, answer).items
        if any(row_id(row) < 0 for row in items):
            raise lost(answer.name, "told changes without their place", answer.repeatable)
        return items

    async def every(self, where: str) -> tuple[Row, ...]:
        """Every page, until one is empty: a short one may have lost rows to rights."""
        rows: tuple[Row, ...] = ()
        while more := await self.page(f"{where} AND id > {row_id(rows[-1]) if rows else 0}"):
            rows += more
        return rows

    async def me(self) -> str:
        """Our login; empty as long as we wrote nothing. RT tells a token's owner in no other way."""
        if not self._login:
            wrote = f"Creator = {ME} AND {types('Create', 'Correspond', 'Status')}"
            rows = await self.page(wrote, newest_first=True, rows=1)
            creator = rows[0].get("Creator") if rows else None
            self._login = str(creator.get("id", "")) if isinstance(creator, dict) else ""
        return self._login

    async def read(
        self, rows: Sequence[Row], *, partly: bool = False
    ) -> tuple[tuple[Change, ...], tuple[Unread, ...], int]:
        """What the rows say, in their order; those that could not be read; and how many rows that was.

        partly: end before a row that failed, unless it is the first. Where a line breaks now and then,
        many rows would else never be read: one failure would throw all away.
        """
        parts = await self._parts([row_id(row) for row in rows if row.get("Type") in SPOKEN])
        wanted = [text for each in parts.values() if (text := _own(each)) is not None]
        texts = await self._texts(wanted)
        me = await self.me() if rows else ""
        changes: list[Change] = []
        unread: list[Unread] = []
        for number, row in enumerate(rows):
            try:
                told = Transaction.model_validate(row, context=zoned(self.http.zone))
                own = parts.get(told.id, ())
                body = await self._body(own, texts) if told.Type in SPOKEN else ""
                changes += self._changes(told, body, own, me)
            except ValueError as error:
                unread.append(unread_row(row, ("id",), error, "ObjectId"))
            except (Rejected, Gone, AuthFailed, Unavailable) as failure:
                if partly and number and isinstance(failure, Unavailable):
                    return tuple(changes), tuple(unread), number
                self._bear(failure, row_id(row))
                raw, ticket = clip(clean(repr(row)), MAX_RAW), one_line(str(row.get("ObjectId", "")))
                unread.append(Unread(str(row_id(row)), raw, failure.why, ticket))
        return tuple(changes), tuple(unread), len(rows)

    def _bear(self, failure: Failure, transaction: int) -> None:
        """Raise what may pass; return when this one message is to count as unreadable."""
        if isinstance(failure, AuthFailed) and failure.trouble is not AuthTrouble.FORBIDDEN:
            raise failure
        if isinstance(failure, Unavailable):  # RT answers 500 for some things that are not there, for ever
            self._failed[transaction] += 1
            if self._failed[transaction] < PATIENCE:
                raise failure
        self._failed.pop(transaction, None)

    def _changes(self, told: Transaction, body: str, parts: Sequence[Part], me: str) -> list[Change]:
        change = Change(
            change_id=str(told.id),
            ref=self._ref(told.ObjectId),
            at=told.Created,
            kind=ChangeKind.COMMENT,
            author=one_line(told.Creator.id),
            by_our_account=told.Creator.id == me,
            body=clip(unsigned(body), MAX_TEXT),
            public=told.Type != "Comment",
            marker=marker_of(body),
        )
        if told.Type in SPOKEN:
            files = _files(change, parts)
            return [change, *files] if change.body or not files else files  # what is files alone says nothing
        if told.Type == "Set":
            raw = one_line(told.NewValue)
            meant = self.config.meant(raw)
            return [replace(change, kind=ChangeKind.PRIORITY, raw_priority=raw, priorities=meant)]
        if told.Type == "AddLink" and told.Field != MERGED:
            return self._link(told, change)
        raw, moved = told.NewValue, told.Type == "AddLink"
        if moved:
            raw = f"merged into #{told.NewValue.rpartition('/')[2]}"
        state = self.config.meaning(raw)
        said = one_line(raw)
        change = replace(change, kind=ChangeKind.STATE, raw_state=said, state=state, moved=moved)
        return [replace(change, version=str(told.id))]

    def _link(self, told: Transaction, change: Change) -> list[Change]:
        """A link to another ticket of theirs; one to anything else is no ticket: fsck.com-rt://NAME/ticket/4."""
        place, _, number = told.NewValue.rpartition("/ticket/")
        if not (place.startswith("fsck.com-rt://") and number.isascii() and number.isdecimal()):
            return []
        how = _LINKS.get(told.Field, one_line(told.Field))
        return [replace(change, kind=ChangeKind.LINK, link=self._ref(int(number)), body=how)]

    async def _parts(self, transactions: Sequence[int]) -> dict[int, list[Part]]:
        """The parts of these transactions' messages, without what is in them."""
        found: dict[int, list[Part]] = {}
        for start in range(0, len(transactions), _AT_ONCE):
            some = transactions[start : start + _AT_ONCE]
            query = orjson.dumps([{"field": "TransactionId", "operator": "IN", "value": some}]).decode()
            page, full = 0, True
            while full:
                page += 1
                answer = await self.http.get(
                    "/attachments",
                    params={
                        "query": query,
                        "fields": f"TransactionId,{PART}",
                        "orderby": "id",
                        "per_page": PAGE,
                        "page": page,
                    },
                )
                items = read(Rows, answer).items
                full = len(items) == PAGE  # whoever sees a transaction sees its parts: no holes here
                for item in items:
                    try:
                        part = Part.model_validate(item)
                    except ValidationError:
                        continue  # its message is told without it
                    found.setdefault(part.TransactionId, []).append(part)
        return found

    async def _texts(self, parts: Sequence[Part]) -> dict[int, str]:
        """What is in these parts, many in one request; who is not among them is asked for by itself.

        RT tells a text in a list as it stands; anything else would be damaged there.
        """
        found: dict[int, str] = {}
        for some in _bundles(parts):
            query = orjson.dumps([{"field": "id", "operator": "IN", "value": some}]).decode()
            asked = {"query": query, "fields": "Content", "orderby": "id", "per_page": PAGE}
            try:
                items = read(Rows, await self.http.get("/attachments", params=asked)).items
            except (Rejected, Gone, Unavailable):
                continue  # one of them may be what fails: by itself it holds up itself alone
            except AuthFailed as failure:
                if failure.trouble is not AuthTrouble.FORBIDDEN:
                    raise
                continue
            found |= {row_id(item): item["Content"] for item in items if type(item.get("Content")) is str}
        return found

    async def _body(self, parts: Sequence[Part], texts: Mapping[int, str]) -> str:
        """A message's own text, in the better of the kinds that it comes in."""
        own = _own(parts)
        if own is None:
            return ""
        text = texts.get(own.id)
        if text is None:
            told = read(Content, await self.http.get(f"/attachment/{own.id}"))
            text = base64.b64decode(told.Content).decode("utf-8", "replace")
        return plain(text, _KINDS[own.ContentType]).strip()

    async def content(self, part: int, most: int) -> bytes:
        """What is in a part, byte for byte. Rejected where it has more than `most` bytes."""
        query = orjson.dumps([{"field": "id", "operator": "=", "value": part}]).decode()
        asked = {"query": query, "fields": f"TransactionId,{PART}"}
        items = read(Rows, await self.http.get("/attachments", params=asked)).items
        if [row_id(row) for row in items] != [part]:
            raise Gone(f"{self.http.name} does not show file {part} any more.")
        size = Part.model_validate(items[0]).size
        if size is None or size > most:
            told = "an unknown number of" if size is None else f"{size:,}"
            raise Rejected(
                f"The file has {told} bytes, and {most:,} is the most: ask {self.http.name} for it."
            )
        packed = most * 14 // 10 + ENVELOPE  # base64 in lines of 76
        answer = await self.http.get(f"/attachment/{part}", most=packed)
        return base64.b64decode(read(Content, answer).Content)


def _own(parts: Sequence[Part]) -> Part | None:
    """The part that is a message's own text, of the better kind."""
    texts = [part for part in parts if part.ContentType in _KINDS and not part.Filename]
    order = list(_KINDS)
    return min(texts, key=lambda part: order.index(part.ContentType), default=None)


def _bundles(parts: Sequence[Part]) -> list[list[int]]:
    """Those that may be asked for together, by number. One alone gains nothing."""
    bundles: list[list[int]] = []
    left = 0
    for part in parts:
        size = LONG if part.size is None else part.size
        if size >= LONG:
            continue
        if not bundles or size > left or len(bundles[-1]) == _AT_ONCE:
            bundles.append([])
            left = TOGETHER
        bundles[-1].append(part.id)
        left -= size
    return [some for some in bundles if len(some) > 1]


def _files(told: Change, parts: Sequence[Part]) -> list[Change]:
    """The files that came with a text."""
    return [
        replace(
            told,
            change_id=f"{part.id}{FILE}",
            kind=ChangeKind.FILE,
            body=one_line(part.Filename),
            size=part.size,
            place=str(part.id),
        )
        for part in parts
        if part.Filename
    ]
