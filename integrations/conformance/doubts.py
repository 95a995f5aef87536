"""Rules about answers that never came or cannot be read: a write is in doubt, a read brought nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from integrations.conformance import line
from integrations.conformance.line import Trouble
from integrations.conformance.rules import rule
from integrations.conformance.stage import SINCE, Stage
from integrations.connector import Cap, Comment, Found, Native, NoLookup, Strong
from integrations.errors import Ambiguous, Failure, Rejected, Unavailable
from integrations.levels import Level


@dataclass(frozen=True, slots=True)
class Doubt:
    """commits: what was asked is done. long: it takes a connector that gives up soon."""

    says: str
    trouble: Trouble
    commits: bool = False
    long: bool = False


DOUBTS: Final[Mapping[str, Doubt]] = {
    "cut": Doubt("the line is cut before anything is done", line.cut),
    "cut-when-done": Doubt("the line is cut when it is done", line.commit_then_cut, commits=True),
    "hang": Doubt("no answer comes", line.hang, long=True),
    "drip": Doubt("the answer comes a byte at a time", line.drip, commits=True, long=True),
    "500": Doubt("it answers 500", line.broken(500, False)),
    "500-when-done": Doubt("it answers 500, and has done it", line.broken(500, True), commits=True),
    "502": Doubt("it answers 502", line.broken(502, False)),
    "503": Doubt("it answers 503", line.broken(503, False)),
    "html": Doubt("it answers 200 with a page for people", line.page(False)),
    "html-when-done": Doubt("so, and has done it", line.page(True), commits=True),
    "truncated": Doubt("half of the answer comes", line.truncated, commits=True),
    "charset": Doubt("the answer comes in UTF-16", line.wrong_charset, commits=True),
    "huge": Doubt("the answer has 10 MB", line.huge, commits=True),
    "redirect": Doubt("it answers 302", line.says(302, location=line.OTHER_ORIGIN)),
}


def _ticket(doubt: Doubt) -> None:
    async def run(at: Stage) -> None:
        op_id, desk = at.op(), at.hasty if doubt.long else at.desk
        at.line.spoil(doubt.trouble, at.decides)
        kinds = (Ambiguous, Unavailable) if isinstance(at.info.idempotency, Native) else (Ambiguous,)
        failure = await at.fails(kinds, desk.create(at.draft(op_id)))
        assert getattr(failure, "op_id", op_id) == op_id
        made = int(doubt.commits)
        assert await at.world.tickets(op_id) == made, "tried again by itself"
        if isinstance(at.info.lookup, NoLookup):
            return
        found = await at.finder.find(op_id, SINCE)
        if isinstance(at.info.lookup, Strong):
            assert isinstance(found, Found) == bool(made), found
        if isinstance(found, Found):
            assert len(found.refs) == 1

    rule(
        Level.BRONZE,
        f"ticket-in-doubt-{_name(doubt)}",
        f"of a create, {doubt.says}: in doubt, then looked up",
    )(run)


def _comment(doubt: Doubt) -> None:
    async def run(at: Stage) -> None:
        ref, op_id = await at.ticket(), at.op()
        at.line.spoil(doubt.trouble, at.decides)
        desk = at.hasty if doubt.long else at.desk
        failure = await at.fails(Ambiguous, at.apply(ref, Comment(op_id, "any news?"), desk))
        assert failure.op_id == op_id
        assert len(await at.world.said(ref)) == 1 + doubt.commits, "tried again by itself"
        found = await at.finder.find_comment(ref, op_id)
        assert isinstance(found, Found) == doubt.commits, found
        assert not isinstance(await at.finder.find_comment(ref, at.op()), Found)

    rule(
        Level.SILVER,
        f"word-in-doubt-{_name(doubt)}",
        f"of a comment, {doubt.says}: in doubt, then looked up",
        Cap.COMMENT_PUBLIC,
    )(run)


def _read(doubt: Doubt) -> None:
    async def run(at: Stage) -> None:
        ref, op_id = await at.ticket(), at.op()
        desk = at.hasty if doubt.long else at.desk
        at.line.spoil(doubt.trouble, line.reads)
        await at.fails((Unavailable, Rejected), desk.get(ref))
        if not isinstance(at.info.lookup, NoLookup):
            at.line.spoil(doubt.trouble, line.reads)
            finder = desk.find(op_id, SINCE)  # type: ignore[attr-defined] # a rule about those that can find
            await at.fails(Failure, finder)

    rule(Level.SILVER, f"nothing-read-{_name(doubt)}", f"of a read, {doubt.says}: nothing was read")(run)


def _name(doubt: Doubt) -> str:
    return next(name for name, one in DOUBTS.items() if one is doubt)


for _one in DOUBTS.values():
    _ticket(_one)
    _comment(_one)
    if not _one.commits or _one.trouble in (line.drip, line.truncated, line.wrong_charset, line.huge):
        _read(_one)
