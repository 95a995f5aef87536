"""What the engine did, laid beside what was due: once, in its turn, at its time, for somebody."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Any, Final

from register.audit.account import FIRST, Account, Page, Place, Stands, Wrong, clock_words, length_words
from register.audit.account import step_words as words_of
from register.core import Recorded

_LATE: Final = timedelta(seconds=62)
"""What comes later than this after its time says so in its event."""


def _place(event: Any) -> Place:
    loop, step, reminder = event.place
    return loop, step, reminder


def _does(account: Account, one: Recorded, event: Any, what: str) -> None:
    """Something is done of what was due: for the run that runs, while it asks, and not before its time."""
    if event.run != account.run or account.stands is Stands.NONE:
        account.wrong(
            one, Wrong.NEEDLESS, f"{what} came at {clock_words(one.at)}, when that escalation was over."
        )
        return
    if one.command_id == account.doing:
        return
    due, account.doing, account.behind = account.next_at, one.command_id, timedelta()
    if due is not None and one.at >= due:
        account.behind = one.at - due
    elif due is not None:
        account.wrong(
            one, Wrong.EARLY, f"{what} came at {clock_words(one.at)}: it was due at {clock_words(due)} only."
        )
    elif account.stands is not Stands.HAS:
        account.wrong(one, Wrong.EARLY, f"{what} came at {clock_words(one.at)}, when nothing was due.")


def _says_so(account: Account, one: Recorded, event: Any, what: str) -> None:
    """What is late says by how much; of several events of one command, the first one that can."""
    if one.command_id == account.doing and account.behind > _LATE:
        late, account.behind = length_words(account.behind), timedelta()
        if not event.late:
            account.wrong(
                one, Wrong.UNSAID, f"{what} came {late} late, at {clock_words(one.at)}, and does not say so."
            )


def _in_turn(account: Account, one: Recorded, place: Place) -> None:
    """None was passed over."""
    if account.expects and place > account.expects[0]:
        left = words_of(account.expects[0])
        account.wrong(
            one,
            Wrong.MISSING,
            f"{left} was never fired: {words_of(place)} came at {clock_words(one.at)} instead of it.",
        )


def _asks_for_pages(account: Account, one: Recorded, event: Any, because: str, place: Place) -> None:
    if event.page_until is not None:
        account.asked += ((one, Page(who, event.run, event.cycle, because, place)) for who in event.told)


def _fired(account: Account, one: Recorded, event: Any) -> None:
    awaited = event.because == "awaited"
    place, why = _place(event), "awaited" if awaited else "passed" if event.because == "passed" else "step"
    what = "reminding who is to answer" if awaited else words_of(place)
    key = (account.cycle, place, why)
    if event.run == account.run and key in account.fired:
        account.wrong(one, Wrong.DOUBLE, f"{what} was fired twice: once more at {clock_words(one.at)}.")
    else:
        _has_reason(account, one, what, awaited=awaited)
        _does(account, one, event, what)
        if not awaited:
            _in_turn(account, one, place)
    _says_so(account, one, event, what)
    if not event.told and not event.suppliers:
        account.wrong(one, Wrong.NOBODY, f"{what} came at {clock_words(one.at)} and told nobody.")
    if event.run != account.run:
        return
    account.fired.add(key)
    account.last, account.last_cycle = place, account.cycle
    account.pages, account.held = {}, ""
    account.told(event.told, paged=event.page_until is not None)
    _asks_for_pages(account, one, event, event.because, place)
    account.due = one.at + account.wait(place)
    if awaited:
        account.due = account.due if event.next_at is not None else None
        return
    account.due = None if account.is_low else account.due
    account.stands = Stands.ASKS
    if not account.alone:
        account.expect_from(place)
        account.expects = account.expects[1:]
    account.alone = False
    account.awaits = frozenset(event.told if event.all_ack else ())


def _has_reason(account: Account, one: Recorded, what: str, *, awaited: bool) -> None:
    if awaited and not account.awaits:
        account.wrong(one, Wrong.NEEDLESS, f"{what} came at {clock_words(one.at)}, and nobody was awaited.")
    elif not awaited and account.stands is Stands.HAS:
        account.wrong(
            one, Wrong.NEEDLESS, f"{what} came at {clock_words(one.at)}, though somebody had acknowledged it."
        )


def _skipped(account: Account, one: Recorded, event: Any) -> None:
    place = _place(event)
    _does(account, one, event, words_of(place))
    _in_turn(account, one, place)
    account.skipping = one.command_id
    account.expects = tuple(it for it in account.expects if it > place and it[:2] != place[:2])


def _exhausted(account: Account, one: Recorded, event: Any) -> None:
    _does(account, one, event, "the end of its steps")
    _says_so(account, one, event, "the end of its steps")
    if account.expects and account.skipping != one.command_id:
        left, when = words_of(account.expects[0]), clock_words(one.at)
        account.wrong(
            one, Wrong.MISSING, f"{left} was never fired: at {when} every step was said to be taken."
        )
    account.stands, account.due, account.expects, account.held = Stands.EXHAUSTED, None, (), ""


def _up(account: Account, one: Recorded, event: Any) -> None:
    _asks_for_pages(account, one, event, "authority", FIRST)
    account.told(event.told, paged=event.page_until is not None)
    if event.by_itself:
        account.held = ""
        _does(account, one, event, "telling the next one with authority")
        _says_so(account, one, event, "telling the next one with authority")
        account.due = event.next_at


def _held(account: Account, one: Recorded, event: Any) -> None:
    """It waits; what is due later than that stays so."""
    _does(account, one, event, account.next_words)
    if account.stands is Stands.ASKS and not account.held:
        account.takes_back()
    account.held = event.held
    account.due = account.due and max(account.due, event.until)
    account.again_at = account.again_at and max(account.again_at, event.until)


def _timed_out(account: Account, one: Recorded, event: Any) -> None:
    what = "asking again whoever acknowledged it"
    if account.stands is not Stands.HAS:
        account.wrong(
            one, Wrong.NEEDLESS, f"{what} came at {clock_words(one.at)}, and nobody had acknowledged it."
        )
    _does(account, one, event, what)
    asks_anew(account, one)


def asks_anew(account: Account, one: Recorded) -> None:
    """Nobody has it: it goes on where it stood, now."""
    account.cycle += 1
    account.had_by = None
    account.stands, account.due, account.again_at = Stands.ASKS, one.at, None
    account.awaits, account.alone, account.held = frozenset(), False, ""
    account.expect_from(account.last or (account.expects or (FIRST,))[0])


FIRING: Final[Mapping[str, Callable[[Account, Recorded, Any], None]]] = MappingProxyType(
    {
        "step_fired": _fired,
        "step_skipped_empty": _skipped,
        "step_held": _held,
        "escalation_exhausted": _exhausted,
        "escalated_hierarchical": _up,
        "ack_timed_out": _timed_out,
    }
)
"""Kind of event → what the auditor makes of it."""
