"""ServiceNow over its Table API (github.com/ServiceNow/ServiceNowDocs, rest-apis/c_TableAPI.md).

An incident carries our operation id as its correlation_id, which nothing there keeps unique. Half of what it
does not like it says nothing about: a condition that it does not know is ignored and finds everything, a
column that our account may not write is left out, and what it may not read is not there, with 200. So every
row that a search gives is looked at, what was written is read back, and rows are counted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, ClassVar, Final

from pydantic import ValidationError

from integrations import signing
from integrations.answers import lost
from integrations.connector import (
    Absent,
    Applied,
    Attach,
    CannotTell,
    Cap,
    Change,
    ChangeKind,
    Comment,
    Cursor,
    Draft,
    FindResult,
    Found,
    Health,
    Hooks,
    Info,
    NoNative,
    Page,
    Ref,
    Strong,
    Ticket,
    TicketUpdate,
    Transition,
)
from integrations.credential import signed_in
from integrations.errors import Gone, OpId, Rejected
from integrations.mapping import priority_for
from integrations.proofs import ProvedBy
from integrations.reading import read
from integrations.servicenow.account import Account
from integrations.servicenow.check import health
from integrations.servicenow.code_tags import defused
from integrations.servicenow.config import DISPLAY, ServiceNowConfig
from integrations.servicenow.feed import Feed
from integrations.servicenow.refusals import asked
from integrations.servicenow.story import Story
from integrations.servicenow.wire import (
    FILES,
    ROOT,
    TABLE,
    Listing,
    Named,
    One,
    id_of,
    listed,
    ref_to,
    stamp,
    text_in,
    web_of,
)
from integrations.servicenow.writing import Writing
from register.marker import marker_of, sign, unsigned
from register.text import MAX_TEXT, clip, one_line

if TYPE_CHECKING:
    from integrations.http import Http

MAX_TITLE: Final = 160
"""Characters of a short description in the base system. What is longer stands in the description as well."""
_KNOWN_BY: Final = "sys_id,number,correlation_id,description"
_SINCE: Final = timedelta(days=1)
"""How long before the first try a look-up by our words begins: their clock and zone may be wrong."""


class ServiceNow:
    """Connector of ServiceNow's incidents. Our operation id is the correlation_id, and under every text."""

    info: ClassVar[Info] = Info(
        kind="servicenow",
        title="ServiceNow",
        caps=Cap.CREATE
        | Cap.COMMENT_PUBLIC
        | Cap.COMMENT_PRIVATE
        | Cap.ATTACH
        | Cap.SET_STATE
        | Cap.SET_PRIORITY
        | Cap.WITHDRAW
        | Cap.POLL
        | Cap.WEBHOOK,
        lookup=Strong(settle=timedelta(minutes=5)),  # KB0546297: what runs longer there is cancelled
        idempotency=NoNative(),
        config=ServiceNowConfig,
        oauth2=True,
        docs="https://www.servicenow.com/docs/r/api-reference/rest-apis/c_TableAPI.html",
    )
    root: ClassVar[str] = ROOT

    def __init__(self, http: Http, config: ServiceNowConfig) -> None:
        self.http = http
        self.config = config
        self._web = web_of(http)
        self._account = Account(http, config)
        self._story = Story(http, config, self._account)
        self._writing = Writing(http, config, self._account, self._story)
        self._feed = Feed(http, config, self._story)

    @staticmethod
    def headers(config: ServiceNowConfig, secret: str) -> Mapping[str, str]:
        """A password goes with the name of its account; without one it is an OAuth token."""
        return signed_in(config.user, secret)

    @staticmethod
    def hooks(config: ServiceNowConfig, secrets: Sequence[str]) -> Hooks:
        """ServiceNow signs nothing: a business rule of theirs sends the secret itself."""
        return ProvedBy(secrets, signing.the_secret_itself, "x-muster-secret")

    async def create(self, draft: Draft) -> Ref:
        title = one_line(draft.title)
        body = draft.body if len(title) <= MAX_TITLE else f"{title}\n\n{draft.body}"
        incident = {
            "short_description": clip(title, MAX_TITLE),
            "description": sign(defused(body), draft.op_id),
            "correlation_id": draft.op_id,
            "correlation_display": DISPLAY,
            **draft.fields,
        }
        if self.config.caller:
            incident.setdefault("caller_id", self.config.caller)
        if self.config.assignment_group:
            incident.setdefault("assignment_group", self.config.assignment_group)
        if (word := priority_for(self.http.name, self.config, draft)) is not None:
            incident |= self._writing.grade(word)
        params = {"sysparm_fields": _KNOWN_BY, "sysparm_exclude_reference_link": "true"}
        try:
            answer = await asked(self.http, "POST", TABLE, params, incident, op_id=draft.op_id)
        except Gone as failure:
            raise Rejected(f"{failure.why} Is the `url` of {self.http.name} right?", 404) from None
        try:
            made = Named.model_validate(read(One, answer).result)
        except ValidationError:
            made = None
        if made is None:
            raise lost(self.http.name, "did not say which incident it made", False, draft.op_id)
        return ref_to(self._web, made.sys_id, made.number)

    async def get(self, ref: Ref) -> Ticket:
        return await self._writing.get(ref)

    async def find(self, op_id: OpId, since: datetime) -> FindResult:
        """By correlation_id; then by our words, for a column that our account may not write stays empty."""
        first = await self._where(f"correlation_id={op_id}")
        hits = _carrying(first, op_id)
        if not hits:
            begin = stamp(since.astimezone(UTC) - _SINCE, "UTC")
            second = await self._where(f"sys_created_on>={begin}^descriptionLIKE{op_id}")
            hits = _carrying(second, op_id)
        if hits:
            return Found(tuple(ref_to(self._web, one.sys_id, one.number) for one in hits))
        if first.rows or second.rows:
            return CannotTell(f"{self.http.name} ignored our search: it gave incidents that are not ours.")
        if first.hidden or second.hidden:
            return CannotTell(
                f"{self.http.name} found an incident that it does not show to our account: it may be ours."
            )
        return Absent()

    async def find_comment(self, ref: Ref, op_id: OpId) -> FindResult:
        id_of(ref)
        ids, whole = await self._story.ours(ref, op_id)
        if ids:
            return Found(tuple(ref.model_copy(update={"id": one}) for one in ids))
        if not whole:
            return CannotTell(
                f"A part of what is on {ref.key} cannot be read, or is hidden from our account."
            )
        return Absent()

    async def apply(self, ref: Ref, update: TicketUpdate, if_version: str | None = None) -> Applied:
        """`if_version` says nothing here: the Table API has no way to write only what did not change."""
        if isinstance(update, Comment):
            return await self._writing.say(ref, update)
        if isinstance(update, Attach):
            return await self._writing.attach(ref, update)
        if isinstance(update, Transition):
            return await self._writing.transition(ref, update)
        return await self._writing.reprioritise(ref, update)

    async def changes(self, cursor: Cursor | None) -> Page:
        return await self._feed.page(cursor)

    async def history(self, ref: Ref) -> Page:
        incident = await self._writing.incident(ref, more=",description")
        told, unread = await self._story.told([incident], None, None)
        text = incident.description
        first = Change(
            change_id=f"{incident.sys_id}.description",
            ref=ref_to(self._web, incident.sys_id, incident.number),
            at=incident.sys_created_on or incident.sys_updated_on,
            kind=ChangeKind.COMMENT,
            author=one_line(incident.sys_created_by),
            by_our_account=incident.sys_created_by == await self._account.me(),
            body=clip(unsigned(text).strip(), MAX_TEXT),
            marker=marker_of(text),
        )
        return Page((*([first] if text.strip() else []), *told), {}, done=True, unread=tuple(unread))

    async def fetch(self, ref: Ref, place: str, most: int) -> bytes:
        """A file of theirs; its size is asked for first, and what comes must be as long."""
        sys_id = id_of(Ref(id=place, key=place))
        told = text_in(read(One, await self.http.get(f"{FILES}/{sys_id}")).result, "size_bytes")
        size = int(told) if told.isascii() and told.isdecimal() and len(told) < 19 else None
        if size is None or size > most:
            has = "an unknown number of" if size is None else f"{size:,}"
            raise Rejected(
                f"The file has {has} bytes, and {most:,} is the most: ask {self.http.name} for it."
            )
        answer = await self.http.get(
            f"{FILES}/{sys_id}/file", headers={"Accept": "*/*"}, most=most, page=True
        )
        if len(answer.body) != size:
            raise lost(answer.name, "gave another file than it told of", answer.repeatable)
        return answer.body

    async def check(self) -> Health:
        return await health(self.http, self.config, self._account)

    async def _where(self, condition: str) -> Listing:
        query = f"{condition}^ORDERBYsys_created_on^ORDERBYnumber"
        return await listed(self.http, TABLE, query, _KNOWN_BY, limit=10)


def _carrying(found: Listing, op_id: OpId) -> list[Named]:
    """Those of the rows that are ours by what stands in them; what cannot be read is none."""
    hits: list[Named] = []
    for row in found.rows:
        try:
            one = Named.model_validate(row)
        except ValidationError:
            continue
        if one.correlation_id == op_id or marker_of(one.description) == op_id:
            hits.append(one)
    return hits
