"""The spool on the command line: keeping what is said while the register is away, and looking after it."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from register.core import Command, NotFound, Refused
from register.plain import clean
from register.provisional import is_provisional
from register.spool import Entry, Looked, NotKept
from register.store import RegisterUnavailable
from tui.cli.answer import Answer
from tui.cli.trouble import FOUND_FAULTS, WrongUse
from tui.session import session_from
from tui.spooled import KEPT, enter, keep, register_known, spool_of, told, what, what_happened

if TYPE_CHECKING:
    from tui.cli.here import Here

NO_SPOOL = typer.Option("--no-spool", help="keep nothing when the register does not answer: exit 5")


def number_meant(at: Here, typed: str) -> str:
    """Return the incident's number for a provisional one, once that is entered."""
    if not is_provisional(typed):
        return typed
    looked = spool_of(at.session).look()
    found, meant = looked.named(typed), looked.meant(typed)
    if found is not None and found.refused:
        raise NotFound(
            f"{typed} was not entered: {found.refused} `muster spool list` shows what can be done."
        )
    if meant is None or not meant[0]:
        raise NotFound(
            f"There is no {typed}: `muster spool list` shows what waits, `muster list` what is there."
        )
    return meant[0]


def kept(asked: Command, away: RegisterUnavailable, env: Mapping[str, str] = os.environ) -> Answer:
    """Keep a command that the register did not answer to; where that cannot be, its error stands."""
    session = session_from(env)
    try:
        entry = keep(spool_of(session), register_known(session), asked, "cli")
    except NotKept as why:
        raise type(away)(f"{away} {why}") from away
    said = f"{what_happened(away)} {KEPT.format(entry.name)} Do not say it again."
    print(clean(said), file=sys.stderr)
    return Answer(_data(entry), [f"{entry.name}  not entered yet  {what(entry)}"])


def list_() -> Answer:
    """List what was said while the register was away and is not in it yet."""
    looked = spool_of(session_from(os.environ)).look()
    lines = [line for entry in looked.entries for line in _lines(entry, looked)]
    lines += looked.faults
    nothing = ["The spool is empty: everything you said is in the register."]
    data = {"entries": [_data(entry) for entry in looked.entries], "faults": list(looked.faults)}
    return Answer(data, lines or nothing, FOUND_FAULTS if looked.faults else 0)


def retry(
    name: Annotated[str, typer.Argument(metavar="~N", help="which one, as `muster spool list` names it")],
    to: Annotated[str, typer.Option("--to", metavar="NUMBER", help="enter the note on this incident")] = "",
) -> Answer:
    """Try again to enter what a rule has refused."""
    from tui.cli import words
    from tui.cli.here import here

    session = session_from(os.environ)
    spool = spool_of(session)
    found = _named(spool.look(), name)
    if to and found.verb == "log":
        raise WrongUse(f"{found.name} logs an incident: it goes on no other one.", "to")
    target = words.number(to) if to else None
    with here() as at:
        _refuse_other_register(found, at)
        if target is not None:
            spool.mark(found, found.refused, target)
        outcome = enter(at.store, session, spool, [found.name])
    if outcome.why:
        raise RegisterUnavailable(outcome.why)
    for _, why in outcome.refused:
        raise Refused(f"{found.name} was not entered: {why}")
    number = spool.look().entered.get(found.no)
    return Answer({"name": found.name, "number": number}, told(outcome) or [f"{found.name} is entered."])


def drop(
    name: Annotated[str, typer.Argument(metavar="~N", help="which one, as `muster spool list` names it")],
) -> Answer:
    """Give up what was said and is not in the register."""
    spool = spool_of(session_from(os.environ))
    found = _named(spool.look(), name)
    if not spool.drop(found):
        raise NotFound(f"{found.name} is not in the spool any more.")
    return Answer(_data(found), [f"{found.name} is given up: {what(found)}"])


def _named(looked: Looked, typed: str) -> Entry:
    name = typed if typed.startswith("~") else f"~{typed}"
    found = looked.named(name)
    if found is None:
        number = looked.entered.get(int(name[1:])) if is_provisional(name) else None
        is_now = f"{name} is entered: it is {number}." if number else f"There is no {name} in the spool."
        raise NotFound(f"{is_now} `muster spool list` shows what is.")
    return found


def _refuse_other_register(found: Entry, at: Here) -> None:
    if found.register_id != at.store.register_id:
        raise Refused(
            f"{found.name} was said to another register ({found.register_id}); this one is"
            f" {at.store.register_id}. Nothing was entered: say it anew here, then `muster spool drop"
            f" {found.name}`."
        )


def _data(entry: Entry) -> dict[str, Any]:
    return {
        "number": entry.name,
        "spooled": True,
        "command_id": entry.command_id,
        "register_id": entry.register_id,
        "verb": entry.verb,
        "target": entry.target or None,
        "fields": dict(entry.fields),
        "said_at": _said_at(entry),
        "refused": entry.refused or None,
    }


def _said_at(entry: Entry) -> datetime | None:
    try:
        return datetime.fromtimestamp(entry.said_at, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _lines(entry: Entry, looked: Looked) -> list[str]:
    when = _said_at(entry)
    clock = when.astimezone().strftime("%Y-%m-%d %H:%M %Z") if when else "at some time"
    lines = [f"{entry.name}  {clock}  {what(entry, looked.entries)}"]
    if entry.refused:
        lines += [
            f"    not entered: {entry.refused}",
            f"    `muster spool retry {entry.name}` or `muster spool drop {entry.name}`",
        ]
    return lines
