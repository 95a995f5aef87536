"""One engagement from beginning to end on a bad day, with the engine dying at one point of it.

A case is a mood × an operation × a point. Death is an exception that nothing in the engine catches; what
goes on after it is another engine over the same register, with nothing in its memory. A person is played,
too: they retry what waits for them and renew an expired token.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from engine_kit import COORDINATOR, FAST, Engine, practice_file, tickets_by_reference

from integrations.collector import Collector
from integrations.courier import Courier
from integrations.hand import Hand
from integrations.practice import moods
from integrations.practice.desk import PdTicket
from integrations.practice.moods import Mood
from integrations.practice.people import WE
from integrations.practice.server import Practice
from integrations.vendors import connector_for, load_vendors, policy_of
from register.attaching import attach
from register.core import Command, Principal
from register.desk import Receipt, ServiceDesk
from register.incident import Bond, BondState, Impact, Label, Urgency
from register.marker import unsigned
from register.store import Store, open_store, outbox, vendors
from register.topics.correction import Correct
from register.topics.delivery import RetrySending
from register.topics.engagement import Reply
from register.topics.hearing import Hear
from register.topics.news import SupplierSaid, SupplierUpdated
from register.topics.pausing import ResumeVendor
from register.topics.proposal import Accept, Dispute
from register.topics.urging import Reprioritise
from register.topics.withdrawal import Withdraw
from register.verify import verify

POINTS = ("", "claimed", "answered", "settled", "looked", "hearing", "heard")
"""Where the engine dies: nowhere; in the courier; before and after what was heard is committed."""
CONTENT = bytes(range(256)) * 8
PATIENCE = 60.0
"""Seconds that a case may take: it takes two, where nothing is wrong."""


class Killed(BaseException):
    """Stands for the process's death."""


class MortalHand(Hand):
    """Dies before or after it takes in what was heard."""

    fault: Callable[[str], None] = staticmethod(lambda point: None)

    async def do(self, principal: Principal, command: Command) -> Receipt:
        news = isinstance(command, Hear) and bool(command.items)
        if news:
            self.fault("hearing")
        receipt = await super().do(principal, command)
        if news:
            self.fault("heard")
        return receipt


# Moods


def _lost(*more: Mood) -> Callable[[Any], Sequence[Mood]]:
    """A lost answer, and more that is wrong."""
    return lambda on: (moods.CommitThenDrop(on=on), *more)


def _once(kind: Any, *args: Any, **more: Any) -> Callable[[Any], Sequence[Mood]]:
    return lambda on: (kind(*args, **more, times=1, on=on),)


_LATER: Mapping[str, Any] = {"create": "comment", "comment": "comment", "state": "state"} | {
    "priority": "priority",
    "attach": "attach",
}
"""The first request of an operation that has a ticket to be about."""
MOODS: Mapping[str, Callable[[Any], Sequence[Mood]]] = {
    "calm": lambda on: (),
    "commit then drop": _lost(),
    "commit then drop twice": lambda on: (moods.CommitThenDrop(times=2, on=on),),
    "drop before commit": _once(moods.DropBeforeCommit),
    "late commit": _once(moods.LateCommit, 0.15),
    **{
        f"{status}{', having done it' if commits else ''}": _once(
            moods.Refuse500, status=status, commits=commits
        )
        for status in (500, 502, 503)
        for commits in (False, True)
    },
    "page for people": _once(moods.AnswerHtml),
    "page for people, having done it": _once(moods.AnswerHtml, commits=True),
    **{
        f"wait, in {form}": _once(moods.RateLimit, 1, form=form)
        for form in ("seconds", "date", "iso", "none")
    },
    "hangs": _once(moods.Hang),
    "hangs, having done it": _once(moods.Hang, commits=True),
    "slow": _once(moods.Slow, 0.3),
    "truncated": _once(moods.TruncatedJson),
    "wrong charset": _once(moods.WrongCharset),
    "10 MB": _once(moods.HugeAnswer),
    "drip": _once(moods.Drip),
    "redirect": _once(moods.Redirect),
    "redirect, having done it": _once(moods.Redirect, commits=True),
    "redirect 307": _once(moods.Redirect, status=307),
    "delayed index": _lost(moods.DelayedIndex(0.2)),
    "look-up refused": _lost(
        moods.Refuse500(status=503, times=2, on="find"), moods.Hang(times=1, on="history")
    ),
    "answers first": _once(moods.AnswersFirst),
    "typed as us": _once(moods.TypedAsUs),
    "merged away": _once(moods.MergedAway),
    "merged away, answer lost": lambda on: (moods.MergedAway(on=on), moods.CommitThenDrop(on="writes")),
    "busy": lambda on: (moods.Meanwhile(comment="just now", times=2, on=_LATER[on]),),
    "another priority": lambda on: (moods.Meanwhile(priority="Low", on=_LATER[on]),),
    "split": lambda on: (moods.Meanwhile(split="a part of it", on=_LATER[on]),),
    "split, answer lost": lambda on: (
        moods.CommitThenDrop(on=on),
        moods.Meanwhile(split="a part of it", on="writes"),
    ),
    "duplicated": _lost(moods.Duplicated()),
    "reordered": _lost(moods.Reordered()),
    "replayed": _lost(moods.Replayed()),
    "clock ahead": _lost(moods.ClockSkew(3600)),
    "clock behind": _lost(moods.ClockSkew(-3600)),
    "token expired": lambda on: (moods.ExpiredToken(),),
    "token expired after a lost answer": _lost(moods.ExpiredToken()),
    "feed broken": _lost(
        moods.TruncatedJson(times=1, on="changes"), moods.WrongCharset(times=1, on="history")
    ),
}


