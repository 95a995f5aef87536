"""The supplier's people, as a machine: they take tickets, answer, and say that things are fixed.

Seeded and with times to set, so that a demo lives and a test can wait for it. Off, nobody is there.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from heapq import heappop, heappush
from typing import Final

from integrations.practice.desk import Desk, DeskRefused, PdChange

REPLIES: Final = (
    "Thank you, we have your report and are looking at it now.",
    "We can see this on our side too. Our engineers are on it.",
    "We are checking the logs of the last hours and come back to you.",
)
ANSWERS: Final = (
    "Thank you for the details, that helps us.",
    "Understood. We have added this to our analysis.",
    "Noted. We keep you informed here.",
)
FIXES: Final = (
    "We restarted the affected component and it runs again. Please confirm.",
    "A faulty change on our side was rolled back. Please check whether it works for you.",
)


@dataclass(frozen=True, slots=True)
class Pace:
    """How long the people take, from the ticket's making; `answer` from our comment; ± `spread` of it."""

    take: timedelta = timedelta(seconds=4)
    reply: timedelta = timedelta(seconds=9)
    fix: timedelta = timedelta(seconds=60)
    answer: timedelta = timedelta(seconds=6)
    spread: float = 0.25


@dataclass(order=True, slots=True)
class _Due:
    at: datetime
    order: int
    do: Callable[[], None] = field(compare=False)


class Agent:
    """Watches the desk's changes and acts when the time has come. `step` is all that moves it."""

    def __init__(
        self, desk: Desk, pace: Pace | None = None, *, seed: int = 1, name: str = "practice agent"
    ) -> None:
        self._desk = desk
        self._pace = pace or Pace()
        self._random = random.Random(seed)  # noqa: S311 - people, not secrets
        self._name = name
        self._seen = 0
        self._planned = 0
        self._answered: set[str] = set()
        self._due: list[_Due] = []

    def step(self, now: datetime) -> None:
        """Note what came in, then do everything that is due at `now`."""
        self._read()
        while self._due and self._due[0].at <= now:
            try:
                heappop(self._due).do()
            except DeskRefused:
                continue  # closed, deleted or moved on by somebody else in the meantime
        self._read()

    async def work(self, clock: Callable[[], datetime], every: float = 0.25) -> None:
        """Step until cancelled."""
        while True:
            self.step(clock())
            await asyncio.sleep(every)

    def _read(self) -> None:
        for change in self._desk.after(self._seen, limit=1_000):
            self._seen = change.seq
            if change.author == self._name:
                continue
            if change.kind == "created":
                self._plan_ticket(change)
            elif change.kind == "comment" and change.ticket not in self._answered:
                self._answered.add(change.ticket)
                self._plan_answer(change)

    def _plan_answer(self, change: PdChange) -> None:
        self._plan(change.at, self._pace.answer, lambda: self._say(change.ticket, ANSWERS))

    def _plan_ticket(self, change: PdChange) -> None:
        ticket = change.ticket
        self._plan(change.at, self._pace.take, lambda: self._take(ticket))
        self._plan(change.at, self._pace.reply, lambda: self._say(ticket, REPLIES))
        self._plan(change.at, self._pace.fix, lambda: self._fix(ticket))

    def _plan(self, start: datetime, wait: timedelta, do: Callable[[], None]) -> None:
        self._planned += 1
        factor = 1 + self._pace.spread * (2 * self._random.random() - 1)
        heappush(self._due, _Due(start + wait * factor, self._planned, do))

    def _take(self, ticket: str) -> None:
        self._desk.set_state(ticket, self._name, "Working")
        self._desk.assign(ticket, self._name)

    def _say(self, ticket: str, words: tuple[str, ...]) -> None:
        if self._desk.ticket(ticket).state not in ("Closed", "Declined"):
            self._desk.comment(ticket, self._name, self._random.choice(words))

    def _fix(self, ticket: str) -> None:
        if self._desk.ticket(ticket).state in ("Open", "Working", "Needs customer"):
            self._desk.comment(ticket, self._name, self._random.choice(FIXES))
            self._desk.set_state(ticket, self._name, "Fixed")
