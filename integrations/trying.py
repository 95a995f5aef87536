"""One operation at one supplier by hand: each request as it is filled in, and what came of it.

Without `send` nothing leaves: a line that leads nowhere keeps the first request, as a rehearsal does, and of
a system that is described every one. Reading asks the supplier in any case: that is what one wants to know.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import orjson
from ulid import ULID

from integrations import secrets
from integrations.connector import (
    Attach,
    Comment,
    Draft,
    Finds,
    Polls,
    Ref,
    Reprioritise,
    Theirs,
    TicketUpdate,
    Transition,
    Updates,
)
from integrations.errors import Failure, Rejected
from integrations.exchange import begin, told
from integrations.rehearsal import Asked, rehearsed
from integrations.vendor import Vendor, Wired
from integrations.vendors import connector_for
from register.incident import Priority
from register.text import clip, one_line

READS: Final = ("check", "find", "get", "history", "changes")
WRITES: Final = ("create", "comment", "transition", "priority", "attach")
OPERATIONS: Final = (*READS, *WRITES)
OF_A_TICKET: Final = ("get", "history", "comment", "transition", "priority", "attach")
STATES: Final = tuple(state.value for state in Theirs if state is not Theirs.UNMAPPED)
"""What a transition may lead to."""
_AGO: Final = timedelta(days=1)
_TITLE: Final = "Muster: a try, please ignore"
_BODY: Final = "This is a try of Muster's: please ignore it."


class Misused(Exception):
    """What is asked for is no operation, or is not told what it needs. ask: the option or argument."""

    def __init__(self, why: str, ask: str) -> None:
        super().__init__(why)
        self.ask = ask


@dataclass(frozen=True, slots=True)
class Tried:
    """What became of a try. requests: what would go, or what went with its answer, masked.

    whole: every request is there. awaited: what stands in them for what only an answer tells.
    """

    requests: tuple[Mapping[str, Any], ...]
    found: Any = None
    failure: str = ""
    shown: tuple[Mapping[str, Any], ...] = field(default=())
    whole: bool = True
    awaited: tuple[str, ...] = ()


def mind(operation: str, wish: Mapping[str, str]) -> None:
    """Raise Misused where this cannot be asked of any supplier. wish: by option, as it was given."""
    if operation not in OPERATIONS:
        known = ", ".join(OPERATIONS)
        raise Misused(f"There is no operation {clip(one_line(operation), 40)!r}: take {known}.", "operation")
    if operation in OF_A_TICKET and not wish.get("ticket", ""):
        raise Misused(f"{operation} needs a ticket: its number there (--ticket).", "ticket")
    state = wish.get("state") or STATES[0]
    if operation == "transition" and state not in STATES:
        what = clip(one_line(state), 40)
        raise Misused(f"There is no state {what!r}: --state takes {', '.join(STATES)}.", "state")


async def tried(vendor: Vendor, operation: str, wish: Mapping[str, str], *, send: bool) -> Tried:
    """Make it, or, where it writes and is not to be sent, show what would be asked.

    operation, wish: as `mind` lets them pass.
    """
    if operation in WRITES and not send:
        done = await rehearsed(vendor, lambda connector: _made(connector, operation, wish))
        would = tuple(_would(one) for one in done.asked)
        return Tried(would, failure=done.refused, whole=done.whole, awaited=done.awaited)
    connector = connector_for(vendor, secrets.resolve)
    kept, shown = begin(), list[Mapping[str, Any]]()
    runner: Any = getattr(connector, "runner", None)
    if runner is not None:
        runner.watch = lambda one: shown.append({"request": one.request, "took": one.took})
    found: Any = None
    failure = ""
    try:
        found = await _made(connector, operation, wish)
    except Failure as fault:
        failure = fault.why
    finally:
        await connector.http.aclose()
    return Tried(tuple(orjson.loads(told(kept, len(kept)) or "[]")), found, failure, tuple(shown))


def _would(asked: Asked) -> Mapping[str, Any]:
    return asdict(asked)


async def _made(connector: Wired, operation: str, wish: Mapping[str, str]) -> Any:
    """What the connector gives for one operation."""
    op_id, text = wish.get("op_id") or str(ULID()), wish.get("text") or _BODY
    if operation == "check":
        return await connector.check()
    if operation == "create":
        return await connector.create(Draft(op_id, wish.get("title") or _TITLE, text, Priority.PLANNING))
    if operation == "find" and isinstance(connector, Finds):
        return await connector.find(op_id, datetime.now(UTC) - _AGO)
    if operation == "changes" and isinstance(connector, Polls):
        listed: Any = getattr(connector, "listed", None)
        return await (connector.changes(None) if listed is None else listed(datetime.now(UTC) - _AGO))
    ref = Ref(id=wish.get("ticket", ""), key=wish.get("ticket", ""))
    if operation == "get":
        return await connector.get(ref)
    if operation == "history" and isinstance(connector, Polls):
        return await connector.history(ref)
    if operation in READS or not isinstance(connector, Updates):
        raise Rejected(f"Its connector has no {operation}.")
    content = text.encode()
    updates: Mapping[str, TicketUpdate] = {
        "comment": Comment(op_id, text),
        "transition": Transition(op_id, Theirs(wish.get("state") or "working"), wish.get("text", "")),
        "priority": Reprioritise(op_id, Priority.PLANNING),
        "attach": Attach(op_id, "muster-try.txt", "text/plain", "", content),
    }
    return await connector.apply(ref, updates[operation])
