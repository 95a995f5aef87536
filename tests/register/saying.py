"""Short ways to say what people and the engine do in these tests."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import text

from register.canon import stamp
from register.core import Command, Principal, Role
from register.desk import Receipt, ServiceDesk
from register.incident import HoldReason, Incident, ResolutionCode, State, TicketRef
from register.store import Store, outbox
from register.store.outbox import Sending
from register.topics.delivery import ConfirmSending, DoubtSending, FailSending
from register.topics.engagement import Engage, Reply
from register.topics.hearing import Heard
from register.topics.hold import PutOnHold
from register.topics.intake import Log
from register.topics.ownership import Take
from register.topics.resolution import Cancel, Close, Resolve

ROOT = Path(__file__).resolve().parents[2]
ANA = Principal("ana", Role.RESPONDER, "board")
BEN = Principal("ben", Role.COORDINATOR, "cli")
VIC = Principal("vic", Role.VIEWER, "board")
ADA = Principal("ada", Role.ADMIN, "cli")
ENGINE = Principal("courier", Role.ENGINE, "courier")

ACME_1 = TicketRef(id="4711", key="ACME-4711", url="https://acme.invalid/4711")
ACME_2 = TicketRef(id="4712", key="ACME-4712")


def log(desk: ServiceDesk, title: str = "Checkout answers 500", **fields: Any) -> str:
    """Ana logs an incident; its number."""
    number = desk.do(ANA, Log(title=title, **fields)).number
    assert number is not None
    return number


def fixed(number: str) -> Resolve:
    return Resolve(target=number, code=ResolutionCode.FIXED, notes="Restarted.")


WAY_TO: dict[State, tuple[Any, ...]] = {
    State.NEW: (),
    State.IN_PROGRESS: (lambda n: Take(target=n),),
    State.ON_HOLD: (lambda n: PutOnHold(target=n, reason=HoldReason.CHANGE, on="CHG-1"),),
    State.RESOLVED: (fixed,),
    State.CLOSED: (fixed, lambda n: Close(target=n)),
    State.CANCELED: (lambda n: Cancel(target=n, reason="a test"),),
}


def incident_in(desk: ServiceDesk, state: State) -> str:
    """Log an incident and bring it into a state; its number."""
    number = log(desk)
    for step in WAY_TO[state]:
        desk.do(ANA, step(number))
    assert look(desk, number).state is state
    return number


def look(desk: ServiceDesk, number: str) -> Incident:
    found = desk.store.incident(number)
    assert found is not None
    return found


def story(desk: ServiceDesk, stream: str) -> list[str]:
    return [event.kind for event in desk.store.timeline(stream)]


def engaged(desk: ServiceDesk, vendor: str = "acme") -> tuple[str, str]:
    """Log an incident and engage a supplier; (number, bond), which is also the sending's id."""
    number = log(desk)
    command = Engage(target=number, vendor=vendor, message="The database is down.")
    desk.do(BEN, command)
    return number, command.command_id


def reply(desk: ServiceDesk, number: str, words: str = "Any news?") -> str:
    command = Reply(target=number, message=words)
    desk.do(BEN, command)
    return command.command_id


def heard(number: str, bond: str, at: datetime, **more: Any) -> Heard:
    """One change at the supplier: a comment, unless it is said otherwise."""
    known = {"change_id": "c1", "kind": "comment", "author": "Theo", "body": "We look into it."}
    return Heard(incident=number, bond=bond, at=at, **(known | more))


def claim(
    store: Store, now: datetime, vendor: str = "acme", most: int = 10, holder: str = "w1"
) -> list[Sending]:
    return outbox.claim(
        store, vendor, holder, now, now + timedelta(seconds=15), now + timedelta(seconds=30), most
    )


def arrived(desk: ServiceDesk, row_id: str, ref: TicketRef | None = ACME_1, **more: Any) -> Receipt:
    return desk.do(ENGINE, ConfirmSending(row_id=row_id, ref=ref, **more))


def doubt(desk: ServiceDesk, row: Sending) -> Receipt:
    at = row.created_at + timedelta(minutes=1)
    return desk.do(ENGINE, DoubtSending(row_id=row.row_id, tries=row.tries, why="no answer", next_at=at))


def failed(desk: ServiceDesk, row: Sending) -> Receipt:
    return desk.do(ENGINE, FailSending(row_id=row.row_id, tries=row.tries, why="They said 400."))


def ticket_of(desk: ServiceDesk, clock: Any) -> tuple[str, str]:
    """An incident whose supplier has made the ticket ACME-4711."""
    number, bond = engaged(desk)
    (row,) = claim(desk.store, clock())
    arrived(desk, row.row_id)
    return number, bond


def row_of(store: Store, row_id: str) -> dict[str, Any]:
    """One row of the outbox as it stands in the table."""
    with store.read() as connection:
        found = connection.execute(text("SELECT * FROM sending WHERE row_id = :id"), {"id": row_id}).one()
    return dict(found._mapping)


def sql(store: Store, statement: str, **values: Any) -> int:
    """Change the tables behind the register's back."""
    with store.rows_only() as connection:
        return connection.execute(text(statement), values).rowcount


def ask(store: Store, question: str, **values: Any) -> list[Any]:
    with store.read() as connection:
        return list(connection.execute(text(question), values))


def everything(store: Store) -> dict[str, list[Any]]:
    """All that is in the register, to show that nothing was written."""
    tables = (
        "head",
        "event",
        "person",
        "incident",
        "alert",
        "bond",
        "sending",
        "heard",
        "quarantine",
        "vendor",
        "attachment",
        "blob",
    )
    return {name: sorted(map(tuple, ask(store, f"SELECT * FROM {name}")), key=repr) for name in tables}


def stamped(year: int) -> str:
    return stamp(datetime(year, 1, 1, tzinfo=UTC))


def run_script(name: str, *arguments: str) -> subprocess.Popen[str]:
    """Start another process that does what `tests/register/NAME.py` says."""
    return subprocess.Popen(
        [sys.executable, "-m", f"tests.register.{name}", *arguments],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def do_each(desk: ServiceDesk, principal: Principal, commands: Iterable[Command]) -> None:
    for command in commands:
        desk.do(principal, command)
