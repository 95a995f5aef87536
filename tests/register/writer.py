"""Another process that writes: what the tests of several writers start.

python -m tests.register.writer URL log-once COMMAND_ID      log under that id; print the number
python -m tests.register.writer URL log-for-ever             for each line that comes in, a process that logs
                                                             and engages, and tells each acknowledged number
python -m tests.register.writer URL log-slowly               log one each 50 ms, for twenty seconds at most
python -m tests.register.writer URL random SECONDS SEED      random commands so long, LEAST at least; print a
                                                             JSON line on each
"""

from __future__ import annotations

import json
import os
import random
import sys
import time
from collections.abc import Callable

from register.core import Command, NotFound, Policy, Principal, Refused, Role, VendorFacts
from register.desk import ServiceDesk
from register.incident import HoldReason, ResolutionCode
from register.store import open_store
from register.topics.alerts import TakeAlert
from register.topics.delivery import DropSending
from register.topics.engagement import Engage, Reply
from register.topics.hold import PutOnHold, Resume
from register.topics.intake import Log
from register.topics.notes import Note
from register.topics.ownership import Acknowledge, Take
from register.topics.resolution import Cancel, Close, Reopen, Resolve

MAKE: tuple[Callable[[str, random.Random], Command], ...] = (
    lambda n, r: Log(title=f"Trouble {r.randrange(999)}"),
    lambda n, r: Log(title="More trouble", caller=f"Caller {r.randrange(5)}"),
    lambda n, r: Acknowledge(target=n),
    lambda n, r: Take(target=n),
    lambda n, r: Note(target=n, text="Seen."),
    lambda n, r: PutOnHold(target=n, reason=HoldReason.CHANGE, on="CHG-1"),
    lambda n, r: PutOnHold(target=n, reason=HoldReason.VENDOR),
    lambda n, r: Resume(target=n),
    lambda n, r: Resolve(target=n, code=ResolutionCode.FIXED, notes="Done."),
    lambda n, r: Reopen(target=n, reason="Again."),
    lambda n, r: Close(target=n),
    lambda n, r: Cancel(target=n, reason="A test."),
    lambda n, r: Engage(target=n, vendor="acme", message="Help."),
    lambda n, r: Reply(target=n, message="Any news?"),
    lambda n, r: DropSending(row_id="01ARZ3NDEKTSV4RRFFQ69G5FAV"),
)

LEAST = 30
"""Where the lock is given out at random, one writer may get next to nothing in a few seconds."""
POLICY = Policy(vendors={"acme": VendorFacts("acme", "Acme (sample)", production=False)})


def at_random(desk: ServiceDesk, seconds: float, seed: int) -> None:
    chance = random.Random(seed)
    who = Principal(f"person{seed}", Role.COORDINATOR, "cli")
    end, done = time.monotonic() + seconds, 0
    while time.monotonic() < end or done < LEAST:
        target = f"INC-{chance.randint(1, 40)}"
        command = chance.choice(MAKE)(target, chance)
        answer = {"id": command.command_id, "verb": command.verb}
        try:
            receipt = desk.do(who, command)
            answer |= {"number": receipt.number, "seq": [event.seq for event in receipt.events]}
        except Refused as refused:
            answer |= {"refused": refused.sentence, "missing": isinstance(refused, NotFound)}
        print(json.dumps(answer), flush=True)
        done += 1


def for_ever(url: str) -> None:
    """Only the children open the register: each is killed while it writes."""
    for _ in sys.stdin:
        child = os.fork()
        if child == 0:
            say(f"pid {os.getpid()}")
            log_and_engage(ServiceDesk(open_store(url), POLICY))
        os.waitpid(child, 0)
        say("ended")


def say(line: str) -> None:
    """Write a line in one go: `print` may be killed between a word and the line's end."""
    os.write(1, f"{line}\n".encode())


def log_and_engage(desk: ServiceDesk) -> None:
    who = Principal("writer", Role.COORDINATOR, "cli")
    while True:
        number = desk.do(who, Log(title="Written just before the end")).number
        say(str(number))
        desk.do(who, Engage(target=number, vendor="acme", message="Help."))
        say(f"{number} engaged")


def main() -> None:
    url, what, *rest = sys.argv[1:]
    if what == "log-for-ever":
        for_ever(url)
        return
    desk = ServiceDesk(open_store(url), POLICY)
    if what == "log-once":
        receipt = desk.do(Principal("ana", Role.RESPONDER, "cli"), Log(title="once", command_id=rest[0]))
        print(receipt.number, "replayed" if receipt.replayed else "new")
    elif what == "alert-once":
        said = TakeAlert(service="web", key="disk", source="probe", id=rest[0])
        receipt = desk.do(Principal("ana", Role.RESPONDER, "cli"), said)
        print(receipt.number, "replayed" if receipt.replayed else "new")
    elif what == "log-slowly":
        for _ in range(400):
            desk.do(Principal("ana", Role.RESPONDER, "cli"), Log(title="one"))
            time.sleep(0.05)
    else:
        at_random(desk, float(rest[0]), int(rest[1]))


if __name__ == "__main__":
    main()
