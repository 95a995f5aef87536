"""AWS Support (API 2013-04-15): a case of the AWS account, and what its people answer.

Nothing there takes a key of ours or tells when a case changed, and no word on a case has a number: our
operation id stands under every text, and is looked for. We can resolve a case, and open it again by a word.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Final

from integrations.aws_support.cases import Cases
from integrations.aws_support.check import health
from integrations.aws_support.config import CATEGORY, RESOLVED, SERVICE, AwsSupportConfig
from integrations.aws_support.news import News
from integrations.aws_support.sigv4 import SigV4
from integrations.aws_support.wire import Done, Made, Resolved, Set, TheFile, asked_for
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
    Info,
    Lagging,
    NoNative,
    Page,
    Ref,
    Reprioritise,
    Theirs,
    Ticket,
    TicketUpdate,
    Transition,
)
from integrations.errors import Failure, OpId, Rejected
from integrations.fitting import fitting
from integrations.mapping import named_priority, state_for
from integrations.reading import read
from register.marker import marked_name, name_marker_of, sign
from register.text import MAX_TITLE, clip, one_line

if TYPE_CHECKING:
    from integrations.aws_support.wire import Case
    from integrations.http import Http

MAX_BODY: Final = 8_000
"""Characters of a text, by AWS's own description."""
MAX_FILE: Final = 5 * 2**20
APART: Final = timedelta(minutes=15)
"""How far their clock and ours may lie apart: AWS takes no request that was signed earlier or later."""
RESOLVING: Final = "(With these words we resolve this case.)"
"""Stands under what is said when a case is resolved, so that a look-up knows what was to follow."""
REOPENS: Final = timedelta(days=14)
_TOO_LATE: Final = "after 14 days a case cannot be opened again. Engage them anew."
_ENDS: Final = frozenset({Theirs.FIXED, Theirs.CLOSED})


