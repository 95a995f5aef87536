"""The spool as a person meets it: what is kept, in which words, and what came of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Final

from register.live import Live, Row
from register.plain import clip, one_line
from register.provisional import is_provisional
from register.spool import Entry, Looked, NotKept, Spool, entry, folder_beside, notes_on
from tui.session import Session

if TYPE_CHECKING:
    from register.core import Command
    from register.desk import ServiceDesk
    from register.replay import Outcome
    from register.store import Store

KEPT: Final = "It is kept in the spool as {} and will be entered, once, when the register is back."
NO_ID: Final = (
    "It could not be kept in the spool: no board of yours has seen this register yet, so nobody could tell"
    " later whether it is the same one. Say it again when the register answers."
)
NOT_NOW: Final = "What is in the spool waits on: {}"
_ENTERED: Final = {"log": "{} is {} now.", "note": "The note {} is on {} now."}
_SHORT: Final = 60


def what_happened(away: Exception) -> str:
    """Return the first sentence of why the register cannot be used: what to do next is another thing then."""
    first, dot, _ = str(away).partition(". ")
    return first + dot.strip()


def spool_of(session: Session) -> Spool:
    return Spool(folder_beside(session.live_path))


def register_known(session: Session) -> str:
    """Return the id of the register as this person's board saw it last; "" where none did."""
    return Live.open(session.live_path).register_id


def keep(spool: Spool, register_id: str, command: Command, source: str) -> Entry:
    """Keep a command that the register did not answer to; raises NotKept."""
    from register.replay import fields_of

    if not register_id:
        raise NotKept(NO_ID)
    target, about = str(getattr(command, "target", "") or ""), ""
    if is_provisional(target):
        meant = spool.look().meant(target)
        if meant is None:
            raise NotKept(f"There is no {target} in the spool: `muster spool list` shows what is.")
        target, about = meant
    said = entry(
        register_id,
        command.command_id,
        command.verb,
        fields_of(command),
        source=source,
        target=target,
        about=about,
    )
    return spool.keep(said)


def enter(
    store: Store, session: Session, spool: Spool, only: list[str] | None = None, most: int | None = None
) -> Outcome:
    """Enter what waits, in this person's name and with the role they have now; raises OSError."""
    from register.replay import SOURCE, replay
    from tui.who import policy, principal

    desk: ServiceDesk = _desk(store, policy(store, session, "board"))
    return replay(desk, principal(store, session, SOURCE), spool, only, most)


def enter_waiting(store: Store, session: Session, say: Callable[[str], object]) -> None:
    """Enter what was said while this register was away; say what came of it, and what waits for a person."""
    from register.store import RegisterUnavailable

    spool = spool_of(session)
    if spool.is_empty():
        return
    try:
        said = told(enter(store, session, spool)) or [reminder(spool.look(), store.register_id)]
    except (RegisterUnavailable, OSError) as error:  # what was asked for goes on, or says the same
        said = [NOT_NOW.format(error)]
    for sentence in filter(None, said):
        say(sentence)


def _desk(store: Store, policy: Any) -> ServiceDesk:
    from register.desk import ServiceDesk

    return ServiceDesk(store, policy)


def told(outcome: Outcome) -> list[str]:
    """Return what came of the spool, a sentence each."""
    said = [entered(one, number) for one, number in outcome.entered]
    said += [refused(one, why) for one, why in outcome.refused]
    said += [NOT_NOW.format(outcome.why)] if outcome.why else []
    return said + list(outcome.faults)


def entered(one: Entry, number: str | None) -> str:
    """Say that it is in the register now."""
    return _ENTERED.get(one.verb, "{} is entered, on {}.").format(one.name, number or "the register")


def refused(one: Entry, why: str) -> str:
    """Say that it is not, and what can be done."""
    return (
        f"{one.name} ({what(one)}) was not entered: {one_line(why)} It stays in the spool:"
        f" `muster spool retry {one.name}` tries again, `muster spool drop {one.name}` gives it up."
    )


def reminder(looked: Looked, register_id: str) -> str:
    """Return a sentence about what waits for a person; "" where nothing does."""
    ours = [one for one in looked.refused() if one.register_id == register_id]
    others = [one for one in looked.entries if one.register_id != register_id]
    said = []
    if ours:
        names = ", ".join(one.name for one in ours[:5]) + (" and more" if len(ours) > 5 else "")
        waits = "waits" if len(ours) == 1 else "wait"
        said.append(f"{names} could not be entered and {waits} for you: `muster spool list` says why.")
    if others:
        said.append(
            f"{len(others)} in the spool for another register that was here before: nothing of it is entered."
            " `muster spool list` shows it."
        )
    return " ".join((*said, *looked.faults))


def what(one: Entry, others: Iterable[Entry] = ()) -> str:
    """Return what an entry says, in a few words. others: of which it may be about one."""
    text = one.fields.get("title") or one.fields.get("text") or ""
    target = one.target or next((other.name for other in others if other.command_id == one.about), "")
    about = f" on {target}" if target else ""
    return f"{one.verb}{about}: {clip(one_line(str(text)), _SHORT)}"


def waiting_rows(session: Session, register_id: str) -> list[Row]:
    """Return the rows of what waits in the spool for that register."""
    return rows_of(one for one in spool_of(session).look().entries if one.register_id == register_id)


def rows_of(entries: Iterable[Entry]) -> list[Row]:
    """Return a board's row for each incident that waits in the spool."""
    known = list(entries)
    rows = (_row(entry, notes_on(known, entry)) for entry in known if entry.verb == "log")
    return [row for row in rows if row is not None]


def _row(entry: Entry, notes: list[Entry]) -> Row | None:
    """Return the row it would have, by what is promised where nothing is adopted; None where it is no Log."""
    from datetime import UTC, datetime

    from register.clocks.book import DEFAULT_TIMELINE
    from register.clocks.due import due_of
    from register.core import Policy, World, decide, fold
    from register.replay import command_of
    from register.row import board_row

    try:
        said = datetime.fromtimestamp(entry.said_at, UTC)
        world = World(now=said, actor="", policy=Policy(), next_number="INC-1")
        incident: Any = None
        for one in decide(command_of(entry), None, world):
            incident = fold(one.event, incident, said, said)
        row = board_row(incident, due_of(incident, DEFAULT_TIMELINE))
    except (ValueError, KeyError, OverflowError, OSError):
        return None
    latest = max(one.said_at for one in (entry, *notes))
    mine = {"number": entry.name, "n": -entry.no, "updated": latest}
    return row | mine | {"spool": "refused" if entry.refused else "waits"}
