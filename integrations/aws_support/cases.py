"""Cases of AWS Support, and the words on them: asked for, and made changes of.

A list of cases has the five newest words of each. Only a case with none among them that is known costs a
request of its own, for all its words since.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from pydantic import ValidationError

from integrations.answers import lost
from integrations.aws_support.api import Api
from integrations.aws_support.wire import RECENT, Case, Communication, SomeCases, SomeWords, asked_for, stamp
from integrations.connector import Change, ChangeKind, Ref, Ticket, Unread
from integrations.errors import Gone
from integrations.reading import unread_row
from integrations.zones import zoned
from register.marker import marker_of, name_marker_of, unsigned
from register.text import clean, one_line

if TYPE_CHECKING:
    from integrations.aws_support.config import AwsSupportConfig
    from integrations.http import Http

PAGE: Final = 100
"""Rows of a list: AWS gives no more."""
FEW: Final = 25
"""Rows of a list that is read in haste: with all their words they stay below what is taken of one answer."""
MOST: Final = 100
"""Pages of one list that are read."""
LARGE: Final = 32 * 2**20
"""Bytes: a hundred cases with five words of 8,000 characters, of up to three bytes, and room for the rest."""
_CONSOLE: Final = {
    "us-gov": "console.amazonaws-us-gov.com",
    "cn": "console.amazonaws.cn",
    "": "console.aws.amazon.com",
}
"""How a region begins → where people see its cases."""


@dataclass(slots=True)
class Listed:
    """What a list told. odd: the ids of cases that cannot be read, where they have one."""

    cases: dict[str, Case] = field(default_factory=dict)
    unread: list[Unread] = field(default_factory=list)
    odd: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Told:
    """A case with the words that came with it, read once: as changes, and what of them cannot be read."""

    case: Case
    ref: Ref
    changes: list[Change]
    odd: list[Unread]

    @property
    def newest(self) -> datetime:
        """When something is known to have happened on it last."""
        return max([self.case.timeCreated, *(one.at for one in self.changes)])


class Cases:
    """Raises `integrations.errors` kinds."""

    def __init__(self, http: Http, config: AwsSupportConfig) -> None:
        self.http = http
        self.config = config
        self.api = Api(http)

    def now(self) -> datetime:
        """The time there, by their last answer."""
        return datetime.now(UTC) + (self.http.gap or timedelta())

    async def open(self, *, words: bool) -> Listed:
        """All cases that are not resolved."""
        asked = {"includeResolvedCases": False, "includeCommunications": words}
        return await self._listed(asked, most=LARGE)

    async def made_since(self, at: datetime) -> Listed:
        """All that were made, or written on, at or after this: AWS's documentation lets both be read."""
        asked = {"afterTime": stamp(at), "includeResolvedCases": True, "includeCommunications": True}
        return await self._listed(asked, FEW)

    async def by_id(self, ids: Sequence[str]) -> Listed:
        """These, resolved or not. One that is too old makes the whole question fail: it is left out."""
        found = Listed()
        todo = [list(ids[place : place + PAGE]) for place in range(0, len(ids), PAGE)]
        while todo:
            some = todo.pop()
            asked = {"caseIdList": some, "includeResolvedCases": True, "includeCommunications": True}
            try:
                told = await self._listed(asked, most=LARGE)
            except Gone:
                half = len(some) // 2
                todo += [some[:half], some[half:]] if half else []
                continue
            found.cases |= told.cases
            found.unread += told.unread
            found.odd |= told.odd
        return found

    async def one(self, ref: Ref) -> Case:
        told = await self._listed(
            {**asked_for(ref), "includeResolvedCases": True, "includeCommunications": True}
        )
        found = next((one for one in told.cases.values() if ref.id in (one.caseId, one.displayId)), None)
        if found is not None:
            return found
        if told.unread:
            raise lost(self.http.name, "gave a case that this connector cannot read", True)
        raise Gone(f"{self.http.name} has no case {one_line(ref.key)}, or has none of its age any more.")

    async def words(self, case: str, since: datetime | None = None) -> list[dict[str, Any]]:
        """All communications of a case, from a time on, in their order there."""
        found: list[dict[str, Any]] = []
        asked: dict[str, Any] = {"caseId": case, "maxResults": PAGE}
        if since is not None:
            asked["afterTime"] = stamp(since)
        for _ in range(MOST):
            told = await self.api.ask("DescribeCommunications", asked, SomeWords)
            found += told.communications
            if not told.nextToken:
                return found
            asked["nextToken"] = told.nextToken
        return found

    async def all_words(self, case: Case) -> Sequence[Mapping[str, Any]]:
        """What was said from the beginning: what stands with the case, where that is all."""
        return case.words if len(case.words) < RECENT else await self.words(case.caseId)

    async def _listed(self, asked: Mapping[str, Any], size: int = PAGE, most: int = 0) -> Listed:
        found = Listed()
        page: dict[str, Any] = {**asked, "maxResults": size}
        for _ in range(MOST):
            told = await self.api.ask("DescribeCases", page, SomeCases, most)
            for row in told.cases:
                try:
                    case = Case.model_validate(row, context=zoned(self.http.zone))
                except ValidationError as error:
                    found.unread.append(unread_row(row, ("caseId",), error, "caseId"))
                    found.odd |= {row["caseId"]} if isinstance(row.get("caseId"), str) else set()
                else:
                    found.cases[case.caseId] = case
            if not told.nextToken or not told.cases:
                break
            page["nextToken"] = told.nextToken
        return found

    def ref(self, case: Case) -> Ref:
        shown = one_line(case.displayId or "") or case.caseId
        host = next(host for begin, host in _CONSOLE.items() if self.config.region.startswith(begin))
        web = f"https://{host}/support/home#/case/?displayId={shown}" if case.displayId else ""
        return Ref(id=case.caseId, key=shown, url=web)

    def told(self, case: Case) -> Told:
        ref = self.ref(case)
        return Told(case, ref, *self.story(ref, case.words))

    def ticket(self, case: Case) -> Ticket:
        return Ticket(
            ref=self.ref(case),
            title=one_line(case.subject),
            raw_state=one_line(case.status),
            state=self.config.meaning(case.status),
            raw_priority=one_line(case.severityCode),
            assignee=None,
            updated_at=self.told(case).newest,
            priorities=self.config.meant(case.severityCode),
        )

    def story(self, ref: Ref, rows: Iterable[Mapping[str, Any]]) -> tuple[list[Change], list[Unread]]:
        """Words and their files as changes, oldest first, and what of it cannot be read.

        AWS shows the newest first; of one instant that order is all there is.
        """
        words: list[Communication] = []
        unread: list[Unread] = []
        for row in reversed(list(rows)):
            try:
                words.append(Communication.model_validate(row, context=zoned(self.http.zone)))
            except ValidationError as error:
                unread.append(replace(unread_row(row, (), error), ticket=ref.id))
        words.sort(key=lambda one: one.timeCreated)
        changes: list[Change] = []
        equals: Counter[str] = Counter()
        for one in words:
            equals[one.sign] += 1
            nth = f".{equals[one.sign]}" if equals[one.sign] > 1 else ""
            changes += _of_word(ref, one, f"{ref.id}:{one.sign}{nth}")
        return changes, unread


def _of_word(ref: Ref, told: Communication, change_id: str) -> list[Change]:
    word = Change(
        change_id=change_id,
        ref=ref,
        at=told.timeCreated,
        kind=ChangeKind.COMMENT,
        author=one_line(told.submittedBy or "") or "unknown",
        by_our_account=told.is_ours,
        body=clean(unsigned(told.body)),
        marker=marker_of(told.body),
    )
    files = (
        replace(
            word,
            change_id=f"{change_id}.file{place}",
            kind=ChangeKind.FILE,
            body=one_line(one.fileName or ""),
            marker=name_marker_of(one.fileName or ""),
            place=one.attachmentId or "",
        )
        for place, one in enumerate(told.files)
    )
    return [word, *files]