# A case


@dataclass
class Case:
    """One engagement. `said`: what we wrote to them, in order; `heard`: what their people wrote."""

    practice: Practice
    store: Store
    file: Path
    point: str
    number: str = ""
    op_id: str = ""
    said: list[str] = field(default_factory=list)
    heard: list[str] = field(default_factory=list)
    decided: int = 0  # states that their people set
    died: bool = False
    persons: Counter[str] = field(default_factory=Counter)

    def engine(self, holder: str) -> Engine:
        known = load_vendors(self.file)
        vendor = known["practice"]
        hand = MortalHand(ServiceDesk(self.store, policy_of(known)))
        hand.fault = self._fault  # type: ignore[method-assign] # this is how it dies
        connector = connector_for(vendor, lambda name: "")
        courier = Courier(hand, vendor, connector, holder, FAST, self._fault)
        collector = Collector(hand, vendor, connector)
        return Engine(self.store, hand.desk, vendor, courier, collector, hand, connector.http.aclose)

    def _fault(self, point: str) -> None:
        if self.armed and point == self.point and not self.died:
            self.died = True
            raise Killed

    armed: bool = False

    @property
    def bond(self) -> Bond:
        incident = self.store.incident(self.number)
        assert incident is not None
        return incident.bonds[0]

    @property
    def ticket(self) -> PdTicket:
        """The supplier's, whatever it was merged into."""
        (made,) = self.practice.desk.with_reference(self.op_id)
        return self.practice.desk.ticket(made.id)

    def lena(self, words: str = "", state: str = "") -> None:
        """One of the supplier's people writes, or decides."""
        if words:
            self.practice.desk.comment(self.ticket.id, "Lena", words)
            self.heard.append(words)
        if state:
            self.practice.desk.set_state(self.ticket.id, "Lena", state)
            self.decided += 1

    async def carry_on(self, engine: Engine) -> None:
        """Send and listen until nothing is left to do."""
        end, round_ = time.monotonic() + PATIENCE, 0
        while True:
            await engine.courier.until_quiet()
            if round_ < 3 and self.practice.desk.with_reference(self.op_id):
                self.lena(f"Lena {len(self.heard)}")
            round_ += 1
            await engine.collector.poll()
            self._person(engine)
            if round_ >= 4 and not outbox.unfinished(self.store):
                break
            left = outbox.unfinished(self.store)
            assert time.monotonic() < end, f"still unsettled: {left} {engine.kinds(self.number)}"
            await asyncio.sleep(0.02)

    def _person(self, engine: Engine) -> None:
        """Do what a person is asked for."""
        if vendors.standing(self.store, "practice").paused:
            self.practice.moods.set()
            engine.do(ResumeVendor(vendor="practice", why="the token was renewed"))
            self.persons["renewed"] += 1
        soon = engine.hand.now() + timedelta(seconds=1.5)
        for row in outbox.unfinished(self.store):
            waits = row.state == "waiting" and row.next_at is not None and row.next_at > soon
            if waits or row.state == "dead" or (row.state == "ambiguous" and row.next_at is None):
                engine.do(RetrySending(row_id=row.row_id))
                self.persons[row.state] += 1


@dataclass(frozen=True)
class Operation:
    """What is asked of the supplier: `strikes` is the request that the mood is for."""

    strikes: str
    ready: Callable[[Case, Engine], None]
    ask: Callable[[Case, Engine], None]
    done: Callable[[Case], bool]
    ends: bool = False
    before: bool = False  # something waits ahead of it
    fixed: bool = False  # they said so before


def _says(case: Case, engine: Engine, words: str) -> None:
    engine.do(Reply(target=case.number, message=words))
    case.said.append(words)


def _note(command: Any, field_: str, words: str) -> Callable[[Case, Engine], None]:
    def ask(case: Case, engine: Engine) -> None:
        engine.do(command(target=case.number, **{field_: words}))
        case.said.append(words)

    return ask


def _engage(case: Case, engine: Engine) -> None:
    case.number, case.op_id = engine.engaged()


def _urge(case: Case, engine: Engine) -> None:
    engine.do(Correct(target=case.number, reason="worse", impact=Impact.HIGH, urgency=Urgency.HIGH))
    engine.do(Reprioritise(target=case.number))


