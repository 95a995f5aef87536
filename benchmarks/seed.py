"""Fill a register with made-up incidents, through decide and evolve like everything else.

    python -m benchmarks.seed REGISTER --incidents 10000 --open 500 [--seed 7]

REGISTER is a path or a PostgreSQL URL. The same three figures tell the same story, ending now and begun up to
five days ago. Told twice it changes nothing: its commands carry the same ids.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Final

from ulid import ULID

from register.core import Command, Principal, Role
from register.desk import Receipt, ServiceDesk
from register.incident import Cause, HoldReason, Impact, ResolutionCode, Urgency
from register.live import Live, live_path
from register.store import RegisterUnavailable, as_url, open_store
from register.topics.hold import PutOnHold
from register.topics.intake import Log
from register.topics.notes import Note
from register.topics.ownership import Acknowledge, Take
from register.topics.resolution import Cancel, Close, Resolve

BATCH: Final = 250
"""Stories whose beginnings share a transaction, and whose steps share the next: under 1,000 commands each."""
SPAN: Final = timedelta(days=5)
PEOPLE: Final = ("ana", "ben", "carl", "dan", "eva")
CALLERS: Final = ("front desk", "warehouse", "accounting", "night shift", "monitoring")
SERVICES: Final[Mapping[str, tuple[str, ...]]] = {
    "shop-web": ("Checkout answers 500", "Search takes ten seconds", "Basket is empty after log-in"),
    "payments": ("Card payments are declined", "Refunds are stuck since noon"),
    "mail": ("Outgoing mail is queued", "Mail to partners bounces", "Calendar shows last week"),
    "vpn": ("VPN drops every few minutes", "No address from the VPN", "VPN asks for the code twice"),
    "wiki": ("Pages cannot be saved", "Attachments cannot be opened"),
    "database": ("Replica is behind", "Disk is 96 % full", "Nightly backup did not finish"),
    "wifi": ("No wireless in the warehouse", "Guests cannot sign in"),
    "printing": ("Labels come out blank", "Printer on floor 2 is not found"),
}
_CATEGORIES: Final[Mapping[str, str]] = {
    **dict.fromkeys(("shop-web", "payments", "wiki"), "application"),
    **dict.fromkeys(("vpn", "wifi"), "network"),
    "mail": "messaging",
    "database": "infrastructure",
    "printing": "workplace",
}
_IMPACTS: Final = (Impact.LOW,) * 5 + (Impact.MEDIUM,) * 4 + (Impact.HIGH,)
_URGENCIES: Final = (Urgency.LOW,) * 4 + (Urgency.MEDIUM,) * 4 + (Urgency.HIGH,) * 2
_CODES: Final = (ResolutionCode.FIXED, ResolutionCode.WORKAROUND, ResolutionCode.BY_ITSELF)
_CAUSES: Final = (Cause.SOFTWARE, Cause.HARDWARE, Cause.CHANGE, Cause.UNKNOWN)

Step = tuple[str, Callable[[str], Command]]
"""Who does it, and the command for an incident's number."""


@dataclass(frozen=True, slots=True)
class Story:
    """One incident from its logging to where it stands at the end."""

    reporter: str
    log: Log
    steps: tuple[Step, ...]


def story(rng: Random, *, ends: bool) -> Story:
    """Make one up. `ends`: it is over; else it is new, taken or on hold."""
    service = rng.choice(tuple(SERVICES))
    log = Log(
        title=f"{rng.choice(SERVICES[service])} ({service}-{rng.randrange(1, 100)})",
        impact=rng.choice(_IMPACTS),
        urgency=rng.choice(_URGENCIES),
        service=service,
        category=_CATEGORIES[service],
        caller=rng.choice(CALLERS),
        description=f"Seen {rng.randrange(2, 60)} times in {rng.randrange(2, 30)} minutes. Sample data.",
    )
    steps = _ended(rng) if ends else _under_way(rng)
    return Story(rng.choice(PEOPLE), log, tuple(steps))


def _ended(rng: Random) -> Iterator[Step]:
    who = rng.choice(PEOPLE)
    if rng.random() < 0.05:
        yield who, lambda number: Cancel(target=number, reason="The same as another one. Sample data.")
        return
    code, cause, closed = rng.choice(_CODES), rng.choice(_CAUSES), rng.random() < 0.8
    yield who, lambda number: Take(target=number)
    yield who, lambda number: Resolve(target=number, code=code, notes="Restarted, watched.", cause=cause)
    if closed:
        yield who, lambda number: Close(target=number, note="The caller confirmed it.")


