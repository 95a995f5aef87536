"""Suppliers with no system that can be spoken to: a person hands over what Muster has prepared.

Their sendings wait in the outbox like all others, and no courier ever takes them.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Final

import orjson
from pydantic import AwareDatetime, Field

from register.core import (
    Command,
    Decision,
    Event,
    PersonField,
    Role,
    Said,
    SendingFacts,
    World,
    decide,
    refuse_unless,
)
from register.incident import TicketRef
from register.text import Name, Text
from register.topics.calls import called_them
from register.topics.delivery import UNFINISHED, RowId, about, sending_of
from register.topics.paging import LANE
from register.topics.sendings import Delivered, TicketAdopted

NO_NUMBER: Final = "no number"


class HandOver(Command):
    """Say that a prepared text was handed over: read aloud, or put into the supplier's portal."""

    verb: ClassVar[str] = "handed"
    group: ClassVar[str] = "outbox"
    role: ClassVar[Role] = Role.COORDINATOR
    on_incident: ClassVar[bool] = False

    row_id: RowId
    ticket: Annotated[Name | None, Field(description="the number that a new ticket has with them")] = None
    no_number: Annotated[bool, Field(description="they give a new ticket no number")] = False
    whom: Annotated[
        Name | None, Field(description="who took it, where it was a call"), PersonField("supplier")
    ] = None
    said: Annotated[Text, Field(description="what they said to it")] = ""
    until: Annotated[AwareDatetime | None, Field(description="until when they promised something")] = None


@decide.register
def _(command: HandOver, incident: Any, world: World) -> Decision:
    row = sending_of(command, world)
    refuse_unless(row.lane != LANE, "That is a page to one of us: there is nothing to hand over.")
    bond = world.incidents[row.incident].bond(row.bond)
    if bond is None:
        raise ValueError(f"{row.incident} has no bond {row.bond}")
    facts = world.policy.vendors.get(row.vendor)
    refuse_unless(
        bond.by_hand or (facts is not None and facts.by_hand),
        f"{row.vendor} is spoken to by the worker: what it cannot send, `muster outbox` retry, adopt or drop"
        " decide about. Nothing was done.",
    )
    refuse_unless(row.state in UNFINISHED, f"That text is {row.state} already. Nothing was done.")
    refuse_unless(row.state != "sending", "It is being sent right now: wait for its answer.")
    _refuse_out_of_turn(row, world)
    refuse_unless(
        command.whom or not (command.said or command.until),
        "Somebody said that: say who (--whom). Nothing was done.",
        "whom",
    )
    said = [Said(row.incident, _handed(command, row, bond.ref is not None))]
    if command.whom:
        called = called_them(
            bond, command.whom, reached=True, said=command.said, until=command.until, at=world.now
        )
        said.append(Said(row.incident, called))
    return tuple(said)


def _refuse_out_of_turn(row: SendingFacts, world: World) -> None:
    before = [
        other
        for other in world.sendings.values()
        if other.bond == row.bond and other.position < row.position and other.state in UNFINISHED
    ]
    if before:
        first = min(before, key=lambda other: other.position)
        refuse_unless(
            False,
            f"Something comes before it for {row.vendor}: the {first.kind} {first.row_id[:10]}… Hand"
            " that over first, or drop it. Nothing was done.",
        )


def _handed(command: HandOver, row: SendingFacts, has_ticket: bool) -> Event:
    if row.kind != "create":
        refuse_unless(
            command.ticket is None and not command.no_number,
            f"That is a {row.kind}: their number is known. Where it changed, `muster relink` says so.",
            "ticket",
        )
        state = _state_asked(row)
        return Delivered(**about(row), how="person", raw_state=state, closed=state == "closed")
    refuse_unless(
        (command.ticket is None) is command.no_number,
        "Ask them for their number and say it (--ticket); where they give none, say that (--no-number)."
        " Nothing was done.",
        "ticket",
    )
    ref = (
        TicketRef(id=f"by-hand-{row.op_id}", key=NO_NUMBER)
        if command.ticket is None
        else TicketRef(id=command.ticket.lstrip("#"), key=command.ticket)
    )
    return TicketAdopted(**about(row), ref=ref, how="person")


def _state_asked(row: SendingFacts) -> str:
    return str(orjson.loads(row.payload).get("to", "")) if row.kind == "transition" else ""
