"""What a demonstration's register holds: plainly made up, told through the desk as people would."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from integrations.policy_files import Checked, Person
from register.core import Command, Principal, Role
from register.desk import ServiceDesk
from register.incident import HoldReason, Impact, ResolutionCode, Urgency
from register.store import Store
from register.topics.engagement import Engage
from register.topics.hold import PutOnHold
from register.topics.intake import Log
from register.topics.notes import Note
from register.topics.ownership import Acknowledge, Take
from register.topics.resolution import Resolve
from register.watch import next_after, tick

VENDOR: Final = "practice"
ANA: Final = Principal("ana.demo", Role.COORDINATOR, "demo")
BEN: Final = Principal("ben.demo", Role.COORDINATOR, "demo")
CAT: Final = Principal("cat.demo", Role.ADMIN, "demo")
_FOUNDED: Final = 3_000
"""Minutes ago."""
_H, _M, _L = "high", "medium", "low"

LOGGED: Final[Sequence[tuple[int, str, str, str, str, str]]] = (
    (2_900, "Printer on the second floor prints blank pages", _L, _L, "Printing", "hardware"),
    (1_500, "Report of last month shows two totals", _L, _M, "Reports", "application"),
    (610, "Password reset mail arrives late", _M, _M, "Accounts", "application"),
    (420, "Nightly reindex overran", _M, _M, "Search", "application"),
    (330, "Packet loss between the two sites", _M, _H, "Network", "network"),
    (210, "Payments are confirmed twice", _H, _H, "Payments", "application"),
    (170, "Staging host is out of disk", _L, _M, "Test systems", "hardware"),
    (140, "Search finds nothing for short words", _M, _L, "Search", "application"),
    (95, "New laptop does not join the network", _L, _M, "Workplace", "hardware"),
    (70, "Backup of the file server failed", _M, _H, "Backup", "storage"),
    (45, "Video calls drop after five minutes", _M, _M, "Telephony", "network"),
    (25, "Webshop answers 500 at checkout", _H, _H, "Webshop", "application"),
    (12, "Login page loads slowly", _H, _M, "Accounts", "application"),
    (3, "Badge reader at the side door is dead", _L, _H, "Building", "hardware"),
)
"""Minutes ago, title, impact, urgency, service, category; the numbers are INC-1, INC-2, …"""


def sample_register(store: Store, files: Checked, now: datetime | None = None) -> None:
    """Fill an empty register: several priorities and states, two incidents with the practice supplier.

    files: what it adopts as its policy before anything else.
    """
    now = now or datetime.now(UTC)
    at = now - timedelta(minutes=_FOUNDED)
    desk = ServiceDesk(store, clock=lambda: at)
    desk.do(CAT, files.command(Person(None, CAT.login), private=True))

    def lived_until(then: datetime) -> None:
        """What falls due by itself meanwhile is done then: a demonstration was never without a worker."""
        nonlocal at
        while (due := next_after(store, at)) is not None and due <= then:
            at = due
            tick(desk, due)
        at = then

    for minutes, principal, command in sorted(_story(now), key=lambda step: -step[0]):
        lived_until(now - timedelta(minutes=minutes))
        desk.do(principal, command)
        tick(desk, at)
    lived_until(now)


def _story(now: datetime) -> list[tuple[float, Principal, Command]]:
    """Who did what, how many minutes ago."""
    return [
        *((minutes, BEN if minutes % 2 else ANA, _log(*rest)) for minutes, *rest in LOGGED),
        (2_800, BEN, Take(target="INC-1")),
        (2_600, BEN, Resolve(target="INC-1", code=ResolutionCode.FIXED, notes="A new drum.")),
        (1_400, ANA, Take(target="INC-2")),
        (600, BEN, Acknowledge(target="INC-3")),
        (590, BEN, Take(target="INC-3")),
        (585, BEN, Note(target="INC-3", text="The queue grows between 9 and 10, then drains.")),
        (400, ANA, Take(target="INC-4")),
        (390, ANA, _hold("INC-4", HoldReason.CHANGE, on="sample change 12", until=now + timedelta(hours=5))),
        (320, BEN, Take(target="INC-5")),
        (100, BEN, Note(target="INC-5", text="Loss is gone for now; the line is watched.")),
        (98, BEN, Acknowledge(target="INC-5")),
        (205, ANA, Take(target="INC-6")),
        (24, ANA, Acknowledge(target="INC-6")),
        (200, ANA, Note(target="INC-6", text="Only card payments. Refunds are made by hand until then.")),
        (135, BEN, Acknowledge(target="INC-8")),
        (90, ANA, Take(target="INC-9")),
        (85, ANA, _hold("INC-9", HoldReason.CALLER, on="sample caller", note="Which serial number has it?")),
        (60, BEN, Take(target="INC-10")),
        (22, ANA, Acknowledge(target="INC-12")),
        (21, ANA, Take(target="INC-12")),
        (0.5, ANA, _engage("INC-6", "Payments of today are confirmed twice. Please look at your gateway.")),
        (0.3, ANA, _engage("INC-12", "Checkout answers 500 since this morning. Can you see it there?")),
    ]  # fmt: skip


def _log(title: str, impact: str, urgency: str, service: str, category: str) -> Log:
    return Log(
        title=title, impact=Impact(impact), urgency=Urgency(urgency), service=service, category=category,
        caller="sample caller", description="Sample: nothing of this is real.",
    )  # fmt: skip


def _hold(target: str, reason: HoldReason, **rest: Any) -> PutOnHold:
    return PutOnHold(target=target, reason=reason, **rest)


def _engage(target: str, message: str) -> Engage:
    return Engage(target=target, vendor=VENDOR, message=message)