def _under_way(rng: Random) -> Iterator[Step]:
    who, chance = rng.choice(PEOPLE), rng.random()
    if chance < 0.35:
        return
    if chance < 0.45:
        yield who, lambda number: Acknowledge(target=number)
        return
    yield who, lambda number: Take(target=number)
    if chance > 0.7:
        yield (
            who,
            lambda number: Note(target=number, text="Logs read, nothing before the first error."),
        )
    if chance > 0.9:
        yield who, lambda number: PutOnHold(target=number, reason=HoldReason.CHANGE, on="change 12")


class _Clock:
    """Moves from five days ago to now in even steps, one a command."""

    def __init__(self, commands: int) -> None:
        self._now = datetime.now(UTC) - SPAN
        self._step = SPAN / max(1, commands)

    def __call__(self) -> datetime:
        self._now += self._step
        return self._now


def stories(rng: Random, incidents: int, open_ones: int) -> list[Story]:
    still_open = set(rng.sample(range(incidents), open_ones))
    return [story(rng, ends=n not in still_open) for n in range(incidents)]


def seed(register: str, *, incidents: int, open_ones: int, seed: int = 7, progress: bool = False) -> int:
    """Write the stories into a register, a path or URL; return how many commands that took."""
    rng = Random(f"{seed} {incidents} {open_ones}")
    told = stories(rng, incidents, open_ones)
    commands = sum(1 + len(each.steps) for each in told)
    store = open_store(register)
    teller = _Teller(ServiceDesk(store, clock=_Clock(commands)), rng)
    begin = time.perf_counter()
    try:
        for start in range(0, incidents, BATCH):
            teller.tell(told[start : start + BATCH])
            if progress:
                speed = teller.done / (time.perf_counter() - begin)
                _say(f"{min(start + BATCH, incidents):,} of {incidents:,} incidents, {speed:,.0f} commands/s")
    finally:
        store.close()
    return teller.done


class _Teller:
    """Hands stories to the desk in large transactions."""

    def __init__(self, desk: ServiceDesk, rng: Random) -> None:
        self._desk = desk
        self._rng = rng
        self.done = 0

    def tell(self, batch: Sequence[Story]) -> None:
        begun = self._do([(each.reporter, each.log) for each in batch])
        numbers = [receipt.number or "" for receipt in begun]
        self._do(
            [
                (who, step(number))
                for each, number in zip(batch, numbers, strict=True)
                for who, step in each.steps
            ]
        )

    def _do(self, asked: Sequence[tuple[str, Command]]) -> list[Receipt]:
        pairs = []
        for who, command in asked:
            self.done += 1
            command_id = str(ULID.from_bytes(self.done.to_bytes(6, "big") + self._rng.randbytes(10)))
            principal = Principal(who, Role.RESPONDER, "seed")
            pairs.append((principal, command.model_copy(update={"command_id": command_id})))
        return self._desk.do_all(pairs) if pairs else []


def write_live(register: str) -> None:
    """Leave the copy that a board leaves, from which the next one paints at once."""
    store = open_store(register)
    try:
        path = live_path(as_url(register))
        path.parent.mkdir(parents=True, exist_ok=True)
        live = Live.open(path)
        live.belongs_to(store.register_id)
        seq, rows = store.rows()
        live.apply(rows, (), store.people(), seq)
        live.save()
    finally:
        store.close()


def _say(text: str) -> None:
    end = "\r" if sys.stderr.isatty() else "\n"
    print(f"seed: {text}", end=end, file=sys.stderr, flush=True)


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.seed", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("register", help="a path, or a postgresql:// URL")
    parser.add_argument("--incidents", type=int, default=1000)
    parser.add_argument("--open", type=int, dest="open_ones", help="how many of them (default: a tenth)")
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args(argv)
    open_ones = options.incidents // 10 if options.open_ones is None else options.open_ones
    if not 0 <= open_ones <= options.incidents:
        parser.error(f"--open {open_ones} of --incidents {options.incidents}: give at most as many")
    begin = time.perf_counter()
    try:
        done = seed(
            options.register,
            incidents=options.incidents,
            open_ones=open_ones,
            seed=options.seed,
            progress=True,
        )
    except RegisterUnavailable as trouble:
        print(f"seed: {trouble}", file=sys.stderr)
        return 5
    took = time.perf_counter() - begin
    print(f"{options.incidents:,} incidents, {open_ones:,} open: {done:,} commands in {took:,.1f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