class AwsSupport:
    """Connector of AWS Support."""

    info: ClassVar[Info] = Info(
        kind="aws_support",
        title="AWS Support",
        caps=Cap.CREATE | Cap.COMMENT_PUBLIC | Cap.ATTACH | Cap.SET_STATE | Cap.WITHDRAW | Cap.POLL,
        lookup=Lagging(index_delay=timedelta(seconds=30), settle=timedelta(minutes=2)),
        idempotency=NoNative(),
        config=AwsSupportConfig,
        docs="https://docs.aws.amazon.com/awssupport/latest/APIReference/Welcome.html",
    )

    def __init__(self, http: Http, config: AwsSupportConfig) -> None:
        self.http = http
        self.config = config
        self._cases = Cases(http, config)
        self._api = self._cases.api
        self._news = News(self._cases)

    @staticmethod
    def headers(config: AwsSupportConfig, secret: str) -> Mapping[str, str]:
        """Nothing of the credential goes with a request but a signature: see `signer`."""
        return {}

    @staticmethod
    def signer(config: AwsSupportConfig, secret: str) -> SigV4:
        """secret: the id of an access key and its secret, with a colon between."""
        key, colon, rest = secret.strip().partition(":")
        if not colon:
            key, rest = (
                "ACCESS-KEY-ID",
                key,
            )  # AWS knows none of that name, which is told; no secret goes there
        return SigV4(key.strip(), rest.strip(), config.region, "support")

    async def create(self, draft: Draft) -> Ref:
        case: dict[str, Any] = {
            "subject": clip(one_line(draft.title), MAX_TITLE),
            "communicationBody": self._text(draft.body, draft.op_id),
            SERVICE: self.config.service,
            CATEGORY: self.config.category,
            "severityCode": named_priority(self.http.name, self.config, draft),
            "issueType": self.config.issue_type,
            "language": self.config.language,
            **draft.fields,
            **self._cc(),
        }
        answer = await self._api.answer("CreateCase", case, safe=False, op_id=draft.op_id)
        made = read(Made, answer).caseId
        try:
            return self._cases.ref(await self._cases.one(Ref(id=made, key=made)))
        except Failure:  # it is there: the number that people see comes when it is read whole
            return Ref(id=made, key=made)

    async def get(self, ref: Ref) -> Ticket:
        return self._cases.ticket(await self._cases.one(ref))

    async def find(self, op_id: OpId, since: datetime) -> FindResult:
        """By our operation id under the words on cases that were made since. None found proves nothing."""
        listed = await self._cases.made_since(since - APART)
        hits: list[Case] = []
        for case in (one for one in listed.cases.values() if one.timeCreated >= since - APART):
            ref = self._cases.ref(case)
            told, odd = self._cases.story(ref, await self._cases.all_words(case))
            listed.unread += odd
            if any(_is_ours(one, op_id) for one in told):
                hits.append(case)
        if hits:
            hits.sort(key=lambda one: one.timeCreated)
            return Found(tuple(map(self._cases.ref, hits)))
        return CannotTell("A part of what is there could not be read.") if listed.unread else Absent()

    async def find_comment(self, ref: Ref, op_id: OpId) -> FindResult:
        """What carries it. Where that was to resolve the case, and nobody wrote since, it is done now."""
        case = await self._cases.one(ref)
        told, odd = self._cases.story(self._cases.ref(case), await self._cases.all_words(case))
        hits = [one for one in told if _is_ours(one, op_id)]
        if not hits:
            return CannotTell("A part of the case could not be read.") if odd else Absent()
        words = [one for one in told if one.kind is ChangeKind.COMMENT]
        if words[-1].marker == op_id and RESOLVING in words[-1].body and not odd:
            await self._resolve(case)
        return Found(tuple(ref.model_copy(update={"id": one.change_id}) for one in hits))

    async def apply(self, ref: Ref, update: TicketUpdate, if_version: str | None = None) -> Applied:
        """`if_version` says nothing here: AWS tells no version of a case."""
        match update:
            case Comment(public=True):
                return Applied(await self._say(ref, update.body, update.op_id))
            case Comment():
                raise Rejected(
                    f"Whoever sees the case at {self.http.name} sees all its words: nothing was sent."
                    " An internal comment has no place there."
                )
            case Transition():
                return await self._transition(ref, update)
            case Reprioritise():
                raise Rejected(
                    f"{self.http.name} lets nobody change the severity of a case: nothing was sent."
                    " Ask for it in words."
                )
            case Attach():
                return await self._attach(ref, update)

    async def changes(self, cursor: Cursor | None) -> Page:
        return await self._news.page(cursor)

    async def history(self, ref: Ref) -> Page:
        case = await self._cases.one(ref)
        changes, odd = self._cases.story(self._cases.ref(case), await self._cases.all_words(case))
        return Page((*changes, self._news.stands(case)), {}, done=True, unread=tuple(odd))

    async def fetch(self, ref: Ref, place: str, most: int) -> bytes:
        """A file by its id. AWS tells no size before: an answer that is larger is not read to its end."""
        room = most * 4 // 3 + 4_096
        told = await self._api.ask("DescribeAttachment", {"attachmentId": place}, TheFile, room)
        try:
            content = base64.b64decode(told.attachment.data, validate=True)
        except binascii.Error:
            raise Rejected(f"{self.http.name} sent a file that cannot be read.") from None
        if len(content) > most:
            raise Rejected(f"The file has {len(content):,} bytes, and at most {most:,} may be taken.")
        return content

    async def check(self) -> Health:
        return await health(self._cases)

    async def _transition(self, ref: Ref, wish: Transition) -> Applied:
        """Resolve it; or, where it is to go on, write a word, which opens a resolved case again."""
        state_for(self.http.name, self.config, wish.to)
        if wish.to in _ENDS:
            note = f"{wish.note.rstrip()}\n\n{RESOLVING}"
            ids = await self._say(ref, note, wish.op_id) if wish.note else ()
            case = await self._cases.one(ref)
            return Applied(ids, self._cases.ticket(await self._resolve(case)))
        if not wish.note:
            raise Rejected(
                f"{self.http.name} sets the state of a case by itself, when a word comes: nothing was sent."
                " Write what is still wrong."
            )
        before = await self.get(ref)
        if before.raw_state == RESOLVED and self._cases.now() - before.updated_at > REOPENS:
            raise Rejected(f"{ref.key} is {RESOLVED}, and {_TOO_LATE} Nothing was sent.")
        ids = await self._say(ref, wish.note, wish.op_id)
        ticket = await self.get(ref)
        if ticket.raw_state == RESOLVED:
            raise Rejected(f"{self.http.name} has our word, but {ref.key} stays {RESOLVED}: {_TOO_LATE}", 200)
        return Applied(ids, ticket)

    async def _resolve(self, case: Case) -> Case:
        """It may be said again. Returns the case as it is then."""
        if case.status == RESOLVED:
            return case
        answer = await self._api.answer("ResolveCase", {"caseId": case.caseId})
        now = read(Resolved, answer).finalCaseStatus
        if now != RESOLVED:
            key = self._cases.ref(case).key
            raise Rejected(f"{self.http.name} said yes, and {key} is {one_line(now)}, not {RESOLVED}.", 200)
        return case.model_copy(update={"status": now})

    async def _attach(self, ref: Ref, file: Attach) -> Applied:
        """Two steps: a set that nobody sees and that ends by itself, and the word that it goes with."""
        if file.size > MAX_FILE:
            raise Rejected(
                f"{self.http.name} takes files of at most {MAX_FILE:,} bytes, and {one_line(file.name)} has"
                f" {file.size:,}: nothing was sent."
            )
        name = file.name if name_marker_of(file.name) == file.op_id else marked_name(file.name, file.op_id)
        told = {"fileName": one_line(name), "data": base64.b64encode(file.content).decode()}
        answer = await self._api.answer("AddAttachmentsToSet", {"attachments": [told]})
        kept = read(Set, answer).attachmentSetId
        word = f"File: {one_line(file.name)}"
        return Applied(await self._say(ref, word, file.op_id, attachmentSetId=kept))

    async def _say(self, ref: Ref, text: str, op_id: OpId, **more: str) -> tuple[str, ...]:
        """Write a word; return under which ids it stands, where that can be seen already."""
        asked_for(ref)
        number = ref.id if ref.id.startswith("case-") else (await self._cases.one(ref)).caseId
        answer = await self._api.answer(
            "AddCommunicationToCase",
            {"caseId": number, "communicationBody": self._text(text, op_id), **self._cc(), **more},
            safe=False,
            op_id=op_id,
        )
        if not read(Done, answer).result:
            raise Rejected(f"{self.http.name} did not take our words.", 200)
        try:
            case = await self._cases.one(Ref(id=number, key=ref.key))
        except Failure:  # they are there: by their operation id they are known when they are told
            return ()
        told, _ = self._cases.story(self._cases.ref(case), case.words)
        return tuple(one.change_id for one in told if _is_ours(one, op_id))

    def _text(self, text: str, op_id: OpId) -> str:
        return fitting(self.http.name, sign(text, op_id), MAX_BODY)

    def _cc(self) -> dict[str, Any]:
        return {"ccEmailAddresses": list(self.config.cc)} if self.config.cc else {}


def _is_ours(change: Change, op_id: OpId) -> bool:
    return change.by_our_account and change.marker == op_id
