"""Entering what the spool kept, once each and in the order it was said, when the register answers again.

An entry goes out of the spool only when the register has it. Whoever dies in between leaves it there, and
its command id makes the next one's try give the first answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from pydantic import ValidationError
from sqlalchemy import select

from register.core import VERBS, Command, Principal, Refused
from register.desk import ServiceDesk
from register.spool import Entry, Spool
from register.store import RegisterUnavailable, Store
from register.store import tables as t
from register.store.mishaps import Unreadable

SOURCE: Final = "spool"
"""The door of events that were said earlier and entered from the spool."""
_NOTHING: Final[Callable[[str], None]] = lambda point: None  # noqa: E731


@dataclass(slots=True)
class Outcome:
    """What became of the spool.

    entered: with the number each is known by now. refused: with the rule's sentence. foreign: of another
    register. faults: of files that cannot be read. why: the register's sentence, where it went away again.
    """

    entered: list[tuple[Entry, str | None]] = field(default_factory=list)
    refused: list[tuple[Entry, str]] = field(default_factory=list)
    foreign: list[Entry] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    why: str = ""
    more: bool = False  # waits to be entered, in a next go


def replay(
    desk: ServiceDesk,
    principal: Principal,
    spool: Spool,
    only: Iterable[str] | None = None,
    most: int | None = None,
    fault: Callable[[str], None] = _NOTHING,
) -> Outcome:
    """Enter what waits; raises OSError where the spool itself cannot be written.

    principal: whoever the spool's files belong to, with the role they have now.
    only: the names (~1) of those to be tried; None for all that no rule has refused yet.
    most: so many at most, the first ones; None for all.
    fault: called between any two steps, for tests.
    """
    outcome = Outcome()
    with spool.replaying() as alone:
        if not alone:
            return outcome  # another process of this person's is at it
        looked = spool.look()
        outcome.faults += looked.faults
        names = None if only is None else set(only)
        for entry in looked.entries:
            if entry.register_id != desk.store.register_id:
                outcome.foreign.append(entry)
            elif entry.name in names if names is not None else not entry.refused:
                if most is not None and len(outcome.entered) + len(outcome.refused) >= most:
                    outcome.more = True
                    break
                try:
                    _one(desk, principal, spool, entry, outcome, fault)
                except RegisterUnavailable as away:
                    outcome.why = outcome.why or str(away)
                    if not isinstance(away.__cause__, Unreadable):  # one damaged row keeps no other waiting
                        break
    return outcome


def _one(
    desk: ServiceDesk,
    principal: Principal,
    spool: Spool,
    entry: Entry,
    outcome: Outcome,
    fault: Callable[[str], None],
) -> None:
    fault("looked")
    done, number = entered_as(desk.store, entry.command_id)
    if not done:
        try:
            command = command_of(entry, _target(desk.store, spool, entry))
            number = desk.do(principal, command, said_at=_said_at(entry)).number
        except _Waits:
            return
        except (Refused, ValidationError, KeyError, ValueError) as error:
            sentence = _sentence(error)
            spool.mark(entry, sentence)
            outcome.refused.append((entry, sentence))
            return
        fault("done")
    spool.is_entered(entry, number)
    outcome.entered.append((entry, number))
    fault("let go")


class _Waits(Exception):
    """It is about an entry that a rule refused: it is entered when that one is."""


def _target(store: Store, spool: Spool, entry: Entry) -> str:
    """Return the number of the incident it is about, "" for none."""
    if not entry.about:
        return entry.target
    done, number = entered_as(store, entry.about)
    if done and number is not None:
        return number
    if any(one.command_id == entry.about for one in spool.look().entries):
        raise _Waits
    raise Refused(
        f"The incident that {entry.name} is about was never entered: its entry was dropped."
        f" `muster spool retry {entry.name} --to INC-7` enters it there."
    )


def command_of(entry: Entry, target: str = "") -> Command:
    """Return the command that was said; raises KeyError and ValidationError where it is none of ours."""
    verb = VERBS[entry.verb]
    if not verb.keeps:
        raise ValueError(f"{entry.verb} is nothing that a spool keeps")
    about = {"target": target} if target else {}
    return verb.model_validate({**entry.fields, **about, "command_id": entry.command_id})


def fields_of(command: Command) -> dict[str, Any]:
    """Return a command's fields as the spool keeps them."""
    return command.model_dump(mode="json", exclude={"command_id", "target"}, exclude_defaults=True)


def entered_as(store: Store, command_id: str) -> tuple[bool, str | None]:
    """Return whether the register has carried out that command, and on which incident."""
    query = select(t.event.c.stream).where(t.event.c.command_id == command_id).order_by(t.event.c.seq)
    streams = [row.stream for row in store.ask(lambda connection: connection.execute(query).all())]
    return bool(streams), next((one for one in streams if one.startswith("INC-")), None)


def _said_at(entry: Entry) -> datetime | None:
    try:
        return datetime.fromtimestamp(entry.said_at, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _sentence(error: Exception) -> str:
    if isinstance(error, Refused):
        return error.sentence
    return "This Muster cannot read it: it was changed by hand, or written by a newer one."
