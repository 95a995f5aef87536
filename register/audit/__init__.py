"""Was anybody forgotten? What an incident's events say of its escalation, checked without the engine's rules.

The auditor keeps its own books of what is due when, from the plan that a run wrote down and from what people
said. It shares no arithmetic with `register.run` and `register.topics.steps`: a mistake there shows here.
Pure; `register.auditing` reads the log for it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from register.audit.account import (
    OVERDUE,
    Account,
    Fault,
    Page,
    Wrong,
    clock_words,
    length_words,
)
from register.audit.firing import FIRING
from register.audit.people import PEOPLE
from register.core import Recorded

__all__ = ["OVERDUE", "Fault", "Page", "Wrong", "audited"]

_LOOKS: Final[Mapping[str, Callable[[Account, Recorded, Any], None]]] = {**FIRING, **PEOPLE}


def audited(
    number: str, events: Sequence[Recorded], now: datetime, rows: frozenset[Page] | None = None
) -> list[Fault]:
    """Return what is wrong with an incident's escalation, in the order of its events.

    events: its whole stream. rows: its pages in the outbox; None: nobody looks at pages.
    """
    account = Account(number)
    for one in events:
        look = _LOOKS.get(one.kind)
        if look is not None and one.event is not None:
            look(account, one, one.event)
    due = account.next_at
    if due is not None and now - due > OVERDUE:
        says = (
            f"{number}: {account.next_words} was due at {clock_words(due)}, and for {length_words(now - due)}"
            " nobody has fired it. Start `muster serve`, or call them yourself."
        )
        account.faults.append(Fault(number, events[-1].seq, due, Wrong.MISSING, says, lasts=True))
    if rows is not None:
        for one, page in account.asked:
            if page not in rows and (page.person, page.run) not in account.heard_of:
                says = f"a page asked for at {clock_words(one.at)} is not in the outbox; nothing came of it."
                account.wrong(one, Wrong.UNSENT, says)
    return sorted(account.faults, key=lambda fault: fault.seq)