def _send_file(case: Case, engine: Engine) -> None:
    attach(engine.desk, COORDINATOR, case.number, CONTENT, "t.bin", Label.SHAREABLE, send_to="practice")


def _has_file(case: Case) -> bool:
    desk = case.practice.desk
    files = [desk.file(change.seq) for change in desk.changes if change.kind == "file"]
    return files == [CONTENT]


def _state(*states: str) -> Callable[[Case], bool]:
    return lambda case: case.ticket.state in states


def _nothing(case: Case, engine: Engine) -> None:
    """Nothing goes before."""


OPERATIONS: Mapping[str, Operation] = {
    "create": Operation("create", _nothing, _engage, lambda case: True),
    "comment": Operation("comment", _engage, lambda c, e: _says(c, e, "any news?"), lambda case: True),
    "transition": Operation(
        "state", _engage, _note(Dispute, "message", "still broken"), _state("Working"), fixed=True
    ),
    "priority": Operation("priority", _engage, _urge, lambda case: case.ticket.priority == "Urgent"),
    "attach": Operation("attach", _engage, _send_file, _has_file),
    "close": Operation(
        "state",
        _engage,
        _note(Accept, "note", "thank you"),
        _state("Closed"),
        ends=True,
        before=True,
        fixed=True,
    ),
    "withdraw": Operation("state", _engage, _note(Withdraw, "reason", "ours"), _state("Closed"), ends=True),
    "withdraw, its note": Operation(
        "comment", _engage, _note(Withdraw, "reason", "ours"), _state("Closed"), ends=True
    ),
}


async def play(practice: Practice, home: Path, mood: str, operation: str, point: str) -> Case:
    """Play a case to its end, and say what is wrong with how it ended."""
    home.mkdir()
    case = Case(practice, open_store(str(home / "r.db")), practice_file(home, practice.url), point)
    what, first = OPERATIONS[operation], case.engine("first")
    try:
        await first.collector.poll()
        what.ready(case, first)
        await first.courier.until_quiet()
        if what.fixed:
            case.lena(state="Fixed")
        await first.collector.poll()
        practice.moods.set(*MOODS[mood](what.strikes))
        case.armed = True
        engine = first
        try:
            if what.before:
                _says(case, first, "first")
            what.ask(case, first)
            if not what.ends:
                _says(case, first, "first")
                _says(case, first, "second")
            await case.carry_on(first)
        except Killed:
            await first.close()
            first.hand.close()
            engine = case.engine("second")
            await engine.courier.take_over()
            await case.carry_on(engine)
        for _ in range(2):
            await engine.collector.poll()
        await engine.close()
        engine.hand.close()
        check(case, what)
    finally:
        case.store.close()
    return case


def check(case: Case, what: Operation) -> None:
    """What must be true at the end of every case."""
    desk, events = case.practice.desk, list(case.store.timeline(case.number))
    told = [one.event for one in events if isinstance(one.event, SupplierSaid)]
    kinds = [one.kind for one in events]
    counts = {ref: count for ref, count in tickets_by_reference(case.practice).items() if ref}
    assert counts == {case.op_id: 1}, "one engagement, one ticket"
    assert what.done(case), f"asked for and not so: {case.ticket}"
    ours = [unsigned(c.body) for c in desk.changes if c.kind == "comment" and c.author == WE]
    typed = [body for body in ours if body.startswith("Typed by hand")]
    assert [body for body in ours if body not in typed] == case.said, "once, and in order"
    theirs = [c.body for c in desk.changes if c.kind == "comment" and c.author == "Lena"]
    assert Counter(event.body for event in told) == Counter(theirs + typed), f"heard once each: {kinds}"
    assert [event.body for event in told if event.perhaps_ours] == typed
    lena = [event.body for event in told if event.body in case.heard]
    assert lena == sorted(lena, key=case.heard.index), "in the order in which they wrote"
    mergers = sum(c.kind == "merged" for c in desk.changes)
    decided = [one.event for one in events if isinstance(one.event, SupplierUpdated)]
    states = [event for event in decided if not event.raw_state.startswith("merged")]
    # whoever merges puts the other ticket into the state of the first: that is their doing
    assert case.decided <= len(states) <= case.decided + mergers, f"no echo: {kinds}"
    bond = case.bond
    assert bond.ref is not None
    assert desk.ticket(bond.ref.id).id == case.ticket.id
    assert mergers == 0 or bond.ref.id == case.ticket.id, "where it went on, it is followed"
    assert (bond.state is BondState.ENDED) == what.ends, bond
    assert not bond.doubtful
    assert not bond.dead
    assert outbox.unfinished(case.store) == []
    cursor = vendors.cursor_of(case.store, "practice") or ""
    assert f'"after":{desk.last_seq}' in cursor, "the cursor is where the feed is, and no further"
    assert verify(case.store).faults == []
