"""What has changed in AWS Support, which tells of no case when it changed, and of no state when it began.

So the open cases are listed, with the newest words of each, and held against what was seen before. What is on
that list no more is asked for by id, a hundred at once: it is resolved, mostly. After some quiet polls most
lists are without words: a state that changed shows there, too; words come with the next one that has them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from integrations.aws_support.config import RESOLVED
from integrations.aws_support.wire import RECENT, Case, stamp
from integrations.connector import Change, ChangeKind, Cursor, Page, Unread
from integrations.errors import Failure
from integrations.patience import Patience
from register.text import one_line

if TYPE_CHECKING:
    from integrations.aws_support.cases import Cases, Listed, Told

OVERLAP: Final = timedelta(minutes=2)
"""Looked back over: of what is written side by side, an earlier time may appear after a later one."""
CALM: Final = 10
"""Quiet polls, after which not every list is asked for with words."""
EVERY: Final = 4
"""Of these lists, then, one with words."""
THEM: Final = "AWS Support"
"""Who changed a state: AWS does not tell."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A case as it was seen last. turn: how often its state or severity changed; known: its newest words."""

    status: str
    severity: str
    turn: int
    newest: str
    known: tuple[str, ...]

    @classmethod
    def of(cls, told: list[Any]) -> Seen:
        return cls(told[0], told[1], told[2], told[3], tuple(told[4]))

    @property
    def told(self) -> list[Any]:
        return [self.status, self.severity, self.turn, self.newest, list(self.known)]


class News:
    """Pages of changes. Raises `integrations.errors` kinds."""

    def __init__(self, cases: Cases) -> None:
        self._cases = cases
        self._polls = 0
        self._quiet = 0
        self._patience = Patience()

    async def page(self, cursor: Cursor | None) -> Page:
        if cursor is None:
            listed = await self._cases.open(words=True)
            begin = stamp(self._cases.now())
            seen = {number: _seen(self._cases.told(one), 0) for number, one in listed.cases.items()}
            return Page((), _cursor(begin, seen, listed), done=True)
        begin = cursor["begin"]
        seen = {number: Seen.of(told) for number, told in cursor["seen"].items()}
        listed, look = await self._look(seen)
        changes: list[Change] = []
        unread = [one for one in listed.unread if one.change_id not in cursor.get("odd", ())]
        for number, case in look.items():
            told, before = self._cases.told(case), seen.get(number)
            try:
                fresh, odd = await self._fresh(told, before, datetime.fromisoformat(begin))
            except Failure as failure:
                fresh, odd = [], self._patience.bear(failure, "case", number, before.newest if before else "")
            moved = self._moved(told, before, begin)
            changes += [*fresh, *moved]
            unread += odd
            seen[number] = _seen(told, (before.turn if before else 0) + bool(moved))
        open_ = {number for number, one in listed.cases.items() if one.status != RESOLVED} | listed.odd
        changes.sort(key=lambda change: change.at)
        self._quiet = 0 if changes else self._quiet + 1
        kept = {number: one for number, one in seen.items() if number in open_}
        return Page(tuple(changes), _cursor(begin, kept, listed), done=True, unread=tuple(unread))

    async def _look(self, seen: Mapping[str, Seen]) -> tuple[Listed, dict[str, Case]]:
        """The open cases as listed; and, with their words, those that may have news."""
        words = self._quiet < CALM or self._polls % EVERY == 0
        self._polls += 1
        listed = await self._cases.open(words=words)
        gone = [number for number in seen if number not in listed.cases and number not in listed.odd]
        if words:
            look, ask = dict(listed.cases), gone
        else:
            look, ask = {}, [*gone, *(n for n, one in listed.cases.items() if _differs(one, seen.get(n)))]
        more = await self._cases.by_id(ask)
        listed.unread += more.unread
        listed.cases |= more.cases
        listed.odd |= more.odd
        return listed, look | more.cases

    async def _fresh(
        self, told: Told, before: Seen | None, begin: datetime
    ) -> tuple[list[Change], list[Unread]]:
        """The words that were not there before. Of a case that was not on the list: all since we listen."""
        since = begin if before is None else max(begin, datetime.fromisoformat(before.newest) - OVERLAP)
        known, changes, odd = before.known if before else (), told.changes, told.odd
        if len(told.case.words) >= RECENT and not any(_sign(one.change_id) in known for one in changes):
            rows = await self._cases.words(told.case.caseId, since)
            changes, odd = self._cases.story(told.ref, rows)
        fresh = [one for one in changes if _sign(one.change_id) not in known and one.at >= since]
        return fresh, [one for one in odd if one.change_id not in known]

    def _moved(self, told: Told, before: Seen | None, begin: str) -> list[Change]:
        """Its state and severity, where they are others than before. When they became so is not told."""
        name = f"{(before.turn if before else 0) + 1}:{stamp(told.newest)}:{begin}"
        kinds = []
        if before is None or before.status != told.case.status:
            kinds.append(ChangeKind.STATE)
        if before is not None and before.severity != told.case.severityCode:
            kinds.append(ChangeKind.PRIORITY)
        now = max(self._cases.now(), told.newest)
        return [self._change(told, kind, name, now) for kind in kinds]

    def stands(self, case: Case) -> Change:
        """Its state as it is, of which nothing tells since when."""
        told = self._cases.told(case)
        return self._change(told, ChangeKind.STATE, f"is:{stamp(told.newest)}", told.newest)

    def _change(self, told: Told, kind: ChangeKind, name: str, at: datetime) -> Change:
        status, severity = one_line(told.case.status), one_line(told.case.severityCode)
        change = Change(
            change_id=f"{told.ref.id}:{kind}:{status if kind is ChangeKind.STATE else severity}:{name}",
            ref=told.ref,
            at=at,
            kind=kind,
            author=THEM,
            by_our_account=False,
        )
        if kind is ChangeKind.STATE:
            return replace(change, raw_state=status, state=self._cases.config.meaning(told.case.status))
        return replace(change, raw_priority=severity, priorities=self._cases.config.meant(severity))


def _seen(told: Told, turn: int) -> Seen:
    words = [_sign(one.change_id) for one in told.changes if one.kind is ChangeKind.COMMENT]
    known = (*words, *(one.change_id for one in told.odd))
    return Seen(told.case.status, told.case.severityCode, turn, stamp(told.newest), known)


def _differs(case: Case, before: Seen | None) -> bool:
    return before is None or (case.status, case.severityCode) != (before.status, before.severity)


def _sign(change_id: str) -> str:
    """The part of a word's id, or of its file's, that tells it from the others of its case."""
    return change_id.rpartition(":")[2].partition(".file")[0]


def _cursor(begin: str, seen: Mapping[str, Seen], listed: Listed) -> Cursor:
    """odd: what of the list cannot be read, and is told."""
    told = {number: one.told for number, one in seen.items()}
    return {"begin": begin, "seen": told, "odd": [one.change_id for one in listed.unread]}
